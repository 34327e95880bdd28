"""Measuring shot boundaries: the published one-to-one matching, with numpy alone.

Labels and answers have the same form: the shots of a video as ``[first, last]`` frames, both
included. Where a shot does not begin right after the last one ended, the frames between are a
gradual transition. A boundary is the stretch from the middle of its last old and first in-between
frame to the middle of its last in-between and first new frame, so that a hard cut is a point. A
found boundary hits a true one when the two are at most ``tolerance`` frames apart, and each may be
hit once. Recall, precision and F1 are made from the sums over all videos, as in Baraldi, Grana and
Cucchiara, "Shot and scene detection via hierarchical clustering" (2015) and the TRECVID tradition,
which TransNet, TransNetV2 and AutoShot follow.

Labels and answers may also say what each boundary is, ``"kinds": ["cut", "dissolve", ...]``, one
between every two shots. Then it is counted per true kind how many were found and how many of these
were named right, and for transitions that last, how far off their ends are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FormatError

Shots = Sequence[tuple[int, int]]
Probabilities = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Answer:
    """The shots of a video, and the kind of each boundary between two, where that is said."""

    shots: Shots
    kinds: Sequence[str] | None = None


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
class KindScore:
    """Boundaries of one true kind at the widest tolerance. ``named`` of those found have the right
    kind; ``offsets`` are the frames by which both ends of found transitions are off."""

    hit: int = 0
    missed: int = 0
    named: int = 0
    offsets: tuple[float, ...] = ()

    def __add__(self, other: KindScore) -> KindScore:
        return KindScore(
            self.hit + other.hit,
            self.missed + other.missed,
            self.named + other.named,
            self.offsets + other.offsets,
        )

    @property
    def recall(self) -> float:
        """Share of the true boundaries of this kind that were found."""
        true = self.hit + self.missed
        return self.hit / true if true else 1.0

    @property
    def extent_error(self) -> float | None:
        """Median frames by which an end of a transition is off; None for cuts."""
        return float(np.median(self.offsets)) if self.offsets else None


@dataclass(frozen=True)
class Evaluation:
    """Scores of many videos: ``videos[name][tolerance]`` and their sums ``total[tolerance]``;
    ``kinds`` by the kinds that the labels name."""

    videos: Mapping[str, Mapping[int, Score]]
    total: Mapping[int, Score]
    kinds: Mapping[str, KindScore] = field(default_factory=dict)

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


def score_kinds(label: Answer, answer: Answer, tolerance: int = 2) -> dict[str, KindScore]:
    """How the boundaries of each kind that ``label`` names were found; empty if it names none."""
    if label.kinds is None:
        return {}
    true, mine = _named(label), _named(answer)
    pairs = dict(match(label.shots, answer.shots, tolerance).pairs)
    made: dict[str, KindScore] = {}
    for number, (stretch, kind) in enumerate(true):
        one = KindScore(missed=1)
        if number in pairs:
            there, named = mine[pairs[number]]
            ends = (abs(there[0] - stretch[0]), abs(there[1] - stretch[1]))
            one = KindScore(1, 0, int(named == kind), ends if stretch[0] < stretch[1] else ())
        made[kind] = made.get(kind, KindScore()) + one
    return made


def _named(answer: Answer) -> list[tuple[tuple[float, float], str]]:
    """Boundaries with their kinds, as :func:`boundaries` orders them."""
    kinds = answer.kinds or [""] * max(0, len(answer.shots) - 1)
    named = {
        (before[1] + 0.5, after[0] - 0.5): kind
        for (before, after), kind in zip(pairwise(answer.shots), kinds, strict=True)
    }
    return sorted((stretch, kind) for stretch, kind in named.items() if stretch[0] <= stretch[1])


def evaluate_labels(
    labels: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Shots | Answer],
    tolerances: Iterable[int] = (0, 1, 2),
) -> Evaluation:
    """Score the shots ``found`` in each video against ``labels[name]["shots"]``.

    Raises FormatError when a labelled video has no answer.
    """
    tolerances = tuple(tolerances)
    videos: dict[str, dict[int, Score]] = {}
    kinds: dict[str, KindScore] = {}
    for name, label in labels.items():
        if name not in found:
            raise FormatError(f"No answer for the labelled video {name}", "Add it to the folder")
        given = found[name]
        mine = given if isinstance(given, Answer) else Answer(given)
        true = answer_of(label)
        videos[name] = {width: score(true.shots, mine.shots, width) for width in tolerances}
        for kind, one in score_kinds(true, mine, max(tolerances)).items():
            kinds[kind] = kinds.get(kind, KindScore()) + one
    total = {
        width: sum((scores[width] for scores in videos.values()), Score()) for width in tolerances
    }
    return Evaluation(videos, total, dict(sorted(kinds.items())))


def answer_of(record: Mapping[str, Any]) -> Answer:
    """What a label or prediction of a video says."""
    shots = [(int(first), int(last)) for first, last in record["shots"]]
    kinds = record.get("kinds")
    return Answer(shots, None if kinds is None else [str(kind) for kind in kinds])


def load_labels(path: Path) -> dict[str, dict[str, Any]]:
    """Labels or predictions ``{"video": {"shots": [[first, last], ...], ...}, ...}``; a list of
    shots alone may stand for a video.

    Raises FormatError when the file is not that.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        labels = {
            name: {"shots": record} if isinstance(record, list) else record
            for name, record in records.items()
        }
        for label in labels.values():
            if not all(
                len(pair) == 2 and all(type(frame) is int for frame in pair)
                for pair in label["shots"]
            ):
                raise TypeError("a shot is not a pair of frame numbers")
            if len(label.get("kinds") or label["shots"][1:]) != len(label["shots"][1:]):
                raise ValueError("not one kind between every two shots")
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
