"""Windows of rushes with their truth, as batches to learn from.

What is drawn for training is varied where that costs nothing: whether there is a picture, gain,
colour and noise of the sound, and the length of the speaker's vocal tract and the pitch, so that
voices are not learned by heart (vocal tract length perturbation, Jaitly and Hinton 2013); nor are
the looks of pictures, of which half of the windows have only what they say against each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..edit_spec import (
    FEATURES,
    LAGS,
    LOOK,
    MEL_BANDS,
    OPERATIONS,
    PICTURE_FEATURES,
    EditSpec,
)
from ..step_context import warp
from .rushes import Rush

#: How often the pictures of a window are hidden where everything that it asks for can be heard.
_HIDDEN = 0.25
#: How often a window does not say what its pictures look like by themselves.
_UNLOOKED = 0.5
_TRACT, _PITCH = 0.13, 0.2
"""By how much speakers differ: logarithm of the vocal tract's length, octaves of pitch besides."""
_CHANGE, _PACE = 0.06, 0.12
"""How fast somebody speaks: log10 of spectral changes, logarithm of the pace. With
what a voice is like by itself taken away, another speed is told by what is around it."""
_CHANGES = [FEATURES.index(f"spectral change in {10 * lag} ms") for lag in LAGS]
_CHANGES_HERE = [FEATURES.index(f"spectral change in {10 * lag} ms here") for lag in LAGS]
_LOOKS = [FEATURES.index(f"look {number}") for number in range(LOOK)]
_SEEN_ONLY = [OPERATIONS.index(name) for name in ("covered", "unsteady", "frozen")]


@dataclass(frozen=True)
class Windows:
    """Windows of rushes with their truth, ``(B, D, ...)`` but for the steps ``(B, window, F)``.

    ``target`` is the slot of the attention that a step should look at, -1 where it does not
    matter; ``counts`` is 0 outside the file.
    """

    steps: Tensor
    operation: Tensor
    splice: Tensor
    speed: Tensor
    grade: Tensor
    importance: Tensor
    quality: Tensor
    target: Tensor
    counts: Tensor

    def to(self, device: str | torch.device) -> Windows:
        """The same, where it is computed with."""
        return Windows(
            **{one.name: getattr(self, one.name).to(device) for one in dataclasses.fields(self)}
        )


def cut_window(rush: Rush, spec: EditSpec, first: int) -> dict[str, np.ndarray]:
    """The window whose answered steps begin at step ``first`` of a rush, with its truth.

    A splice is asked for within a step, as sound alone does not tell it more exactly.
    """
    window = dataclasses.replace(
        spec.window_at(0),
        first=first - spec.before,
        stop=first + spec.stride + spec.after,
    )
    at = np.arange(first - spec.run_up, first + spec.stride)
    inside = (at >= 0) & (at < len(rush.steps))
    at = np.clip(at, 0, len(rush.steps) - 1)
    target = np.round(rush.target[at] + spec.past + (at % spec.slot) / spec.slot - 0.5)
    near = np.maximum.reduce([np.roll(rush.splice, by) for by in (-1, 0, 1)])
    usable = (rush.target[at] > 0) & (target < spec.reach) & inside
    return {
        "steps": spec.gather(rush.steps, window),
        **{
            name: getattr(rush, name)[at]
            for name in ("operation", "speed", "grade", "importance", "quality")
        },
        "splice": near[at],
        "target": np.where(usable, target, -1).astype(np.int64),
        "counts": inside.astype(np.float32),
    }


def windows(rushes: Sequence[Rush], spec: EditSpec, firsts: Sequence[tuple[int, int]]) -> Windows:
    """The windows ``(rush, first step)`` as tensors."""
    cut = [cut_window(rushes[number], spec, first) for number, first in firsts]
    return Windows(
        **{name: torch.from_numpy(np.stack([one[name] for one in cut])) for name in cut[0]}
    )


def draw(rng: np.random.Generator, rushes: Sequence[Rush], spec: EditSpec, count: int) -> Windows:
    """Random windows, their sound varied and their looks hidden in half."""
    firsts = []
    for _ in range(count):
        number = int(rng.integers(len(rushes)))
        last = max(1, len(rushes[number].steps) - spec.stride // 2)
        first = int(rng.integers(-spec.run_up, last)) // spec.slot * spec.slot
        firsts.append((number, first))
    made = windows(rushes, spec, firsts)
    _vary(rng, made.steps)
    _hide(rng, made)
    unlooked = torch.from_numpy(rng.random(count) < _UNLOOKED)
    for column in _LOOKS:
        made.steps[unlooked, :, column] = 0
    return made


def _hide(rng: np.random.Generator, made: Windows) -> None:
    """Take the pictures out of some windows, in place, as if the film had only sound: splices, of
    which sound alone says less, are else learned from pictures."""
    seen = torch.isin(made.operation, torch.tensor(_SEEN_ONLY)).any(1) | (made.grade > 0).any(1)
    heard = (made.steps[..., FEATURES.index("has sound")] > 0).any(1)
    drawn = torch.from_numpy(rng.random(len(seen)) < _HIDDEN)
    rows = torch.nonzero(drawn & heard & ~seen)[:, 0]
    for name in (*PICTURE_FEATURES, "has picture"):
        made.steps[rows, :, FEATURES.index(name)] = 0


def _vary(rng: np.random.Generator, steps: Tensor) -> None:
    """Change the sound of windows ``(B, T, F)`` in place, each as a whole."""
    count = len(steps)
    mel = slice(0, MEL_BANDS)
    level = [FEATURES.index(name) for name in ("level", "level least", "level most")]
    inside = (
        steps[..., FEATURES.index("inside"), None] * steps[..., FEATURES.index("has sound"), None]
    )
    gain = rng.normal(0, 0.15, (count, 1, 1))
    bands = np.linspace(-1, 1, MEL_BANDS)
    colour = 2 * gain + rng.normal(0, 0.3, (count, 1, 1)) * bands
    colour = colour + rng.normal(0, 0.2, (count, 1, 1)) * bands**2
    factors = np.exp(rng.normal(0, _TRACT, count))
    warps = torch.from_numpy(np.stack([warp(one) for one in factors]).astype(np.float32))
    grain = rng.standard_normal(steps[..., mel].shape, np.float32) * np.float32(0.05)
    varied = steps[..., mel] @ warps + torch.from_numpy(colour.astype(np.float32) + grain)
    steps[..., mel] = varied * inside
    steps[..., level] += torch.from_numpy(gain.astype(np.float32)) * inside
    octaves = np.log2(factors)[:, None] + rng.normal(0, _PITCH, (count, 1))
    steps[..., FEATURES.index("pitch")] += (
        torch.from_numpy(octaves.astype(np.float32)) * inside[..., 0]
    )
    haste = rng.normal(0, 1, (count, 1))
    steps[..., FEATURES.index("speech pace")] *= torch.from_numpy(
        np.exp(_PACE * haste).astype(np.float32)
    )
    faster = _CHANGE * (haste[..., None] + 0.3 * rng.normal(0, 1, (count, 1, len(LAGS))))
    for names in (_CHANGES, _CHANGES_HERE):
        known = steps[..., names] != 0
        steps[..., names] += torch.from_numpy(faster.astype(np.float32)) * known


def spread_of(rushes: Sequence[Rush]) -> tuple[Tensor, Tensor]:
    """Mean and spread of every feature over some rushes; flags and lags keep their size."""
    every = np.concatenate([rush.steps[::7] for rush in rushes])
    mean, spread = every.mean(axis=0), np.maximum(every.std(axis=0), 0.02)
    for name in ("inside", "has sound", "has picture"):
        mean[FEATURES.index(name)], spread[FEATURES.index(name)] = 0, 1
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(spread.astype(np.float32))
