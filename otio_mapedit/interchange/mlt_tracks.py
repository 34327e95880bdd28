"""A playlist of MLT as the clips of a track: what Shotcut cuts up for its mixes is put together.

A mix stands in its playlist as an entry of its own, which takes its frames from the clips on both
sides. A clip is therefore what plays from the middle of the mix before it to that of the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

from .mlt_clips_read import Source
from .mlt_words import MIXED, frames_of, note_of, properties_of


@dataclass(slots=True, eq=False)
class Part:
    """A clip in the making: record frames from ``start`` to before ``end``; ``first`` is the
    position of its producer that ``start`` shows. ``head`` is the mix before it."""

    producer: Element
    source: Source | None
    start: int
    end: int
    first: int
    head: tuple[Element, int, int] | None = None
    from_mix: bool = False

    @property
    def position(self) -> int:
        """The position that comes next."""
        return self.first + self.end - self.start


def is_mix(element: Element) -> bool:
    """Whether a tractor is a transition between two clips."""
    if element.tag != "tractor" or len(element.findall("track")) != 2:
        return False
    return MIXED in properties_of(element)


def before_of(tractor: Element, frames: int) -> int:
    """Frames of a mix before its cut; half of it where nothing says so."""
    written = note_of(properties_of(tractor)).get("written")
    if isinstance(written, list) and len(written) == 2:
        before, after = written
        if isinstance(before, int) and isinstance(after, int) and before + after == frames:
            return max(0, min(frames, before))
    return frames // 2


def played_by(entry: Element, find: Callable[[str], Element | None]) -> Element | None:
    """What an entry plays: a producer by its id, or one that is written inside of it."""
    producer = find(entry.get("producer") or "")
    if producer is None:
        inline = [one for one in entry if one.tag in ("producer", "chain", "tractor")]
        producer = inline[0] if inline else None
    return producer


class PartReader:
    """The parts of one playlist; ``find`` gives an element by id, ``understand`` its source."""

    def __init__(self, rate: Fraction, find: Any, understand: Any) -> None:
        self.rate, self.find, self.understand = rate, find, understand
        self.clock = 0
        self.parts: list[Part] = []

    def read(self, playlist: Element) -> list[Part]:
        """All parts; the playlist lasts until :attr:`clock`."""
        for child in playlist:
            if child.tag == "blank":
                self.clock += max(0, frames_of(child.get("length"), self.rate, 0))
            elif child.tag == "entry":
                self._entry(child)
        return [part for part in self.parts if part.end > part.start]

    def _entry(self, entry: Element) -> None:
        producer = played_by(entry, self.find)
        first, frames = self._span(entry, producer)
        if producer is not None and is_mix(producer):
            self._mix(producer, first, frames)
            return
        if producer is not None and frames:
            last = self.parts[-1] if self.parts else None
            if last is not None and last.from_mix and self._continues(last, producer, first):
                last.end += frames
                last.from_mix = False
            else:
                source = self.understand(producer)
                self.parts.append(Part(producer, source, self.clock, self.clock + frames, first))
        self.clock += frames

    def _span(self, entry: Element, producer: Element | None) -> tuple[int, int]:
        """First position and length of an entry or track."""
        first = frames_of(entry.get("in"), self.rate, 0)
        whole = 0
        if producer is not None:
            stated = properties_of(producer).get("length")
            whole = frames_of(stated, self.rate, frames_of(producer.get("out"), self.rate, -1) + 1)
        last = frames_of(entry.get("out"), self.rate, whole - 1)
        return first, max(0, last - first + 1)

    def _continues(self, part: Part, producer: Element, first: int) -> bool:
        """Whether ``producer`` from ``first`` on plays what follows a part."""
        if part.end != self.clock or part.position != first:
            return False
        if part.producer is producer:
            return True
        other = self.understand(producer)
        mine = part.source
        if mine is None or other is None:
            return False
        return bool((mine.resource, mine.speed) == (other.resource, other.speed))

    def _mix(self, tractor: Element, skipped: int, frames: int) -> None:
        tracks = tractor.findall("track")
        producers = [self.find(track.get("producer") or "") for track in tracks]
        firsts = [self._span(track, None)[0] + skipped for track in tracks]
        before = before_of(tractor, frames)
        cut = self.clock + before
        last = self.parts[-1] if self.parts else None
        left, right = producers
        if left is not None:
            if last is not None and self._continues(last, left, firsts[0]):
                last.end = cut
            elif before:
                source = self.understand(left)
                self.parts.append(Part(left, source, self.clock, cut, firsts[0]))
        self.clock += frames
        if right is not None:
            source = self.understand(right)
            made = Part(right, source, cut, self.clock, firsts[1] + before)
            made.head = (tractor, before, frames - before)
            made.from_mix = True
            self.parts.append(made)
