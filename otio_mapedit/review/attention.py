"""Which moments of a file each decision looked at, from the edit network's attention."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..timing import FrameRange, frame_within, frames_covering, seconds_at

Array = NDArray[Any]

#: Value of the map from which a moment was looked at: twice as much as the others.
LOOKED = 0.25


def attention_map(
    attention: Array,
    past: int,
    slot: int,
    step: Fraction,
    decisions: Sequence[FrameRange],
    rate: Fraction,
    bins: int,
) -> Array:
    """How much each decision looked at each part of the file: [decisions, bins], 0 to 1.

    ``attention`` [steps, reach] holds, for every step of ``step`` seconds, how much the decoder
    looked at each slot of ``slot`` steps from ``past`` before its own. Each step is compared with
    looking everywhere alike, and of the steps of a decision (``decisions`` count frames at
    ``rate``) the one that looked most counts: 0 is as much as everywhere or less, a quarter twice
    as much, 1 sixteen times as much. A decoder that looks nowhere in particular leaves the map
    dark.
    """
    count, reach = attention.shape
    made = np.zeros((len(decisions), bins))
    slots = max(1, -(-count // slot))
    for number, span in enumerate(decisions):
        first = min(frame_within(seconds_at(span.start, rate), 1 / step), max(0, count - 1))
        stop = min(count, max(first + 1, frames_covering(seconds_at(span.end, rate), 1 / step)))
        times = np.ones(slots)
        for at in range(first, stop):
            places = at // slot - past + np.arange(reach)
            inside = (places >= 0) & (places < slots)
            looked = attention[at, inside] * int(inside.sum())
            times[places[inside]] = np.maximum(times[places[inside]], looked)
        places = np.minimum((np.arange(bins) + 0.5) * count / slot / bins, slots - 1).astype(int)
        made[number] = np.clip(np.log2(times) / 4, 0, 1)[places]
    return made


def looked_at(row: Array, span: FrameRange, frame_count: int) -> int | None:
    """The frame outside ``span`` that a decision looked at most, given its row of the map; None
    where it looked at nothing outside but faintly."""
    bins = len(row)
    frames = ((np.arange(bins) + 0.5) * frame_count / bins).astype(int)
    outside = (frames < span.start) | (frames >= span.end)
    if not outside.any():
        return None
    at = int(np.where(outside, row, -1).argmax())
    return int(frames[at]) if row[at] >= LOOKED else None
