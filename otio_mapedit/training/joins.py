"""How one shot becomes the next: cuts, dissolves, fades through a colour, wipes, pushes, zooms.

Every join is made from the last frames of one shot and the first of the next and knows exactly
which frames it mixes. ``kind`` is a name of ``spec.KINDS``; what moves the picture sideways or
uncovers it piece by piece counts as a wipe, what mixes whole pictures as a dissolve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import camera, made

Floats = npt.NDArray[np.float32]

Mix = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Join:
    """A way from one shot to the next.

    ``tail`` frames of the old shot and ``head`` of the new one take part; ``mix`` turns them into
    the frames in between, as many as there are in ``kinds`` (their names, in order). A hard cut
    has none. ``hard_first`` and ``hard_last`` say that the old shot is cut hard to the first of
    these frames, or that the last of them is cut hard to the new shot.
    """

    tail: int
    head: int
    kinds: tuple[str, ...]
    mix: Mix
    hard_first: bool = False
    hard_last: bool = False


CUT = Join(0, 0, (), lambda old, new: old[:0], hard_last=True)


def draw(rng: np.random.Generator, room: int, cuts: float = 0.7) -> Join:
    """Draw a join whose mixed frames number at most ``room``; a share of ``cuts`` is hard."""
    if room < 2 or rng.random() < cuts:
        return CUT
    count = int(np.clip(rng.lognormal(2.2, 0.7), 2, min(room, 50)))
    maker = _MAKERS[rng.choice(len(_MAKERS), p=_WEIGHTS / _WEIGHTS.sum())]
    return maker(rng, count)


def _steps(count: int) -> Floats:
    """How far the join has come, ``(count, 1, 1, 1)``, strictly between 0 and 1."""
    steps = np.arange(1, count + 1).reshape(-1, 1, 1, 1) / (count + 1)
    return np.asarray(steps, np.float32)


def _eased(rng: np.random.Generator, count: int) -> Floats:
    steps = _steps(count)
    return np.asarray(steps * steps * (3 - 2 * steps), np.float32) if rng.random() < 0.3 else steps


def _dissolve(rng: np.random.Generator, count: int) -> Join:
    steps = _eased(rng, count)
    return Join(count, count, ("dissolve",) * count, lambda old, new: old + (new - old) * steps)


def _additive(rng: np.random.Generator, count: int) -> Join:
    steps = _steps(count)
    leaving, coming = np.minimum(1, 2 - 2 * steps), np.minimum(1, 2 * steps)

    def mix(old: Floats, new: Floats) -> Floats:
        return np.asarray(np.minimum(255, old * leaving + new * coming), np.float32)

    return Join(count, count, ("dissolve",) * count, mix)


def _zoom(rng: np.random.Generator, count: int) -> Join:
    steps, power = _eased(rng, count), rng.uniform(0.4, 1.6)
    middle, still = np.full(count, 0.5), np.zeros(count)

    def mix(old: Floats, new: Floats) -> Floats:
        closer = camera.Move(middle, middle, np.exp(power * steps.ravel()), still, still > 1)
        return np.asarray(camera.view(old, closer) * (1 - steps) + new * steps, np.float32)

    return Join(count, count, ("dissolve",) * count, mix)


def _through_colour(rng: np.random.Generator, count: int) -> Join:
    """Fade out, a few frames of the plain colour, fade in; either fade may be missing.

    The plain frames belong to the fade out in their first half and to the fade in after it, or
    wholly to the one fade that there is.
    """
    tint = np.zeros(3, np.float32)
    if rng.random() < 0.3:
        tint = np.full(3, 255, np.float32) if rng.random() < 0.7 else made.colour(rng)
    shape = rng.random()
    leaving = 0 if shape < 0.15 else max(1, int(count * rng.uniform(0.3, 0.7)))
    coming = 0 if shape > 0.85 else max(1, count - leaving)
    plain = int(rng.choice([0, 1, 2, 4, 8])) if leaving and coming else int(rng.integers(1, 5))
    if not leaving and not coming:
        leaving = count
    down, up = 1 - _steps(leaving), _steps(coming)
    first_half = plain if not coming else plain // 2 if leaving else 0
    kinds = ("fade_out",) * (leaving + first_half) + ("fade_in",) * (plain - first_half + coming)

    def mix(old: Floats, new: Floats) -> Floats:
        hold = np.broadcast_to(tint, (plain, *old.shape[1:]))
        return np.concatenate([tint + (old - tint) * down, hold, tint + (new - tint) * up])

    return Join(leaving, coming, kinds, mix, hard_first=not leaving, hard_last=not coming)


def _order(rng: np.random.Generator) -> Floats:
    """When each pixel changes during a wipe, ``(27, 48)`` in 0..1."""
    down, across = np.mgrid[-1 : 1 : camera.HEIGHT * 1j, -1 : 1 : camera.WIDTH * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    straight = across * np.cos(angle) + down * np.sin(angle)
    square = rng.choice([0.0, np.pi / 2])
    shape = rng.integers(8)
    fields = (
        across * np.cos(square) + down * np.sin(square),
        straight,
        np.hypot(across, down),
        np.maximum(abs(across), abs(down)),
        abs(across) + abs(down),
        (np.arctan2(down, across) + angle) % (2 * np.pi),
        straight * rng.integers(3, 7) % 1.0,
        made.noise(rng, camera.HEIGHT, camera.WIDTH, 0.5),
    )
    field = fields[shape] * rng.choice([-1, 1])
    field = field - field.min()
    return np.asarray(field / max(float(field.max()), 1e-6), np.float32)


def _wipe(rng: np.random.Generator, count: int) -> Join:
    soft = float(rng.choice([0.02, 0.05, 0.2]))
    reached = _steps(count) * (1 + soft)
    mask = np.clip((reached - _order(rng)[..., None]) / soft, 0, 1)
    return Join(count, count, ("wipe",) * count, lambda old, new: old + (new - old) * mask)


def _push(rng: np.random.Generator, count: int) -> Join:
    """The new picture slides in, over the old one or pushing it out, from one of four sides."""
    steps, axis = _eased(rng, count).ravel(), int(rng.integers(1, 3))
    pushing, reverse = rng.random() < 0.6, rng.random() < 0.5
    size = camera.HEIGHT if axis == 1 else camera.WIDTH

    def mix(old: Floats, new: Floats) -> Floats:
        mixed = np.empty_like(old)
        for index, step in enumerate(steps):
            here = int(np.clip(round(step * size), 1, size - 1))
            before = old[index].swapaxes(0, axis - 1)[:: -1 if reverse else 1]
            after = new[index].swapaxes(0, axis - 1)[:: -1 if reverse else 1]
            rest = before[here:] if pushing else before[: size - here]
            frame = np.concatenate([rest, after[:here]])[:: -1 if reverse else 1]
            mixed[index] = frame.swapaxes(0, axis - 1)
        return mixed

    return Join(count, count, ("wipe",) * count, mix)


def _luma_wipe(rng: np.random.Generator, count: int) -> Join:
    """A wipe whose order is the light of the picture that goes: its bright parts first or last."""
    soft, reverse = float(rng.choice([0.05, 0.2])), rng.random() < 0.5
    reached = _steps(count) * (1 + soft)

    def mix(old: Floats, new: Floats) -> Floats:
        light = old[0].mean(-1).ravel()
        # By rank, so that a picture of few tones changes evenly, too.
        order = light.argsort(kind="stable").argsort() / len(light)
        order = (1 - order if reverse else order).reshape(old.shape[1:3])
        mask = np.clip((reached - order[..., None]) / soft, 0, 1)
        return np.asarray(old + (new - old) * mask, np.float32)

    return Join(count, count, ("wipe",) * count, mix)


def _whip(rng: np.random.Generator, count: int) -> Join:
    """The old picture rushes out, smeared across, and the new one comes to rest."""
    count = min(count, 14)
    steps, far = _steps(count).ravel(), rng.uniform(0.3, 1.0) * rng.choice([-1, 1])
    speed = np.asarray(1 - abs(2 * steps - 1), np.float64)
    still, middle = np.zeros(count, bool), np.full(count, 0.5)

    def mix(old: Floats, new: Floats) -> Floats:
        going = camera.Move(0.5 + far * steps, middle, np.full(count, 1.25), 30 * speed, still)
        coming = camera.Move(0.5 - far * (1 - steps), middle, going.zoom, 30 * speed, still)
        share = np.clip(6 * (steps - 0.5) + 0.5, 0.04, 0.96).reshape(-1, 1, 1, 1)
        leaving, arriving = camera.view(old, going), camera.view(new, coming)
        return np.asarray(leaving + (arriving - leaving) * share, np.float32)

    return Join(count, count, ("wipe",) * count, mix)


def _defocus(rng: np.random.Generator, count: int) -> Join:
    """Out of focus, over, and into focus again."""
    steps, radius = _steps(count), rng.uniform(2.0, 5.0)
    share = np.clip((steps - 0.5) * rng.choice([1.0, 3.0]) + 0.5, 0.02, 0.98)
    soft = np.clip(2 * (1 - abs(2 * steps - 1)), 0, 1)

    def mix(old: Floats, new: Floats) -> Floats:
        mixed = old + (new - old) * share
        return np.asarray(mixed + (camera.blurred(mixed, radius) - mixed) * soft, np.float32)

    return Join(count, count, ("dissolve",) * count, mix)


def _glitch(rng: np.random.Generator, count: int) -> Join:
    """Rows of the two pictures torn apart and mixed up, the colours shifted, for some frames."""
    count = min(count, 12)
    tears = rng.integers(-12, 13, (count, camera.HEIGHT)) * (rng.random((count, 1)) < 0.8)
    tears = np.repeat(tears[:, ::3], 3, axis=1)[:, : camera.HEIGHT]
    shown = rng.random((count, camera.HEIGHT)) < _steps(count).reshape(-1, 1)
    shown[:, 0], shown[:, -1] = True, False
    apart = rng.integers(-3, 4, 3)

    def mix(old: Floats, new: Floats) -> Floats:
        mixed = np.where(shown[..., None, None], new, old)
        for index in range(count):
            for channel in range(3):
                for row in range(camera.HEIGHT):
                    shift = int(tears[index, row] + apart[channel])
                    mixed[index, row, :, channel] = np.roll(mixed[index, row, :, channel], shift)
        return np.asarray(mixed, np.float32)

    return Join(count, count, ("wipe",) * count, mix)


SHARES: Mapping[Callable[[np.random.Generator, int], Join], float] = {
    _dissolve: 0.28,
    _additive: 0.05,
    _zoom: 0.07,
    _through_colour: 0.22,
    _wipe: 0.14,
    _luma_wipe: 0.03,
    _push: 0.09,
    _whip: 0.06,
    _defocus: 0.03,
    _glitch: 0.03,
}
"""How often each gradual join is drawn."""
_MAKERS, _WEIGHTS = tuple(SHARES), np.array(list(SHARES.values()))
