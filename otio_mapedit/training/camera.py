"""The generator's camera: how a shot is framed, moved over its material, and graded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..spec import ShotSpec

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

HEIGHT, WIDTH = ShotSpec().height, ShotSpec().width


@dataclass(frozen=True)
class Move:
    """A camera's framing of ``n`` frames; each field is ``(n,)``.

    ``x`` and ``y`` are the centre of the frame within the material (0..1), ``zoom`` how much of it
    the frame leaves out (1 shows all), ``smear`` the length of motion blur across in pixels of the
    result, ``shake`` is true where the camera shakes beyond use.
    """

    x: Doubles
    y: Doubles
    zoom: Doubles
    smear: Doubles
    shake: Flags

    def reframed(self, shift: float, factor: float) -> Move:
        """The same move framed ``factor`` times closer and shifted across by ``shift``."""
        return Move(self.x + shift, self.y, self.zoom * factor, self.smear, self.shake)


def _wander(rng: np.random.Generator, count: int, keep: float) -> Doubles:
    """A smooth random walk ``(count,)`` of unit size; ``keep`` near 1 makes it slow."""
    steps = rng.normal(size=count)
    walk = np.empty(count)
    value = 0.0
    for index in range(count):
        value = keep * value + steps[index]
        walk[index] = value
    return np.asarray(walk * np.sqrt(1 - keep**2), np.float64)


def move(rng: np.random.Generator, count: int, closest: float = 2.0) -> Move:
    """Draw a move: fixed, pan, zoom, handheld, whip pan or a shake that no editor would keep."""
    zoom = np.full(count, rng.uniform(1.0, closest))
    x, y = np.full(count, rng.random()), np.full(count, rng.random())
    smear, shake = np.zeros(count), np.zeros(count, bool)
    style = rng.choice(6, p=[0.34, 0.2, 0.16, 0.18, 0.07, 0.05])
    ramp = np.linspace(-0.5, 0.5, count) * count / 60
    if style == 1:
        zoom = np.maximum(zoom, 1.3)
        x, y = x + ramp * rng.normal(0, 0.6), y + ramp * rng.normal(0, 0.2)
    elif style == 2:
        zoom = zoom * np.exp(ramp * rng.normal(0, 0.3))
    elif style == 3:
        zoom, size = np.maximum(zoom, 1.15), rng.uniform(0.02, 0.12)
        x, y = x + size * _wander(rng, count, 0.9), y + size * _wander(rng, count, 0.9)
    elif style == 4:
        zoom, lasts = np.maximum(zoom, 1.6), int(rng.integers(4, 14))
        start = int(rng.integers(0, max(1, count)))
        path = np.clip((np.arange(count) - start) / lasts, 0, 1)
        path = path * path * (3 - 2 * path) * rng.choice([-1, 1]) * rng.uniform(0.6, 1.6)
        smear, x = 45 * abs(np.gradient(path)) if count > 1 else smear, x + path
    elif style == 5:
        zoom, size = np.maximum(zoom, 1.5), rng.uniform(0.12, 0.3)
        x, y = x + size * _wander(rng, count, 0.3), y + size * _wander(rng, count, 0.3)
        shake[:] = True
    return Move(x, y, np.maximum(zoom, 1.0), smear, shake)


def _weights(first: Doubles, extent: Doubles, cells: int, size: int, smear: Doubles) -> Floats:
    """Box-filter weights ``(n, cells, size)`` that read ``cells`` cells from ``size`` samples."""
    step = extent / cells
    reach = np.maximum(step * (1 + smear), 1.0)[:, None, None]
    centre = first[:, None] + (np.arange(cells) + 0.5) * step[:, None]
    sample = np.arange(size)
    low, high = centre[..., None] - reach / 2, centre[..., None] + reach / 2
    weights = np.clip(np.minimum(high, sample + 1) - np.maximum(low, sample), 0, None)
    weights /= weights.sum(-1, keepdims=True)
    return weights.astype(np.float32)


def view(material: Pixels | Floats, path: Move) -> Floats:
    """What the camera sees: ``(n, 27, 48, 3)`` in 0..255.

    ``material`` is ``(n, h, w, 3)``, or ``(1, h, w, 3)`` for a still. The frame never leaves it.
    """
    count, (height, width) = len(path.x), material.shape[1:3]
    tall, wide = height / path.zoom, width / path.zoom
    top = np.clip(path.y, 0, 1) * (height - tall)
    left = np.clip(path.x, 0, 1) * (width - wide)
    down = _weights(top, tall, HEIGHT, height, np.zeros(count))
    across = _weights(left, wide, WIDTH, width, path.smear)
    rows = down @ material.reshape(len(material), height, -1).astype(np.float32)
    rows = rows.reshape(count, HEIGHT, width, 3).transpose(0, 2, 1, 3).reshape(count, width, -1)
    seen = (across @ rows).reshape(count, WIDTH, HEIGHT, 3)
    return np.ascontiguousarray(seen.transpose(0, 2, 1, 3))


def squeeze(frames: Floats, height: int, width: int) -> Floats:
    """Shrink ``(n, h, w, c)`` to ``(n, height, width, c)`` with a box filter."""
    zero, (count, channels) = np.zeros(1), (len(frames), frames.shape[-1])
    down = _weights(zero, np.array([float(frames.shape[1])]), height, frames.shape[1], zero)[0]
    across = _weights(zero, np.array([float(frames.shape[2])]), width, frames.shape[2], zero)[0]
    rows = (down @ frames.reshape(count, frames.shape[1], -1)).reshape(count, height, -1, channels)
    return np.asarray(np.einsum("vw,nhwc->nhvc", across, rows, optimize=True), np.float32)


def blurred(frames: Floats, radius: float) -> Floats:
    """``frames`` ``(n, h, w, 3)`` out of focus: a Gaussian of ``radius`` pixels each way."""
    reach = int(np.ceil(2.5 * radius))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(radius, 1e-3)) ** 2)
    taps /= taps.sum()
    for axis in (1, 2):
        size = frames.shape[axis]
        matrix = np.zeros((size, size), np.float32)
        for offset, tap in zip(range(-reach, reach + 1), taps, strict=True):
            matrix[np.arange(size), np.clip(np.arange(size) + offset, 0, size - 1)] += tap
        equation = "vh,nhwc->nvwc" if axis == 1 else "vw,nhwc->nhvc"
        frames = np.asarray(np.einsum(equation, matrix, frames, optimize=True), np.float32)
    return frames


@dataclass(frozen=True)
class Grade:
    """A colour correction: ``matrix (3, 3)``, ``lift (3,)`` and a bend of the mid-tones."""

    matrix: Floats
    lift: Floats
    bend: float

    def __call__(self, frames: Floats) -> Floats:
        """Graded copy of ``frames`` ``(n, h, w, 3)``, not clipped."""
        graded = frames @ self.matrix + self.lift
        return np.asarray(graded + self.bend * graded * (255 - graded) / 255, np.float32)


def grade(rng: np.random.Generator, strength: float = 1.0) -> Grade:
    """Draw a grade; ``strength`` 0 changes nothing, 1 anything that finished material shows."""
    mix = np.eye(3) * (1 + strength * rng.normal(0, 0.15, 3))
    fade = float(np.clip(rng.normal(0.0, 0.35) * strength, -0.3, 1.0))
    if rng.random() < 0.08 * strength:
        fade = 1.0
    if rng.random() < 0.15 * strength:
        mix = mix[rng.permutation(3)]
    luma = np.array([0.3, 0.59, 0.11])[:, None]
    mix = mix * (1 - fade) + luma * fade
    contrast = float(np.exp(rng.normal(0, 0.25 * strength)))
    lift = (
        127 * (1 - contrast) + rng.normal(0, 18 * strength, 3) * 0.3 + rng.normal(0, 15 * strength)
    )
    bend = float(np.clip(rng.normal(0, 0.3 * strength), -0.7, 0.7))
    return Grade((mix * contrast).astype(np.float32), lift.astype(np.float32), bend)
