"""What speaks for each moment of footage: voices, an audience, movement, novelty; and its looks.

Moments are steps of a quarter of a second. Every cue runs from 0 to 1 and is judged against all of
the footage, so that a quiet recording has its loud moments too. ``look`` is what moments are
compared by: the picture in small and the spectrum of the sound, each with the same weight.

Applause and cheering are told by what noise is: a flat spectrum without pitch (Peeters 2004, "A
large set of audio features", on spectral flatness), loud, for longer than a cough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_spec import MEL_BANDS, SOUND_FEATURES, STEP
from ..features import HOP, SILENCE, PictureSamples
from ..inference import Predictions, ShotPredictions
from ..step_features import step_count
from ..timing import FrameRange
from .seeing import faulty_passages

Array = NDArray[Any]

#: Steps in a second, and hops of 10 ms in a step.
PER_SECOND = int(1 / STEP)
_HOPS = int(STEP / HOP)
#: dBFS below which nothing is heard.
QUIET = -50.0
#: Seconds that an audience must be heard, and before it for which what it reacts to counts.
_AUDIENCE, _BEFORE = 1.0, 4.0
#: Seconds around a moment against which it is new.
_AROUND = 60
#: Least difference between movement and stillness: mean change of a picture, 0 to 1.
_MOVING = 0.015
#: Rows and columns of the picture in small that moments are compared by.
_ROWS, _COLUMNS = 3, 4
#: Faults of a picture that the shot network names, and how much each speaks against a moment.
_FAULTS = {"black": 1.0, "covered": 1.0, "blur": 0.6, "shake": 0.6}

#: What the edit network calls moments that nobody would show.
_UNWANTED = ("retake", "false start", "covered", "unsteady", "noise", "slate", "chatter")

#: The cues, in the order in which reasons name them.
CUES = ("given", "audience", "speech", "loud", "motion", "novel")


@dataclass(frozen=True)
class Moments:
    """One file, n steps. Cues are float [n], 0 to 1; where there is no sound or picture, 0."""

    speech: Array  # somebody speaks
    loud: Array  # louder than the footage usually is
    audience: Array  # applause and cheering, and what came just before
    motion: Array  # movement of the picture
    novel: Array  # unlike the minute around
    quality: Array  # 1: nothing against the picture, or against showing the moment at all
    look: Array  # float [n, d]
    level: Array  # dBFS
    change: Array  # how unlike the moment before, 0 to 1
    given: Array  # what the editor's own scores say; 0 without any

    def __len__(self) -> int:
        return len(self.level)

    def importance(self, weights: Mapping[str, float]) -> Array:
        """The weighted mean of the cues, less what speaks against the picture: [n], 0 to 1."""
        total = np.zeros(len(self))
        for cue, weight in weights.items():
            total += weight * getattr(self, cue)
        return np.asarray(total / (sum(weights.values()) or 1.0) * self.quality)


def moments(footage: Sequence[Predictions]) -> list[Moments]:
    """The moments of every file, judged together."""
    heard = [_Heard.of(known) for known in footage]
    seen = [_Seen.of(known) for known in footage]
    levels = np.concatenate([each.level for each in heard] or [np.zeros(0)])
    audible = levels[levels > QUIET]
    usual, loudest = np.percentile(audible, [50, 97]) if len(audible) else (0.0, 1.0)
    moving = np.concatenate([each.motion for each in seen] or [np.zeros(0)])
    still, most = np.percentile(moving, [10, 95]) if len(moving) else (0.0, 1.0)
    looks = _looks([each.spectrum for each in heard], [each.small for each in seen])
    made = []
    for known, sound, picture, look in zip(footage, heard, seen, looks, strict=True):
        change = _change(look)
        made.append(
            Moments(
                speech=sound.speech,
                loud=np.clip((sound.level - usual) / max(loudest - usual, 3.0), 0, 1),
                audience=_audience(sound, float(usual)),
                motion=np.clip((picture.motion - still) / max(most - still, _MOVING), 0, 1),
                novel=_novel(look),
                quality=picture.quality * (1 - _unwanted(known, len(look))),
                look=look,
                level=sound.level,
                change=change,
                given=_given(known, len(look)),
            )
        )
    return made


@dataclass(frozen=True)
class _Heard:
    """The sound of a file by step; without sound, silence."""

    level: Array
    speech: Array
    flatness: Array
    voicing: Array
    spectrum: Array  # [n, bands]; [n, 0] without sound

    @classmethod
    def of(cls, known: Predictions) -> _Heard:
        """The sound of a file."""
        count, sound = step_count(known.media), known.sound
        if sound is None:
            nothing = np.zeros(count)
            return cls(np.full(count, SILENCE), nothing, nothing, nothing, np.zeros((count, 0)))
        level = _by_step(sound.level, count, SILENCE)
        power = np.power(10, level / 10).mean(axis=1)
        columns = np.zeros((count, len(SOUND_FEATURES)))
        stated = sound.steps[:count]
        columns[: len(stated), : stated.shape[1]] = stated
        return cls(
            level=10 * np.log10(np.maximum(power, 10 ** (SILENCE / 10))),
            speech=_by_step(sound.speech, count, 0.0).mean(axis=1),
            flatness=columns[:, SOUND_FEATURES.index("flatness")],
            voicing=columns[:, SOUND_FEATURES.index("voicing")],
            spectrum=columns[:, :MEL_BANDS],
        )


@dataclass(frozen=True)
class _Seen:
    """The picture of a file by step."""

    motion: Array
    quality: Array
    small: Array  # [n, rows * columns * 3]; [n, 0] without picture

    @classmethod
    def of(cls, known: Predictions) -> _Seen:
        """The picture of a file: from every picture where the shot network saw them."""
        count, samples, rate = step_count(known.media), known.samples, known.media.rate
        motion, quality = np.zeros(count), np.ones(count)
        small = np.zeros((count, 0))
        if samples is not None and len(samples.frames):
            small = _small(samples)
            at = _held(_steps_of(samples.frames, rate), count)
            small = small[at]
            quality = _sound_picture(samples, rate, known.media.frame_count, count)
            if known.shots is None:
                motion = np.abs(np.diff(small, axis=0, prepend=small[:1])).mean(axis=1)
        if known.shots is not None and len(known.shots):
            motion, faults = _watched(known.shots, rate, count)
            quality = quality * (1 - faults)
        return cls(motion, quality, small)


def _by_step(values: Array, count: int, rest: float) -> Array:
    """Values of 10 ms as [count, hops of a step]."""
    whole = np.full(count * _HOPS, rest)
    whole[: min(len(values), len(whole))] = values[: len(whole)]
    return whole.reshape(count, _HOPS)


def _steps_of(frames: Array, rate: Fraction) -> Array:
    """The step in which each frame begins."""
    return np.asarray(
        frames.astype(np.int64) * (PER_SECOND * rate.denominator) // rate.numerator, np.int64
    )


def _held(steps: Array, count: int) -> Array:
    """For each of ``count`` steps, the last of the rising ``steps`` that is not later."""
    return np.maximum(np.searchsorted(steps, np.arange(count), "right") - 1, 0)


def _small(samples: PictureSamples) -> Array:
    """Each sampled picture in very small: [n, rows * columns * 3], 0 to 1."""
    pictures = samples.small.astype(float) / 255
    if len(pictures) != len(samples.frames):
        return np.zeros((len(samples.frames), 0))
    count, height, width, _ = pictures.shape
    pictures = pictures.reshape(count, _ROWS, height // _ROWS, _COLUMNS, width // _COLUMNS, 3)
    return np.asarray(pictures.mean(axis=(2, 4)).reshape(count, -1))


def _sound_picture(samples: PictureSamples, rate: Fraction, frames: int, count: int) -> Array:
    """0 at steps whose picture is black, covered or plain, else 1."""
    quality = np.ones(count)
    for fault in faulty_passages(samples, FrameRange(0, frames), rate, frozen=False):
        edges = _steps_of(np.array([fault.range.start, fault.range.end]), rate)
        quality[int(edges[0]) : int(edges[1])] = 0.0
    return quality


def _watched(shots: ShotPredictions, rate: Fraction, count: int) -> tuple[Array, Array]:
    """Mean change from picture to picture, cuts aside, and the worst fault: [count] each."""
    steps = np.minimum(_steps_of(shots.frames, rate), count - 1)
    inner = np.minimum(shots.cut, 1) + shots.transition < 0.5
    number = np.bincount(steps[inner], minlength=count)
    motion = np.bincount(steps[inner], shots.change[inner], count) / np.maximum(number, 1)
    number = np.bincount(steps, minlength=count)
    faults = np.zeros(count)
    for name, weight in _FAULTS.items():
        if name in shots.quality_names:
            column = shots.quality[:, shots.quality_names.index(name)]
            share = np.bincount(steps, column, count) / np.maximum(number, 1)
            faults = np.maximum(faults, weight * np.clip(2 * share - 1, 0, 1))
    return motion, faults


def _unwanted(known: Predictions, count: int) -> Array:
    """How sure the edit network is that nobody would show each moment: [count]."""
    found = np.zeros(count)
    if known.edit is not None:
        said = known.edit.probability(*_UNWANTED)[:count]
        found[: len(said)] = said
    return found


def _given(known: Predictions, count: int) -> Array:
    """The scores that came with a file: [count]."""
    made = np.zeros(count)
    if known.scores is not None:
        made[: len(known.scores)] = known.scores[:count]
    return made


def _audience(sound: _Heard, usual: float) -> Array:
    """Applause and cheering, and what it answers: what is just before counts for three fifths."""
    noise = np.clip((sound.flatness + 1.2) / 0.5, 0, 1) * np.clip((0.8 - sound.voicing) / 0.3, 0, 1)
    loud = np.clip((sound.level - max(usual - 3, QUIET + 5)) / 6, 0, 1)
    heard = noise * loud * (1 - np.clip(sound.speech * 2, 0, 1))
    width = max(1, round(_AUDIENCE * PER_SECOND))
    heard = _mean_over(heard, 2 * width + 1)
    heard = np.where(heard > 0.5, heard, 0.0)
    before = heard.copy()
    for back in range(1, round(_BEFORE * PER_SECOND) + 1):
        before[:-back] = np.maximum(before[:-back], heard[back:] * 0.6)
    return before


def _looks(spectra: Sequence[Array], small: Sequence[Array]) -> list[Array]:
    """What moments are compared by, in units of its spread over all of the footage."""
    made = []
    for parts in (spectra, small):
        width = max(part.shape[1] for part in parts)
        present = [part for part in parts if part.shape[1]]
        if not width:
            made.append([np.zeros((len(part), 0)) for part in parts])
            continue
        everything = np.concatenate(present)
        mean = everything.mean(axis=0)
        spread = float(np.sqrt(everything.var(axis=0).sum())) or 1.0
        made.append(
            [
                (part - mean) / spread if part.shape[1] else np.zeros((len(part), width))
                for part in parts
            ]
        )
    return [np.concatenate(pair, axis=1) for pair in zip(*made, strict=True)]


def _novel(look: Array) -> Array:
    """How unlike the minute around each moment is, against the most unlike ones."""
    if not look.shape[1] or not len(look):
        return np.zeros(len(look))
    around = np.stack([_mean_over(column, _AROUND * PER_SECOND + 1) for column in look.T], axis=1)
    apart = np.sqrt(np.square(look - around).sum(axis=1))
    most = float(np.percentile(apart, 98))
    return np.clip(_mean_over(apart, PER_SECOND + 1) / most, 0, 1) if most else np.zeros(len(look))


def _change(look: Array) -> Array:
    """How unlike the second before each step's second is, against the greatest changes."""
    if len(look) < 2 or not look.shape[1]:
        return np.zeros(len(look))
    apart = np.zeros(len(look))
    apart[1:] = np.sqrt(np.square(look[1:] - look[:-1]).sum(axis=1))
    most = float(np.percentile(apart, 99))
    return np.clip(apart / most, 0, 1) if most else apart


def _mean_over(values: Array, width: int) -> Array:
    """Mean over ``width`` (odd) steps around each; fewer at the ends."""
    half = min(width // 2, max(0, len(values) - 1))
    total = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(np.arange(len(values)) - half, 0)
    stop = np.minimum(np.arange(len(values)) + half + 1, len(values))
    return np.asarray((total[stop] - total[first]) / np.maximum(stop - first, 1))
