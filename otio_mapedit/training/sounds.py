"""Sounds that rushes are made of besides voices; all float32 at 16 kHz, about full scale 1."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]
RATE = 16000
_AAC = 1024  # samples of a frame of AAC, and how much later it comes out again


def coloured(rng: np.random.Generator, count: int, slope: float) -> Samples:
    """Noise whose power falls by ``slope`` (0 white, 1 pink, 2 brown), RMS 1.

    Made of a minute that repeats in parts, as room tone does not need to be new for ever.
    """
    size = min(count, 1 << 19)
    shape = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20.0) ** (-slope / 2)
    wave = np.fft.irfft(np.fft.rfft(rng.normal(size=size).astype(np.float32)) * shape, size)
    wave = wave / (wave.std() + 1e-9)
    return np.resize(wave, count).astype(np.float32)


def room_tone(rng: np.random.Generator, count: int) -> Samples:
    """Air, hum and a slowly changing level, RMS about 1."""
    tone = coloured(rng, count, rng.uniform(0.3, 2.0))
    if rng.random() < 0.4:
        time = np.arange(count, dtype=np.float32) / RATE
        base = rng.choice([50.0, 60.0])
        for harmonic in range(1, 5):
            tone += rng.uniform(0, 0.6) / harmonic * np.sin(2 * np.pi * base * harmonic * time)
    slow = np.interp(
        np.arange(count), np.linspace(0, count, 12), np.exp(rng.normal(0, rng.uniform(0, 0.4), 12))
    )
    return np.asarray(tone * slow, np.float32)


def cough(rng: np.random.Generator) -> Samples:
    """One to three bursts of breath through a throat."""
    parts: list[Samples] = []
    for _ in range(rng.integers(1, 4)):
        count = int(rng.uniform(0.12, 0.4) * RATE)
        time = np.arange(count) / RATE
        burst = coloured(rng, count, rng.uniform(0.2, 1.2)) * np.exp(-time * rng.uniform(6, 20))
        for _ in range(2):
            burst = burst + 0.6 * _resonance(burst, rng.uniform(300, 2500))
        parts += [burst, np.zeros(int(rng.uniform(0.03, 0.25) * RATE))]
    return _level(np.concatenate(parts))


def handling(rng: np.random.Generator) -> Samples:
    """Thumps and scratches of a microphone or camera that is moved."""
    count = int(rng.uniform(0.4, 2.5) * RATE)
    sound = np.zeros(count)
    for _ in range(rng.integers(2, 12)):
        length = int(rng.uniform(0.02, 0.3) * RATE)
        at = int(rng.integers(0, max(1, count - length)))
        bump = coloured(rng, length, rng.uniform(0.5, 2.5))
        bump = bump * np.exp(-np.arange(length) / RATE * rng.uniform(10, 60)) * rng.uniform(0.2, 1)
        sound[at : at + length] += bump[: count - at]
    return _level(sound)


def clap(rng: np.random.Generator) -> Samples:
    """A clapperboard or two hands."""
    count = int(0.25 * RATE)
    return _level(
        coloured(rng, count, 0.3) * np.exp(-np.arange(count) / RATE * rng.uniform(25, 90))
    )


def music(rng: np.random.Generator, count: int) -> Samples:
    """A tune over chords and, often, a beat; RMS 1."""
    beat = rng.uniform(0.35, 0.75)
    tones = 110 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11]) / 12 + rng.integers(0, 12) / 12)
    bar = int(4 * beat * RATE)
    phrase = [_bar(rng, tones, bar, beat) for _ in range(4)]
    order = rng.integers(0, 4, -(-count // bar))
    wave = np.concatenate([phrase[one] for one in order])[:count]
    return np.asarray(wave / (wave.std() + 1e-9), np.float32)


def _bar(rng: np.random.Generator, tones: Samples, count: int, beat: float) -> Samples:
    time = np.arange(count) / RATE
    root = int(rng.integers(0, 7))
    wave = np.zeros(count)
    for step in (0, 2, 4):
        pitch = tones[(root + step) % 7]
        wave += sum(np.sin(2 * np.pi * pitch * part * time) / part**1.5 for part in (1, 2, 3)) * 0.3
    at = 0.0
    while at < 4 * beat:
        length = beat * float(rng.choice([0.5, 1, 2]))
        first, stop = int(at * RATE), min(count, int((at + length) * RATE))
        local = time[: stop - first]
        pitch = 2 * tones[int(rng.integers(0, 7))]
        note = sum(np.sin(2 * np.pi * pitch * part * local) / part for part in (1, 2, 3, 4))
        wave[first:stop] += note * np.exp(-local * 4) * rng.uniform(0.3, 0.8)
        at += length
    if rng.random() < 0.6:
        for number in range(8):
            first = int(number * beat / 2 * RATE)
            hit = clap(rng)[: max(0, count - first)] * (0.5 if number % 2 else 1.0)
            wave[first : first + len(hit)] += hit
    return wave


def distant(rng: np.random.Generator, voice: Samples) -> Samples:
    """A voice off the microphone: dull and in the room."""
    wet = reverberant(rng, voice, rng.uniform(0.4, 1.0), 0.9)
    width = int(rng.integers(4, 12))
    return np.convolve(wet, np.full(width, 1 / width), "same").astype(np.float32)


def reverberant(rng: np.random.Generator, dry: Samples, seconds: float, wet: float) -> Samples:
    """``dry`` in a room whose sound has died away by 60 dB after ``seconds``; of equal length."""
    count = int(seconds * RATE)
    if count < 16 or wet <= 0:
        return dry
    tail = rng.normal(size=count) * np.exp(-6.9 * np.arange(count) / count)
    tail *= wet / np.sqrt(np.square(tail).sum())
    tail[0] += 1 - wet / 2
    size = 1 << max(16, int(np.ceil(np.log2(2 * count))))
    room, part = np.fft.rfft(tail, size), size - count + 1
    both = np.zeros(len(dry) + size, np.float32)
    for first in range(0, len(dry), part):
        wave = np.fft.rfft(dry[first : first + part], size) * room
        both[first : first + size] += np.fft.irfft(wave, size).astype(np.float32)
    return both[: len(dry)]


def narrow(wave: Samples, frequency: float) -> Samples:
    """``wave`` without what is above ``frequency`` in Hz (a windowed sinc of 8 ms)."""
    taps = np.arange(-64, 65)
    sinc = np.sinc(2 * frequency / RATE * taps) * np.hanning(131)[1:-1]
    return np.convolve(wave, sinc / sinc.sum(), "same").astype(np.float32)


def stored(rng: np.random.Generator, wave: Samples) -> Samples:
    """``wave`` as a file holds it: as AAC, as 16 bits, or as it is, here and there with nothing
    before it."""
    chance = rng.random()
    if chance < 0.25:
        wave = _through_aac(wave, int(rng.choice([32, 48, 64, 96])) * 1000)
    elif chance < 0.7:
        wave = np.round(wave * 32767) / np.float32(32767)
    if rng.random() < 0.2:
        wave[: int(rng.uniform(0.02, 1.5) * RATE)] = 0
    return np.asarray(wave, np.float32)


def _through_aac(wave: Samples, bits: int) -> Samples:
    """Encoded at ``bits`` a second and decoded again, of the same length and place."""
    coder = av.CodecContext.create("aac", "w")
    assert isinstance(coder, av.AudioCodecContext)
    coder.sample_rate, coder.layout, coder.format = RATE, "mono", "fltp"
    coder.bit_rate, coder.time_base = bits, Fraction(1, RATE)
    reader = av.CodecContext.create("aac", "r")
    assert isinstance(reader, av.AudioCodecContext)
    parts = []
    for first in range(0, len(wave) + 2 * _AAC, _AAC):
        part = np.zeros((1, _AAC), np.float32)
        given = wave[first : first + _AAC]
        part[0, : len(given)] = given
        frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        for packet in coder.encode(frame):
            if reader.extradata is None and coder.extradata:
                reader.extradata = coder.extradata
            parts += [got.to_ndarray()[0] for got in reader.decode(packet)]
    whole = np.concatenate(parts)[_AAC:]
    return np.asarray(whole[: len(wave)], np.float32)


def _resonance(wave: Samples, frequency: float) -> Samples:
    spectrum = np.fft.rfft(wave)
    bins = np.fft.rfftfreq(len(wave), 1 / RATE)
    return np.fft.irfft(spectrum / (1 + ((bins - frequency) / 120) ** 2), len(wave))


def _level(wave: Samples) -> Samples:
    return np.asarray(wave / (np.abs(wave).max() + 1e-9) * 0.5, np.float32)
