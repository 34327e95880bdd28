"""Where every clip of a track lies on MLT's clock, and what mixes it with its neighbours.

MLT cannot reach before a media's first frame, nor can two mixes share a frame of one clip: what
asks for that is shortened and said to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import opentimelineio as otio

from ..timing import exact_time, frame_at, frame_within
from .fcpxml_plan import Join, Piece, Plan, TrackPlan
from .loss import LossReport
from .mlt_words import DIP
from .timeline_facts import media_rate


@dataclass(slots=True, eq=False)
class Mix:
    """A transition as it is written: frames before and after its cut. ``kind``: ``mix`` of two
    clips, ``fade`` from or to nothing, ``dip`` through black."""

    join: Join
    kind: str
    before: int
    after: int


@dataclass(slots=True, eq=False)
class Cut:
    """A clip on its media's clock: ``first`` is the position that its record start shows,
    ``length`` how long the media is after its speed. ``head`` and ``tail`` are its transitions."""

    piece: Piece
    first: int = 0
    length: int = 0
    head: Mix | None = None
    tail: Mix | None = None

    @property
    def lead(self) -> int:
        """Frames of it that play before its record start."""
        return self.head.before if self.head is not None and self.head.kind != "dip" else 0

    @property
    def trail(self) -> int:
        """Frames of it that play after its record end."""
        return self.tail.after if self.tail is not None and self.tail.kind != "dip" else 0


def cuts_of(plan: Plan, track: TrackPlan) -> list[Cut]:
    """The pieces of a track, gaps included, on MLT's clock."""
    cuts = [_cut(plan, piece) for piece in track.pieces]
    for index in range(len(cuts) + 1):
        left = cuts[index - 1] if index else None
        right = cuts[index] if index < len(cuts) else None
        _mix(plan, left, right)
    return cuts


def media_span(piece: Piece) -> tuple[Fraction, Fraction]:
    """First second of a piece's media, and how long it is; 0 where nobody knows."""
    if not piece.is_clip:
        if piece.nested is None:
            return Fraction(0), Fraction(0)
        return Fraction(0), Fraction(piece.nested.duration) / piece.nested.rate
    available = getattr(piece.item.media_reference, "available_range", None)
    if available is None:
        return Fraction(0), Fraction(0)
    return exact_time(available.start_time), exact_time(available.duration)


def _cut(plan: Plan, piece: Piece) -> Cut:
    cut = Cut(piece)
    if piece.is_gap:
        return cut
    begin, whole = media_span(piece)
    offset = piece.source_start - begin
    pace = abs(piece.speed) or Fraction(1)
    first = frame_at(offset / pace, plan.rate)
    duration = piece.record.duration
    length = frame_within(whole / pace, plan.rate)
    if first < 0:
        plan.report.changed("cut", "it begins before its media does", **plan.place(piece))
        first = 0
    _say_rounded(plan, piece, offset, first * pace / plan.rate)
    cut.length = max(length, first + duration)
    cut.first = cut.length - first - duration if piece.speed < 0 else first
    return cut


def _say_rounded(plan: Plan, piece: Piece, offset: Fraction, shown: Fraction) -> None:
    """Say where the first picture is another one: MLT shows the nearest to a whole position."""
    if offset == shown or not piece.is_clip or offset < 0:
        return
    rate = media_rate(piece.item)
    wanted, found = frame_within(offset, rate), frame_at(shown, rate)
    feature = "mixed rates" if piece.speed == 1 else "speed"
    if wanted == found:
        plan.report.note(feature, "it begins between two frames of the media", **plan.place(piece))
    else:
        plan.report.changed(
            feature, f"it begins with media frame {found}, not {wanted}", **plan.place(piece)
        )


def _mix(plan: Plan, left: Cut | None, right: Cut | None) -> None:
    """Decide how the transition between two neighbours is written."""
    join = left.piece.tail if left is not None else None
    join = join or (right.piece.head if right is not None else None)
    if join is None:
        return
    solid_left = left is not None and not left.piece.is_gap
    solid_right = right is not None and not right.piece.is_gap
    beside = right if solid_right else left
    assert beside is not None
    where = plan.place(beside.piece)
    if join.hollow:
        plan.report.lost("transition", "it joins nothing", **where)
        return
    kind = "mix" if solid_left and solid_right else "fade"
    if kind == "mix" and is_dip(join):
        kind = "dip"
    mix = Mix(join, kind, max(0, join.before), max(0, join.after))
    if left is not None:
        mix.before = min(mix.before, _free(left))
    elif mix.before:
        mix.before = 0
    mix.after = min(mix.after, right.piece.record.duration if right is not None else 0)
    if right is not None and solid_right and kind != "dip" and right.piece.speed:
        mix.before = min(mix.before, right.first)
    if (mix.before, mix.after) != (join.before, join.after):
        if mix.before + mix.after <= 0:
            plan.report.lost("transition", "there is no room for it", **where)
            return
        plan.report.changed("transition", "shortened: there is no room for all of it", **where)
    if left is not None:
        left.tail = mix
    if right is not None:
        right.head = mix


def _free(cut: Cut) -> int:
    """Frames of a piece that no transition at its head covers."""
    used = cut.head.after if cut.head is not None else 0
    return cut.piece.record.duration - used


def is_dip(join: Join) -> bool:
    """Whether a transition goes through black."""
    custom = join.transition.transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve
    return custom and DIP.lower() in str(join.transition.name or "").lower()


def say_lost_media(plan: Plan, cut: Cut, report: LossReport) -> None:
    """Say where a transition shows pictures that the media does not have."""
    _, whole = media_span(cut.piece)
    pace = abs(cut.piece.speed)
    if not whole or not pace or not cut.trail or not cut.piece.is_clip:
        return
    if cut.first + cut.piece.record.duration + cut.trail > frame_within(whole / pace, plan.rate):
        report.changed(
            "transition", "its media ends before it: the last picture is held",
            **plan.place(cut.piece),
        )  # fmt: skip


__all__ = ["Cut", "Mix", "cuts_of", "is_dip", "media_span", "say_lost_media"]
