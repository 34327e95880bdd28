"""Which pieces of footage stand for the whole, within a duration.

What is sought is a set S of pieces with the greatest

    F(S) = mean importance of what fills the duration
           + represent * sum over kinds k of weight(k) * greatest likeness of a piece in S to k

The second term is how well S reconstructs the footage when every moment is replaced by the most
similar one that was chosen (facility location; Gygli, Grabner and Van Gool, CVPR 2015, use it for
summaries). Because a second piece of a kind adds little, it keeps the choice diverse. F is
submodular, so it is maximised by modular lower bounds that are tight at the present choice (Iyer,
Jegelka and Bilmes, ICML 2013), each solved exactly as a knapsack, from a greedy beginning; a step
that does not improve F ends it. Kinds are at most :data:`KINDS` clusters of pieces, so that time
and memory are linear in the length of the footage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..knapsack import knapsack

Array = NDArray[Any]

#: Most kinds that the footage is divided into, and rounds of finding them.
KINDS, _ROUNDS = 128, 6
#: Importance that is not worth a place, however much room there is.
NOTHING = 0.05
#: Most steps of improvement.
_STEPS = 8


@dataclass(frozen=True)
class Choice:
    """What was chosen of n pieces. For those that were not, ``nearest`` is the chosen piece that
    stands for them and ``likeness`` how well, 0 to 1."""

    chosen: NDArray[np.bool_]  # [n]
    share: Array  # float [n], of the footage that each chosen piece stands for
    nearest: Array  # int [n]; -1 where nothing was chosen
    likeness: Array  # float [n]


def choose(
    importance: Array, lengths: Array, looks: Array, budget: int, represent: float
) -> Choice:
    """The best set of pieces that fits into ``budget``.

    ``importance`` [n], 0 to 1; ``lengths`` [n] frames; ``looks`` [n, d].
    """
    kinds, weights, width = _kinds(looks, lengths.astype(float))
    likeness = np.exp(-_apart(looks, kinds) / width)
    worth = (importance - NOTHING) * lengths / max(budget, 1)
    goal = _Goal(worth, likeness, weights * represent)
    chosen = goal.greedy(lengths, budget)
    for _ in range(_STEPS):
        better = knapsack(goal.bound(chosen), lengths, budget)
        if goal.value(better) <= goal.value(chosen) + 1e-12:
            break
        chosen = better
    return _told(chosen, looks, lengths, width)


@dataclass(frozen=True)
class _Goal:
    """F of the module's text. ``likeness`` is [pieces, kinds]."""

    worth: Array
    likeness: Array
    weights: Array

    def value(self, chosen: NDArray[np.bool_]) -> float:
        """F of a set."""
        return float(self.worth[chosen].sum() + self._best(chosen) @ self.weights)

    def greedy(self, lengths: Array, budget: int) -> NDArray[np.bool_]:
        """Pieces by what each adds for its length, until nothing more fits."""
        chosen = np.zeros(len(self.worth), bool)
        best, room = np.zeros(len(self.weights)), budget
        while (open_ := np.flatnonzero(~chosen & (lengths <= room))).size:
            gains = self._gains(open_, best)
            if gains.max() <= 0:
                break
            at = open_[int(np.argmax(gains / lengths[open_]))]
            chosen[at] = True
            best = np.maximum(best, self.likeness[at])
            room -= int(lengths[at])
        return chosen

    def bound(self, chosen: NDArray[np.bool_]) -> Array:
        """What each piece adds to those before it, the chosen ones first: never more than F for
        any set, and F itself for the chosen."""
        added = np.zeros(len(self.worth))
        best = np.zeros(len(self.weights))
        members = np.flatnonzero(chosen)
        for at in members[np.argsort(-self.worth[members], kind="stable")]:
            added[at] = self._gains(np.array([at]), best)[0]
            best = np.maximum(best, self.likeness[at])
        others = np.flatnonzero(~chosen)
        alone = self._gains(others, best)
        for at in others[np.argsort(-alone, kind="stable")]:
            added[at] = self._gains(np.array([at]), best)[0]
            best = np.maximum(best, self.likeness[at])
        return added

    def _gains(self, pieces: Array, best: Array) -> Array:
        covers = np.maximum(self.likeness[pieces] - best, 0) @ self.weights
        return np.asarray(self.worth[pieces] + covers)

    def _best(self, chosen: NDArray[np.bool_]) -> Array:
        found = self.likeness[chosen]
        return np.asarray(found.max(axis=0)) if len(found) else np.zeros(len(self.weights))


def _kinds(looks: Array, lengths: Array) -> tuple[Array, Array, float]:
    """The kinds of pieces there are: looks [k, d], weights [k] that sum to 1, and the distance
    squared at which two pieces are hardly alike.

    Lloyd's algorithm from pieces evenly spread over the footage: the same every time.
    """
    count = min(KINDS, len(looks))
    kinds = looks[np.linspace(0, len(looks) - 1, count).round().astype(int)]
    for _ in range(_ROUNDS):
        home = _apart(looks, kinds).argmin(axis=1)
        weights = np.bincount(home, lengths, count)
        sums = np.stack([np.bincount(home, lengths * column, count) for column in looks.T], axis=1)
        kinds = np.where(weights[:, None] > 0, sums / np.maximum(weights, 1e-9)[:, None], kinds)
    apart = _apart(kinds, kinds)
    usual = apart[np.triu_indices(len(kinds), 1)]
    width = float(np.median(usual)) / 2 if len(usual) else 1.0
    return kinds, weights / weights.sum(), max(width, 1e-6)


def _apart(one: Array, other: Array) -> Array:
    """Squared distances [len(one), len(other)]."""
    if not one.shape[1]:
        return np.zeros((len(one), len(other)))
    squares = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * one @ other.T, 0))


def _told(chosen: NDArray[np.bool_], looks: Array, lengths: Array, width: float) -> Choice:
    members = np.flatnonzero(chosen)
    if not len(members):
        nothing = np.zeros(len(chosen))
        return Choice(chosen, nothing, np.full(len(chosen), -1), nothing)
    apart = _apart(looks, looks[members])
    closest = apart.argmin(axis=1)
    closest[members] = np.arange(len(members))
    share = np.zeros(len(chosen))
    share[members] = np.bincount(closest, lengths, len(members)) / lengths.sum()
    likeness = np.exp(-apart[np.arange(len(looks)), closest] / width)
    return Choice(chosen, share, members[closest], likeness)
