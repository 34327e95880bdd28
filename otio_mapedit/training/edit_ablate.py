"""What each part of the edit network is worth: the same short training without it, or the trained
network with the part taken away."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch

from ..edit_spec import (
    FEATURES,
    PICTURE_FEATURES,
    REPEAT_FEATURES,
    SHOT_NETWORK_FEATURES,
    SOUND_FEATURES,
)
from ..errors import OptionError
from ..files import write_text
from . import rush_store
from .edit_export import restored
from .edit_network import EditNetwork, Prepared
from .edit_score import EditScores, scored
from .edit_train import EditState, EditTrainConfig
from .edit_windows import draw
from .export import stored
from .rushes import Rush
from .side_by_side import answers

#: Changes of the network, and of the training, by the name of the variant.
VARIANTS: dict[str, dict[str, Any]] = {
    "whole": {},
    "no attention": {"network": {"attention": False}},
    "with an encoder GRU": {"network": {"recurrent": True}},
    "encoder GRU both ways": {"network": {"recurrent": True, "both_ways": True}},
    "single scale": {"network": {"scales": False}},
    "no sound": {"network": {"sound": False}},
    "no repetitions": {"network": {"repeats": False}},
    "no picture": {"network": {"picture": False}},
    "no shot network": {"network": {"watched": False}},
    "no reconstruction": {"w_recon": 0.0},
    "no regularisation": {"w_reg": 0.0},
    "no asking of the attention": {"w_attend": 0.0},
    "no scheduled sampling": {"sampled": False},
    "half the attention's window": {"seen": 0.5},
    "half as wide": {"network": {"width": 24, "encoded": 32, "memory": 24, "state": 32}},
    "half as wide again": {"network": {"width": 72, "encoded": 96, "memory": 72, "state": 96}},
}
#: What can be taken away from a trained network.
LESIONS = (
    "nothing taken away",
    "attention taken away",
    "memory shuffled",
    "previous operation hidden",
    "sound and repetitions hidden",
    "repetitions hidden",
    "picture hidden",
    "shot network hidden",
)
_NAMED = ("keep", "drop", "retake", "splice", "speed")


def variant(config: EditTrainConfig, name: str, seed: int, steps: tuple[int, int]) -> Any:
    """The configuration of a variant, which begins from nothing."""
    changes = dict(VARIANTS[name])
    network = replace(config.network, **changes.pop("network", {}))
    spec, seen = network.spec, changes.pop("seen", 1.0)
    spec = replace(spec, past=int(spec.past * seen), future=int(spec.future * seen))
    network = replace(network, spec=spec)
    return replace(
        config.from_nothing,
        network=network,
        seed=seed,
        warm_steps=steps[0],
        steps=steps[1],
        out=config.out.with_name("never-written"),
        **changes,
    )


def run(
    config: EditTrainConfig,
    rushes: Sequence[Rush],
    held: Sequence[Rush],
    progress: Callable[[int, int], None] | None = None,
) -> EditScores:
    """One short training from nothing, and its scores on ``held`` at its end."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    state = EditState(config, rushes)
    whole = config.warm_steps + config.steps
    while state.step < whole:
        rng = np.random.default_rng([config.seed, state.step])
        state.learn(draw(rng, rushes, config.network.spec, config.batch))
        if progress is not None:
            progress(state.step, whole)
    return scored(state.average.module, held)


def ablate(
    config: EditTrainConfig,
    out: Path,
    seeds: int,
    names: Sequence[str],
    steps: tuple[int, int],
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """Mean and spread of every variant's scores; ``out`` holds every run and is gone on with.

    The configuration's ``workers`` say how many runs go beside each other.

    Raises OptionError for a variant that is not known.
    """
    if unknown := [name for name in names if name not in VARIANTS]:
        raise OptionError(f"no variant {unknown[0]!r}", "Known: " + ", ".join(VARIANTS))
    runs: dict[str, dict[str, float]] = {}
    if out.exists():
        runs = json.loads(out.read_text(encoding="utf-8"))
    config.material()  # made before several processes ask for it
    wanted = [
        (config, name, seed, steps)
        for seed in range(1, seeds + 1)
        for name in names or VARIANTS
        if _key(name, seed, steps) not in runs
    ]
    rows = answers(_ran, wanted, config.workers)
    for done, ((_, name, seed, _), scores) in enumerate(zip(wanted, rows, strict=True)):
        runs[_key(name, seed, steps)] = numbers(scores)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, json.dumps(runs, indent=1) + "\n", force=True)
        progress(f"{name}, seed {seed}", done + 1, len(wanted))
    return _table(runs, steps)


def _ran(job: tuple[EditTrainConfig, str, int, tuple[int, int]]) -> EditScores:
    """One run of an ablation."""
    return run(variant(*job), *job[0].material())


def _key(name: str, seed: int, steps: tuple[int, int]) -> str:
    return f"{name}/{seed}/{steps[0]}/{steps[1]}"


class _Shuffled(EditNetwork):
    """A network whose memory does not stand where it was made."""

    def prepare(self, steps: torch.Tensor) -> Prepared:
        """See :class:`EditNetwork`."""
        parts = super().prepare(steps)
        mixed = torch.randperm(parts.slots.shape[1], generator=torch.Generator().manual_seed(1))
        return replace(parts, slots=parts.slots[:, mixed], keys=parts.keys[:, mixed])


def lesioned(network: EditNetwork, name: str) -> EditNetwork:
    """A copy of a trained network with something taken away."""
    hurt = copy.deepcopy(network)
    hidden: tuple[str, ...] = ()
    if name == "attention taken away":
        hurt.config = replace(hurt.config, attention=False)
    elif name == "memory shuffled":
        hurt.__class__ = _Shuffled
    elif name == "previous operation hidden":
        hurt.before.weight.data.zero_()
    elif name == "sound and repetitions hidden":
        hidden = (*SOUND_FEATURES, *REPEAT_FEATURES)
    elif name == "repetitions hidden":
        hidden = REPEAT_FEATURES
    elif name == "picture hidden":
        hidden = PICTURE_FEATURES
    elif name == "shot network hidden":
        hidden = SHOT_NETWORK_FEATURES
    if hidden:
        hurt.reader.get_buffer("shown")[[FEATURES.index(one) for one in hidden]] = 0
    if set(REPEAT_FEATURES) <= set(hidden):
        hurt.match.data.zero_()
    return hurt


def take_away(
    config: EditTrainConfig, checkpoint: Path, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Scores of a trained network on the validation rushes, as a whole and without its parts.

    Raises ModelError when the checkpoint cannot be used.
    """
    torch.set_num_threads(config.threads)
    network, first = restored(stored(checkpoint)), rush_store.VALIDATION_FROM
    held = rush_store.make(config.rush_set, range(first, first + config.validation))
    table = {}
    for number, name in enumerate(LESIONS):
        progress(name, number, len(LESIONS))
        row = numbers(scored(lesioned(network, name), held))
        table[name] = {"runs": 1, "mean": row, "spread": dict.fromkeys(row, 0.0)}
    return table


def numbers(scores: EditScores) -> dict[str, float]:
    """What is compared."""
    return {
        "mean": scores.mean,
        **{name: scores.counts[name].f1 for name in _NAMED},
        "pointed": scores.pointed / max(1, scores.pointing),
    }


def _table(runs: dict[str, dict[str, float]], steps: tuple[int, int]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name in VARIANTS:
        mine = [
            scores
            for key, scores in runs.items()
            if key.split("/")[0] == name and key.endswith(f"/{steps[0]}/{steps[1]}")
        ]
        if mine:
            table[name] = {
                "runs": len(mine),
                "mean": {part: mean(one[part] for one in mine) for part in mine[0]},
                "spread": {
                    part: stdev(one[part] for one in mine) if len(mine) > 1 else 0.0
                    for part in mine[0]
                },
            }
    return table
