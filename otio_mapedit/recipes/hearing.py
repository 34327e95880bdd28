"""What the sound of a file says about keeping it: speech, sound that matters, dead air.

Levels are judged against the file's own speech, or, where nobody speaks, against its own loud
passages: a quiet recording is cut like a loud one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..features import SILENCE, SoundFeatures
from ..solve import runs

#: Probability at which speech is certain enough to begin, and below which it ends.
SPEECH, NO_SPEECH = 0.5, 0.2
#: Probability that a file with speech reaches somewhere.
CERTAIN = 0.85
#: Seconds of speech that make a file one with speech, and that make a burst of it believable.
LEAST_SPEECH, LEAST_BURST = 0.2, 0.06
#: dB against speech at which a sound is as likely to matter as not, and the distance from there
#: at which it is clear. In recorded meetings laughter and words that the detector misses lie at
#: -12 to 0, pauses between words at -20 to -40.
MATTERS, CLEAR = -10.0, 6.0
#: The same without speech, against the loud passages: only what is far below them is dead air.
AMBIENCE = -32.0
#: dB that loud passages must stand above the quietest ones before any of these is dead air.
CONTRAST = 24.0
#: dBFS below which nothing was recorded.
TRUE_SILENCE = -66.0
#: Seconds over which levels are averaged.
_AVERAGED = 0.1
#: Which sounds without speech stay: clear ones, weighed against the cuts they cost, or all that
#: are loud and long enough.
SOUNDS = ("clear", "all")


@dataclass(frozen=True)
class Heard:
    """The sound of a file, judged step by step. Arrays are [steps]."""

    score: NDArray[Any]  # seconds of evidence: hop * (-1 clearly dead air .. 1 clearly matters)
    speech: NDArray[Any]  # bool: somebody speaks
    level: NDArray[Any]  # dBFS, averaged
    probability: NDArray[Any]  # of speech
    against: float  # dBFS of speech, else of loud passages; -inf where all is silent
    has_speech: bool
    has_dead_air: bool  # whether anything of this file can be told to be dead air by its level
    sounds: NDArray[Any] | None = None  # bool: sound without speech that stays whatever it costs

    @property
    def silent(self) -> bool:
        """Whether nothing was recorded at all."""
        return math.isinf(self.against)


def hear(sound: SoundFeatures, matters: float = MATTERS) -> Heard:
    """Judge the sound of a file. ``matters`` is the level against speech, in dB, at which a sound
    without speech is as likely to stay as not."""
    hop = float(sound.hop)
    level = averaged(sound.level, max(1, round(_AVERAGED / hop)))
    speech = spoken(sound.speech, round(LEAST_BURST / hop))
    certain = (sound.speech >= SPEECH).sum() * hop >= LEAST_SPEECH
    has_speech = bool(certain and sound.speech.max() >= CERTAIN)
    audible = level > TRUE_SILENCE
    if has_speech:
        against, middle = float(np.median(level[speech])), matters
        has_dead_air = True
    elif audible.any():
        speech = np.zeros_like(speech)
        against, middle = float(np.percentile(level[audible], 90)), AMBIENCE
        has_dead_air = against - float(np.percentile(level, 5)) >= CONTRAST
    else:
        against, middle, has_dead_air = -math.inf, 0.0, False
    evidence = np.clip((level - against - middle) / CLEAR, -1, 1)
    if not has_dead_air:
        evidence = np.ones_like(level)
    evidence = np.where(audible | speech, evidence, -1)
    # A voice that the detector half hears, as over music, counts for the sound.
    evidence = np.maximum(evidence, np.clip(sound.speech / SPEECH, 0, 1) * 2 - 1)
    return Heard(
        score=evidence * hop,
        speech=speech,
        level=level,
        probability=sound.speech,
        against=against,
        has_speech=has_speech,
        has_dead_air=has_dead_air,
    )


def with_sounds(heard: Heard, hop: float, matters: float, least: float) -> Heard:
    """The same, with every sound beside speech that stays above ``matters`` dB against speech for
    ``least`` seconds, and nothing else that is no speech."""
    if not heard.has_speech:
        return heard
    loud = (heard.level >= heard.against + matters) & ~heard.speech
    sounds = np.zeros(len(loud), bool)
    for first, stop in runs(loud):
        sounds[first:stop] = (stop - first) * hop >= least
    score = np.where(sounds | heard.speech, heard.score, np.minimum(heard.score, 0))
    return replace(heard, sounds=sounds, score=score)


def spoken(probability: NDArray[Any], least: int) -> NDArray[np.bool_]:
    """Where somebody speaks: from where speech is certain, to both sides, until it is unlikely.

    Bursts below ``least`` steps are clicks and coughs.
    """
    speech = np.zeros(len(probability), bool)
    for first, stop in runs(probability >= NO_SPEECH):
        if stop - first >= least and probability[first:stop].max() >= SPEECH:
            speech[first:stop] = True
    return speech


def averaged(level: NDArray[Any], steps: int) -> NDArray[Any]:
    """Level in dB of the mean power over ``steps`` steps around each step."""
    if not len(level):
        return cast(NDArray[Any], np.zeros(0))
    power = np.power(10.0, np.asarray(level, float) / 10)
    total = np.cumsum(
        np.concatenate([[0.0], np.pad(power, (steps // 2, (steps - 1) // 2), "edge")])
    )
    mean = (total[steps:] - total[:-steps]) / steps
    floor = 10 ** (SILENCE / 10)
    return cast(NDArray[Any], 10 * np.log10(np.maximum(mean, floor)))
