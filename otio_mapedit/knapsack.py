"""The most value that fits into a duration: the 0/1 knapsack, solved exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Cells of the table that is filled at most; beyond it, lengths are counted in coarser units,
#: rounded up, so that what is chosen still fits.
MOST_CELLS = 400_000_000


def knapsack(
    values: NDArray[Any], lengths: NDArray[Any], budget: int, most_cells: int = MOST_CELLS
) -> NDArray[np.bool_]:
    """Which items to take for the greatest total value within ``budget``.

    ``values`` [n] are finite, ``lengths`` [n] whole frames from 1. Items of no value are never
    taken. Of equally good choices the one with earlier items wins, so that the answer is the same
    everywhere. The table of Bellman's recursion (Dantzig 1957; Martello and Toth 1990, section
    2.6) has n x budget cells and is kept as bits.
    """
    lengths = np.asarray(lengths, np.int64)
    values = np.asarray(values, float)
    taken = np.zeros(len(values), bool)
    usable = np.flatnonzero((values > 0) & (lengths <= budget) & (lengths > 0))
    if not len(usable):
        return taken
    if int(lengths[usable].sum()) <= budget:
        taken[usable] = True
        return taken
    unit = max(1, -(-len(usable) * (budget + 1) // most_cells))
    sizes = -(-lengths[usable] // unit)
    room = budget // unit
    best = np.zeros(room + 1)
    rows = []
    for size, value in zip(sizes[::-1], values[usable][::-1], strict=True):
        with_item = np.full(room + 1, -np.inf)
        if size <= room:
            with_item[size:] = best[: room + 1 - size] + value
        better = with_item >= best
        best = np.where(better, with_item, best)
        rows.append(np.packbits(better))
    for item, size, row in zip(usable, sizes, reversed(rows), strict=True):
        if row[room // 8] >> (7 - room % 8) & 1:
            taken[item] = True
            room -= int(size)
    return taken
