"""Who says what in a rush: lines of one person at a time, each said once unless told otherwise.

People who teach take turns: a rush is one person's, a conversation of some, or a street where
everybody says little. That somebody else speaks is then nothing that a network can take for another
recording or another speed. In each rush a person is taller or smaller, hastier or calmer, nearer or
further, and duller or brighter than in the others. Half of them were recorded somewhere: their
lines have a room, hiss and a band of their own, which run faster or slower with what they say, as
they do in people's recordings and do not in a synthesiser's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import OptionError
from . import sounds
from .speakers import Samples, resampled
from .voices import Line, stretched

_TALKING = ((1, 0.45), (2, 0.25), (3, 0.15), (0, 0.15))
"""How many people a recording has, 0 for ever new ones, and how often."""
_RECORDED = 0.5
"""How many of them bring the place with them that they were recorded in."""


@dataclass(frozen=True)
class _Place:
    """Where somebody was recorded: the echo dies away after ``echo`` seconds and is so ``wet``; air
    of a colour, so many dB below the voice; nothing above a frequency in Hz, if any."""

    echo: float
    wet: float
    apart: float
    colour: float
    highest: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _Place:
        return cls(
            float(rng.uniform(0.1, 0.6)),
            float(rng.uniform(0.05, 0.4)) if rng.random() < 0.6 else 0.0,
            float(rng.uniform(15, 45)),
            float(rng.uniform(0.0, 1.8)),
            float(rng.uniform(3200, 6000)) if rng.random() < 0.25 else 0.0,
        )

    def heard(self, rng: np.random.Generator, samples: Samples) -> Samples:
        said = sounds.reverberant(rng, samples, self.echo, self.wet)
        air = sounds.coloured(rng, len(said), self.colour)
        loud = np.sqrt(np.square(said).mean() / (np.square(air).mean() + 1e-12))
        said = said + air * np.float32(loud * 10 ** (-self.apart / 20))
        return sounds.narrow(said, self.highest) if self.highest else said


@dataclass(frozen=True)
class _Person:
    """How somebody sounds in a rush: so many times faster and higher, then so many times faster
    alone, as loud, as dull, and where."""

    height: float
    haste: float
    gain: float
    tilt: float
    place: _Place | None

    def says(self, rng: np.random.Generator, samples: Samples) -> Samples:
        said = resampled(samples, self.height)
        if self.haste != 1:
            said = stretched(rng, said, self.haste)
        if self.place is not None:
            said = self.place.heard(rng, said)
        said = said - np.float32(self.tilt) * np.concatenate([said[:1] * 0, said[:-1]])
        return np.asarray(said * np.float32(self.gain), np.float32)


class Deck:
    """Lines of one speaker at a time, or, if ``varied``, of people who take turns."""

    def __init__(self, rng: np.random.Generator, lines: Sequence[Line], varied: bool) -> None:
        self.rng = rng
        self.varied = varied
        self.left: dict[str, list[Line]] = {}
        for place in rng.permutation(len(lines)):
            self.left.setdefault(lines[place].speaker, []).append(lines[place])
        self.speaker = ""
        self.people: dict[str, _Person] = {}
        self.talking: list[str] = []
        self.crowd = False
        self.turn = 0
        self.change()

    def change(self) -> None:
        """Other people."""
        self.speaker = self._other([self.speaker])
        if self.varied:
            numbers, shares = zip(*_TALKING, strict=True)
            count = int(self.rng.choice(numbers, p=shares))
            self.crowd = count == 0
            self.talking = [self.speaker]
            for _ in range(count - 1):
                self.talking.append(self._other(self.talking))
            self.turn = self._turn()

    def draw(self, count: int) -> list[Line]:
        """The next lines; when a speaker has no more, another one goes on."""
        if self.varied:
            self._take_turns(count)
        drawn = []
        for _ in range(count):
            if not self.left[self.speaker]:
                self.speaker = self._other([self.speaker])
            if not self.left[self.speaker]:
                raise OptionError("too few lines for a film", "Raise lines in the configuration.")
            line = self.left[self.speaker].pop()
            drawn.append(self._as_said(line) if self.varied else line)
        return drawn

    def _other(self, but: Sequence[str]) -> str:
        """Somebody who still has something to say, and is none of these; else the first of them."""
        others = sorted(name for name, left in self.left.items() if left and name not in but)
        return str(self.rng.choice(others)) if others else but[0]

    def _turn(self) -> int:
        """Lines until somebody else speaks."""
        return int(self.rng.geometric(0.5 if self.crowd else 0.3))

    def _take_turns(self, count: int) -> None:
        if self.turn <= 0:
            self.turn = self._turn()
            if self.crowd:
                self.speaker = self._other([self.speaker])
            elif len(self.talking) > 1:
                others = [name for name in self.talking if name != self.speaker]
                self.speaker = str(self.rng.choice(others or self.talking))
        self.turn -= count

    def _as_said(self, line: Line) -> Line:
        """A line by its speaker as this rush has them."""
        if line.speaker not in self.people:
            self.people[line.speaker] = _Person(
                float(np.exp(np.clip(self.rng.normal(0, 0.08), -0.16, 0.16))),
                float(np.exp(np.clip(self.rng.normal(0, 0.13), -0.25, 0.25)))
                if self.rng.random() < 0.6
                else 1.0,
                float(10 ** (self.rng.normal(0, 2.5) / 20)),
                float(self.rng.normal(0, 0.25)),
                _Place.drawn(self.rng) if self.rng.random() < _RECORDED else None,
            )
        person = self.people[line.speaker]
        return replace(
            line,
            takes=tuple(person.says(self.rng, take) for take in line.takes),
            sibling=None if line.sibling is None else person.says(self.rng, line.sibling),
        )
