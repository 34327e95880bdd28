"""Measuring shot boundaries: the published one-to-one matching, with numpy alone.

Labels and answers have the same form: the shots of a video as ``[first, last]`` frames, both
included. Where a shot does not begin right after the last one ended, the frames between are a
gradual transition. A boundary is the stretch from the middle of its last old and first in-between
frame to the middle of its last in-between and first new frame, so that a hard cut is a point. A
found boundary hits a true one when the two are at most ``tolerance`` frames apart, and each may be
hit once. Recall, precision and F1 are made from the sums over all videos, as in Baraldi, Grana and
Cucchiara, "Shot and scene detection via hierarchical clustering" (2015) and the TRECVID tradition,
which TransNet, TransNetV2 and AutoShot follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError

Shots = Sequence[tuple[int, int]]
Probabilities = npt.NDArray[np.floating[Any]]

LONGEST_ABSORBED = 2
"""A cut this near (in frames) to a gradual transition is part of it."""


@dataclass(frozen=True)
class Score:
    """Boundaries that were hit, missed, and found where there is none. Scores can be added."""

    hit: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.hit + other.hit, self.missed + other.missed, self.false + other.false)

    @property
    def precision(self) -> float:
        """Share of the found boundaries that are true; 1 when none was found."""
        found = self.hit + self.false
        return self.hit / found if found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true boundaries that were found; 1 when there is none."""
        true = self.hit + self.missed
        return self.hit / true if true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        whole = 2 * self.hit + self.missed + self.false
        return 2 * self.hit / whole if whole else 1.0


@dataclass(frozen=True)
class Evaluation:
    """Scores of many videos: ``videos[name][tolerance]`` and their sums ``total[tolerance]``."""

    videos: Mapping[str, Mapping[int, Score]]
    total: Mapping[int, Score]

    def worst(self, count: int, tolerance: int = 2) -> list[str]:
        """Names of the ``count`` videos with the most misses and false alarms."""

        def faults(name: str) -> int:
            score = self.videos[name][tolerance]
            return score.missed + score.false

        return sorted(self.videos, key=faults, reverse=True)[:count]


def boundaries(shots: Shots) -> list[tuple[float, float]]:
    """The stretches between successive ``shots``, in frames and in order; a hard cut is a point.

    People's labels hold slips, shots that end before they begin; what cannot be a stretch is
    left out and what is said twice counts once.
    """
    stretches = {(before[1] + 0.5, after[0] - 0.5) for before, after in pairwise(shots)}
    return sorted((low, high) for low, high in stretches if low <= high)


@dataclass(frozen=True)
class Matching:
    """Which boundary hit which: pairs of numbers of true and found boundaries, both in order, and
    the boundaries themselves."""

    true: list[tuple[float, float]]
    found: list[tuple[float, float]]
    pairs: list[tuple[int, int]]

    @property
    def missed(self) -> list[tuple[float, float]]:
        """True boundaries that nothing hit."""
        hit = {pair[0] for pair in self.pairs}
        return [stretch for index, stretch in enumerate(self.true) if index not in hit]

    @property
    def false(self) -> list[tuple[float, float]]:
        """Found boundaries that hit nothing."""
        hit = {pair[1] for pair in self.pairs}
        return [stretch for index, stretch in enumerate(self.found) if index not in hit]


def match(truth: Shots, found: Shots, tolerance: int = 2) -> Matching:
    """Match the boundaries of ``found`` to those of ``truth``, each at most once.

    Both are in order, so taking the earliest partner each time makes the most matches.
    """
    true, mine = boundaries(truth), boundaries(found)
    pairs, here = [], 0
    for index, (low, high) in enumerate(true):
        while here < len(mine) and mine[here][1] < low - tolerance:
            here += 1
        if here < len(mine) and mine[here][0] <= high + tolerance:
            pairs.append((index, here))
            here += 1
    return Matching(true, mine, pairs)


def score(truth: Shots, found: Shots, tolerance: int = 2) -> Score:
    """Count the hits, misses and false alarms of ``found`` (see ``match``)."""
    matched = match(truth, found, tolerance)
    hit = len(matched.pairs)
    return Score(hit, len(matched.true) - hit, len(matched.found) - hit)


def evaluate_labels(
    labels: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Shots],
    tolerances: Iterable[int] = (0, 1, 2),
) -> Evaluation:
    """Score the shots ``found`` in each video against ``labels[name]["shots"]``.

    Raises FormatError when a labelled video has no answer.
    """
    tolerances = tuple(tolerances)
    videos: dict[str, dict[int, Score]] = {}
    for name, label in labels.items():
        if name not in found:
            raise FormatError(f"No answer for the labelled video {name}", "Add it to the folder")
        truth = [(int(first), int(last)) for first, last in label["shots"]]
        videos[name] = {width: score(truth, found[name], width) for width in tolerances}
    total = {
        width: sum((scores[width] for scores in videos.values()), Score()) for width in tolerances
    }
    return Evaluation(videos, total)


def load_labels(path: Path) -> dict[str, dict[str, Any]]:
    """Labels of the form ``{"video": {"shots": [[first, last], ...], ...}, ...}``.

    Raises FormatError when the file is not that.
    """
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        pairs = [pair for label in labels.values() for pair in label["shots"]]
        if not all(len(pair) == 2 and all(type(frame) is int for frame in pair) for pair in pairs):
            raise TypeError("a shot is not a pair of frame numbers")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise FormatError(f"{path} holds no labels: {fault}", "See MODEL_CARD.md") from fault
    return dict(labels)


def shots_from_probabilities(
    cut: Probabilities,
    transition: Probabilities,
    cut_threshold: float = 0.5,
    transition_threshold: float = 0.5,
) -> list[tuple[int, int]]:
    """Shots from the network's ``cut (n,)`` and ``transition (n,)``.

    A cut is a local maximum above its threshold, a gradual transition a run above its own; a cut
    in or beside a run belongs to it.
    """
    count = len(cut)
    inside = np.concatenate([[False], transition > transition_threshold, [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    runs = [
        (int(first), int(stop) - 1) for first, stop in zip(edges[::2], edges[1::2], strict=True)
    ]
    joins = [(first - 1, last + 1) for first, last in runs]
    reach = LONGEST_ABSORBED
    for frame in _peaks(cut, cut_threshold):
        if all(frame < first - reach or frame > last + reach for first, last in runs):
            joins.append((frame - 1, frame))
    shots, begin = [], 0
    for last, first in sorted(joins):
        if last >= begin:
            shots.append((begin, last))
        begin = max(begin, first)
    if begin < count:
        shots.append((begin, count - 1))
    return shots


def _peaks(values: Probabilities, threshold: float) -> list[int]:
    """Frames above ``threshold`` that no neighbour within one frame exceeds (first of equals)."""
    around = np.concatenate([[-1.0], values, [-1.0]])
    top = (values > threshold) & (values > around[:-2]) & (values >= around[2:])
    top[:1] = False
    return [int(frame) for frame in np.flatnonzero(top)]
