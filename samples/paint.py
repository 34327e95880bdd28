"""Soft-edged shapes on a picture: float32 ``[height, width, 3]``, 0 to 1, changed in place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

WIDTH, HEIGHT = 640, 360


def rgb(code: str) -> Colour:
    """``#ff8800`` as three numbers from 0 to 1."""
    return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def plain(colour: Colour) -> Picture:
    """A picture of one colour."""
    return np.full((HEIGHT, WIDTH, 3), colour, np.float32)


def gradient(top: Colour, bottom: Colour) -> Picture:
    """A picture that runs from ``top`` to ``bottom``."""
    down = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    made = np.asarray(top, np.float32) * (1 - down) + np.asarray(bottom, np.float32) * down
    return np.broadcast_to(made, (HEIGHT, WIDTH, 3)).copy()


def blend(picture: Picture, mask: npt.NDArray[np.float32], colour: Colour) -> None:
    """``colour`` over ``picture`` where ``mask`` (0 to 1) says."""
    picture += mask[..., None] * (np.asarray(colour, np.float32) - picture)


def ellipse(
    picture: Picture,
    centre: tuple[float, float],
    radii: tuple[float, float],
    colour: Colour,
    soft: float = 1.2,
    alpha: float = 1.0,
) -> None:
    """A filled ellipse; ``soft`` is the width of its edge in pixels."""
    (x, y), (across, down) = centre, radii
    if across < 0.5 or down < 0.5:
        return
    left, right = (int(np.clip(x + s * (across + soft + 1), 0, WIDTH)) for s in (-1, 1))
    top, bottom = (int(np.clip(y + s * (down + soft + 1), 0, HEIGHT)) for s in (-1, 1))
    if left >= right or top >= bottom:
        return
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    radius = np.hypot((columns - x) / across, (rows - y) / down)
    mask = np.clip((1 - radius) * min(across, down) / soft + 0.5, 0, 1) * np.float32(alpha)
    blend(picture[top:bottom, left:right], mask, colour)


def box(
    picture: Picture, left: float, top: float, right: float, bottom: float, colour: Colour
) -> None:
    """A filled rectangle with edges between pixels."""
    columns, rows = np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32)
    across = np.clip(np.minimum(columns - left, right - columns) + 0.5, 0, 1)
    down = np.clip(np.minimum(rows - top, bottom - rows) + 0.5, 0, 1)
    blend(picture, down[:, None] * across[None], colour)


def below(picture: Picture, line: npt.NDArray[np.float32], colour: Colour) -> None:
    """Everything below a skyline; ``line`` holds its height in pixels for each column."""
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    blend(picture, np.clip(rows - line[None] + 0.5, 0, 1), colour)


def ridges(
    generator: np.random.Generator, length: int, roughness: float
) -> npt.NDArray[np.float32]:
    """A mountain skyline, ``length`` numbers from -1 to 1."""
    at = np.linspace(0, length / WIDTH * 2 * np.pi, length)
    line = np.zeros(length)
    for octave in range(1, 8):
        phase = generator.uniform(0, 2 * np.pi)
        line += np.sin(at * octave * 1.7 + phase) / octave ** (2 - roughness)
    return (line / np.abs(line).max()).astype(np.float32)


def to_bytes(
    picture: Picture, grain: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.uint8]:
    """The picture as uint8 RGB, with film grain where given."""
    made = picture if grain is None else picture + grain[..., None]
    return (np.clip(made, 0, 1) * 255 + 0.5).astype(np.uint8)
