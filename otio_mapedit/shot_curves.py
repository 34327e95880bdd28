"""Reading the shot network's curves: peaks, runs, black passages, flashes.

Everything here counts moments of one file, runs are (first, stop) with ``stop`` excluded, and
nothing is decided yet: :mod:`otio_mapedit.shot_boundaries` does that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .inference import ShotPredictions
from .seen import RETURN_REACH

Run: TypeAlias = tuple[int, int]
Curve: TypeAlias = NDArray[Any]

MIN_BLACK = 3
"""Black pictures that separate two shots; fewer are a dissolve through black."""
GRADUAL = ("dissolve", "wipe", "fade_out", "fade_in")
"""The kinds of transition that last."""
MIN_RUN = 3
"""A transition of fewer mixed pictures is a cut: fields and rate conversion mix one or two."""
RUN_GAP = 3
"""Runs of mixed pictures interrupted by no more than this are one transition."""
LONGEST_DIP = 12
"""Pictures of one plain colour between two shots that are a dip; more of them are a shot."""
PLAIN = 0.1
"""A picture is plain when its brightest spot is at most this much above its mean luma."""
CAME_BACK = 0.35
"""A picture came back when it differs from what it was by less than this share of the jump."""

#: Black on a thumbnail: mean luma, and the brightest spot. A small watermark stays below, a
#: title does not.
_BLACK_LUMA, _BLACK_PEAK = 0.008, 0.25
#: The same for black that is not quite (a wrong range, an old tape), if the network agrees.
_GREY_LUMA, _GREY_PEAK = 0.08, 0.1
#: Least probability of a change at the edges of black that separates shots.
_BLACK_CHANGE = 0.25
#: Pictures of a black passage are at most this much brighter than its usual picture: about two
#: steps of eight bits.
_BLACK_SPREAD = 0.008
#: Least probability of a flash, where the picture also comes back. Light alone does not tell a
#: flash from a short bright shot between two of the same scene.
_FLASH = 0.3
#: Two cuts are never nearer than this; of two maxima this near one is the other's shadow.
_CUT_WIDTH = 2
#: Mixed pictures are bounded at this share of the probability that finds a transition.
_RUN_EDGE = 0.8
#: Steps on the logit scale between sensitivity 0 (or 1) and the network's own threshold.
_SENSITIVITY_REACH = 4.0


def shifted(threshold: float, sensitivity: float) -> float:
    """A threshold moved by a sensitivity, evenly on the logit scale; 0.5 leaves it alone."""
    threshold = min(max(threshold, 1e-6), 1 - 1e-6)
    if sensitivity == 0.5:
        return threshold
    logit = math.log(threshold / (1 - threshold)) + _SENSITIVITY_REACH * (1 - 2 * sensitivity)
    return 1 / (1 + math.exp(-logit))


def black_between_shots(predictions: ShotPredictions) -> tuple[list[Run], list[Run]]:
    """Black passages where the network sees the shots change on both sides, and all others: a
    shot may be dark for a while."""
    between: list[Run] = []
    inside: list[Run] = []
    for first, stop in black_passages(predictions):
        edges = [at for at in (first, stop) if 0 < at < len(predictions)]
        changes = (evidence_of_change(predictions, at) for at in edges)
        (between if all(p >= _BLACK_CHANGE for p in changes) else inside).append((first, stop))
    return between, inside


def evidence_of_change(predictions: ShotPredictions, at: int) -> float:
    """How sure the network is that something changes about picture ``at``."""
    near = slice(max(0, at - 3), at + 4)
    return float(max(predictions.cut[near].max(), predictions.transition[near].max()))


def black_passages(predictions: ShotPredictions) -> list[Run]:
    """Runs of at least :data:`MIN_BLACK` black pictures, as (first, stop)."""
    luma, peak = predictions.luma, predictions.peak
    black = (luma <= _BLACK_LUMA) & (peak <= _BLACK_PEAK)
    black |= (luma <= _GREY_LUMA) & (peak <= _GREY_PEAK) & (_quality(predictions, "black") >= 0.5)
    passages = []
    for first, stop in runs(black):
        # The last pictures of a fade are dark, too: black is what the passage mostly is.
        darkest = np.sort(luma[first:stop])[: max(MIN_BLACK, (stop - first) // 2)]
        for start, end in runs(luma[first:stop] <= float(np.median(darkest)) + _BLACK_SPREAD):
            if end - start >= MIN_BLACK:
                passages.append((first + start, first + end))
    return passages


def _quality(predictions: ShotPredictions, name: str) -> Curve:
    """One quality curve; zero where the network does not have it."""
    if name not in predictions.quality_names:
        return np.zeros(len(predictions), np.float32)
    curve: Curve = predictions.quality[:, predictions.quality_names.index(name)]
    return curve


def runs(true: Curve) -> list[Run]:
    """Runs of True as (first, stop)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def peaks(curve: Curve, level: float) -> list[int]:
    """Local maxima of the cut curve from ``level`` up; a file's first picture is never one."""
    found: list[int] = []
    for at in np.flatnonzero(curve >= level).tolist():
        near = curve[max(1, at - _CUT_WIDTH) : at + _CUT_WIDTH + 1]
        if at > 0 and curve[at] == near.max() and not (found and at - found[-1] <= _CUT_WIDTH):
            found.append(at)
    return found


def flash_end(predictions: ShotPredictions, at: int) -> int | None:
    """First picture after a flash that begins at ``at``; None where a new shot begins there."""
    if predictions.returned[at] >= CAME_BACK:
        return None
    if _quality(predictions, "flash")[at : at + 2].max() < _FLASH:
        return None
    luma = predictions.luma
    before = float(luma[at - 1])
    jump = float(luma[at : at + 2].max()) - before
    after = np.abs(luma[at + 1 : at + 1 + RETURN_REACH] - before)
    settled = np.flatnonzero(after <= max(abs(jump) / 4, 0.01))
    # A picture that came back with other light: the nearest is as far as the flash can go.
    end = settled[0] if len(settled) else after.argmin() if len(after) else 0
    return at + 1 + int(end)


def mixed_runs(curve: Curve, level: float) -> list[Run]:
    """Runs of mixed pictures that reach ``level`` on average; short interruptions are bridged.

    Bridged pictures do not count for the average: where a rate was converted by showing pictures
    twice, the second one mixes nothing new.
    """
    joined: list[Run] = []
    edge = level * _RUN_EDGE
    for first, stop in runs(curve >= edge):
        if joined and first - joined[-1][1] <= RUN_GAP:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((first, stop))

    def reached(run: Run) -> float:
        values = curve[slice(*run)]
        return float(values[values >= edge].mean())

    return [run for run in joined if reached(run) >= level]


def beside_black(first: int, stop: int, blacks: list[Run]) -> Iterator[Run]:
    """The parts of a run outside the black passages, drawn up to a passage they almost touch."""
    for black_first, black_stop in blacks:
        if black_first - RUN_GAP <= stop and first <= black_stop + RUN_GAP:
            if first < black_first:
                yield first, black_first
            first = black_stop
    if first < stop:
        yield first, stop


def likely_kind(predictions: ShotPredictions, first: int, stop: int) -> tuple[str, float]:
    """The likeliest of :data:`GRADUAL` over some pictures, and its share among them."""
    share = predictions.kind[first:stop].mean(axis=0, dtype=np.float32)
    shares = {kind: float(share[predictions.kinds.index(kind)]) for kind in GRADUAL}
    kind = max(shares, key=lambda name: shares[name])
    return kind, shares[kind] / max(sum(shares.values()), 1e-9)
