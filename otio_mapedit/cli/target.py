"""Where a result goes, decided and checked before any work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import layered, nearest
from ..errors import OptionError, OutputError
from ..files import ensure_writable
from ..interchange.registry import FORMATS, HOSTS

#: What can be written, by suffix.
KINDS = tuple(FORMATS)

_OUTPUT_SECTION = "output"


@dataclass(frozen=True)
class Target:
    """A file to write, or standard output where ``path`` is None."""

    path: Path | None
    kind: str  # one of KINDS
    program: str  # one of HOSTS
    force: bool


def target_for(
    written: str | None, program: str | None, force: bool, inputs: Sequence[Path], default: str
) -> Target:
    """The target that the options name; ``default`` is the file name without ``-o``.

    Raises:
        OptionError: a suffix or program that is not known, or the two do not go together.
        OutputExistsError, OutputError: see :func:`otio_mapedit.files.ensure_writable`; also an
            output that is one of the inputs.
    """
    name = default if written is None else written
    if name == "-" or name.startswith("-."):
        path, kind = None, (name[1:] or ".otio").lower()
    else:
        path = Path(name)
        kind = path.suffix.lower()
    if kind not in KINDS:
        raise OptionError(
            f"cannot write {name}: its ending says nothing that mapedit writes",
            f"Let it end with {', '.join(KINDS[:-1])} or {KINDS[-1]}.",
        )
    if path is None and kind == ".otioz":
        raise OptionError("an .otioz file cannot go to standard output", "Name a file with -o.")
    target = Target(path, kind, _program(program, kind), force)
    if path is not None:
        _refuse_input(path, inputs)
        ensure_writable(path, force)
    return target


def _program(given: str | None, kind: str) -> str:
    if given is not None and kind == ".mapedit":
        raise OptionError(
            "--for does not go with .mapedit, which is for no program in particular",
            "Leave --for out, or write an .otio file.",
        )
    chosen = layered(_OUTPUT_SECTION, {"for": given})
    program = str(chosen.pop("for", "plain")).lower()
    if chosen:
        stray = next(iter(chosen))
        raise OptionError(f"there is no option {stray!r} in [output]", nearest(stray, ["for"]))
    if program not in HOSTS:
        raise OptionError(f"--for: {program!r} is not known", nearest(program, HOSTS))
    return program


def _refuse_input(path: Path, inputs: Sequence[Path]) -> None:
    for source in inputs:
        try:
            same = path.samefile(source)
        except OSError:
            same = path.absolute() == source.absolute()
        if same:
            raise OutputError(f"{path} is one of the inputs", "Give another name with -o.")
