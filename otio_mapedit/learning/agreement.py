"""How well importance scores agree with people: rank correlation, and F-score of a summary.

F-score alone says little: where a summary is made of the segments that fill 15 % of a video best,
random scores reach nearly as much as people do (Otani, Nakashima, Rahtu and Heikkila, "Rethinking
the Evaluation of Video Summaries", CVPR 2019). So rank correlation is measured too, and people,
chance and position stand beside every figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..knapsack import knapsack

#: Share of a video that a summary may fill, in the protocol of TVSum and SumMe.
SHARE = 0.15
#: Rows of a matrix of pairs that are compared at a time.
_ROWS = 256

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One scorer against the people who rated a video. NaN where it cannot be told, such as for
    scores that are all the same."""

    kendall: float  # tau-b with each person, mean over them
    spearman: float  # rho with each person, mean over them
    kendall_mean: float  # tau-b with the mean of all people
    spearman_mean: float
    f_score: float  # of the summary against each person's: mean or maximum, as the set has it


def spearman_matrix(rows: Array) -> Array:
    """Spearman's rho of every two rows of ``rows`` [k, n]: [k, k]; ties share their mean rank."""
    ranks = np.stack([_ranks(row) for row in rows])
    return _cosines(ranks - ranks.mean(axis=1, keepdims=True))


def kendall_matrix(rows: Array) -> Array:
    """Kendall's tau-b (Kendall 1945) of every two rows of ``rows`` [k, n]: [k, k].

    Tau-b is the cosine between the signs of all pairwise differences; n rows of differences are
    never held at once.
    """
    columns, weights = np.unique(
        np.stack([_ranks(row) for row in rows]).astype(np.float32), axis=1, return_counts=True
    )
    total = np.zeros((len(rows), len(rows)))
    for first in range(0, columns.shape[1], _ROWS):
        part = slice(first, first + _ROWS)
        signs = np.sign(columns[:, part, None] - columns[:, None, :])
        weighted = signs * weights[part, None].astype(np.float32) * weights.astype(np.float32)
        total += weighted.reshape(len(rows), -1) @ signs.reshape(len(rows), -1).T
    return _normalised(total)


def segment_means(scores: Array, segments: Array) -> Array:
    """Mean of ``scores`` [frames] over each of ``segments`` [n, 2] (first, stop): [n]."""
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])
    sums: Array = total[segments[:, 1]] - total[segments[:, 0]]
    return sums / _lengths(segments)


def summary(scores: Array, segments: Array, share: float = SHARE) -> NDArray[np.bool_]:
    """The frames of the summary that the scores [frames] make: whole segments with the greatest
    mean scores that fit into ``share`` of the video, by knapsack, as TVSum and SumMe do it."""
    frames = len(scores)
    values = segment_means(scores, segments)
    # Ratings start at 1; scores of a machine may be anything. What counts is which is larger.
    values = values - min(0.0, float(values.min())) + 1e-9
    chosen = knapsack(values, _lengths(segments), int(frames * share))
    made = np.zeros(frames, bool)
    for first, stop in segments[chosen]:
        made[first:stop] = True
    return made


def f_scores(made: NDArray[np.bool_], people: NDArray[np.bool_]) -> Array:
    """F-score of one summary [frames] against each of ``people`` [users, frames]: [users]."""
    both = (people & made).sum(axis=1)
    found: Array = 2 * both / np.maximum(people.sum(axis=1) + made.sum(), 1)
    return found


def uniform_segments(frames: int, length: int) -> Array:
    """``frames`` cut into segments of ``length``, the last one shorter: [n, 2] (first, stop)."""
    edges = np.append(np.arange(0, frames, max(1, length)), frames)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def mean_of(found: Sequence[Agreement]) -> Agreement:
    """The mean over several videos; what could not be told for one does not count."""
    columns = np.array([astuple(each) for each in found], float).reshape(-1, 5)
    known = ~np.isnan(columns)
    counts = known.sum(axis=0)
    sums = np.where(known, columns, 0.0).sum(axis=0)
    return Agreement(*np.where(counts, sums / np.maximum(counts, 1), np.nan).tolist())


def _lengths(segments: Array) -> Array:
    lengths: Array = segments[:, 1] - segments[:, 0]
    return lengths


def _ranks(row: Array) -> Array:
    """Rank of each value, from 0; ties share their mean rank."""
    _, inverse, counts = np.unique(row, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts + 1) / 2)[inverse]
    return ranks


def _cosines(rows: Array) -> Array:
    return _normalised(rows @ rows.T)


def _normalised(products: Array) -> Array:
    """Products of rows as cosines; NaN for rows that are all the same."""
    size = np.sqrt(np.diag(products))
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines: Array = products / (size[:, None] * size)
    return np.where(size[:, None] * size > 0, cosines, np.nan)
