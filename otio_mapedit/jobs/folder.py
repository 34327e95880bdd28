"""The folder of jobs: whose it is, what its files are called, and reading and writing them safely.

A folder that anyone else can write to would let them have this user's files read and this user's
editing program import what they please. So the folder must belong to the user and to nobody else,
no name in it is followed to elsewhere, and no file is read beyond its limit.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import FormatError, OutputError, UsageError
from ..files import output_error
from . import windows

#: What a job may be called.
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Every file of a job: its id, and what it is.
NAME = re.compile(
    r"([A-Za-z0-9_-]{1,64})\.(request\.otio|request\.json|cancel|cancel\.otio|started"
    r"|progress\.json|progress\.lua|answer\.json|answer\.lua|result\.[a-z0-9]{1,10})"
)
#: Largest files that are read, in bytes.
LARGEST_REQUEST = 256 * 1024
LARGEST_TIMELINE = 64 * 1024 * 1024

LOCK = "watcher.lock"
#: Where requests go that ended the process that worked on them.
SET_ASIDE = "set-aside"
_TEMPORARY = ".tmp-"
_WINDOWS = sys.platform == "win32"


def default_folder() -> Path:
    """``MAPEDIT_JOBS``, else the folder of jobs in the user's own data folder of the platform."""
    if chosen := os.environ.get("MAPEDIT_JOBS"):
        return Path(chosen).absolute()
    return usual_folder(sys.platform, Path.home(), os.environ.get("LOCALAPPDATA", ""))


def usual_folder(platform: str, home: Path, local: str = "") -> Path:
    """Where jobs lie on a platform (as ``sys.platform`` names it), by the user's home folder."""
    if platform == "win32":
        return (Path(local) if local else home / "AppData" / "Local") / "otio-mapedit" / "jobs"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "otio-mapedit" / "jobs"
    return home / ".local" / "share" / "otio-mapedit" / "jobs"


@dataclass(frozen=True)
class Entry:
    """A file of a job, as the folder lists it. Times are seconds since 1970."""

    id: str
    what: str  # such as "request.otio"
    changed: float


@dataclass(frozen=True)
class JobFolder:
    """A folder of jobs that was found to be safe; see :func:`open_folder`."""

    path: Path

    def file(self, job: str, what: str) -> Path:
        """The path of a job's file, such as ``file(id, "answer.json")``."""
        if not ID.fullmatch(job):
            raise UsageError(
                f"{job!r} cannot be the id of a job", "Use 1 to 64 of: A-Z a-z 0-9 _ -"
            )
        return self.path / f"{job}.{what}"

    def entries(self) -> Iterator[Entry]:
        """Every file of a job; other names are passed over."""
        with os.scandir(self.path) as found:
            for item in found:
                if named := NAME.fullmatch(item.name):
                    with contextlib.suppress(OSError):  # gone meanwhile
                        changed = item.stat(follow_symlinks=False).st_mtime
                        yield Entry(named[1], named[2], changed)

    def read(self, job: str, what: str, largest: int) -> bytes | None:
        """A file of a job, None where there is none.

        Raises:
            FormatError: not a regular file of this user, or larger than ``largest``.
        """
        path = self.file(job, what)
        with _opened(path) as file:
            if file is None:
                return None
            found = os.fstat(file.fileno())
            if found.st_size > largest:
                raise FormatError(
                    f"{path.name} is too large ({found.st_size // 2**20} MB)",
                    f"A request holds up to {largest // 2**20 or 1} MB: export one timeline.",
                )
            return file.read(largest)

    def write(self, name: str, text: str) -> None:
        """Put a file into place whole. Not flushed to disk: what is lost is worked out again.

        Raises:
            OutputError: it cannot be written.
        """
        target = self.path / name
        try:
            handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.path)
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                Path(temporary).replace(target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise output_error(target, error) from error

    def remove(self, job: str, *whats: str) -> None:
        """Remove files of a job, those that are there."""
        for what in whats:
            with contextlib.suppress(OSError):
                self.file(job, what).unlink(missing_ok=True)

    def set_aside(self, job: str) -> None:
        """Move a job's request to where nobody looks for work."""
        place = self.path / SET_ASIDE
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o700, exist_ok=True)
        for what in ("request.otio", "request.json"):
            path = self.file(job, what)
            with contextlib.suppress(OSError):
                path.replace(place / path.name)

    def clean(self, before: float) -> int:
        """Remove jobs none of whose files changed since ``before``; gives how many."""
        newest: dict[str, float] = {}
        files: dict[str, list[str]] = {}
        for entry in self.entries():
            newest[entry.id] = max(entry.changed, newest.get(entry.id, entry.changed))
            files.setdefault(entry.id, []).append(entry.what)
        stale = [job for job, changed in newest.items() if changed < before]
        for job in stale:
            self.remove(job, *files[job])
        for folder, pattern in ((self.path, f"{_TEMPORARY}*"), (self.path / SET_ASIDE, "*")):
            for path in folder.glob(pattern):
                with contextlib.suppress(OSError):
                    if path.lstat().st_mtime < before:
                        path.unlink()
        return len(stale)


def open_folder(path: Path) -> JobFolder:
    """The folder of jobs at ``path``, made where it is missing and closed to everyone else.

    Raises:
        UsageError: it is a link, belongs to someone else, or lies where others may exchange it.
        OutputError: it cannot be made.
    """
    path = path.absolute()
    try:
        if not path.exists() and not path.is_symlink():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise UsageError(f"{path} is a link", "Name the folder itself with --jobs.")
        if not stat.S_ISDIR(found.st_mode):
            raise UsageError(f"{path} is not a folder", "Name another one with --jobs.")
        if _WINDOWS:
            _check_windows_owner(path)
            _close_to_others(path)
        else:
            _check_owner(path, found)
            if stat.S_IMODE(found.st_mode) != 0o700:
                path.chmod(0o700)
    except OSError as error:
        raise OutputError(
            output_error(path, error).message, "Name another folder with --jobs."
        ) from error
    return JobFolder(path)


def _check_owner(path: Path, found: os.stat_result) -> None:
    """The folder is ours, and nobody else may put another one in its place."""
    mine = os.getuid()
    if found.st_uid != mine:
        raise UsageError(
            f"{path} belongs to another user (number {found.st_uid})",
            "Name a folder of your own with --jobs.",
        )
    for folder in path.resolve().parents:
        above = folder.stat()
        open_to_all = above.st_mode & 0o002 and not above.st_mode & stat.S_ISVTX
        if open_to_all or above.st_uid not in (mine, 0):
            raise UsageError(
                f"{path} lies in {folder}, where other users may replace it",
                "Name a folder in your home folder with --jobs.",
            )


def _check_windows_owner(path: Path) -> None:
    """The folder is ours: whoever owns one may let in whom they like, whatever it says now."""
    try:
        owner, user = windows.owner_of(path), windows.this_user()
    except OSError as error:
        raise UsageError(
            f"whose {path} is cannot be told: {error.strerror}",
            "Name a folder on the system's disk with --jobs.",
        ) from error
    if not windows.may_own(owner, user):
        raise UsageError(
            f"{path} belongs to another user ({owner})", "Name a folder of your own with --jobs."
        )


def _close_to_others(path: Path) -> None:
    """Windows: nobody but this user may enter. Elsewhere the mode says so."""
    user = os.environ.get("USERNAME", "")
    if _WINDOWS and user:
        words = ["icacls", str(path), "/inheritance:r", "/grant:r", f"{user}:(OI)(CI)F"]
        with contextlib.suppress(OSError):
            subprocess.run(words, capture_output=True, check=False)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | None]:
    """A file opened without following a link and without waiting; None where there is none."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    remedy = "Write it as an ordinary file."
    try:
        if path.is_symlink():
            raise FormatError(f"{path.name} is a link", remedy)
        handle = os.open(path, flags)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise FormatError(f"{path.name} cannot be read: {error.strerror}", remedy) from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise FormatError(f"{path.name} is not a regular file", remedy)
        if not _WINDOWS and found.st_uid != os.getuid():
            raise FormatError(f"{path.name} belongs to another user", remedy)
        yield file


class Lock:
    """One watcher per folder. Held by the system, so that a watcher that dies gives it back."""

    def __init__(self, folder: JobFolder) -> None:
        """Take the lock.

        Raises:
            UsageError: another process has it.
        """
        path = folder.path / LOCK
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._handle = os.open(path, flags, 0o600)
            _lock(self._handle)
        except OSError as error:
            if hasattr(self, "_handle"):
                os.close(self._handle)
            raise UsageError(
                f"{folder.path} is being watched already",
                "Nothing more to do; or name another folder with --jobs.",
            ) from error

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._handle)


def _lock(handle: int) -> None:
    """Lock an open file until it is closed.

    Raises:
        OSError: it is locked already.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
