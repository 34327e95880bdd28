"""DaVinci Resolve: Lua scripts for *Workspace > Scripts*, copied to every folder it looks into.

The folders are those of Blackmagic's scripting README and, for the App Store's builds, those that
their users report. ``Utility`` shows on every page.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..jobs.lua_text import literal
from .copies import Copy, Plan, with_mark
from .machine import Machine, plugins_folder

NAME = "resolve"
SUMMARY = "DaVinci Resolve: Rough Cut, Find Shots, Highlights and Learn in Workspace > Scripts"

#: Name in the menu -> file of its script.
SCRIPTS = {
    "MapEdit Rough Cut": "rough_cut",
    "MapEdit Find Shots": "find_shots",
    "MapEdit Highlights": "highlights",
    "MapEdit Learn From This Timeline": "learn_from_this_timeline",
}
_CATEGORIES = ("Utility", "Comp", "Tool", "Edit", "Color", "Deliver")
_MARK = b"-- MapEdit "
_STAMP = '"@JOBS@"'
_BLACKMAGIC = "Blackmagic Design/DaVinci Resolve"


def plan(machine: Machine, all_users: bool = False) -> Plan:
    """The scripts for this user, or for everyone.

    Raises:
        UsageError: the scripts could not find the folder of jobs.
    """
    folders = {
        folder: _everyone(machine) if all_users else _quoted(machine, jobs)
        for folder, jobs in _folders(machine, all_users).items()
    }
    copies = [
        Copy(folder / "Utility" / f"{title}.lua", script(name, jobs))
        for folder, jobs in folders.items()
        for title, name in SCRIPTS.items()
    ]
    planned = {copy.path for copy in copies}
    found = (
        path
        for folder in folders
        for category in _CATEGORIES
        for path in (folder / category).glob("*.lua")
        if path not in planned
    )
    return Plan(
        tuple(copies),
        with_mark(found, _MARK),
        (
            "In Resolve: Workspace > Scripts. Let mapedit watch run: mapedit watch --install",
            f"From outside Resolve Studio: python {plugins_folder() / 'resolve' / 'studio.py'} -h",
        ),
    )


def script(name: str, jobs: str) -> bytes:
    """A script, whole in one file; ``jobs`` is a Lua expression for the folder of jobs."""
    folder = plugins_folder() / "resolve" / "lua"
    command = (folder / f"{name}.lua.in").read_text(encoding="utf-8")
    common = (folder / "common.lua.in").read_text(encoding="utf-8")
    return command.replace("--@common", common.replace(_STAMP, jobs)).encode()


def containers(machine: Machine) -> list[Path]:
    """Homes of the App Store's builds, which read nothing outside them but the Movies folder."""
    found = (machine.home / "Library" / "Containers").glob("com.blackmagic-design.DaVinciResolve*")
    return sorted(found) if machine.platform == "darwin" else []


def contained_jobs(machine: Machine) -> Path:
    """The folder of jobs that the App Store's builds can reach."""
    return machine.home / "Movies" / "MapEdit Jobs"


def _folders(machine: Machine, all_users: bool) -> dict[Path, Path]:
    """Folders of scripts, each with the folder of jobs that its scripts use."""
    jobs = machine.jobs
    if machine.platform == "win32":
        usual = machine.home / "AppData" / "Roaming"
        own = machine.variable("APPDATA", usual) / _BLACKMAGIC / "Support"
        shared = machine.variable("PROGRAMDATA", machine.system("ProgramData")) / _BLACKMAGIC
        return {(shared if all_users else own) / "Fusion" / "Scripts": jobs}
    if machine.platform == "darwin":
        support = Path("Library") / "Application Support"
        below = machine.system("/") if all_users else machine.home
        found = {below / support / _BLACKMAGIC / "Fusion" / "Scripts": jobs}
        if not all_users:
            inside = Path("Data") / support / "Fusion" / "Scripts"
            found |= {home / inside: contained_jobs(machine) for home in containers(machine)}
        return found
    if all_users:
        installed = [machine.system(place) for place in ("/opt/resolve", "/home/resolve")]
        there = [place for place in installed if place.is_dir()] or installed[:1]
        return {place / "Fusion" / "Scripts": jobs for place in there}
    data = machine.home / ".local" / "share"
    return {data / "DaVinciResolve" / "Fusion" / "Scripts": jobs}


def _quoted(machine: Machine, jobs: Path) -> str:
    """The folder as a Lua text. On Windows Lua opens files by names of the old code page, so that
    only plain ASCII is certain to be found.

    Raises:
        UsageError: there is no such name.
    """
    text = str(jobs)
    if machine.platform == "win32" and not text.isascii():
        jobs.mkdir(parents=True, exist_ok=True)  # only what is there has a short name
        text = machine.short(jobs)
        if not text.isascii():
            raise UsageError(
                f"Resolve's scripts cannot open files in {jobs}",
                "Set MAPEDIT_JOBS to a folder with a plain name, such as D:\\mapedit-jobs.",
            )
    return literal(text.replace("\\", "/") if machine.platform == "win32" else text)


def _everyone(machine: Machine) -> str:
    """The same for whoever runs the script."""
    below = {
        "win32": '(os.getenv("LOCALAPPDATA"):gsub("\\\\", "/")) .. "/otio-mapedit/jobs"',
        "darwin": 'os.getenv("HOME") .. "/Library/Application Support/otio-mapedit/jobs"',
    }.get(machine.platform, 'os.getenv("HOME") .. "/.local/share/otio-mapedit/jobs"')
    return f'os.getenv("MAPEDIT_JOBS") or {below}'
