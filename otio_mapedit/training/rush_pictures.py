"""The pictures of generated rushes, as a decoder would sample them: keyframes about a second apart.

A recording shows one shot of the corpus, to and fro, or a still under a slow camera; faults, speed
and grade are put on the pictures themselves, so that the features are measured and not invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..features import PictureSamples, fault_codes, samples_of
from . import camera, made
from .corpus import Corpus

FPS = 25
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A stretch in seconds and what happens to the picture in it."""

    start: float
    end: float
    what: str  # covered, black, blur, shake, frozen, slower, faster, grade, board
    amount: float = 1.0


class _Recording:
    """One place and camera; ``varied`` ones show a film mirrored, closer, slower or in the colours
    of another place, as there are few films."""

    def __init__(self, rng: np.random.Generator, corpus: Corpus, varied: bool) -> None:
        self.phase = rng.uniform(0, 100)
        self.drift = rng.normal(0, 0.004)
        self.shot: Pixels | None = None
        if len(corpus.shots) and rng.random() < 0.75:
            self.shot = corpus.shots[int(rng.integers(len(corpus.shots)))]
        elif len(corpus.stills) and rng.random() < 0.5:
            self.still: Pixels = corpus.stills[int(rng.integers(len(corpus.stills)))]
        else:
            self.still = made.plate(rng)
        self.grain = rng.uniform(0.3, 3.0)
        self.look = camera.grade(rng, 0.4)
        self.varied = Variation(rng) if varied else None

    def at(self, rng: np.random.Generator, seconds: float) -> Floats:
        """What it shows, [54, 96, 3] in 0..255."""
        if self.shot is not None:
            pace = self.varied.pace if self.varied else 1.0
            place = int((seconds * pace + self.phase) * FPS)
            last = len(self.shot) - 1
            place = abs((place + last) % (2 * last) - last) if last else 0
            picture = self.shot[place].astype(np.float32)
        else:
            height, width = self.still.shape[:2]
            across = 0.5 + 0.5 * np.sin(self.phase + self.drift * seconds * 6)
            left, top = int(across * (width - 96)), int((1 - across) * (height - 54))
            picture = self.still[top : top + 54, left : left + 96].astype(np.float32)
        if self.varied:
            picture = self.varied.of(picture, seconds)
        return self.look(picture[None])[0]


class Variation:
    """Another look at the same film; in half of them the camera wanders and its exposure follows,
    so that pictures of a place differ without anything being wrong with them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.pace = float(rng.choice([-1, 1]) * np.exp(rng.normal(0, 0.3)))
        self.colours = rng.permutation(3) if rng.random() < 0.25 else np.arange(3)
        zoom = float(rng.uniform(1, 1.7))
        self.place = rng.uniform(0, 1, 2)
        self.spare = np.array([53, 95]) * (1 - 1 / zoom)
        self.rows, columns = np.linspace(0, 53 / zoom, 54), np.linspace(0, 95 / zoom, 96)
        self.columns = columns if rng.random() < 0.5 else columns[::-1]
        wanders = rng.random() < 0.5
        self.turns = rng.uniform(0.02, 0.3, 3) if wanders else np.zeros(3)
        self.phase = rng.uniform(0, 2 * np.pi, 3)
        self.reach = rng.uniform(0.1, 0.5) if wanders else 0.0
        self.exposure = rng.uniform(0, 0.08) if wanders else 0.0

    def of(self, picture: Floats, seconds: float = 0.0) -> Floats:
        """A picture [54, 96, 3] at ``seconds``, cropped and turned, between its pixels."""
        swings = np.sin(self.phase + self.turns * seconds)
        top, left = np.clip(self.place + self.reach * swings[:2], 0, 1) * self.spare
        picture = _between(_between(picture, self.rows + top, 0), self.columns + left, 1)
        exposed = picture[..., self.colours] * (1 + self.exposure * swings[2])
        return np.asarray(exposed, np.float32)


def _between(picture: Floats, at: npt.NDArray[np.float64], axis: int) -> Floats:
    low = np.minimum(at.astype(int), picture.shape[axis] - 2)
    share = (at - low).astype(np.float32)
    share = share[:, None, None] if axis == 0 else share[None, :, None]
    first, second = np.take(picture, low, axis), np.take(picture, low + 1, axis)
    return np.asarray(first + (second - first) * share, np.float32)


def sampled(
    rng: np.random.Generator,
    corpus: Corpus,
    seconds: float,
    splices: Sequence[float],
    spans: Sequence[Span],
    varied: bool = False,
) -> PictureSamples:
    """Samples of a film of ``seconds`` whose recordings change at ``splices``."""
    every = float(rng.choice([1.0, 1.0, 1.2, 1.6, 2.0, 3.0]))
    recordings = [_Recording(rng, corpus, varied) for _ in range(len(splices) + 1)]
    disturbed = {span: _disturbance(rng) for span in spans if span.what == "grade"}
    boards = {span: _board(rng) for span in spans if span.what == "board"}
    # A keyframe begins every recording, and is the first picture of it.
    key = [*np.arange(0, seconds, every), *(np.ceil(time * FPS) / FPS for time in splices)]

    def picture(time: float) -> Pixels:
        recording = recordings[int(np.searchsorted(splices, time, "right"))]
        shown = recording.at(rng, _life(time, spans))
        for span in spans:
            if span.start <= time < span.end:
                shown = _changed(rng, shown, span, disturbed)
                if span in boards:
                    shown = _held_up(rng, shown, boards[span], span.amount)
        shown = shown + rng.normal(0, recording.grain, shown.shape).astype(np.float32)
        return np.clip(shown, 0, 255).astype(np.uint8)

    times = sorted({round(time * FPS) for time in key if time * FPS < seconds * FPS - 1})
    pictures = [(frame, picture(frame / FPS)) for frame in times]
    for span in spans:
        if span.what == "frozen":
            pictures = _frozen(pictures, span)
    return samples_of(_refined(pictures, picture), FPS)


def _life(time: float, spans: Sequence[Span]) -> float:
    """How far the action has come at ``time`` of the film."""
    extra = 0.0
    for span in spans:
        if span.what in ("slower", "faster"):
            extra += (span.amount - 1) * max(0.0, min(time, span.end) - span.start)
    return time + extra


def _changed(
    rng: np.random.Generator, shown: Floats, span: Span, disturbed: dict[Span, camera.Grade]
) -> Floats:
    if span.what == "black":
        return shown * 0 + rng.uniform(0, 6)
    if span.what == "covered":
        tint = np.array([1.0, 0.45, 0.3], np.float32) if span.amount > 0.5 else np.ones(3)
        field = made.noise(rng, 54, 96, 0.3)[..., None]
        return np.asarray((8 + 30 * span.amount) * tint * (0.9 + 0.2 * field), np.float32)
    if span.what == "blur":
        radius = 1.5 + 4 * span.amount * abs(np.sin(rng.uniform(0.3, 1.5)))
        return camera.blurred(shown[None], radius)[0]
    if span.what == "shake":
        shift = rng.integers(-18, 19, 2)
        smear = int(rng.integers(3, 14))
        moved = np.roll(shown, tuple(shift), (0, 1))
        return np.asarray(sum(np.roll(moved, one, 1) for one in range(smear)) / smear, np.float32)
    if span.what == "grade":
        return disturbed[span](shown[None])[0]
    return shown


def _disturbance(rng: np.random.Generator) -> camera.Grade:
    """A grade that nobody would leave as it is: colours move by 12 of 255 or more on average."""
    colours = np.stack(np.meshgrid(*[np.linspace(30, 225, 4)] * 3), -1).reshape(1, 8, 8, 3)
    while True:
        drawn = camera.grade(rng, 1.3)
        changed = np.clip(drawn(colours.astype(np.float32)), 0, 255)
        if np.abs(changed - colours).mean() >= 12:
            return drawn


def _board(rng: np.random.Generator) -> Floats:
    """A clapperboard: bars above, writing below, dark or light; [h, w, 3]."""
    height, width = int(rng.integers(20, 44)), int(rng.integers(30, 76))
    light = rng.random() < 0.5
    board = np.full((height, width, 3), 225.0 if light else 25.0, np.float32)
    ink = 20.0 if light else 230.0
    bars = height // 4
    across = (np.arange(width)[None] + np.arange(bars)[:, None]) // max(3, width // 10) % 2
    board[:bars] = np.where(across[..., None] > 0, 235.0, 15.0)
    for row in range(bars + 2, height - 2, 4):
        written = rng.random((2, width)) < 0.5
        written[:, : rng.integers(1, 6)] = False
        written[:, width - int(rng.integers(1, width // 2)) :] = False
        board[row : row + 2][written] = ink
    return board


def _held_up(rng: np.random.Generator, shown: Floats, board: Floats, amount: float) -> Floats:
    """The board in front of the picture, not quite still."""
    height, width = board.shape[:2]
    top = int(np.clip(amount * (54 - height) + rng.integers(-2, 3), 0, 54 - height))
    left = int(np.clip((1 - amount) * (96 - width) + rng.integers(-2, 3), 0, 96 - width))
    shown = shown.copy()
    shown[top : top + height, left : left + width] = board
    return shown


def _frozen(pictures: list[tuple[int, Pixels]], span: Span) -> list[tuple[int, Pixels]]:
    held: Pixels | None = None
    out = []
    for frame, picture in pictures:
        if span.start <= frame / FPS < span.end:
            held = picture if held is None else held
            picture = held
        out.append((frame, picture))
    return out


def _refined(pictures: list[tuple[int, Pixels]], picture: object) -> Iterator[tuple[int, Pixels]]:
    """As the product does: every picture between two of which one is faulty (every second one is
    enough here)."""
    assert callable(picture)
    faults = _faults([one for _, one in pictures])
    for number, (frame, shown) in enumerate(pictures):
        if number and faults[number] != faults[number - 1]:
            for inner in range(pictures[number - 1][0] + 2, frame, 3):
                yield inner, picture(inner / FPS)
        yield frame, shown


def _faults(pictures: list[Pixels]) -> list[int]:
    looked = samples_of(enumerate(pictures), FPS)
    return [
        int(code)
        for code in fault_codes(looked.brightness, looked.contrast, looked.detail, looked.edge)
    ]
