"""Whose computer it is: the platform and the folders that plugins go to.

Everything is derived from one value, so that tests install into made-up home folders of any
platform.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from ..jobs.folder import usual_folder

_PACKAGE = Path(__file__).resolve().parents[1]


def plugins_folder() -> Path:
    """The plugins' own files: in the installed package, or beside it in a source tree.

    Raises:
        UsageError: they are not there.
    """
    for folder in (_PACKAGE / "_plugins", _PACKAGE.parent / "plugins"):
        if (folder / "protocol.md").is_file():
            return folder
    raise UsageError("the plugins are not installed with otio-mapedit", "Reinstall it.")


def short_name(path: Path) -> str:
    """On Windows the old short name of a path (``C:\\Users\\JRGEN~1``), which is plain ASCII;
    elsewhere, and where there is none, the path itself."""
    if sys.platform == "win32":
        import ctypes

        buffer = ctypes.create_unicode_buffer(1024)
        if ctypes.windll.kernel32.GetShortPathNameW(str(path), buffer, len(buffer)):
            return buffer.value
    return str(path)


@dataclass(frozen=True)
class Machine:
    """A computer and its user. ``root`` is what absolute system folders lie below."""

    platform: str  # as sys.platform: linux, darwin, win32
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path("/")
    short: Callable[[Path], str] = short_name

    def variable(self, name: str, otherwise: Path) -> Path:
        """A folder that a variable names, else the usual one."""
        value = self.environment.get(name)
        return Path(value) if value else otherwise

    def system(self, path: str) -> Path:
        """An absolute folder of the system."""
        return self.root / path.lstrip("/")

    @property
    def jobs(self) -> Path:
        """The folder of jobs of this user."""
        chosen = self.environment.get("MAPEDIT_JOBS")
        local = self.environment.get("LOCALAPPDATA", "")
        return Path(chosen) if chosen else usual_folder(self.platform, self.home, local)


def this_machine() -> Machine:
    """The computer that this runs on."""
    return Machine(sys.platform, Path.home(), dict(os.environ))
