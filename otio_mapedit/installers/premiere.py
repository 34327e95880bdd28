"""Premiere Pro: a UXP panel as one ``.ccx`` file, which Creative Cloud installs.

A ``.ccx`` is a zip of the panel's folder. Only Adobe's own installer may put it into Premiere Pro,
so that the file is made and the editor opens it.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from .copies import Copy, Plan
from .machine import Machine, plugins_folder

NAME = "premiere"
SUMMARY = "Premiere Pro 26.2 or later: the MapEdit panel, as a file that Creative Cloud installs"

_FILE = "MapEdit.ccx"
#: Every member has this time, so that the same panel gives the same file.
_TIME = (2026, 1, 1, 0, 0, 0)


def plan(machine: Machine, all_users: bool = False) -> Plan:
    """The panel's file beside the folder of jobs; Adobe's installer knows no ``all_users``."""
    del all_users
    path = machine.jobs.parent / _FILE
    return Plan(
        (Copy(path, package(machine.jobs)),),
        notes=(
            f"Open {path}: Creative Cloud installs it. Then, in Premiere Pro: Window > UXP Plugins "
            "> MapEdit. Let mapedit watch run: mapedit watch --install",
        ),
    )


def package(jobs: Path) -> bytes:
    """The ``.ccx`` whose panel asks in the folder ``jobs``."""
    folder = plugins_folder() / "premiere" / "panel"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            if path.name == "settings.js":
                values = json.dumps({"jobs": str(jobs)})
                content = f'"use strict";\nmodule.exports = {values};\n'.encode()
            archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME), content)
    return made.getvalue()
