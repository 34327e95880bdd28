"""Things laid over a shot that are not a cut: pages of a screen, windows, stickers, big words.

Short films are full of them, and people do not call them a new shot as long as part of the scene
stays. Each function changes the frames ``(n, 27, 48, 3)`` of one shot in place and leaves
``MARGIN`` frames alone at either end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import camera, made

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

MARGIN = 4
"""Frames at either end of a shot in which nothing happens, so that no event can be taken for the
join beside it."""


def span(rng: np.random.Generator, count: int, longest: int) -> tuple[int, int]:
    """First frame and length of something inside a shot of ``count`` frames."""
    length = int(rng.integers(1, max(2, min(longest, count - 2 * MARGIN) + 1)))
    return int(rng.integers(MARGIN, max(MARGIN + 1, count - MARGIN - length + 1))), length


def _box(rng: np.random.Generator, least: float, most: float) -> tuple[slice, slice]:
    """Rows and columns of a part of the picture that covers ``least`` to ``most`` of it."""
    share, shape = rng.uniform(least, most), rng.choice([0.55, 1.0, 1.7])
    tall = int(np.clip(camera.HEIGHT * np.sqrt(share * shape), 4, camera.HEIGHT))
    wide = int(np.clip(camera.WIDTH * share * camera.HEIGHT / tall, 6, camera.WIDTH))
    top = int(rng.integers(0, camera.HEIGHT - tall + 1))
    left = int(rng.integers(0, camera.WIDTH - wide + 1))
    return slice(top, top + tall), slice(left, left + wide)


def _leaf(rng: np.random.Generator, frames: Floats, tall: int, wide: int) -> Floats:
    """What may fill a box of ``tall`` rows and ``wide`` columns: made, or from the shot itself."""
    if rng.random() < 0.2:
        chosen = frames[int(rng.integers(len(frames)))][None, :, ::-1]
        source = chosen * np.float32(rng.uniform(0.6, 1.2))
    else:
        source = made.plate(rng)[None].astype(np.float32)
    squeezed: Floats = camera.squeeze(np.asarray(source, np.float32), tall, wide)[0]
    return squeezed


def pages(rng: np.random.Generator, frames: Floats) -> None:
    """A screen in the scene that shows one page after another: at once, sliding or dissolving.

    The screen stands there from the first frame of the shot to its last, so that its coming and
    going is a part of the cuts.
    """
    rows, columns = _box(rng, 0.25, 0.85)
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    count, first = len(frames), 0
    shown = _leaf(rng, frames, tall, wide)
    screen = np.empty((count, tall, wide, 3), np.float32)
    while first < count:
        stop = min(count, first + int(rng.integers(5, 60)))
        if count - stop < MARGIN:
            stop = count
        screen[first:stop] = shown
        following = _leaf(rng, frames, tall, wide)
        if stop < count:
            _turn(rng, screen[max(first, MARGIN) : stop], shown, following)
        shown, first = following, stop
    if rng.random() < 0.4:
        screen += rng.uniform(0.05, 0.3) * (frames[:, rows, columns] - screen)
    frames[:, rows, columns] = screen


def _turn(rng: np.random.Generator, before: Floats, old: Floats, new: Floats) -> None:
    """Turn the page over the last frames of ``before``, or not at all before the next one."""
    style, lasts = rng.random(), min(int(rng.integers(2, 9)), len(before))
    if style < 0.5 or lasts < 2:
        return
    for index in range(lasts):
        done = (index + 1) / (lasts + 1)
        frame = before[len(before) - lasts + index]
        if style < 0.75:
            frame[:] = old + (new - old) * np.float32(done)
        else:
            here = int(done * old.shape[1])
            frame[:] = np.concatenate([old[:, here:], new[:, :here]], axis=1)


def popup(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """A window or drawing jumps up over the scene, which may go dark behind it, and goes again."""
    first, length = span(rng, len(frames), len(frames))
    rows, columns = _box(rng, 0.12, 0.7)
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    grows = int(rng.integers(1, 7))
    dim = float(rng.choice(np.array([1.0, 1.0, rng.uniform(0.25, 0.8)])))
    drawn = _drawing(rng, sprites, tall, wide) if rng.random() < 0.4 else None
    inside = _leaf(rng, frames, tall, wide) if drawn is None else drawn[..., :3]
    cover = np.ones((tall, wide, 1), np.float32) if drawn is None else drawn[..., 3:] / 255
    fades = rng.random() < 0.3
    for index in range(length):
        size = min(1.0, (index + 1) / grows, (length - index) / grows)
        frame = frames[first + index]
        frame *= np.float32(1 + (dim - 1) * size)
        high, broad = max(1, int(tall * size)), max(1, int(wide * size))
        if fades or (high, broad) == (tall, wide):
            part, shown, seen = frame[rows, columns], inside, cover * np.float32(size)
        else:
            top, left = rows.start + (tall - high) // 2, columns.start + (wide - broad) // 2
            part = frame[top : top + high, left : left + broad]
            shown = camera.squeeze(inside[None], high, broad)[0]
            seen = camera.squeeze(np.asarray(cover[None], np.float32), high, broad)[0]
        part += (shown - part) * seen


def _drawing(rng: np.random.Generator, sprites: Pixels, tall: int, wide: int) -> Floats | None:
    """One of ``sprites`` with its transparency, ``(tall, wide, 4)``; None when there are none."""
    if not len(sprites):
        return None
    chosen = sprites[rng.integers(len(sprites))][None, :, :: rng.choice([-1, 1])]
    return camera.squeeze(chosen.astype(np.float32), tall, wide)[0]


def words(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """Big words that come one after another, as in a song's or a salesman's captions."""
    first, length = span(rng, len(frames), len(frames))
    stop, ink = first + length, made.colour(rng)
    while first < stop:
        holds = min(int(rng.integers(3, 25)), stop - first)
        rows, columns = _box(rng, 0.04, 0.3)
        shape = (rows.stop - rows.start, columns.stop - columns.start, 1)
        letters = (rng.random(shape) < rng.uniform(0.4, 0.9)).astype(np.float32)
        part = frames[first : first + holds, rows, columns]
        part += (ink - part) * letters * np.float32(rng.uniform(0.7, 1.0))
        first += holds + int(rng.choice(np.array([0, 0, rng.integers(1, 12)])))


def blast(rng: np.random.Generator, frames: Floats, quality: Flags, sprites: Pixels) -> None:
    """An explosion or a burst of light that grows over the picture and dies away."""
    first, length = span(rng, len(frames), 40)
    rows = np.linspace(0, 1, camera.HEIGHT)[:, None] - rng.random()
    columns = (np.linspace(0, 1, camera.WIDTH)[None] - rng.random()) * 1.8
    rough = made.noise(rng, camera.HEIGHT, camera.WIDTH, 0.8)
    far = (np.hypot(rows, columns) * (0.6 + 0.8 * rough)).astype(np.float32)
    ink = np.array([255, rng.uniform(90, 255), rng.uniform(0, 255)], np.float32)
    peak, reach = rng.uniform(0.1, 0.5) * length, rng.uniform(0.3, 2.0)
    for index in range(length):
        size = reach * min(1.0, (index + 1) / (peak + 1))
        power = 1.0 if index < peak else np.exp(-(index - peak) / max(1.0, 0.3 * length))
        glow = np.clip((size - far) / 0.15, 0, 1)[..., None] * np.float32(power)
        frames[first + index] += (ink - frames[first + index]) * glow


def paste(rng: np.random.Generator, frames: Floats, sprites: Pixels, size: int) -> None:
    """Draw one of ``sprites`` of ``size`` rows into ``frames``, resting or moving, in place."""
    chosen = sprites[rng.integers(len(sprites))][None, :, :: rng.choice([-1, 1])]
    wide = int(size * rng.uniform(0.7, 1.3)) + 1
    drawn = camera.squeeze(chosen.astype(np.float32), size, wide)[0]
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
