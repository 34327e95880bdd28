"""Where shots can change, from a scan of packets and keyframes: the stretches worth decoding.

A stretch of film is passed over when the keyframes on both sides of it look alike and no packet in
it speaks of a change. Everything here counts grid frames. The limits were set on edited films of
known cuts encoded in several ways (``benchmarks/fast.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .picture_scan import Scan
from .spec import Frames
from .timing import frames_covering
from .watching import sketches

CONTEXT = Fraction(2, 5)
"""Seconds that are decoded on both sides of where a change may be."""
WORTH_IT = 0.6
"""Share of the pictures above which decoding all of them is no slower."""
_TRIED = 0.5
"""Share of all between two keyframes above which it is decoded at once."""

#: Differences of two keyframes, 0 to 1, from which they are not alike: mean colours, histogram.
_COLOURS, _HISTOGRAM = 0.05, 0.1
#: How unlike they are, in the same measure, where a keyframe out of turn plainly begins a shot.
_PLAIN = 4.0
#: A picture's packet against the largest of the three before it, where the keyframes around are
#: unlike, and where they are alike.
_STEP, _SPIKE = 1.5, 1.8
#: Least size of the picture that begins a shot, against the keyframes around: it is as new.
_AS_NEW = 0.15
#: A keyframe sooner than this share of the usual distance is out of turn.
_OUT_OF_TURN = 0.9


@dataclass(frozen=True, order=True)
class Stretch:
    """Grid frames ``first`` up to ``stop`` in which a shot may change, between the keyframes
    ``before`` and ``after`` that were looked at. ``held``: the change, if any, is at the keyframe
    ``first`` itself, so that ``before`` may stand for what was there until then."""

    first: int
    stop: int
    before: int
    after: int
    held: bool = False


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


def plan(scan: Scan, rate: Fraction, count: int) -> list[Stretch]:
    """The stretches of a film of ``count`` frames in which shots may change, in order."""
    steps = _steps(scan)
    early = _out_of_turn(scan)
    places = scan.looked_at
    found: list[Stretch] = []
    for at in range(len(places) - 1):
        before, after = int(places[at]), int(places[at + 1])
        apart = unlike(scan.looks[at], scan.looks[at + 1])
        least = _STEP if apart >= 1 else _SPIKE
        here = list(_changes(scan, steps, early, before, after, least))
        if 1 <= apart < _PLAIN and here and here[-1].held and here[-1].first == after:
            here = []
        if not here and apart >= 1:
            here = [Stretch(before + 1, after + 1, before, after)]
        found += here
    last = int(places[-1])  # nothing on the other side of what follows it speaks
    found.append(Stretch(last + 1, count, last, count))
    return _merged(found, frames_covering(CONTEXT, rate))


def extent(stretch: Stretch, scan: Scan, context: int) -> tuple[int, int]:
    """Grid frames to decode for a stretch. What comes before it never reaches back behind a
    keyframe: that would cost all that leads up to it."""
    stop = min(stretch.stop + context, int(scan.frames[-1]) + 1)
    if stretch.held:
        return stretch.first, stop
    key = _keyframe(scan, stretch.first - 1)
    return max(key, stretch.first - context, 0), stop


def cost(stretches: Sequence[Stretch], scan: Scan, context: int) -> float:
    """Share of all pictures that decoding the stretches takes, keyframes before them included."""
    total = 0
    for stretch in stretches:
        first, stop = extent(stretch, scan, context)
        total += stop - _keyframe(scan, first)
    return total / max(1, len(scan.frames))


def around(stretch: Stretch) -> Stretch:
    """Everything between the keyframes on both sides of a stretch."""
    return replace(stretch, first=stretch.before + 1, stop=stretch.after + 1, held=False)


def worth_trying(stretch: Stretch, scan: Scan, context: int) -> bool:
    """Whether to decode a stretch before everything around it, which may turn out necessary."""
    return cost([stretch], scan, context) < _TRIED * cost([around(stretch)], scan, context)


def likely_cost(stretches: Sequence[Stretch], scan: Scan, context: int) -> float:
    """:func:`cost`, with what will have to be decoded because the keyframe after a stretch is
    unlike the one with which it begins."""
    total, settled = 0.0, -1
    for stretch in stretches:
        if stretch.stop <= settled:
            continue
        whole = around(stretch)
        if not worth_trying(stretch, scan, context):
            total += cost([whole], scan, context)
            settled = whole.stop
            continue
        total += cost([stretch], scan, context)
        here, after = np.searchsorted(scan.looked_at, [stretch.first, stretch.after])
        known = stretch.held and here < after < len(scan.looked_at)
        if known and unlike(scan.looks[here], scan.looks[after]) >= 1:
            total += cost([replace(stretch, stop=whole.stop)], scan, context)
            settled = whole.stop
    return total


def _keyframe(scan: Scan, frame: int) -> int:
    """The last keyframe at or before a frame."""
    keys = scan.frames[scan.key]
    return int(keys[max(0, int(np.searchsorted(keys, frame, side="right")) - 1)])


def _steps(scan: Scan) -> NDArray[np.float64]:
    """Each packet's size against the largest of the three before it of its kind; 0 for B pictures
    and keyframes, whose size says nothing."""
    steps = np.zeros(len(scan.frames))
    leaning = np.flatnonzero(scan.ahead & ~scan.key)
    sizes = scan.sizes[leaning].astype(np.float64)
    before = np.full(len(sizes), np.inf)
    for back in (1, 2, 3):
        earlier = np.concatenate([np.full(min(back, len(sizes)), 0.0), sizes[:-back]])
        before = earlier if back == 1 else np.maximum(before, earlier)
    before[:1] = np.inf
    steps[leaning] = sizes / np.maximum(before, 1)
    return steps


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
    before: int,
    after: int,
    least: float,
) -> Iterator[Stretch]:
    """Pictures between two keyframes, the second included, that may begin a shot."""
    first, last = np.searchsorted(scan.frames, [before, after])
    least_size = _AS_NEW * min(scan.sizes[first], scan.sizes[min(last, len(scan.sizes) - 1)])
    for place in range(int(first) + 1, int(last) + 1):
        frame = int(scan.frames[place])
        if early[place]:
            yield Stretch(frame, frame + 1, before, after, held=True)
        elif steps[place] >= least and scan.sizes[place] >= least_size:
            # The pictures since the last that others lean on may be the new shot's, too.
            earlier = place - 1
            while earlier > first and not scan.ahead[earlier]:
                earlier -= 1
            yield Stretch(int(scan.frames[earlier]) + 1, frame + 1, before, after)


def _merged(stretches: list[Stretch], context: int) -> list[Stretch]:
    """Stretches in order; those whose pictures touch are one."""
    merged: list[Stretch] = []
    for stretch in sorted(stretches):
        last = merged[-1] if merged else None
        if last is None or stretch.first - context >= last.stop + context:
            merged.append(stretch)
            continue
        if stretch.held and last.held:
            held = stretch.first == last.first
        else:
            held = last.held and stretch.first >= last.first
        merged[-1] = Stretch(
            last.first, max(last.stop, stretch.stop), min(last.before, stretch.before),
            max(last.after, stretch.after), held,
        )  # fmt: skip
    return merged
