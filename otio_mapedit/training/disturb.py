"""What happens inside a shot and is not a cut, and what makes footage unusable.

Each function changes the frames ``(n, 27, 48, 3)`` of one shot in place and marks technical faults
in ``quality (n, len(QUALITIES))``. Nothing happens within ``MARGIN`` frames of either end, so that
no event can be taken for the join beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from ..spec import QUALITIES
from . import camera, made, overlays
from .overlays import MARGIN, span

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Disturbance = Callable[[np.random.Generator, Floats, Flags, Pixels], None]

SHORTEST = 3 * MARGIN
"""Shots below this length are left as they are."""

FLASH, BLUR, COVERED = (QUALITIES.index(name) for name in ("flash", "blur", "covered"))


def disturb(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Draw none to two things that happen during a shot."""
    if len(frames) < SHORTEST:
        return
    for _ in range(rng.choice(3, p=[0.5, 0.35, 0.15])):
        event = _EVENTS[rng.choice(len(_EVENTS), p=_WEIGHTS / _WEIGHTS.sum())]
        event(rng, frames, quality, sprites)


def _flash(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = span(rng, len(frames), 7)
    tint = made.colour(rng) if rng.random() < 0.2 else np.full(3, 255.0, np.float32)
    power = rng.uniform(0.35, 1.0)
    dying = np.exp(-np.arange(length) / rng.uniform(0.7, 4)) if rng.random() < 0.6 else 1.0
    mix = (power * np.ones(length) * dying).astype(np.float32)
    part = frames[first : first + length]
    part += (tint - part) * mix[:, None, None, None]
    quality[first : first + length, FLASH] |= mix > 0.25


def _strobe(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = span(rng, len(frames), 40)
    every = int(rng.integers(2, 6))
    lit = np.arange(length) % every < every // 2
    gain = np.where(lit, rng.uniform(1.3, 2.5), rng.uniform(0.2, 1.0)).astype(np.float32)
    frames[first : first + length] *= gain[:, None, None, None]
    quality[first : first + length, FLASH] |= lit


def _lights(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Coloured stage lights that wander and pulse over parts of the picture."""
    first, length = span(rng, len(frames), len(frames))
    time = np.arange(length)[:, None]
    for _ in range(rng.integers(1, 4)):
        field = made.noise(rng, camera.HEIGHT, camera.WIDTH, 0.3)[..., None] ** 2
        beat = np.clip(np.sin(time * rng.uniform(0.1, 1.5) + rng.uniform(0, 6)), 0, 1)
        power = (beat * rng.uniform(0.3, 1.0)).astype(np.float32)[:, :, None, None]
        frames[first : first + length] += power * field * made.colour(rng)


def _pulse(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """The picture jumps a little closer on a beat and settles again."""
    every, size = int(rng.integers(8, 40)), rng.uniform(0.04, 0.15)
    inner = frames[MARGIN:-MARGIN]
    count = len(inner)
    zoom = 1 + size * np.exp(-(np.arange(count) % every) / rng.uniform(1, 5))
    zoom[:MARGIN] = 1
    middle, still = np.full(count, 0.5), np.zeros(count)
    inner[:] = camera.view(inner, camera.Move(middle, middle, zoom, still, still > 0))


def _exposure(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A lasting change of exposure or white balance, sudden or slow."""
    first, length = span(rng, len(frames), int(rng.choice([1, 2, 30])))
    path = np.clip((np.arange(len(frames)) - first + 1) / length, 0, 1)[:, None]
    gain = np.exp(rng.normal(0, 0.45) + rng.normal(0, 0.08, 3))
    frames *= (1 + path * (gain - 1)).astype(np.float32)[:, None, None, :]


def _occlusion(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Somebody or something passes close in front of the camera."""
    first, length = span(rng, len(frames), 24)
    width = rng.uniform(0.3, 1.6)
    middle = np.linspace(-width, 1 + width, length) * rng.choice([-1, 1])
    middle = middle % (1 + 2 * width) if middle[0] > 1 + width else middle
    across = np.linspace(0, 1, camera.WIDTH)[None, :]
    edge = np.linspace(-1, 1, camera.HEIGHT)[:, None] * rng.normal(0, 0.15)
    surface = made.noise(rng, camera.HEIGHT, camera.WIDTH)[..., None] * 40 + made.colour(rng) * 0.7
    for index in range(length):
        distance = abs(across + edge - (middle[index] if middle[0] < 1 else 1 - middle[index]))
        cover = np.clip((width / 2 - distance) / 0.06 + 0.5, 0, 1).astype(np.float32)[..., None]
        frames[first + index] += (surface - frames[first + index]) * cover


def _sparks(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = span(rng, len(frames), 60)
    made.particles(rng, frames[first : first + length])
    if rng.random() < 0.4:
        _flash(rng, frames, quality, sprites)


def _freeze(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A frozen stretch, or pictures held for some frames each as in stop motion."""
    first, length = span(rng, len(frames), 40)
    hold = length if rng.random() < 0.5 else int(rng.integers(2, 7))
    held = first + np.arange(length) // hold * hold
    frames[first : first + length] = frames[held]


def _patch(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A part of the picture changes at once: a screen, an inset picture, a title card."""
    first, length = span(rng, len(frames), len(frames))
    tall, wide = int(rng.integers(6, 18)), int(rng.integers(10, 32))
    top = int(rng.integers(0, camera.HEIGHT - tall + 1))
    left = int(rng.integers(0, camera.WIDTH - wide + 1))
    if rng.random() < 0.5:
        inset = camera.squeeze(made.plate(rng)[None].astype(np.float32), tall, wide)
    else:
        inset = camera.squeeze(frames[::-1], tall, wide)[:length]
    target = frames[first : first + length, top : top + tall, left : left + wide]
    target[:] = inset * rng.uniform(0.6, 1.0) + target * rng.choice([0.0, 0.3])


def _sticker(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A drawing pops up or flies through."""
    if not len(sprites):
        _patch(rng, frames, quality, sprites)
        return
    first, length = span(rng, len(frames), len(frames))
    overlays.paste(rng, frames[first : first + length], sprites, int(rng.integers(5, 22)))


def _defocus(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = span(rng, len(frames), 60)
    soft = camera.blurred(frames[first : first + length], rng.uniform(2.0, 5.0))
    mix = _ramps(rng, length)
    part = frames[first : first + length]
    part += (soft - part) * mix[:, None, None, None]
    quality[first : first + length, BLUR] |= mix > 0.6


def _cover(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A hand or a cap before the lens: dark, smooth, warm or black, and hardly moving."""
    first, length = span(rng, len(frames), 60)
    skin = np.array([rng.uniform(5, 90), rng.uniform(2, 40), rng.uniform(0, 30)], np.float32)
    field = made.noise(rng, camera.HEIGHT, camera.WIDTH, 0.3)[..., None]
    flicker = 1 + 0.1 * rng.normal(size=(length, 1, 1, 1)).astype(np.float32)
    mix = _ramps(rng, length)
    part = frames[first : first + length]
    part += (skin * (0.4 + 0.9 * field) * flicker - part) * mix[:, None, None, None]
    quality[first : first + length, COVERED] |= mix > 0.85


def _ramps(rng: np.random.Generator, length: int) -> Floats:
    """Up from 0 to 1 and down again over ``length`` frames, with ramps of a few frames."""
    ramp = rng.uniform(3, 10)
    index = np.arange(length)
    path = np.minimum((index + 1) / ramp, (length - index) / ramp)
    return np.clip(path, 0, 1).astype(np.float32)


def _burst(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """The camera rushes closer, or the picture is blown up, within a few frames, and stays or
    comes back."""
    first, length = span(rng, len(frames), 40)
    lasts, power = int(rng.integers(2, 9)), rng.uniform(0.15, 0.8)
    index = np.arange(length)
    path = np.minimum((index + 1) / lasts, 1.0)
    if rng.random() < 0.5:
        path = np.minimum(path, (length - index) / lasts)
    elif first + length < len(frames):
        length = len(frames) - first
        path = np.concatenate([path, np.ones(length - len(path))])
    smear = 6 * power * abs(np.gradient(path)) if length > 1 else np.zeros(length)
    middle = np.full(length, 0.5)
    part = frames[first : first + length]
    part[:] = camera.view(part, camera.Move(middle, middle, np.exp(power * path), smear, path < 0))


SHARES: Mapping[Disturbance, float] = {
    _flash: 0.12,
    _strobe: 0.04,
    _lights: 0.05,
    _pulse: 0.05,
    _exposure: 0.08,
    _occlusion: 0.09,
    _sparks: 0.04,
    _freeze: 0.07,
    _patch: 0.06,
    _sticker: 0.06,
    _defocus: 0.05,
    _cover: 0.04,
    _burst: 0.05,
    overlays.popup: 0.08,
    overlays.words: 0.04,
    overlays.blast: 0.04,
}
"""How often each event is drawn."""
_EVENTS, _WEIGHTS = tuple(SHARES), np.array(list(SHARES.values()))
