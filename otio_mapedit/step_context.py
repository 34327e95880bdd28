"""What a step is against its surroundings: another room, voice, speed, or other colours.

An editor hears a splice because the air and the voice after it are not those before it, and sees
a disturbed grade because the same picture was another colour a minute ago. Every number here is
such a comparison; all reach over a fixed time, so that their cost is linear in the file's length.

Spectra are compared as log power by mel band. A passage that was recorded at another speed has its
spectrum shifted along the frequencies by that factor, which is looked for against the mean spectrum
of the speech of two minutes to either side.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_spec import ALIKE_FEATURES, CONTEXT_FEATURES, MEL_BANDS
from .step_sound import LEAST_CHANGE, band_centres

Array = NDArray[Any]

#: Steps to either side over which the room's tone is taken, and which of them, counted from the
#: quietest, stands for it.
_ROOM, _QUIET = 24, 3
#: Steps to either side over which a voice is known.
_VOICE = 32
#: Steps to either side of a passage, and of what is usual around it.
_PASSAGE, _USUAL = 6, 480
#: Factors of speed that are tried.
_FACTORS = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 1.65, 2.0)
#: Seconds to either side within which pictures of the same place are compared, and from which
#: likeness (correlation of luma) they count as such.
_PLACE, _ALIKE = 120.0, 0.6
#: By how much brightness, contrast, red, blue, saturation and detail of a place may usually differ.
_MAY_DIFFER = np.array([0.06, 0.04, 0.03, 0.03, 0.05, 0.1])
_BLOCK = 128
#: Seconds to either side in which a place is looked for again.
_SOME = 12.0


def sound_context(
    bands: Array,
    changes: Array,
    speech: Array,
    voicing: Array,
    pitch: Array,
    level: Array,
    pace: Array,
) -> NDArray[np.float32]:
    """Columns :data:`CONTEXT_FEATURES` of n steps.

    ``bands`` is [n, MEL_BANDS], log10 power, ``changes`` [n, len(LAGS)] what
    :mod:`~otio_mapedit.step_sound` says of the change of the spectrum; the rest is [n]: ``speech``
    and ``voicing`` 0 to 1, ``pitch`` in octaves, ``level`` in units of 20 dB, ``pace`` in syllables
    a second.
    """
    count = len(bands)
    shape = (bands - bands.mean(axis=1, keepdims=True)).astype(np.float64)
    said = np.square(speech).astype(np.float64)
    sung = said * np.square(voicing)
    columns = {
        "room change": _room_change(bands),
        "voice change": np.abs(_change(shape, said, _VOICE)).mean(axis=1),
        "pitch change": _change(pitch[:, None], sung, _VOICE)[:, 0],
        "level change": _change(level[:, None], said, _VOICE)[:, 0],
        "pitch against around": _against(pitch, sung),
        "pace against around": _against(pace, said),
        "level against around": _against(level, said),
        **_speed(shape, said),
        **_changing(changes, said),
    }
    out = np.zeros((count, len(CONTEXT_FEATURES)), np.float32)
    for place, name in enumerate(CONTEXT_FEATURES):
        out[:, place] = columns[name]
    return out


def _room_change(bands: Array) -> Array:
    """How far the quiet of the next six seconds is from that of the last, by band, in decades."""
    count = len(bands)
    padded = np.pad(bands, ((_ROOM, _ROOM), (0, 0)), "symmetric" if count else "constant")
    quiet = np.empty((count + _ROOM, bands.shape[1]), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _ROOM, axis=0)
    for first in range(0, len(quiet), 1024):
        part = windows[first : min(first + 1024, len(quiet))]
        quiet[first : first + len(part)] = np.partition(part, _QUIET, axis=2)[..., _QUIET]
    return np.asarray(np.abs(quiet[_ROOM:] - quiet[:count]).mean(axis=1))


def _means(values: Array, weights: Array, before: int, after: int) -> tuple[Array, Array]:
    """Weighted mean [n, k] over the steps from ``before`` before to ``after`` after each one
    (not included), and the weight [n] that it rests on."""
    at = np.arange(len(values))
    low, high = np.clip(at - before, 0, len(at)), np.clip(at + after, 0, len(at))
    total = np.cumsum(np.pad(values * weights[:, None], ((1, 0), (0, 0))), axis=0)
    weight = np.cumsum(np.pad(weights, (1, 0)))
    rests = weight[high] - weight[low]
    return (total[high] - total[low]) / np.maximum(rests, 1e-3)[:, None], rests


def _change(values: Array, weights: Array, reach: int) -> Array:
    """What is heard after each step less what is heard before it; 0 where either is not known."""
    values, weights = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    before, known = _means(values, weights, reach, 0)
    after, follows = _means(values, weights, 0, reach)
    trust = np.clip(np.minimum(known, follows) / 2, 0, 1)
    return np.asarray((after - before) * trust[:, None])


def _against(values: Array, weights: Array) -> Array:
    """A passage against what is usual around it; 0 where it is not known."""
    values, weights = np.asarray(values, np.float64)[:, None], np.asarray(weights, np.float64)
    here, known = _means(values, weights, _PASSAGE, _PASSAGE + 1)
    usual, _ = _means(values, weights, _USUAL, _USUAL + 1)
    return np.asarray((here - usual)[:, 0] * np.clip(known, 0, 1))


def _speed(shape: Array, said: Array) -> dict[str, Array]:
    """How much better the spectrum of a passage fits the usual one at another speed."""
    here, known = _means(shape, said, _PASSAGE, _PASSAGE + 1)
    usual, _ = _means(shape, said, _USUAL, _USUAL + 1)
    here = _unit(here)
    fits = np.stack([(here * _unit(usual @ matrix)).sum(axis=1) for matrix in _warps()], axis=1)
    fits *= np.clip(known, 0, 1)[:, None]
    factors = np.array(_FACTORS)
    normal = fits[:, factors == 1].max(axis=1)
    best = np.log2(factors)[fits.argmax(axis=1)]
    return {
        "slower likeness": fits[:, factors < 0.8].max(axis=1) - normal,
        "faster likeness": fits[:, factors > 1.3].max(axis=1) - normal,
        "speed likeness": np.where(known > 0.5, best, 0),
    }


def _changing(changes: Array, said: Array) -> dict[str, Array]:
    """How fast the spectrum of speech changes in a passage, and against what is usual around it."""
    plain = np.power(10, changes.astype(np.float64))
    here, known = _means(plain, said, _PASSAGE, _PASSAGE + 1)
    usual, _ = _means(plain, said, _USUAL, _USUAL + 1)
    trust = np.clip(known, 0, 1)[:, None]
    fast = np.log10(here + LEAST_CHANGE) * trust
    against = fast - np.log10(usual + LEAST_CHANGE) * trust
    names = [name for name in CONTEXT_FEATURES if name.startswith("spectral change")]
    return dict(zip(names, np.concatenate([fast, against], axis=1).T, strict=True))


def _unit(shape: Array) -> Array:
    """Spectra without level, tilt and bow, which are the same at every speed, of unit length."""
    smooth = _smooth()
    shape = shape - (shape @ smooth) @ smooth.T
    return np.asarray(shape / np.maximum(np.linalg.norm(shape, axis=1, keepdims=True), 1e-6))


@lru_cache(maxsize=1)
def _smooth() -> Array:
    """Polynomials of degree 0 to 2 over the bands, orthonormal: [MEL_BANDS, 3]."""
    return np.asarray(np.linalg.qr(np.vander(np.linspace(-1, 1, MEL_BANDS), 3))[0])


@lru_cache(maxsize=1)
def _warps() -> tuple[Array, ...]:
    return tuple(warp(factor) for factor in _FACTORS)


def warp(factor: float) -> Array:
    """The matrix [MEL_BANDS, MEL_BANDS] from a log spectrum, times it from the right, to that of
    the same sound ``factor`` times as fast, by interpolation between the centres of bands."""
    centres = np.log(band_centres())
    at = np.interp(centres - np.log(factor), centres, np.arange(MEL_BANDS, dtype=float))
    low = np.minimum(at.astype(int), MEL_BANDS - 2)
    matrix = np.zeros((MEL_BANDS, MEL_BANDS))
    matrix[low, np.arange(MEL_BANDS)] += 1 - (at - low)
    matrix[low + 1, np.arange(MEL_BANDS)] += at - low
    return matrix


def alike_context(luma: Array, looks: Array, seconds: Array) -> NDArray[np.float32]:
    """Columns :data:`ALIKE_FEATURES` of n sampled pictures.

    ``luma`` is [n, height, width]; ``looks`` [n, 6] their brightness, contrast, red, blue,
    saturation and detail; ``seconds`` [n] when they were taken, rising. The first column is how
    like each is to the one before, the second whether all that follows it is unlike all that went
    before it, so that a faulty passage counts as nothing; the others are what a picture has more
    than most of those of the same place within two minutes, and how far that is in all.
    """
    count = len(luma)
    flat = luma.reshape(count, luma.shape[1] * luma.shape[2]).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    size = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = np.where(size > 0.01 * flat.shape[1] ** 0.5, flat / np.maximum(size, 1e-6), 0)
    stands = np.clip(np.diff(seconds, append=seconds[-1:] + 1), 0.05, 3).astype(np.float32)
    out = np.zeros((count, len(ALIKE_FEATURES)), np.float32)
    out[1:, 0] = (flat[1:] * flat[:-1]).sum(axis=1)
    out[:1, 0] = 1
    out[:, 1] = _place_change(flat, seconds)
    for first in range(0, count, _BLOCK):
        stop = min(first + _BLOCK, count)
        low = int(np.searchsorted(seconds, seconds[first] - _PLACE))
        high = int(np.searchsorted(seconds, seconds[stop - 1] + _PLACE, "right"))
        alike = np.clip((flat[first:stop] @ flat[low:high].T - _ALIKE) / (1 - _ALIKE), 0, 1)
        alike *= np.abs(seconds[first:stop, None] - seconds[low:high]) <= _PLACE
        alike *= stands[low:high]
        apart = looks[first:stop] - _most(looks[low:high], alike)
        apart[alike.sum(axis=1) <= 0] = 0
        out[first:stop, 2:-1] = apart
        out[first:stop, -1] = np.sqrt(np.square(apart / _MAY_DIFFER).mean(axis=1))
    return out


def _place_change(flat: Array, seconds: Array) -> Array:
    """From each picture on, 1 less the best likeness of pictures of some seconds to those of some
    seconds before; 0 where there is nothing to compare. ``flat`` [n, k] are unit vectors."""
    count = len(flat)
    shows = np.square(flat).sum(axis=1) > 0.5
    apart, last = [], -np.inf
    for place in range(count):
        if seconds[place] - last >= 0.9:
            apart.append(place)
            last = seconds[place]
    thin = np.array([place for place in apart if shows[place]], np.int64)
    times = seconds[thin]
    change = np.zeros(count, np.float32)
    for place in range(1, count):
        low = np.searchsorted(times, seconds[place] - _SOME)
        here = np.searchsorted(thin, place)
        high = np.searchsorted(times, seconds[place] + _SOME, "right")
        after = flat[[place, *thin[here:high]]] if shows[place] else flat[thin[here:high]]
        if low < here and len(after):
            change[place] = 1 - (flat[thin[low:here]] @ after.T).max()
    return change


def _most(looks: Array, alike: Array) -> Array:
    """How most pictures look [m, 6], of those that count [m, n]: their mean, taken again with
    less weight on what is far from it."""
    scaled = looks / _MAY_DIFFER
    weight = alike
    for _ in range(3):
        mean = weight @ scaled / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        apart = np.square(scaled[None] - mean[:, None]).mean(axis=2)
        weight = alike / (1 + np.square(apart))
    return np.asarray(weight @ looks / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9))
