"""The whole edit network trained further on what one editor keeps, without forgetting the rest.

Every step of training sees windows of the editor's rushes, with what they kept of them, and windows
of un-edited rushes with their exact truth. On the latter the network must moreover say what it said
before (distillation: Li and Hoiem, "Learning without Forgetting", 2016). Of several editor's
timelines the last one is held out and only measured. The network is taken where it does best on
that, among those that have lost at most ``MOST_LOST`` on the general validation rushes; where none
is better than the network one began with, nothing is written.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from .. import __version__
from ..edit_spec import EditSpec
from ..errors import ModelError, UsageError
from ..files import replacing
from ..spec import LICENCE_KEY, PROVENANCE_KEY, SPEC_KEY
from .edit_export import edit_parity, restored, write_edit_onnx
from .edit_network import EditAnswer, EditNetwork
from .edit_score import EditScores, scored
from .export import WORST_DIFFERENCE, stored
from .from_onnx import network_from
from .rushes import Rush

MOST_LOST = 0.01
"""How much the mean F1 on the general validation rushes may fall."""
KEEP = 0
"""The operation that keeps a step."""

Example = tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class FinetuneConfig:
    """How to train further. ``batch`` windows are of the editor and as many of un-edited rushes;
    ``w_old`` weighs saying what was said before. Every ``measure_every`` steps it is measured."""

    steps: int = 40
    batch: int = 4
    rate: float = 3e-4
    w_old: float = 1.0
    measure_every: int = 10
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True)
class Finetuned:
    """What training showed: mean F1 on the general validation rushes, and the share of moments of
    the editor's held-out timeline (of all, where there is only one) that are told right, before and
    after."""

    general_before: float
    general_after: float
    editor_before: float
    editor_after: float
    held_out: bool
    steps: int


@dataclass(frozen=True)
class _Windows:
    """``(B, ...)``; ``kept`` and ``counts`` of the decoded steps, run-up included."""

    steps: Tensor
    kept: Tensor
    counts: Tensor


def beginning(network: Path, checkpoint: Path | None) -> EditNetwork:
    """The network to begin with: a checkpoint, or what comes out of an ONNX file.

    Raises:
        ModelError: it cannot be used.
    """
    if checkpoint is None:
        return network_from(network)
    return restored(stored(checkpoint))


def finetune(
    network: EditNetwork,
    lessons: Sequence[Sequence[Example]],
    rushes: Sequence[Rush],
    held: Sequence[Rush],
    config: FinetuneConfig,
    progress: Callable[[int, int], None] | None = None,
) -> Finetuned:
    """Train ``network``, in place, on the examples of every lesson and on un-edited ``rushes``.

    ``held`` are the general validation rushes.

    Raises:
        UsageError: too little to learn from. ModelError: nothing was gained, or too much lost; the
        network is as it was.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    held_out = len(lessons) > 1
    teaching = [each for lesson in (lessons[:-1] if held_out else lessons) for each in lesson]
    asked = list(lessons[-1]) if held_out else teaching
    if not teaching or not rushes:
        raise UsageError(
            "there are no examples to train on",
            "Type: mapedit learn --style NAME TIMELINE with this version, then finetune again.",
        )
    spec, before = network.config.spec, copy.deepcopy(network.eval())
    general, editor = scored(network, held), told_right(network, asked)
    best: tuple[float, float, int] = (editor, general.mean, 0)
    kept_state = copy.deepcopy(network.state_dict())
    # Running means of the normalisations stay: a handful of windows says nothing about them.
    optimiser = torch.optim.Adam(network.parameters(), lr=config.rate)
    for step in range(1, config.steps + 1):
        rng = np.random.default_rng([config.seed, step])
        theirs = _drawn(rng, teaching, spec, config.batch)
        ours = _drawn_rushes(rng, rushes, spec, config.batch)
        loss = _loss(network, before, theirs, ours, config.w_old)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if progress is not None:
            progress(step, config.steps)
        if step % config.measure_every == 0 or step == config.steps:
            now, right = scored(network, held).mean, told_right(network, asked)
            if right > best[0] and now >= general.mean - MOST_LOST:
                best, kept_state = (right, now, step), copy.deepcopy(network.state_dict())
            last = now
    network.load_state_dict(kept_state)
    network.eval()
    if not best[2]:
        raise _nothing_gained(general, last)
    return Finetuned(general.mean, best[1], editor, best[0], held_out, best[2])


def _nothing_gained(general: EditScores, last: float) -> ModelError:
    lost = general.mean - last
    if lost > MOST_LOST:
        return ModelError(
            f"trained on this editor the network loses {100 * lost:.1f} points in general, more "
            f"than {100 * MOST_LOST:.0f}; nothing was written",
            "Learn from more timelines first, or train more gently: --rate 1e-4",
        )
    return ModelError(
        "training does not tell better what this editor keeps; nothing was written",
        "The style works without it; learn from more timelines first.",
    )


def _loss(
    network: EditNetwork, before: EditNetwork, theirs: _Windows, ours: dict[str, Tensor], old: float
) -> Tensor:
    """Cross-entropy of what the editor keeps and of the truth of un-edited rushes, and how far the
    answer for the latter is from the one before."""
    logits = network(theirs.steps).operation
    surely = functional.logsigmoid(_keep_logit(logits))
    never = functional.logsigmoid(-_keep_logit(logits))
    editor = -_mean(theirs.kept * surely + (1 - theirs.kept) * never, theirs.counts)
    said = network(ours["steps"])
    truth = functional.cross_entropy(
        said.operation.transpose(1, 2), ours["operation"], reduction="none"
    )
    with torch.no_grad():
        was = before(ours["steps"])
    return editor + _mean(truth, ours["counts"]) + old * _apart(said, was, ours["counts"])


def _keep_logit(logits: Tensor) -> Tensor:
    """Log odds of keeping, from the logits of all operations."""
    others = torch.cat([logits[..., :KEEP], logits[..., KEEP + 1 :]], -1)
    return logits[..., KEEP] - others.logsumexp(-1)


def _apart(said: EditAnswer, was: EditAnswer, counts: Tensor) -> Tensor:
    """How far two answers are from each other, in everything that is said."""
    operation = functional.kl_div(
        said.operation.log_softmax(-1), was.operation.log_softmax(-1), reduction="none",
        log_target=True,
    ).sum(-1)  # fmt: skip
    speed = functional.kl_div(
        said.speed.log_softmax(-1), was.speed.log_softmax(-1), reduction="none", log_target=True
    ).sum(-1)
    flags = [(said.splice, was.splice), (said.grade, was.grade), (said.importance, was.importance)]
    rest = torch.stack([(one.sigmoid() - two.sigmoid()).square() for one, two in flags]).sum(0)
    quality = (said.quality.sigmoid() - was.quality.sigmoid()).square().mean(-1)
    return _mean(operation + speed + rest + quality, counts)


def told_right(network: EditNetwork, examples: Sequence[Example]) -> float:
    """Share of moments, kept and dropped ones weighing alike, that the network tells right."""
    hits, counts = np.zeros(2), np.zeros(2)
    for steps, kept in examples:
        said = keeps(network, steps) > 0.5
        wanted = kept > 0.5
        for kind in (0, 1):
            part = wanted == bool(kind)
            hits[kind] += (said[part] == wanted[part]).sum()
            counts[kind] += part.sum()
    there = counts > 0
    return float((hits[there] / counts[there]).mean()) if there.any() else 0.0


def keeps(network: EditNetwork, steps: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probability of keeping every step ``[n]`` of a file, by the windows that the product uses."""
    spec = network.config.spec
    found = []
    with torch.no_grad():
        for window in spec.windows(len(steps)):
            seen = torch.from_numpy(spec.gather(steps, window))[None]
            share = network(seen).operation.softmax(-1)[0, :, KEEP].numpy()
            found.append(share[spec.run_up : spec.run_up + window.keep_stop - window.keep_first])
    return np.concatenate(found).astype(np.float64) if found else np.zeros(0)


def _drawn(
    rng: np.random.Generator, examples: Sequence[Example], spec: EditSpec, count: int
) -> _Windows:
    """Random windows of an editor's rushes, the longer the rush the likelier."""
    lengths = np.array([len(steps) for steps, _ in examples], float)
    rows = []
    for number in rng.choice(len(examples), count, p=lengths / lengths.sum()):
        steps, kept = examples[int(number)]
        first = _first(rng, len(steps), spec)
        at = np.arange(first - spec.run_up, first + spec.stride)
        inside = (at >= 0) & (at < len(steps))
        at = np.clip(at, 0, len(steps) - 1)
        seen = steps.copy()
        seen[:, : spec.features.index("mel change 0")] += rng.normal(0, 0.3)
        rows.append((_seen(seen, spec, first), kept[at].astype(np.float32), inside))
    return _Windows(
        torch.from_numpy(np.stack([row[0] for row in rows])),
        torch.from_numpy(np.stack([row[1] for row in rows])),
        torch.from_numpy(np.stack([row[2] for row in rows]).astype(np.float32)),
    )


def _drawn_rushes(
    rng: np.random.Generator, rushes: Sequence[Rush], spec: EditSpec, count: int
) -> dict[str, Tensor]:
    rows: list[dict[str, Any]] = []
    for number in rng.integers(len(rushes), size=count):
        rush = rushes[int(number)]
        first = _first(rng, len(rush.steps), spec)
        at = np.arange(first - spec.run_up, first + spec.stride)
        inside = (at >= 0) & (at < len(rush.steps))
        operation = rush.operation[np.clip(at, 0, len(rush.steps) - 1)]
        seen = _seen(rush.steps, spec, first)
        rows.append({"steps": seen, "operation": operation, "counts": inside.astype(np.float32)})
    return {
        name: torch.from_numpy(np.stack([row[name] for row in rows]))
        for name in ("steps", "operation", "counts")
    }


def _first(rng: np.random.Generator, count: int, spec: EditSpec) -> int:
    last = max(1, count - spec.stride // 2)
    return int(rng.integers(-spec.run_up, last)) // spec.slot * spec.slot


def _seen(steps: npt.NDArray[np.float32], spec: EditSpec, first: int) -> npt.NDArray[np.float32]:
    """What the network sees whose answered steps begin at ``first``."""
    low, high = first - spec.before, first + spec.stride + spec.after
    seen = np.zeros((spec.window, len(spec.features)), np.float32)
    start, stop = max(0, low), min(len(steps), high)
    if start < stop:
        seen[start - low : stop - low] = steps[start:stop]
    return seen


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    return (values * counts).sum() / counts.sum().clamp(min=1)


def write(network: EditNetwork, out: Path, licence: str, origin: dict[str, Any]) -> None:
    """Write the network as ONNX, whole or not at all; ``origin`` says what it was made from.

    Raises:
        ModelError: torch and onnxruntime differ. OutputError: it cannot be written.
    """
    metadata = {
        SPEC_KEY: network.config.spec.to_json(),
        PROVENANCE_KEY: json.dumps(
            {**origin, "generator": f"otio-mapedit {__version__}"}, sort_keys=True
        ),
        LICENCE_KEY: licence,
    }
    with replacing(out, force=True) as partial:
        write_edit_onnx(network, partial, metadata)
        difference = edit_parity(network, partial)
        if difference > WORST_DIFFERENCE:
            raise ModelError(
                f"torch and onnxruntime differ by {difference:.2g} on the personal network",
                f"Nothing was written; only up to {WORST_DIFFERENCE:g} is accepted.",
            )
