"""What a style makes of the sound of a file: this editor's leaning beside the general judgement.

A moment is a step of the edit network, a quarter of a second, described by what is heard there and
around it, by what the sampled pictures show, and by what the network answers for it: the leaning is
a small head on a network that stays as it is.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_inference import EditPredictions
from ..edit_spec import STEP
from ..features import SILENCE, PictureSamples
from ..inference import Predictions
from ..style import Leaning
from ..timing import frames_covering, seconds_at
from .hearing import Heard

logger = logging.getLogger(__name__)

MOMENT = STEP
"""Seconds of a moment."""
MOMENT_FEATURES = (
    "speech",
    "most speech",
    "level",
    "highest level",
    "speech within a second",
    "speech within four seconds",
    "since speech",
    "until speech",
    "loud without speech",
    "loud without speech around",
    "liveliness",
    "brightness",
    "contrast",
    "detail",
    "motion",
    "motion in doublings",
    "motion around",
    "speech and motion",
    "picture",
    "network keeps",
    "network misses it",
    "dead air",
    "noise",
    "chatter",
    "said again",
    "music",
)
"""Names of the numbers that describe a moment, in order."""

#: Seconds beyond which speech is far away, and dB against speech that are loud.
_FAR, _LOUD = 5.0, -12.0
#: Change of a picture over a second that is hardly any.
_HARDLY = 0.01
#: Below this probability, for a leaning that is trusted wholly, an editor drops even speech.
_DROPS_SPEECH = 0.4


def moments(known: Predictions, heard: Heard) -> NDArray[np.float64]:
    """What is heard and seen of every moment of a file: ``[n, len(MOMENT_FEATURES)]``."""
    media = known.media
    count = max(1, frames_covering(seconds_at(media.frame_count, media.rate), 1 / MOMENT))
    hop = known.sound.hop if known.sound is not None else MOMENT
    steps = int(MOMENT / hop)
    against = heard.against if np.isfinite(heard.against) else 0.0
    speech = _by_moment(np.asarray(heard.speech, float), count, steps, 0.0)
    probability = _by_moment(heard.probability, count, steps, 0.0)
    level = np.clip(_by_moment(heard.level, count, steps, SILENCE) - against, -60, 20)
    spoken = speech.mean(axis=1)
    loud = ((level > _LOUD) & (speech < 0.5)).mean(axis=1)
    since = _since(spoken > 0)
    until = _since(spoken[::-1] > 0)[::-1]
    pictures = _pictures(known.samples, media.rate, count)
    columns = [
        probability.mean(axis=1),
        probability.max(axis=1),
        level.mean(axis=1) / 20,
        level.max(axis=1) / 20,
        _around(spoken, 4),
        _around(spoken, 16),
        since,
        until,
        loud,
        _around(loud, 4),
        level.std(axis=1) / 10,
        *pictures.T,
        spoken * pictures[:, 4],
        np.full(count, float(known.samples is not None)),
        *_answers(known.edit, count).T,
    ]
    return np.stack(columns, axis=1)


def styled(heard: Heard, known: Predictions, leaning: Leaning) -> Heard:
    """``heard`` with a style's leaning in its score.

    The score of a step becomes ``(1 - trust) * general + trust * (2 p - 1)``; speech that this
    editor would all but surely leave out is no longer kept for being speech. Where a moment is like
    nothing that was learned from, ``trust`` falls towards none.
    """
    if known.sound is None:
        return heard
    if leaning.features != MOMENT_FEATURES or leaning.network != network_of(known):
        logger.warning(
            "%s: the style was learned with another network, so that only its options count. "
            "Type: mapedit learn with its timelines again.",
            known.media.name,
        )
        return heard
    described = moments(known, heard)
    kept, trust = leaning.probability(described), leaning.trust * leaning.familiar(described)
    hop = float(known.sound.hop)
    per = int(MOMENT / known.sound.hop)
    count = len(heard.score)
    steps, trusted = (
        np.pad(each, (0, count - len(each)), "edge")
        for each in (np.repeat(of, per)[:count] for of in (kept, trust))
    )
    general = heard.score / hop
    score = (1 - trusted) * general + trusted * (2 * steps - 1)
    unwanted = steps < _DROPS_SPEECH * trusted
    return replace(
        heard,
        score=np.clip(score, -1, 1) * hop,
        speech=heard.speech & ~unwanted,
    )


def network_of(known: Predictions) -> str:
    """The network whose answers are among the numbers of a moment; empty for none."""
    return known.edit.network if known.edit is not None else ""


def with_answers(values: NDArray[Any], edit: EditPredictions) -> NDArray[np.float64]:
    """Moments with what another network says of them."""
    first = MOMENT_FEATURES.index("network keeps")
    answers = _answers(edit, len(values))
    return np.hstack([values[:, :first], answers, values[:, first + answers.shape[1] :]])


def _answers(edit: EditPredictions | None, count: int) -> NDArray[np.float64]:
    """What the edit network says of every moment: ``[n, 7]``."""
    answers = np.zeros((count, 7))
    if edit is None or not len(edit):
        return answers
    keeps = np.clip(edit.probability("keep"), 1e-3, 1 - 1e-3)
    columns = [
        np.log(keeps / (1 - keeps)) / 4,
        edit.importance,
        edit.probability("dead air"),
        edit.probability("noise"),
        edit.probability("chatter"),
        edit.probability("retake", "false start"),
        edit.quality[:, edit.spec.quality.index("music")],
    ]
    known = min(count, len(edit))
    answers[:known] = np.stack(columns, axis=1)[:known]
    return answers


def _by_moment(values: NDArray[Any], count: int, steps: int, rest: float) -> NDArray[np.float64]:
    whole = np.full(count * steps, rest, np.float64)
    whole[: min(len(values), len(whole))] = values[: len(whole)]
    return whole.reshape(count, steps)


def _around(values: NDArray[Any], reach: int) -> NDArray[np.float64]:
    """Mean over ``reach`` moments to either side."""
    padded = np.pad(np.asarray(values, np.float64), reach, "edge")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    return np.asarray((total[2 * reach + 1 :] - total[: -2 * reach - 1]) / (2 * reach + 1))


def _since(here: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Seconds since the last true moment, at most ``_FAR``."""
    places = np.where(here, np.arange(len(here)), -(10**9))
    last = np.maximum.accumulate(places)
    return np.asarray(np.minimum((np.arange(len(here)) - last) * float(MOMENT), _FAR))


def _pictures(samples: PictureSamples | None, rate: Fraction, count: int) -> NDArray[np.float64]:
    """Brightness, contrast, detail, motion, how often it doubles from hardly any, and motion around
    of every moment: ``[n, 6]``."""
    if samples is None or not len(samples.frames):
        return np.zeros((count, 6))
    pace = rate * MOMENT
    starts = samples.frames * pace.denominator / pace.numerator
    at = np.searchsorted(starts, np.arange(count) + 0.5, side="right") - 1
    at = np.clip(at, 0, len(samples.frames) - 1)
    change = np.asarray(samples.change, np.float64)
    shown = [samples.brightness, samples.contrast, 20 * samples.detail]
    motion = np.minimum(change, 1)[at]
    doublings = np.log2(np.maximum(motion, _HARDLY) / _HARDLY) / 2
    rows = [*(np.asarray(each)[at] for each in shown), motion, doublings, _around(motion, 8)]
    return np.stack(rows, 1)
