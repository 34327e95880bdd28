"""Files come into place whole or not at all.

A result is written beside its destination under a temporary name, flushed to disk and renamed.
Whatever goes wrong before the rename (a full disk, Ctrl-C, a failed check) leaves the
destination as it was and no partial file behind.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .errors import OutputError, OutputExistsError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space or write elsewhere."),
    errno.EDQUOT: ("the quota is used up", "Free some space or write elsewhere."),
    errno.EROFS: ("the disk is read-only", "Write elsewhere."),
    errno.EACCES: ("no permission to write there", "Write elsewhere."),
    errno.EPERM: ("no permission to write there", "Write elsewhere."),
    errno.ENOENT: ("the folder does not exist", "Create it, or write elsewhere."),
    errno.ENOTDIR: ("the folder does not exist", "Write elsewhere."),
    errno.ENAMETOOLONG: ("the name is too long", "Give a shorter one."),
    errno.ELOOP: ("the path is a loop of links", "Write elsewhere."),
}


def output_error(path: Path, error: OSError) -> OutputError:
    """What the system said about writing ``path``, in words."""
    message, remedy = _REASONS.get(
        error.errno or 0, (error.strerror or str(error), "Write elsewhere.")
    )
    return OutputError(f"cannot write {path}: {message}", remedy)


def ensure_writable(path: Path, force: bool) -> None:
    """Refuse early, before hours of work, what :func:`replacing` would refuse late.

    Raises:
        OutputExistsError: ``path`` exists and ``force`` is False.
        OutputError: its folder is missing or cannot be written, or ``path`` is a folder.
    """
    try:
        found = _stat(path)
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise OutputError(f"{path} is a folder", "Give the name of a file.")
        if found is not None and not stat.S_ISREG(found.st_mode):
            # A device or pipe would be replaced by the rename, not written to.
            raise OutputError(f"{path} is not a regular file", "Give the name of a file.")
        if (found is not None or path.is_symlink()) and not force:
            raise OutputExistsError(path)
        folder = _through_links(path).parent
        if not folder.is_dir():
            raise OSError(errno.ENOENT, "no folder")
        if not os.access(folder, os.W_OK):
            raise OSError(errno.EACCES, "no permission")
    except OSError as error:
        raise output_error(path, error) from error


@contextlib.contextmanager
def replacing(path: Path, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; rename it into place at the end.

    The temporary name keeps the suffix, for writers that choose the format by it. Without
    ``force`` the rename itself refuses to replace a file that appeared meanwhile.

    Raises:
        OutputExistsError, OutputError: see :func:`ensure_writable`; also a full disk.
    """
    ensure_writable(path, force)
    try:
        path = _through_links(path)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise output_error(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(_mode(path))
        if force:
            temporary.replace(path)
        else:
            _rename_new(temporary, path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_all(paths: Sequence[Path], force: bool = False) -> Iterator[list[Path]]:
    """As :func:`replacing`, for files that belong together: all come into place, or none.

    For small files: what stood there before is kept in memory, to be put back if a later one
    fails.

    Raises:
        OutputExistsError, OutputError: see :func:`replacing`.
    """
    for path in paths:
        ensure_writable(path, force)
    before = [path.read_bytes() if len(paths) > 1 and path.exists() else None for path in paths]
    written: list[bytes] = []
    try:
        with contextlib.ExitStack() as stack:
            temporaries = [stack.enter_context(replacing(path, force)) for path in paths]
            yield temporaries
            if len(paths) > 1:
                written += [temporary.read_bytes() for temporary in temporaries]
    except BaseException:
        for path, old, new in zip(paths, before, written, strict=False):
            with contextlib.suppress(OSError):
                if old != new and path.read_bytes() == new:
                    path.unlink() if old is None else path.write_bytes(old)
        raise


def write_text(path: Path, text: str, force: bool = False) -> None:
    """Write ``text`` as UTF-8 with ``\\n`` line ends, whole or not at all.

    Raises:
        OutputExistsError, OutputError: see :func:`replacing`.
    """
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        # Names on disk may hold bytes that are no text; Python carries them as lone surrogates.
        raise OutputError(
            f"cannot write {path}: it would hold a name that is not text "
            f"({text[error.start : error.end]!a})",
            "Rename the media file, then run again.",
        ) from error
    with replacing(path, force) as temporary:
        temporary.write_bytes(content)


def _stat(path: Path) -> os.stat_result | None:
    """What is there, links followed; None if nothing is.

    Raises:
        OSError: it cannot be told, or the path is a loop of links.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _through_links(path: Path) -> Path:
    """The file that a link means, so that the link survives; ``path`` itself if it is none."""
    if not path.is_symlink():
        return path
    try:
        return path.resolve()
    except RuntimeError as error:  # how Python before 3.13 reports a loop
        raise OSError(errno.ELOOP, "loop of links") from error


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mode(path: Path) -> int:
    """Permissions of the file that is replaced, else what the user's umask gives a new one."""
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _rename_new(temporary: Path, path: Path) -> None:
    """Rename without ever replacing: a hard link fails where the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise OutputExistsError(path) from None
    except OSError:
        # File systems without hard links (exFAT, some network shares).
        if path.exists():
            raise OutputExistsError(path) from None
        temporary.rename(path)
