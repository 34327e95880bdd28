"""FCPXML's clock: exact seconds as fractions, and the maps between a clip's clocks.

A time is written ``1001/30000s``: a 64-bit numerator over a 32-bit denominator, in seconds. A
clip has a *local* clock, on which its ``start``, its markers and the ``offset`` of what is
connected to it are given. Without retiming the local clock is the media's own, embedded start
timecode included. A ``timeMap`` maps local time to media time over the whole asset
(``time = source / speed``); a scaling ``conform-rate`` leaves the local clock on media time and
lets it run at another pace than the sequence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import opentimelineio as otio

from ..errors import FormatError
from ..timing import standard_rate

_TIME = re.compile(r"^\s*(-?\d{1,20})(?:\.(\d{1,12}))?(?:/(\d{1,12}))?\s*s\s*$")
#: Largest denominator that hosts read (signed, 32 bits).
MAX_DENOMINATOR = 2**31 - 1
#: Longest time in seconds that fits into a 64-bit numerator over that.
LONGEST = 2**31

#: ``srcFrameRate`` of ``conform-rate`` as the DTDs list it.
_CONFORM_NAMES = {
    Fraction(24000, 1001): "23.98",
    Fraction(24): "24",
    Fraction(25): "25",
    Fraction(30000, 1001): "29.97",
    Fraction(30): "30",
    Fraction(60): "60",
    Fraction(48000, 1001): "47.95",
    Fraction(48): "48",
    Fraction(50): "50",
    Fraction(60000, 1001): "59.94",
    Fraction(90): "90",
    Fraction(100): "100",
    Fraction(120000, 1001): "119.88",
    Fraction(120): "120",
}
_CONFORM_SINCE_1_13 = {"90", "100", "119.88", "120"}
#: How many frames of a sequence one source frame may fill when rates are conformed: pulldowns.
_PACES = tuple(
    Fraction(*pace) for pace in ((1, 1), (1, 2), (2, 1), (2, 5), (4, 5), (5, 4), (5, 2), (1, 4))
)


def parse_time(text: str | None, default: Fraction = Fraction(0)) -> Fraction:
    """Seconds of a time attribute; ``default`` where it is absent.

    Raises:
        FormatError: not a time.
    """
    if text is None:
        return default
    found = _TIME.match(text)
    if found is None or (found[3] and int(found[3]) == 0):
        raise FormatError(
            f"{text[:40]!r} is not an FCPXML time",
            "Export the project again, or correct it to the form 1001/30000s.",
        )
    whole = Fraction(f"{found[1]}.{found[2]}") if found[2] else Fraction(int(found[1]))
    return whole / int(found[3] or 1)


def format_time(seconds: Fraction) -> str:
    """A time attribute: ``5s``, ``1001/30000s``."""
    if seconds.denominator == 1:
        return f"{seconds.numerator}s"
    return f"{seconds.numerator}/{seconds.denominator}s"


def nearest(seconds: Fraction) -> Fraction:
    """``seconds``, or the nearest time that hosts can hold: off by less than a nanosecond, which
    Final Cut's own retimed clips are too."""
    return seconds.limit_denominator(MAX_DENOMINATOR)


def on_frame(seconds: Fraction, rate: Fraction) -> Fraction:
    """The frame that a time stands for where it is within 1/10,000 of one: what
    :func:`nearest`, or a host, has rounded. Any other time as it is."""
    frame = round(seconds * rate)
    return frame / rate if abs(seconds * rate - frame) < Fraction(1, 10_000) else seconds


def rate_of_frame(duration: Fraction) -> Fraction | None:
    """The rate whose frame lasts ``duration`` seconds, None where that cannot be."""
    if duration <= 0 or not Fraction(1, 1000) <= duration <= 1000:
        return None
    return standard_rate(1 / duration)


def conform_name(rate: Fraction, version: tuple[int, int]) -> str | None:
    """``srcFrameRate`` for ``rate`` where the version's DTD lists it."""
    name = _CONFORM_NAMES.get(rate)
    return None if name in _CONFORM_SINCE_1_13 and version < (1, 13) else name


def conform_rate(name: str | None) -> Fraction | None:
    """The rate that ``srcFrameRate`` names."""
    return next((rate for rate, known in _CONFORM_NAMES.items() if known == name), None)


def conform_speeds(source: Fraction, sequence: Fraction) -> tuple[Fraction, ...]:
    """Speeds at which a scaling ``conform-rate`` may play media, likeliest first.

    Final Cut fits source frames to sequence frames one to one, or by a pulldown, whichever needs
    the least change of speed: 25 plays at 24/25 in a 24 fps sequence (measured on its exports).
    NTSC sequences were seen to count as their whole-numbered rates, hence the second value.
    """
    nearest = min((sequence * pace / source for pace in _PACES), key=lambda s: abs(s - 1))
    first = nearest if abs(nearest - 1) < Fraction(1, 10) else Fraction(1)
    return first, first * Fraction(1001, 1000), first * Fraction(1000, 1001)


def seconds_time(seconds: Fraction, rate: Fraction) -> Any:
    """A moment as OTIO has it: whole frames where it lies on one, else exact to a double."""
    frames = seconds * rate
    value = frames.numerator if frames.denominator == 1 else float(frames)
    return otio.opentime.RationalTime(value, float(rate))


def seconds_range(start: Fraction, duration: Fraction, rate: Fraction, record: Any = None) -> Any:
    """A range as OTIO has it; its duration at the ``record`` rate where one is given."""
    return otio.opentime.TimeRange(
        seconds_time(start, rate), seconds_time(duration, record or rate)
    )


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Local time to media time, linear between its points: ``(time, value)`` in seconds."""

    points: tuple[tuple[Fraction, Fraction], ...]

    def at(self, local: Fraction) -> Fraction:
        """Media time at a local time; beyond its ends the map goes on as straight."""
        (t0, v0), (t1, v1) = self._segment(local)
        return v0 + (local - t0) * (v1 - v0) / (t1 - t0)

    def speed(self, start: Fraction, end: Fraction) -> Fraction:
        """Mean speed between two local times."""
        return (self.at(end) - self.at(start)) / (end - start)

    def is_steady(self, start: Fraction, end: Fraction) -> bool:
        """Whether one speed holds from ``start`` to ``end``."""
        inside = [time for time, _ in self.points if start < time < end]
        edges = [start, *inside, end]
        speeds = {self.speed(a, b) for a, b in pairwise(edges)}
        return len(speeds) <= 1

    def _segment(self, local: Fraction) -> tuple[tuple[Fraction, Fraction], ...]:
        for left, right in pairwise(self.points):
            if local < right[0]:
                return left, right
        return self.points[-2], self.points[-1]

    @classmethod
    def of(cls, points: list[tuple[Fraction, Fraction]]) -> TimeMap | None:
        """The map through these points, None where fewer than two differ in time."""
        ordered = dict(sorted(points, key=lambda point: point[0]))
        return cls(tuple(ordered.items())) if len(ordered) > 1 else None


def steady_map(speed: Fraction, start: Fraction, end: Fraction) -> TimeMap:
    """The map that hosts expect for a constant ``speed`` over media from ``start`` to ``end``.

    Local time is media time divided by the speed, so that it covers the whole asset, start
    timecode included; backwards, the media's end comes first. ``speed`` is not 0.
    """
    pace = abs(speed)
    first, last = (start, end) if speed > 0 else (end, start)
    return TimeMap(((start / pace, first), (end / pace, last)))
