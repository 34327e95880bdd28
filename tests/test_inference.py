"""The answer depends on the file alone: not on batches, threads, caches or interruptions."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit import frames as pictures_of_files
from otio_mapedit import inference, watching
from otio_mapedit.cache import Cache
from otio_mapedit.errors import MediaError
from otio_mapedit.inference import SeenPictures, ShotPredictions, predict_shots, run_network
from otio_mapedit.media import MediaInfo, VideoStream
from otio_mapedit.spec import OUTPUTS, ShotSpec
from otio_mapedit.watching import windows_of
from otio_mapedit.weights import Network

SPEC = ShotSpec(window=48, context=14, kinds=("none", "cut"), quality=("black",))


class Session:
    """A network in plain arithmetic that looks 14 pictures back and 13 ahead."""

    def __init__(self) -> None:
        self.windows = 0

    def run(self, names: list[str], inputs: dict[str, Any]) -> list[Any]:
        assert names == list(OUTPUTS)
        self.windows += 1
        frames = inputs["frames"].astype(np.float32)
        mean = frames.mean(axis=(2, 3, 4))
        padded = np.pad(mean, ((0, 0), (14, 14)), mode="edge")
        count = mean.shape[1]
        cut = np.abs(padded[:, :count] - padded[:, 14 : 14 + count]) / 255
        transition = np.abs(padded[:, 27 : 27 + count] - mean) / 255
        kind = np.stack([1 - cut, cut], axis=-1)
        return [cut, transition, kind, frames[:, :, 0, 0], 1 - mean[..., None] / 255]


def network(name: str = "shots", threads: int | None = None) -> Network:
    return Network(name, Path("x.onnx"), "0" * 64, "", "", ("CPU",), Session(), SPEC)


def pictures(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    shape = (count, *SPEC.frame_shape)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def same(one: ShotPredictions, other: ShotPredictions) -> bool:
    """Whether two answers are identical to the bit."""
    assert (one.seen is None) == (other.seen is None)
    pairs = [(one, other, field.name) for field in fields(ShotPredictions) if field.name != "seen"]
    if one.seen is not None:
        pairs += [(one.seen, other.seen, field.name) for field in fields(SeenPictures)]
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for a, b, name in pairs)


def in_chunks(frames: Any, seen: Any, size: int) -> Iterator[tuple[Any, Any]]:
    for start in range(0, len(seen), size):
        yield frames[start : start + size], seen[start : start + size]


@given(count=st.integers(1, 150), chunk=st.sampled_from([1, 7, 20, 100, 1000]))
def test_windows_are_the_same_for_any_batches(count: int, chunk: int) -> None:
    seen = pictures(count)
    frames = np.arange(count) * 2
    expected = list(SPEC.windows(count))
    found = list(windows_of(in_chunks(frames, seen, chunk), SPEC))
    assert [kept.tolist() for _, kept, _ in found] == [
        frames[window.keep_first : window.keep_stop].tolist() for window in expected
    ]
    for (window, _, view), wanted in zip(found, expected, strict=True):
        assert window.first == wanted.first
        assert np.array_equal(view, SPEC.gather(seen, wanted))


@given(count=st.integers(1, 150), index=st.integers(0, 7))
def test_windows_go_on_from_any_window(count: int, index: int) -> None:
    seen = pictures(count)
    frames = np.arange(count)
    whole = list(windows_of([(frames, seen)], SPEC))
    first = max(0, SPEC.window_at(index).first)
    rest = list(windows_of(in_chunks(frames[first:], seen[first:], 7), SPEC, index))
    if SPEC.window_at(index).keep_first >= count:
        assert rest == []
        return
    assert [kept.tolist() for _, kept, _ in rest] == [k.tolist() for _, k, _ in whole[index:]]
    for (_, _, view), (_, _, expected) in zip(rest, whole[index:], strict=True):
        assert np.array_equal(view, expected)


@given(count=st.integers(1, 130))
def test_windows_do_not_show_in_the_answer(count: int) -> None:
    seen = pictures(count)
    found = run_network(network(), seen)
    whole = Session().run(list(OUTPUTS), {"frames": seen[None]})
    assert len(found) == count
    assert np.array_equal(found.frames, np.arange(count))
    assert np.allclose(found.cut, whole[0][0])
    assert np.allclose(found.transition, whole[1][0])


def test_evidence_tells_flash_from_cut_and_black_from_dark() -> None:
    dark, lit, other = (np.full((1, *SPEC.frame_shape), value, np.uint8) for value in (0, 90, 200))
    lit[:, :, ::2] = 120
    other[:, ::2] = 30
    flash = np.minimum(lit.astype(int) + 120, 255).astype(np.uint8)
    shots = [lit] * 20 + [flash] * 3 + [lit] * 20 + [other] * 20 + [dark] * 5
    found = run_network(network(), np.concatenate(shots))
    assert found.returned[20] < 0.01
    assert found.returned[43] > 0.99
    assert found.peak[63:].max() == 0
    assert found.peak[:63].min() > 0.4
    assert found.change[20] > 0.3
    assert found.change[21] == 0
    assert np.isclose(found.luma[0], 105 / 255, atol=1e-3)


class Decoder:
    """Stands in for the file: ``count`` pictures at grid frames 0, 1, 2, ..."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.seen = pictures(count)
        self.frames = np.arange(count)
        self.fails_at = fails_at
        self.first: list[int] = []
        self.unfiltered: list[bool] = []
        self.open = 0
        self.threads: set[int] = set()

    def decoded(
        self, job: watching.Job, first: int, stop: int, threads: int | None
    ) -> Generator[tuple[Any, Any], None, None]:
        self.first.append(first)
        self.unfiltered.append(job.unfiltered)
        self.open += 1
        try:
            for start in range(first, min(stop, len(self.seen)), 9):
                self.threads.add(threading.get_ident())
                if self.fails_at is not None and start >= self.fails_at:
                    raise MediaError(job.media.path, "breaks off")
                yield self.frames[start : start + 9], self.seen[start : start + 9]
        finally:
            self.open -= 1


def film(count: int, picture: bool = True) -> MediaInfo:
    rate = Fraction(25)
    video = VideoStream(
        0, "h264", 64, 36, Fraction(1), 0, 8, "yuv420p", rate, count, count, False,
        Fraction(0), False,
    )  # fmt: skip
    return MediaInfo(
        Path("film.mp4"), "mp4", 1, rate, count, Fraction(0), Fraction(count), 0, False, "",
        False, "", (video,) if picture else (), (), "print", (),
    )  # fmt: skip


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    """1000 pictures and the arithmetic network; segments of 320 pictures, one after the other."""
    source = Decoder(1000)
    monkeypatch.setattr(watching, "WINDOWS_PER_SEGMENT", 16)
    monkeypatch.setattr(watching, "workers_of", lambda job: (1, 1))
    monkeypatch.setattr(watching, "decoded", source.decoded)
    monkeypatch.setattr(inference, "open_network", network)
    return source


def test_a_file_is_watched_once(decoder: Decoder, tmp_path: Path) -> None:
    heard: list[tuple[float, float]] = []
    cache = Cache(tmp_path)
    first = predict_shots(film(1000), cache, lambda task, done, total: heard.append((done, total)))
    again = predict_shots(film(1000), cache)
    assert decoder.first == [0]
    assert decoder.open == 0
    assert threading.get_ident() not in decoder.threads
    assert same(first, again)
    assert np.array_equal(first.frames, decoder.frames)
    assert np.array_equal(first.cut, run_network(network(), decoder.seen).cut)
    assert len(heard) > 10
    assert all(done < total for done, total in heard[:-1])
    assert heard[-1] == (1, 1)


def test_an_interrupted_run_goes_on(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predict_shots(film(1000), Cache(None))
    cache = Cache(tmp_path)
    decoder.fails_at = 700
    with pytest.raises(MediaError, match="breaks off"):
        predict_shots(film(1000), cache)
    decoder.fails_at = None
    assert decoder.open == 0
    resumed = predict_shots(film(1000), cache)
    per_segment = watching.WINDOWS_PER_SEGMENT * SPEC.stride
    assert decoder.first == [0, 0, 2 * per_segment - SPEC.context]
    assert same(whole, resumed)
    monkeypatch.setattr(watching, "WINDOWS_PER_SEGMENT", 3)
    assert same(whole, predict_shots(film(1000), Cache(None)))


@pytest.mark.parametrize("per_segment", [1, 3])
def test_several_at_once_say_what_one_says(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_segment: int
) -> None:
    whole = predict_shots(film(1000), Cache(None))
    monkeypatch.setattr(watching, "WINDOWS_PER_SEGMENT", per_segment)
    monkeypatch.setattr(watching, "workers_of", lambda job: (4, 1))
    cache = Cache(tmp_path)
    decoder.fails_at = 800
    with pytest.raises(MediaError, match="breaks off"):
        predict_shots(film(1000), cache)
    decoder.fails_at = None
    assert decoder.open == 0
    assert same(whole, predict_shots(film(1000), cache))
    assert same(whole, predict_shots(film(1000), Cache(None)))
    assert not any(thread.name.startswith("mapedit-decode") for thread in threading.enumerate())


def test_a_quick_look_is_remembered_apart(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where everything has to be decoded, ``--fast`` leaves out the loop filter; nothing of that
    may pass for the answer without it, but that is good enough for ``--fast``."""
    monkeypatch.setattr(inference, "plan_of", lambda media, cache, progress: None)
    cache = Cache(tmp_path)
    for fast in (True, True, False, False, True):
        predict_shots(film(1000), cache, fast=fast)
    assert decoder.unfiltered == [True, False]


def test_ctrl_c_stops_the_decoder(decoder: Decoder, tmp_path: Path) -> None:
    def interrupt(task: str, done: float, total: float) -> None:
        if done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_shots(film(1000), Cache(tmp_path), interrupt)
    assert decoder.open == 0
    assert not any(thread.name.startswith("mapedit-decode") for thread in threading.enumerate())
    assert len(predict_shots(film(1000), Cache(tmp_path))) == 1000
    assert decoder.first[1] > 0


@pytest.mark.parametrize("count", [1, 320, 640, 641])
def test_any_length(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Decoder(count)
    monkeypatch.setattr(watching, "WINDOWS_PER_SEGMENT", 16)
    monkeypatch.setattr(watching, "workers_of", lambda job: (1, 1))
    monkeypatch.setattr(watching, "decoded", source.decoded)
    monkeypatch.setattr(inference, "open_network", network)
    cache = Cache(tmp_path)
    assert len(predict_shots(film(count), cache)) == count
    assert len(predict_shots(film(count), cache)) == count
    assert len(source.first) == 1


def test_files_without_usable_picture(decoder: Decoder) -> None:
    with pytest.raises(MediaError, match="has no picture"):
        predict_shots(film(10, picture=False), Cache(None))
    decoder.seen = decoder.seen[:0]
    with pytest.raises(MediaError, match="no picture can be decoded"):
        predict_shots(film(10), Cache(None))


def test_what_pictures_show_is_held_only_where_it_is_asked_for(
    decoder: Decoder, tmp_path: Path
) -> None:
    whole = predict_shots(film(1000), Cache(None))
    assert whole.seen is None
    assert np.array_equal(whole.picture_frames, np.arange(1000))
    # A picture is missing in the second of four segments: it is shown no picture of its own.
    decoder.frames, decoder.seen = np.delete(decoder.frames, 500), np.delete(decoder.seen, 500, 0)
    for _ in range(2):
        holed = predict_shots(film(1000), Cache(tmp_path))
        assert len(holed) == 1000
        assert holed.seen is not None
        assert np.array_equal(holed.picture_frames, decoder.frames)
        assert len(holed.seen.change) == 999
        assert np.array_equal(holed.seen.change[501:], holed.change[502:])
        assert holed.seen.sketch is None


def test_a_damaged_entry_counts_as_absent(decoder: Decoder, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    whole = predict_shots(film(1000), cache)
    entries = sorted(tmp_path.rglob("*.npz"))
    entries[0].write_bytes(b"PK nonsense")
    entries[1].unlink()
    assert same(whole, predict_shots(film(1000), cache))


@pytest.mark.parametrize(
    ("processors", "kilobytes", "in_part", "expected"),
    [
        (2, 1, False, (2, 1)),
        (2, 20, False, (1, 4)),  # one decoder of heavy pictures, others would be in its way
        (2, 20, True, (2, 1)),
        (16, 1, False, (4, 4)),
        (16, 20, False, (4, 8)),
        (6, 20, False, (1, 12)),
        (1, 20, False, (1, 2)),
    ],
)
def test_decoders_at_work(
    monkeypatch: pytest.MonkeyPatch,
    processors: int,
    kilobytes: int,
    in_part: bool,
    expected: tuple[int, int],
) -> None:
    monkeypatch.setattr(watching.os, "cpu_count", lambda: processors)
    monkeypatch.setattr(pictures_of_files, "can_begin_anywhere", lambda media: True)
    media = replace(film(4000), size=4000 * 1024 * kilobytes)
    assert watching.workers_of(watching.Job(media, network()), in_part) == expected
    monkeypatch.setattr(pictures_of_files, "can_begin_anywhere", lambda media: False)
    assert watching.workers_of(watching.Job(media, network()))[0] == 1
