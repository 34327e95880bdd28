"""Whether a file that was just written says the same edit as the timeline that it came from.

What is compared is what makes a cut: the clips of every track, where each begins and ends on the
record and in its media, and the transitions around it. Where the loss report names something of
a track, that track may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from typing import Any

import opentimelineio as otio

from ..errors import FormatError
from ..timing import exact_time
from .fcpxml_plan import Join, Piece, Plan, TrackPlan, plan_stack, sequence_rate
from .loss import LossReport, Severity

#: Exact times go through decimals in some formats; a tenth of a millisecond is no frame.
_SAME = Fraction(1, 10_000)


def verify_edit(
    intended: otio.schema.Timeline, found: otio.schema.Timeline, report: LossReport, suffix: str
) -> None:
    """Compare what was to be written with what is read back.

    Raises:
        FormatError: they differ, and the report does not say why.
    """
    named = {loss.track for loss in report.losses if loss.severity is not Severity.NOTE}
    for track, where in differences(intended, found):
        if track not in named and "" not in named:
            raise FormatError(
                f"{suffix} cannot carry this timeline without change: {where}",
                "Write .otio, and report the timeline.",
            )


def differences(
    intended: otio.schema.Timeline, found: otio.schema.Timeline
) -> Iterator[tuple[str, str]]:
    """Tracks that differ, each with the first place where."""
    rate = sequence_rate(intended.tracks, intended.global_start_time)
    plans = [
        plan_stack(timeline.tracks, rate, 0, False, LossReport("", "read"))
        for timeline in (intended, found)
    ]
    for pictures in (True, False):
        ours, theirs = (_tracks(plan, pictures) for plan in plans)
        for one, other in zip_longest(ours, theirs):
            name = (one or other).track.name or ""
            pairs = zip_longest(_facts(one), _facts(other))
            for number, (mine, its) in enumerate(pairs, 1):
                if mine is None or its is None or not _equal(mine, its):
                    yield name, f"clip {number} of track {name!r} differs"
                    break


def _tracks(plan: Plan, pictures: bool) -> list[TrackPlan]:
    """The tracks of one kind that hold anything."""
    return [
        track
        for track in plan.tracks
        if track.is_video is pictures and any(not piece.is_gap for piece in track.pieces)
    ]


def _facts(track: TrackPlan | None) -> list[tuple[Any, ...]]:
    """What counts of each clip: kind and frames first, then the time in its media."""
    return [
        (piece.is_clip, piece.record, _join(piece.head), _join(piece.tail), _source(piece))
        for piece in (track.pieces if track else ())
        if not piece.is_gap
    ]


def _join(join: Join | None) -> tuple[int, int] | None:
    return None if join is None or join.hollow else (join.before, join.after)


def _source(piece: Piece) -> Fraction:
    """Seconds into the media, or from 0 where nothing says where the media begins."""
    span = piece.item.source_range
    return exact_time(span.start_time) if span is not None else piece.source_start


def _equal(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one[:-1] == other[:-1] and abs(one[-1] - other[-1]) < _SAME
