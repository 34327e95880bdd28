"""Rushes with known truth, made by un-editing: clean material and the inverse of every operation.

A finished programme is a row of lines with short pauses, or a performance. It is made worse at
random. What must become of every step, to have the programme back, is known exactly. Everything is
drawn from a seed. How they are written is in :mod:`~otio_mapedit.training.rush_script`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .. import speech
from ..edit_spec import EDIT_QUALITIES, OPERATIONS, SPEEDS
from ..features import HOP, SILENCE, SoundFeatures
from ..step_features import step_features
from ..step_sound import StepListener
from . import rush_pictures, sounds
from .corpus import Corpus
from .rush_pictures import FPS, Span
from .rush_script import (
    DEAD,
    FALSE_START,
    KEEP,
    RATE,
    RETAKE,
    Script,
    performance,
    spoil_pictures,
    talk,
)
from .speakers import Samples
from .voices import Line

TICK = 160  # samples of a label
PER_STEP = 25  # labels of a step
CONDITIONS = ("clean", "noise", "music", "quiet")
"""How talk is recorded: noise and music sound all the time, quiet speech is at -48 to -36 dB."""
_SHARES = (0.3, 0.32, 0.2, 0.18)
_NARROW = 0.12
"""How many recordings that teach have no high frequencies."""


@dataclass(frozen=True)
class Rush:
    """Features and truth of one film, n steps."""

    steps: npt.NDArray[np.float32]  # [n, features]
    operation: npt.NDArray[np.int64]  # [n]
    splice: npt.NDArray[np.float32]  # [n], 1 where another recording begins
    speed: npt.NDArray[np.int64]  # [n]
    grade: npt.NDArray[np.float32]  # [n]
    importance: npt.NDArray[np.float32]  # [n]
    quality: npt.NDArray[np.float32]  # [n, qualities]
    target: npt.NDArray[np.float32]  # [n], seconds to the same words in the good take; 0: none
    condition: str  # clean, noise, music or quiet


@dataclass(frozen=True)
class Bank:
    """What rushes are made of; ``varied`` makes more of few films (see ``rush_pictures``)."""

    lines: tuple[Line, ...]
    corpus: Corpus
    varied: bool = False


def rush(
    rng: np.random.Generator, bank: Bank, seconds: float = 280, condition: str | None = None
) -> tuple[Rush, Samples | None]:
    """One film of about ``seconds`` and its sound at 16 kHz, None where it has none.

    Mostly somebody talks, under ``condition``, which is drawn where it is not given; else there is
    a performance, or no sound.
    """
    style = rng.random()
    talks = style < 0.86
    script = (
        talk(rng, bank.lines, seconds, bank.varied)
        if talks
        else performance(rng, seconds, music=style < 0.95)
    )
    silent = style >= 0.975
    seen = silent or rng.random() < 0.75
    if seen:
        spoil_pictures(rng, script, silent)
    length = script.at
    drawn = str(rng.choice(CONDITIONS, p=_SHARES))
    condition = (condition or drawn) if talks else "clean"
    samples = None if silent else _mixed(rng, script, condition, bank.varied)
    pictures = None
    if seen:
        spans = [*script.pictures, *_speed_spans(script)]
        pictures = rush_pictures.sampled(
            rng, bank.corpus, length, script.splices, spans, bank.varied
        )
    count = int(np.ceil(length * 4))
    heard = listened(samples) if samples is not None else None
    steps = step_features(count, Fraction(FPS), heard, pictures)
    return _truth(script, steps, condition), samples


def listened(samples: Samples) -> SoundFeatures:
    """What the product hears in ``samples``."""
    listener = StepListener()
    listener.feed(samples)
    steps = listener.finish()
    hops = -(-len(samples) // TICK)
    padded = np.pad(samples, (0, hops * TICK - len(samples)))
    power = np.square(padded).reshape(-1, TICK).mean(axis=1)
    level = 10 * np.log10(np.maximum(power, 10 ** (SILENCE / 10)))
    voice = speech.listen(samples)
    middle = np.arange(hops) * TICK + TICK // 2
    voice = voice[np.minimum(middle // speech.STEP, len(voice) - 1)]
    return SoundFeatures(HOP, level.astype(np.float32), voice, steps.steps, steps.cepstra)


def _speed_spans(script: Script) -> list[Span]:
    return [
        Span(start, end, "faster" if factor > 1 else "slower", factor)
        for start, end, factor in script.speed
    ]


def _mixed(
    rng: np.random.Generator, script: Script, condition: str, varied: bool = False
) -> Samples:
    """The sound under a condition; every recording has its own level and room, and, if ``varied``,
    here and there a telephone's or an old recorder's band."""
    count = int(np.ceil(script.at * RATE))
    whole = np.zeros(count, np.float32)
    bounds = [0, *(int(time * RATE) for time in script.splices), count]
    for first, stop in pairwise(bounds):
        level = rng.uniform(-48, -36) if condition == "quiet" else rng.uniform(-34, -14)
        apart = rng.uniform(4, 16) if condition == "noise" else rng.uniform(18, 55)
        part = _recorded(rng, script, first, stop, level)
        if varied and rng.random() < _NARROW:
            part = sounds.narrow(part, rng.uniform(3200, 6000))
        tone = sounds.room_tone(rng, stop - first)
        if rng.random() < 0.06 and condition == "clean":
            tone *= 0
        part += tone * np.float32(10 ** ((level - apart) / 20))
        whole[first:stop] += part
    if condition == "music":
        loud = np.sqrt(np.square(whole).mean()) * 10 ** (rng.uniform(-22, -2) / 20)
        whole += sounds.music(rng, count) * np.float32(loud)
    whole = np.clip(whole, -1, 1)
    return sounds.stored(rng, whole) if varied else whole


def _recorded(
    rng: np.random.Generator, script: Script, first: int, stop: int, level: float
) -> Samples:
    """Voices and events between two samples, as one microphone hears them in one room."""
    voice = np.zeros(stop - first, np.float32)
    other = np.zeros(stop - first, np.float32)
    for bus, pieces, scale in ((voice, script.speech, 1.0), (other, script.events, None)):
        for start, samples in pieces:
            at = int(start * RATE) - first
            low, high = max(0, at), min(len(bus), at + len(samples))
            if low < high:
                loud = scale or 10 ** (rng.uniform(-14, 5) / 20)
                loud *= 10 ** (rng.normal(0, 1.2) / 20)
                bus[low:high] += samples[low - at : high - at] * np.float32(loud)
    if rng.random() < 0.5:
        voice = sounds.reverberant(rng, voice, rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.5))
    speaking = np.abs(voice) > 0.01
    loudness = np.sqrt(np.square(voice[speaking]).mean()) if speaking.any() else 0.1
    gain = np.float32(10 ** (level / 20) / (loudness + 1e-6))
    return np.asarray((voice + other) * gain, np.float32)


def _truth(script: Script, steps: npt.NDArray[np.float32], condition: str) -> Rush:
    count = len(steps)
    label = np.full(count * PER_STEP, DEAD, np.int64)
    for start, end, what in script.labels:
        label[round(start * 100) : round(end * 100)] = what
    votes = np.stack(
        [(label.reshape(count, PER_STEP) == kind).sum(axis=1) for kind in range(len(OPERATIONS))], 1
    )
    operation = votes.argmax(axis=1)
    splice, grade = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for time in script.splices:
        splice[min(count - 1, int(time * 4))] = 1
    speed = np.zeros(count, np.int64)
    for start, end, factor in script.speed:
        kind = SPEEDS.index("faster" if factor > 1 else "slower")
        speed[round(start * 4) : round(end * 4)] = kind
    quality = np.zeros((count, len(EDIT_QUALITIES)), np.float32)
    quality[:, 0], quality[:, 1] = condition == "noise", condition == "music"
    for span in script.pictures:
        part = slice(round(span.start * 4), round(span.end * 4))
        if span.what in EDIT_QUALITIES:
            quality[part, EDIT_QUALITIES.index(span.what)] = 1
        if span.what == "grade":
            grade[part] = 1
    target = np.zeros(count, np.float32)
    for start, end, goal, goal_end in script.pointers:
        for step in range(int(start * 4), min(count, int(np.ceil(end * 4)))):
            share = ((step + 0.5) / 4 - start) / (end - start)
            if 0 <= share <= 1 and operation[step] in (RETAKE, FALSE_START):
                target[step] = goal + share * (goal_end - goal) - (step + 0.5) / 4
    importance = np.where(operation == KEEP, 0.6, 0.0).astype(np.float32)
    for start, samples in script.speech:
        part = slice(round(start * 4), round((start + len(samples) / RATE) * 4))
        importance[part] = np.where(operation[part] == KEEP, 1.0, 0.0)
    return Rush(steps, operation, splice, speed, grade, importance, quality, target, condition)
