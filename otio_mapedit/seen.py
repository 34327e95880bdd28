"""What pictures show by themselves, without any network: how bright they are and how they change.

It refines what the network says (:mod:`otio_mapedit.shot_boundaries`), and finds the exact picture
in film of a high rate, of which the network sees only some (:mod:`otio_mapedit.shot_refine`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cache import Arrays
from .spec import Frames

#: Grid frames and pictures, as they are decoded.
Batches = Generator[tuple[NDArray[Any], Frames], None, None]

EVIDENCE = ("luma", "peak", "change", "returned")
"""What is known of a moment, and of every picture:"""
SEEN = ("seen_frames", "seen_change", "seen_sketch")

RETURN_REACH = 12
"""Moments within which a flash may be over: half a second of film."""
SKETCH = (3, 6)
"""Rows and columns of the sketch of a picture."""
CELLS = (SKETCH[0] * SKETCH[1] * 3,)
"""Shape of a sketch."""

#: Below this probability of a cut nobody asks whether the picture came back.
_CUT_OF_INTEREST = 0.01
#: Luma of 8-bit R'G'B' after ITU-R BT.709, 0 to 1.
_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32) / np.float32(255)


def stacked(parts: Sequence[Arrays], names: Sequence[str]) -> Arrays:
    """Consecutive answers as one."""
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


class Notes:
    """What every picture of a stretch shows by itself, the ones between two moments too."""

    def __init__(self) -> None:
        self.parts: list[Arrays] = []
        self.before: Frames | None = None

    def through(self, batches: Batches) -> Batches:
        """The batches as they are, noted on their way."""
        with contextlib.closing(batches):
            for frames, pictures in batches:
                earlier = pictures[:1] if self.before is None else self.before
                change = difference(pictures, np.concatenate([earlier, pictures[:-1]]))
                self.parts.append(
                    {
                        "seen_frames": frames,
                        "seen_change": change,
                        "seen_sketch": sketches(pictures),
                    }
                )
                self.before = pictures[-1:]
                yield frames, pictures

    def take(self, first: int, stop: int | None) -> Arrays | None:
        """The notes on grid frames ``first`` up to ``stop``; earlier ones are forgotten."""
        if not self.parts:
            return None
        notes = stacked(self.parts, SEEN)
        begin, end = np.searchsorted(notes["seen_frames"], [first, stop or 1 << 62])
        self.parts = [{name: values[end:] for name, values in notes.items()}]
        return {name: values[begin:end] for name, values in notes.items()}


def sketches(pictures: Frames) -> NDArray[np.uint8]:
    """Mean colours of the cells of each picture ``[n, height, width, 3]``: uint8 ``[n, cells]``."""
    count, height, width, _ = pictures.shape
    rows, columns = SKETCH
    tall = pictures.reshape(count, rows, height // rows, width * 3).sum(axis=2, dtype=np.uint16)
    cells = tall.reshape(count, rows, columns, width // columns, 3).sum(axis=3, dtype=np.uint32)
    area = (height // rows) * (width // columns)
    means: NDArray[np.uint8] = ((cells + area // 2) // area).astype(np.uint8)
    return means.reshape(count, -1)


def difference(one: Frames, other: Frames) -> NDArray[np.float32]:
    """Mean absolute difference of pictures, 0 to 1."""
    apart = np.abs(one.astype(np.int16) - other)
    mean: NDArray[np.float32] = apart.mean(axis=(1, 2, 3), dtype=np.float32)
    return mean / np.float32(255)


def evidence(seen: Frames, kept: slice, cut: NDArray[Any]) -> Arrays:
    """What the pictures show without any network, for the moments that a window keeps."""
    luma = seen[kept].astype(np.float32) @ _LUMA
    before = seen[np.maximum(np.arange(kept.start, kept.stop) - 1, 0)]
    returned = np.ones(len(before), np.float32)
    change = difference(seen[kept], before)
    for at in np.flatnonzero((cut >= _CUT_OF_INTEREST) & (change > 0)):
        after = seen[kept.start + at + 1 : kept.start + at + 1 + RETURN_REACH]
        if len(after):
            returned[at] = min(1.0, difference(after, before[at]).min() / change[at])
    return {
        "luma": luma.mean(axis=(1, 2)),
        "peak": luma.max(axis=(1, 2)),
        "change": change,
        "returned": returned,
    }
