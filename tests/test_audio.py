"""Sound stands where it is heard: proved by clicks at full seconds of the container's clock."""

from __future__ import annotations

import itertools
import logging
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from otio_mapedit.audio import SoundBlock, sound
from otio_mapedit.errors import MediaError
from otio_mapedit.media import MediaInfo, probe
from tests.mediamaker import (
    Picture,
    Sound,
    broadcast_wave,
    clicks,
    core_audio,
    movie,
    silence,
    tone,
)


def track(media: MediaInfo, number: int = 0, rate: int = 16000) -> tuple[int, np.ndarray]:
    """Start and samples of a track, after making sure that its blocks have no hole."""
    blocks = [block for block in sound(media, rate) if block.track == number]
    for before, after in itertools.pairwise(blocks):
        assert before.start + len(before.samples) == after.start
    assert all(block.samples.dtype == np.float32 for block in blocks)
    return blocks[0].start, np.concatenate([block.samples for block in blocks])


def click_times(start: int, samples: np.ndarray, rate: int = 16000) -> list[float]:
    """Seconds of the peaks of clicks, to the nearest sample."""
    loud = np.flatnonzero(np.abs(samples) > 0.3)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > rate // 2) + 1)
    return [(start + group[np.argmax(samples[group])]) / rate for group in groups if len(group)]


@pytest.mark.parametrize("source", [8000, 16000, 22050, 44100, 48000, 96000])
def test_sample_clock_is_exact_at_every_source_rate(tmp_path: Path, source: int) -> None:
    path = movie(tmp_path / "a.wav", sounds=[Sound(duration=7.5, rate=source)])
    start, samples = track(probe(path))
    assert start == 0
    assert abs(len(samples) - 7.5 * 16000) <= 1
    times = click_times(start, samples)
    assert np.allclose(times, range(8), atol=1.01 / 16000)


@pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.mp4", "a.ts", "a.avi"])
def test_sound_is_placed_against_the_picture(tmp_path: Path, name: str) -> None:
    codec = "aac" if name in ("a.mp4", "a.ts") else "pcm_s16le"
    path = movie(
        tmp_path / name,
        Picture(rate=Fraction(25), frames=100),
        [Sound(duration=3.9, channels=(clicks, clicks), codec=codec)],
    )
    start, samples = track(probe(path))
    atol = 0.0011 if name == "a.mkv" else 0.0002 if codec == "aac" else 1.01 / 16000
    assert start <= 1600
    assert np.allclose(
        click_times(start, samples), [0, 1, 2, 3][-4 if start == 0 else -3 :], atol=atol
    )


def test_picture_that_starts_late_moves_the_clock(tmp_path: Path) -> None:
    late = Picture(times=range(40, 120))
    path = movie(tmp_path / "a.mkv", late, [Sound(duration=4.9)])
    media = probe(path)
    assert media.origin == Fraction(8, 5)
    start, samples = track(media)
    # What is heard before the first picture is left out.
    assert start == 0
    assert np.allclose(click_times(start, samples), [0.4, 1.4, 2.4], atol=0.0011)
    assert abs(len(samples) - 3.3 * 16000) <= 20


def test_delayed_sound_keeps_its_place(tmp_path: Path) -> None:
    sounds = [Sound(duration=2.0, start=1.5), Sound(duration=2.9)]
    media = probe(movie(tmp_path / "a.mov", Picture(frames=100), sounds))
    start, samples = track(media, 0)
    assert start == 24000
    assert np.allclose(click_times(start, samples), [2, 3], atol=1.01 / 16000)
    start, samples = track(media, 1)
    assert start == 0
    assert np.allclose(click_times(start, samples), [0, 1, 2], atol=1.01 / 16000)


def test_gap_is_silence(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for first in [*range(0, 92000, 1000), *range(180000, 280000, 1000)]:
            seconds = (np.arange(1000) + first) / 48000
            data = (clicks(seconds) * 32767).astype(np.int16)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, first, Fraction(1, 48000)
            for packet in stream.encode(frame):
                container.mux(packet)
    start, samples = track(probe(path))
    assert abs(start + len(samples) - 280 / 48 * 16000) <= 20
    assert np.allclose(click_times(start, samples), [0, 1, 4, 5], atol=0.0011)
    assert np.abs(samples[31000:59900]).max() < 1e-3


def test_dead_channel_does_not_halve_the_other(tmp_path: Path) -> None:
    levels = {}
    for name, channels in {
        "both": (tone, tone),
        "left": (tone, silence),
        "right": (silence, tone),
        "crossed": (tone, lambda seconds: -tone(seconds)),
        "faint": (tone, lambda seconds: tone(seconds) * 0.02),
    }.items():
        path = movie(tmp_path / f"{name}.wav", sounds=[Sound(channels=channels)])
        _, samples = track(probe(path))
        levels[name] = float(np.sqrt(np.mean(samples[4000:-4000] ** 2)))
    expected = 0.5 / np.sqrt(2)
    assert all(abs(level / expected - 1) < 0.03 for level in levels.values()), levels


def test_two_voices_on_two_channels_are_both_heard(tmp_path: Path) -> None:
    def second_half(seconds: np.ndarray) -> np.ndarray:
        return np.where(seconds > 1, tone(seconds), 0)

    def first_half(seconds: np.ndarray) -> np.ndarray:
        return np.where(seconds <= 1, tone(seconds), 0)

    path = movie(tmp_path / "a.wav", sounds=[Sound(channels=(first_half, second_half))])
    _, samples = track(probe(path))
    for half in (samples[1000:15000], samples[17000:31000]):
        assert np.sqrt(np.mean(half**2)) > 0.15


@pytest.mark.parametrize("name", ["a.m4a", "a.aac", "a.mp3", "a.flac", "a.ogg", "a.mka"])
def test_coded_sound(tmp_path: Path, name: str) -> None:
    codec = {"mp3": "mp3", "flac": "flac", "ogg": "libopus"}.get(name[2:], "aac")
    source = 48000
    path = movie(tmp_path / name, sounds=[Sound(duration=3.0, rate=source, codec=codec)])
    media = probe(path)
    start, samples = track(media)
    assert start == 0
    assert abs(len(samples) / 16000 - float(media.duration)) < 0.001
    times = np.array(click_times(start, samples))
    # Without an edit list the coder's own delay stays; the clicks stay a second apart.
    assert np.allclose(np.diff(times), 1, atol=0.001)


def test_channels_in_an_order_of_their_own(tmp_path: Path) -> None:
    """Right, left, centre: PyAV's own view of such a layout ends the process."""
    path = core_audio(tmp_path / "a.caf", Sound(3.0, channels=(silence, tone, silence)), [2, 1, 3])
    for _ in range(3):
        media = probe(path)
        assert media.audio[0].channels == 3
        assert "FR+FL+FC" in media.audio[0].layout
        _, samples = track(media)
        assert len(samples) == 3 * 16000
        assert np.sqrt(np.mean(samples[4000:-4000] ** 2)) > 0.3


def test_broadcast_wave_and_other_rates(tmp_path: Path) -> None:
    path = broadcast_wave(tmp_path / "a.wav", Sound(duration=3.0, channels=(clicks, tone)), 1234)
    _, samples = track(probe(path), rate=48000)
    assert len(samples) == 3 * 48000


def test_blocks_of_all_tracks_come_in_one_pass(tmp_path: Path) -> None:
    sounds = [Sound(duration=6.0), Sound(duration=6.0, channels=(tone,))]
    media = probe(movie(tmp_path / "a.mov", Picture(frames=150), sounds))
    blocks = list(sound(media))
    assert {block.track for block in blocks} == {0, 1}
    order = [block.track for block in blocks]
    assert order != sorted(order)
    assert max(len(block.samples) for block in blocks) < 3 * 16000
    assert isinstance(blocks[0], SoundBlock)


def test_no_sound(tmp_path: Path) -> None:
    media = probe(movie(tmp_path / "a.mov", Picture()))
    with pytest.raises(MediaError, match="no sound"):
        next(sound(media))


@pytest.mark.parametrize("name", ["a.mkv", "a.m4a", "a.mp3"])
def test_damage_is_silence(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    codec = {"a.mp3": "mp3"}.get(name, "aac")
    path = movie(tmp_path / name, sounds=[Sound(duration=10.0, channels=(tone,), codec=codec)])
    media = probe(path)
    content = bytearray(path.read_bytes())
    chance = random.Random(7)
    third = len(content) // 3
    for _ in range(400):
        content[third + chance.randrange(third)] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        start, samples = track(media)
    assert abs(start + len(samples) - float(media.duration) * 16000) <= 20
    assert np.all(np.isfinite(samples))
    assert np.sqrt(np.mean(samples[8000:40000] ** 2)) > 0.3


def test_cut_off_file_is_silent_to_its_end(tmp_path: Path) -> None:
    path = movie(tmp_path / "a.wav", sounds=[Sound(duration=4.0, channels=(tone,))])
    media = probe(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    start, samples = track(media)
    assert start + len(samples) == 64000
    assert np.all(samples[33000:] == 0)


def test_shared_media_are_all_heard(shared: Path) -> None:
    for name in (
        "pyfeat_face_noface.mov",
        "torchcodec_nasa_13013.mp4",
        "moviepy_bbb_0_30.webm",
        "vllama_applausing.mp4",
        "autoeditor_commentary.mp3",
        "speech_jfk.flac",
    ):
        media = probe(shared / "data" / "videos" / name)
        for number, told in enumerate(media.audio):
            start, samples = track(media, number)
            assert abs(start / 16000 - max(0, float(told.start))) < 0.05
            end = float(told.start + told.duration)
            assert abs((start + len(samples)) / 16000 - end) < 0.001
            assert np.abs(samples).max() > 0.01
