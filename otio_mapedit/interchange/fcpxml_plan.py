"""A stack of tracks as it plays on the sequence's frames, ready to be written as FCPXML.

OTIO adds up exact durations; Final Cut wants every edge on a frame. Each *edge* is rounded once
(never a start and a duration apart, which runs past media at NTSC rates), and a clip lasts from
edge to edge. Gaps, clips and nested sequences become :class:`Piece`, transitions the
:class:`Join` between two of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import opentimelineio as otio

from ..otio_values import elements
from ..timing import (
    STANDARD_RATES,
    FrameRange,
    exact_rate,
    exact_time,
    frame_at,
    is_on_frame,
    timecode,
)
from .loss import LossReport

if TYPE_CHECKING:
    from .fcpxml_resources import Asset

#: Rates above are clocks of sound, not of pictures.
_FASTEST = 1000
_FALLBACK_RATE = Fraction(25)
_REAL_TIME = Fraction(1)


@dataclass(slots=True, eq=False)
class Join:
    """A transition over an edge, in sequence frames before and after it."""

    transition: Any
    before: int
    after: int
    hollow: bool = False  # no clip on either side

    def looks_like(self, other: Join | None) -> bool:
        """Whether both cover the same frames around their edge."""
        return other is not None and (self.before, self.after) == (other.before, other.after)


@dataclass(slots=True, eq=False)
class Piece:
    """An item on the record clock: frames from the sequence's first one."""

    item: Any
    record: FrameRange
    track: int  # place in the stack
    source_start: Fraction = Fraction(0)  # seconds on the media's clock: the lowest one used
    speed: Fraction = Fraction(1)
    head: Join | None = None
    tail: Join | None = None
    host: Piece | None = None  # the picture that this sound travels with
    sounds: list[Piece] = field(default_factory=list)  # what travels with this picture
    asset: Asset | None = None
    nested: Plan | None = None

    @property
    def is_gap(self) -> bool:
        """Whether there is nothing to see or hear."""
        return isinstance(self.item, otio.schema.Gap)

    @property
    def is_clip(self) -> bool:
        """Whether it refers to media, as opposed to a nested sequence or a gap."""
        return isinstance(self.item, otio.schema.Clip)


@dataclass(slots=True, eq=False)
class TrackPlan:
    """One track; its pieces follow each other without a hole."""

    index: int
    track: Any
    pieces: list[Piece] = field(default_factory=list)

    @property
    def is_video(self) -> bool:
        """Whether it shows pictures."""
        return bool(self.track.kind == otio.schema.TrackKind.Video)


@dataclass(slots=True, eq=False)
class Plan:
    """A whole sequence. ``start`` is its first frame's timecode, as a frame count."""

    rate: Fraction
    start: int
    drop_frame: bool
    tracks: list[TrackPlan]
    report: LossReport
    name: str = ""

    @property
    def duration(self) -> int:
        """Frames of the longest track."""
        return max((t.pieces[-1].record.end for t in self.tracks if t.pieces), default=0)

    def upper(self, piece: Piece) -> Fraction:
        """Seconds on the media's clock up to which a piece uses its media."""
        return piece.source_start + abs(piece.speed) * piece.record.duration / self.rate

    def at(self, frame: int) -> str:
        """Record timecode of a frame, for the loss report."""
        return timecode(max(0, self.start + frame), self.rate, self.drop_frame)

    def place(self, piece: Piece) -> dict[str, str]:
        """Where a piece is, as the loss report says it."""
        track = next(plan.track for plan in self.tracks if plan.index == piece.track)
        return {
            "track": track.name or "",
            "item": piece.item.name or "",
            "at": self.at(piece.record.start),
        }


def sequence_rate(stack: Any, start: Any, fallback: Fraction | None = None) -> Fraction:
    """The rate of a sequence: of its start timecode, else of most durations on its tracks."""
    if start is not None and 0 < start.rate <= _FASTEST:
        return exact_rate(start.rate)
    votes: Counter[Fraction] = Counter()
    for track in stack:
        weight = 1000 if getattr(track, "kind", "") == otio.schema.TrackKind.Video else 1
        for item in track if isinstance(track, otio.schema.Track) else ():
            if isinstance(item, otio.schema.Transition):
                continue
            span = (
                item.source_range or getattr(item.media_reference, "available_range", None)
                if isinstance(item, otio.schema.Clip)
                else item.source_range
            )
            if span is not None and 0 < span.duration.rate <= _FASTEST:
                votes[exact_rate(span.duration.rate)] += weight
    if votes:
        return max(votes, key=lambda rate: (votes[rate], rate in STANDARD_RATES, -rate))
    return fallback or _FALLBACK_RATE


def plan_stack(
    stack: Any, rate: Fraction, start: int, drop_frame: bool, report: LossReport
) -> Plan:
    """The tracks of ``stack`` on frames of ``rate``; items that are no tracks become one."""
    plan = Plan(rate, start, drop_frame, [], report)
    for index, child in enumerate(stack):
        track = child
        if not isinstance(child, otio.schema.Track):
            track = otio.schema.Track(name=child.name, kind=otio.schema.TrackKind.Video)
            track.append(child.deepcopy())
        window = _window(track, stack)
        plan.tracks.append(_plan_track(plan, index, track, window))
    return plan


def _window(track: Any, stack: Any) -> tuple[Fraction, Fraction] | None:
    """What a trimmed track or stack shows, in seconds of the track's content; None for all."""
    window: tuple[Fraction, Fraction] | None = None
    for trimmed in (track.source_range, stack.source_range):
        if trimmed is None:
            continue
        begin = exact_time(trimmed.start_time) + (window[0] if window else 0)
        end = begin + exact_time(trimmed.duration)
        window = (begin, min(end, window[1]) if window else end)
    return window


def _plan_track(
    plan: Plan, index: int, track: Any, window: tuple[Fraction, Fraction] | None
) -> TrackPlan:
    result = TrackPlan(index, track)
    clock = Fraction(0)
    waiting: Any = None
    for item in track:
        if isinstance(item, otio.schema.Transition):
            waiting = item
            continue
        begin, clock = clock, clock + _duration(item, plan)
        if window is None:
            cut = edges = (begin, clock)
        else:
            cut = (max(begin, window[0]), min(clock, window[1]))
            edges = (cut[0] - window[0], cut[1] - window[0])
        start, end = frame_at(edges[0], plan.rate), frame_at(edges[1], plan.rate)
        if start >= end:
            if begin < clock and window is None:
                plan.report.lost(
                    "clip", "shorter than half a frame", track.name, item.name, plan.at(start)
                )
            continue
        piece = Piece(item, FrameRange.between(start, end), index)
        _read_source(piece, cut[0] - begin, clock - cut[1])
        on_grid = all(is_on_frame(edge, plan.rate) for edge in edges)
        if not on_grid and not piece.is_gap:
            plan.report.changed(
                "cut", "an edge was moved to the nearest frame", **_where(plan, track, piece)
            )
        _join(plan, result, piece, waiting)
        waiting = None
        result.pieces.append(piece)
    _join(plan, result, None, waiting)
    return result


def _where(plan: Plan, track: Any, piece: Piece) -> dict[str, str]:
    at = plan.at(piece.record.start)
    return {"track": track.name or "", "item": piece.item.name or "", "at": at}


def _join(plan: Plan, track: TrackPlan, piece: Piece | None, transition: Any) -> None:
    """Put a transition between the last piece of a track and ``piece``."""
    if transition is None:
        return
    last = track.pieces[-1] if track.pieces else None
    sides = [exact_time(side) for side in (transition.in_offset, transition.out_offset)]
    before, after = (frame_at(side, plan.rate) for side in sides)
    edge = last.record.end if last else 0
    where = {"track": track.track.name or "", "item": transition.name or "", "at": plan.at(edge)}
    if (last is None and piece is None) or before + after <= 0:
        plan.report.lost("transition", "it joins nothing, or lasts no time", **where)
        return
    if not all(is_on_frame(side, plan.rate) for side in sides):
        plan.report.changed("transition", "an end of it was moved to the nearest frame", **where)
    hollow = all(side is None or side.is_gap for side in (last, piece))
    join = Join(transition, before, after, hollow)
    if last is not None:
        last.tail = join
    if piece is not None:
        piece.head = join


def item_range(item: Any) -> Any:
    """What an item shows of its media or content, None where nobody knows."""
    if item.source_range is not None:
        return item.source_range
    if isinstance(item, otio.schema.Clip):
        return getattr(item.media_reference, "available_range", None)
    return None


def _duration(item: Any, plan: Plan) -> Fraction:
    span = item_range(item)
    if span is not None:
        return exact_time(span.duration)
    if isinstance(item, otio.schema.Track):
        return sum(
            (
                _duration(child, plan)
                for child in item
                if not isinstance(child, otio.schema.Transition)
            ),
            Fraction(0),
        )
    if isinstance(item, otio.schema.Stack):
        return max((_duration(child, plan) for child in item), default=Fraction(0))
    return Fraction(0)


def speed_of(item: Any) -> Fraction:
    """Product of an item's linear time warps; 0 is a freeze frame."""
    speed = _REAL_TIME
    for effect in elements(item.effects):
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= Fraction(effect.time_scalar).limit_denominator(1_000_000)
    return speed


def _read_source(piece: Piece, head: Fraction, tail: Fraction) -> None:
    """Where a piece begins in its media, after ``head`` and ``tail`` seconds were trimmed."""
    span = item_range(piece.item)
    start = exact_time(span.start_time) if span is not None else Fraction(0)
    piece.speed = _REAL_TIME if piece.is_gap else speed_of(piece.item)
    before = tail if piece.speed < 0 else head
    piece.source_start = start + before * abs(piece.speed) if before else start
