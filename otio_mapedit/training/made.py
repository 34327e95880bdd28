"""Pictures that the generator makes itself: plates to pan over, screens, text and particles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

PLATE_SIZE = (108, 192)
"""Height and width of a made picture; a camera then moves over it."""


def enlarge(field: Floats, height: int, width: int) -> Floats:
    """Bilinear enlargement of ``(h, w)`` or ``(h, w, c)`` to ``(height, width[, c])``."""
    rows = np.linspace(0, field.shape[0] - 1, height)
    columns = np.linspace(0, field.shape[1] - 1, width)
    top = np.minimum(rows.astype(int), max(field.shape[0] - 2, 0))
    left = np.minimum(columns.astype(int), max(field.shape[1] - 2, 0))
    bottom, right = (
        np.minimum(top + 1, field.shape[0] - 1),
        np.minimum(left + 1, field.shape[1] - 1),
    )
    extra = (1,) * (field.ndim - 2)
    down = (rows - top).astype(np.float32).reshape(-1, 1, *extra)
    across = (columns - left).astype(np.float32).reshape(1, -1, *extra)
    upper = field[top][:, left] * (1 - across) + field[top][:, right] * across
    lower = field[bottom][:, left] * (1 - across) + field[bottom][:, right] * across
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


def noise(rng: np.random.Generator, height: int, width: int, roughness: float = 0.6) -> Floats:
    """Cloud-like noise ``(height, width)`` in 0..1: octaves, each ``roughness`` of the last."""
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(1, 6):
        cells = rng.random((1 + 2**octave, 1 + 2**octave), np.float32)
        total += weight * enlarge(cells, height, width)
        weight *= roughness
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low + 1e-6), np.float32)


def colour(rng: np.random.Generator) -> Floats:
    """A colour ``(3,)`` in 0..255, anything from black over grey and pastel to pure."""
    value = rng.random(3) * rng.choice([1.0, 0.3, 1.0]) + rng.choice([0.0, 0.0, 0.6])
    if rng.random() < 0.3:
        value[:] = value.mean()
    return np.asarray(np.clip(value, 0, 1) * 255, np.float32)


def plate(rng: np.random.Generator) -> Pixels:
    """One made picture ``(108, 192, 3)``: clouds, a gradient, shapes, a screen or a title."""
    makers = (_clouds, _gradient, _shapes, _screen, _title)
    maker = makers[rng.choice(len(makers), p=[0.3, 0.1, 0.3, 0.2, 0.1])]
    return np.clip(maker(rng), 0, 255).astype(np.uint8)


def _clouds(rng: np.random.Generator) -> Floats:
    height, width = PLATE_SIZE
    roughness = rng.uniform(0.4, 1.1)
    field = noise(rng, height, width, roughness)[..., None]
    picture = colour(rng) * field + colour(rng) * (1 - field)
    if rng.random() < 0.5:
        other = noise(rng, height, width, roughness)[..., None]
        picture = picture * other + colour(rng) * (1 - other)
    return np.asarray(picture, np.float32)


def _gradient(rng: np.random.Generator) -> Floats:
    corners = np.stack([colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    return enlarge(corners, *PLATE_SIZE)


def _shapes(rng: np.random.Generator) -> Floats:
    height, width = PLATE_SIZE
    picture = _gradient(rng) if rng.random() < 0.5 else _clouds(rng)
    rows, columns = np.mgrid[0:height, 0:width]
    for _ in range(rng.integers(3, 25)):
        middle = rng.random(2) * PLATE_SIZE
        radius = rng.lognormal(2.5, 0.7, 2)
        down, across = (rows - middle[0]) / radius[0], (columns - middle[1]) / radius[1]
        inside = down**2 + across**2 < 1
        if rng.random() < 0.5:
            inside = np.maximum(abs(down), abs(across)) < 1
        picture[inside] = colour(rng) * (0.7 + 0.3 * rng.random())
    return picture


def _text_rows(rng: np.random.Generator, picture: Floats, box: tuple[int, int, int, int]) -> None:
    """Rows of word-like blocks drawn into ``box`` (top, left, bottom, right)."""
    top, left, bottom, right = box
    ink, size = colour(rng), int(rng.integers(2, 7))
    for row in range(top + size, bottom - size, 2 * size):
        column = left + size
        stop = left + (right - left) * rng.uniform(0.4, 1.0)
        while column < stop - size:
            word = int(rng.integers(1, 8)) * size // 2 + 1
            letters = slice(column, min(column + word, right))
            strokes = 0.5 + 0.5 * rng.random((1, letters.stop - letters.start, 1))
            patch = picture[row : row + size, letters]
            picture[row : row + size, letters] = patch + (ink - patch) * strokes
            column += word + max(1, size // 2)


def _screen(rng: np.random.Generator) -> Floats:
    height, width = PLATE_SIZE
    picture = np.tile(colour(rng), (height, width, 1))
    for _ in range(rng.integers(1, 6)):
        top, left = int(rng.integers(0, height - 30)), int(rng.integers(0, width - 50))
        bottom = int(rng.integers(top + 25, height + 1))
        right = int(rng.integers(left + 40, width + 1))
        picture[top:bottom, left:right] = colour(rng)
        picture[top : top + 4, left:right] = colour(rng)
        _text_rows(rng, picture, (top + 4, left, bottom, right))
    return picture


def _title(rng: np.random.Generator) -> Floats:
    picture = _gradient(rng)
    top = int(rng.integers(5, 50))
    _text_rows(rng, picture, (top, 20, int(rng.integers(top + 25, 105)), 172))
    return picture


def particles(rng: np.random.Generator, frames: Floats) -> None:
    """Sparks, snow or a blast flying through ``frames`` ``(n, h, w, 3)``, drawn in place."""
    count, height, width = frames.shape[:3]
    number = int(rng.integers(10, 120))
    blast = rng.random() < 0.5
    place = rng.random((number, 2)) if not blast else np.full((number, 2), rng.random(2))
    speed = rng.normal(0, 0.05 if blast else 0.01, (number, 2))
    speed[:, 0] += 0 if blast else rng.normal(0, 0.03)
    ink = colour(rng) * 0.5 + 127
    time = np.arange(count)[:, None]
    rows = (place[:, 0] + speed[:, 0] * time) * height
    columns = (place[:, 1] + speed[:, 1] * time) * width
    if not blast:
        rows, columns = rows % height, columns % width
    seen = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    at, which = np.nonzero(seen)
    frames[at, rows[at, which].astype(int), columns[at, which].astype(int)] = ink
