"""Eight little views, each a function of the time since its shot began."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from paint import HEIGHT, WIDTH, Picture, below, box, ellipse, gradient, rgb, ridges
from presenter import presenter, studio

Scene = Callable[[float], Picture]


def sea(seed: int) -> Scene:
    """The sun goes down over the sea."""
    columns = np.arange(WIDTH, dtype=np.float32)

    def at(second: float) -> Picture:
        picture = gradient(rgb("#f7b267"), rgb("#f25c54"))
        ellipse(picture, (410, 150 + 9 * second), (46, 46), rgb("#fff1c9"), soft=3)
        for layer in range(6):
            height = 215 + layer * 26
            wave = 5 * np.sin(
                columns / (34 + 7 * layer) + second * (1.4 + 0.2 * layer) + layer + seed
            )
            tone = 1 - layer * 0.13
            below(
                picture, (height + wave).astype(np.float32), (0.42 * tone, 0.25 * tone, 0.36 * tone)
            )
        return picture

    return at


def city(seed: int) -> Scene:
    """A street of lit windows at night, the camera pans."""
    generator = np.random.default_rng(seed)
    towers = [(i * 92 + generator.uniform(-8, 8), generator.uniform(60, 84),
               generator.uniform(90, 230)) for i in range(16)]  # fmt: skip
    lit = generator.random((16, 12, 5)) < 0.45

    def at(second: float) -> Picture:
        picture = gradient(rgb("#0b1030"), rgb("#312a5a"))
        ellipse(picture, (520 - 8 * second, 70), (26, 26), rgb("#e8ecff"), soft=2)
        for index, (left, width, height) in enumerate(towers):
            x = left - 42 * second
            box(picture, x, HEIGHT - height, x + width, HEIGHT, rgb("#151932"))
            for row in range(int(height // 20)):
                for column in range(4):
                    if lit[index, row, column]:
                        wx, wy = x + 9 + column * 18, HEIGHT - height + 9 + row * 20
                        box(picture, wx, wy, wx + 9, wy + 10, rgb("#ffd57e"))
        return picture

    return at


def mountains(seed: int) -> Scene:
    """Three ridges in morning haze, the near one passes faster."""
    generator = np.random.default_rng(seed)
    lines = [ridges(generator, WIDTH * 3, 0.35 + 0.2 * layer) for layer in range(3)]
    tones = [rgb("#9fc3c9"), rgb("#5b8a94"), rgb("#234e57")]

    def at(second: float) -> Picture:
        picture = gradient(rgb("#fdeecb"), rgb("#cfe3e2"))
        for layer, (line, tone) in enumerate(zip(lines, tones, strict=True)):
            start = int(second * (12 + 26 * layer))
            below(picture, 170 + 62 * layer + 44 * line[start : start + WIDTH], tone)
        return picture

    return at


def forest(seed: int) -> Scene:
    """Trunks pass by."""
    generator = np.random.default_rng(seed)
    trunks = sorted((generator.uniform(0.3, 1.0), generator.uniform(0, 1900)) for _ in range(34))

    def at(second: float) -> Picture:
        picture = gradient(rgb("#b7d77a"), rgb("#3c5a23"))
        for depth, place in trunks:
            x = (place - 130 * depth * second) % 1900 - 200
            tone = 1.1 - depth
            box(picture, x, 0, x + 34 * depth, HEIGHT * (0.55 + 0.45 * depth),
                (0.16 + 0.3 * tone, 0.12 + 0.32 * tone, 0.06 + 0.16 * tone))  # fmt: skip
        return picture

    return at


def record(seed: int) -> Scene:
    """A record turns, seen from above."""

    def at(second: float) -> Picture:
        picture = gradient(rgb("#7a4b2a"), rgb("#56331b"))
        ellipse(picture, (300, 184), (158, 158), rgb("#121212"))
        for groove in range(6):
            ellipse(picture, (300, 184), (146 - 15 * groove,) * 2, rgb("#1d1d1f"), soft=2)
            ellipse(picture, (300, 184), (144 - 15 * groove,) * 2, rgb("#121212"), soft=2)
        ellipse(picture, (300, 184), (54, 54), rgb("#d1495b"))
        angle = second * 3.5 + seed
        ellipse(picture, (300 + 34 * math.cos(angle), 184 + 34 * math.sin(angle)), (11, 11),
                rgb("#f4e3b2"))  # fmt: skip
        ellipse(picture, (300, 184), (5, 5), rgb("#e8e8e8"))
        for part in range(24):
            reach = part / 23
            ellipse(picture, (560 - 150 * reach, 60 + 90 * reach + 1.4 * second), (6, 6),
                    rgb("#c9ccd1"))  # fmt: skip
        return picture

    return at


def lights(seed: int) -> Scene:
    """Street lights far out of focus drift by."""
    generator = np.random.default_rng(seed)
    discs = [(generator.uniform(-60, 700), generator.uniform(30, 330), generator.uniform(16, 54),
              generator.integers(4), generator.uniform(-30, 30)) for _ in range(34)]  # fmt: skip
    tints = [rgb(code) for code in ("#ff9f1c", "#e71d36", "#2ec4b6", "#cbf3f0")]

    def at(second: float) -> Picture:
        picture = gradient(rgb("#120d1f"), rgb("#241431"))
        for x, y, size, tint, speed in discs:
            ellipse(picture, (x + speed * second, y), (size, size), tints[tint], soft=4, alpha=0.42)
        return picture

    return at


def close_up(seed: int) -> Scene:
    """The presenter, near."""
    room = studio(seed)

    def at(second: float) -> Picture:
        voice = max(0.0, math.sin(second * 11) * math.sin(second * 2.7 + 0.4))
        return presenter(room, second, voice, closeness=1.35)

    return at


def field(seed: int) -> Scene:
    """A field of wheat under clouds; the camera pushes in."""
    generator = np.random.default_rng(seed)
    clouds = [(generator.uniform(0, 700), generator.uniform(30, 130), generator.uniform(40, 90))
              for _ in range(9)]  # fmt: skip
    columns = np.arange(WIDTH, dtype=np.float32)

    def at(second: float) -> Picture:
        picture = gradient(rgb("#4aa3df"), rgb("#bfe3f5"))
        for x, y, size in clouds:
            ellipse(picture, (x + 9 * second, y), (size, size * 0.4), rgb("#ffffff"), soft=14,
                    alpha=0.7)  # fmt: skip
        for row in range(7):
            height = 196 + row * 24 * (1 + 0.05 * second)
            wind = 4 * np.sin(columns / (9 + 3 * row) + row * 2 + second * 2.2)
            tone = 0.72 + 0.05 * row
            below(picture, (height + wind).astype(np.float32), (tone, tone * 0.8, 0.3))
        return picture

    return at
