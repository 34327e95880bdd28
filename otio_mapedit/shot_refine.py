"""From moments to pictures: where exactly a boundary lies that the network saw between two moments.

The network is shown some 25 to 30 pictures a second (:mod:`otio_mapedit.pace`). Of a fast file it
knows a boundary to a moment, several pictures wide; which of these it is, the pictures themselves
tell. A cut is where they change most. Of a mixture ``(1 - a) * before + a * after`` the share ``a``
rises steadily; it is measured by projecting each picture onto the difference of the two shots, and
the line through the middle of its rise says where it begins and ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inference import SeenPictures, ShotPredictions
from .shot_list import Boundary, Doubt, Shot, ShotList

#: Least mean difference of two shots, of 255, for the share of each to be measured.
_APART = 4.0
#: The part of the rise that is fitted: towards its ends motion in the shots outweighs it.
_LOW, _HIGH = 0.15, 0.85
#: Pictures that a line needs at least.
_LEAST = 4


def to_pictures(predictions: ShotPredictions, found: ShotList) -> ShotList:
    """``found``, which counts moments, by the pictures of the file.

    The shots still follow each other without hole or overlap; two boundaries that fall on the same
    picture become one.
    """
    seen = predictions.seen
    if seen is None or np.array_equal(seen.frames, predictions.frames):
        return found
    places = _Places(predictions.frames, seen)
    exact = {boundary: places.boundary(boundary) for boundary in found.boundaries}
    shots = tuple(_shots(found.shots, exact, places))
    doubts = {places.doubt(doubt) for doubt in found.doubts}
    return ShotList(shots, tuple(sorted(doubts)))


@dataclass(frozen=True)
class _Places:
    """Where the moments of a file lie among its pictures."""

    moments: NDArray[Any]  # grid frame of each moment
    seen: SeenPictures

    @cached_property
    def shown(self) -> NDArray[Any]:
        """The picture shown at each moment."""
        last = np.searchsorted(self.seen.frames, self.moments, side="right") - 1
        return np.maximum(last, 0)

    def picture(self, moment: int) -> int:
        """The picture shown at a moment; the number of pictures after the last."""
        if moment >= len(self.moments):
            return len(self.seen.frames)
        return int(self.shown[moment]) if moment > 0 else 0

    def doubt(self, doubt: Doubt) -> Doubt:
        """A doubt to the picture."""
        first = min(self._changed(doubt.first), len(self.seen.frames) - 1)
        return replace(doubt, first=first, stop=max(first + 1, self.picture(doubt.stop)))

    def boundary(self, boundary: Boundary) -> Boundary:
        """A boundary to the picture."""
        if boundary.first == boundary.stop:
            at = self._changed(boundary.at)
            return replace(boundary, first=at, stop=at)
        first, stop = (self._middle(moment) for moment in (boundary.first, boundary.stop))
        first, stop = self._rise(first, max(stop, first + 1), self._reach(boundary))
        return replace(boundary, first=first, stop=stop)

    def _changed(self, moment: int) -> int:
        """The picture that changes most of those that come in at a moment."""
        if not 0 < moment < len(self.moments):
            return self.picture(moment)
        before, now = self.picture(moment - 1), self.picture(moment)
        if before == now:  # nothing new: the moments beside it are meant
            before, now = self.picture(moment - 2), self.picture(min(moment + 1, self._last))
        if before >= now:
            return now
        return before + 1 + int(self.seen.change[before + 1 : now + 1].argmax())

    @property
    def _last(self) -> int:
        return len(self.moments) - 1

    def _middle(self, moment: int) -> int:
        """The picture in the middle of those that come in at a moment."""
        if not 0 < moment < len(self.moments):
            return self.picture(moment)
        before, now = self.picture(moment - 1), self.picture(moment)
        return now - (now - before) // 2 if now > before else now

    def _reach(self, boundary: Boundary) -> int:
        """Pictures between two moments about a boundary, at most."""
        about = np.arange(boundary.first - 1, boundary.stop + 1).clip(0, self._last)
        return int(np.diff(self.shown[about]).max(initial=1))

    def _rise(self, first: int, stop: int, reach: int) -> tuple[int, int]:
        """The ends of a transition. Each moves by one and a half moments at most: one that the
        network may be off, and half of one that the middle of a moment is."""
        count, reach = len(self.seen.frames), reach * 3 // 2
        begin, end = first - reach - 1, stop + reach
        if self.seen.sketch is None or reach < 2 or begin < 0 or end >= count:
            return first, stop
        sketch = self.seen.sketch[begin : end + 1].astype(np.float64)
        change = sketch[-1] - sketch[0]
        if np.abs(change).mean() < _APART:
            return first, stop
        share = (sketch - sketch[0]) @ change / (change @ change)
        rising = np.flatnonzero((share >= _LOW) & (share <= _HIGH))
        if len(rising) < _LEAST:
            return first, stop
        slope, offset = np.polyfit(rising, share[rising], 1)
        if slope <= 0:
            return first, stop
        starts, ends = begin - offset / slope + 1, begin + (1 - offset) / slope
        exact_first = int(np.clip(round(starts), first - reach, first + reach))
        exact_stop = int(np.clip(round(ends), stop - reach, stop + reach))
        return (exact_first, exact_stop) if exact_first < exact_stop else (first, stop)


def _shots(
    shots: Iterable[Shot], exact: dict[Boundary, Boundary], places: _Places
) -> Iterable[Shot]:
    """The shots between exact boundaries."""
    begin, opening = 0, None
    for shot in shots:
        if begin == 0 and shot.opening:
            opening = exact[shot.opening]
        closing = exact[shot.closing] if shot.closing else None
        end = closing.at if closing else places.picture(shot.stop)
        if end <= begin:
            continue  # shorter than a picture
        yield replace(shot, first=begin, stop=end, opening=opening, closing=closing)
        begin, opening = end, closing
