"""Locators of an EDL as markers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import rational_time
from .edl_cuts import Cut
from .edl_notes import Locator
from .edl_rate import EdlClock
from .edl_source import advance
from .timeline_facts import taken_back


def sequence_marker(locator: Locator, clock: EdlClock, day: int, start: int) -> otio.schema.Marker:
    """A locator above the first event, on the stack's clock, whose 0 is frame ``start``."""
    frame = (clock.record(locator.label, locator.row) - start) % day
    return _marker(locator, clock, day, rational_time(frame, clock.rate))


def clip_marker(locator: Locator, cut: Cut, clock: EdlClock, day: int) -> otio.schema.Marker:
    """A locator below an event, on the clock of the media that the event shows."""
    record = clock.record(locator.label, locator.row)
    record += (cut.start - record + day // 2) // day * day
    passed = record - cut.start if cut.speed >= 0 else cut.end - record
    speed = abs(cut.speed) or Fraction(1)
    media = cut.low + advance(passed, speed, cut.media_rate, clock.rate)
    at = otio.opentime.RationalTime(float(media), float(cut.media_rate))
    return _marker(locator, clock, day, at)


def _marker(
    locator: Locator, clock: EdlClock, day: int, at: otio.opentime.RationalTime
) -> otio.schema.Marker:
    """The marker at ``at``, or exactly as our own comment says where it speaks of this frame."""
    exact: dict[str, Any] = locator.exact
    span = otio.opentime.TimeRange(at, otio.opentime.RationalTime(0, at.rate))
    name, comment, colour = locator.text, "", locator.colour.upper() or "RED"
    own: dict[str, Any] = {}
    frame = clock.record(locator.label, locator.row)
    if isinstance(exact.get("at"), int) and exact["at"] % day == frame % day:
        try:
            start, duration = (
                otio.opentime.RationalTime(*map(float, exact[key])) for key in ("start", "duration")
            )
            name, comment, colour = (str(exact[key]) for key in ("name", "comment", "color"))
            span = otio.opentime.TimeRange(start, duration)
            own = taken_back(exact)
        except (KeyError, TypeError, ValueError):
            own = {}
    marker = otio.schema.Marker(name=name, marked_range=span, color=colour)
    marker.comment = comment
    if own:
        marker.metadata["mapedit"] = own
    return marker
