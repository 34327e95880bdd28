"""Measuring the edit network against exact truth, step by step.

F1 of an operation counts steps: hit where truth and answer both name it. A splice counts as hit
within two steps of a true one, each once. ``drop`` is every reason together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..edit_inference import peaks
from ..edit_spec import FEATURES, OPERATIONS, EditSpec
from .edit_network import EditNetwork
from .rushes import Rush

TOLERANCE = 2
"""Steps that a splice may be off."""


@dataclass(frozen=True)
class Count:
    """Steps that were hit, missed, and named without being it."""

    hit: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.hit + other.hit, self.missed + other.missed, self.false + other.false)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        whole = 2 * self.hit + self.missed + self.false
        return 2 * self.hit / whole if whole else 1.0

    @property
    def true(self) -> int:
        """How many there are."""
        return self.hit + self.missed


@dataclass(frozen=True)
class Said:
    """An answer for all steps of a rush: operations [n], speeds [n], splice [n], grade [n] and the
    attention [n, reach], of which a method may know only the first."""

    operation: npt.NDArray[Any]
    speed: npt.NDArray[Any]
    splice: npt.NDArray[Any]
    grade: npt.NDArray[Any]
    attention: npt.NDArray[Any]


@dataclass(frozen=True)
class EditScores:
    """Counts by what was asked, and how often the attention of a retake points at the good take
    (within a second and a half)."""

    counts: Mapping[str, Count]
    pointed: int = 0
    pointing: int = 0

    @property
    def mean(self) -> float:
        """Mean F1 of what the goals name."""
        named = ("keep", "drop", "retake", "splice", "speed")
        return sum(self.counts[name].f1 for name in named) / len(named)

    def __add__(self, other: EditScores) -> EditScores:
        names = [*self.counts, *(name for name in other.counts if name not in self.counts)]
        return EditScores(
            {n: self.counts.get(n, Count()) + other.counts.get(n, Count()) for n in names},
            self.pointed + other.pointed,
            self.pointing + other.pointing,
        )


def scored(network: EditNetwork, rushes: Sequence[Rush]) -> EditScores:
    """The scores of a torch network over some rushes."""
    total = EditScores({})
    for rush in rushes:
        total += compare(rush, torch_answer(network, rush), network.config.spec)
    return total


def torch_answer(network: EditNetwork, rush: Rush) -> Said:
    """A torch network's answer for a whole rush, by the windows that the product uses."""
    spec = network.config.spec
    cut = list(spec.windows(len(rush.steps)))
    network.eval()
    with torch.no_grad():
        steps = np.stack([spec.gather(rush.steps, window) for window in cut])
        device = next(network.parameters()).device
        answer = network(torch.from_numpy(steps).to(device))

    def whole(values: torch.Tensor) -> npt.NDArray[Any]:
        parts = [
            part[spec.run_up : spec.run_up + window.keep_stop - window.keep_first]
            for part, window in zip(values.cpu().numpy(), cut, strict=True)
        ]
        return np.concatenate(parts)

    return Said(
        whole(answer.operation).argmax(-1),
        whole(answer.speed).argmax(-1),
        whole(answer.splice.sigmoid()),
        whole(answer.grade.sigmoid()),
        whole(answer.attention),
    )


def compare(rush: Rush, said: Said, spec: EditSpec) -> EditScores:
    """One answer against the truth."""
    counts = {
        name: _count(rush.operation == kind, said.operation == kind)
        for kind, name in enumerate(OPERATIONS)
    }
    counts["drop"] = _count(rush.operation > 0, said.operation > 0)
    again = (2, 3)
    counts["retake or false start"] = _count(
        np.isin(rush.operation, again), np.isin(said.operation, again)
    )
    heard = rush.steps[:, FEATURES.index("has sound")] > 0
    if len(said.speed):
        for kind in (1, 2):
            part = _count((rush.speed == kind) & heard, (said.speed == kind) & heard)
            counts["speed"] = counts.get("speed", Count()) + part
        counts["splice"] = splices(rush.splice > 0, said.splice, spec.splice_threshold)
        counts["grade"] = _count(rush.grade > 0, said.grade > 0.5)
    pointed = pointing = 0
    if len(said.attention):
        wanted = (rush.target > 0) & (rush.target < spec.future - 1)
        at = np.flatnonzero(wanted & np.isin(said.operation, again))
        slots = said.attention[at].argmax(-1) - spec.past - (at % spec.slot) / spec.slot + 0.5
        pointed, pointing = int((np.abs(slots - rush.target[at]) <= 1.5).sum()), len(at)
    return EditScores(counts, pointed, pointing)


def splices(truth: npt.NDArray[Any], probability: npt.NDArray[Any], least: float) -> Count:
    """Splices of at least the probability ``least`` found within the tolerance, each once."""
    true = [int(at) for at in np.flatnonzero(truth)]
    found = peaks(probability, least)
    left = list(true)
    hit = 0
    for at in found:
        near = [one for one in left if abs(one - at) <= TOLERANCE]
        if near:
            left.remove(min(near, key=lambda one: abs(one - at)))
            hit += 1
    return Count(hit, len(left), len(found) - hit)


def _count(truth: npt.NDArray[Any], said: npt.NDArray[Any]) -> Count:
    return Count(int((truth & said).sum()), int((truth & ~said).sum()), int((~truth & said).sum()))


def total(scores: Iterable[EditScores]) -> EditScores:
    """All of them together."""
    return sum(scores, EditScores({}))
