"""What the pictures of a file say against keeping it: black, a covered lens, nothing in sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features import FAULTS, PictureSamples, fault_codes
from ..solve import holes, runs, union
from ..timing import FrameRange, frames_covering

#: Seconds of the shortest faulty passage that is taken out: a flash of black may be meant.
LEAST_FAULTY = Fraction(1, 2)
#: Seconds after which a picture that does not change at all counts as frozen, and the change of
#: luma over a second that even a still room shows somewhere, through sensor noise.
LEAST_FROZEN, STILL = Fraction(4), 0.012
#: How certain each fault is.
_CERTAINTY = {"black": 0.95, "lens covered": 0.7, "nothing but a plain colour": 0.55}
_FROZEN = ("frozen picture", 0.55)
#: Faults that are a file's nature rather than an accident where they cover all of it.
MAY_BE_MEANT = ("nothing but a plain colour", "frozen picture")


@dataclass(frozen=True, slots=True)
class Faulty:
    """A passage whose picture is of no use, or, if ``spoken``, whose words are."""

    range: FrameRange
    reason: str
    confidence: float
    spoken: bool = False


def added(faults: Sequence[Faulty], found: Iterable[Faulty], frames: int) -> tuple[Faulty, ...]:
    """``faults`` and what else was ``found`` in a file of so many frames, rising and apart.

    Where both speak against the same words, the earlier reason stands for all of the passage: it
    is one thing that goes.
    """
    made = list(faults)
    for fault in found:
        for free in holes(union(one.range for one in made), frames):
            part = fault.range.intersection(free)
            if part.duration <= 1:
                continue
            for number, one in enumerate(made):
                meets = part.end == one.range.start or one.range.end == part.start
                shared = fault.range.intersection(one.range).duration
                same = 2 * shared >= min(fault.range.duration, one.range.duration)
                if fault.spoken and one.spoken and meets and same:
                    made[number] = replace(one, range=union([one.range, part])[0])
                    break
            else:
                made.append(replace(fault, range=part))
    return tuple(sorted(made, key=lambda fault: fault.range))


def faulty_passages(
    samples: PictureSamples, extent: FrameRange, rate: Fraction, frozen: bool
) -> list[Faulty]:
    """Passages of ``extent`` (the frames with picture) to leave out, rising, apart from each other.

    ``frozen`` adds pictures that stand still, which only matters where nothing is heard.
    """
    codes = fault_codes(samples.brightness, samples.contrast, samples.detail, samples.edge)
    edges = np.append(samples.frames, extent.end)
    found = []
    for first, stop in runs(codes > 0):
        span = FrameRange.between(int(edges[first]), int(edges[stop])).intersection(extent)
        if span.duration >= frames_covering(LEAST_FAULTY, rate):
            worst = FAULTS[int(np.bincount(codes[first:stop], minlength=len(FAULTS)).argmax())]
            found.append(Faulty(span, worst, _CERTAINTY[worst]))
    if frozen:
        found += _frozen_passages(samples, codes, edges, rate)
    return sorted(found, key=lambda passage: passage.range)


def _frozen_passages(
    samples: PictureSamples, codes: NDArray[Any], edges: NDArray[Any], rate: Fraction
) -> list[Faulty]:
    still = (samples.change < STILL) & (codes == 0)
    found = []
    for first, stop in runs(still):
        span = FrameRange.between(int(edges[first]), int(edges[stop]))
        if span.duration >= frames_covering(LEAST_FROZEN, rate):
            found.append(Faulty(span, *_FROZEN))
    return found
