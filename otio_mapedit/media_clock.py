"""From presentation times to a frame grid: the exact rate, and how far pictures stray from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .timing import STANDARD_RATES, frame_at, standard_rate

#: Of a constant rate, no picture is further from its grid frame than this part of a frame.
#: Timestamps are rounded (Matroska: to a millisecond), so a little must be allowed.
MOST_DEVIATION = Fraction(1, 4)

#: Slowest and fastest rate that a file's header is believed on.
SLOWEST, FASTEST = Fraction(1, 60), Fraction(1000)

_DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class PictureClock:
    """The grid that a stream's pictures lie on; see :class:`otio_mapedit.media.VideoStream`."""

    rate: Fraction
    frame_count: int
    picture_count: int
    variable_rate: bool
    worst_deviation: Fraction


def picture_clock(
    times: NDArray[np.int64], time_base: Fraction, last_duration: int, hints: Iterable[Fraction]
) -> PictureClock:
    """The grid of pictures presented at ``times`` (ticks of ``time_base``, rising, at least one).

    ``last_duration`` is how long the last picture lasts in ticks, 0 where unknown. ``hints`` are
    rates that the header states; they are believed only where the times agree.
    """
    believable = [Fraction(hint) for hint in hints if SLOWEST <= hint <= FASTEST]
    constant = _constant_rate(times, time_base, believable)
    if constant is not None:
        worst = _deviation(times, time_base, constant)
        return PictureClock(constant, len(times), len(times), False, worst)
    rate = _grid_rate(times, time_base, believable)
    ticks = int(times[-1] - times[0]) + (last_duration or _median_interval(times))
    last = frame_at(int(times[-1] - times[0]) * time_base, rate)
    count = max(last + 1, frame_at(ticks * time_base, rate))
    return PictureClock(rate, count, len(times), True, _deviation(times, time_base, rate))


def _constant_rate(
    times: NDArray[np.int64], time_base: Fraction, hints: list[Fraction]
) -> Fraction | None:
    """The rate at which picture ``k`` lies on grid frame ``k``, or None if there is none.

    A standard rate is preferred to any other. Where several fit, as in a short clip, the header
    decides between those that fit equally.
    """
    if len(times) < 2:
        return standard_rate(hints[0]) if hints else _DEFAULT_RATE
    standard = [rate for rate in map(standard_rate, hints) if rate in STANDARD_RATES]
    mean = (len(times) - 1) / (int(times[-1] - times[0]) * time_base)
    standard += sorted(STANDARD_RATES, key=lambda rate: (abs(rate - mean), rate))[:4]
    fits = {
        rate: _deviation(times, time_base, rate)
        for rate in standard
        if _fits(times, time_base, rate)
    }
    for rate, deviation in fits.items():
        # As good as the best: no worse than what rounding to ticks explains.
        if deviation <= min(fits.values()) + time_base:
            return rate
    others = [*hints, *(mean.limit_denominator(most) for most in (1, 10, 1001)), mean]
    believable = [rate for rate in others if SLOWEST <= rate <= FASTEST]
    return next((rate for rate in believable if _fits(times, time_base, rate)), None)


def _fits(times: NDArray[np.int64], time_base: Fraction, rate: Fraction) -> bool:
    return _deviation(times, time_base, rate) <= MOST_DEVIATION / rate


def _grid_rate(times: NDArray[np.int64], time_base: Fraction, hints: list[Fraction]) -> Fraction:
    """A rate for pictures that keep to none: the fastest that they often run at.

    Dropped pictures make intervals longer, never shorter. So the fastest standard rate that at
    least a quarter of the intervals agree with is the rate that the camera meant; failing that,
    the standard rate nearest above the median interval, so that few pictures share a frame.
    """
    intervals = np.diff(times)
    intervals = intervals[intervals > 0]
    for rate in sorted({*STANDARD_RATES, *map(standard_rate, hints)}, reverse=True):
        ticks = 1 / (rate * time_base)
        agree = np.abs(intervals - float(ticks)) <= max(1.0, float(ticks) / 200)
        if len(intervals) and np.mean(agree) >= 0.25:
            return _named(rate, hints)
    median = 1 / (_median_interval(times) * time_base)
    near = min(STANDARD_RATES, key=lambda rate: abs(rate - median))
    if abs(near - median) <= median / 50:
        return _named(near, hints)
    above = [rate for rate in STANDARD_RATES if rate >= median and rate.denominator == 1]
    return above[0] if above else STANDARD_RATES[-1]


def _named(rate: Fraction, hints: list[Fraction]) -> Fraction:
    """The header's choice between 30 and 30000/1001 where intervals cannot tell them apart."""
    near = [hint for hint in map(standard_rate, hints) if abs(hint - rate) <= rate / 500]
    return next((hint for hint in near if hint in STANDARD_RATES), rate)


def _median_interval(times: NDArray[np.int64]) -> int:
    intervals = np.diff(times)
    intervals = intervals[intervals > 0]
    return int(np.median(intervals)) or 1 if len(intervals) else 1


def without_gaps(
    places: Sequence[NDArray[np.int64]], time_base: Fraction, hints: Iterable[Fraction]
) -> NDArray[np.int64]:
    """Times of all pictures of a stream of which only some ``places`` were read.

    Between two places pictures are taken to go on at the rate of the first place.
    """
    first = places[0]
    rate = picture_clock(first, time_base, 0, hints).rate
    step = 1 / (rate * time_base)
    parts = [first]
    for place in places[1:]:
        place = place[place > parts[-1][-1]]
        if not len(place):
            continue
        since = int(parts[-1][-1])
        missing = max(0, round((int(place[0]) - since) / step) - 1)
        steps = np.arange(1, missing + 1, dtype=np.float64)
        parts += [since + np.rint(steps * float(step)).astype(np.int64), place]
    return np.unique(np.concatenate(parts))


def _deviation(times: NDArray[np.int64], time_base: Fraction, rate: Fraction) -> Fraction:
    """Largest ``|time of picture k - k / rate|`` in seconds, exact.

    In ticks, ``k / rate`` is ``k * step.numerator / step.denominator``; all in integers.
    """
    step = 1 / (rate * time_base)
    count = len(times)
    span = abs(int(times[-1] - times[0])) * step.denominator + count * step.numerator
    kind = np.int64 if span < 1 << 62 else object
    order = np.arange(count).astype(kind)
    apart = (times - times[0]).astype(kind) * step.denominator - order * step.numerator
    return Fraction(int(np.abs(apart).max()), step.denominator) * time_base
