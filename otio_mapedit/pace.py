"""Which pictures the shot network sees: as many in a second as it learned from.

The network learned from film of 24 to 30 pictures a second. It is shown a file at such a pace, by
time and not by count: of a fast file every second, third ... grid frame, and where a file of
variable rate has no picture of its own for a moment, the one that a player would still show. What
it says then refers to moments evenly apart, ``pace`` grid frames from one to the next;
:mod:`otio_mapedit.shot_refine` finds the exact picture afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .spec import Frames

FILM = Fraction(27)
"""Pictures a second between the slowest and fastest film that the network learned from."""

#: Moments that are handed on at once where one picture stands for a long time.
_MOST = 256


def pace_of(rate: Fraction) -> int:
    """Grid frames from one picture that the network sees to the next; 1 up to 40 a second."""
    return max(1, round(rate / FILM))


def paced(
    batches: Iterable[tuple[NDArray[Any], Frames]], pace: int, first: int = 0
) -> Iterator[tuple[NDArray[Any], Frames]]:
    """The pictures that a player shows at grid frames ``first``, ``first + pace``, ....

    ``batches`` are (grid frames, pictures), frames rising, beginning with what is shown at
    ``first``, which is a multiple of ``pace``. Before the first picture of all that one is shown.
    Ends with the last moment at or before the last picture. Batches may be of any length.
    """
    held_frames: NDArray[Any] = np.empty(0, np.int64)
    held: Frames | None = None
    moment = first
    for new_frames, new_pictures in batches:
        frames = np.concatenate([held_frames, new_frames])
        pictures = new_pictures if held is None else np.concatenate([held, new_pictures])
        end = int(frames[-1]) + 1
        while moment < end:
            moments = np.arange(moment, min(end, moment + _MOST * pace), pace)
            shown = np.searchsorted(frames, moments, side="right") - 1
            yield moments, pictures[np.maximum(shown, 0)]
            moment = int(moments[-1]) + pace
        held_frames, held = frames[-1:], pictures[-1:]
