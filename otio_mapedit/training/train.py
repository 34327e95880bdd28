"""Teaching the shot network: one loop, seeded, resumable.

The loss is ``w_recon * L_recon + w_edit * L_edit + w_reg * L_reg``: the reconstruction of a frame's
pooled features from the GRU's state; the cross-entropies of cut, transition, kind and quality; and
the squares of all weights.
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..errors import OptionError
from ..spec import KINDS
from . import corpus as corpora
from . import unedit
from .corpus import Corpus
from .evaluate import Score, score, shots_from_probabilities
from .network import Answer, NetworkConfig, ShotNetwork

VALIDATION_SEED = 1_000_003
"""Seed of the generated edits that training never sees."""
BLIND = 8
"""Frames at either end of a training edit that do not count: their neighbours are not seen."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the outcome of a training run.

    ``manifest`` and ``extra`` name the material (see ``corpus``), ``cache`` where to keep it ready,
    ``out`` the checkpoint. Times and sizes: ``steps`` of ``batch`` edits of ``length`` frames, each
    seen ``reuse`` times; a validation every ``validate_every`` steps, the end after ``patience`` of
    them without progress. ``rate`` is the highest learning rate. The loss: its weights ``w_recon``,
    ``w_edit``, ``w_reg``, and see ``edit_loss`` for ``neighbours``,
    ``positives`` and ``faults``.
    """

    manifest: Path
    cache: Path
    out: Path
    extra: tuple[Path, ...] = ()
    seed: int = 1
    steps: int = 4000
    batch: int = 8
    length: int = 128
    reuse: int = 2
    rate: float = 2e-3
    warmup: int = 200
    w_recon: float = 0.05
    w_edit: float = 1.0
    w_reg: float = 1e-6
    neighbours: float = 0.15
    positives: float = 1.5
    faults: float = 5.0
    clip: float = 2.0
    validate_every: int = 250
    validation_edits: int = 48
    patience: int = 12
    workers: int = 1
    threads: int = 1
    network: NetworkConfig = field(default_factory=NetworkConfig)

    @classmethod
    def from_toml(cls, path: Path) -> TrainConfig:
        """Read a configuration; its keys are the fields, ``[network]`` those of NetworkConfig.

        Paths are relative to the file. Raises OptionError for a key or file that is not right.
        """
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            for key in ("manifest", "cache", "out"):
                values[key] = path.parent / values[key]
            values["extra"] = tuple(path.parent / name for name in values.get("extra", ()))
            network = values.pop("network", {})
            if "widths" in network:
                network["widths"] = tuple(network["widths"])
            return cls(**values, network=NetworkConfig(**network))
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
            raise OptionError(
                f"{path} is no training configuration: {fault}", "See TrainConfig for its keys"
            ) from fault


@dataclass(frozen=True)
class Losses:
    """The loss of one step and its three parts, not yet weighted."""

    total: float
    recon: float
    edit: float
    reg: float


@dataclass(frozen=True)
class TrainProgress:
    """Where training stands; ``f1`` is that of the last validation (tolerance 2), or None."""

    step: int
    steps: int
    losses: Losses
    rate: float
    f1: float | None

    @property
    def loss(self) -> float:
        """The weighted loss."""
        return self.losses.total


@dataclass(frozen=True)
class Batch:
    """Edits as tensors ``(B, T, ...)``; see ``unedit.Example``."""

    frames: Tensor
    cut: Tensor
    transition: Tensor
    kind: Tensor
    quality: Tensor


class _Edits(IterableDataset[unedit.Example]):
    def __init__(self, corpus: Corpus, config: TrainConfig, step: int) -> None:
        self.corpus, self.config, self.step = corpus, config, step

    def __iter__(self) -> Iterator[unedit.Example]:
        worker = get_worker_info()
        number = worker.id if worker else 0
        seed = (self.config.seed * 1009 + number) * 100_003 + self.step
        return unedit.stream(self.corpus, seed, self.config.length, self.config.reuse)


def collate(examples: list[unedit.Example]) -> Batch:
    """Edits of the same length as one batch."""

    def stacked(name: str) -> Tensor:
        return torch.stack([torch.from_numpy(getattr(one, name).copy()) for one in examples])

    return Batch(*(stacked(part.name) for part in dataclasses.fields(Batch)))


def train(config: TrainConfig, progress: Callable[[TrainProgress], None] | None = None) -> Path:
    """Train, or go on where the checkpoint ``config.out`` stands; returns that path.

    The checkpoint holds the running average of the weights that did best on the validation edits
    (``average``) beside what is needed to go on. The same configuration on the same machine with
    the same number of workers gives the same network. Raises MediaError without usable material.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    corpus = corpora.build(config.manifest, config.cache, config.extra)
    state = _State(config)
    loader = DataLoader(
        _Edits(corpus, config, state.step),
        batch_size=config.batch,
        num_workers=config.workers,
        collate_fn=collate,
        worker_init_fn=_modest,
    )
    validation = [
        unedit.example(corpus, VALIDATION_SEED, index, 2 * config.length)
        for index in range(config.validation_edits)
    ]
    sources = [dataclasses.asdict(source) for source in corpus.sources]
    for batch in loader:
        if state.finished():
            break
        losses = state.learn(batch)
        f1 = None
        if state.step % config.validate_every == 0 or state.step == config.steps:
            f1 = validate(state.average.module, validation).f1
            state.keep(f1, sources)
        if progress is not None:
            progress(TrainProgress(state.step, config.steps, losses, state.rate(), f1))
    return config.out


def _modest(worker: int) -> None:
    """A worker makes edits on one thread and lets the network go first."""
    torch.set_num_threads(1)
    os.nice(1)


class _State:
    """The network, its running average, the optimiser, and the best answer so far."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.network = ShotNetwork(config.network).to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.network, avg_fn=_running_average, use_buffers=True)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=config.rate)
        self.step, self.best, self.idle = 0, -1.0, 0
        self.best_average: dict[str, Tensor] = {}
        if config.out.exists():
            stored = torch.load(config.out, weights_only=True)
            self.network.load_state_dict(stored["network"])
            self.average.load_state_dict(stored["running"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.best_average = stored["average"]
            self.step, self.best, self.idle = stored["step"], stored["best"], stored["idle"]

    def finished(self) -> bool:
        """Whether all steps are done or nothing has improved for too long."""
        return self.step >= self.config.steps or self.idle >= self.config.patience

    def rate(self) -> float:
        """Learning rate now: a linear start, then half a cosine down to 1 %."""
        config = self.config
        if self.step < config.warmup:
            return config.rate * (self.step + 1) / config.warmup
        done = (self.step - config.warmup) / max(1, config.steps - config.warmup)
        return config.rate * (0.505 + 0.495 * math.cos(math.pi * min(done, 1.0)))

    def learn(self, batch: Batch) -> Losses:
        """One step of the optimiser."""
        config = self.config
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        answer: Answer = self.network(batch.frames)
        recon, edit = reconstruction_loss(answer), edit_loss(answer, batch, config)
        reg = torch.stack([weight.square().sum() for weight in self.network.parameters()]).sum()
        loss = config.w_recon * recon + config.w_edit * edit + config.w_reg * reg
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return Losses(*(float(part.detach()) for part in (loss, recon, edit, reg)))

    def keep(self, f1: float, sources: list[dict[str, str]]) -> None:
        """Write the checkpoint; take the running average for the answer when it is the best."""
        self.idle += 1
        if f1 > self.best:
            self.best, self.idle = f1, 0
            self.best_average = {
                name: value.clone() for name, value in self.average.module.state_dict().items()
            }
        config = dataclasses.asdict(self.config)
        stored = {
            "network": self.network.state_dict(),
            "running": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.best_average,
            "step": self.step,
            "best": self.best,
            "idle": self.idle,
            "config": {key: _plain(value) for key, value in config.items()},
            "sources": sources,
        }
        self.config.out.parent.mkdir(parents=True, exist_ok=True)
        partial = self.config.out.with_suffix(".partial")
        torch.save(stored, partial)
        partial.replace(self.config.out)


def _running_average(average: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
    """Exponential average over some 500 steps, over fewer at the beginning."""
    keep = min(0.998, (1 + int(count)) / (10 + int(count)))
    return average + ((now - average) * (1 - keep)).to(average.dtype)


def _plain(value: Any) -> Any:
    """``value`` with paths as names, so that a checkpoint holds no code."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def reconstruction_loss(answer: Answer) -> Tensor:
    """L_recon: mean squared error of the pooled features as the GRU's state remembers them."""
    return functional.mse_loss(answer.reconstructed, answer.pooled.detach())


def edit_loss(answer: Answer, batch: Batch, config: TrainConfig) -> Tensor:
    """L_edit: cross-entropies of cut, transition, kind and quality, summed, per frame.

    The frames beside a cut are wanted with the probability ``neighbours``; kinds that are not
    "none" and true cuts and transitions weigh ``positives`` times as much, true technical faults,
    which are rare, ``faults`` times.
    """
    seen = slice(BLIND, -BLIND)
    cut = batch.cut.float()
    beside = functional.max_pool1d(cut[:, None], 3, 1, 1)[:, 0] * config.neighbours
    wanted = torch.maximum(cut, beside)[:, seen]
    weight = torch.tensor(config.positives)
    cut_loss = functional.binary_cross_entropy_with_logits(
        answer.cut[:, seen], wanted, pos_weight=weight
    )
    transition_loss = functional.binary_cross_entropy_with_logits(
        answer.transition[:, seen], batch.transition[:, seen].float(), pos_weight=weight
    )
    rarity = torch.full((len(KINDS),), config.positives)
    rarity[KINDS.index("none")] = 1.0
    kind_loss = functional.cross_entropy(
        answer.kind[:, seen].flatten(0, 1), batch.kind[:, seen].flatten(), weight=rarity
    )
    quality_loss = functional.binary_cross_entropy_with_logits(
        answer.quality[:, seen],
        batch.quality[:, seen].float(),
        pos_weight=torch.tensor(config.faults),
    )
    return 4 * cut_loss + 2 * transition_loss + kind_loss + 4 * quality_loss


def validate(network: torch.nn.Module, edits: list[unedit.Example]) -> Score:
    """Boundaries of generated ``edits`` at tolerance 2 and probability 0.5."""
    network.eval()
    total = Score()
    with torch.no_grad():
        for edit in edits:
            answer: Answer = network(torch.from_numpy(edit.frames[None]))
            found = shots_from_probabilities(
                answer.cut[0].sigmoid().numpy(), answer.transition[0].sigmoid().numpy()
            )
            truth = shots_from_probabilities(edit.cut.astype(float), edit.transition.astype(float))
            total += score(truth, found)
    return total
