"""What a teacher said is kept, goes on, belongs to its edits, and bends exact truth only so far."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from otio_mapedit.cli import model
from otio_mapedit.errors import OptionError, UsageError
from otio_mapedit.training import unedit
from otio_mapedit.training.corpus import Pixels, empty

pytest.importorskip("torch")

import torch

from otio_mapedit.training import peer, teacher
from otio_mapedit.training.losses import Batch, collate, softened

LENGTH = 40


class Voice:
    """A teacher that sees a change wherever the picture changes much."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, frames: Pixels) -> np.ndarray:
        self.asked += 1
        change = np.abs(np.diff(frames.astype(int), axis=0)).mean((1, 2, 3)) > 20
        said = np.append(change, False).astype(np.float32)
        return np.stack([said, said], 1)


def test_opinions_are_kept_and_go_on(tmp_path: Path) -> None:
    voice, path = Voice(), tmp_path / "folder" / "opinions.npz"
    assert len(teacher.collect(empty(), path, 2, LENGTH, teacher=voice)) == 2
    made = teacher.collect(empty(), path, 3, LENGTH, teacher=voice)
    assert (len(made), voice.asked) == (3, 3)
    taught = made.edit(empty(), 2)
    assert taught.opinion.shape == (LENGTH, 2)
    assert (taught.opinion == voice(taught.frames)).all()
    again = teacher.load(path)
    assert again is not None
    assert (again.sums == made.sums).all()


def test_opinions_about_other_edits_are_refused(tmp_path: Path) -> None:
    made = teacher.collect(empty(), tmp_path / "opinions.npz", 1, LENGTH, teacher=Voice())
    changed = teacher.Opinions(made.values, made.sums + np.uint32(1))
    with pytest.raises(OptionError, match="no longer"):
        changed.edit(empty(), 0)


@pytest.mark.parametrize("length", [40, 100, 137])
def test_the_peer_is_asked_about_every_frame_once(length: int) -> None:
    frames = np.zeros((length, 27, 48, 3), np.uint8)
    frames[length // 2 :] = 200
    said = peer.curve(frames, Voice())
    assert list(np.flatnonzero(said)) == [length // 2 - 1]
    half = length // 2
    assert peer.shots(said) == [(0, half - 1), (half, length - 1)]


def test_the_peer_s_runs_are_transitions() -> None:
    said = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0, 1], np.float32)
    assert peer.shots(said) == [(0, 2), (5, 9)]
    assert peer.shots(np.zeros(4, np.float32)) == [(0, 3)]


def batch(cut: list[int], transition: list[int], single: list[float]) -> Batch:
    length = len(cut)
    frames = np.zeros((length, 27, 48, 3), np.uint8)
    opinion = np.stack([np.array(single, np.float32)] * 2, 1)
    flags = np.array(cut, bool), np.array(transition, bool)
    rest = np.zeros(length, np.int64), np.zeros((length, 5), bool)
    return collate([unedit.Example(frames, *flags, *rest, opinion)])


def test_truth_is_bent_a_share_of_the_way() -> None:
    truth = [0] * 12
    truth[6] = 1
    seen, unseen = [0.0] * 12, [0.0] * 12
    seen[5] = 1.0  # the teacher marks the last frame before a change
    assert torch.equal(softened(batch(truth, [0] * 12, seen), 0.4)[0][0], torch.tensor(truth) * 1.0)
    assert softened(batch(truth, [0] * 12, unseen), 0.4)[0][0, 6] == pytest.approx(0.6)
    silent = softened(batch(truth, [0] * 12, [-1.0] * 12), 0.4)[0][0]
    assert torch.equal(silent, torch.tensor(truth) * 1.0)
    elsewhere = [0.0] * 12
    elsewhere[1] = 0.5
    assert softened(batch([0] * 12, [0] * 12, elsewhere), 0.4)[0][0, 2] == pytest.approx(0.2)


def test_a_configuration_without_edits_to_judge_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.json").write_text("[]", encoding="utf-8")
    text = 'manifest = "MANIFEST.json"\ncache = "c.npz"\nout = "o.pt"\nlive_teacher = true\n'
    (tmp_path / "t.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="no edit beforehand") as refused:
        model.teach(tmp_path / "t.toml")
    assert "taught_edits" in refused.value.remedy
