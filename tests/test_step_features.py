"""Sound, repetitions and pictures on the step clock, of signals made here."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from otio_mapedit import step_sound
from otio_mapedit.edit_spec import (
    FEATURES,
    LAGS,
    LOOK,
    LOOK_FEATURES,
    LOOK_SPANS,
    MEL_BANDS,
    PICTURE_FEATURES,
    REPEAT_FEATURES,
    SOUND_FEATURES,
    WATCHED_FEATURES,
)
from otio_mapedit.features import HOP, SoundFeatures, samples_of
from otio_mapedit.repeats import repeats
from otio_mapedit.sample_watching import watch_samples
from otio_mapedit.step_features import step_features
from otio_mapedit.step_sound import (
    CEPSTRA,
    PER_STEP,
    RATE,
    StepListener,
    TrackSteps,
    loudest,
    room_steps,
)

RNG = np.random.default_rng(4)


def heard(samples: NDArray[Any], *sizes: int) -> TrackSteps:
    listener, at = StepListener(), 0
    for size in (*sizes, len(samples)):
        listener.feed(samples[at : at + size].astype(np.float32))
        at += size
    return listener.finish()


def column(steps: NDArray[Any], name: str) -> NDArray[Any]:
    return np.asarray(steps[:, FEATURES.index(name)])


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 200_000), max_size=6))
def test_steps_do_not_depend_on_how_sound_arrives(sizes: list[int]) -> None:
    samples = RNG.normal(0, 0.1, 190_000)
    whole, pieces = heard(samples), heard(samples, *sizes)
    assert len(whole.steps) == 48
    assert len(whole.cepstra) == 48 * PER_STEP
    assert np.array_equal(whole.steps, pieces.steps)
    assert np.array_equal(whole.cepstra, pieces.cepstra)


def test_a_buzz_is_voiced_and_noise_is_flat() -> None:
    time = np.arange(2 * RATE) / RATE
    buzz = heard(0.3 * np.sign(np.sin(2 * np.pi * 160 * time)))
    noise = heard(RNG.normal(0, 0.1, 2 * RATE))
    pitch, voicing, flatness = (SOUND_FEATURES.index(n) for n in ("pitch", "voicing", "flatness"))
    assert np.allclose(buzz.steps[1:-1, pitch], 1.0, atol=0.05)  # an octave above 80 Hz
    assert (buzz.steps[1:-1, voicing] > 0.8).all()
    assert noise.steps[:, voicing].mean() < 0.6
    assert (noise.steps[:, flatness] > buzz.steps[:, flatness]).all()


def test_of_two_tracks_the_louder_one_counts() -> None:
    quiet, loud = heard(RNG.normal(0, 0.01, 3 * RATE)), heard(RNG.normal(0, 0.2, RATE))
    both = loudest([quiet, loud])
    assert len(both.power) == 12
    assert np.array_equal(both.steps[:4], loud.steps)
    assert np.array_equal(both.steps[4:], quiet.steps[4:])
    assert len(loudest([]).steps) == 0


def talk_in_a_room(seconds: float, loud: float, seed: int) -> NDArray[Any]:
    """Bursts of sound, three a second with pauses between them, over a hiss 40 dB below them."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    said = 0.1 * np.maximum(0, np.sin(2 * np.pi * 3 * time)) * rng.normal(0, 1, len(time))
    return np.asarray(said + loud * rng.normal(0, 1, len(time)))


def room(samples: NDArray[Any]) -> NDArray[Any]:
    """How far the room steps, over all reaches."""
    return np.asarray(heard(samples).steps[:, SOUND_FEATURES.index("room step for good")])


@pytest.mark.parametrize("louder", [0.25, 4.0])
def test_another_room_begins_at_a_step(louder: float) -> None:
    first, second = talk_in_a_room(20, 0.001, 1), talk_in_a_room(20, 0.001 * louder, 2)
    found = room(np.concatenate([first, second]))
    assert abs(int(found[1:-1].argmax()) + 1 - 80) <= 1
    assert found[78:82].max() > 0.6, "twelve decibels are 1.2 decades"
    assert found[8:76].max() < 0.3, "words are not another room"


def test_rooms_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    air = np.random.default_rng(6).normal(-6, 0.4, (400 * PER_STEP, MEL_BANDS)).astype(np.float16)
    air[170 * PER_STEP + 2 :] -= 1
    whole = room_steps(air)
    assert 170 in whole[:, 1].argsort()[-2:]
    monkeypatch.setattr(step_sound, "_ROOM_BLOCK", 37)
    assert np.array_equal(room_steps(air), whole)
    assert room_steps(air[:0]).shape == (0, 2)


def test_a_gap_in_the_sound_is_no_other_room() -> None:
    samples = talk_in_a_room(40, 0.001, 3)
    samples[20 * RATE : 20 * RATE + RATE // 50] = 0
    assert room(samples)[8:-8].max() < 0.3
    assert room(np.zeros(10 * RATE)).max() == 0
    assert len(room(np.zeros(0))) == 0


def vowels(length: float, count: int) -> NDArray[Any]:
    """Tones that change from one chord to the next every ``length`` seconds."""
    rng = np.random.default_rng(5)
    time = np.arange(int(length * count * RATE)) / RATE
    at = time / length
    tones = np.geomspace(220, 2400, 12)
    loud = 10 ** rng.uniform(-2.5, -0.5, (count + 1, len(tones)))
    waves = [
        np.interp(at, np.arange(count + 1), part) * np.sin(2 * np.pi * tone * time)
        for part, tone in zip(loud.T, tones, strict=True)
    ]
    return np.asarray(0.3 * np.sum(waves, axis=0))


def test_at_twice_the_speed_sounds_change_in_half_the_time() -> None:
    first = SOUND_FEATURES.index("spectral change in 10 ms")
    slow, fast = (
        heard(vowels(length, int(12 / length))).steps[4:-4, first : first + len(LAGS)].mean(axis=0)
        for length in (0.3, 0.15)
    )
    assert (np.diff(slow) > 0.1).all(), "the longer, the more has changed"
    assert np.abs(fast[1:3] - slow[2:4]).max() < 0.15
    assert (fast[1:3] - slow[1:3] > 0.3).all()


def test_speech_that_changes_faster_than_usual_is_told() -> None:
    said = np.concatenate([vowels(0.3, 200), vowels(0.15, 60), vowels(0.3, 200)])
    track = heard(said)
    level = np.full(len(track.steps) * 25, -20, np.float32)
    sound = SoundFeatures(HOP, level, np.ones(len(level), np.float32), track.steps, track.cepstra)
    steps = step_features(len(track.steps), Fraction(25), sound, None)
    against = column(steps, "spectral change in 40 ms against around")
    assert against[250:266].min() > 0.15
    assert against[250:266].mean() - against[40:200].mean() > 0.3
    assert np.abs(against[40:200].mean()) < 0.15


def saying(seconds: float, seed: int) -> NDArray[Any]:
    """Cepstra that change from sound to sound, as those of speech do."""
    rng = np.random.default_rng(seed)
    sounds = rng.normal(0, 1, (int(seconds * 7) + 2, CEPSTRA))
    at = np.linspace(0, len(sounds) - 1, int(seconds * 20))
    return np.stack([np.interp(at, np.arange(len(sounds)), part) for part in sounds.T], axis=1)


def slower(said: NDArray[Any], factor: float) -> NDArray[Any]:
    at = np.linspace(0, len(said) - 1, int(len(said) * factor))
    return np.stack([np.interp(at, np.arange(len(said)), part) for part in said.T], axis=1)


def test_a_line_said_again_is_found_and_other_lines_are_not() -> None:
    line, pause = saying(4, 1), np.zeros((20, CEPSTRA))
    again = slower(line, 1.15) + np.random.default_rng(9).normal(0, 0.2, (92, CEPSTRA))
    parts = [line, pause, again, pause, saying(9, 2), pause, saying(6, 3)]
    cepstra = np.concatenate(parts).astype(np.float32)
    cepstra = cepstra[: len(cepstra) // PER_STEP * PER_STEP]
    speech = (np.abs(cepstra).sum(axis=1) > 0).astype(np.float32)
    found = {name: repeats(cepstra, speech)[:, n] for n, name in enumerate(REPEAT_FEATURES)}
    assert (found["again score"][2:14] > 3.5).all()
    assert np.all(np.abs(found["again lag"][2:14] - 5.3) < 0.8)
    assert (found["again steady"][4:12] > 0.7).all()
    others = slice(44, 80)
    assert (found["again score"][others] < 3.5).mean() > 0.8
    assert (found["before score"][24:36] > 3.5).mean() > 0.7
    assert np.all(np.isfinite(np.stack(list(found.values()))))


def test_silence_repeats_nothing() -> None:
    assert not repeats(np.zeros((40, CEPSTRA), np.float32), np.zeros(40, np.float32))[:, 0].any()
    assert repeats(np.zeros((0, CEPSTRA), np.float32), np.zeros(0, np.float32)).shape == (0, 10)


def picture(level: int, edge: int = 0) -> NDArray[np.uint8]:
    shown = np.full((54, 96, 3), level, np.uint8)
    shown[20:30, 20:60] += np.uint8(edge)
    return shown


def test_pictures_stand_until_the_next_sample() -> None:
    samples = samples_of([(0, picture(40, 80)), (25, picture(0)), (50, picture(200, 30))], 25)
    steps = step_features(12, Fraction(25), None, samples)
    assert steps.shape == (12, len(FEATURES))
    assert column(steps, "black").tolist() == [0] * 4 + [1] * 4 + [0] * 4
    assert np.all(np.diff(column(steps, "picture age")[:4]) > 0)
    assert column(steps, "difference before")[4] > 0.1
    assert (column(steps, "has sound") == 0).all()
    assert (column(steps, "has picture") == 1).all()
    assert len(PICTURE_FEATURES) == 28 + len(WATCHED_FEATURES) + len(LOOK_FEATURES)


def scene(seed: int) -> NDArray[np.uint8]:
    """A picture of a few large shapes."""
    rng = np.random.default_rng(seed)
    shown = np.tile(rng.integers(0, 256, 3), (54, 96, 1)).astype(np.uint8)
    for _ in range(8):
        top, left = rng.integers(0, 44), rng.integers(0, 80)
        shown[top : top + rng.integers(8, 40), left : left + rng.integers(8, 60)] = rng.integers(
            0, 256, 3
        )
    return shown


def film(*seeds: int) -> list[NDArray[np.uint8]]:
    """Scenes of 30 pictures each, with a little noise."""
    rng = np.random.default_rng(0)
    shown = [scene(seed) for seed in seeds for _ in range(30)]
    return [np.clip(one + rng.normal(0, 2, one.shape), 0, 255).astype(np.uint8) for one in shown]


def test_the_shot_network_says_what_sampled_pictures_look_like() -> None:
    samples = samples_of([(25 * n, one) for n, one in enumerate(film(1, 2))], 25)
    steps = step_features(240, Fraction(25), None, samples)
    looks = [column(steps, f"look {number}") for number in range(LOOK)]
    length = np.linalg.norm(np.stack(looks), axis=0)
    assert np.allclose(length, 1, atol=0.01)
    for span in LOOK_SPANS:
        change = column(steps, f"look change over {span} s")
        assert change.argmax() == 120
        assert change[0] == 0
        assert change[120] > 2 * np.median(change)
    cut = column(steps, "watched cut")
    assert cut[120:124].min() > 5 * np.delete(cut, np.s_[116:128]).max()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 400), max_size=4))
def test_what_the_shot_network_says_does_not_depend_on_how_pictures_arrive(
    sizes: list[int],
) -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (420, 27, 48, 3)).astype(np.uint8)
    pieces = np.split(pictures, np.minimum(np.cumsum(sizes), 420)) if sizes else [pictures]
    said = watch_samples(pieces)
    assert said.shape == (420, len(WATCHED_FEATURES))
    assert np.array_equal(said, watch_samples(one[None] for one in pictures))


def test_pictures_that_nobody_watched_have_no_look() -> None:
    samples = samples_of([(0, picture(40, 80)), (25, picture(0))], 25)
    bare = replace(samples, watched=np.zeros((0, len(WATCHED_FEATURES)), np.float16))
    steps = step_features(8, Fraction(25), None, bare)
    assert not any(column(steps, name).any() for name in (*WATCHED_FEATURES, *LOOK_FEATURES))
    assert column(steps, "brightness").any()


def test_no_picture_is_no_sample() -> None:
    assert watch_samples([]).shape == (0, len(WATCHED_FEATURES))


def test_sound_that_ends_early_is_silent_after_its_end() -> None:
    track = heard(RNG.normal(0, 0.1, RATE))
    hops = round(1 / HOP)
    level, speech = np.full(hops, -20, np.float32), np.full(hops, 0.9, np.float32)
    sound = SoundFeatures(HOP, level, speech, track.steps, track.cepstra)
    steps = step_features(8, Fraction(24), sound, None)
    assert np.allclose(column(steps, "level")[:4], -1)
    assert np.allclose(column(steps, "level")[4:], -6)
    assert np.allclose(column(steps, "speech")[:4], 0.9)
    assert not column(steps, "speech")[4:].any()
    assert (column(steps, "inside") == 1).all()
