"""Final Cut Pro: Quick Actions in the Finder, which need no permission but to control Final Cut."""

from __future__ import annotations

import shlex
import sys
from xml.sax.saxutils import escape

from ..errors import UsageError
from .copies import Copy, Plan
from .machine import Machine, plugins_folder

NAME = "finalcut"
SUMMARY = "Final Cut Pro: Rough Cut, Find Shots and Highlights among the Finder's Quick Actions"

#: Title in the Finder's menu -> verb.
ACTIONS = {
    "MapEdit Rough Cut": "roughcut",
    "MapEdit Find Shots": "shots",
    "MapEdit Highlights": "highlights",
}
_SCRIPTS = ("push.py", "push.applescript", "library.applescript", "tell.applescript")
_PARTS = ("Info.plist", "document.wflow")


def plan(machine: Machine, all_users: bool = False) -> Plan:
    """The Quick Actions of this user, or of everyone, and the scripts that they run.

    Raises:
        UsageError: not a Mac.
    """
    if machine.platform != "darwin":
        raise UsageError("Final Cut Pro is a program of the Mac", "Run this on the Mac it is on.")
    library = (machine.system("/") if all_users else machine.home) / "Library"
    scripts = library / "Application Support" / "otio-mapedit" / "finalcut"
    source = plugins_folder() / "finalcut"
    copies = [Copy(scripts / name, (source / name).read_bytes()) for name in _SCRIPTS]
    for title, verb in ACTIONS.items():
        words = [sys.executable, "-P", str(scripts / "push.py"), verb]
        stamps = {"@TITLE@": title, "@VERB@": verb, "@COMMAND@": f'{shlex.join(words)} "$@"'}
        for part in _PARTS:
            text = (source / "MapEdit.workflow" / "Contents" / part).read_text("utf-8")
            for mark, value in stamps.items():
                text = text.replace(mark, escape(value))
            path = library / "Services" / f"{title}.workflow" / "Contents" / part
            copies.append(Copy(path, text.encode()))
    return Plan(
        tuple(copies),
        notes=(
            "In the Finder: select clips, then Quick Actions (or Services) > MapEdit Rough Cut. "
            "The first time, allow it to control Final Cut Pro.",
        ),
    )
