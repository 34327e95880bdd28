"""An edit into its file or to standard output, as the target wants it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from .. import mapedit_file
from ..assemble import assemble
from ..disassemble import disassemble
from ..errors import UsageError
from ..interchange.loss import LossReport
from ..interchange.media_root import MediaRoot
from ..interchange.otio_file import text_of
from ..interchange.otio_losses import unread
from ..interchange.registry import Written, convert, read_relocated, render, write_timeline
from ..operations import DecisionList
from . import output
from .target import Target


def write_edit(decisions: DecisionList, target: Target) -> Written:
    """Write a decision list; gives the files and what could not be carried."""
    if target.path is None:
        return Written((), _print(assemble(decisions), decisions, target))
    if target.kind != ".mapedit":
        timeline = assemble(decisions)
        return _placed(
            write_timeline(timeline, target.path, target.program, target.force, target.version)
        )
    mapedit_file.write(target.path, decisions, target.force)
    return _placed(Written((target.path,), ()))


def convert_file(
    source: Path, target: Target, rate: Fraction | None, media_roots: Sequence[MediaRoot]
) -> Written:
    """Turn ``source`` into the target; gives the files and what was lost on the way.

    Raises:
        UsageError: a suffix that is not known. FormatError: the file cannot be understood.
    """
    if target.path is not None:
        how = (target.program, target.force, target.version)
        return _placed(convert(source, target.path, *how, rate, media_roots))
    timeline, reports = read_relocated(source, rate, media_roots)
    decisions = disassemble(timeline) if target.kind == ".mapedit" else None
    return Written((), reports + _print(timeline, decisions, target))


def _print(
    timeline: otio.schema.Timeline, decisions: DecisionList | None, target: Target
) -> tuple[LossReport, ...]:
    """Write to standard output."""
    if target.kind == ".mapedit" and decisions is not None:
        output.data(mapedit_file.dumps(decisions), end="")
        return ()
    if target.kind == ".otio":
        output.data(text_of(timeline, target.program), end="")
        return () if target.program == "plain" else (unread(timeline, target.program),)
    texts, report = render(timeline, target.kind, target.program, target.version)
    if len(texts) > 1:
        raise UsageError(
            f"{len(texts)} EDLs, one per picture track, cannot go to standard output together",
            "Name a file instead.",
        )
    output.data(texts[""], end="")
    return (report,)


def _placed(written: Written) -> Written:
    output.wrote(written.paths[0])
    return written
