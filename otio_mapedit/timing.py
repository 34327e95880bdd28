"""The only owner of time: integer frames on an exact rate.

A rate is a ``Fraction`` in frames per second; 23.976 and 29.97 are 24000/1001 and 30000/1001.
Seconds exist only at the edges (media timestamps in, words for people out) and are ``Fraction``
where they come from a container. Drop-frame is never guessed from a rate: it is passed.

Drop-frame counting follows SMPTE ST 12-1: at 30000/1001 the labels ;00 and ;01 of each minute
not divisible by ten are left out, at 60000/1001 the labels ;00 to ;03.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .errors import OptionError

if TYPE_CHECKING:
    import opentimelineio as otio

NTSC_24 = Fraction(24000, 1001)
NTSC_30 = Fraction(30000, 1001)
NTSC_60 = Fraction(60000, 1001)

#: Rates that editing programs offer for a sequence, slowest first.
STANDARD_RATES: tuple[Fraction, ...] = (
    NTSC_24,
    Fraction(24),
    Fraction(25),
    NTSC_30,
    Fraction(30),
    Fraction(48000, 1001),
    Fraction(48),
    Fraction(50),
    NTSC_60,
    Fraction(60),
    Fraction(100),
    Fraction(120000, 1001),
    Fraction(120),
)

#: Largest relative distance at which a measured rate is taken to be a standard one. Half the
#: distance between 24000/1001 and 24, so that the two are never confused.
_SNAP = Fraction(1, 2002)

_LENGTH = re.compile(r"^(\d{1,7}(?:\.\d{1,6})?)\s*(f|ms|s|min)?$")
_RATE = re.compile(r"^\d{1,9}(?:\.\d{1,9}|/\d{1,9})?$")
_FRACTION = re.compile(r"^[+-]?\d{1,60}(?:\.\d{1,60}|/\d{1,60})?$")
#: No number in a timeline is larger: ten thousand hours in samples are fewer.
_MOST = 10**13
_TIMECODE = re.compile(r"^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$")


@dataclass(frozen=True, slots=True, order=True)
class FrameRange:
    """``duration`` frames from ``start``, on a clock that the owner of the range states."""

    start: int
    duration: int

    def __post_init__(self) -> None:
        if self.duration < 0:
            raise ValueError(f"a range cannot last {self.duration} frames")

    @property
    def end(self) -> int:
        """First frame after the range (OTIO's ``end_time_exclusive``)."""
        return self.start + self.duration

    @classmethod
    def between(cls, start: int, end: int) -> FrameRange:
        """The range from ``start`` up to and excluding ``end``."""
        return cls(start, end - start)

    def contains(self, other: FrameRange) -> bool:
        """Whether ``other`` lies inside this range, edges included."""
        return self.start <= other.start and other.end <= self.end

    def intersection(self, other: FrameRange) -> FrameRange:
        """What both have in common; of length 0 where they do not meet."""
        start = max(self.start, other.start)
        return FrameRange(start, max(0, min(self.end, other.end) - start))

    def shifted(self, frames: int) -> FrameRange:
        """The same range ``frames`` later."""
        return FrameRange(self.start + frames, self.duration)


@dataclass(frozen=True, slots=True)
class Length:
    """A length as an editor says it: in seconds, or in frames of whatever it is applied to."""

    seconds: Fraction = Fraction(0)
    frames: int = 0

    def at(self, rate: Fraction) -> int:
        """Whole frames at ``rate``, to the nearest."""
        return self.frames + frame_at(self.seconds, rate)

    def __str__(self) -> str:
        return f"{self.frames}f" if self.frames else f"{float(self.seconds):g}s"


def parse_length(text: str | int | float) -> Length:
    """``0.25``, ``0.25s``, ``250ms``, ``2min`` (minutes) and ``6f`` (frames).

    Raises:
        OptionError: anything else, or a negative length.
    """
    found = _LENGTH.match(str(text).strip().lower())
    if not found:
        raise OptionError(
            f"{text!r} is not a length",
            "Write seconds (0.25s), milliseconds (250ms), minutes (2min) or frames (6f).",
        )
    if found[2] == "f":
        if "." in found[1]:
            raise OptionError(f"{text!r} is not a whole number of frames", "Write it like 6f.")
        return Length(frames=int(found[1]))
    unit = {"ms": Fraction(1, 1000), "min": Fraction(60)}
    return Length(seconds=Fraction(found[1]) * unit.get(found[2], Fraction(1)))


@functools.lru_cache(maxsize=512)
def standard_rate(rate: Fraction) -> Fraction:
    """The standard rate that ``rate`` stands for (2997/100 is 30000/1001), else ``rate``.

    A value exactly equal to a standard rate is returned as it is.
    """
    if rate in STANDARD_RATES:
        return rate
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= nearest * _SNAP else rate


def parse_rate(text: str) -> Fraction:
    """A rate as a person writes it: ``25``, ``29.97``, ``23.976``, ``30000/1001``.

    Raises:
        OptionError: not a positive number of frames per second up to 1000.
    """
    rate = Fraction(0)
    # Fraction alone would also take 1e99999999, and think about it for a long time.
    if _RATE.match(text.strip()):
        with contextlib.suppress(ZeroDivisionError):
            rate = Fraction(text.strip())
    if not 0 < rate <= 1000:
        raise OptionError(f"{text!r} is not a frame rate", "Write it like 25, 29.97 or 30000/1001.")
    return standard_rate(rate)


def fraction_of(text: Any) -> Fraction | None:
    """An exact number from outside, ``3/4`` or ``-0.5``; None for anything else.

    ``Fraction`` alone would also take ``1e99999999``, and think about it for a long time.
    """
    if not isinstance(text, str) or not _FRACTION.match(text.strip()):
        return None
    with contextlib.suppress(ZeroDivisionError):
        value = Fraction(text.strip())
        return value if abs(value) <= _MOST else None
    return None


def rate_text(rate: Fraction) -> str:
    """A rate for people: ``25``, ``29.97``, ``23.976``."""
    if rate.denominator == 1:
        return str(rate.numerator)
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


@functools.lru_cache(maxsize=512)
def nominal_rate(rate: Fraction) -> int:
    """Frame labels per second of timecode: 30 for 30000/1001, 24 for 24000/1001."""
    return max(1, math.ceil(rate - Fraction(1, 2)))


def can_drop_frames(rate: Fraction) -> bool:
    """Whether drop-frame timecode is defined at ``rate``."""
    return rate in (NTSC_30, NTSC_60, Fraction(120000, 1001))


def frame_at(seconds: Fraction, rate: Fraction) -> int:
    """Frame nearest to a moment; a moment half-way belongs to the later frame."""
    # Whole numbers only: timelines ask this of every edge, and fractions are slow.
    frames = seconds.numerator * rate.numerator
    whole = seconds.denominator * rate.denominator
    return (2 * frames + whole) // (2 * whole)


def is_on_frame(seconds: Fraction, rate: Fraction) -> bool:
    """Whether a frame begins exactly at a moment."""
    return seconds.numerator * rate.numerator % (seconds.denominator * rate.denominator) == 0


def frame_within(seconds: Fraction, rate: Fraction) -> int:
    """Frame that is on screen at a moment."""
    return math.floor(seconds * rate)


def frames_covering(seconds: Fraction, rate: Fraction) -> int:
    """Fewest whole frames that last at least ``seconds``."""
    return math.ceil(seconds * rate)


def seconds_at(frame: int, rate: Fraction) -> Fraction:
    """When a frame begins."""
    return Fraction(frame) / rate


def exact_seconds(value: float | int | str | Fraction) -> Fraction:
    """A number of seconds from outside, exact to the microsecond."""
    return Fraction(value).limit_denominator(1_000_000)


def rescale_floor(frames: int, source: Fraction, target: Fraction) -> int:
    """Whole frames at ``target`` that fit into ``frames`` at ``source``."""
    return frames if source == target else math.floor(Fraction(frames) * target / source)


def rescale_round(frames: int, source: Fraction, target: Fraction) -> int:
    """Frame at ``target`` nearest to ``frames`` at ``source``."""
    if source == target:
        return frames
    return math.floor(Fraction(frames) * target / source + Fraction(1, 2))


def timecode(frame: int, rate: Fraction, drop_frame: bool) -> str:
    """SMPTE timecode of a frame count from midnight; wraps after 24 hours.

    A semicolon before the frames marks drop-frame.

    Raises:
        ValueError: drop-frame asked for at a rate that has none.
    """
    labels = nominal_rate(rate)
    if drop_frame:
        if not can_drop_frames(rate):
            raise ValueError(f"no drop-frame timecode at {rate_text(rate)} frames per second")
        frame = _label_number(frame, labels)
    frame %= labels * 86400
    seconds, frames = divmod(frame, labels)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    width = max(2, len(str(labels - 1)))
    mark = ";" if drop_frame else ":"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{frames:0{width}d}"


def frame_of_timecode(text: str, rate: Fraction, drop_frame: bool | None = None) -> int:
    """Frame count from midnight of a timecode, the inverse of :func:`timecode`.

    ``drop_frame=None`` takes it from the separator: a semicolon (or comma) means drop-frame.

    Raises:
        OptionError: not a timecode, or a label that does not exist at this rate.
    """
    found = _TIMECODE.match(text.strip())
    if not found:
        raise OptionError(f"{text!r} is not a timecode", "Write it like 01:00:00:00.")
    hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
    labels = nominal_rate(rate)
    if drop_frame is None:
        drop_frame = found[4] in ";," and can_drop_frames(rate)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= labels:
        raise OptionError(
            f"{text!r} does not exist at {rate_text(rate)} frames per second",
            "Check the rate and the last two digits.",
        )
    count = ((hours * 60 + minutes) * 60 + seconds) * labels + frames
    if not drop_frame:
        return count
    if not can_drop_frames(rate):
        raise OptionError(
            f"no drop-frame timecode at {rate_text(rate)} frames per second",
            "Write the frames after a colon.",
        )
    dropped = _dropped_per_minute(labels)
    if frames < dropped and seconds == 0 and minutes % 10:
        raise OptionError(
            f"{text!r} is a label that drop-frame timecode leaves out",
            f"The first frame of that minute is {text[:-2]}{dropped:02d}.",
        )
    total_minutes = hours * 60 + minutes
    return count - dropped * (total_minutes - total_minutes // 10)


def rational_time(frame: int, rate: Fraction) -> otio.opentime.RationalTime:
    """A frame as OTIO writes it. The only place where a rate becomes a float."""
    import opentimelineio as otio

    return otio.opentime.RationalTime(frame, float(rate))


def time_range(span: FrameRange, rate: Fraction) -> otio.opentime.TimeRange:
    """A range of frames as OTIO writes it."""
    import opentimelineio as otio

    return otio.opentime.TimeRange(
        rational_time(span.start, rate), rational_time(span.duration, rate)
    )


@functools.lru_cache(maxsize=512)
def exact_rate(rate: float) -> Fraction:
    """The exact rate behind a float read from a file: 29.97 is 30000/1001.

    Raises:
        ValueError: not a positive finite number.
    """
    if not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"{rate!r} is not a frame rate")
    return standard_rate(Fraction(rate).limit_denominator(100_000))


def exact_time(time: otio.opentime.RationalTime) -> Fraction:
    """Seconds of an OTIO time, on its exact rate."""
    return _exact_time(time.value, time.rate)


@functools.lru_cache(maxsize=8192)
def _exact_time(value: float, rate: float) -> Fraction:
    """Kept, because every stage of a conversion asks for the same times again."""
    exact = exact_rate(rate)
    # Whole frames, as nearly all times are, need no search for a nearby fraction.
    if value.is_integer():
        return Fraction(int(value) * exact.denominator, exact.numerator)
    return Fraction(value).limit_denominator(100_000) / exact


def _dropped_per_minute(labels: int) -> int:
    """Labels left out per minute: 2 at 29.97, 4 at 59.94, 8 at 119.88."""
    return labels // 15


def _label_number(frame: int, labels: int) -> int:
    """Number of the timecode label that belongs to the ``frame``-th real frame."""
    dropped = _dropped_per_minute(labels)
    per_ten_minutes = labels * 600 - dropped * 9
    per_minute = labels * 60 - dropped
    tens, rest = divmod(frame, per_ten_minutes)
    minutes = 0 if rest < labels * 60 else 1 + (rest - labels * 60) // per_minute
    return frame + dropped * (9 * tens + minutes)
