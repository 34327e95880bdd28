"""``compare``: what a human made of an edit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import opentimelineio as otio
import typer

from ..errors import UsageError
from ..interchange.loss import LossReport
from ..timing import frame_at, parse_rate
from . import output
from .common import (
    GROUPS,
    ForceOption,
    JsonOption,
    MediaRootOption,
    QuietOption,
    RateOption,
    Verb,
    VerboseOption,
    loudness,
    new_app,
    plural,
)

if TYPE_CHECKING:
    from ..learning.compare import Comparison, Passage

app = new_app()

#: Rows of the table on the screen.
MOST_ROWS = 40


@app.command(cls=Verb)
def compare(
    proposed: Annotated[Path, typer.Argument(metavar="PROPOSED", help="The edit as it was.")],
    human: Annotated[Path, typer.Argument(metavar="HUMAN", help="What a human made of it.")],
    marked: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", rich_help_panel=GROUPS[1],
            help="Also write the human's timeline with a coloured marker for every change.",
        ),
    ] = None,
    partial: Annotated[
        bool | None,
        typer.Option(
            "--partial/--whole",
            help="HUMAN is a part of the reel: what lies around it was not removed; or all of it. "
            "If not given, its timecode tells where that is certain.",
            show_default=False,
        ),
    ] = None,
    rate: RateOption = None,
    media_root: MediaRootOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Leave with exit code 3 if anything differs.")
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:  # fmt: skip
    """Say what a human changed in an edit: two timelines of any kinds.

    \b
      mapedit compare talk.mapedit talk-final.fcpxml
      mapedit compare cut.otio reel.edl --rate 25 --json
      mapedit compare cut.otio final.xml -o changes.otio

    Passages are matched by what they show of which media, so names, tracks, nesting, the
    sequence's rate and the place on the record do not matter. Media is matched by fingerprint,
    path, name, or reel and timecode.
    """
    from ..files import ensure_writable
    from ..interchange.registry import write_timeline
    from ..learning.compare import compare as compared
    from ..learning.marked import marked as with_markers
    from . import losses

    output.listen(loudness(quiet, verbose))
    if marked is not None:
        ensure_writable(marked, force)
    timelines, reports = _read((proposed, human), rate, media_root or ())
    found = compared(timelines[0], timelines[1], partial)
    if marked is not None:
        write_timeline(with_markers(timelines[1], found), marked, "plain", force)
    if as_json:
        read = [report.to_json() for report in reports]
        output.data_json({**facts(found, marked), "losses": read})
    elif not quiet:
        losses.show_reading(reports, verbose)
        _show(found, verbose)
        if marked is not None:
            output.data(f"wrote {marked}")
    if strict and not found.same:
        raise typer.Exit(3)


def _read(
    paths: Sequence[Path], rate: str | None, media_roots: Sequence[str]
) -> tuple[list[otio.schema.Timeline], list[LossReport]]:
    """The timelines, with their media where it lies now, and what reading lost."""
    from ..interchange.media_root import parse_media_root, relocate
    from ..interchange.registry import read_reported

    timelines, reports = [], list[LossReport]()
    unused = roots = [parse_media_root(text) for text in media_roots]
    for path in paths:
        known = parse_rate(rate) if rate and path.suffix.lower() == ".edl" else None
        timeline, read = read_reported(path, known)
        here = relocate(timeline, roots)
        unused = [root for root in unused if root in here]
        timelines.append(timeline)
        reports += read
    for root in unused:
        raise UsageError(
            f"--media-root: no media lies below {root.old}", f"Type: mapedit check {paths[0]}"
        )
    return timelines, reports


def facts(found: Comparison, marked: Path | None) -> dict[str, Any]:
    """A comparison as plain JSON; ranges in frames of the media, places in frames of the record."""
    from ..learning.compare import Change

    agreement = found.agreement
    return {
        "same": found.same,
        "partial": found.partial,
        "counts": {change.value: found.count(change) for change in Change},
        "agreement": {
            "f1": agreement.f1,
            "precision": agreement.precision,
            "recall": agreement.recall,
            "proposed_seconds": float(agreement.kept[0]),
            "human_seconds": float(agreement.kept[1]),
            "shared_seconds": float(agreement.kept[2]),
            "mean_boundary_error_frames": agreement.mean_error,
            "boundaries": len(agreement.boundary),
        },
        "passages": [_passage(passage, found) for passage in found.passages],
        "output": str(marked) if marked else None,
    }


def _passage(passage: Passage, found: Comparison) -> dict[str, Any]:
    start, end = (frame_at(at, passage.rate) for at in (passage.source.start, passage.source.end))
    places = {
        name: None if span is None else [frame_at(span.start, rate), frame_at(span.end, rate)]
        for name, span, rate in (
            ("proposed", passage.proposed, found.proposed.rate),
            ("human", passage.human, found.human.rate),
        )
    }
    return {
        "changes": [change.value for change in passage.changes],
        "id": passage.id,
        "name": passage.name,
        "media": passage.media,
        "known_media": passage.known,
        "picture": passage.picture,
        "track": passage.track,
        "rate": str(passage.rate),
        "source": [start, end],
        **places,
        "head": passage.head,
        "tail": passage.tail,
        "inside": passage.inside,
        "pieces": passage.pieces,
        "speed": [float(speed) for speed in passage.speed],
        "transitions": list(passage.transitions),
    }


def _show(found: Comparison, verbose: int) -> None:
    from ..learning.compare import Change
    from ..learning.marked import described, source_text

    counted = [f"{found.count(change)} {change.value}" for change in Change if found.count(change)]
    output.data(" · ".join(counted) or "both edits are empty")
    agreement = found.agreement
    error = f", ends {agreement.mean_error:.1f} frames apart" if agreement.boundary else ""
    output.data(
        f"agreement {agreement.f1:.3f} (of what was proposed {agreement.precision:.0%} was kept, "
        f"of what was kept {agreement.recall:.0%} was proposed){error}"
    )
    if found.found_out:
        output.data(
            "by its timecode HUMAN is a part of the reel: what lies around it was not removed "
            "(--whole if it was)"
        )
    rows = [passage for passage in found.passages if verbose or not passage.is_accepted]
    if not rows:
        return
    table = output.table(("passage", "of", "on", "what happened"))
    for passage in rows if verbose else rows[:MOST_ROWS]:
        cells = (passage.name, source_text(passage), passage.track, described(passage))
        table.add_row(*(output.plain_text(cell) for cell in cells))
    output.show_table(table)
    if not verbose and len(rows) > MOST_ROWS:
        output.data(f"and {plural(len(rows) - MOST_ROWS, 'more change')}; -v shows them all")
