"""Which pictures of a film are worth decoding to find its shots, by its packets and keyframes.

What lies between two keyframes is passed over where they look alike, or where the second, out of
turn, plainly begins a shot, and no packet speaks of a change. Where one does, every picture is
decoded, and elsewhere those that others lean on. Everything here counts grid frames. The limits
were set on edited films of known cuts encoded in several ways (``benchmarks/fast.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .picture_scan import Scan
from .seen import sketches
from .sparse_frames import EVERY, HELD, LEANED_ON, Wanted
from .spec import Frames
from .timing import frames_covering

CONTEXT = Fraction(2, 5)
"""Seconds of which every picture is decoded on both sides of where a change may be."""
WORTH_IT = 0.75
"""Share of the work above which decoding all pictures is no slower."""
#: What is saved where only those that others lean on are decoded, of the share of B pictures:
#: measured on H.264 with and without pictures in between that others lean on.
_SAVED = 0.6

#: Differences of two keyframes, 0 to 1, from which they are not alike: mean colours, histogram.
_COLOURS, _HISTOGRAM = 0.05, 0.1
#: How unlike they are, in the same measure, where what is between them may be passed over, and
#: where a keyframe out of turn plainly begins a shot.
_ALIKE, _PLAIN = 0.6, 4.0
#: A picture's packet against the largest of the three before it, where the keyframes around are
#: unlike, and where they are alike.
_STEP, _SPIKE = 1.5, 1.8
#: The same against the middle one of the three, where a plain cut alone has to explain everything.
_RISE = 2.0
#: Least size of the picture that begins a shot, against the keyframes around: it is as new.
_AS_NEW = 0.15
#: A keyframe sooner than this share of the usual distance is out of turn.
_OUT_OF_TURN = 0.9


@dataclass(frozen=True)
class Plan:
    """What of a film is decoded. ``plain``: the frames of keyframes that begin a shot, as the
    keyframe before them shows; what lies between the two need not be seen for it."""

    wanted: Wanted
    plain: frozenset[int]

    def cost(self, scan: Scan) -> float:
        """About what decoding takes, as a share of decoding everything."""
        level = self.wanted.level
        late = float((~scan.ahead).mean())
        some = float((level == LEANED_ON).mean()) * (1 - _SAVED * late)
        return some + float((level == EVERY).mean())


def look(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What is kept of a keyframe ``[height, width, 3]``: its sketch and its histogram."""
    kept: NDArray[np.float32] = looks(picture[None])[0]
    return kept


def looks(pictures: Frames) -> NDArray[np.float32]:
    """Sketches and histograms of 64 colours of pictures, each summing to about 1."""
    cells = sketches(pictures).astype(np.float32) / 255
    coarse = (pictures >> 6).astype(np.int64)
    codes = (coarse[..., 0] * 16 + coarse[..., 1] * 4 + coarse[..., 2]).reshape(len(pictures), -1)
    rows = np.arange(len(pictures))[:, None] * 64
    counts = np.bincount((codes + rows).ravel(), minlength=64 * len(pictures))
    histogram = counts.reshape(len(pictures), 64) / codes.shape[1]
    return np.concatenate([cells, histogram], axis=1).astype(np.float32)


def unlike(one: NDArray[Any], other: NDArray[Any]) -> float:
    """How far two :func:`looks` are apart; from 1 up they are not alike."""
    apart = np.abs(one - other)
    return max(float(apart[:-64].mean()) / _COLOURS, float(apart[-64:].sum()) / 2 / _HISTOGRAM)


def plan(scan: Scan, rate: Fraction) -> Plan:
    """Which pictures of a film are worth decoding."""
    steps, rises, early = *_steps(scan), _out_of_turn(scan)
    level = np.full(len(scan.frames), LEANED_ON, np.uint8)
    changes: list[tuple[int, int]] = []
    plain = []
    places = np.searchsorted(scan.frames, scan.looked_at)
    for at, (first, last) in enumerate(pairwise(int(place) for place in places)):
        apart = unlike(scan.looks[at], scan.looks[at + 1])
        here = list(_changes(scan, steps, early, first, last, _STEP if apart >= 1 else _SPIKE))
        alone = here == [(last, last)] and bool(early[last]) and apart >= _PLAIN
        alone = alone and not any(_changes(scan, rises, early, first, last - 1, _RISE))
        if alone:
            plain.append(int(scan.frames[last]))
        if alone or (not here and apart < _ALIKE):
            level[first + 1 : last] = HELD
        elif not here and apart >= _PLAIN:
            changes.append((first + 1, last))  # somewhere; looking twice would cost more
        changes += here
    return Plan(
        Wanted(scan.frames, scan.key, _with_all_of(level, scan, changes, rate)), frozenset(plain)
    )


def _with_all_of(
    level: NDArray[np.uint8], scan: Scan, changes: list[tuple[int, int]], rate: Fraction
) -> NDArray[np.uint8]:
    """``level`` with every picture wanted around changes (first and last picture of each), but for
    those before it that were passed over: it would cost all that leads up to them."""
    reach = frames_covering(CONTEXT, rate)
    found = level.copy()
    for first, last in changes:
        near = scan.frames[first] - reach, scan.frames[last] + reach + 1
        begin, end = (int(place) for place in np.searchsorted(scan.frames, near))
        while end < len(level) and level[end] == HELD and not scan.ahead[end - 1]:
            end += 1  # B pictures lean on what follows them
        passed = np.flatnonzero(level[begin:first] == HELD)
        found[begin + (int(passed[-1]) + 1 if len(passed) else 0) : end] = EVERY
    return found


def _steps(scan: Scan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each packet's size against the largest of the three before it of its kind, and against the
    middle one; 0 for B pictures and keyframes, whose size says nothing."""
    steps, rises = np.zeros((2, len(scan.frames)))
    leaning = np.flatnonzero(scan.ahead & ~scan.key)
    if len(leaning):
        sizes = scan.sizes[leaning].astype(np.float64)
        earlier = np.stack([np.append(np.zeros(back), sizes)[: len(sizes)] for back in (1, 2, 3)])
        earlier[:, 0] = np.inf
        steps[leaning] = sizes / np.maximum(earlier.max(axis=0), 1)
        rises[leaning] = sizes / np.maximum(np.median(earlier, axis=0), 1)
    return steps, rises


def _out_of_turn(scan: Scan) -> NDArray[np.bool_]:
    """Keyframes that come earlier than the encoder's usual distance."""
    early = np.zeros(len(scan.frames), bool)
    places = np.flatnonzero(scan.key)
    apart = np.diff(places)
    if len(apart):
        early[places[1:]] = apart < _OUT_OF_TURN * apart.max()
    return early


def _changes(
    scan: Scan,
    steps: NDArray[np.float64],
    early: NDArray[np.bool_],
    first: int,
    last: int,
    least: float,
) -> Iterator[tuple[int, int]]:
    """Pictures after keyframe ``first`` up to keyframe ``last``, among which a shot may begin: the
    first and the last of each time."""
    least_size = _AS_NEW * min(scan.sizes[first], scan.sizes[last])
    for place in range(first + 1, last + 1):
        if early[place]:
            yield place, place
        elif steps[place] >= least and scan.sizes[place] >= least_size:
            # The pictures since the last that others lean on may be the new shot's, too.
            earlier = place - 1
            while earlier > first and not scan.ahead[earlier]:
                earlier -= 1
            yield earlier + 1, place
