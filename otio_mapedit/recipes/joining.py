"""How two kept ranges are joined: whether the media suffices for a transition over the edge."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..operations import Source
from ..placements import covered_at_tail, frames_for, streams
from ..timing import FrameRange, rescale_floor


@dataclass(frozen=True)
class Kept:
    """A kept range that a join may lead from or to."""

    source: Source
    range: FrameRange

    def record(self, sequence: Fraction) -> int:
        """Frames of the sequence that it lasts."""
        return rescale_floor(self.range.duration, self.source.rate, sequence)


def around(length: int) -> tuple[int, int]:
    """A transition of ``length`` sequence frames over the middle of an edge: frames before and
    after it."""
    return length // 2, length - length // 2


def covered(before: Kept, offsets: tuple[int, int], sequence: Fraction) -> FrameRange:
    """Source frames that a transition at the end of ``before`` covers."""
    return covered_at_tail(before.range, before.source, Fraction(1), sequence, *offsets)


def lacking(
    before: Kept, after: Kept, offsets: tuple[int, int], sequence: Fraction, sound: bool = False
) -> str:
    """Why a transition does not fit; empty where it does. A clip gives half of itself at most, so
    that transitions at both of its ends never meet. ``sound``: only of the sound."""
    if offsets[0] > before.record(sequence) // 2 or offsets[1] > after.record(sequence) // 2:
        return "a clip is too short for it"
    leaving_all, entering_all = streams(before.source), streams(after.source)
    pairs = list(zip(leaving_all, entering_all, strict=False))[1 if sound else 0 :]
    shared = [(leaving, entering) for leaving, entering in pairs if leaving and entering]
    if not shared or (not sound and bool(before.source.video) != bool(after.source.video)):
        return "the clips have no stream in common"
    leaving, entering = shared[0]
    needed = frames_for(before.record(sequence) + offsets[1], before.source.rate, sequence)
    if before.range.start + needed > leaving.end:
        return "the media ends too soon after the outgoing clip"
    needed = frames_for(offsets[0], after.source.rate, sequence)
    if after.range.start - needed < entering.start:
        return "the media begins too late before the incoming clip"
    return ""
