"""The pool of edits: what goes in comes out varied, with its own truth, the oldest giving way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from otio_mapedit.training.corpus import empty
from otio_mapedit.training.losses import Batch, collate
from otio_mapedit.training.pool import Pool, varied
from otio_mapedit.training.train import TrainConfig, _Edits
from otio_mapedit.training.unedit import Example

CPU = torch.device("cpu")


def batch(values: list[int], length: int = 5) -> Batch:
    """Edits of one grey each, whose opinion names the grey."""
    made = []
    for value in values:
        frames = np.full((length, 27, 48, 3), value, np.uint8)
        flags = np.zeros(length, bool)
        opinion = np.full((length, 2), value, np.float32)
        rest = np.zeros(length, np.int64), np.zeros((length, 5), bool)
        made.append(Example(frames, flags, flags, *rest, opinion))
    return collate(made)


def test_the_oldest_edits_give_way() -> None:
    pool = Pool(3, CPU, 1)
    pool.add(batch([10, 20]))
    assert len(pool) == 2
    assert set(pool.draw(40).opinion[:, 0, 0].tolist()) == {10.0, 20.0}
    pool.add(batch([30, 40]))
    assert len(pool) == 3
    assert set(pool.draw(60).opinion[:, 0, 0].tolist()) == {20.0, 30.0, 40.0}


def test_an_edit_keeps_its_own_truth() -> None:
    pool = Pool(9, CPU, 1)
    pool.add(batch([0, 250]))
    drawn = pool.draw(30)
    bright = drawn.frames.float().mean((1, 2, 3, 4)) > 100
    assert torch.equal(bright, drawn.opinion[:, 0, 0] == 250)


def test_the_same_seed_draws_the_same() -> None:
    drawn = []
    for _ in range(2):
        pool = Pool(4, CPU, 7)
        pool.add(batch([1, 90, 200]))
        drawn.append(pool.draw(12))
    for each in dataclasses.fields(Batch):
        assert torch.equal(*(getattr(one, each.name) for one in drawn))


def test_an_empty_pool_gives_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Pool(4, CPU, 7).draw(1)


def test_a_variation_moves_no_frame_and_changes_pictures_alike() -> None:
    """What differs between two frames still does, at the mirrored place, and nothing else."""
    frames = torch.full((24, 6, 27, 48, 3), 128, dtype=torch.uint8)
    frames[:, 3, 2, 5] = 255
    made = varied(frames, torch.Generator().manual_seed(3))
    changed = (made != made[:, :1]).any(-1)
    assert changed.sum((1, 2, 3)).tolist() == [1] * 24
    assert changed[:, 3].sum() == 24
    places = {tuple(place) for place in changed[:, 3].nonzero()[:, 1:].tolist()}
    assert places == {(2, 5), (24, 5), (2, 42), (24, 42)}
    assert len({int(one[0, 0, 0, 0]) for one in made}) > 3


def test_the_same_edits_whoever_makes_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Two workers that take turns make the batches that one would have made."""
    config = TrainConfig(tmp_path, tmp_path, tmp_path, length=20)

    def made(workers: int) -> list[int]:
        loader = torch.utils.data.DataLoader(
            _Edits(empty(), config, 3, 5, None),
            batch_size=3,
            num_workers=workers,
            collate_fn=collate,
        )
        batches = zip(loader, range(4), strict=False)
        return [int(one.frames.long().sum()) for one, _ in batches]

    assert made(0) == made(2)
    assert len(set(made(0))) == 4
