"""Story elements, read: a storyline and everything that is connected to it.

The local clock of each element (see :mod:`.fcpxml_times`) places what is connected to it; all
ends up in seconds of the sequence. Elements that contain others (compound, synchronised and
multicam clips, layered stills) become nested stacks, except where they only wrap one media file.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from .fcpxml_components import Components
from .fcpxml_containers import Containers
from .fcpxml_details import Details
from .fcpxml_media import AssetFacts, Library
from .fcpxml_placed import CLIPS, STORY, Clock, Crossing, Placed, Storyline, build_stack
from .fcpxml_retime import ClipClock, read_clock, set_speed
from .fcpxml_times import parse_time, seconds_range
from .fcpxml_transitions_read import read_transition
from .fcpxml_words import NAMESPACE, carried

#: How deep connected items may hang on connected items, and sequences lie in sequences.
MAX_DEPTH = 32


class StoryReader:
    """Reads one sequence; nested ones get readers of their own."""

    def __init__(
        self, library: Library, clock: Clock, sound_tracks: list[int], containers: Containers
    ) -> None:
        self.containers = containers
        self._depth = 0
        self.library = library
        self.report = library.report
        self.clock = clock
        self.storylines: list[Storyline] = []
        self.details = Details(library, clock)
        self.components = Components(library, sound_tracks)

    def read(self, children: Iterable[Element], zero: Fraction) -> None:
        """Read the primary storyline; ``zero`` is its clock at the sequence's first frame."""
        line = Storyline(0, [])
        self.storylines.append(line)
        line.items = self._storyline(children, zero, Fraction(0), 0)

    def stack(self, plan: list[dict[str, Any]], said: Any) -> Any:
        """The tracks of all that was read; ``said`` is what rides along about gaps."""
        gaps = []
        for entry in said if isinstance(said, list) else ():
            if not isinstance(entry, list) or len(entry) != 4:
                continue
            place, start, length, mine = entry
            numbers = all(isinstance(n, int) and n >= 0 for n in (place, start, length))
            if not numbers or place >= len(plan) or not length or not isinstance(mine, dict):
                continue
            begin, duration = start / self.clock.rate, length / self.clock.rate
            gap = otio.schema.Gap(
                source_range=seconds_range(Fraction(0), duration, self.clock.rate)
            )
            gap.metadata[NAMESPACE] = mine
            gaps.append((place, Placed(gap, begin, duration)))
        return build_stack(self.storylines, self.clock.rate, plan, Fraction(0), gaps)

    def _storyline(
        self, children: Iterable[Element], zero: Fraction, record: Fraction, lane: int
    ) -> list[Placed]:
        """Items in order; ``zero`` of the storyline's clock lies at ``record`` seconds."""
        items: list[Placed] = []
        waiting: Element | None = None
        at = record
        for element in children:
            if element.tag == "transition":
                if waiting is not None:
                    self._lose_transition(waiting, at)
                waiting = element
                continue
            if element.tag not in STORY or element.get("lane"):
                continue
            offset = record + parse_time(element.get("offset"), at - record + zero) - zero
            placed = self._item(element, max(at, offset), lane)
            if placed is None:
                continue
            at = placed.end
            if waiting is not None:
                last = items[-1] if items else None
                self._cross(waiting, last, placed, placed.start, record - zero)
                waiting = None
            items.append(placed)
        if waiting is not None:
            self._cross(waiting, items[-1] if items else None, None, at, record - zero)
        if lane < 0 and not any(item.picture and not item.is_gap for item in items):
            for item in items:
                item.picture, item.track = False, -lane
        return items

    def _cross(
        self,
        element: Element,
        left: Placed | None,
        right: Placed | None,
        cut: Fraction,
        shift: Fraction,
    ) -> None:
        """Put a transition between two items. Where a hole is between them it belongs to the one
        that it covers."""
        length = parse_time(element.get("duration"))
        begin = parse_time(element.get("offset"), cut - shift) + shift
        if left is not None and right is not None and left.end < right.start:
            if begin < left.end:
                cut, right = left.end, None
            else:
                left = None
        sides = [side for side in (left, right) if side is not None]
        if not sides or length <= 0:
            self._lose_transition(element, cut)
            return
        seen, heard = read_transition(element, self.library)
        crossing = Crossing(cut, cut - begin, begin + length - cut, seen, heard)
        if any(not side.picture for side in sides) and heard is None:
            crossing.heard = seen
        if left is not None:
            left.tail = crossing
            for sound in left.sounds:
                sound.tail = crossing
        if right is not None:
            right.head = crossing
            for sound in right.sounds:
                sound.head = crossing

    def _lose_transition(self, element: Element, at: Fraction) -> None:
        name = element.get("name", "")
        self.report.lost("transition", "it joins nothing", "", name, self.clock.at(at))

    def _item(self, element: Element, start: Fraction, lane: int) -> Placed | None:
        """One story element and, elsewhere, what is connected to it. None where it has nothing
        to show."""
        if element.tag == "audition":
            return self._audition(element, start, lane)
        if element.tag in ("caption", "live-drawing"):
            text = " ".join("".join(element.itertext()).split())
            name = element.get("name") or text[:60]
            self.report.lost(element.tag, text[:200], "", name, self.clock.at(start))
            return None
        self.library.count()
        asset = self.library.asset(element.get("ref"))
        rate = self.library.rate(asset, self.clock.rate)
        begin, length = (asset.start, asset.duration) if asset else (Fraction(0), Fraction(0))
        if element.tag == "ref-clip" and element.get("duration") is None:
            length = self._media_duration(element)
        clock = read_clock(element, begin, length, rate, self.clock.rate)
        if clock.duration <= 0:
            self.report.lost(
                "clip", "it lasts no time", "", element.get("name", ""), self.clock.at(start)
            )
            return None
        placed = self._placed(element, clock, asset, rate, start, lane)
        self._connected(element, clock, start, lane)
        return placed

    def _audition(self, element: Element, start: Fraction, lane: int) -> Placed | None:
        picks = [child for child in element if child.tag in CLIPS]
        if not picks:
            return None
        others = ", ".join(pick.get("name", "") for pick in picks[1:])
        if others:
            self.report.changed(
                "audition", f"its active pick is placed; others not carried: {others}", "",
                picks[0].get("name", ""), self.clock.at(start),
            )  # fmt: skip
        return self._item(picks[0], start, lane)

    def _placed(
        self,
        element: Element,
        clock: ClipClock,
        asset: AssetFacts | None,
        rate: Fraction,
        start: Fraction,
        lane: int,
    ) -> Placed:
        data = carried(element)
        tag = element.tag
        if tag == "gap":
            placed = self._gap(element, clock, start, data)
        elif tag in ("clip", "sync-clip", "ref-clip", "mc-clip"):
            placed, clock = self.containers.place(element, clock, start, data, self.clock)
        elif asset is not None:
            placed = self.components.place(element, clock, asset, start, data, self.clock)
        else:
            placed = self._generator(element, clock, start, data)
        if not placed.picture:
            placed.track = -lane if lane < 0 else 1
        self.details.describe(element, placed, clock, data, rate)
        return placed

    def _gap(
        self, element: Element, clock: ClipClock, start: Fraction, data: dict[str, Any]
    ) -> Placed:
        gap = otio.schema.Gap(
            name=str(data.get("name", "")),
            source_range=seconds_range(clock.local_start, clock.duration, self.clock.rate),
        )
        return Placed(gap, start, clock.duration)

    def _generator(
        self, element: Element, clock: ClipClock, start: Fraction, data: dict[str, Any]
    ) -> Placed:
        clip = otio.schema.Clip(
            name=element.get("name", ""),
            media_reference=self.details.generator(element, data),
            source_range=seconds_range(clock.source_start, clock.duration, self.clock.rate),
        )
        set_speed(clip, clock, data)
        return Placed(clip, start, clock.duration, picture=element.tag != "audio")

    def _media_duration(self, element: Element) -> Fraction:
        media = self.library.media.get(element.get("ref", ""))
        sequence = None if media is None else media.find("sequence")
        return parse_time(None if sequence is None else sequence.get("duration"))

    def _connected(self, element: Element, clock: ClipClock, start: Fraction, lane: int) -> None:
        """What is connected to an element, on lanes of its own."""
        if self._depth >= MAX_DEPTH:
            self.report.lost("clip", "nested too deep", "", element.get("name", ""))
            return
        self._depth += 1
        for child in element:
            if not (child.get("lane") or "").lstrip("-").isdecimal():
                continue
            own = int(child.get("lane", "0")[:6]) + lane
            if child.tag != "spine" and child.tag not in STORY:
                continue
            at = start + clock.record(parse_time(child.get("offset"), clock.local_start))
            if at < 0:
                self.report.changed(
                    "clip", "it begins before the sequence: moved to its start", "",
                    child.get("name", ""),
                )  # fmt: skip
                at = Fraction(0)
            line = Storyline(own or lane, [])
            self.storylines.append(line)
            if child.tag == "spine":
                line.items = self._storyline(child, Fraction(0), at, line.lane)
            else:
                placed = self._item(child, at, line.lane)
                line.items = [] if placed is None else [placed]
        self._depth -= 1
