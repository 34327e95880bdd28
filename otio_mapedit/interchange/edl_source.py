"""What an edit takes from its source: the arithmetic that writing and reading must share.

Record side in frames of the sequence, source side in frames of the media. A clip whose speed is
s takes ``|s| * media rate / sequence rate`` media frames per record frame. A source range's start
is the lowest media frame that is shown, also where the clip runs backwards.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from fractions import Fraction

from ..timing import can_drop_frames, frame_of_timecode, nominal_rate

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """Source side of an event: ``start`` and ``end`` in ascending frames, as every program
    expects them, and ``entry``, the frame shown first (M2's timecode)."""

    start: int
    end: int
    entry: int


def rounded(value: Fraction) -> int:
    """Nearest whole frame, halves up."""
    return int(value) if value.denominator == 1 else math.floor(value + _HALF)


def advance(frames: int, scalar: Fraction, media: Fraction, rate: Fraction) -> Fraction:
    """Media frames that pass in ``frames`` record frames."""
    if media == rate:
        return frames * scalar
    return frames * scalar * media / rate


def source_span(
    low: int, frames: int, scalar: Fraction, media: Fraction, rate: Fraction
) -> SourceSpan:
    """The source side of ``frames`` record frames whose lowest media frame is ``low``."""
    taken = _taken(frames, scalar, media, rate)
    return SourceSpan(low, low + taken, low + taken - 1 if scalar < 0 else low)


def lowest_frame(
    start: int,
    end: int,
    entry: int | None,
    frames: int,
    scalar: Fraction,
    media: Fraction,
    rate: Fraction,
) -> int:
    """The lowest media frame that an event of ``frames`` record frames shows.

    Forwards, its source in. Backwards programs differ: the M2 timecode is the frame shown first,
    or source in and out are the whole range, which plays from its end (recognised by its
    length), or source in itself is the frame shown first (Avid).
    """
    if scalar >= 0:
        return start
    taken = _taken(frames, scalar, media, rate)
    if entry is not None and entry != start:
        return entry + 1 - taken
    whole = end - start > 1 and abs(end - start - taken) <= 2
    return start if whole else start + 1 - taken


def clip_start(
    low: int,
    event: tuple[int, int],
    clip: tuple[int, int],
    scalar: Fraction,
    media: Fraction,
    rate: Fraction,
) -> int:
    """Lowest media frame of a clip whose event shows ``low`` and up.

    ``event`` and ``clip`` are first and last record frame of both: a dissolve's mixing lies in
    the incoming event, but up to its cut the outgoing clip goes on.
    """
    moved = clip[0] - event[0] if scalar >= 0 else event[1] - clip[1]
    return low + rounded(advance(moved, abs(scalar), media, rate))


def _taken(frames: int, scalar: Fraction, media: Fraction, rate: Fraction) -> int:
    """Whole media frames shown in ``frames`` record frames; at least one where there are any."""
    taken = rounded(abs(advance(frames, scalar, media, rate)))
    return max(1, taken) if frames else 0


@functools.lru_cache(maxsize=64)
def day_length(rate: Fraction, drop: bool) -> int:
    """Frames from midnight to midnight as timecode counts them."""
    drop = drop and can_drop_frames(rate)
    last = nominal_rate(rate) - 1
    return frame_of_timecode(f"23:59:59:{last:02d}", rate, drop) + 1


def speed_text(scalar: Fraction, rate: Fraction, width: int = 5) -> str:
    """M2's speed: signed frames per second to a tenth, ``037.5``, ``-024.0``."""
    tenths = rounded(abs(scalar) * rate * 10)
    sign = "-" if scalar < 0 else ""
    return sign + f"{tenths // 10:0{width - 2}d}.{tenths % 10}"


def speed_from_text(fps: str, rate: Fraction) -> Fraction:
    """Speed behind an M2 line.

    A tenth of a frame per second says it to about 0.4 %: where a whole number of per cent gives
    the same text, that is what the editor had typed, else the quotient as it stands.
    """
    value = Fraction(fps.replace("+", ""))
    exact = value / rate
    whole = Fraction(rounded(abs(exact) * 100), 100) * (-1 if value < 0 else 1)
    return whole if rounded(abs(whole) * rate * 10) == rounded(abs(value) * 10) else exact
