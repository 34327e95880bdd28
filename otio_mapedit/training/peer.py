"""TransNetV2 as a peer to be measured against, used as its authors publish it.

Windows of 100 frames of which the inner 50 count, the film's ends repeated, and a boundary wherever
its first output passes 0.5 (Soucek and Lokoc, "TransNet V2", 2020, and their reference code).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .corpus import Pixels
from .teacher import Teacher

WINDOW, KEPT = 100, 50
THRESHOLD = 0.5


def curve(frames: Pixels, network: Teacher) -> npt.NDArray[np.float32]:
    """The probability that each of ``frames`` ``(n, 27, 48, 3)`` is the last before a change."""
    margin = (WINDOW - KEPT) // 2
    after = margin + -len(frames) % KEPT
    ends = (frames[:1].repeat(margin, axis=0), frames, frames[-1:].repeat(after, axis=0))
    padded = np.concatenate(ends)
    kept = [
        network(padded[first : first + WINDOW])[margin : margin + KEPT, 0]
        for first in range(0, len(padded) - WINDOW + 1, KEPT)
    ]
    return np.concatenate(kept)[: len(frames)]


def shots(probabilities: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    """First and last frame of every shot: a shot ends with the first frame of a run above the
    threshold and the next begins after its last."""
    above = np.concatenate([[False], probabilities > THRESHOLD, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1]).reshape(-1, 2)
    made, begin = [], 0
    for first, stop in edges:
        if first > 0:
            made.append((begin, int(first)))
        begin = int(stop)
    if begin < len(probabilities):
        made.append((begin, len(probabilities) - 1))
    return made
