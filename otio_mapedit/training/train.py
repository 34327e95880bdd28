"""Teaching the shot network: one loop, seeded, resumable.

The loss stands in ``losses``, checkpoint and curves in ``state``. Convolutions run in bfloat16, on
the graphics card when there is one.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..errors import OptionError
from . import corpus as corpora
from . import pool as pools
from . import teacher, unedit, warm
from .corpus import Corpus
from .evaluate import Score, score, shots_from_probabilities
from .losses import Batch, Losses, collate, edit_loss, reconstruction_loss, teacher_loss
from .network import Answer, NetworkConfig, Probabilities, ShotNetwork
from .state import TrainState

VALIDATION_SEED = 1_000_003
"""Seed of the generated edits that training never sees."""
TAUGHT_DICE = 1
"""Tells the draw of an edit that the teacher has judged from that of the edit itself."""
AVERAGED = 0.995
"""What stays of the running average of the weights at a step: it spans some 200 of them."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the outcome of a training run.

    ``manifest`` and ``extra`` name the material (see ``corpus``), ``cache`` where to keep it ready,
    ``out`` the checkpoint, ``start`` an exported network to begin from. Times and sizes: ``steps``
    of ``batch`` edits of ``length`` frames drawn from the last ``pool`` that were made, each of
    which is seen some ``reuse`` times, made by ``workers`` processes (none: all cores but one with
    a graphics card, else one); a validation every ``validate_every`` steps, the end after
    ``patience`` of them without progress. ``rate`` is the highest learning rate. The loss: its
    weights ``w_recon``, ``w_edit``, ``w_reg``, ``w_teach``, and see ``losses.edit_loss`` for
    ``neighbours``, ``positives``, ``faults`` and ``soften``. The teacher is asked about
    ``taught_edits`` edits before training begins (none: no distillation), its answers are kept in
    the file ``opinions``, and a share ``taught_share`` of the edits made are these; with
    ``live_teacher`` and a graphics card it is asked about every edit as it is made instead.
    ``teacher_share`` is the weight of what was learned from it in the answer that is validated.
    ``mixed`` allows bfloat16 on a graphics card.
    """

    manifest: Path
    cache: Path
    out: Path
    extra: tuple[Path, ...] = ()
    start: Path | None = None
    seed: int = 1
    steps: int = 4000
    batch: int = 8
    length: int = 128
    reuse: int = 2
    pool: int = 512
    rate: float = 2e-3
    warmup: int = 200
    w_recon: float = 0.05
    w_edit: float = 1.0
    w_reg: float = 1e-6
    w_teach: float = 1.0
    soften: float = 0.3
    opinions: Path = Path("opinions.npz")
    taught_edits: int = 0
    taught_share: float = 0.5
    live_teacher: bool = False
    teacher_share: float = 0.0
    mixed: bool = True
    neighbours: float = 0.15
    positives: float = 1.5
    faults: float = 5.0
    clip: float = 2.0
    validate_every: int = 250
    validation_edits: int = 48
    patience: int = 12
    workers: int | None = None
    threads: int = 1
    network: NetworkConfig = field(default_factory=NetworkConfig)

    @classmethod
    def from_toml(cls, path: Path) -> TrainConfig:
        """Read a configuration; its keys are the fields, ``[network]`` those of NetworkConfig.

        Paths are relative to the file. Raises OptionError for a key or file that is not right.
        """
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            for key in {"manifest", "cache", "out"} | {"opinions", "start"} & values.keys():
                values[key] = path.parent / values[key]
            values["extra"] = tuple(path.parent / name for name in values.get("extra", ()))
            network = values.pop("network", {})
            for key in ("widths", "patches", "reaches", "sight"):
                if key in network:
                    network[key] = tuple(network[key])
            return cls(**values, network=NetworkConfig(**network))
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
            raise OptionError(
                f"{path} is no training configuration: {fault}", "See TrainConfig for its keys"
            ) from fault


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


class _Edits(IterableDataset[unedit.Example]):
    """Edits in batches of ``count`` from batch number ``step`` on: the same whoever makes them."""

    def __init__(
        self,
        corpus: Corpus,
        config: TrainConfig,
        count: int,
        step: int,
        opinions: teacher.Opinions | None,
    ) -> None:
        self.corpus, self.config, self.opinions = corpus, config, opinions
        self.count, self.step = count, step

    def __iter__(self) -> Iterator[unedit.Example]:
        worker = get_worker_info()
        first, apart = (worker.id, worker.num_workers) if worker else (0, 1)
        config, share = self.config, self.config.taught_share
        for batch in itertools.count(self.step + first, apart):
            for number in range(batch * self.count, (batch + 1) * self.count):
                dice = np.random.default_rng([config.seed, number, TAUGHT_DICE])
                if self.opinions is not None and dice.random() < share:
                    index = int(dice.integers(len(self.opinions)))
                    yield self.opinions.edit(self.corpus, index)
                else:
                    yield unedit.example(self.corpus, config.seed, number, config.length)


def train(config: TrainConfig, progress: Callable[[TrainProgress], None] | None = None) -> Path:
    """Train, or go on where the checkpoint ``config.out`` stands; returns that path.

    The checkpoint holds the running average of the weights that did best on the validation edits
    (``average``) beside what is needed to go on. The same configuration on the same machine gives
    the same network (on a graphics card: nearly). Raises MediaError without usable material.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    corpus = corpora.build(config.manifest, config.cache, config.extra)
    state = _State(config)
    live = config.live_teacher and state.device.type == "cuda"
    opinions = None
    if config.taught_edits and not live:
        opinions = teacher.collect(corpus, config.opinions, config.taught_edits, config.length)
    if config.start is not None and not state.step:
        state.begin(config.start, [unedit.example(corpus, config.seed, at) for at in range(8)])
    ask = teacher.transnetv2_judge(config.mixed, state.device) if live else None
    pool = pools.Pool(config.pool, state.device, config.seed + state.step)
    validation = [
        unedit.example(corpus, VALIDATION_SEED, index, 2 * config.length)
        for index in range(config.validation_edits)
    ]
    sources = [dataclasses.asdict(source) for source in corpus.sources]
    for fresh in _loader(corpus, config, state, opinions):
        if state.finished():
            break
        pool.add(fresh if ask is None else teacher.judged(fresh.to(state.device), ask))
        losses = state.learn(pool.draw(config.batch))
        f1 = None
        if state.step % config.validate_every == 0 or state.step == config.steps:
            f1 = validate(state.average.module, validation, config.teacher_share).f1
            state.judge(f1)
            state.write(config, sources)
        state.note(
            rate=state.rate(), loss=losses.total, recon=losses.recon, edit=losses.edit,
            reg=losses.reg, teach=losses.teach, f1=f1,
        )  # fmt: skip
        if progress is not None:
            progress(TrainProgress(state.step, config.steps, losses, state.rate(), f1))
    return config.out


def _loader(
    corpus: Corpus, config: TrainConfig, state: _State, opinions: teacher.Opinions | None
) -> DataLoader[Batch]:
    """As many new edits for every step as let each be seen ``reuse`` times."""
    workers = config.workers
    if workers is None:
        workers = max(1, (os.cpu_count() or 1) - 1) if state.device.type == "cuda" else 1
    count = max(1, round(config.batch / config.reuse))
    return DataLoader(
        _Edits(corpus, config, count, state.step, opinions),
        batch_size=count,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_modest,
    )


def _modest(worker: int) -> None:
    """A worker makes edits on one thread and lets the network go first."""
    torch.set_num_threads(1)
    os.nice(1)


class _State(TrainState[ShotNetwork]):
    """Where the training of a shot network stands."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        network = ShotNetwork(config.network).to(memory_format=torch.channels_last)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        super().__init__(network, config.out, config.rate, AVERAGED, device)

    def begin(self, exported: Path, edits: list[unedit.Example]) -> None:
        """Start from an exported network instead of from chance."""
        frames = torch.stack([torch.from_numpy(edit.frames) for edit in edits]).to(self.device)
        warm.begin(self.network, exported, frames)
        self.average.module.load_state_dict(self.network.state_dict())

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
        batch = batch.to(self.device)
        # Processors without it take several times as long for bfloat16.
        halved = config.mixed and self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=halved):
            answer: Answer = self.network(batch.frames)
        recon, edit = reconstruction_loss(answer), edit_loss(answer, batch, config)
        teach, reg = teacher_loss(answer, batch), self.squares()
        loss = config.w_recon * recon + config.w_edit * edit + config.w_reg * reg
        loss = loss + config.w_teach * teach
        self.descend(loss, self.rate(), config.clip)
        return Losses(*(float(part.detach()) for part in (loss, recon, edit, reg, teach)))


def validate(
    network: ShotNetwork, edits: list[unedit.Example], teacher_share: float = 0.0
) -> Score:
    """Boundaries of generated ``edits`` at tolerance 2 and probability 0.5."""
    network.eval()
    device, total = next(network.parameters()).device, Score()
    answer = Probabilities(network, teacher_share)
    with torch.no_grad():
        for edit in edits:
            said = answer(torch.from_numpy(edit.frames[None]).to(device))
            cut, transition = (part[0].cpu().numpy() for part in said[:2])
            found = shots_from_probabilities(cut, transition)
            truth = shots_from_probabilities(edit.cut.astype(float), edit.transition.astype(float))
            total += score(truth, found)
    return total
