"""How rushes are written: what is said and shown when, and what must become of it.

A finished programme is a row of lines with short pauses, or a performance. It is made worse at
random: dead air is put in, lines get earlier takes and false starts, somebody coughs, the lens is
covered, the camera shakes, a passage runs at another speed, another recording begins.

A pause keeps 0.3 s behind and 0.2 s before kept speech, the margins of a rough cut; what is left
of it is dead air where it lasts half a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ..edit_spec import OPERATIONS
from . import sounds
from .cast import Deck
from .rush_pictures import Span
from .speakers import Samples, resampled
from .voices import Line

RATE = 16000
MARGIN_AFTER, MARGIN_BEFORE, LEAST_DEAD = 0.3, 0.2, 0.5
KEEP, DEAD, RETAKE, FALSE_START, COVERED, UNSTEADY, FROZEN, NOISE, SLATE, CHATTER = range(
    len(OPERATIONS)
)


@dataclass
class Script:
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
    boards: list[tuple[float, float]] = field(default_factory=list)
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


def _short(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.1, 0.6))


def _long(rng: np.random.Generator) -> float:
    return float(np.clip(rng.lognormal(0.9, 0.7), 1.05, 12))


def _gap(rng: np.random.Generator) -> float:
    return _long(rng) if rng.random() < 0.3 else _short(rng)


def talk(
    rng: np.random.Generator, lines: Sequence[Line], seconds: float, varied: bool = False
) -> Script:
    """Somebody talks, and not everything goes well; ``varied``: see ``cast``."""
    script = Script()
    deck = Deck(rng, lines, varied)
    mishaps = rng.uniform(0.3, 1.7)  # some people need more takes
    if rng.random() < 0.5:
        _begin(rng, script, lines)
    while script.at < seconds:
        if script.said == KEEP and rng.random() < 0.1:
            _another_recording(rng, script, lines)
            if rng.random() < 0.7:
                deck.change()
        event = _event(rng, lines) if rng.random() < 0.1 else None
        chance = rng.random() / mishaps
        if chance < 0.17 and rng.random() < 0.1:
            _slate(rng, script, lines)
        if chance < 0.13:
            _retakes(rng, script, deck.draw(1), event)
        elif chance < 0.17:
            _retakes(rng, script, deck.draw(int(rng.integers(2, 4))), event)
        elif chance < 0.27:
            _false_start(rng, script, deck.draw(1)[0], event)
        elif chance < (0.4 if varied else 0.35):
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


def _pick(rng: np.random.Generator, lines: Sequence[Line], count: int) -> list[Line]:
    return [lines[int(at)] for at in rng.choice(len(lines), min(count, len(lines)), replace=False)]


def _begin(rng: np.random.Generator, script: Script, lines: Sequence[Line]) -> None:
    """Before the first word: waiting, and perhaps a slate."""
    script.pause(_long(rng), DEAD)
    if rng.random() < 0.6:
        _slate(rng, script, lines)


def _slate(rng: np.random.Generator, script: Script, lines: Sequence[Line]) -> None:
    """Somebody reads a board out from beside the microphone and claps it; then it goes quiet."""
    if script.said != DEAD:
        script.pause(_long(rng), DEAD)
    parts = [sounds.clap(rng)]
    if rng.random() < 0.8:
        length = int(rng.uniform(0.8, 2.2) * RATE)
        voice = sounds.distant(rng, _pick(rng, lines, 1)[0].takes[0][:length])
        silence = np.zeros(int(rng.uniform(0.15, 0.6) * RATE), np.float32)
        parts = [voice * np.float32(rng.uniform(0.15, 1)), silence, *parts]
    if rng.random() < 0.1:
        parts += [np.zeros(RATE // 3, np.float32), sounds.clap(rng)]
    board = np.concatenate(parts)
    start = script.at
    script.events.append((start, board))
    script.at += len(board) / RATE
    script.labels.append((start, script.at, SLATE))
    shown = start - float(rng.uniform(0, 0.6)), script.at + float(rng.uniform(0.1, 0.6))
    script.boards.append((max(0.0, shown[0]), *shown[1:]))
    script.said = DEAD
    script.pause(_long(rng), DEAD)


def _another_recording(rng: np.random.Generator, script: Script, lines: Sequence[Line]) -> None:
    """The recording ends, and another one begins: right before its first word, or with waiting
    before it, or with a slate."""
    if rng.random() < 0.6:
        script.pause(_gap(rng), KEEP)
        script.splices.append(script.at - float(rng.uniform(0.05, 0.2)))
        return
    script.pause(_gap(rng), DEAD)
    script.splices.append(script.at)
    script.said = DEAD
    script.pause(float(rng.uniform(0.3, 4)), DEAD)
    if rng.random() < 0.4:
        _slate(rng, script, lines)


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
    script: Script,
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
    rng: np.random.Generator, script: Script, line: Line, event: tuple[Samples, int] | None
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


def _fast_or_slow(rng: np.random.Generator, script: Script, lines: Sequence[Line]) -> None:
    """A passage that runs at another speed, pitch and all."""
    factor = float(rng.choice([0.5, 0.6, 0.7, 1.4, 1.6, 2.0]) * np.exp(rng.normal(0, 0.04)))
    script.pause(_gap(rng), KEEP)
    start = script.at
    for line in lines:
        if script.at > start:
            script.pause(_short(rng), KEEP)
        script.say(resampled(line.takes[0], factor), KEEP)
    script.speed.append((start, script.at, factor))


def performance(rng: np.random.Generator, seconds: float, music: bool) -> Script:
    """Music with waiting between the pieces, or a place that nobody speaks at."""
    script = Script()
    if not music:
        script.labels.append((0.0, seconds, KEEP))
        script.at = seconds
        script.splices += _spread(rng, seconds)
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
        if rng.random() < 0.3 and script.at < seconds:
            script.splices.append(high - float(rng.uniform(0.1, 0.9)))
    return script


def _spread(rng: np.random.Generator, seconds: float) -> list[float]:
    """Times of splices, at least twelve seconds apart."""
    times, at = [], float(rng.uniform(12, 120))
    while at < seconds - 12:
        times.append(at)
        at += float(rng.uniform(12, 150))
    return times


def spoil_pictures(rng: np.random.Generator, script: Script, silent: bool) -> None:
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
    _disturb_grades(rng, script)
    for start, end in script.boards:
        if rng.random() < 0.9:
            script.pictures.append(Span(start, end, "board", float(rng.random())))


def _disturb_grades(rng: np.random.Generator, script: Script) -> None:
    """Passages of other colours, each less than half of its recording, so that it can be told
    which of both is meant."""
    bounds = [0.0, *script.splices, script.at]
    for first, stop in pairwise(bounds):
        length = float(rng.uniform(8, 50))
        if rng.random() < min(0.6, (stop - first) / 250) and length < 0.45 * (stop - first):
            low = float(rng.uniform(first, stop - length))
            script.pictures.append(Span(low, low + length, "grade"))
