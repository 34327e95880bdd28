"""Where something that is being said is said again: takes, without a transcript.

Around every step with speech a template of a second and a half is compared with everything that is
said from 1.2 to 96 seconds later, by subsequence dynamic time warping (Mueller 2007, "Information
Retrieval for Music and Motion", section 4.4) of cepstra whose mean over the surrounding minutes was
taken off, so that the microphone does not count. A template may be said a third faster or half as
fast again. The reach is fixed, so time is linear in the file's length and memory is that of one
block of steps.

A likeness by itself says little, as a voice is always a little like itself; ``score`` says by how
many standard deviations the best place stands out from all other places with speech. A take that
is repeated has the same lag for several steps in a row, which ``steady`` counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_spec import REPEAT_FEATURES
from .step_sound import PER_STEP

Array = NDArray[Any]

#: Frames (of 50 ms) of the shortest and longest lag.
SHORTEST, LONGEST = 24, 1920
#: Steps of 10 ms in a frame.
_STEPS = 5
#: Rows of a template, two frames apart, and how many of them must be speech.
_ROWS, _SPOKEN = 15, 5.0
#: What leaving the common tempo costs, in units of likeness, per row.
_BENT = 0.06
#: What a second of lag costs when the nearest repetition is looked for.
_FAR = 0.004
#: Steps that are compared together.
_BLOCK = 64
#: What is known of likenesses before any is seen: mean, spread, and how many that is worth.
_MEAN, _SPREAD, _WORTH = 0.28, 0.09, 60
#: Seconds over which the mean of the cepstra is taken, to both sides.
_AROUND = 60
#: Steps to either side that may confirm a lag, and frames that it may differ by.
_NEIGHBOURS, _SAME = 4, 8


@dataclass(frozen=True)
class _Found:
    """For n steps, the best lag in frames, its likeness and its score; 0 where there is none."""

    lag: Array
    likeness: Array
    score: Array


def repeats(cepstra: Array, speech: Array) -> NDArray[np.float32]:
    """Columns :data:`REPEAT_FEATURES` of n steps.

    ``cepstra`` is [n * PER_STEP, CEPSTRA] and ``speech`` the probability of speech
    [n * PER_STEP].
    """
    count = len(cepstra) // PER_STEP
    columns = {name: np.zeros(count, np.float32) for name in REPEAT_FEATURES}
    gate = _gate(speech)
    if gate.sum() > _SPOKEN:
        again, near = _search(directions(cepstra, gate) * gate[:, None], gate)
        _tell(columns, "again", again)
        _tell(columns, "next", near)
        columns["again distance"] = np.where(again.lag > 0, 1 - again.likeness, 1)
        _look_back(columns)
    return np.stack([columns[name] for name in REPEAT_FEATURES], axis=1).astype(np.float32)


def spoken_share(speech: Array, frames: int) -> Array:
    """How much each of ``frames`` frames of 50 ms counts as speech, from its probability of every
    10 ms."""
    whole = np.zeros(frames * _STEPS, np.float32)
    whole[: min(len(speech), len(whole))] = speech[: len(whole)]
    return _gate(whole.reshape(frames, _STEPS).mean(axis=1))


def _gate(speech: Array) -> Array:
    gate = np.clip(speech / 0.5, 0, 1).astype(np.float32)
    gate[speech < 0.2] = 0
    return gate


def directions(cepstra: Array, gate: Array) -> Array:
    """Unit vectors [frames, 2 * CEPSTRA]: cepstra against their surroundings, and their change."""
    reach = _AROUND * 20
    weighted = np.cumsum(np.pad(cepstra * gate[:, None], ((1, 0), (0, 0))), axis=0, dtype=float)
    weight = np.cumsum(np.pad(gate, (1, 0)), dtype=float)
    at = np.arange(len(cepstra))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, len(cepstra))
    mean = (weighted[high] - weighted[low]) / np.maximum(weight[high] - weight[low], 1)[:, None]
    still = (cepstra - mean).astype(np.float32)
    ahead, behind = np.roll(still, -2, axis=0), np.roll(still, 2, axis=0)
    both = np.concatenate([still, 0.7 * (ahead - behind)], axis=1)
    length = np.linalg.norm(both, axis=1, keepdims=True)
    return np.asarray(both / np.maximum(length, 1e-6), np.float32)


def _search(vectors: Array, gate: Array) -> tuple[_Found, _Found]:
    """The best and the nearest good repetition of every step."""
    count = len(vectors) // PER_STEP
    ahead = _ROWS
    behind = LONGEST + 2 * _ROWS + _BLOCK * PER_STEP + PER_STEP
    vectors = np.pad(vectors, ((ahead, behind), (0, 0)))
    gate = np.pad(gate, (ahead, behind))
    found = [np.zeros((3, count), np.float32), np.zeros((3, count), np.float32)]
    lags = np.arange(SHORTEST, LONGEST + 1)
    for first in range(0, count, _BLOCK):
        steps = np.arange(first, min(first + _BLOCK, count))
        rows = steps[:, None] * PER_STEP + 2 * np.arange(_ROWS)
        spoken = gate[rows].sum(axis=1)
        chosen = np.flatnonzero(spoken >= _SPOKEN)
        if not len(chosen):
            continue
        alike = _warped(vectors, first * PER_STEP, chosen) / spoken[chosen, None]
        for kind, cost in enumerate((0.0, _FAR / 20)):
            best = (alike - cost * lags).argmax(axis=1)
            value = alike[np.arange(len(chosen)), best]
            middle = (steps[chosen] * PER_STEP + _ROWS)[:, None]
            score = _score(alike, value, gate[middle + lags] > 0.5)
            found[kind][:, steps[chosen]] = lags[best], value, score
    return _Found(*found[0]), _Found(*found[1])


def _warped(vectors: Array, first: int, steps: Array) -> Array:
    """Likeness [len(steps), lags] summed over the rows of a template, along the best path.

    ``steps`` count from the frame ``first``. In the plane of rows and lags a path that keeps the
    tempo runs straight; each row may change the lag by one frame.
    """
    span = (_BLOCK - 1) * PER_STEP + 2 * _ROWS
    rows = vectors[first : first + span]
    width = LONGEST + 1 - SHORTEST
    columns = vectors[first + SHORTEST : first + SHORTEST + span + width]
    table = np.ascontiguousarray(rows @ columns.T)
    down, across = table.strides
    planes = np.lib.stride_tricks.as_strided(
        table,
        (_BLOCK, _ROWS, width),
        (PER_STEP * (down + across), 2 * (down + across), across),
        writeable=False,
    )
    total = planes[steps, 0]
    for row in range(1, _ROWS):
        best = total.copy()
        np.maximum(best[:, 1:], total[:, :-1] - _BENT, out=best[:, 1:])
        np.maximum(best[:, :-1], total[:, 1:] - _BENT, out=best[:, :-1])
        total = best + planes[steps, row]
    return np.asarray(total)


def _score(alike: Array, value: Array, spoken: Array) -> Array:
    """By how many spreads ``value`` stands out from the likenesses where something is said."""
    number = spoken.sum(axis=1) + _WORTH
    mean = ((alike * spoken).sum(axis=1) + _WORTH * _MEAN) / number
    apart = np.square(alike - mean[:, None]) * spoken
    spread = np.sqrt((apart.sum(axis=1) + _WORTH * _SPREAD**2) / number)
    return np.asarray((value - mean) / spread)


def _tell(columns: dict[str, Array], name: str, found: _Found) -> None:
    """Score, lag in seconds and steadiness."""
    columns[f"{name} score"] = found.score
    columns[f"{name} lag"] = found.lag / 20
    same = np.zeros(len(found.lag), np.float32)
    for shift in range(-_NEIGHBOURS, _NEIGHBOURS + 1):
        if shift and abs(shift) < len(found.lag):
            other = np.zeros_like(found.lag)
            if shift > 0:
                other[:-shift] = found.lag[shift:]
            else:
                other[-shift:] = found.lag[:shift]
            same += (other > 0) & (np.abs(other - found.lag) <= _SAME)
    columns[f"{name} steady"] = np.where(found.lag > 0, same / (2 * _NEIGHBOURS), 0)


def _look_back(columns: dict[str, Array]) -> None:
    """What was said before: the best of the repetitions that end at a step."""
    score, lag, steady = (columns[f"before {name}"] for name in ("score", "lag", "steady"))
    for name in ("again", "next"):
        worth = columns[f"{name} score"] * (0.25 + columns[f"{name} steady"])
        target = np.arange(len(lag)) + np.round(columns[f"{name} lag"] * 4).astype(int)
        usable = np.flatnonzero((columns[f"{name} lag"] > 0) & (target < len(lag)))
        # Later assignments stand, so the best comes last.
        for step in usable[np.argsort(worth[usable], kind="stable")]:
            goal = target[step]
            if worth[step] > score[goal] * (0.25 + steady[goal]):
                score[goal] = columns[f"{name} score"][step]
                lag[goal] = columns[f"{name} lag"][step]
                steady[goal] = columns[f"{name} steady"][step]
