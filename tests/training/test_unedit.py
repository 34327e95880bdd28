"""The generator's truth: consistent, exact where it can be checked, and repeatable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otio_mapedit.spec import KINDS, QUALITIES
from otio_mapedit.training import camera, disturb, joins, overlays, sheets, unedit
from otio_mapedit.training.corpus import Corpus, empty

seeds = st.integers(0, 2**32)
NONE, CUT = KINDS.index("none"), KINDS.index("cut")


def small_corpus() -> Corpus:
    rng = np.random.default_rng(5)
    shots = tuple(rng.integers(0, 256, (20, 54, 96, 3), np.uint8) for _ in range(2))
    stills = rng.integers(0, 256, (2, 108, 192, 3), np.uint8)
    sprites = rng.integers(0, 256, (3, 48, 48, 4), np.uint8)
    return Corpus(shots, stills, sprites, ())


CORPORA = (empty(), small_corpus())


@given(seeds, st.integers(0, 50), st.integers(40, 150), st.sampled_from(CORPORA))
@settings(max_examples=25, deadline=None)
def test_labels_agree_with_each_other(seed: int, index: int, length: int, corpus: Corpus) -> None:
    made = unedit.example(corpus, seed, index, length)
    assert made.frames.shape == (length, camera.HEIGHT, camera.WIDTH, 3)
    assert made.frames.dtype == np.uint8
    assert made.quality.shape == (length, len(QUALITIES))
    assert len(made.cut) == len(made.transition) == len(made.kind) == len(made) == length
    assert (made.transition == ((made.kind != NONE) & (made.kind != CUT))).all()
    assert (made.cut[1:] >= (made.kind == CUT)[1:]).all()
    assert not made.cut[0]
    assert (made.quality[:, unedit.BLACK] == unedit.black(made.frames)).all()


@given(seeds, st.integers(0, 5))
@settings(max_examples=5, deadline=None)
def test_same_seed_same_edit(seed: int, index: int) -> None:
    corpus = small_corpus()
    once, again = (unedit.example(corpus, seed, index, 60) for _ in range(2))
    other = unedit.example(corpus, seed, index + 1, 60)
    assert (once.frames == again.frames).all()
    assert (once.kind == again.kind).all()
    assert not np.array_equal(once.frames, other.frames)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_a_join_makes_as_many_frames_as_it_names(seed: int) -> None:
    rng = np.random.default_rng(seed)
    join = joins.draw(rng, 30, cuts=0.0)
    old = np.full((join.tail, camera.HEIGHT, camera.WIDTH, 3), 40, np.float32)
    new = np.full((join.head, camera.HEIGHT, camera.WIDTH, 3), 200, np.float32)
    mixed = join.mix(old, new)
    assert len(mixed) == len(join.kinds)
    assert set(join.kinds) <= set(KINDS) - {"none", "cut"}
    assert join.tail <= 30
    assert join.head <= 30
    assert mixed.min() >= 0
    assert mixed.max() <= 255


@pytest.mark.parametrize("name", ["dissolve", "fade_out", "fade_in", "wipe"])
def test_a_gradual_join_leaves_one_shot_and_reaches_the_other(name: str) -> None:
    """Every mixed frame differs from both shots, and the way there is never back to the start."""
    rng, seen = np.random.default_rng(4), 0
    for _ in range(200):
        join = joins.draw(rng, 30, cuts=0.0)
        if set(join.kinds) != {name}:
            continue
        seen += 1
        old = np.full((join.tail, camera.HEIGHT, camera.WIDTH, 3), 20, np.float32)
        new = np.full((join.head, camera.HEIGHT, camera.WIDTH, 3), 235, np.float32)
        mixed = join.mix(old, new)
        assert (abs(mixed - 20).mean((1, 2, 3)) > 0).all()
        assert (abs(mixed - 235).mean((1, 2, 3)) > 0).all()
    assert seen > 5


@given(seeds, st.integers(1, 90))
@settings(max_examples=30, deadline=None)
def test_nothing_happens_at_the_ends_of_a_shot(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    frames = np.full((count, camera.HEIGHT, camera.WIDTH, 3), 90, np.float32)
    quality = np.zeros((count, len(QUALITIES)), bool)
    disturb.disturb(rng, frames, quality, small_corpus().sprites)
    assert not quality[: overlays.MARGIN].any()
    assert (frames[: overlays.MARGIN] == 90).all()


@given(seeds, st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_the_camera_stays_inside_its_material(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    material = rng.integers(60, 200, (1, 54, 96, 3), np.uint8)
    seen = camera.view(material, camera.move(rng, count))
    assert seen.shape == (count, camera.HEIGHT, camera.WIDTH, 3)
    assert seen.min() >= 59.9
    assert seen.max() <= 200.1


@given(seeds, st.integers(40, 200), st.sampled_from(CORPORA))
@settings(max_examples=15, deadline=None)
def test_uncut_film_has_no_boundary(seed: int, length: int, corpus: Corpus) -> None:
    made = unedit.example(corpus, seed, 0, length, uncut=True)
    assert len(made) == length
    assert not made.cut.any()
    assert not made.transition.any()


@given(seeds, st.integers(1, 90))
@settings(max_examples=30, deadline=None)
def test_a_screen_turns_no_page_at_the_ends_of_a_shot(seed: int, count: int) -> None:
    """What surrounds the screen stays, and its pages do not change beside a join."""
    frames = np.full((count, camera.HEIGHT, camera.WIDTH, 3), 90, np.float32)
    overlays.pages(np.random.default_rng(seed), frames)
    assert (frames == 90).all((1, 2, 3)).sum() == 0
    assert (frames[: overlays.MARGIN] == frames[0]).all()
    assert (frames[-overlays.MARGIN :] == frames[-1]).all()
    assert ((frames == frames[0]).all((0, 3))).sum() >= 0.1 * camera.HEIGHT * camera.WIDTH


def test_contact_sheet(tmp_path: Path) -> None:
    sheet = sheets.contact_sheet(empty(), 1, 2, tmp_path / "sheet.png")
    assert sheet.dtype == np.uint8
    assert (tmp_path / "sheet.png").stat().st_size > 1000


@pytest.mark.parametrize(("value", "is_black"), [(0, True), (9, True), (12, False), (200, False)])
def test_black_is_a_definition(value: int, is_black: bool) -> None:
    frames = np.full((1, camera.HEIGHT, camera.WIDTH, 3), value, np.uint8)
    assert bool(unedit.black(frames)[0]) is is_black
