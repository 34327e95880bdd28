"""What lies over a whole edit without caring for its cuts: frames, titles, grain, compression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import camera, made, overlays

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def finish(rng: np.random.Generator, frames: Floats, sprites: Pixels) -> Floats:
    """Draw a finish for the edit ``frames`` ``(n, 27, 48, 3)`` in 0..255; returns it."""
    if rng.random() < 0.3:
        frames = _inside_frame(rng, frames)
    if rng.random() < 0.35:
        _subtitles(rng, frames)
    if rng.random() < 0.25:
        _banner(rng, frames)
    if rng.random() < 0.25 and len(sprites):
        overlays.paste(rng, frames, sprites, int(rng.integers(3, 8)))
    if rng.random() < 0.3:
        frames += rng.normal(0, rng.uniform(0.5, 6), frames.shape).astype(np.float32)
    if rng.random() < 0.5:
        frames = _compressed(rng, frames)
    return frames


def _inside_frame(rng: np.random.Generator, frames: Floats) -> Floats:
    """The edit in a smaller frame (letterbox, pillarbox, portrait), over bars or a blurred self."""
    tall = int(camera.HEIGHT * rng.uniform(0.45, 0.95)) if rng.random() < 0.6 else camera.HEIGHT
    wide = int(camera.WIDTH * rng.uniform(0.3, 0.8)) if rng.random() < 0.4 else camera.WIDTH
    top, left = (camera.HEIGHT - tall) // 2, (camera.WIDTH - wide) // 2
    if rng.random() < 0.2:
        top = int(rng.integers(0, camera.HEIGHT - tall + 1))
    around = np.empty_like(frames)
    style = rng.random()
    if style < 0.4:
        around[:] = 0
    elif style < 0.6:
        around[:] = made.colour(rng)
    elif style < 0.75:
        around[:] = camera.squeeze(
            made.plate(rng)[None].astype(np.float32), camera.HEIGHT, camera.WIDTH
        )
    else:
        around[:] = camera.blurred(frames, 3.0) * rng.uniform(0.4, 1.0)
    around[:, top : top + tall, left : left + wide] = camera.squeeze(frames, tall, wide)
    return around


def _subtitles(rng: np.random.Generator, frames: Floats) -> None:
    """Rows of letters that change every so often, whatever the picture does."""
    height = int(rng.integers(1, 4))
    top = int(rng.choice([rng.integers(16, 27 - height), rng.integers(0, 27 - height)]))
    ink = np.full(3, 255, np.float32) if rng.random() < 0.7 else made.colour(rng)
    first = 0
    while first < len(frames):
        stop = first + int(rng.integers(6, 60))
        wide = int(rng.integers(8, 44))
        left = (camera.WIDTH - wide) // 2
        cover = (rng.random((height, wide, 1)) * rng.uniform(0.5, 1.2)).clip(0, 1)
        if rng.random() < 0.85:
            part = frames[first:stop, top : top + height, left : left + wide]
            part += (ink - part) * cover.astype(np.float32)
        first = stop


def _banner(rng: np.random.Generator, frames: Floats) -> None:
    """A strip at an edge that stays for the whole edit."""
    height = int(rng.integers(2, 8))
    strip = made.plate(rng)[None].astype(np.float32)
    rows = slice(0, height) if rng.random() < 0.5 else slice(camera.HEIGHT - height, None)
    frames[:, rows] = camera.squeeze(strip, height, camera.WIDTH)


def _compressed(rng: np.random.Generator, frames: Floats) -> Floats:
    """Errors that stay for some frames and jump at every keyframe, and lost fine detail."""
    strength = rng.uniform(0.5, 5)
    every = int(rng.integers(8, 60))
    phase = int(rng.integers(every))
    keyframes = (np.arange(len(frames)) + phase) // every
    error = rng.normal(0, strength, (keyframes[-1] + 1, 7, 12, 3)).astype(np.float32)
    error = error.repeat(4, axis=1).repeat(4, axis=2)[:, : camera.HEIGHT, : camera.WIDTH]
    frames = frames + error[keyframes]
    if rng.random() < 0.5:
        step = np.float32(rng.uniform(2, 10))
        frames = np.round(frames / step) * step
    return np.asarray(frames, np.float32)
