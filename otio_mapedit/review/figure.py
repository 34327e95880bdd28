"""One source as a picture: filmstrip, decisions, sound, importance and attention in lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..operations import Kind
from .looks import BINS, Look
from .png import heat

Picture = NDArray[np.uint8]

#: Pixels of a bin across, and of the lanes and the space between them down.
_ACROSS, _BAR, _LANE, _SPACE = 3, 36, 120, 14
_BACKGROUND, _KEPT, _DROPPED = (21, 23, 28), (79, 178, 134), (213, 84, 90)
_WAVE, _SPEECH, _IMPORTANT = (143, 166, 200), (44, 80, 64), (240, 165, 60)


def figure(look: Look) -> Picture:
    """The lanes of a source, uint8 ``[height, width, 3]``."""
    lanes: list[Picture] = []
    width = BINS * _ACROSS
    if look.filmstrip is not None:
        lanes.append(_fitted(look.filmstrip, width))
    lanes.append(_bar(look, width))
    if look.level is not None:
        lanes.append(_sound(look.level, look.speech, width))
    lanes += [_area(curve, width) for curve in look.importance.values()]
    if look.attention is not None and len(look.attention):
        row = int(np.clip(400 // len(look.attention), 1, 12))
        colours = heat(look.attention)
        lanes.append(np.repeat(np.repeat(colours, row, axis=0), _ACROSS, axis=1))
    space = np.full((_SPACE, width, 3), _BACKGROUND, np.uint8)
    rows = [part for lane in lanes for part in (space, lane)]
    made: Picture = np.concatenate([*rows, space])
    return made


def _fitted(strip: Picture, width: int) -> Picture:
    height = round(strip.shape[0] * width / strip.shape[1])
    down = np.arange(height) * strip.shape[0] // height
    across = np.arange(width) * strip.shape[1] // width
    made: Picture = strip[down][:, across]
    return made


def _bar(look: Look, width: int) -> Picture:
    made = np.full((_BAR, width, 3), _BACKGROUND, np.uint8)
    background = np.array(_BACKGROUND, float)
    for operation in look.decisions:
        colour = np.array(_KEPT if operation.kind is Kind.KEEP else _DROPPED, float)
        strength = 0.45 + 0.55 * operation.confidence
        first, stop = (
            place * width // max(1, look.source.frame_count)
            for place in (operation.range.start, operation.range.end)
        )
        stop = max(first + 1, stop - (stop - first > 3))
        made[:, first:stop] = background + (colour - background) * strength
    return made


def _sound(level: NDArray[Any], speech: NDArray[Any] | None, width: int) -> Picture:
    made = np.full((_LANE, width, 3), _BACKGROUND, np.uint8)
    middle = np.abs(np.arange(_LANE)[:, None] - _LANE / 2) / (_LANE / 2)
    if speech is not None:
        made[(1 - np.arange(_LANE)[:, None] / _LANE) <= _wide(speech, width)] = _SPEECH
    made[middle <= np.maximum(_wide(level, width), 0.02)] = _WAVE
    return made


def _area(curve: NDArray[Any], width: int) -> Picture:
    made = np.full((_LANE, width, 3), _BACKGROUND, np.uint8)
    made[(1 - np.arange(_LANE)[:, None] / _LANE) <= _wide(curve, width)] = _IMPORTANT
    return made


def _wide(values: NDArray[Any], width: int) -> NDArray[Any]:
    places = np.linspace(0, len(values) - 1, width)
    return np.asarray(np.interp(places, np.arange(len(values)), values))[None]
