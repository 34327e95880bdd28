"""``--fast``: the same shots from fewer pictures, on long-GOP film whose cuts are known."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from otio_mapedit import inference, sparse_frames, sparse_watching, watching
from otio_mapedit.cache import Cache
from otio_mapedit.frames import thumbnails
from otio_mapedit.inference import ShotPredictions, predict_shots
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.picture_scan import Scan, scan
from otio_mapedit.shot_boundaries import find_shots
from otio_mapedit.sparse_frames import (
    EVERY,
    HELD,
    LEANED_ON,
    SparseFilm,
    Wanted,
    film_of,
    smooth,
    sparse_film,
)
from otio_mapedit.sparse_plan import look, looks, plan, unlike
from tests.mediamaker import Picture, movie, number_in
from tests.test_shots_media import Film, take, write

#: How film is made: containers, a keyframe at every cut, at fixed distances, open groups.
KINDS: dict[str, dict[str, str]] = {
    "web.mp4": {"g": "100"},
    "fixed.mp4": {"g": "24", "sc_threshold": "0"},
    "fixed.mkv": {"g": "24", "sc_threshold": "0"},
    "fixed.ts": {"g": "24", "sc_threshold": "0"},
    "open.mp4": {"x264-params": "open-gop=1:keyint=24:min-keyint=24:bframes=3:scenecut=0"},
}


@pytest.fixture(scope="module")
def film() -> Film:
    """Long calm shots, so that most of the film need not be decoded."""
    made = Film(take(1, 230, 8))
    made.cut(take(2, 190, 8))
    made.dissolve(take(3, 215, 8), 12)
    made.cut(take(4, 168, 8))  # at frame 623
    made.cut(take(5, 121, 8))
    made.cut(take(6, 130, 8))
    return made


def pictures_decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects a 1 for each picture that is decoded."""
    counts: list[int] = []
    real = sparse_frames.decoded

    def counted(*given: Any) -> Any:
        found = real(*given)
        counts.extend([1] * len(found or []))
        return found

    monkeypatch.setattr(sparse_frames, "decoded", counted)
    return counts


def boundaries(predictions: ShotPredictions) -> list[tuple[str, int, int]]:
    return [(each.kind, each.first, each.stop) for each in find_shots(predictions).boundaries]


@pytest.mark.parametrize("name", list(KINDS))
def test_the_same_shots_from_fewer_pictures(
    tmp_path: Path, film: Film, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = probe(write(tmp_path / name, film.pictures, Fraction(25), **KINDS[name]))
    full = predict_shots(media, Cache(None))
    counts = pictures_decoded(monkeypatch)
    fast = predict_shots(media, Cache(None), fast=True)
    assert 0 < sum(counts) < 0.8 * len(film.pictures)
    assert np.array_equal(full.frames, fast.frames)
    assert np.array_equal(full.picture_frames, fast.picture_frames)
    whole, part = boundaries(full), boundaries(fast)
    assert [kind for kind, *_ in part] == [kind for kind, *_ in whole]
    assert [at for kind, at, _ in part if kind == "cut"] == [
        at for kind, at, _ in film.truth if kind == "cut"
    ]
    for (_, first, stop), (_, begin, end) in zip(whole, part, strict=True):
        assert abs(first - begin) <= 3
        assert abs(stop - end) <= 3


def test_a_cut_on_a_regular_keyframe_is_seen(tmp_path: Path) -> None:
    made = Film(take(1, 240, 8))
    made.cut(take(2, 240, 8))  # exactly where the encoder begins a group anyway
    options = {"g": "24", "sc_threshold": "0"}
    media = probe(write(tmp_path / "on.mp4", made.pictures, Fraction(25), **options))
    assert boundaries(predict_shots(media, Cache(None), fast=True)) == [("cut", 240, 240)]


def test_fast_film_at_a_high_rate(tmp_path: Path) -> None:
    made = Film(take(1, 402, 16))
    made.cut(take(2, 351, 16))
    made.cut(take(3, 330, 16))
    options = {"g": "50", "sc_threshold": "0"}
    media = probe(write(tmp_path / "50.mp4", made.pictures, Fraction(50), **options))
    assert boundaries(predict_shots(media, Cache(None), fast=True)) == made.truth


def test_several_at_once_give_the_answer_of_one(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = probe(write(tmp_path / "a.mp4", film.pictures, Fraction(25), **KINDS["fixed.mp4"]))
    for module in (watching, sparse_watching):
        monkeypatch.setattr(module, "WINDOWS_PER_SEGMENT", 1)
    monkeypatch.setattr(sparse_watching, "workers_of", lambda job, in_part: (1, 2))
    one = predict_shots(media, Cache(None), fast=True)
    monkeypatch.setattr(sparse_watching, "workers_of", lambda job, in_part: (4, 1))
    assert same(one, predict_shots(media, Cache(None), fast=True))


@pytest.mark.parametrize("name", ["old.avi", "intra.mov", "one.mp4"])
def test_where_packets_do_not_tell_the_whole_file_is_decoded(tmp_path: Path, name: str) -> None:
    picture = {
        "old.avi": Picture(codec="mpeg4", options={"g": "15", "bf": "2"}, frames=150),
        "intra.mov": Picture(codec="prores_ks", pixels="yuv422p10le", options={}, frames=60),
        "one.mp4": Picture(options={"g": "999", "bf": "2", "sc_threshold": "0"}, frames=150),
    }[name]
    media = probe(movie(tmp_path / name, picture))
    assert scan(media, look, lambda frame: None) is None
    full, fast = predict_shots(media, Cache(None)), predict_shots(media, Cache(None), fast=True)
    assert alike(full, fast)


def test_busy_film_is_decoded_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Film(take(1, 30))
    for seed in range(2, 12):
        made.cut(take(seed, 30))
    media = probe(write(tmp_path / "busy.mp4", made.pictures, Fraction(25)))
    counts = pictures_decoded(monkeypatch)
    fast = predict_shots(media, Cache(None), fast=True)
    assert counts == []
    assert alike(fast, predict_shots(media, Cache(None)))


def alike(one: ShotPredictions, other: ShotPredictions) -> bool:
    """The same shots, of pictures that differ at most by the smoothing of block edges."""
    return (
        np.array_equal(one.frames, other.frames)
        and np.allclose(one.luma, other.luma, atol=0.02)
        and boundaries(one) == boundaries(other)
    )


def same(one: ShotPredictions, other: ShotPredictions) -> bool:
    names = [each.name for each in fields(one) if each.name != "seen"]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_an_interrupted_run_goes_on_and_the_whole_is_preferred(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = probe(write(tmp_path / "a.mp4", film.pictures, Fraction(25), g="24", sc_threshold="0"))
    first = predict_shots(media, Cache(None), fast=True)
    cache = Cache(tmp_path / "cache")
    assert same(first, predict_shots(media, cache, fast=True))
    stored = sorted((tmp_path / "cache").rglob("shots-fast-*.npz"))
    assert len(stored) == 3
    for path in stored[1:]:
        path.unlink()
    counts = pictures_decoded(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(sparse_watching, "scan", None)  # remembered
        assert same(first, predict_shots(media, cache, fast=True))
    assert counts
    counts.clear()
    assert same(first, predict_shots(media, cache, fast=True))
    assert counts == []
    whole = predict_shots(media, cache)
    assert not same(first, whole)
    with monkeypatch.context() as patch:
        patch.setattr(inference, "plan_of", None)  # not asked
        assert same(whole, predict_shots(media, cache, fast=True))


LAYOUTS: dict[str, dict[str, str]] = {
    "a.mp4": {"g": "24", "preset": "veryfast", "sc_threshold": "0"},
    "a.mkv": {"g": "24", "preset": "medium", "sc_threshold": "0"},
    "a.ts": {"g": "24", "preset": "veryfast", "sc_threshold": "0"},
    "plain.mp4": {"g": "24", "bf": "0", "preset": "veryfast", "sc_threshold": "0"},
    "open.mp4": {"x264-params": "open-gop=1:keyint=24:min-keyint=24:bframes=3:scenecut=0"},
    "hevc.mp4": {"x265-params": "open-gop=1:keyint=24:min-keyint=24:scenecut=0:log-level=none"},
}


def laid_out(folder: Path, name: str) -> MediaInfo:
    codec = "libx265" if name == "hevc.mp4" else "libx264"
    return probe(movie(folder / name, Picture(frames=150, codec=codec, options=LAYOUTS[name])))


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_sparse_film_is_what_a_whole_pass_gives(tmp_path: Path, name: str) -> None:
    media = laid_out(tmp_path, name)
    (whole,) = thumbnails(media, unfiltered=True)
    wanted = leaving_out(scan_of(media))
    for first, stop in [(0, 150), (0, 3), (40, 60), (41, 42), (60, 140), (149, 150), (70, 71)]:
        film = film_of(list(sparse_film(media, wanted, first, stop, 1)))
        assert film.frames.tolist() == list(range(first, stop))
        shown = [number_in(picture) for picture in film.pictures]
        assert [at for at, real in zip(shown, film.real, strict=True) if real] == (
            film.frames[film.real].tolist()
        )
        assert np.array_equal(film.pictures, whole.pictures[shown])
        level = wanted.level[first:stop]
        assert film.real[level == EVERY].all()
        assert not film.real[level == HELD].any()
        for at, number in enumerate(shown):  # nothing is shown before its time
            assert number <= first + at
        if name == "plain.mp4":  # every picture is leaned on, or may be
            assert film.real[level != HELD].all()


def leaving_out(found: Scan) -> Wanted:
    """All between frames 49 and 71 and 97 and 119 is passed over but what follows a keyframe, and
    every picture is wanted in the middle of what is left."""
    level = np.full(len(found.frames), LEANED_ON, np.uint8)
    level[49:72] = level[97:120] = HELD
    level[97:102] = level[12:30] = EVERY
    while not found.ahead[np.flatnonzero(level[97:120] == EVERY)[-1] + 97]:
        level[np.flatnonzero(level[97:120] == EVERY)[-1] + 98] = EVERY
    return Wanted(found.frames, found.key, level)


@pytest.mark.parametrize("name", ["a.mp4", "open.mp4", "hevc.mp4"])
def test_sparse_film_does_not_depend_on_where_it_begins(tmp_path: Path, name: str) -> None:
    media = laid_out(tmp_path, name)
    wanted = leaving_out(scan_of(media))
    whole = film_of(list(sparse_film(media, wanted, 0, 150, 2)))
    for first in range(0, 150, 7):
        part = film_of(list(sparse_film(media, wanted, first, 150, 1)))
        assert np.array_equal(part.pictures, whole.pictures[first:])
        assert np.array_equal(part.real, whole.real[first:])


def mixture(*brightness: int | None) -> SparseFilm:
    """Plain pictures; None: not decoded, and so the one before."""
    real = np.array([each is not None for each in brightness])
    values = np.maximum.accumulate(np.where(real, np.arange(len(real)), 0))
    plain = np.array([each or 0 for each in brightness], np.uint8)[values]
    pictures = np.broadcast_to(plain[:, None, None, None], (len(plain), 27, 48, 3)).copy()
    return SparseFilm(np.arange(len(real)), pictures, real)


def brightness(film: SparseFilm) -> list[int]:
    return [int(picture[0, 0, 0]) for picture in film.pictures]


def test_a_dissolve_of_which_half_is_decoded_goes_smoothly() -> None:
    film = mixture(10, None, 10, None, 30, None, 50, None, 70, None, 70)
    assert brightness(smooth(film)) == [10, 10, 10, 20, 30, 40, 50, 60, 70, 70, 70]
    assert np.array_equal(smooth(film).real, film.real)


def test_a_cut_of_which_half_is_decoded_stays_a_cut() -> None:
    film = mixture(10, None, 12, None, 90, None, 92, None, 94)
    assert brightness(smooth(film)) == [10, 11, 12, 12, 90, 91, 92, 93, 94]


def test_what_was_passed_over_is_not_mixed() -> None:
    film = mixture(10, *[None] * 9, 14)
    assert np.array_equal(smooth(film).pictures, film.pictures)
    assert np.array_equal(smooth(mixture(10, None)).pictures, mixture(10, None).pictures)


def scan_of(media: MediaInfo) -> Scan:
    found = scan(media, look, lambda frame: None)
    assert found is not None
    return found


def test_a_scan_names_every_picture(tmp_path: Path, film: Film) -> None:
    media = probe(write(tmp_path / "a.mp4", film.pictures, Fraction(25), g="24", sc_threshold="0"))
    found = scan_of(media)
    count = len(film.pictures)
    assert found.frames.tolist() == list(range(count))
    assert found.frames[found.key].tolist() == list(range(0, count, 24))
    assert found.looked_at.tolist() == list(range(0, count, 48))
    assert (found.sizes > 0).all()


def test_one_calm_take_is_passed_over(tmp_path: Path) -> None:
    media = probe(write(tmp_path / "a.mp4", take(1, 400, 30), Fraction(25), g="24"))
    level = plan(scan_of(media), media.rate).wanted.level
    assert (level == HELD).mean() > 0.75


def test_looks_tell_pictures_apart() -> None:
    same_scene = take(1, 12, 4).astype(np.uint8)[:, 4:-5:3, 8:-8:3]
    small = np.ascontiguousarray(same_scene[:, :27, :48])
    other = np.ascontiguousarray(take(9, 1).astype(np.uint8)[:, ::3, ::3][:, :27, :48])
    one, two, three = *looks(small[[0, 3]]), looks(other)[0]
    assert unlike(one, two) < 1 < unlike(one, three)
