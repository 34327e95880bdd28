"""An edit into its file or to standard output, as the target wants it."""

from __future__ import annotations

from pathlib import Path

from .. import mapedit_file
from ..assemble import assemble
from ..disassemble import disassemble
from ..interchange.otio_file import text_of
from ..interchange.registry import convert, read_timeline, write_timeline
from ..operations import DecisionList
from . import output
from .target import Target


def write_edit(decisions: DecisionList, target: Target) -> list[str]:
    """Write a decision list; gives what could not be carried, in plain sentences."""
    if target.path is not None and target.kind != ".mapedit":
        return _placed(target, write_timeline(assemble(decisions), *_how(target)))
    if target.path is not None:
        mapedit_file.write(target.path, decisions, target.force)
        return _placed(target, [])
    if target.kind == ".mapedit":
        output.data(mapedit_file.dumps(decisions), end="")
    else:
        output.data(text_of(assemble(decisions), target.program), end="")
    return []


def convert_file(source: Path, target: Target) -> list[str]:
    """Turn ``source`` into the target; gives what could not be carried, in plain sentences.

    Raises:
        UsageError: a suffix that is not known. FormatError: the file cannot be understood.
    """
    if target.path is not None:
        return _placed(target, convert(source, *_how(target)))
    if source.suffix.lower() == mapedit_file.SUFFIX:
        return write_edit(mapedit_file.read(source), target)
    timeline = read_timeline(source)
    if target.kind == ".mapedit":
        return write_edit(disassemble(timeline), target)
    output.data(text_of(timeline, target.program), end="")
    return []


def _how(target: Target) -> tuple[Path, str, bool]:
    """Path, host and force, as the registry's functions take them."""
    assert target.path is not None
    return target.path, target.program, target.force


def _placed(target: Target, losses: list[str]) -> list[str]:
    assert target.path is not None
    output.wrote(target.path)
    return losses
