"""The network sees time, not counts; the pictures say where exactly a boundary lies."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.inference import SeenPictures, ShotPredictions
from otio_mapedit.pace import pace_of, paced
from otio_mapedit.seen import sketches
from otio_mapedit.shot_boundaries import find_shots
from otio_mapedit.shot_list import Boundary, Doubt, Shot, ShotList
from otio_mapedit.shot_refine import to_pictures
from otio_mapedit.timing import NTSC_24, NTSC_30, NTSC_60


@pytest.mark.parametrize(
    ("rate", "pace"),
    [
        (NTSC_24, 1), (Fraction(25), 1), (NTSC_30, 1), (Fraction(48), 2), (Fraction(50), 2),
        (NTSC_60, 2), (Fraction(100), 4), (Fraction(120), 4), (Fraction(240), 9), (Fraction(8), 1),
    ],
)  # fmt: skip
def test_the_network_sees_film_speed(rate: Fraction, pace: int) -> None:
    assert pace_of(rate) == pace
    if rate >= 24:
        assert 24 <= round(rate / pace) <= 30


def batches(frames: list[int], size: int) -> Iterator[tuple[Any, Any]]:
    """Pictures that hold the number of their own frame."""
    for at in range(0, len(frames), size):
        part = np.array(frames[at : at + size])
        yield part, np.repeat(part[:, None, None, None], 3, axis=3).astype(np.uint8)


@given(st.sets(st.integers(0, 250), min_size=1), st.integers(1, 9), st.integers(1, 60), st.data())
def test_each_moment_shows_what_a_player_shows(
    chosen: set[int], pace: int, size: int, data: st.DataObject
) -> None:
    frames = sorted(chosen)
    first = data.draw(st.integers(0, frames[-1] // pace)) * pace
    shown = list(paced(batches(frames, size), pace, first))
    moments = [int(moment) for part, _ in shown for moment in part]
    assert moments == list(range(first, frames[-1] + 1, pace))
    pictures = [int(picture[0, 0, 0]) for _, part in shown for picture in part]
    assert pictures == [
        max((frame for frame in frames if frame <= moment), default=frames[0]) for moment in moments
    ]
    assert all(len(part) <= 256 for part, _ in shown)


def seen(pictures: Any, frames: Any = None) -> SeenPictures:
    """What flat pictures of grey values ``[m]`` show."""
    flat = np.repeat(np.asarray(pictures, np.float64)[:, None], 54, axis=1).round()
    change = np.abs(np.diff(flat[:, 0], prepend=flat[0, 0])) / 255
    frames = np.arange(len(flat)) if frames is None else np.asarray(frames)
    return SeenPictures(frames, change.astype(np.float32), flat.astype(np.uint8))


def moments(count: int, pace: int, pictures: SeenPictures) -> ShotPredictions:
    nothing = np.zeros(count, np.float32)
    return ShotPredictions(
        np.arange(count) * pace, nothing, nothing, np.zeros((count, 6), np.float32),
        np.zeros((count, 5), np.float32), nothing, nothing, nothing, nothing, (), (), 0.5, 0.5,
        "test", pictures,
    )  # fmt: skip


def one_boundary(boundary: Boundary, count: int) -> ShotList:
    return ShotList(
        (Shot(0, boundary.at, closing=boundary), Shot(boundary.at, count, opening=boundary))
    )


@given(cut=st.integers(5, 390), pace=st.sampled_from([2, 4, 5]))
def test_a_cut_is_exact_at_any_rate(cut: int, pace: int) -> None:
    values = np.where(np.arange(400) < cut, 40, 200)
    at = -(-cut // pace)
    count = 400 // pace
    if not 0 < at < count:
        return
    found = one_boundary(Boundary(at, at, "cut", 0.9), count)
    exact = to_pictures(moments(count, pace, seen(values)), found)
    assert [shot.first for shot in exact.shots] == [0, cut]
    assert exact.shots[-1].stop == 400
    assert exact.boundaries == (Boundary(cut, cut, "cut", 0.9),)


@given(
    first=st.integers(60, 90), length=st.integers(24, 80), pace=st.sampled_from([2, 4]),
    wrong=st.tuples(st.integers(-1, 1), st.integers(-1, 1)), noise=st.integers(0, 99),
)  # fmt: skip
def test_a_dissolve_is_exact_to_a_frame_or_two(
    first: int, length: int, pace: int, wrong: tuple[int, int], noise: int
) -> None:
    share = np.clip((np.arange(240) - first + 1) / (length + 1), 0, 1)
    values = 60 + 120 * share + np.random.default_rng(noise).normal(0, 1, 240)
    begin = -(-first // pace) + wrong[0]
    stop = -(-(first + length) // pace) + wrong[1]
    found = one_boundary(Boundary(begin, stop, "dissolve", 0.9), 240 // pace)
    (exact,) = to_pictures(moments(240 // pace, pace, seen(values)), found).boundaries
    assert abs(exact.first - first) <= 2
    assert abs(exact.stop - first - length) <= 2


def test_two_shots_of_the_same_look_leave_a_dissolve_alone() -> None:
    flat = seen(np.full(120, 90))
    found = one_boundary(Boundary(10, 20, "dissolve", 0.9), 60)
    (exact,) = to_pictures(moments(60, 2, flat), found).boundaries
    assert (exact.first, exact.stop) == (19, 39)


def test_pictures_that_stand_longer_are_counted_once() -> None:
    """Variable rate: the cut comes with the picture that brings it."""
    frames = [0, 1, 2, 3, 8, 9, 10, 11]
    pictures = seen([10, 10, 10, 10, 200, 200, 200, 200], frames)
    for at in (7, 8):  # also where the network takes it for the moment before
        found = one_boundary(Boundary(at, at, "cut", 0.9), 12)
        exact = to_pictures(moments(12, 1, pictures), found)
        assert [(shot.first, shot.stop) for shot in exact.shots] == [(0, 4), (4, 8)]


@given(st.lists(st.integers(1, 39), max_size=12, unique=True), st.sets(st.integers(0, 119)))
def test_shots_still_partition_the_file(cuts: list[int], missing: set[int]) -> None:
    frames = sorted(set(range(120)) - missing - {0} | {0})
    values = np.random.default_rng(len(cuts)).integers(0, 255, len(frames))
    predictions = moments(40, 3, seen(values, frames))
    predictions.cut[:] = 0
    curve = np.zeros(40, np.float32)
    curve[cuts] = 0.9
    object.__setattr__(predictions, "cut", curve)
    object.__setattr__(predictions, "kinds", ("none", "cut", "dissolve", "wipe", "fade_out", "x"))
    shots = find_shots(predictions).shots
    assert shots[0].first == 0
    assert shots[-1].stop == len(frames)
    assert all(one.stop == two.first for one, two in pairwise(shots))
    assert all(shot.first < shot.stop for shot in shots)


def test_doubts_count_pictures() -> None:
    doubt = Doubt(5, 7, "flash", 0.5)
    found = ShotList((Shot(0, 20),), (doubt,))
    (exact,) = to_pictures(moments(20, 2, seen(np.arange(40))), found).doubts
    assert (exact.first, exact.stop) in {(9, 14), (10, 14)}


def test_a_sketch_is_the_mean_of_cells() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (4, 27, 48, 3), np.uint8)
    cells = pictures.reshape(4, 3, 9, 6, 8, 3).mean(axis=(2, 4)).reshape(4, -1)
    assert np.abs(sketches(pictures) - cells).max() <= 0.5
