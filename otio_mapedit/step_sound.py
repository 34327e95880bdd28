"""What a track sounds like, on the edit network's clock of quarter-second steps.

Sound is heard once, in blocks of any size; of it remain 41 numbers a step and 60 cepstra (5 frames
of 12), some 1.5 kB a second, and until the end of the track its air, another 1 kB. Frames last
25 ms and begin every 10 ms. The mel scale is O'Shaughnessy's (2595 log10(1 + f / 700)), the cepstra
are the cosine transform of the log bands, pitch is the highest peak of the autocorrelation between
80 and 400 Hz, divided by that of the frame's window (Boersma 1993, "Accurate short-term analysis of
the fundamental frequency").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_spec import LAGS, MEL_BANDS, SOUND_FEATURES, STEP

RATE = 16000
#: Samples of a frame and between frames.
FRAME, HOP = 400, 160
#: Frames of a step, and of a step's cepstra.
FRAMES = int(STEP * RATE) // HOP
CEPSTRA = 12
PER_STEP = 5
#: Columns that this module fills; level and speech are known already and come after them.
COLUMNS = SOUND_FEATURES.index("level")

_SIZE = 512
_BLOCK = 40 * FRAMES  # frames that are transformed together
_LOWEST, _HIGHEST = 60.0, 7600.0
_PITCH = (80, 400)
_FLOOR = 1e-8  # power of a band in which nothing is heard; full scale is 1
#: Bands in which most of a voice is, 0.2 to 2.7 kHz, and the least change that counts, in decades.
VOICE_BANDS, LEAST_CHANGE = slice(2, 16), 1e-4
#: The same for the air of a room, which a recorder of 24 bits still tells from nothing.
_STILL = 1e-10
#: Frames of 50 ms to either side over which the quietest stands for the room, and how many of them
#: say what the room is right here.
_REACHES = (4, 8, 16, 32, 64, 128, 256)
_HERE = 3
_ROOM_STEPS = ("room step", "room step for good")
#: Steps whose rooms are compared together.
_ROOM_BLOCK = 2048

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TrackSteps:
    """A track, n steps."""

    power: Array  # [n], mean square
    steps: Array  # [n, COLUMNS]
    cepstra: Array  # [n * PER_STEP, CEPSTRA]


class StepListener:
    """Hears one track from its beginning; feed it mono at 16 kHz, full scale 1."""

    def __init__(self) -> None:
        self._waiting: list[Array] = []
        self._held = 0
        self._before: Array | None = None  # log bands of the last frames
        self._power: list[Array] = []
        self._steps: list[Array] = []
        self._cepstra: list[Array] = []
        self._air: list[NDArray[np.float16]] = []

    def feed(self, samples: Array) -> None:
        """Hear the next samples."""
        self._waiting.append(samples)
        self._held += len(samples)
        needed = _BLOCK * HOP + FRAME - HOP
        if self._held >= needed:
            self._hear(1 + (self._held - needed) // (_BLOCK * HOP))

    def finish(self) -> TrackSteps:
        """Everything; silence fills up the last step."""
        whole = -(-self._held // (FRAMES * HOP)) * FRAMES * HOP
        self._waiting.append(np.zeros(whole + FRAME - HOP - self._held, np.float32))
        if whole:
            held = np.concatenate(self._waiting)
            for first in range(0, whole, _BLOCK * HOP):
                count = min(_BLOCK, (whole - first) // HOP)
                self._take(held[first : first + count * HOP + FRAME - HOP])
        self._waiting, self._held = [], 0
        none = np.zeros((0, COLUMNS - len(_ROOM_STEPS)), np.float32)
        pooled = np.concatenate([none, *self._steps])
        air = np.concatenate([np.zeros((0, MEL_BANDS), np.float16), *self._air])
        self._air = []
        return TrackSteps(
            np.concatenate([np.zeros(0, np.float32), *self._power]),
            np.concatenate([pooled, room_steps(air)], axis=1),
            np.concatenate([np.zeros((0, CEPSTRA), np.float32), *self._cepstra]),
        )

    def _hear(self, blocks: int) -> None:
        held = np.concatenate(self._waiting)
        for first in range(0, blocks * _BLOCK * HOP, _BLOCK * HOP):
            self._take(held[first : first + _BLOCK * HOP + FRAME - HOP])
        self._waiting = [held[blocks * _BLOCK * HOP :]]
        self._held = len(self._waiting[0])

    def _take(self, samples: Array) -> None:
        """Frames that begin in all but the last ``FRAME - HOP`` of ``samples``."""
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
        power = _spectra(frames)
        heard = power @ _mel()
        bands = np.log10(heard + _FLOOR).astype(np.float32)
        air = np.log10(heard + _STILL).reshape(-1, FRAMES // PER_STEP, MEL_BANDS)
        self._air.append(air.mean(axis=1).astype(np.float16))
        before = bands[:1].repeat(LAGS[-1], axis=0) if self._before is None else self._before
        series = np.concatenate([before, bands])
        flux = np.maximum(np.diff(series[LAGS[-1] - 1 :], axis=0), 0).mean(axis=1)
        self._before = series[-LAGS[-1] :]
        per_frame = np.stack([flux, *_shape(power, bands)], axis=1)
        pooled = _pooled(bands, per_frame, *_pitch(power))
        self._steps.append(np.concatenate([pooled, _changes(series)], axis=1))
        cepstra = (bands @ _cosines()).reshape(-1, FRAMES // PER_STEP, CEPSTRA)
        self._cepstra.append(cepstra.mean(axis=1))
        square = np.square(samples[: len(frames) * HOP]).reshape(-1, FRAMES * HOP)
        self._power.append(square.mean(axis=1))


def room_steps(air: NDArray[np.float16]) -> Array:
    """How far the air of a room steps within each step, in decades: [n, 2].

    ``air`` is [n * PER_STEP, MEL_BANDS], log10 power. Words come and go, the quietest of what is
    heard between them stays, until another recording begins: then it differs at once and for good,
    in the same direction over every reach. The first column asks for that over the shortest three
    reaches (to 0.8 s), the second over all (to 12.8 s); both are the least difference, as a mean
    over the bands, and the largest within the step.
    """
    count, around = len(air) // PER_STEP, -(-_REACHES[-1] // PER_STEP)
    out = np.zeros((count, len(_ROOM_STEPS)), np.float32)
    for first in range(0, count, _ROOM_BLOCK):
        stop = min(first + _ROOM_BLOCK, count)
        low = max(0, first - around)
        steps = _room_steps(air[low * PER_STEP : (stop + around) * PER_STEP])
        out[first:stop] = steps[first - low : stop - low]
    return out


def _room_steps(air: NDArray[np.float16]) -> Array:
    """See :func:`room_steps`; what lies beyond the ends is not known."""
    count = len(air) // PER_STEP
    least, agree = np.full(air.shape, np.inf, np.float32), np.ones(air.shape, bool)
    first = np.zeros(air.shape, np.int8)
    quiet, reach = air, 1  # the quietest of ``reach`` frames from each one on
    columns = []
    while reach <= _REACHES[-1]:
        if reach in _REACHES:
            held = min(reach, len(air))
            before = np.concatenate([quiet[:1].repeat(held, axis=0), quiet[: len(air) - held]])
            step = quiet.astype(np.float32) - before
            first = np.sign(step).astype(np.int8) if reach == _REACHES[0] else first
            agree &= np.sign(step).astype(np.int8) == first
            np.minimum(least, np.abs(step), out=least)
            if reach in (_REACHES[_HERE - 1], _REACHES[-1]):
                mean = np.where(agree, least, 0).mean(axis=1)
                columns.append(mean.reshape(count, PER_STEP).max(axis=1))
        further = quiet.copy()
        np.minimum(quiet[:-reach], quiet[reach:], out=further[:-reach])
        quiet, reach = further, 2 * reach
    return np.stack(columns, axis=1).astype(np.float32)


def loudest(tracks: list[TrackSteps]) -> TrackSteps:
    """For each step the track that is loudest then, as one."""
    count = max((len(track.power) for track in tracks), default=0)
    power = np.full((max(1, len(tracks)), count), -1, np.float32)
    steps = np.zeros((count, COLUMNS), np.float32)
    cepstra = np.zeros((count, PER_STEP, CEPSTRA), np.float32)
    for number, track in enumerate(tracks):
        power[number, : len(track.power)] = track.power
    best = power.argmax(axis=0)
    for number, track in enumerate(tracks):
        chosen = best[: len(track.power)] == number
        steps[: len(chosen)][chosen] = track.steps[chosen]
        parts = track.cepstra.reshape(-1, PER_STEP, CEPSTRA)
        cepstra[: len(chosen)][chosen] = parts[chosen]
    return TrackSteps(np.maximum(power.max(axis=0), 0), steps, cepstra.reshape(-1, CEPSTRA))


def _spectra(frames: Array) -> Array:
    """Power spectra [n, 257], scaled so that a sine of full scale has about 1 in its band."""
    waves = np.fft.rfft(frames * _hann(), _SIZE).astype(np.complex64)
    return (np.square(waves.real) + np.square(waves.imag)) * np.float32(4 / (FRAME * FRAME / 4))


def _shape(power: Array, bands: Array) -> tuple[Array, Array]:
    """Centroid in octaves above 100 Hz, and flatness, of each frame."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(_SIZE, 1 / RATE), 50) / 100).astype(np.float32)
    total = power.sum(axis=1) + _FLOOR
    centroid = power @ octaves / total
    flatness = bands.mean(axis=1) - np.log10(np.power(10, bands).mean(axis=1))
    return centroid.astype(np.float32), flatness.astype(np.float32)


def _pitch(power: Array) -> tuple[Array, Array]:
    """Voicing, 0 to 1, and pitch in octaves above 80 Hz, of every second frame."""
    sound = np.fft.irfft(power[::2], _SIZE)
    window = np.fft.irfft(np.square(np.abs(np.fft.rfft(_hann(), _SIZE))), _SIZE)
    shortest, longest = RATE // _PITCH[1], RATE // _PITCH[0]
    scale = window[0] / np.maximum(window[shortest : longest + 1], window[0] * 0.05)
    peaks = sound[:, shortest : longest + 1] / (sound[:, :1] + 1e-12) * scale
    # A little against long lags: every multiple of the period fits as well.
    at = (peaks * np.linspace(1, 0.9, peaks.shape[1])).argmax(axis=1)
    voicing = np.clip(peaks[np.arange(len(peaks)), at], 0, 1)
    octaves = np.log2(RATE / (shortest + at) / _PITCH[0])
    return voicing.astype(np.float32), octaves.astype(np.float32)


def _pooled(bands: Array, per_frame: Array, voicing: Array, octaves: Array) -> Array:
    """The columns of whole steps up to the pitch: [n, 34]."""
    bands = bands.reshape(-1, FRAMES, MEL_BANDS)
    spread = bands.std(axis=1).reshape(len(bands), 4, -1).mean(axis=2)
    flux, centroid, flatness = per_frame.reshape(len(bands), FRAMES, 3).transpose(2, 0, 1)
    # Every second frame of two steps makes an odd number: both share the one in the middle.
    middles = (np.arange(len(voicing)) * 2) // FRAMES
    weight = np.square(voicing) + 1e-3
    weights = np.bincount(middles, weight, len(bands))
    strength = np.bincount(middles, voicing, len(bands)) / np.bincount(middles, None, len(bands))
    pitch = np.bincount(middles, weight * octaves, len(bands)) / weights
    columns = [
        bands.mean(axis=1),
        spread,
        flux.mean(axis=1)[:, None],
        flux.max(axis=1)[:, None],
        centroid.mean(axis=1)[:, None],
        flatness.mean(axis=1)[:, None],
        strength[:, None],
        pitch[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _changes(series: Array) -> Array:
    """Mean square change of the bands of a voice over each of :data:`LAGS`, log10 of decades, by
    step: [n, len(LAGS)]. ``series`` are log bands of frames, the last lag's number of them before
    those of the steps.

    It rises with the lag as far as sounds of speech last; at twice the speed it has risen in half
    the time, whoever speaks (a structure function, Kolmogorov 1941, of the modulation spectrum).
    """
    voice = series[:, VOICE_BANDS]
    columns = []
    for lag in LAGS:
        apart = voice[LAGS[-1] :] - voice[LAGS[-1] - lag : len(voice) - lag]
        columns.append(np.square(apart).mean(axis=1).reshape(-1, FRAMES).mean(axis=1))
    return np.log10(np.stack(columns, axis=1) + LEAST_CHANGE).astype(np.float32)


@lru_cache(maxsize=1)
def _hann() -> Array:
    return np.hanning(FRAME + 1)[:-1].astype(np.float32)


def band_centres() -> NDArray[np.float64]:
    """Middle of every mel band in Hz."""
    return _edges()[1:-1]


def _edges() -> NDArray[np.float64]:
    """Where mel bands begin, reach their middle, and end, in Hz: [MEL_BANDS + 2]."""
    mel = np.linspace(_to_mel(_LOWEST), _to_mel(_HIGHEST), MEL_BANDS + 2)
    return np.asarray(700 * (10 ** (mel / 2595) - 1), np.float64)


@lru_cache(maxsize=1)
def _mel() -> Array:
    """Triangles [257, MEL_BANDS] that sum to one."""
    edges = _edges()
    bins = np.fft.rfftfreq(_SIZE, 1 / RATE)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles = np.maximum(np.minimum(rising, falling), 0)
    weights: NDArray[Any] = triangles / np.maximum(triangles.sum(axis=0), 1e-9)
    return weights.astype(np.float32)


def _to_mel(frequency: float) -> float:
    return float(2595 * np.log10(1 + frequency / 700))


@lru_cache(maxsize=1)
def _cosines() -> Array:
    """The cosine transform [MEL_BANDS, CEPSTRA] without its constant part, rising parts lifted so
    that all have about the same spread in speech."""
    order = np.arange(1, CEPSTRA + 1)
    band = np.arange(MEL_BANDS)[:, None] + 0.5
    lift = 1 + 0.3 * order
    return np.asarray(np.cos(np.pi * order * band / MEL_BANDS) * lift / MEL_BANDS, np.float32)
