"""From lessons to a style: the options that an editor's cuts amount to, and a leaning.

Margins are the medians of where cuts lie from speech; the shortest pause is the length that best
tells what was taken out from what was left in; dissolves are a habit where at least half of the
joins are one. The leaning is a logistic regression with an L2 penalty, fitted by Newton's method
(iteratively reweighted least squares; Hastie, Tibshirani and Friedman 2009, section 4.4.1). Nothing
here needs torch, or the media.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..recipes.styled import MOMENT_FEATURES
from ..recipes.takes import STAYS
from ..style import Leaning
from .lessons import Lesson

Array = NDArray[np.float64]

#: Fewest cuts or shots, and joins, from which an option is learned.
LEAST_EVIDENCE, LEAST_JOINS = 5, 3
#: Fewest lines said several times from which it is learned which take stays, and the share of them
#: that must agree.
LEAST_LINES, CLEARLY = 2, 2 / 3
#: Fewest moments of either kind, kept and dropped, from which a leaning is learned.
LEAST_MOMENTS = 20
#: Margins that anyone would ask for, in seconds.
_MARGINS = (0.0, 2.0)
_PENALTY, _ROUNDS = 3.0, 25


@dataclass(frozen=True)
class Habits:
    """What lessons amount to: options as texts, and a leaning with full trust, or None."""

    options: dict[str, str]
    leaning: Leaning | None


def habits(lessons: Sequence[Lesson]) -> Habits:
    """What all ``lessons`` together amount to; what they do not show is left out."""
    return Habits(options(lessons), leaning(lessons))


def options(lessons: Sequence[Lesson]) -> dict[str, str]:
    """The options of a rough cut that come nearest to the lessons."""
    found: dict[str, str] = {}
    before, after = _all(lessons, "before"), _all(lessons, "after")
    if len(before) >= LEAST_EVIDENCE:
        found["margin_before"] = _length(np.clip(np.median(before), *_MARGINS))
    if len(after) >= LEAST_EVIDENCE:
        found["margin_after"] = _length(np.clip(np.median(after), *_MARGINS))
    taken, left = _all(lessons, "taken_out"), _all(lessons, "left_in")
    if len(taken) >= LEAST_EVIDENCE:
        margins = float(np.median(before) + np.median(after)) if len(before) and len(after) else 0.0
        found["min_pause"] = _length(shortest_pause(taken, left - margins))
    shots = _all(lessons, "shots")
    if len(shots) >= LEAST_EVIDENCE:
        found["min_shot"] = _length(np.clip(np.min(shots), 0.1, 0.5))
    joins = sum(lesson.cuts for lesson in lessons)
    dissolves = _all(lessons, "dissolves")
    if joins >= LEAST_JOINS:
        usual = len(dissolves) >= joins / 2
        found["dissolve"] = _length(np.median(dissolves)) if usual else "0s"
    stayed = _all(lessons, "takes")
    if len(stayed) >= LEAST_LINES:
        counts = [int((stayed == which).sum()) for which in range(len(STAYS))]
        most = max(range(len(STAYS)), key=counts.__getitem__)
        if counts[most] >= CLEARLY * len(stayed):
            found["takes"] = STAYS[most]
    return found


def recipe_options(lessons: Sequence[Lesson]) -> dict[str, dict[str, str]]:
    """The options of the other recipes that come nearest to the lessons: short versions keep the
    editor's usual shortest shot, joins and order; shots are found as the editor uses them."""
    short: dict[str, str] = {}
    shots: dict[str, str] = {}
    lengths = _all(lessons, "shots")
    if len(lengths) >= LEAST_EVIDENCE:
        usual, least = np.percentile(lengths, (10, 5))
        short["min_shot"] = _length(np.clip(usual, 0.5, 4.0))
        shots["min_shot"] = _length(np.clip(least, 0.1, 1.0))
    if (joined := options(lessons).get("dissolve")) is not None:
        short["dissolve"] = joined
    joins = sum(lesson.cuts for lesson in lessons)
    if joins >= LEAST_EVIDENCE and not len(_all(lessons, "dissolves")):
        shots["transitions"] = "cut"
    forwards = _all(lessons, "in_order")
    if len(forwards) >= LEAST_EVIDENCE and not 0.4 < forwards.mean() < 0.8:
        short["order"] = "time" if forwards.mean() >= 0.8 else "score"
    return {name: made for name, made in (("highlights", short), ("shots", shots)) if made}


def shortest_pause(taken: Array, left: Array) -> float:
    """The length from which pauses are taken out, in seconds: the one that puts the fewest pauses
    on the wrong side. ``taken`` were taken out, ``left`` would have been as long."""
    left = left[left > 0]
    lengths = np.unique(np.concatenate([taken, left, [0.1]]))
    wrong = [(taken < length).sum() + (left >= length).sum() for length in lengths]
    return float(np.clip(lengths[int(np.argmin(wrong))], 0.1, 5.0))


def leaning(lessons: Sequence[Lesson]) -> Leaning | None:
    """What tells kept moments from dropped ones; None where there is too little of either.

    Lessons from before the edit network was replaced by the latest one are left out.
    """
    network = lessons[-1].network if lessons else ""
    tables = [
        lesson.table()
        for lesson in lessons
        if lesson.features == MOMENT_FEATURES and lesson.network == network
    ]
    if not tables:
        return None
    values = np.concatenate([table[0] for table in tables])
    kept = np.concatenate([table[1] for table in tables])
    if min((kept > 0.5).sum(), (kept <= 0.5).sum()) < LEAST_MOMENTS:
        return None
    mean, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-3)
    scaled = np.clip((values - mean) / spread, -5, 5)
    # Lessons count alike, however long their media are.
    weight = np.concatenate([np.full(len(t[1]), 1 / len(t[1])) for t in tables])
    weights = _regression(scaled, kept, weight / weight.mean())
    return Leaning(
        MOMENT_FEATURES,
        tuple(np.round(mean, 6).tolist()),
        tuple(np.round(spread, 6).tolist()),
        tuple(np.round(weights[1:], 6).tolist()),
        float(np.round(weights[0], 6)),
        1.0,
        network,
    )


def _regression(values: Array, kept: Array, weight: Array) -> Array:
    """Bias and weights of the penalised logistic regression."""
    inputs = np.column_stack([np.ones(len(values)), values])
    penalty = np.full(inputs.shape[1], _PENALTY)
    penalty[0] = 1e-6
    found = np.zeros(inputs.shape[1])
    for _ in range(_ROUNDS):
        said = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (weight * (kept - said)) - penalty * found
        curve = (inputs * (weight * np.maximum(said * (1 - said), 1e-5))[:, None]).T @ inputs
        step = np.linalg.solve(curve + np.diag(penalty), slope)
        found = found + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(found)


def _all(lessons: Sequence[Lesson], name: str) -> Array:
    return np.array([value for lesson in lessons for value in getattr(lesson, name)], float)


def _length(seconds: float) -> str:
    return f"{float(seconds):.3f}".rstrip("0").rstrip(".") + "s"
