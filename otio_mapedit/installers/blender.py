"""Blender: one add-on, copied into every version that this user has started."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..errors import UsageError
from .copies import Copy, Plan
from .machine import Machine, plugins_folder

NAME = "blender"
SUMMARY = "Blender 3.3 or later: an add-on for the video sequencer"

_FILE = "mapedit_vse.py"
_COMMAND = 'COMMAND = ["mapedit"]'


def plan(machine: Machine, all_users: bool = False) -> Plan:
    """The add-on in the folders of every version.

    Raises:
        UsageError: Blender has not been started yet, or ``all_users``.
    """
    if all_users:
        raise UsageError("Blender keeps add-ons for each user", "Leave --all-users out.")
    versions = sorted(path for path in _folder(machine).glob("[0-9]*.[0-9]*") if path.is_dir())
    if not versions:
        raise UsageError(
            f"there is no folder of a version of Blender in {_folder(machine)}",
            "Start Blender once, or install the add-on by hand: Edit > Preferences > Add-ons, "
            f"{plugins_folder() / 'blender' / _FILE}",
        )
    copies = tuple(Copy(path / "scripts" / "addons" / _FILE, addon()) for path in versions)
    return Plan(copies, notes=("In Blender: Edit > Preferences > Add-ons, switch MapEdit on.",))


def addon() -> bytes:
    """The add-on, which starts the mapedit of this Python."""
    text = (plugins_folder() / "blender" / _FILE).read_text(encoding="utf-8")
    words = [sys.executable, "-P", "-m", "otio_mapedit"]
    return text.replace(_COMMAND, f"COMMAND = {json.dumps(words)}").encode()


def _folder(machine: Machine) -> Path:
    """Where Blender keeps a folder for each of its versions."""
    if machine.platform == "win32":
        usual = machine.home / "AppData" / "Roaming"
        return machine.variable("APPDATA", usual) / "Blender Foundation" / "Blender"
    if machine.platform == "darwin":
        return machine.home / "Library" / "Application Support" / "Blender"
    return machine.variable("XDG_CONFIG_HOME", machine.home / ".config") / "blender"
