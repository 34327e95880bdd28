"""Somebody who talks to the camera; the mouth follows the sound."""

from __future__ import annotations

import math

import numpy as np

from paint import HEIGHT, WIDTH, Picture, ellipse, gradient, plain, rgb

SKIN, SHADE, HAIR = rgb("#d9a37f"), rgb("#b97f60"), rgb("#2f2420")
JACKET, SHIRT, LIPS = rgb("#26405e"), rgb("#e9e6df"), rgb("#8d3f3c")


def studio(seed: int) -> Picture:
    """The room behind: a warm wall, lights out of focus, a plant."""
    generator = np.random.default_rng(seed)
    picture = gradient(rgb("#3d4a5c"), rgb("#1c222c"))
    for _ in range(16):
        centre = (generator.uniform(0, WIDTH), generator.uniform(10, 170))
        size = generator.uniform(10, 30)
        tint = rgb(["#ffb45e", "#ffd9a0", "#7fb7ff", "#ff8f6b"][generator.integers(4)])
        ellipse(picture, centre, (size, size), tint, soft=5, alpha=generator.uniform(0.1, 0.4))
    for leaf in range(9):
        angle = math.pi * (leaf + 0.5) / 9
        for step in range(1, 9):
            reach = step * 13
            centre = (
                72 + reach * 0.7 * math.cos(angle),
                330 - reach * (0.5 + 0.9 * math.sin(angle)),
            )
            width = 11 * math.sin(math.pi * step / 9) + 3
            ellipse(picture, centre, (width, width), rgb("#33604a"), soft=5, alpha=0.6)
    return picture


def presenter(room: Picture, second: float, voice: float, closeness: float = 1.0) -> Picture:
    """The picture at a moment; ``voice`` from 0 to 1 opens the mouth."""
    picture = room.copy()
    x = WIDTH / 2 + 7 * math.sin(second * 0.9) + 3 * math.sin(second * 2.3)
    y = 158 + 2.5 * math.sin(second * 1.7) + 3 * voice
    blink = 0.12 if (second % 3.4) < 0.14 else 1.0

    def spot(dx: float, dy: float) -> tuple[float, float]:
        return (x + dx * closeness, HEIGHT * 0.44 + (y + dy - HEIGHT * 0.44) * closeness)

    def shape(dx: float, dy: float, w: float, h: float, colour: tuple[float, float, float],
              soft: float = 1.2, alpha: float = 1.0) -> None:  # fmt: skip
        ellipse(picture, spot(dx, dy), (w * closeness, h * closeness), colour, soft, alpha)

    shape(-7 * math.sin(second * 0.9), 250, 178, 152, JACKET, 1.5)
    shape(0, 130, 40, 62, SHIRT)
    shape(0, 82, 25, 44, SHADE)
    shape(0, -22, 68, 76, HAIR)
    shape(0, 6, 57, 74, SKIN)
    shape(20, 10, 30, 58, SHADE, 26, 0.35)
    shape(0, -56, 60, 26, HAIR, 2)
    for side in (-1, 1):
        shape(side * 22, -6, 9.5, 5.5 * blink, rgb("#f4efe8"))
        shape(side * 22, -6, 4.6, 4.9 * blink, rgb("#31241f"))
        shape(side * 22, -20 - 2 * voice, 12, 2.6, HAIR)
    shape(0, 16, 5, 9, SHADE, 4, 0.7)
    shape(0, 42, 17 - 3 * voice, 3.5 + 8 * voice, LIPS)
    if voice > 0.15:
        shape(0, 42.5, 13 - 3 * voice, 7.5 * voice, rgb("#3a1413"))
    return picture


def covered(picture: Picture, amount: float, second: float) -> Picture:
    """A hand before the lens; ``amount`` 0 is open, 1 is shut."""
    made = picture.copy()
    size = 60 + 520 * amount
    centre = (WIDTH * (1.25 - 0.75 * amount), HEIGHT * (1.2 - 0.7 * amount))
    ellipse(made, centre, (size, size), rgb("#1d0f0b"), soft=60)
    if amount >= 1:
        glow = 0.5 + 0.5 * math.sin(second * 2.1)
        made = plain(rgb("#150a07"))
        ellipse(made, (430, 120), (240, 180), rgb("#2a140d"), soft=180, alpha=0.5 + 0.3 * glow)
    return made
