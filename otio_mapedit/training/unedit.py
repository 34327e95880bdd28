"""Edits made at random from clean material, with exact truth: what the shot network learns from.

Cutting clean shots together is the inverse of what the network must find, so every label is right
by construction. The same seed and index always give the same example, on any machine and whatever
was made before it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..spec import KINDS, QUALITIES
from . import camera, disturb, joins, made, overlays
from .corpus import Corpus, Pixels
from .finish import finish

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

BLACK, SHAKE = QUALITIES.index("black"), QUALITIES.index("shake")
BLACK_MEAN, BLACK_PEAK = 10, 30
"""A frame is black when the mean of its values and their peak lie below these (0..255)."""
PLAIN = 3.0
"""A frame is one plain colour when no channel's standard deviation reaches this (0..255)."""
SPEEDS = (0.5, 0.8, 1.0, 1.0, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
"""How fast film may run; the fast ones stand in for hectic scenes, the slow repeat frames."""
LEAST_CHANGE = 7.0
"""Two shots are joined only if their neighbouring frames differ by this much on average (0..255);
a cut that nobody can see would be a wrong label."""


@dataclass(frozen=True)
class Example:
    """An edit of ``n`` frames and its truth.

    ``frames (n, 27, 48, 3)`` RGB; ``cut (n,)``: first frame of a new shot after a hard cut;
    ``transition (n,)``: inside a gradual transition; ``kind (n,)``: index into ``KINDS``;
    ``quality (n, len(QUALITIES))``: technical faults; ``opinion (n, 2)``: what a teacher said, -1
    where none was asked (see ``teacher``).
    """

    frames: Pixels
    cut: Flags
    transition: Flags
    kind: npt.NDArray[np.int64]
    quality: Flags
    opinion: Floats

    def __len__(self) -> int:
        return len(self.cut)


@dataclass(frozen=True)
class _Shot:
    """A rendered shot and what the next one may be derived from."""

    frames: Floats
    quality: Flags
    material: Pixels
    start: int
    path: camera.Move


@dataclass
class _Reel:
    """The edit while it grows: runs of frames and their labels, in order."""

    frames: list[Floats] = field(default_factory=list)
    quality: list[Flags] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)

    def add(self, frames: Floats, quality: Flags, kinds: tuple[str, ...] = ()) -> None:
        self.frames.append(frames)
        self.quality.append(quality)
        self.kinds.extend(kinds or ("none",) * len(frames))


def example(
    corpus: Corpus, seed: int, index: int, length: int = 128, uncut: bool = False
) -> Example:
    """Edit number ``index`` of the endless series ``seed``, ``length`` frames long.

    ``uncut`` makes one shot of it in which anything may happen but a new shot.
    """
    rng = np.random.default_rng([seed, index])
    look = camera.grade(rng, 0.8)
    pace = float(np.exp(rng.normal(3.5, 0.6)))
    share_of_cuts = float(rng.choice([0.95, 0.7, 0.4], p=[0.45, 0.35, 0.2]))
    reel, skipped = _Reel(), int(rng.integers(0, 40))
    long = rng.random() < 0.12 or uncut
    wanted = length + skipped
    shot = _render(rng, corpus, look, wanted if long else _duration(rng, pace))
    while True:
        join = joins.draw(rng, min(50, len(shot.frames) // 2), share_of_cuts)
        join = joins.CUT if uncut else join
        core = len(shot.frames) - join.tail
        reel.add(shot.frames[:core], shot.quality[:core])
        if len(reel.kinds) >= wanted:
            break
        following = _visible_next(rng, corpus, look, shot, max(_duration(rng, pace), join.head + 2))
        _connect(reel, join, shot, following)
        shot = _after(following, join.head)
    return _truth(rng, reel, corpus, slice(skipped, skipped + length))


def _duration(rng: np.random.Generator, pace: float) -> int:
    return int(np.clip(rng.lognormal(np.log(pace), 0.7), 4, 220))


def _connect(reel: _Reel, join: joins.Join, old: _Shot, new: _Shot) -> None:
    """Put the frames of the join, which mix ``old`` and ``new``, behind the reel."""
    if join.hard_first:
        reel.cuts.append(len(reel.kinds))
    if join.kinds:
        tail = old.frames[len(old.frames) - join.tail :]
        mixed = join.mix(tail, new.frames[: join.head])
        quality = np.zeros((len(mixed), len(QUALITIES)), bool)
        reel.add(mixed, quality, _seen_as(join.kinds, old.frames[-1], new.frames[0]))
    if join.hard_last:
        reel.cuts.append(len(reel.kinds))


def _seen_as(kinds: tuple[str, ...], before: Floats, after: Floats) -> tuple[str, ...]:
    """``kinds`` as an editor would call them: a dissolve from or to a plain colour is a fade."""
    if kinds[0] != "dissolve":
        return kinds
    if after.std((0, 1)).max() < PLAIN:
        return ("fade_out",) * len(kinds)
    return ("fade_in",) * len(kinds) if before.std((0, 1)).max() < PLAIN else kinds


def _after(shot: _Shot, head: int) -> _Shot:
    """What is left of ``shot`` when its first ``head`` frames have gone into a join."""
    return _Shot(shot.frames[head:], shot.quality[head:], shot.material, shot.start, shot.path)


def _visible_next(
    rng: np.random.Generator, corpus: Corpus, look: camera.Grade, old: _Shot, length: int
) -> _Shot:
    """The next shot: often something else, sometimes the same scene closer or later."""
    related, tries, change = rng.random() < 0.3, 4, 0.0
    while tries and change < LEAST_CHANGE:
        derived = _render_related(rng, look, old, length) if related else None
        new = derived or _render(rng, corpus, look, length)
        change = float(np.abs(old.frames[-1] - new.frames[0]).mean())
        related, tries = False, tries - 1
    if change >= LEAST_CHANGE:
        return new
    inverted = 255 - new.frames
    return _Shot(inverted, new.quality, new.material, new.start, new.path)


def _render(rng: np.random.Generator, corpus: Corpus, look: camera.Grade, length: int) -> _Shot:
    """Draw a shot of ``length`` frames: film, a picture, something made, or a scene of drawings."""
    draw = rng.random()
    if corpus.shots and draw < 0.62:
        film = corpus.shots[rng.choice(len(corpus.shots), p=_film_shares(corpus))]
        material = film[:, :, :: rng.choice([-1, 1])]
        closest = 2.2
    else:
        if len(corpus.stills) and draw < 0.75:
            material = corpus.stills[rng.integers(len(corpus.stills))][None]
        elif corpus.shots and draw < 0.8:
            film = corpus.shots[rng.integers(len(corpus.shots))]
            material = film[rng.integers(len(film))][None]
        else:
            material = made.plate(rng)[None]
        material = material[:, :: rng.choice([-1, 1, 1]), :: rng.choice([-1, 1])]
        closest = 3.5
    path = camera.move(rng, length, closest)
    start = int(rng.integers(len(material)))
    return _expose(rng, look, material, start, path, corpus.sprites)


def _film_shares(corpus: Corpus) -> npt.NDArray[np.float64]:
    lengths = np.sqrt([len(shot) for shot in corpus.shots])
    return np.asarray(lengths / lengths.sum(), np.float64)


def _render_related(
    rng: np.random.Generator, look: camera.Grade, old: _Shot, length: int
) -> _Shot | None:
    """A jump cut, a punch-in or a reframing of the scene of ``old``; None for what cannot be."""
    start = int(rng.integers(len(old.material)))
    path = camera.move(rng, length, 1.6)
    factor = float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.15, 0.6)))
    last = old.path.reframed(float(rng.normal(0, 0.25)), factor)
    framed = camera.Move(
        path.x - path.x[0] + last.x[-1],
        path.y - path.y[0] + last.y[-1],
        np.maximum(path.zoom / path.zoom[0] * last.zoom[-1], 1.0),
        path.smear,
        path.shake,
    )
    if len(old.material) == 1 and abs(framed.zoom[0] / old.path.zoom[-1] - 1) < 0.15:
        return None
    return _expose(rng, look, old.material, start, framed, np.zeros((0, 1, 1, 4), np.uint8))


def _expose(
    rng: np.random.Generator,
    look: camera.Grade,
    material: Pixels,
    start: int,
    path: camera.Move,
    sprites: Pixels,
) -> _Shot:
    """Run the film, point the camera, grade, and let things happen."""
    length = len(path.x)
    speed = rng.choice(SPEEDS) * rng.choice([-1, 1])
    at = _there_and_back(start + (np.arange(length) * speed).astype(int), len(material))
    frames = camera.view(material[at] if len(material) > 1 else material, path)
    if len(sprites) and rng.random() < 0.22:
        for _ in range(rng.integers(1, 5)):
            overlays.paste(rng, frames, sprites, int(rng.integers(5, 24)))
    frames = camera.grade(rng, 0.35)(look(frames))
    if rng.random() < 0.05:
        frames[:] = made.colour(rng) if rng.random() < 0.4 else rng.uniform(0, 6)
    quality = np.zeros((length, len(QUALITIES)), bool)
    quality[:, SHAKE] = path.shake
    if rng.random() < 0.08:
        overlays.pages(rng, frames)
    np.clip(frames, 0, 255, out=frames)
    disturb.disturb(rng, frames, quality, sprites)
    np.clip(frames, 0, 255, out=frames)
    return _Shot(frames, quality, material, int(at[-1]), path)


def _there_and_back(at: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Frame numbers that turn round at the ends of a film of ``count`` frames."""
    period = max(2 * (count - 1), 1)
    at = at % period
    return np.minimum(at, period - at) if count > 1 else np.zeros_like(at)


def _truth(rng: np.random.Generator, reel: _Reel, corpus: Corpus, seen: slice) -> Example:
    """Finish the edit and keep the frames and labels of ``seen``."""
    frames = finish(rng, np.concatenate(reel.frames)[seen], corpus.sprites)
    pixels = np.clip(np.round(frames), 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        pixels = _graded_to_grey(rng, pixels)
    cut = np.zeros(len(reel.kinds), bool)
    cut[reel.cuts] = True
    kind = np.array([KINDS.index(name) for name in reel.kinds])
    transition = kind != KINDS.index("none")
    kind[cut & ~transition] = KINDS.index("cut")
    cut[0] = False
    quality = np.concatenate(reel.quality)[seen].copy()
    quality[:, BLACK] = black(pixels)
    first, opinion = _first_is_no_cut(cut[seen]), np.full((len(pixels), 2), -1, np.float32)
    return Example(pixels, first, transition[seen], kind[seen], quality, opinion)


def judged(given: Example, opinion: Floats) -> Example:
    """The same edit with a teacher's opinion of it."""
    return dataclasses.replace(given, opinion=opinion)


def _first_is_no_cut(cut: Flags) -> Flags:
    """Whether the first frame seen begins a shot cannot be known from what is seen."""
    cut = cut.copy()
    cut[0] = False
    return cut


def _graded_to_grey(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Take part or all of the colour out."""
    luma = pixels @ np.array([0.3, 0.59, 0.11], np.float32)
    keep = float(rng.choice([0.0, 0.5]))
    return np.asarray(luma[..., None] * (1 - keep) + pixels * keep, np.uint8)


def black(pixels: Pixels) -> Flags:
    """Which frames of ``(n, h, w, 3)`` are black; the definition of the label."""
    values = pixels.reshape(len(pixels), -1)
    return np.asarray((values.mean(1) < BLACK_MEAN) & (values.max(1) < BLACK_PEAK), np.bool_)
