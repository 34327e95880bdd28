"""Starting the watcher at login: a systemd user unit, a LaunchAgent, or a task of Windows.

What is written names this Python and this package, so that it works without any PATH. Each
platform's own program is asked to start it now; where that is not there or fails, it starts at the
next login, and the answer says so.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import plistlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from ..errors import OutputError
from ..files import output_error

LABEL = "otio-mapedit-watch"
#: Runs a program; gives its exit code and what it said. None in place of a code: not there.
Runner = Callable[[Sequence[str]], tuple[int | None, str]]


@dataclass(frozen=True)
class Login:
    """What was done: the file that starts the watcher, and whether it runs already."""

    path: Path
    running: bool
    said: str = ""  # what the platform's program said where it failed


def run_program(words: Sequence[str]) -> tuple[int | None, str]:
    """Run a program to its end."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        return None, str(error)
    return done.returncode, (done.stderr or done.stdout).strip()


def watch_command(jobs: Path, roots: Sequence[Path] = ()) -> list[str]:
    """The command line that watches ``jobs``."""
    python = Path(sys.executable)
    windowless = python.with_name("pythonw.exe")
    if sys.platform == "win32" and windowless.exists():
        python = windowless  # no console window all day
    words = [str(python), "-P", "-m", "otio_mapedit", "watch", "--quiet", "--jobs", str(jobs)]
    for root in roots:
        words += ["--root", str(root)]
    return words


def file_of(platform: str, home: Path) -> Path:
    """The file that starts the watcher at login, by platform as ``sys.platform`` names it."""
    if platform == "win32":
        return home / "AppData" / "Local" / "otio-mapedit" / f"{LABEL}.xml"
    if platform == "darwin":
        return home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    return home / ".config" / "systemd" / "user" / f"{LABEL}.service"


def install(words: Sequence[str], platform: str, home: Path, run: Runner = run_program) -> Login:
    """Start ``words`` at every login, and now.

    Raises:
        OutputError: the file cannot be written.
    """
    path = file_of(platform, home)
    if platform == "win32":
        _write(path, _task(words).encode("utf-16"))
        steps = [["schtasks", "/Create", "/F", "/TN", LABEL, "/XML", str(path)],
                 ["schtasks", "/Run", "/TN", LABEL]]  # fmt: skip
    elif platform == "darwin":
        _write(path, plistlib.dumps(_agent(words)))
        domain = f"gui/{_uid()}"
        run(["launchctl", "bootout", f"{domain}/{LABEL}"])
        steps = [["launchctl", "bootstrap", domain, str(path)]]
    else:
        _write(path, _unit(words).encode())
        steps = [["systemctl", "--user", "daemon-reload"],
                 ["systemctl", "--user", "enable", path.name],
                 ["systemctl", "--user", "restart", path.name]]  # fmt: skip
    for step in steps:
        code, said = run(step)
        if code != 0:
            if platform.startswith("linux"):
                _enable_by_hand(path)
            return Login(path, False, said or "it gave no reason")
    return Login(path, True)


def uninstall(platform: str, home: Path, run: Runner = run_program) -> Login | None:
    """Undo :func:`install`; None where there was nothing.

    Raises:
        OutputError: the file cannot be removed.
    """
    path = file_of(platform, home)
    if not path.exists():
        return None
    if platform == "win32":
        run(["schtasks", "/End", "/TN", LABEL])
        run(["schtasks", "/Delete", "/F", "/TN", LABEL])
    elif platform == "darwin":
        run(["launchctl", "bootout", f"gui/{_uid()}/{LABEL}"])
    else:
        run(["systemctl", "--user", "disable", "--now", path.name])
    try:
        path.unlink()
        _wanted(path).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(output_error(path, error).message, "Remove it by hand.") from error
    return Login(path, False)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(
            output_error(path, error).message, "Start it by hand: mapedit watch"
        ) from error


def _wanted(path: Path) -> Path:
    """The link by which systemd starts a user unit at login."""
    return path.parent / "default.target.wants" / path.name


def _enable_by_hand(path: Path) -> None:
    """What ``systemctl --user enable`` does, for the next login of a session that has no bus."""
    link = _wanted(path)
    with contextlib.suppress(OSError):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def _unit(words: Sequence[str]) -> str:
    """A unit; see systemd.service(5) on quoting: ``%`` and ``$`` are doubled."""
    quoted = " ".join(
        '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
        + '"' for word in words
    )  # fmt: skip
    return (
        "[Unit]\nDescription=otio-mapedit: works for the plugins of editing programs\n\n"
        f"[Service]\nExecStart={quoted}\nRestart=on-failure\nRestartSec=5\nNice=5\n\n"
        "[Install]\nWantedBy=default.target\n"
    )


def _agent(words: Sequence[str]) -> dict[str, object]:
    """A LaunchAgent; see launchd.plist(5). Started again unless it ended well."""
    return {
        "Label": LABEL,
        "ProgramArguments": list(words),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
    }


def _task(words: Sequence[str]) -> str:
    """A task at this user's own logon, which needs no administrator; Task Scheduler schema 1.2."""
    user = escape(os.environ.get("USERDOMAIN", ".") + "\\" + _user())
    arguments = escape(subprocess.list2cmdline(words[1:]))
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><LogonTrigger><UserId>{user}</UserId></LogonTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>{user}</UserId>
    <LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal></Principals>
  <Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>3</Count></RestartOnFailure></Settings>
  <Actions Context="Author"><Exec><Command>{escape(words[0])}</Command>
    <Arguments>{arguments}</Arguments></Exec></Actions>
</Task>
"""


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "user"
