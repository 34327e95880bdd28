"""What a reader finds in a storyline before it knows on which track it belongs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import timecode
from .fcpxml_times import seconds_time

#: Elements that stand for something seen or heard.
CLIPS = frozenset(
    ("asset-clip", "clip", "video", "audio", "title", "ref-clip", "sync-clip", "mc-clip")
)
STORY = CLIPS | {"gap", "audition", "caption", "live-drawing"}


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a sequence is read: its rate, start timecode and how deep inside others."""

    rate: Fraction
    start: int = 0
    drop_frame: bool = False
    depth: int = 0

    def at(self, seconds: Fraction) -> str:
        """Record timecode for the loss report."""
        return timecode(max(0, int(seconds * self.rate) + self.start), self.rate, self.drop_frame)


@dataclass(slots=True, eq=False)
class Crossing:
    """A transition over the moment ``cut`` of the sequence, in seconds before and after it.
    ``seen`` and ``heard`` are the OTIO transitions for picture and sound; None where it has
    none."""

    cut: Fraction
    before: Fraction
    after: Fraction
    seen: Any
    heard: Any


@dataclass(slots=True, eq=False)
class Placed:
    """An item at ``start`` seconds of the sequence. ``sounds`` travel with a picture; ``track``
    is the audio track that a sound asks for, counted from 1."""

    item: Any
    start: Fraction
    duration: Fraction
    picture: bool = True
    head: Crossing | None = None
    tail: Crossing | None = None
    sounds: list[Placed] = field(default_factory=list)
    track: int = 1
    link: int | str | None = None  # what it shares with its sounds

    @property
    def end(self) -> Fraction:
        """First moment after it."""
        return self.start + self.duration

    @property
    def is_gap(self) -> bool:
        """Whether there is nothing to see or hear."""
        return isinstance(self.item, otio.schema.Gap)


@dataclass(slots=True)
class Storyline:
    """Items of one lane that follow each other; 0 is the primary storyline."""

    lane: int
    items: list[Placed]


class Shelf:
    """The tracks of one kind while they fill: nothing may overlap on one."""

    def __init__(self) -> None:
        self.tracks: dict[int, list[Placed]] = {}
        self._starts: dict[int, list[Fraction]] = {}

    def fits(self, number: int, items: Iterable[Placed]) -> bool:
        """Whether a track is free wherever ``items`` want to be."""
        return all(self._is_free(number, item) for item in items)

    def _is_free(self, number: int, item: Placed) -> bool:
        starts = self._starts.get(number, [])
        place = bisect_right(starts, item.start)
        track = self.tracks.get(number, [])
        if place and track[place - 1].end > item.start:
            return False
        return place == len(track) or item.end <= track[place].start

    def put(self, number: int, items: Iterable[Placed], step: int = 1) -> None:
        """Put ``items`` on track ``number``, or on the next one in the direction of ``step`` on
        which they find room."""
        items = list(items)
        while not self.fits(number, items):
            number += step
        track = self.tracks.setdefault(number, [])
        starts = self._starts.setdefault(number, [])
        for item in items:
            place = bisect_right(starts, item.start)
            starts.insert(place, item.start)
            track.insert(place, item)


def build_stack(
    storylines: list[Storyline],
    rate: Fraction,
    plan: list[dict[str, Any]],
    end: Fraction,
    gaps: list[tuple[int, Placed]],
) -> Any:
    """The tracks of a sequence. ``plan`` says kinds, names and order of the tracks where the file
    is one of ours; else pictures come in the order of their lanes, then sounds. ``gaps`` belong
    to tracks of the plan, by place; where something was put instead they are gone."""
    pictures, sounds = Shelf(), Shelf()
    for line in storylines:
        seen = [item for item in line.items if item.picture]
        if seen or line.lane == 0:
            pictures.tracks.setdefault(line.lane, [])
            pictures.put(line.lane, seen, -1 if line.lane < 0 else 1)
    for line in storylines:
        travelling = [sound for item in line.items for sound in item.sounds]
        for sound in travelling:
            sounds.put(sound.track, [sound])
    for line in storylines:
        heard = [item for item in line.items if not item.picture]
        if heard:
            sounds.put(heard[0].track, heard)
    _drop_hollow(pictures, sounds, plan)
    for place, gap in gaps:
        kind, number, _ = _planned(plan)[place]
        shelf = pictures if kind == "Video" else sounds
        if shelf.fits(number, [gap]):
            shelf.put(number, [gap])
    shelves = (pictures, sounds)
    end = max([end, *(track[-1].end for s in shelves for track in s.tracks.values() if track)])
    stack = otio.schema.Stack(name="tracks")
    for kind, number, facts in _order(pictures, sounds, plan):
        shelf = pictures if kind == "Video" else sounds
        track = _track(shelf.tracks.get(number, []), rate, end)
        track.kind = kind
        track.name = str(facts.get("name", ""))
        track.enabled = facts.get("enabled") is not False
        if isinstance(facts.get("metadata"), dict):
            track.metadata["mapedit"] = facts["metadata"]
        stack.append(track)
    return stack


def _drop_hollow(pictures: Shelf, sounds: Shelf, plan: list[dict[str, Any]]) -> None:
    """A primary storyline of nothing but gaps that carries sound is no video track."""
    hollow = all(item.is_gap for item in pictures.tracks.get(0, []))
    planned = any(facts.get("kind") == "Video" for facts in plan)
    if hollow and (sounds.tracks or plan) and not planned and len(pictures.tracks) == 1:
        pictures.tracks.pop(0)


def _order(
    pictures: Shelf, sounds: Shelf, plan: list[dict[str, Any]]
) -> list[tuple[str, int, dict[str, Any]]]:
    """Kind, number and facts of every track, bottom first."""
    order = _planned(plan)
    named = {(kind, number) for kind, number, _ in order}
    below: list[tuple[str, int, dict[str, Any]]] = [
        ("Video", n, {}) for n in sorted(pictures.tracks) if n < 0
    ]
    rest: list[tuple[str, int, dict[str, Any]]] = [
        ("Video", n, {}) for n in sorted(pictures.tracks) if n >= 0 and ("Video", n) not in named
    ]
    rest += [("Audio", n, {}) for n in sorted(sounds.tracks) if ("Audio", n) not in named]
    for position, (kind, _, facts) in enumerate([*below, *order, *rest]):
        if not plan:
            place = sum(1 for k, _, _ in [*below, *order, *rest][:position] if k == kind) + 1
            facts["name"] = f"{kind[0]}{place}"
    return [*below, *order, *rest]


def _planned(plan: list[dict[str, Any]]) -> list[tuple[str, int, dict[str, Any]]]:
    """Kind, number and facts of the tracks that the file names: pictures by lane from 0, sounds
    from 1."""
    order = []
    counts = {"Video": 0, "Audio": 1}
    for facts in plan:
        kind = "Audio" if facts.get("kind") == "Audio" else "Video"
        order.append((kind, counts[kind], facts))
        counts[kind] += 1
    return order


def _track(items: list[Placed], rate: Fraction, end: Fraction) -> Any:
    track = otio.schema.Track()
    at = Fraction(0)
    previous: Placed | None = None
    for placed in items:
        touching = previous is not None and placed.start == at
        if (
            previous is not None
            and previous.tail is not None
            and not (touching and placed.head is previous.tail)
        ):
            _append(track, previous.tail, previous.picture, rate)
        if placed.start > at:
            track.append(_gap(placed.start - at, rate))
        _append(track, placed.head, placed.picture, rate)
        track.append(placed.item)
        at, previous = placed.end, placed
    if previous is not None:
        _append(track, previous.tail, previous.picture, rate)
    if end > at:
        track.append(_gap(end - at, rate))
    return track


def _append(track: Any, crossing: Crossing | None, picture: bool, rate: Fraction) -> None:
    if crossing is None:
        return
    transition = crossing.seen if picture else crossing.heard
    if transition is None:
        return
    # Both sides of a crossing append it where they are on different tracks.
    transition = transition.deepcopy()
    transition.in_offset = seconds_time(crossing.before, rate)
    transition.out_offset = seconds_time(crossing.after, rate)
    track.append(transition)


def _gap(duration: Fraction, rate: Fraction) -> Any:
    return otio.schema.Gap(
        source_range=otio.opentime.TimeRange(
            seconds_time(Fraction(0), rate), seconds_time(duration, rate)
        )
    )
