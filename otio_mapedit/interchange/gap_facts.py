"""What we wrote into gaps: a lifted range leaves one, and no format has an element for that.

It rides along as ``[first frame, frames, metadata]`` per gap, frames of the sequence from its
first one. Read back, it holds where nothing was moved into the place.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import FrameRange, exact_time, frame_at, time_range
from .timeline_facts import own_facts, span_of


def stated_gaps(track: otio.schema.Track, rate: Fraction) -> list[list[Any]]:
    """The gaps of a track that carry something of ours."""
    if not any(isinstance(item, otio.schema.Gap) and len(item.metadata) for item in track):
        return []
    found: list[list[Any]] = []
    clock = Fraction(0)
    for item in track:
        span = None if isinstance(item, otio.schema.Transition) else span_of(item)
        if span is None:
            continue
        start, clock = clock, clock + exact_time(span.duration)
        own = own_facts(item) if isinstance(item, otio.schema.Gap) else {}
        frames = frame_at(start, rate), frame_at(clock, rate)
        if own and frames[0] < frames[1]:
            found.append([frames[0], frames[1] - frames[0], own])
    return found


def read_gaps(value: Any) -> list[tuple[FrameRange, dict[str, Any]]]:
    """What :func:`stated_gaps` gave, in order; damaged entries are left out."""
    found = []
    for one in value if isinstance(value, list) else []:
        if isinstance(one, list) and len(one) == 3 and isinstance(one[2], dict):
            start, frames = one[:2]
            if isinstance(start, int) and isinstance(frames, int) and start >= 0 and frames > 0:
                found.append((FrameRange(start, frames), one[2]))
    return sorted(found, key=lambda pair: pair[0])


class GapMaker:
    """Makes the gaps of one track, from its start to its end."""

    def __init__(self, rate: Fraction, stated: list[tuple[FrameRange, dict[str, Any]]]) -> None:
        self.rate = rate
        self._stated = stated
        self._next = 0

    def between(self, start: int, end: int) -> list[otio.schema.Gap]:
        """Nothing from frame ``start`` to ``end``: one gap, or several where some were stated."""
        found = []
        while self._next < len(self._stated) and self._stated[self._next][0].start < end:
            span, own = self._stated[self._next]
            self._next += 1
            if span.start < start or span.end > end:
                continue
            if span.start > start:
                found.append(self._gap(start, span.start))
            found.append(self._gap(span.start, span.end))
            found[-1].metadata["mapedit"] = own
            start = span.end
        if start < end:
            found.append(self._gap(start, end))
        return found

    def _gap(self, start: int, end: int) -> otio.schema.Gap:
        return otio.schema.Gap(source_range=time_range(FrameRange(0, end - start), self.rate))
