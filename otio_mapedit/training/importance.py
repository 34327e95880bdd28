"""A scorer of importance, learned from videos that people rated and whose features are at hand.

The usual HDF5 files of TVSum and SumMe bring features of every 15th frame and what people thought
of it. A small network with a recurrent layer in both directions learns the one from the other; each
split has a scorer of its own, which is judged only on videos that it did not learn from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from ..errors import FormatError, ModelError, OptionError
from ..learning.agreement import Array
from ..learning.importance_data import RatedVideo, Split

#: What a checkpoint of scorers says it is.
KIND = "importance"
#: Random splits, where none are published.
SPLITS = 5
#: Videos that a split must have to learn from: one to learn, one to stop by.
FEWEST = 2
#: Standard deviations beyond which a feature is cut off.
_FAR = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class ImportanceConfig:
    """Sizes and lengths of the training; the same on every machine gives the same scorers."""

    seed: int = 0
    width: int = 64  # of the layers
    dropout: float = 0.2
    rate: float = 2e-3  # of AdamW, with its weight decay
    decay: float = 1e-2
    window: int = 128  # sampled frames of a piece; the recurrent layer is slow along a long video
    batch: int = 16  # pieces of a step
    epochs: int = 100  # at most
    patience: int = 12  # epochs without a better loss on the videos to stop by
    stop_by: float = 0.2  # share of the videos to learn from that are kept for that


@dataclasses.dataclass(frozen=True, slots=True)
class SplitScorer:
    """What was learned on one split. ``loss`` is the mean squared error on ``stopped_by``."""

    split: Split
    stopped_by: tuple[str, ...]
    epoch: int  # the best one, from 1
    loss: float
    scorer: ImportanceScorer


class ImportanceScorer(nn.Module):
    """Features of sampled frames [k, d] to scores from 0 to 1 [k], one video at a time or packed.

    ``mean`` and ``spread`` [d] are those of the features that were learned from.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, features: int, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.enter = nn.Sequential(nn.Linear(features, width), nn.GELU(), nn.LayerNorm(width))
        self.around = nn.GRU(width, width // 2, bidirectional=True)
        self.norm = nn.LayerNorm(2 * (width // 2) + width)
        self.drop = nn.Dropout(dropout)
        self.answer = nn.Linear(2 * (width // 2) + width, 1)

    def forward(self, videos: PackedSequence) -> Tensor:
        """Scores [all k] in the order of the packed features."""
        near = ((videos.data - self.mean) / self.spread).clamp(-_FAR, _FAR)
        seen = self.drop(self.enter(near))
        around, _ = self.around(videos._replace(data=seen))
        both = self.drop(self.norm(torch.cat([seen, around.data], dim=1)))
        return torch.sigmoid(self.answer(both)[:, 0])

    @torch.no_grad()
    def score(self, features: Array) -> Array:
        """The scores [k] of one video's features [k, d]."""
        self.eval()
        packed = pack_sequence([torch.from_numpy(np.asarray(features, np.float32))])
        return np.asarray(self(packed).numpy())


def random_splits(names: Sequence[str], seed: int = 0) -> list[Split]:
    """:data:`SPLITS` splits of which each video is in the test part of exactly one; fewer where
    there are fewer videos."""
    mixed = [names[at] for at in np.random.default_rng(seed).permutation(len(names))]
    parts = [tuple(mixed[first::SPLITS]) for first in range(min(SPLITS, len(mixed)))]
    return [
        Split(
            tuple(name for name in names if name not in part), tuple(sorted(part, key=mixed.index))
        )
        for part in parts
    ]


def check(path: Path, videos: Sequence[RatedVideo], splits: Sequence[Split]) -> None:
    """Refuse what cannot be learned from.

    Raises:
        FormatError: a video of ``path`` without features or importance, with some that are no
            numbers, or with another number of features than the first.
        OptionError: a split that tests on what it learns from, or has too few videos.
    """
    for video in videos:
        for key, values in (("features", video.features), ("gtscore", video.importance)):
            if values is None:
                raise FormatError(
                    f"{path}: {video.name} has no {key}", "Name an .h5 that has them."
                )
            if not np.isfinite(values).all():
                raise FormatError(
                    f"{path}: {video.name} has {key} that are no numbers", "Correct them."
                )
        shape, first = _features(video).shape, _features(videos[0]).shape
        if len(shape) != 2 or not shape[1] or shape[1:] != first[1:]:
            raise FormatError(
                f"{path}: the features of {video.name} have the shape {shape}, those of "
                f"{videos[0].name} {first}",
                "Give every video the same number of features.",
            )
    for number, split in enumerate(splits, 1):
        if both := sorted(set(split.train) & set(split.test)):
            raise OptionError(
                f"split {number} tests on {both[0]}, which it learns from", "Correct the splits."
            )
        if len(set(split.train)) < FEWEST or not split.test:
            raise OptionError(
                f"split {number} has {len(set(split.train))} videos to learn from and "
                f"{len(split.test)} to test on",
                f"At least {FEWEST} and 1 are needed.",
            )


def train_importance(
    videos: Sequence[RatedVideo],
    splits: Sequence[Split],
    config: ImportanceConfig,
    show: Callable[[int, int], None] = lambda done, whole: None,
) -> list[SplitScorer]:
    """A scorer for each of ``splits``. ``show`` hears how many epochs of how many are done.

    The videos must have passed :func:`check`. Torch's own random numbers stay as they were.
    """
    named = {video.name: video for video in videos}
    whole = config.epochs * len(splits)
    made = []
    # The network is so small that several threads wait for each other more than they work.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for number, split in enumerate(splits):

            def at(epoch: int, before: int = number * config.epochs) -> None:
                show(before + epoch, whole)

            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1000 * config.seed + number)
                draw = np.random.default_rng([config.seed, number])
                made.append(_trained(named, split, config, draw, at))
            at(config.epochs)
    finally:
        torch.set_num_threads(threads)
    return made


def held_out_scores(
    videos: Sequence[RatedVideo], made: Sequence[SplitScorer]
) -> list[dict[str, Array]]:
    """For each split the scores [k] of its test videos by its own scorer."""
    named = {video.name: video for video in videos}
    return [
        {name: one.scorer.score(_features(named[name])) for name in one.split.test} for one in made
    ]


def write(path: Path, made: Sequence[SplitScorer], config: ImportanceConfig) -> None:
    """Write a checkpoint: nothing but tensors, numbers and text, readable without running code."""
    first = made[0].scorer
    network = {"features": len(first.mean), "width": config.width}
    stored = {
        "kind": KIND,
        "config": {**dataclasses.asdict(config), "network": network},
        "splits": [
            {
                "train": list(one.split.train),
                "test": list(one.split.test),
                "stopped_by": list(one.stopped_by),
                "epoch": one.epoch,
                "loss": one.loss,
                "network": one.scorer.state_dict(),
            }
            for one in made
        ],
    }
    torch.save(stored, path)


def read(path: Path) -> list[ImportanceScorer]:
    """The scorers of a checkpoint, one for each split.

    Raises:
        ModelError: not there, or no checkpoint of scorers.
    """
    try:
        stored: Mapping[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        if stored["kind"] != KIND:
            raise ValueError(f"it holds {stored['kind']}")
        made = []
        for one in stored["splits"]:
            scorer = ImportanceScorer(**stored["config"]["network"])
            scorer.load_state_dict(one["network"])
            made.append(scorer.eval())
    except Exception as fault:  # torch raises what it likes
        raise ModelError(
            f"{path} is no checkpoint of scorers: {fault}",
            "Train one: mapedit model train --data FILE",
        ) from fault
    return made


def _trained(
    named: Mapping[str, RatedVideo],
    split: Split,
    config: ImportanceConfig,
    draw: np.random.Generator,
    at: Callable[[int], None],
) -> SplitScorer:
    names = [split.train[number] for number in draw.permutation(len(split.train))]
    kept = max(1, round(config.stop_by * len(names)))
    stop_by, learned = names[:kept], [named[name] for name in names[kept:]]
    stop_at, wanted = _packed([_tensors(named[name]) for name in stop_by])
    pieces = list(_pieces(learned, config.window))
    scorer = ImportanceScorer(_features(learned[0]).shape[1], config.width, config.dropout)
    _standardise(scorer, learned)
    optimiser = torch.optim.AdamW(scorer.parameters(), config.rate, weight_decay=config.decay)
    best, best_epoch, kept_state = float("inf"), 0, scorer.state_dict()
    for epoch in range(1, config.epochs + 1):
        scorer.train()
        order = draw.permutation(len(pieces))
        for first in range(0, len(order), config.batch):
            part = [pieces[number] for number in order[first : first + config.batch]]
            seen, truth = _packed(part)
            loss = nn.functional.mse_loss(scorer(seen), truth)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(scorer.parameters(), 1.0)
            optimiser.step()
        scorer.eval()
        with torch.no_grad():
            now = float(nn.functional.mse_loss(scorer(stop_at), wanted))
        if now < best:
            best, best_epoch = now, epoch
            kept_state = {name: value.clone() for name, value in scorer.state_dict().items()}
        elif epoch - best_epoch >= config.patience:
            break
        at(epoch)
    scorer.load_state_dict(kept_state)
    return SplitScorer(split, tuple(stop_by), best_epoch, best, scorer.eval())


def _pieces(videos: Sequence[RatedVideo], window: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Features and importance of pieces of at most ``window`` sampled frames."""
    for video in videos:
        features, wanted = _tensors(video)
        yield from zip(features.split(window), wanted.split(window), strict=True)


def _packed(pieces: Sequence[tuple[Tensor, Tensor]]) -> tuple[PackedSequence, Tensor]:
    """Features packed for the recurrent layer, and importance in the same order."""
    features = pack_sequence([piece[0] for piece in pieces], enforce_sorted=False)
    return features, pack_sequence([piece[1] for piece in pieces], enforce_sorted=False).data


def _standardise(scorer: ImportanceScorer, videos: Sequence[RatedVideo]) -> None:
    """The features' mean and standard deviation, of the videos that are learned from alone."""
    every = np.concatenate([_features(video) for video in videos]).astype(np.float64)
    spread = every.std(axis=0)
    spread[spread < 1e-6] = 1.0  # a feature that is always the same says nothing
    scorer.mean.copy_(torch.from_numpy(every.mean(axis=0)))
    scorer.spread.copy_(torch.from_numpy(spread))


def _tensors(video: RatedVideo) -> tuple[Tensor, Tensor]:
    """Features [k, d] and importance [k], the latter from 0 to 1 within the video: what counts is
    which of its moments people put above others."""
    assert video.importance is not None  # passed check
    low, high = float(video.importance.min()), float(video.importance.max())
    flat = np.full(len(video.importance), 0.5)
    scaled = (video.importance - low) / (high - low) if high > low else flat
    wanted = torch.from_numpy(np.asarray(scaled, np.float32))
    return torch.from_numpy(_features(video)), wanted


def _features(video: RatedVideo) -> Array:
    assert video.features is not None  # passed check
    return video.features
