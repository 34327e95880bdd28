"""Where a result goes, decided and checked before any work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import layered, nearest
from ..errors import OptionError, OutputError
from ..files import ensure_writable
from ..interchange.registry import DRAFT, FORMATS, HOSTS, profile_of

#: What can be written, by suffix.
KINDS = tuple(FORMATS)

_OUTPUT_SECTION = "output"
#: The ending without ``-o``, for programs that read no .otio.
_DEFAULT = {"finalcut": ".fcpxml", "shotcut": ".mlt", "jianying": ""}


@dataclass(frozen=True)
class Target:
    """A file to write, or standard output where ``path`` is None."""

    path: Path | None
    kind: str  # one of KINDS
    program: str  # one of HOSTS
    force: bool
    version: str = ""  # of FCPXML; empty: what the program wants
    loss: Path | None = None  # where the loss report goes, if to a file


def target_for(
    written: str | None,
    program: str | None,
    force: bool,
    inputs: Sequence[Path],
    default: str,
    version: str | None = None,
    loss: Path | None = None,
) -> Target:
    """The target that the options name; ``default`` is the name without ``-o`` and ending.

    Raises:
        OptionError: a suffix or program that is not known, or the two do not go together.
        OutputExistsError, OutputError: see :func:`otio_mapedit.files.ensure_writable`; also an
            output that is one of the inputs.
    """
    name = default + _ending(program) if written is None else written
    if name == "-" or name.startswith("-."):
        path, kind = None, (name[1:] or ".otio").lower()
    else:
        path = Path(name)
        kind = path.suffix.lower()
    if kind not in KINDS and path is not None and _wanted(program) == "jianying":
        kind = DRAFT
    if kind not in KINDS:
        raise OptionError(
            f"cannot write {name}: its ending says nothing that mapedit writes",
            f"Let it end with {', '.join(KINDS[:-1])} or {KINDS[-1]}.",
        )
    if path is None and kind in (".otioz", ".aaf", DRAFT):
        raise OptionError(f"{kind} cannot go to standard output", "Name a file instead.")
    target = Target(path, kind, _program(program, kind), force, version or "", loss)
    profile_of(kind, target.program, target.version)
    for file in filter(None, (path, loss)):
        _refuse_input(file, inputs)
        if file is path and kind == DRAFT:
            from ..interchange.jianying_format import ensure_draft_writable

            ensure_draft_writable(file, force)
        else:
            ensure_writable(file, force)
    if path is not None and loss is not None and path.absolute() == loss.absolute():
        raise OptionError("--loss names the file to write itself", "Give the report another name.")
    return target


def _ending(program: str | None) -> str:
    """What the name ends with where none was given."""
    return _DEFAULT.get(_wanted(program), ".otio")


def _wanted(program: str | None) -> str:
    """The program that the option, the environment or the settings name."""
    return str(layered(_OUTPUT_SECTION, {"for": program}).get("for")).lower()


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
    # A program set once for all files says nothing about a format that is for none.
    return "plain" if kind == ".mapedit" else program


def _refuse_input(path: Path, inputs: Sequence[Path]) -> None:
    for source in inputs:
        try:
            same = path.samefile(source)
        except OSError:
            same = path.absolute() == source.absolute()
        if same:
            raise OutputError(f"{path} is one of the inputs", "Give another name.")
