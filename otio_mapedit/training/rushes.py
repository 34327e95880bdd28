"""Rushes with known truth, made by un-editing: clean material and the inverse of every operation.

A finished programme is a row of lines with short pauses, or a performance. It is made worse at
random: dead air is put in, lines get earlier takes and false starts, somebody coughs, the lens is
covered, the camera shakes, a passage runs at another speed. What must become of every step, to
have the programme back, is known exactly. Everything is drawn from a seed.

A pause keeps 0.3 s behind and 0.2 s before kept speech, the margins of a rough cut; what is left
of it is dead air where it lasts half a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .. import speech
from ..edit_spec import EDIT_QUALITIES, OPERATIONS, SPEEDS
from ..errors import OptionError
from ..features import HOP, SILENCE, SoundFeatures
from ..step_features import step_features
from ..step_sound import StepListener
from . import rush_pictures, sounds
from .corpus import Corpus
from .rush_pictures import FPS, Span
from .voices import Line, Samples, resampled

RATE = 16000
TICK = 160  # samples of a label
PER_STEP = 25  # labels of a step
MARGIN_AFTER, MARGIN_BEFORE, LEAST_DEAD = 0.3, 0.2, 0.5
KEEP, DEAD, RETAKE, FALSE_START, COVERED, UNSTEADY, FROZEN, NOISE, SLATE, CHATTER = range(
    len(OPERATIONS)
)


@dataclass(frozen=True)
class Rush:
    """Features and truth of one film, n steps."""

    steps: npt.NDArray[np.float32]  # [n, features]
    operation: npt.NDArray[np.int64]  # [n]
    splice: npt.NDArray[np.float32]  # [n], 1 where another recording begins
    speed: npt.NDArray[np.int64]  # [n]
    grade: npt.NDArray[np.float32]  # [n]
    importance: npt.NDArray[np.float32]  # [n]
    quality: npt.NDArray[np.float32]  # [n, qualities]
    target: npt.NDArray[np.float32]  # [n], seconds to the same words in the good take; 0: none
    condition: str  # clean, noise, music or quiet


@dataclass
class _Script:
    """What happens when, in seconds, as it is written."""

    at: float = 0.0
    speech: list[tuple[float, Samples]] = field(default_factory=list)
    events: list[tuple[float, Samples]] = field(default_factory=list)
    labels: list[tuple[float, float, int]] = field(default_factory=list)
    pointers: list[tuple[float, float, float, float]] = field(default_factory=list)
    splices: list[float] = field(default_factory=list)
    pictures: list[Span] = field(default_factory=list)
    speed: list[tuple[float, float, float]] = field(default_factory=list)
    dead: list[tuple[float, float]] = field(default_factory=list)
    said: int = DEAD  # label of what was said last

    def say(self, samples: Samples, label: int) -> tuple[float, float]:
        """Speech, here."""
        start, end = self.at, self.at + len(samples) / RATE
        self.speech.append((start, samples))
        self.labels.append((start, end, label))
        self.at, self.said = end, label
        return start, end

    def pause(
        self, seconds: float, label: int, event: tuple[Samples, int] | None = None
    ) -> tuple[float, float]:
        """A pause before something with ``label``; its middle, which may hold an event."""
        after = MARGIN_AFTER if self.said != DEAD else 0.0
        before = MARGIN_BEFORE if label != DEAD else 0.0
        if event is not None:
            seconds = max(seconds, after + before + len(event[0]) / RATE + 0.1)
        start, end = self.at, self.at + seconds
        self.at = end
        low, high = start + after, end - before
        if high - low < LEAST_DEAD and event is None:
            middle = KEEP if KEEP in (self.said, label) else self.said
            self.labels.append((start, end, middle))
            return start, start
        self.labels += [(start, low, self.said), (low, high, DEAD), (high, end, label)]
        if event is not None:
            length = len(event[0]) / RATE
            begin = low + 0.05 + 0.5 * max(0.0, high - low - length - 0.1)
            self.events.append((begin, event[0]))
            self.labels.append((begin, begin + length, event[1]))
        else:
            self.dead.append((low, high))
        return low, high


@dataclass(frozen=True)
class Bank:
    """What rushes are made of."""

    lines: tuple[Line, ...]
    corpus: Corpus


def rush(rng: np.random.Generator, bank: Bank, seconds: float = 280) -> tuple[Rush, Samples | None]:
    """One film of about ``seconds`` and its sound at 16 kHz, None where it has none.

    Mostly somebody talks; else there is a performance, or no sound.
    """
    style = rng.random()
    if style < 0.82:
        script = _talk(rng, bank.lines, seconds)
    else:
        script = _performance(rng, seconds, music=style < 0.94)
    silent = style >= 0.97
    seen = silent or rng.random() < 0.75
    if seen:
        _spoil_pictures(rng, script, silent)
    length = script.at
    condition, samples, music, noisy = "clean", None, False, False
    if not silent:
        samples, condition = _mixed(rng, script, style >= 0.82)
        music, noisy = condition == "music", condition == "noise"
    pictures = None
    if seen:
        spans = [*script.pictures, *_speed_spans(script)]
        pictures = rush_pictures.sampled(rng, bank.corpus, length, script.splices, spans)
    count = int(np.ceil(length * 4))
    heard = listened(samples) if samples is not None else None
    steps = step_features(count, Fraction(FPS), heard, pictures)
    return _truth(script, steps, condition, music, noisy), samples


def listened(samples: Samples) -> SoundFeatures:
    """What the product hears in ``samples``."""
    listener = StepListener()
    listener.feed(samples)
    steps = listener.finish()
    hops = -(-len(samples) // TICK)
    padded = np.pad(samples, (0, hops * TICK - len(samples)))
    power = np.square(padded).reshape(-1, TICK).mean(axis=1)
    level = 10 * np.log10(np.maximum(power, 10 ** (SILENCE / 10)))
    voice = speech.listen(samples)
    middle = np.arange(hops) * TICK + TICK // 2
    voice = voice[np.minimum(middle // speech.STEP, len(voice) - 1)]
    return SoundFeatures(HOP, level.astype(np.float32), voice, steps.steps, steps.cepstra)


def _short(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.1, 0.6))


def _long(rng: np.random.Generator) -> float:
    return float(np.clip(rng.lognormal(0.9, 0.7), 1.05, 12))


def _gap(rng: np.random.Generator) -> float:
    return _long(rng) if rng.random() < 0.3 else _short(rng)


def _talk(rng: np.random.Generator, lines: Sequence[Line], seconds: float) -> _Script:
    """Somebody talks, and not everything goes well."""
    script = _Script()
    deck = _Deck(rng, lines)
    mishaps = rng.uniform(0.3, 1.7)  # some people need more takes
    if rng.random() < 0.5:
        _begin(rng, script, lines)
    while script.at < seconds:
        if script.said == KEEP and rng.random() < 0.05:
            script.pause(_gap(rng), KEEP)
            script.splices.append(script.at - float(rng.uniform(0.05, 0.2)))
            deck.change()
        event = _event(rng, lines) if rng.random() < 0.1 else None
        chance = rng.random() / mishaps
        if chance < 0.14:
            _retakes(rng, script, deck.draw(1), event)
        elif chance < 0.18:
            _retakes(rng, script, deck.draw(int(rng.integers(2, 4))), event)
        elif chance < 0.27:
            _false_start(rng, script, deck.draw(1)[0], event)
        elif chance < 0.31:
            _fast_or_slow(rng, script, deck.draw(int(rng.integers(1, 4))))
        else:
            line = deck.draw(1)[0]
            script.pause(_gap(rng), KEEP, event)
            script.say(line.takes[int(rng.integers(len(line.takes)))], KEEP)
            if line.sibling is not None and rng.random() < 0.5:
                script.pause(_gap(rng), KEEP)
                script.say(line.sibling, KEEP)
    if rng.random() < 0.6:
        script.pause(_long(rng), DEAD, _event(rng, lines) if rng.random() < 0.3 else None)
    return script


class _Deck:
    """Lines of one speaker at a time, each drawn once: nobody says a line twice unless told to."""

    def __init__(self, rng: np.random.Generator, lines: Sequence[Line]) -> None:
        self.rng = rng
        self.left: dict[str, list[Line]] = {}
        for place in rng.permutation(len(lines)):
            self.left.setdefault(lines[place].speaker, []).append(lines[place])
        self.speaker = ""
        self.change()

    def change(self) -> None:
        """Another speaker."""
        others = sorted(name for name, left in self.left.items() if left and name != self.speaker)
        if others:
            self.speaker = str(self.rng.choice(others))

    def draw(self, count: int) -> list[Line]:
        """The next lines; when a speaker has no more, another one goes on."""
        drawn = []
        for _ in range(count):
            if not self.left[self.speaker]:
                self.change()
            if not self.left[self.speaker]:
                raise OptionError("too few lines for a film", "Raise lines in the configuration.")
            drawn.append(self.left[self.speaker].pop())
        return drawn


def _pick(rng: np.random.Generator, lines: Sequence[Line], count: int) -> list[Line]:
    return [lines[int(at)] for at in rng.choice(len(lines), min(count, len(lines)), replace=False)]


def _begin(rng: np.random.Generator, script: _Script, lines: Sequence[Line]) -> None:
    """Before the first word: waiting, and perhaps a slate."""
    script.pause(_long(rng), DEAD)
    if rng.random() < 0.4:
        voice = sounds.distant(rng, _pick(rng, lines, 1)[0].takes[0][: 2 * RATE])
        slate = np.concatenate([voice, np.zeros(RATE // 3, np.float32), sounds.clap(rng)])
        start = script.at
        script.events.append((start, slate))
        script.at += len(slate) / RATE
        script.labels.append((start, script.at, SLATE))
        script.pause(_long(rng), DEAD)


def _event(rng: np.random.Generator, lines: Sequence[Line]) -> tuple[Samples, int]:
    kind = rng.random()
    if kind < 0.4:
        return sounds.cough(rng), NOISE
    if kind < 0.7:
        return sounds.handling(rng), NOISE
    take = _pick(rng, lines, 1)[0].takes[0]
    said = sounds.distant(rng, take[: int(rng.uniform(0.6, 2.5) * RATE)])
    return np.asarray(said * rng.uniform(0.05, 0.3), np.float32), CHATTER


def _retakes(
    rng: np.random.Generator,
    script: _Script,
    lines: Sequence[Line],
    event: tuple[Samples, int] | None,
) -> None:
    """Some lines, said again from the first of them; the last take is the good one."""
    takes = int(rng.choice([2, 2, 2, 3]))
    said: list[list[tuple[float, float]]] = []
    order = rng.permutation(len(lines[0].takes))
    for take in range(takes):
        label = KEEP if take == takes - 1 else RETAKE
        # A take that went wrong may end early, but not at its beginning.
        stop = len(lines) if label == KEEP else int(rng.integers(1, len(lines) + 1))
        row = []
        for number, line in enumerate(lines[:stop]):
            samples = line.takes[int(order[take % len(order)]) % len(line.takes)]
            if label == RETAKE and number == stop - 1 and rng.random() < 0.4:
                samples = samples[: int(len(samples) * rng.uniform(0.6, 0.95))]
            gap = _gap(rng) if number == 0 else _short(rng)
            script.pause(gap if take == 0 or number else max(gap, 0.3), label, event)
            event = None
            row.append(script.say(samples, label))
        said.append(row)
        if label == RETAKE and rng.random() < 0.2:
            event = _event(rng, lines)
    for row in said[:-1]:
        for (start, end), good in zip(row, said[-1], strict=False):
            script.pointers.append((start, end, good[0], good[1]))


def _false_start(
    rng: np.random.Generator, script: _Script, line: Line, event: tuple[Samples, int] | None
) -> None:
    """The beginning of a line, and then the line."""
    again = int(rng.choice([1, 1, 1, 2]))
    begun = []
    for number in range(again):
        take = line.takes[(number + 1) % len(line.takes)]
        part = take[: int(np.clip(len(take) * rng.uniform(0.12, 0.5), 0.35 * RATE, 2.2 * RATE))]
        fade = min(len(part), RATE // 50)
        part = part.copy()
        part[len(part) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        script.pause(_gap(rng) if number == 0 else _short(rng) + 0.1, FALSE_START, event)
        event = None
        begun.append((*script.say(part, FALSE_START), len(part) / len(take)))
    script.pause(float(rng.uniform(0.15, 1.5)), KEEP)
    start, end = script.say(line.takes[0], KEEP)
    for first, stop, share in begun:
        script.pointers.append((first, stop, start, start + (end - start) * share))


def _fast_or_slow(rng: np.random.Generator, script: _Script, lines: Sequence[Line]) -> None:
    """A passage that runs at another speed, pitch and all."""
    factor = float(rng.choice([0.5, 0.6, 0.7, 1.4, 1.6, 2.0]) * np.exp(rng.normal(0, 0.04)))
    script.pause(_gap(rng), KEEP)
    start = script.at
    for line in lines:
        if script.at > start:
            script.pause(_short(rng), KEEP)
        script.say(resampled(line.takes[0], factor), KEEP)
    script.speed.append((start, script.at, factor))


def _performance(rng: np.random.Generator, seconds: float, music: bool) -> _Script:
    """Music with waiting between the pieces, or a place that nobody speaks at."""
    script = _Script()
    if not music:
        script.labels.append((0.0, seconds, KEEP))
        script.at = seconds
        return script
    script.pause(_long(rng), DEAD)
    while script.at < seconds:
        piece = sounds.music(rng, int(rng.uniform(12, 70) * RATE)) * np.float32(0.15)
        fade = RATE // 4
        piece[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        piece[-4 * fade :] *= np.linspace(1, 0, 4 * fade, dtype=np.float32)
        start = script.at
        script.events.append((start, piece))
        script.at += len(piece) / RATE
        script.labels.append((start, script.at, KEEP))
        low, high = script.at, script.at + _long(rng) + 1
        script.labels.append((low, high, DEAD))
        script.dead.append((low, high))
        script.at = high
    return script


def _spoil_pictures(rng: np.random.Generator, script: _Script, silent: bool) -> None:
    """Cover the lens, shake, lose focus, freeze, change the grade; labels win over the sound's."""

    def spoil(low: float, high: float) -> None:
        what = str(rng.choice(["covered", "black", "shake", "shake", "blur"]))
        label = COVERED if what in ("covered", "black") else UNSTEADY
        script.pictures.append(Span(low, high, what, float(rng.random())))
        script.labels.append((low, high, label))

    for low, high in script.dead:
        if high - low > 1.4 and rng.random() < 0.25:
            first = low + rng.uniform(0, 0.3) * (high - low - 1.2)
            spoil(first, min(high, first + rng.uniform(1.2, 6)))
    for start, end, label in list(script.labels):
        if label == KEEP and end - start > 1.5 and rng.random() < (0.04 if end - start < 20 else 0):
            spoil(start, end)
    if silent or not script.speech:
        at = rng.uniform(3, 25)
        while at < script.at - 10:
            length = rng.uniform(1.5, 7)
            if silent and rng.random() < 0.35:
                length += 4
                script.pictures.append(Span(at, at + length, "frozen"))
                script.labels.append((at, at + length, FROZEN))
            else:
                spoil(at, at + length)
            at += length + rng.uniform(8, 40)
    if rng.random() < 0.35:
        low = rng.uniform(0, script.at * 0.7)
        script.pictures.append(Span(low, low + rng.uniform(12, 70), "grade"))


def _speed_spans(script: _Script) -> list[Span]:
    return [
        Span(start, end, "faster" if factor > 1 else "slower", factor)
        for start, end, factor in script.speed
    ]


def _mixed(rng: np.random.Generator, script: _Script, performance: bool) -> tuple[Samples, str]:
    """The sound, and under which condition it was recorded."""
    count = int(np.ceil(script.at * RATE))
    whole = np.zeros(count, np.float32)
    condition = str(rng.choice(["clean", "noise", "music", "quiet"], p=[0.4, 0.25, 0.2, 0.15]))
    if performance:
        condition = "clean"
    bounds = [0, *(int(time * RATE) for time in script.splices), count]
    for first, stop in pairwise(bounds):
        level = rng.uniform(-48, -36) if condition == "quiet" else rng.uniform(-34, -14)
        apart = rng.uniform(4, 16) if condition == "noise" else rng.uniform(18, 55)
        part = _recorded(rng, script, first, stop, level)
        tone = sounds.room_tone(rng, stop - first)
        if rng.random() < 0.06 and condition == "clean":
            tone *= 0
        part += tone * np.float32(10 ** ((level - apart) / 20))
        whole[first:stop] += part
    if condition == "music":
        loud = np.sqrt(np.square(whole).mean()) * 10 ** (rng.uniform(-22, -2) / 20)
        whole += sounds.music(rng, count) * np.float32(loud)
    return np.clip(whole, -1, 1), condition


def _recorded(
    rng: np.random.Generator, script: _Script, first: int, stop: int, level: float
) -> Samples:
    """Voices and events between two samples, as one microphone hears them in one room."""
    voice = np.zeros(stop - first, np.float32)
    other = np.zeros(stop - first, np.float32)
    for bus, pieces, scale in ((voice, script.speech, 1.0), (other, script.events, None)):
        for start, samples in pieces:
            at = int(start * RATE) - first
            low, high = max(0, at), min(len(bus), at + len(samples))
            if low < high:
                loud = scale or 10 ** (rng.uniform(-14, 5) / 20)
                loud *= 10 ** (rng.normal(0, 1.2) / 20)
                bus[low:high] += samples[low - at : high - at] * np.float32(loud)
    if rng.random() < 0.5:
        voice = sounds.reverberant(rng, voice, rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.5))
    speaking = np.abs(voice) > 0.01
    loudness = np.sqrt(np.square(voice[speaking]).mean()) if speaking.any() else 0.1
    gain = np.float32(10 ** (level / 20) / (loudness + 1e-6))
    return np.asarray((voice + other) * gain, np.float32)


def _truth(
    script: _Script,
    steps: npt.NDArray[np.float32],
    condition: str,
    music: bool,
    noisy: bool,
) -> Rush:
    count = len(steps)
    label = np.full(count * PER_STEP, DEAD, np.int64)
    for start, end, what in script.labels:
        label[round(start * 100) : round(end * 100)] = what
    votes = np.stack(
        [(label.reshape(count, PER_STEP) == kind).sum(axis=1) for kind in range(len(OPERATIONS))], 1
    )
    operation = votes.argmax(axis=1)
    splice, grade = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for time in script.splices:
        splice[min(count - 1, int(time * 4))] = 1
    speed = np.zeros(count, np.int64)
    for start, end, factor in script.speed:
        kind = SPEEDS.index("faster" if factor > 1 else "slower")
        speed[round(start * 4) : round(end * 4)] = kind
    quality = np.zeros((count, len(EDIT_QUALITIES)), np.float32)
    quality[:, 0], quality[:, 1] = noisy, music
    for span in script.pictures:
        part = slice(round(span.start * 4), round(span.end * 4))
        if span.what in EDIT_QUALITIES:
            quality[part, EDIT_QUALITIES.index(span.what)] = 1
        if span.what == "grade":
            grade[part] = 1
    target = np.zeros(count, np.float32)
    for start, end, goal, goal_end in script.pointers:
        for step in range(int(start * 4), min(count, int(np.ceil(end * 4)))):
            share = ((step + 0.5) / 4 - start) / (end - start)
            if 0 <= share <= 1 and operation[step] in (RETAKE, FALSE_START):
                target[step] = goal + share * (goal_end - goal) - (step + 0.5) / 4
    importance = np.where(operation == KEEP, 0.6, 0.0).astype(np.float32)
    for start, samples in script.speech:
        part = slice(round(start * 4), round((start + len(samples) / RATE) * 4))
        importance[part] = np.where(operation[part] == KEEP, 1.0, 0.0)
    return Rush(steps, operation, splice, speed, grade, importance, quality, target, condition)
