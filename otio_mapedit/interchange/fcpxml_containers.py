"""Clips that contain others, read: compound, multicam, synchronised and wrapped ones.

A ``clip`` that wraps one media file is that file's clip. Everything else becomes a nested stack
whose clock begins at 0 with its content; a multicam clip becomes its active angle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import exact_time
from .fcpxml_components import Components
from .fcpxml_media import Library
from .fcpxml_placed import STORY, Clock, Placed
from .fcpxml_retime import ClipClock, set_speed
from .fcpxml_times import on_frame, parse_time, seconds_range
from .fcpxml_words import FOREIGN, NAMESPACE, carried

MAX_NESTING = 32

#: Reads the elements of a sequence whose clock begins at the given time into a stack.
ReadStack = Callable[[list[Element], Fraction, Clock, dict[str, Any]], Any]


class Containers:
    """Shared by all sequences of a file: each nested one is read once."""

    def __init__(self, library: Library, read_stack: ReadStack) -> None:
        self.library = library
        self.report = library.report
        self.read_stack = read_stack
        self.components = Components(library, [])
        self._stacks: dict[tuple[str, str], tuple[Any, int]] = {}
        self._open: set[str] = set()

    def place(
        self,
        element: Element,
        clock: ClipClock,
        start: Fraction,
        data: dict[str, Any],
        sequence: Clock,
    ) -> tuple[Placed, ClipClock]:
        """The item of a container, and its clock on the item's own terms."""
        if element.tag == "ref-clip":
            return self._compound(element, clock, start, data, sequence)
        if element.tag == "mc-clip":
            return self._multicam(element, clock, start, data, sequence)
        content = [e for e in element if not e.get("lane") and (e.tag in STORY or e.tag == "spine")]
        if element.tag == "clip" and len(content) == 1 and self._wraps(content[0]):
            return self._wrapped(element, content[0], clock, start, data, sequence)
        return self._layers(element, content, clock, start, data, sequence)

    def _wraps(self, inner: Element) -> bool:
        """Whether an element is plain media with nothing on it but its own sound."""
        return (
            inner.tag in ("video", "audio", "asset-clip")
            and self.library.asset(inner.get("ref")) is not None
            and inner.find("timeMap") is None
            and inner.find("conform-rate") is None
            and all(child.tag == "audio" for child in inner if child.get("lane"))
        )

    def _wrapped(
        self,
        element: Element,
        inner: Element,
        clock: ClipClock,
        start: Fraction,
        data: dict[str, Any],
        sequence: Clock,
    ) -> tuple[Placed, ClipClock]:
        asset = self.library.asset(inner.get("ref"))
        assert asset is not None
        offset = parse_time(inner.get("offset"))
        begin = parse_time(inner.get("start"), asset.start)
        own = replace(clock, shift=begin - offset)
        placed = self.components.place(element, own, asset, start, data, sequence, inner)
        return placed, own

    def _layers(
        self,
        element: Element,
        content: list[Element],
        clock: ClipClock,
        start: Fraction,
        data: dict[str, Any],
        sequence: Clock,
    ) -> tuple[Placed, ClipClock]:
        """A clip of several things: a nested stack of them."""
        zero = Fraction(0)
        if content and content[0].tag == "spine":
            zero, content = parse_time(content[0].get("offset")), list(content[0])
            stack = self._deeper(content, Fraction(0), sequence, {})
        else:
            zero = min((parse_time(child.get("offset")) for child in content), default=zero)
            stack = self._deeper(content, zero, sequence, {})
        self.report.changed(
            element.tag, "its content is placed as a nested sequence", "",
            element.get("name", ""), sequence.at(start),
        )  # fmt: skip
        return self._nest(stack, element, clock, zero, start, data, sequence.rate, sequence.rate)

    def _deeper(
        self, content: list[Element], zero: Fraction, sequence: Clock, facts: dict[str, Any]
    ) -> Any:
        if sequence.depth >= MAX_NESTING:
            self.report.lost("nested sequence", "nested too deep")
            return otio.schema.Stack(name="tracks")
        inner = replace(sequence, depth=sequence.depth + 1, start=0, drop_frame=False)
        return self.read_stack(content, zero, inner, facts)

    def _compound(
        self,
        element: Element,
        clock: ClipClock,
        start: Fraction,
        data: dict[str, Any],
        sequence: Clock,
    ) -> tuple[Placed, ClipClock]:
        identity = element.get("ref", "")
        media = self.library.media.get(identity)
        inside = None if media is None else media.find("sequence")
        if inside is None:
            return self._missing(element, clock, start, sequence)
        rate = self._rate(inside, sequence.rate)
        facts = carried(inside)
        spine = inside.find("spine")
        zero = parse_time(inside.get("tcStart"))
        children = [] if spine is None else list(spine)
        stack = self._stack(identity, "", children, zero, replace(sequence, rate=rate), facts)
        if stack is None:
            return self._missing(element, clock, start, sequence)
        return self._nest(stack, element, clock, zero, start, data, rate, sequence.rate)

    def _stack(
        self,
        identity: str,
        angle: str,
        children: list[Element],
        zero: Fraction,
        sequence: Clock,
        facts: dict[str, Any],
    ) -> Any:
        """A copy of a nested sequence; None where it contains itself."""
        key = (identity, angle)
        if key not in self._stacks:
            if identity in self._open:
                return None
            self._open.add(identity)
            stack = self._deeper(children, zero, sequence, facts)
            self._open.remove(identity)
            items = sum(1 for _ in stack.find_children(otio.core.Item))
            self._stacks[key] = (stack, items)
            return stack.deepcopy()
        stack, items = self._stacks[key]
        self.library.count(items)
        return stack.deepcopy()

    def _nest(
        self,
        stack: Any,
        element: Element,
        clock: ClipClock,
        zero: Fraction,
        start: Fraction,
        data: dict[str, Any],
        rate: Fraction,
        sequence: Fraction,
    ) -> tuple[Placed, ClipClock]:
        own = replace(clock, shift=-zero)
        item = stack
        if data.get("nested") == "track" and len(stack) == 1:
            item = stack[0].deepcopy()
        item.name = element.get("name", "")
        begin = on_frame(own.source_start, rate) if own.time_map else own.source_start
        item.source_range = seconds_range(begin, own.duration, rate, record=sequence)
        set_speed(item, own, data)
        seen = any(track.kind == otio.schema.TrackKind.Video for track in stack) or not len(stack)
        picture = seen and element.get("srcEnable") != "audio"
        return Placed(item, start, clock.duration, picture=picture), own

    def _missing(
        self, element: Element, clock: ClipClock, start: Fraction, sequence: Clock
    ) -> tuple[Placed, ClipClock]:
        name = element.get("name", "")
        self.report.lost(
            "nested sequence", "the file does not hold it, or it contains itself", "", name,
            sequence.at(start),
        )  # fmt: skip
        clip = otio.schema.Clip(
            name=name,
            media_reference=otio.schema.MissingReference(),
            source_range=seconds_range(clock.source_start, clock.duration, sequence.rate),
        )
        set_speed(clip, clock, {})
        return Placed(clip, start, clock.duration), clock

    def _rate(self, sequence: Element, fallback: Fraction) -> Fraction:
        found = self.library.formats.get(sequence.get("format", ""))
        return found.rate if found is not None and found.rate is not None else fallback

    def _multicam(
        self,
        element: Element,
        clock: ClipClock,
        start: Fraction,
        data: dict[str, Any],
        sequence: Clock,
    ) -> tuple[Placed, ClipClock]:
        """The active angle: its clip where one covers the cut, else a nested stack."""
        identity = element.get("ref", "")
        media = self.library.media.get(identity)
        multicam = None if media is None else media.find("multicam")
        angles = [] if multicam is None else multicam.findall("mc-angle")
        if multicam is None or not angles:
            return self._missing(element, clock, start, sequence)
        zero = parse_time(multicam.get("tcStart"))
        rate = self._rate(multicam, sequence.rate)
        seen, heard = _active(element, angles)
        self.report.changed(
            "multicam", f"angle {seen.get('name', '')!r} is placed; the others are not carried", "",
            element.get("name", ""), sequence.at(start),
        )  # fmt: skip

        def stack_of(angle: Element) -> Any:
            inner = replace(sequence, rate=rate)
            name = angle.get("angleID", "")
            return self._stack(identity, name, list(angle), zero, inner, {})

        stack = stack_of(seen)
        if stack is None:
            return self._missing(element, clock, start, sequence)
        own = replace(clock, shift=-zero)
        window = (own.source_start, own.duration)
        pictures = _lone_clips(stack, otio.schema.TrackKind.Video, window, sequence.rate)
        if own.speed != 1 or len(pictures) != 1:
            return self._nest(stack, element, clock, zero, start, data, rate, sequence.rate)
        placed = Placed(pictures[0], start, clock.duration)
        _unlink(placed.item)
        other = stack if heard is seen else stack_of(heard)
        if other is not None:
            sounds = _lone_clips(other, otio.schema.TrackKind.Audio, window, sequence.rate)
            for number, sound in enumerate(sounds, 1):
                placed.link = self.library.link(data, True) if number == 1 else placed.link
                _unlink(sound)
                sound.metadata[NAMESPACE] = {"link": placed.link}
                placed.sounds.append(
                    Placed(sound, start, clock.duration, picture=False, track=number)
                )
        return placed, own


def _unlink(clip: Any) -> None:
    """Forget what a clip was inside its angle."""
    clip.metadata.pop(NAMESPACE, None)
    clip.metadata.pop(FOREIGN, None)


def _active(element: Element, angles: list[Element]) -> tuple[Element, Element]:
    """The angles that a multicam clip shows and plays."""
    known = {angle.get("angleID"): angle for angle in angles}
    found: dict[str, Element] = {}
    for source in element.iterfind("mc-source"):
        angle = known.get(source.get("angleID"))
        enable = source.get("srcEnable", "all")
        for kind in ("video", "audio"):
            if angle is not None and enable in ("all", kind):
                found.setdefault(kind, angle)
    seen = found.get("video", angles[0])
    return seen, found.get("audio", seen)


def _lone_clips(
    stack: Any, kind: str, window: tuple[Fraction, Fraction], rate: Fraction
) -> list[Any]:
    """Copies of the clips that alone fill a window (start, duration) on each track, trimmed to
    it; tracks where none does are left out."""
    start, duration = window
    found = []
    for track in stack:
        at = Fraction(0)
        for item in track if track.kind == kind else ():
            if isinstance(item, otio.schema.Transition):
                continue
            begin, at = at, at + exact_time(item.source_range.duration)
            if not begin <= start < start + duration <= at:
                continue
            if isinstance(item, otio.schema.Clip) and not item.effects:
                clip = item.deepcopy()
                del clip.markers[:]
                span = clip.source_range
                first = exact_time(span.start_time) + start - begin
                source = Fraction(span.start_time.rate).limit_denominator(1001)
                clip.source_range = seconds_range(first, duration, source, record=rate)
                found.append(clip)
    return found
