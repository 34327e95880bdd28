"""What the edit network reads of a file: sound and pictures on its clock of quarter seconds.

A picture counts from its frame to the next sampled one. Colours are full-range R'G'B' from 0 to 1;
``difference`` compares pictures of 16 x 9, ``ahead`` one that lies two samples on; ``against
around`` is what a value is above its median over the minute around. ``watched`` and ``look`` are
what the shot network says of the pictures (:mod:`otio_mapedit.sample_watching`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_spec import (
    ALIKE_FEATURES,
    FEATURES,
    LAGS,
    LOOK,
    LOOK_SPANS,
    MEL_BANDS,
    PICTURE_FEATURES,
    REPEAT_FEATURES,
    SHOT_NETWORK_FEATURES,
    SOUND_FEATURES,
    STEP,
)
from .features import HOP, SILENCE, PictureSamples, SoundFeatures, fault_codes
from .media import MediaInfo
from .repeats import repeats
from .step_context import alike_context, sound_context
from .step_sound import COLUMNS, PER_STEP
from .timing import frames_covering, seconds_at

Array = NDArray[Any]

#: Sound steps of 10 ms in a step.
_HOPS = int(STEP / HOP)
#: The first column that says how fast the spectrum changes.
_CHANGES = SOUND_FEATURES.index("spectral change in 10 ms")
#: dBFS below which a hop has no sound in it.
_NOTHING = -90.0
#: Samples of pictures over which a median is taken, to either side.
_AROUND = 30
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def step_count(media: MediaInfo) -> int:
    """Steps of a file: to the end of its last frame."""
    return frames_covering(seconds_at(media.frame_count, media.rate), 1 / STEP)


def step_features(
    count: int, rate: Fraction, sound: SoundFeatures | None, samples: PictureSamples | None
) -> NDArray[np.float32]:
    """What the network reads: ``[count, len(FEATURES)]``. ``rate`` is that of the samples' frames.

    What a file does not have is zero, and the columns of :data:`~otio_mapedit.edit_spec.PRESENCE`
    say so.
    """
    steps = np.zeros((count, len(FEATURES)), np.float32)
    heard, said = len(SOUND_FEATURES), len(SOUND_FEATURES) + len(REPEAT_FEATURES)
    seen = said + len(PICTURE_FEATURES)
    steps[:, seen] = 1
    if sound is not None and len(sound.steps):
        columns = _sound_columns(sound)[:count]
        steps[: len(columns), :said] = columns
        steps[len(columns) :, :heard] = _silent()
        steps[:, seen + 1] = 1
    if samples is not None and len(samples.frames):
        steps[:, said:seen] = _picture_columns(samples, rate, count)
        steps[:, seen + 2] = 1
    return steps


def _silent() -> Array:
    """The sound columns of a step after the sound has ended."""
    columns = np.zeros(len(SOUND_FEATURES), np.float32)
    columns[: SOUND_FEATURES.index("mel change 0")] = -8
    for name in ("level", "level least", "level most"):
        columns[SOUND_FEATURES.index(name)] = SILENCE / 20
    columns[SOUND_FEATURES.index("silence")] = 1
    return columns


def _sound_columns(sound: SoundFeatures) -> Array:
    """Sound and repeats of the steps that have sound."""
    count = len(sound.steps)
    level = _by_step(sound.level, count, SILENCE)
    speech = _by_step(sound.speech, count, 0.0)
    power = np.power(10, level / 10).mean(axis=1)
    loudness = 10 * np.log10(np.maximum(power, 1e-12)) / 20
    voice, pace = speech.mean(axis=1), _pace(level, speech)
    columns = [
        loudness,
        np.percentile(level, 10, axis=1) / 20,
        level.max(axis=1) / 20,
        (level < _NOTHING).mean(axis=1),
        voice,
        speech.max(axis=1),
        pace,
        _rise(level),
    ]
    heard = sound.steps[:, :COLUMNS]
    voicing, pitch = (heard[:, SOUND_FEATURES.index(name)] for name in ("voicing", "pitch"))
    changes = heard[:, _CHANGES : _CHANGES + len(LAGS)]
    around = sound_context(heard[:, :MEL_BANDS], changes, voice, voicing, pitch, loudness, pace)
    frames = speech.reshape(count * PER_STEP, -1).mean(axis=1)
    again = repeats(sound.cepstra, frames)
    return np.concatenate([heard, np.stack(columns, axis=1), around, again], axis=1).astype(
        np.float32
    )


def _by_step(values: Array, count: int, rest: float) -> Array:
    """Values of 10 ms as [count, hops of a step]."""
    whole = np.full(count * _HOPS, rest, np.float32)
    whole[: min(len(values), len(whole))] = values[: len(whole)]
    return whole.reshape(count, _HOPS)


def _rise(level: Array) -> Array:
    """The steepest rise within 20 ms of a step, in units of 20 dB: a clap rises at once."""
    hops = np.maximum(level.ravel(), -80)
    rise = np.maximum(hops - np.pad(hops, (2, 0), "edge")[:-2], 0)
    return np.asarray(rise.reshape(level.shape).max(axis=1) / 20)


def _pace(level: Array, speech: Array) -> Array:
    """Rises of the level by 6 dB per second in the two seconds around: syllables, about.

    Speech that runs faster or slower than it was spoken has more or fewer.
    """
    smooth = np.convolve(np.pad(level.ravel(), 3, "edge"), np.full(7, 1 / 7), "valid")
    rising = smooth[4:] - smooth[:-4] > 6
    starts = np.zeros(len(smooth), np.float32)
    starts[5:] = rising[1:] & ~rising[:-1]
    per_step = starts.reshape(len(level), _HOPS).sum(axis=1)
    weight = (speech.mean(axis=1) > 0.3).astype(np.float32)
    around = np.ones(9)
    number = np.convolve(weight, around, "same")[: len(level)] if len(level) >= 9 else weight
    total = (
        np.convolve(per_step * weight, around, "same")[: len(level)]
        if len(level) >= 9
        else per_step * weight
    )
    return np.asarray(total / np.maximum(number, 1) * 4, np.float32)


def _picture_columns(samples: PictureSamples, rate: Fraction, count: int) -> Array:
    """The picture columns of every step."""
    middles = [frames_covering((step + Fraction(1, 2)) * STEP, rate) - 1 for step in range(count)]
    at = np.maximum(np.searchsorted(samples.frames, middles, "right") - 1, 0)
    frame = float(seconds_at(1, rate))
    columns = np.concatenate([_sample_columns(samples, frame)[at], _looks(samples, at)], axis=1)
    age = np.clip((np.array(middles) - samples.frames[at]) * frame, 0, 10)
    columns[:, PICTURE_FEATURES.index("picture age")] = age
    return columns


def _looks(samples: PictureSamples, at: Array) -> Array:
    """What the shot network says of the pictures ``at`` the steps, and how far the mean look of
    the seconds after each step is from that of as many before it: 1 less their cosine, 0 to 2.

    Where there is nothing before a step, the difference is 0.
    """
    if len(samples.watched) != len(samples.frames):
        return np.zeros((len(at), len(SHOT_NETWORK_FEATURES)), np.float32)
    watched = samples.watched.astype(np.float32)[at]
    total = np.cumsum(np.pad(watched[:, -LOOK:].astype(np.float64), ((1, 0), (0, 0))), axis=0)
    step = np.arange(len(at))
    changes = []
    for span in LOOK_SPANS:
        reach = int(span / STEP)
        before = total[step] - total[np.maximum(step - reach, 0)]
        after = total[np.minimum(step + reach, len(at))] - total[step]
        sizes = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        cosine = (before * after).sum(axis=1) / np.maximum(sizes, 1e-9)
        changes.append(np.where(step > 0, 1 - cosine, 0))
    return np.concatenate([watched, np.stack(changes, axis=1)], axis=1)


def _sample_columns(samples: PictureSamples, frame: float) -> Array:
    """The picture columns of every sample; a frame lasts ``frame`` seconds."""
    small = samples.small.astype(np.float32) / 255
    if len(small) != len(samples.frames):
        small = np.zeros((len(samples.frames), 9, 16, 3), np.float32)
    luma = small @ _LUMA
    detail = np.log10(samples.detail + 1e-4)
    colour = small.mean(axis=(1, 2))
    codes = fault_codes(samples.brightness, samples.contrast, samples.detail, samples.edge)
    before, ahead = _apart(luma, 1), _apart(luma, 2)
    red, blue = colour[:, 0] - colour[:, 1], colour[:, 2] - colour[:, 1]
    saturation = (small.max(axis=3) - small.min(axis=3)).mean(axis=(1, 2))
    looks = np.stack([samples.brightness, samples.contrast, red, blue, saturation, detail], axis=1)
    alike = alike_context(luma, looks, samples.frames * frame)
    columns = {
        "brightness": samples.brightness,
        "contrast": samples.contrast,
        "detail": detail,
        "edge": samples.edge,
        "change": samples.change,
        "detail against around": detail - _median_around(detail),
        "brightness against around": samples.brightness - _median_around(samples.brightness),
        "difference before": before,
        "difference after": np.append(before[1:], 0),
        "difference ahead": np.append(ahead[2:], [0] * min(2, len(ahead))),
        "colour difference before": np.abs(np.diff(colour, axis=0, prepend=colour[:1])).mean(
            axis=1
        ),
        "red": red,
        "blue": blue,
        "saturation": saturation,
        "black": codes == 1,
        "covered picture": codes == 2,
        "plain": codes == 3,
        "still": samples.change < 0.012,
        "picture age": np.zeros(len(detail)),
        **dict(zip(ALIKE_FEATURES, alike.T, strict=True)),
    }
    names = [name for name in PICTURE_FEATURES if name in columns]
    return np.stack([columns[name] for name in names], axis=1).astype(np.float32)


def _apart(pictures: Array, by: int) -> Array:
    """Mean difference [n] of each picture to the one ``by`` before, 0 for the first ones."""
    apart = np.zeros(len(pictures), np.float32)
    apart[by:] = np.abs(pictures[by:] - pictures[:-by]).mean(axis=(1, 2))
    return apart


def _median_around(values: Array) -> Array:
    padded = np.pad(values, _AROUND, "reflect" if len(values) > _AROUND else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    return np.asarray(np.median(windows, axis=1))
