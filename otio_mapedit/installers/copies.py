"""Copies of plugins: planned, compared with what is there, put in place, removed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ..files import output_error

#: Folders of this name are ours alone.
_OWN = "otio-mapedit"


class Standing(StrEnum):
    """How a copy stands."""

    CURRENT = "current"
    OUTDATED = "outdated"  # another version of it, or for another folder of jobs
    MISSING = "missing"
    WRITTEN = "written"
    REMOVED = "removed"
    FAILED = "failed"


@dataclass(frozen=True)
class Copy:
    """A file to be put at ``path``."""

    path: Path
    content: bytes


@dataclass(frozen=True)
class Plan:
    """Everything that belongs to a plugin on a machine. ``stale`` are files of older versions,
    ``notes`` what a person must know or do."""

    copies: tuple[Copy, ...]
    stale: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How one file stands now; ``why`` says what went wrong."""

    path: Path
    standing: Standing
    why: str = ""


@dataclass
class Done:
    """How all of them stand."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing failed."""
        return all(each.standing is not Standing.FAILED for each in self.outcomes)


def status(plan: Plan) -> Done:
    """How every copy stands; changes nothing."""
    done = Done([Outcome(copy.path, _standing(copy)) for copy in plan.copies])
    done.outcomes += [
        Outcome(path, Standing.OUTDATED, "of an older version") for path in plan.stale
    ]
    return done


def install(plan: Plan) -> Done:
    """Put every copy in place and remove what older versions left. What cannot be written is
    reported, and the rest is done all the same: some folders belong to the administrator."""
    done = Done()
    for copy in plan.copies:
        if _standing(copy) is Standing.CURRENT:
            done.outcomes.append(Outcome(copy.path, Standing.CURRENT))
            continue
        try:
            _put(copy)
        except OSError as error:
            why = output_error(copy.path, error).message.partition(": ")[2]
            done.outcomes.append(Outcome(copy.path, Standing.FAILED, why))
        else:
            done.outcomes.append(Outcome(copy.path, Standing.WRITTEN))
    done.outcomes += _removed(plan.stale)
    return done


def uninstall(plan: Plan) -> Done:
    """Remove every copy, of this version or older, and folders of ours that are empty then."""
    there = [copy.path for copy in plan.copies if os.path.lexists(copy.path)]
    done = Done(_removed([*there, *plan.stale]))
    for path in there:
        _remove_empty(path.parent)
    return done


def _remove_empty(folder: Path) -> None:
    """Remove a folder of ours that is empty, and those above it that are then."""
    while any(part.endswith(".workflow") or part == _OWN for part in folder.parts):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _standing(copy: Copy) -> Standing:
    try:
        if copy.path.is_symlink():
            return Standing.OUTDATED
        same = copy.path.read_bytes() == copy.content
    except FileNotFoundError:
        return Standing.MISSING
    except OSError:
        return Standing.OUTDATED
    return Standing.CURRENT if same else Standing.OUTDATED


def _put(copy: Copy) -> None:
    """Whole or not at all; a link that stands there is replaced, not followed."""
    copy.path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".mapedit-", dir=copy.path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(copy.content)
        executable = copy.content.startswith(b"#!")
        Path(name).chmod(0o755 if executable else 0o644)
        Path(name).replace(copy.path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _removed(paths: Sequence[Path]) -> list[Outcome]:
    done = []
    for path in paths:
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            why = output_error(path, error).message.partition(": ")[2]
            done.append(Outcome(path, Standing.FAILED, why))
            continue
        done.append(Outcome(path, Standing.REMOVED))
    return done


def with_mark(paths: Iterable[Path], mark: bytes) -> tuple[Path, ...]:
    """Those of some files that hold ``mark`` near their beginning: ours, whoever named them."""
    found = []
    for path in sorted(set(paths)):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if mark in file.read(4096):
                found.append(path)
    return tuple(found)
