"""What happens inside a shot and is not a cut, and what makes footage unusable.

Each function changes the frames ``(n, 27, 48, 3)`` of one shot in place and marks technical faults
in ``quality (n, len(QUALITIES))``. Nothing happens within ``MARGIN`` frames of either end, so that
no event can be taken for the join beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..spec import QUALITIES
from . import camera, made

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Disturbance = Callable[[np.random.Generator, Floats, Flags, Pixels], None]

MARGIN = 4
SHORTEST = 3 * MARGIN
"""Shots below this length are left as they are."""

FLASH, BLUR, COVERED = (QUALITIES.index(name) for name in ("flash", "blur", "covered"))


def disturb(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Draw none to two things that happen during a shot."""
    if len(frames) < SHORTEST:
        return
    for _ in range(rng.choice(3, p=[0.5, 0.35, 0.15])):
        event = EVENTS[rng.choice(len(EVENTS), p=_SHARES)]
        event(rng, frames, quality, sprites)


def _span(rng: np.random.Generator, count: int, longest: int) -> tuple[int, int]:
    """First frame and length of something inside a shot of ``count`` frames."""
    length = int(rng.integers(1, max(2, min(longest, count - 2 * MARGIN) + 1)))
    return int(rng.integers(MARGIN, max(MARGIN + 1, count - MARGIN - length + 1))), length


def _flash(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = _span(rng, len(frames), 7)
    tint = made.colour(rng) if rng.random() < 0.2 else np.full(3, 255.0, np.float32)
    power = rng.uniform(0.35, 1.0)
    dying = np.exp(-np.arange(length) / rng.uniform(0.7, 4)) if rng.random() < 0.6 else 1.0
    mix = (power * np.ones(length) * dying).astype(np.float32)
    part = frames[first : first + length]
    part += (tint - part) * mix[:, None, None, None]
    quality[first : first + length, FLASH] |= mix > 0.25


def _strobe(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = _span(rng, len(frames), 40)
    every = int(rng.integers(2, 6))
    lit = np.arange(length) % every < every // 2
    gain = np.where(lit, rng.uniform(1.3, 2.5), rng.uniform(0.2, 1.0)).astype(np.float32)
    frames[first : first + length] *= gain[:, None, None, None]
    quality[first : first + length, FLASH] |= lit


def _lights(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Coloured stage lights that wander and pulse over parts of the picture."""
    first, length = _span(rng, len(frames), len(frames))
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
    first, length = _span(rng, len(frames), int(rng.choice([1, 2, 30])))
    path = np.clip((np.arange(len(frames)) - first + 1) / length, 0, 1)[:, None]
    gain = np.exp(rng.normal(0, 0.45) + rng.normal(0, 0.08, 3))
    frames *= (1 + path * (gain - 1)).astype(np.float32)[:, None, None, :]


def _occlusion(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Somebody or something passes close in front of the camera."""
    first, length = _span(rng, len(frames), 24)
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
    first, length = _span(rng, len(frames), 60)
    made.particles(rng, frames[first : first + length])
    if rng.random() < 0.4:
        _flash(rng, frames, quality, sprites)


def _freeze(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A frozen stretch, or pictures held for some frames each as in stop motion."""
    first, length = _span(rng, len(frames), 40)
    hold = length if rng.random() < 0.5 else int(rng.integers(2, 7))
    held = first + np.arange(length) // hold * hold
    frames[first : first + length] = frames[held]


def _patch(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A part of the picture changes at once: a screen, an inset picture, a title card."""
    first, length = _span(rng, len(frames), len(frames))
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
    first, length = _span(rng, len(frames), len(frames))
    paste(rng, frames[first : first + length], sprites, int(rng.integers(5, 22)))


def paste(rng: np.random.Generator, frames: Floats, sprites: Pixels, size: int) -> None:
    """Draw one of ``sprites`` of ``size`` rows into ``frames``, resting or moving, in place."""
    chosen = sprites[rng.integers(len(sprites))][None, :, :: rng.choice([-1, 1])]
    drawn = camera.squeeze(chosen.astype(np.float32), size, int(size * rng.uniform(0.7, 1.3)) + 1)[
        0
    ]
    tall, wide = drawn.shape[:2]
    opaque = drawn[..., 3:] / 255
    speed = rng.normal(0, 0.5, 2) * (rng.random() < 0.6)
    swing, rate = rng.normal(0, 1.5, 2) * (rng.random() < 0.5), rng.uniform(0.05, 0.5)
    start = rng.random(2) * (camera.HEIGHT - tall * 0.5, camera.WIDTH - wide * 0.5) - size * 0.2
    for index, frame in enumerate(frames):
        place = start + speed * index + swing * np.sin(rate * index)
        top, left = int(place[0]), int(place[1])
        up, back = max(top, 0), max(left, 0)
        target = frame[up : max(top + tall, 0), back : max(left + wide, 0)]
        part = (slice(up - top, up - top + len(target)), slice(back - left, None))
        ink, cover = drawn[part][:, : target.shape[1], :3], opaque[part][:, : target.shape[1]]
        target += (ink - target) * cover


def _defocus(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    first, length = _span(rng, len(frames), 60)
    soft = camera.blurred(frames[first : first + length], rng.uniform(2.0, 5.0))
    mix = _ramps(rng, length)
    part = frames[first : first + length]
    part += (soft - part) * mix[:, None, None, None]
    quality[first : first + length, BLUR] |= mix > 0.6


def _cover(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A hand or a cap before the lens: dark, smooth, warm or black, and hardly moving."""
    first, length = _span(rng, len(frames), 60)
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


EVENTS: tuple[Disturbance, ...] = (
    _flash,
    _strobe,
    _lights,
    _pulse,
    _exposure,
    _occlusion,
    _sparks,
    _freeze,
    _patch,
    _sticker,
    _defocus,
    _cover,
)
_SHARES = (0.14, 0.05, 0.06, 0.05, 0.1, 0.12, 0.06, 0.1, 0.1, 0.1, 0.06, 0.06)
