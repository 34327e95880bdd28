"""Sound and picture features of media made here, whose truth is known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from otio_mapedit import audio, features, frames, speech
from otio_mapedit.audio import SoundBlock
from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.errors import MediaError
from otio_mapedit.features import (
    FAULTS,
    HOP,
    SILENCE,
    PictureSamples,
    fault_codes,
    picture_samples,
    sound_features,
)
from otio_mapedit.media import AudioStream, MediaInfo, probe
from otio_mapedit.operations import Kind
from otio_mapedit.pipeline import Tools, decide
from otio_mapedit.recipes import recipe

RATE = 48000


def tone(seconds: float, level: float, frequency: float = 440) -> NDArray[np.float32]:
    """A sine whose RMS is ``level`` dBFS."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * frequency * time) * np.sqrt(2) * 10 ** (level / 20)
    return wave.astype(np.float32)


def picture(kind: str, number: int) -> NDArray[np.uint8]:
    """RGB [90, 160, 3]: "scene" has edges that move, "black" and "covered" have noise alone."""
    rng = np.random.default_rng(number)
    base = np.zeros((90, 160, 3))
    if kind == "scene":
        base += 90
        base[20:70, 10 + number % 100 : 50 + number % 100] = 200
    if kind == "covered":
        base += (45, 20, 15)
    return np.clip(base + rng.normal(0, 2, base.shape), 0, 255).astype(np.uint8)


def write(
    path: Path,
    kinds: str | list[str] = "",
    tracks: list[NDArray[np.float32]] | None = None,
    rate: int = 25,
    gop: int = 25,
) -> MediaInfo:
    """A film of ``kinds`` (one a picture) and 16-bit mono tracks."""
    with av.open(str(path), "w") as container:
        video: Any = None
        if kinds:
            video = container.add_stream("libx264", rate, {"g": str(gop), "sc_threshold": "0"})
            video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        sounds: list[Any] = [
            container.add_stream("pcm_s16le", RATE, layout="mono") for _ in tracks or []
        ]
        for number, kind in enumerate(kinds):
            frame = av.VideoFrame.from_ndarray(picture(kind, number), "rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
        if video:
            container.mux(video.encode(None))
        for stream, samples in zip(sounds, tracks or [], strict=True):
            for first in range(0, len(samples), RATE // 10):
                block = (samples[first : first + RATE // 10] * 32767).astype(np.int16)
                sound = av.AudioFrame.from_ndarray(block[np.newaxis], "s16", "mono")
                sound.sample_rate, sound.pts = RATE, first
                sound.time_base = Fraction(1, RATE)
                container.mux(stream.encode(sound))
            container.mux(stream.encode(None))
    return probe(path)


def test_levels_are_exact_on_their_clock(tmp_path: Path) -> None:
    samples = np.concatenate([tone(1, -30), np.zeros(RATE, np.float32), tone(1, -12)])
    heard = sound_features(write(tmp_path / "tone.mov", tracks=[samples]), Cache(None))
    assert heard.hop == HOP
    assert len(heard.level) == len(heard.speech) == 300
    assert heard.level.dtype == heard.speech.dtype == np.float32
    for first, stop, level in ((2, 98, -30), (202, 298, -12)):
        assert np.abs(heard.level[first:stop] - level).max() < 0.5
    assert (heard.level[102:198] < -80).all()
    assert (heard.level >= SILENCE).all()


def test_the_loudest_track_counts(tmp_path: Path) -> None:
    quiet, late = tone(2, -40), np.concatenate([np.zeros(RATE, np.float32), tone(1, -20)])
    heard = sound_features(write(tmp_path / "two.mov", tracks=[quiet, late]), Cache(None))
    assert abs(float(np.median(heard.level[5:95])) + 40) < 0.5
    assert abs(float(np.median(heard.level[105:195])) + 20) < 0.5


def blocks(samples: NDArray[np.float32], sizes: list[int], start: int = 0) -> Iterator[SoundBlock]:
    at = 0
    for size in itertools.chain(sizes, itertools.repeat(len(samples))):
        if at >= len(samples):
            return
        yield SoundBlock(0, start + at, samples[at : at + size])
        at += size


def listened(monkeypatch: pytest.MonkeyPatch, given: Iterator[SoundBlock]) -> Any:
    stream = AudioStream(0, "pcm", 1, "mono", 16000, Fraction(0), Fraction(10), "", "")
    media = MediaInfo(
        Path("a.wav"), "wav", 1, Fraction(30), 300, Fraction(0), Fraction(10), 0, False, "",
        False, "", (), (stream,), "print", (),
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(audio, "sound", lambda *_: given)
        return sound_features(media, Cache(None))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=12))
def test_one_pass_and_many_blocks_say_the_same(sizes: list[int]) -> None:
    monkeypatch = pytest.MonkeyPatch()
    rng = np.random.default_rng(3)
    samples = (rng.normal(0, 0.1, 100_000) * np.sin(np.arange(100_000) / 900)).astype(np.float32)
    once = listened(monkeypatch, blocks(samples, []))
    chunked = listened(monkeypatch, blocks(samples, sizes))
    assert np.array_equal(once.level, chunked.level)
    assert np.array_equal(once.speech, chunked.speech)


def test_sound_that_begins_late_stands_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.full(16000, 0.1, np.float32)
    heard = listened(monkeypatch, blocks(samples, [], start=32000))
    assert len(heard.level) == 300
    assert (heard.level[:200] == SILENCE).all()
    assert np.allclose(heard.level[200:], -20, atol=0.01)


def test_the_detector_s_answers_stand_at_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(speech.Listener):
        def finish(self) -> NDArray[np.float32]:
            return np.arange(10, dtype=np.float32)

    monkeypatch.setattr(speech, "Listener", Counting)
    heard = listened(monkeypatch, blocks(np.zeros(10 * speech.STEP, np.float32), []))
    middles = (np.arange(32) * 160 + 80) / speech.STEP
    assert np.array_equal(heard.speech, np.floor(middles))


def test_silence_of_no_blocks_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = listened(monkeypatch, iter(()))
    assert len(heard.level) == len(heard.speech) == 0


@pytest.mark.parametrize("kind", ["black", "covered"])
def test_faulty_passages_are_known_to_the_frame(tmp_path: Path, kind: str) -> None:
    kinds = ["scene"] * 60 + [kind] * 55 + ["scene"] * 85
    media = write(tmp_path / "film.mp4", kinds, [tone(8, -20)] if kind == "black" else None)
    samples = picture_samples(media, Cache(None))
    codes = codes_of(samples)
    faulty = samples.frames[codes == (FAULTS.index("black" if kind == "black" else "lens covered"))]
    assert faulty.min() == 60
    assert faulty.max() == 114
    assert set(codes[(samples.frames >= 60) & (samples.frames < 115)]) == {
        FAULTS.index("black" if kind == "black" else "lens covered")
    }
    assert len(samples.frames) < 80, "only the edges are looked at picture by picture"
    assert (np.diff(samples.frames) > 0).all()


def codes_of(samples: PictureSamples) -> NDArray[Any]:
    return fault_codes(samples.brightness, samples.contrast, samples.detail, samples.edge)


def test_edges_beyond_the_budget_count_as_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "REFINED_WITH_SOUND", Fraction(0))
    kinds = ["black"] * 30 + ["scene"] * 70
    media = write(tmp_path / "film.mov", kinds, [tone(4, -20)], gop=50)
    samples = picture_samples(media, Cache(None))
    assert samples.frames.tolist() == [0, 1, 50]
    assert codes_of(samples).tolist() == [1, 0, 0]


def test_without_sound_black_between_keyframes_is_found(tmp_path: Path) -> None:
    kinds = ["scene"] * 60 + ["black"] * 20 + ["scene"] * 70
    with_sound = write(tmp_path / "sound.mov", kinds, [tone(6, -20)], gop=100)
    assert picture_samples(with_sound, Cache(None)).frames.tolist() == [0, 100]
    samples = picture_samples(write(tmp_path / "film.mov", kinds, gop=100), Cache(None))
    assert samples.frames[codes_of(samples) == 1].tolist() == list(range(60, 80))


def test_what_stands_still_does_not_change(tmp_path: Path) -> None:
    kinds = ["scene"] * 50
    media = write(tmp_path / "film.mp4", kinds)
    assert picture_samples(media, Cache(None)).change[1:].min() > 0.01
    assert picture_samples(media, Cache(None)).change[0] == 1


def test_a_title_on_black_is_a_picture() -> None:
    title = np.zeros((54, 96, 3), np.uint8)
    title[25:28, 40:56] = 220
    look = features._look(0, title)
    assert look.fault == 0
    assert features._look(0, np.zeros((54, 96, 3), np.uint8)).fault == 1
    assert features._look(0, np.full((54, 96, 3), 250, np.uint8)).fault == 3


def test_the_cache_answers_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = write(tmp_path / "film.mov", ["scene"] * 50, [tone(2, -20)])
    cache = Cache(tmp_path / "cache")
    first = sound_features(media, cache), picture_samples(media, cache)

    def unexpected(*_: object) -> Iterator[Any]:
        raise AssertionError("the file was read again")

    monkeypatch.setattr(audio, "sound", unexpected)
    monkeypatch.setattr(frames, "keyframe_pictures", unexpected)
    again = sound_features(media, cache), picture_samples(media, cache)
    for one, other in zip(first, again, strict=True):
        for name, value in vars(one).items():
            assert np.array_equal(value, getattr(other, name))


def test_progress_ends_where_the_work_ends(tmp_path: Path) -> None:
    media = write(tmp_path / "film.mov", ["scene"] * 75, [tone(3, -20)])
    told: list[tuple[str, float, float]] = []
    for compute in (sound_features, picture_samples):
        told.clear()
        compute(media, Cache(None), lambda *step: told.append(step))
        assert len({task for task, _, _ in told}) == 1
        assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
        assert all(done < total for _, done, total in told[:-1])
        assert told[-1][1] == told[-1][2]


@pytest.mark.parametrize("stage", ["Listening", "Looking"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MediaError("film.mov", "gone", "Run again.")])
def test_what_ends_one_half_ends_the_other(tmp_path: Path, stage: str, kind: Any) -> None:
    media = write(tmp_path / "film.mov", ["scene"] * 75, [tone(3, -20)])

    def progress(task: str, done: float, total: float) -> None:
        if task.startswith(stage) and done:
            raise kind

    chosen = recipe("roughcut")
    tools = Tools(Cache(tmp_path / "cache"), progress)
    with pytest.raises(kind if isinstance(kind, type) else type(kind)):
        decide([media.path], chosen, make_options(chosen.Options, {}), tools)


def test_a_rough_cut_from_end_to_end(tmp_path: Path) -> None:
    """A second of black and a covered lens in a film without sound; cut to the frame."""
    kinds = ["black"] * 30 + ["scene"] * 70 + ["covered"] * 40 + ["scene"] * 60
    media = write(tmp_path / "film.mp4", kinds)
    chosen = recipe("roughcut")
    decisions = decide([media.path], chosen, make_options(chosen.Options, {}))
    placed = [op for op in decisions.operations if op.kind in (Kind.KEEP, Kind.DROP)]
    assert [(op.kind.value, op.range.start, op.range.end) for op in placed] == [
        ("drop", 0, 30),
        ("keep", 30, 100),
        ("drop", 100, 140),
        ("keep", 140, 200),
    ]


def test_real_speech_keeps_every_word(shared: Path) -> None:
    """The 22 seconds of silence go; the words stay, with room around them."""
    path = shared / "data" / "videos" / "autoeditor_example.mp4"
    chosen = recipe("roughcut")
    decisions = decide([path], chosen, make_options(chosen.Options, {}))
    media = probe(path)
    heard = sound_features(media, Cache(None))
    kept = np.zeros(media.frame_count, bool)
    drops = []
    for op in decisions.operations:
        if op.kind is Kind.KEEP:
            kept[op.range.start : op.range.end] = True
        elif op.kind is Kind.DROP:
            drops.append(op)
    assert max(op.range.duration for op in drops) >= 22 * media.rate
    spoken = np.flatnonzero(heard.speech >= 0.5)
    assert kept[[int(step * HOP * media.rate) for step in spoken]].all()
    for edge in np.flatnonzero(np.diff(kept.astype(int))) + 1:
        near = slice(int((edge - 2) / media.rate / HOP), int((edge + 2) / media.rate / HOP))
        assert heard.speech[near].max(initial=0) < 0.2, "every cut lies in a pause"


def test_damaged_sound_is_not_louder_than_full_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = listened(monkeypatch, blocks(np.full(16000, 10, np.float32), []))
    assert np.isfinite(heard.level).all()
    assert np.isfinite(heard.speech).all()


def test_media_info_is_only_read(tmp_path: Path) -> None:
    media = write(tmp_path / "tone.wav", tracks=[tone(1, -20)])
    before = media.path.stat()
    sound_features(media, Cache(None))
    assert media.path.stat().st_mtime_ns == before.st_mtime_ns
    with pytest.raises(MediaError):
        sound_features(replace(media, path=tmp_path / "gone.wav"), Cache(None))
