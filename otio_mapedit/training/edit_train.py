"""Teaching the edit network: rushes that were un-edited, one loop, seeded, resumable.

The loss is ``w_recon * L_recon + w_edit * L_edit + w_reg * L_reg``: the reconstruction of a step's
features from the decoder's state and context; the cross-entropies of operation, splice, speed,
grade, quality and the squared error of importance; and the squares of all weights. Where a line was
said again, ``w_attend`` asks the attention to look there (as for alignments in Mi, Wang and
Ittycheriah 2016).

Most of what the encoder must know it learns without waiting for the decoder: for ``warm_steps``
everything is read off the encoder alone, which is many times faster.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..edit_spec import EditSpec
from ..errors import OptionError
from . import rush_store
from .edit_encoder import EditNetworkConfig
from .edit_export import restored
from .edit_losses import (
    attention_loss,
    edit_loss,
    opinion,
    reconstruction_loss,
    teaching_loss,
)
from .edit_network import EditAnswer, EditNetwork
from .edit_score import EditScores, scored
from .edit_windows import Windows, draw, spread_of
from .export import stored
from .from_onnx import network_from, normalised
from .rushes import Rush
from .state import TrainState


@dataclass(frozen=True)
class EditTrainConfig:
    """Everything that decides the outcome of a training run.

    ``rushes`` films are made (see ``rush_store.RushSet`` for ``manifest``, ``cache``, ``folder``,
    ``extra``, ``lines``, ``styles``), ``validation`` more to choose by. ``warm_steps`` without the
    decoder, ``steps`` with it, of ``batch`` windows whose decoded steps are cut into ``stretches``
    (see ``EditNetwork.forward``); a validation every ``validate_every`` steps, the end
    after ``patience`` of them without progress. The truth is fed back with a probability that falls
    from ``taught`` to 0 by the end (scheduled sampling); ``sampled = false`` keeps it at 1. The
    answer is a running average of the weights, of which ``averaged`` stays at every step. ``start``
    is an exported network or a checkpoint of the same shape to begin with, or ``merged`` are
    several, the means of whose weights are begun with (Wortsman and others 2022); no step is needed
    after that. ``teachers`` are checkpoints whose mean opinion is learned too, by ``w_teach``, when
    the decoder learns.
    ``workers`` processes make the rushes, and draw the batches beside a graphics card, which is
    taken where there is one and ``device`` does not say otherwise; how many there are changes
    nothing in them. ``before`` are the trainings that ``start`` and ``teachers`` come from.
    """

    manifest: Path
    cache: Path
    folder: Path
    out: Path
    extra: tuple[Path, ...] = ()
    styles: Path | None = None
    seed: int = 1
    lines: int = 900
    rushes: int = 100
    validation: int = 16
    warm_steps: int = 600
    steps: int = 300
    batch: int = 16
    stretches: int = 4
    rate: float = 2e-3
    w_recon: float = 0.1
    w_edit: float = 1.0
    w_reg: float = 1e-6
    w_attend: float = 0.1
    w_teach: float = 0.0
    taught: float = 0.8
    sampled: bool = True
    clip: float = 2.0
    averaged: float = 0.995
    start: Path | None = None
    merged: tuple[Path, ...] = ()
    teachers: tuple[Path, ...] = ()
    before: tuple[EditTrainConfig, ...] = ()
    validate_every: int = 50
    patience: int = 6
    threads: int = 1
    workers: int = 1
    device: str = ""
    network: EditNetworkConfig = field(default_factory=EditNetworkConfig)

    def __post_init__(self) -> None:
        spec = self.network.spec
        if (spec.run_up + spec.stride) % (self.stretches * spec.slot):
            raise OptionError(
                f"stretches = {self.stretches} does not divide {spec.run_up + spec.stride} steps "
                f"into whole slots of {spec.slot}",
                "Choose another number, or 1",
            )

    @property
    def rush_set(self) -> rush_store.RushSet:
        """Where the rushes are and what they are made of."""
        return rush_store.RushSet(
            self.manifest,
            self.cache,
            self.folder,
            self.extra,
            lines=self.lines,
            styles=self.styles,
            workers=self.workers,
        )

    def material(self) -> tuple[Sequence[Rush], Sequence[Rush]]:
        """The rushes to learn from and those to choose by, made where they are not there; the last
        that were asked for stay in memory."""
        return _material(self.rush_set, self.rushes, self.validation)

    @property
    def from_nothing(self) -> EditTrainConfig:
        """The same without what other trainings made."""
        return dataclasses.replace(self, start=None, merged=(), teachers=(), w_teach=0.0, before=())

    @classmethod
    def from_toml(cls, path: Path) -> EditTrainConfig:
        """Read a configuration; ``[network]`` holds the fields of EditNetworkConfig, every
        ``[[before]]`` what another training has other than this one, which is from nothing.

        Paths are relative to the file. Raises OptionError for a key or file that is not right.
        """
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            others = values.pop("before", [])
            whole = cls._from(values, path.parent)
            plain = {name: values[name] for name in values if name not in _FROM_OTHERS}
            before = tuple(cls._from(_merged(plain, other), path.parent) for other in others)
            return dataclasses.replace(whole, before=before)
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
            raise OptionError(
                f"{path} is no training configuration: {fault}", "See EditTrainConfig for its keys"
            ) from fault

    @classmethod
    def _from(cls, given: Mapping[str, Any], folder: Path) -> EditTrainConfig:
        values = dict(given)
        values.pop("kind", None)
        for key in ("manifest", "cache", "folder", "out"):
            values[key] = folder / values[key]
        for key in {"styles", "start"} & set(values):
            values[key] = folder / values[key]
        for key in ("extra", "merged", "teachers"):
            values[key] = tuple(folder / name for name in values.get(key, ()))
        network = dict(values.pop("network", {}))
        spec = EditSpec(**network.pop("spec", {}))
        return cls(**values, network=EditNetworkConfig(**network, spec=spec))


_FROM_OTHERS = ("start", "merged", "teachers", "w_teach")


def _merged(values: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    network = {**values.get("network", {}), **other.get("network", {})}
    return {**values, **other, "network": network}


@functools.lru_cache(maxsize=1)
def _material(
    known: rush_store.RushSet, rushes: int, validation: int
) -> tuple[Sequence[Rush], Sequence[Rush]]:
    first = rush_store.VALIDATION_FROM
    held = rush_store.make(known, range(first, first + validation))
    return rush_store.make(known, range(rushes)), held


@dataclass(frozen=True)
class EditLosses:
    """The loss of one step and its parts, not yet weighted."""

    total: float
    recon: float
    edit: float
    reg: float
    attend: float
    teach: float


@dataclass(frozen=True)
class EditProgress:
    """Where training stands; ``scores`` are those of the last validation, or None."""

    step: int
    steps: int
    losses: EditLosses
    scores: EditScores | None

    @property
    def loss(self) -> float:
        """The weighted loss."""
        return self.losses.total

    @property
    def f1(self) -> float | None:
        """What the best network is chosen by."""
        return None if self.scores is None else self.scores.mean


def train_edit(
    config: EditTrainConfig,
    progress: Callable[[EditProgress], None] | None = None,
    making: Callable[[int, int], None] | None = None,
) -> Path:
    """Train, or go on where the checkpoint ``config.out`` stands; returns that path.

    The checkpoint holds the running average of the weights that did best on the validation rushes
    (``average``) beside what is needed to go on. The same configuration on the same machine gives
    the same network. ``making`` is told how many rushes of how many are made.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    known = config.rush_set
    rushes = rush_store.make(known, range(config.rushes), making)
    first = rush_store.VALIDATION_FROM
    held = rush_store.make(known, range(first, first + config.validation), making)
    state = EditState(config, rushes)
    sources = list(rush_store.sources(known))
    whole = config.warm_steps + config.steps
    batches = iter(_batches(config, rushes, state))
    if not whole and not state.best_average:
        state.judge(scored(state.average.module, held).mean)
        state.write(config, sources)
    while state.step < whole and state.idle < config.patience:
        rate = state.rate()
        losses = state.learn(next(batches))
        scores = None
        warm = state.step <= config.warm_steps
        if state.step == whole or (not warm and state.step % config.validate_every == 0):
            scores = scored(state.average.module, held)
            state.judge(scores.mean)
        if scores is not None or state.step % config.validate_every == 0:
            state.write(config, sources)
        parts = dataclasses.asdict(losses)
        state.note(rate=rate, **parts, f1=None if scores is None else scores.mean)
        if progress is not None:
            progress(EditProgress(state.step, whole, losses, scores))
    return config.out


class _Drawn(Dataset[Windows]):
    """The batches of the steps from ``first`` to the end, each drawn by a seed of its own."""

    def __init__(self, config: EditTrainConfig, rushes: Sequence[Rush], first: int) -> None:
        self.config, self.rushes, self.first = config, rushes, first

    def __len__(self) -> int:
        return self.config.warm_steps + self.config.steps - self.first

    def __getitem__(self, place: int) -> Windows:
        config = self.config
        rng = np.random.default_rng([config.seed, self.first + place])
        return draw(rng, self.rushes, config.network.spec, config.batch)


def _batches(
    config: EditTrainConfig, rushes: Sequence[Rush], state: EditState
) -> DataLoader[Windows]:
    """The batches that are left; beside a graphics card other processes draw them ahead."""
    beside = config.workers if state.device.type == "cuda" else 0
    return DataLoader(
        _Drawn(config, rushes, state.step),
        batch_size=None,
        num_workers=beside,
        worker_init_fn=_modest if beside else None,
    )


def _modest(worker: int) -> None:
    """A process that draws batches does so on one thread."""
    torch.set_num_threads(1)


class EditState(TrainState[EditNetwork]):
    """Where the training of an edit network stands."""

    def __init__(self, config: EditTrainConfig, rushes: Sequence[Rush]) -> None:
        self.config = config
        network = EditNetwork(config.network)
        if config.merged:
            self._begin_with_mean(network, config.merged, rushes)
        elif config.start is None:
            mean, spread = spread_of(rushes)
            network.reader.get_buffer("mean").copy_(mean)
            network.reader.get_buffer("spread").copy_(spread)
        else:
            self._begin_with(network, config.start, rushes)
        device = config.device or ("cuda" if torch.cuda.is_available() else "cpu")
        super().__init__(network, config.out, config.rate, config.averaged, device)
        self.teachers = [restored(stored(path)).to(self.device) for path in config.teachers]

    def _begin_with_mean(
        self, network: EditNetwork, starts: Sequence[Path], rushes: Sequence[Rush]
    ) -> None:
        states: list[dict[str, Tensor]] = []
        for start in starts:
            self._begin_with(network, start, rushes)
            states.append({name: value.clone() for name, value in network.state_dict().items()})
        network.load_state_dict(
            {
                name: torch.stack([one[name].double() for one in states]).mean(0).to(value.dtype)
                for name, value in states[0].items()
            }
        )

    def _begin_with(self, network: EditNetwork, start: Path, rushes: Sequence[Rush]) -> None:
        trained = start.suffix == ".pt"
        values = stored(start)["average"] if trained else network_from(start).state_dict()
        try:
            network.load_state_dict(values)
        except RuntimeError as fault:
            raise OptionError(
                f"{start.name} has another shape than the configuration",
                "Choose the same sizes, or leave out start",
            ) from fault
        if trained:
            return
        drawn = draw(np.random.default_rng(0), rushes, self.config.network.spec, 32)
        normalised(network, drawn.steps)

    @property
    def warm(self) -> bool:
        """Whether the decoder rests."""
        return self.step < self.config.warm_steps

    def rate(self) -> float:
        """Learning rate now: a linear start, then half a cosine down to a quarter; with the decoder
        half a cosine from two thirds down to 2 %."""
        config, start = self.config, min(1.0, (self.step + 1) / 50)
        if self.warm:
            share = 0.625 + 0.375 * math.cos(math.pi * self.step / config.warm_steps)
        else:
            done = min(1.0, (self.step - config.warm_steps) / max(1, config.steps))
            share = 0.34 + 0.32 * math.cos(math.pi * done)
        return config.rate * start * share

    def taught(self) -> float:
        """How often the truth is fed back now."""
        if not self.config.sampled:
            return 1.0
        done = (self.step - self.config.warm_steps) / max(1, self.config.steps)
        return self.config.taught * max(0.0, 1 - done / 0.8)

    def learn(self, batch: Windows) -> EditLosses:
        """One step of the optimiser."""
        config = self.config
        batch = batch.to(self.device)
        self.network.train()
        if self.warm:
            answer = self.network.undecoded(batch.steps)
            recon = attend = teach = torch.zeros((), device=self.device)
            edit = edit_loss(answer, batch)
        else:
            answer = self.network(batch.steps, batch.operation, self.taught(), config.stretches)
            recon, edit = reconstruction_loss(answer, batch), edit_loss(answer, batch)
            attend = attention_loss(answer, batch)
            teach = self._taught_by(batch, answer)
        reg = self.squares()
        loss = config.w_recon * recon + config.w_edit * edit + config.w_reg * reg
        loss = loss + config.w_attend * attend + config.w_teach * teach
        self.descend(loss, self.rate(), config.clip)
        parts = (loss, recon, edit, reg, attend, teach)
        return EditLosses(*(float(part.detach()) for part in parts))

    def _taught_by(self, batch: Windows, answer: EditAnswer) -> Tensor:
        """How far an answer is from what the teachers say of the same windows."""
        if not self.teachers:
            return torch.zeros((), device=self.device)
        with torch.no_grad():
            stretches = self.config.stretches
            said = [one(batch.steps, None, 0.0, stretches) for one in self.teachers]
        return teaching_loss(answer, opinion(said), batch)
