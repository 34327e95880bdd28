"""Lines that broke off and were begun again at once: "today we -- today we talk about cuts".

The edit network's look for what is said again begins 1.2 seconds later (:mod:`..repeats`). What
begins again sooner is short, so it is told apart from its surroundings alone: a burst of speech
between two pauses is compared with the beginning of the next one by dynamic time warping, and must
stand out from how alike the burst is to all else that is said within half a minute.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features import SoundFeatures
from ..inference import Predictions
from ..operations import Source
from ..repeats import directions, spoken_share
from ..solve import runs
from .hearing import SPEECH, Heard
from .seeing import Faulty
from .takes import Takes, apart, cut_between, takes, timecode_of

Array = NDArray[Any]

#: Seconds of what broke off, of the pause behind it, and from one beginning to the next.
SHORTEST, LONGEST = 0.4, 1.2
PAUSE = 0.06, 1.0
LATEST = 1.6
#: Seconds of what lies before it in which the cut is: what is heard there may be no pause at all.
_REACH = 0.4
#: How much longer than what broke off the next burst must be.
_GOES_ON = 1.3
#: Mean likeness of the two, and standard deviations above all else, to be asked about and to go.
_ALIKE = 0.6
_DOUBTFUL, _SURE = 2.9, 3.5
#: Places that it takes to know how alike things are here, and frames between them.
_PLACES, _EVERY = 30, 3
#: Frames (of 50 ms) to both sides of what broke off that are compared with it.
_AROUND = 600
#: What a frame costs that is said slower or faster, and frames by which the beginning may be late.
_BENT, _LATE = 0.06, 4
#: Least standard deviation that is believed.
_SPREAD = 0.03
#: Steps of 10 ms in a frame.
_STEPS = 5


def said_again(
    known: Predictions, heard: Heard | None, hop: Fraction, source: Source, stays: str
) -> Takes:
    """What the edit network (see :func:`.takes.takes`) and the sound alone find in a file."""
    found = Takes() if known.edit is None else takes(known.edit, heard, hop, source, stays)
    if known.sound is None or heard is None or stays == "all":
        return found
    soon = restarts(known.sound, heard, source)
    doubts = [
        doubt
        for doubt in soon.doubts
        if not any(doubt.range.intersection(one.range).duration for one in found.doubts)
    ]
    return Takes((*found.faults, *soon.faults), (*found.doubts, *doubts))


def restarts(sound: SoundFeatures, heard: Heard, source: Source) -> Takes:
    """What broke off in a file's sound: what goes, and what is to be asked about."""
    frames = len(sound.cepstra)
    if not frames or not heard.has_speech:
        return Takes()
    share = spoken_share(sound.speech, frames)
    vectors = directions(sound.cepstra, share)
    spoken = [(a, b) for a, b in runs(sound.speech >= SPEECH) if b - a >= _STEPS]
    faults, doubts = list[Faulty](), list[Faulty]()
    goes = False  # the burst behind the one that is looked at
    hop = float(sound.hop)
    for number in range(len(spoken) - 2, -1, -1):
        (first, stop), after = spoken[number], spoken[number + 1]
        before = spoken[number - 1][1] if number else 0
        if not _may_break_off((first, stop), after, hop, goes):
            goes = False
            continue
        score = _score(vectors, share, first // _STEPS, stop // _STEPS, after[0] // _STEPS)
        goes = score >= _SURE
        if score < _DOUBTFUL:
            continue
        pause = max(before * hop, first * hop - _REACH), first * hop
        span = cut_between(pause, (stop * hop, after[0] * hop), source)
        reason = f"false start of {timecode_of(after[0] * hop, source)}"
        if span.duration <= 1:
            continue
        if goes:
            faults.append(Faulty(span, reason, 0.75, spoken=True))
        else:
            doubts.append(Faulty(span, f"may be a {reason}", 0.5, spoken=True))
    return Takes(apart(faults), apart(doubts))


def _may_break_off(burst: tuple[int, int], after: tuple[int, int], hop: float, goes: bool) -> bool:
    """Whether two bursts of speech, in steps, are as long and as far apart as what breaks off.
    ``goes``: the second one breaks off too."""
    length, pause = (burst[1] - burst[0]) * hop, (after[0] - burst[1]) * hop
    least = length / _GOES_ON if goes else length * _GOES_ON
    return (
        SHORTEST <= length <= LONGEST
        and PAUSE[0] <= pause <= PAUSE[1]
        and (after[0] - burst[0]) * hop <= LATEST
        and (after[1] - after[0]) * hop >= least
    )


def _score(vectors: Array, share: Array, first: int, stop: int, again: int) -> float:
    """By how many spreads ``[first, stop)`` is more like what begins at ``again`` than like what
    else is said around, in frames; 0 where that cannot be told."""
    template = vectors[first:stop]
    length = len(template)
    places = np.arange(max(0, first - _AROUND), min(len(vectors) - length, first + _AROUND), _EVERY)
    said = np.convolve(share, np.ones(length) / length, "valid")
    elsewhere = (np.abs(places - first) > length) & (np.abs(places - again) > length)
    places = places[elsewhere & (said[places] > 0.8)]
    if len(places) < _PLACES:
        return 0.0
    alike = _likeness(template, vectors, np.concatenate([[again], places]))
    value, others = alike[0], alike[1:]
    if value < _ALIKE:
        return 0.0
    return float((value - others.mean()) / max(others.std(), _SPREAD))


def _likeness(template: Array, vectors: Array, places: Array) -> Array:
    """Mean likeness of a template [frames, d] to what begins at each of ``places``, along the best
    path; it may be said at half or at twice the speed."""
    length, width = len(template), 2 * len(template)
    padded = np.pad(vectors, ((0, width), (0, 0)))
    windows = padded[places[:, None] + np.arange(width)]
    likeness = np.einsum("pwd,ld->plw", windows, template)
    total = np.full((len(places), width), -np.inf)
    total[:, :_LATE] = likeness[:, 0, :_LATE]
    for row in range(1, length):
        best = total - _BENT
        best[:, 1:] = np.maximum(best[:, 1:], total[:, :-1])
        best[:, 2:] = np.maximum(best[:, 2:], total[:, :-2] - _BENT)
        total = best + likeness[:, row]
    return np.asarray(total.max(axis=1) / length)
