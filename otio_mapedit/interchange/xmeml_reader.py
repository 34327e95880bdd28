"""Read xmeml 4 and 5 (Final Cut Pro 7 XML, as Premiere, Resolve, Hiero and others write it).

A clip's source range begins at the media's timecode and lasts what it lasts on the track. Tracks
are as long as their sequence. The first sequence outside a clip is read, or the one asked for;
the report names the others. See :mod:`.xmeml_words` for the clocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..errors import FormatError
from ..timing import frame_at, rational_time
from .gain import set_gain
from .gap_facts import read_gaps
from .loss import LossReport
from .timeline_facts import taken_back
from .unfolding import check_unfolded
from .xmeml_effects_read import Filters, read_colour, read_filters, read_markers, time_warps
from .xmeml_media_read import FileShelf, reference_of
from .xmeml_sound import Sound, is_exploded_copy
from .xmeml_tracks import ITEMS, Edges, SequenceClock, TrackReader
from .xmeml_values import (
    count_of,
    definitions,
    is_true,
    notes_of,
    rate_of,
    said_rate,
    said_seconds,
    said_text,
    seconds_time,
    start_of,
    text_of,
    ticks_of,
    top_sequences,
)
from .xmeml_words import FOREIGN, MAX_NESTING, NAMESPACE, TICKS
from .xml_safe import clean, parse, read_bytes

_DEFAULT_RATE = Fraction(25)


def read_xmeml(source: bytes | Path, sequence: str = "") -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline of an xmeml document, and what of it is not understood.

    ``sequence`` names the one to read, the first where it is empty.

    Raises:
        FormatError: not xmeml, hostile XML, or no such sequence.
    """
    what = source.name if isinstance(source, Path) else "the xmeml document"
    data = read_bytes(source) if isinstance(source, Path) else source
    root = parse(data, what)
    if root.tag != "xmeml":
        raise FormatError(
            f"{what} is not xmeml: its root is <{str(root.tag)[:40]}>",
            "Export it as Final Cut Pro 7 XML.",
        )
    found = list(top_sequences(root))
    chosen = [one for one in found if not sequence or text_of(one, "name") == sequence]
    if not chosen:
        names = ", ".join(repr(text_of(one, "name")) for one in found[:20])
        raise FormatError(
            f"{what} holds no sequence" + (f" called {sequence!r}" if sequence else ""),
            f"Choose one of: {names}." if names else "Export a sequence, not a clip.",
        )
    reader = _Reader(root)
    for other in found:
        if other is not chosen[0]:
            reader.report.note("sequence", f"another one is not read: {text_of(other, 'name')!r}")
    check_unfolded(root, chosen[0], reader.played, MAX_NESTING, what)
    return reader.timeline(chosen[0]), reader.report


class _Reader:
    """One document."""

    def __init__(self, root: Element) -> None:
        self.report = LossReport("xmeml", "read")
        self.files = FileShelf(root)
        self.sequences = definitions(root, "sequence")
        self.open: list[Element] = []

    def timeline(self, element: Element) -> otio.schema.Timeline:
        rate = rate_of(element, _DEFAULT_RATE)
        start, drop = start_of(element, rate)
        frame = frame_at(start, rate)
        said = notes_of(element)
        timeline = otio.schema.Timeline(
            name=said_text(element, "name", said.get("name")),
            global_start_time=rational_time(frame, rate),
        )
        timeline.metadata[NAMESPACE] = taken_back(said) | {"drop_frame": drop}
        stack = self.stack(element, SequenceClock(rate, frame, drop))
        tracks = list(stack)
        del stack[:]  # a track has one parent
        timeline.tracks.extend(tracks)
        markers = read_markers(element, said.get("markers"), Fraction(0), rate)
        timeline.tracks.markers.extend(markers)
        return timeline

    def played(self, sequence: Element) -> Iterator[Element | None]:
        """The sequence that each item plays, or None."""
        for kind in ("video", "audio"):
            for track in sequence.iterfind(f"media/{kind}/track"):
                for item in track:
                    if item.tag in ITEMS:
                        yield self.nested(item.find("sequence"))

    def nested(self, element: Element | None) -> Element | None:
        """The sequence that an item plays, wherever in the file it is described."""
        if element is None or len(element):
            return element
        return self.sequences.get(element.get("id", ""))

    def stack(self, element: Element, clock: SequenceClock) -> otio.schema.Stack:
        """The tracks of a sequence, picture below sound as OTIO has them."""
        self.open.append(element)
        stack = _SequenceReader(self, element, clock).stack()
        self.open.pop()
        return stack


class _SequenceReader:
    """The tracks of one sequence, and which of its items belong together."""

    def __init__(self, reader: _Reader, element: Element, clock: SequenceClock) -> None:
        self.reader, self.report, self.element, self.clock = reader, reader.report, element, clock
        self.by_id: dict[str, Any] = {}
        self.links: list[list[str]] = []

    def stack(self) -> otio.schema.Stack:
        length = count_of(self.element, "duration") or 0
        tracks = TrackReader(self.clock, self.report, length)
        stack = otio.schema.Stack(text_of(self.element, "name"))
        said = notes_of(self.element)
        pairs = said.get("tracks")
        pairs = pairs if isinstance(pairs, list) else []
        names = [pair[0] for pair in pairs if isinstance(pair, list) and pair]
        gaps = said.get("gaps")
        gaps = gaps if isinstance(gaps, list) else []
        number = 0
        for kind, path in (("Video", "media/video/track"), ("Audio", "media/audio/track")):
            same = 0
            first: Element | None = None
            for element in self.element.findall(path):
                if first is not None and is_exploded_copy(first, element):
                    continue
                first = element
                same += 1
                name = element.get("MZ.TrackName") or text_of(element, "name")
                told = names[number] if number < len(names) else None
                if isinstance(told, str) and (clean(told) == name or not name):
                    name = told
                name = name if told is not None else name or f"{kind[0]}{same}"
                stated = read_gaps(gaps[number]) if number < len(gaps) else []
                number += 1
                sound = Sound(element) if kind == "Audio" else None
                made = tracks.read(element, name, kind, self._maker(sound), stated)
                for one in made:
                    one.enabled = is_true(element, "enabled", True)
                stack.extend(made)
        self._link()
        return stack

    def _maker(self, sound: Sound | None) -> Any:
        def make(element: Element, edges: Edges) -> otio.core.Item | None:
            item = self._item(element, edges, sound)
            if item is not None:
                self._note_links(element, item)
            return item

        return make

    def _item(self, element: Element, edges: Edges, sound: Sound | None) -> Any:
        said = notes_of(element)
        filters = read_filters(element, said)
        name = said_text(element, "name", said.get("name"))
        for unknown in filters.unknown:
            self.report.lost("effect", unknown, item=name, at=self.clock.at(edges.start))
        nested = element.find("sequence")
        if nested is not None:
            item = self._nested(nested, element, edges, filters, said, name)
        else:
            item = self._clip(element, edges, filters, said, name)
        if item is None:
            return None
        item.enabled = is_true(element, "enabled", True)
        self._dress(item, element, filters, said, sound)
        return item

    def _clip(
        self, element: Element, edges: Edges, filters: Filters, said: dict[str, Any], name: str
    ) -> otio.schema.Clip:
        file = self.reader.files.of(element, self.clock.rate)
        told = said.get("media")
        if element.tag == "generatoritem" and not isinstance(told, dict):
            effect = element.find("effect")
            kind = text_of(effect, "effectid") or text_of(effect, "name") or name
            told = {"kind": "generator", "generator": kind, "parameters": {}}
            self.report.note("generator", "its settings are not read", item=name)
        if file is None and not isinstance(told, dict):
            self.report.lost(
                "media", "it refers to no file", item=name, at=self.clock.at(edges.start)
            )
        reference = reference_of(file, told, self.clock.drop)
        start = file.start if file is not None else Fraction(0)
        length = file.length if file is not None else Fraction(0)
        if file is None and reference.available_range is not None:
            available = reference.available_range
            start = Fraction(available.start_time.value) / _exact(available.start_time.rate)
        rate = file.rate if file is not None else rate_of(element, self.clock.rate)
        span = self._range(element, edges, filters.speed, said, (start, length, rate))
        clip = otio.schema.Clip(name, reference, span)
        zero = start
        clip.markers.extend(
            read_markers(element, said.get("markers"), zero, rate_of(element, self.clock.rate))
        )
        return clip

    def _nested(
        self,
        nested: Element,
        element: Element,
        edges: Edges,
        filters: Filters,
        said: dict[str, Any],
        name: str,
    ) -> otio.schema.Stack | None:
        definition = self.reader.nested(nested)
        if (
            definition is None
            or definition in self.reader.open
            or (len(self.reader.open) > MAX_NESTING)
        ):
            self.report.lost("nested sequence", "its sequence is not in the file", item=name)
            return None
        rate = rate_of(definition, self.clock.rate)
        start, drop = start_of(definition, rate)
        stack = self.reader.stack(definition, SequenceClock(rate, frame_at(start, rate), drop))
        stack.name = name
        length = Fraction(count_of(definition, "duration") or 0) / rate
        media = (Fraction(0), length, rate)
        stack.source_range = self._range(element, edges, filters.speed, said, media)
        item_markers = read_markers(element, said.get("markers"), Fraction(0), self.clock.rate)
        inner = read_markers(definition, notes_of(definition).get("markers"), Fraction(0), rate)
        stack.markers.extend([*item_markers, *inner])
        return stack

    def _range(
        self,
        element: Element,
        edges: Edges,
        speed: Fraction,
        said: dict[str, Any],
        media: tuple[Fraction, Fraction, Fraction],
    ) -> otio.opentime.TimeRange:
        """Source range; ``media`` is its start, length (0: not known) and rate."""
        rate = rate_of(element, self.clock.rate)
        first = count_of(element, "in")
        first = 0 if first is None or (first == -1 and count_of(element, "out") == -1) else first
        duration = rational_time(edges.frames, self.clock.rate)
        clock = said_rate(said.get("rate")) or media[2]
        told = said_seconds(said.get("start"))
        if told is not None and said.get("in") == first:
            return otio.opentime.TimeRange(seconds_time(told, clock), duration)
        pace = abs(speed) or Fraction(1)
        offset = Fraction(first) / rate * pace
        ticks = ticks_of(element, "pproTicksIn")
        if speed == 1 and ticks is not None and round(ticks * rate / TICKS) == first:
            offset = _on_frame(Fraction(ticks, TICKS), media[2])
        shift = Fraction(edges.start - edges.begin) / self.clock.rate * pace
        if speed > 0:
            offset += shift
        elif speed < 0:
            # Its clock runs from the media's end; what is shown last is the lowest.
            shown = Fraction(edges.frames) / self.clock.rate * pace
            whole = media[1] or Fraction(count_of(element, "duration") or 0) / rate * pace
            offset = whole - offset - shift - shown
        return otio.opentime.TimeRange(seconds_time(media[0] + offset, clock), duration)

    def _dress(
        self,
        item: Any,
        element: Element,
        filters: Filters,
        said: dict[str, Any],
        sound: Sound | None,
    ) -> None:
        """Speed, gain, colour and metadata."""
        item.effects.extend(time_warps(filters.warps, said.get("warps")))
        if filters.gain is not None:
            set_gain(item, filters.gain)
        own = taken_back(said)
        own.pop("link", None)
        if "stream" in said:
            own["stream"] = said["stream"]
        if sound is not None:
            own.update(sound.facts(element, own))
        if own:
            item.metadata[NAMESPACE] = own
        colour = read_colour(element)
        if colour:
            item.metadata["cdl"] = colour
        label = text_of(element, "labels/label2")
        if label:
            item.metadata[FOREIGN] = {"label2": label}

    def _note_links(self, element: Element, item: Any) -> None:
        identifier = element.get("id", "")
        self.by_id[identifier] = item
        group = [text_of(link, "linkclipref").strip() for link in element.findall("link")]
        if len(group) > 1:
            self.links.append([identifier, *group])

    def _link(self) -> None:
        """Items that refer to each other get one ``link``."""
        parent: dict[str, str] = {}

        def root(one: str) -> str:
            while parent.setdefault(one, one) != one:
                parent[one] = parent[parent[one]]
                one = parent[one]
            return one

        for group in self.links:
            for other in group:
                parent[root(other)] = root(group[0])
        sizes = Counter(root(identifier) for identifier in self.by_id)
        numbers: dict[str, int] = {}
        for identifier, item in self.by_id.items():
            group_root = root(identifier)
            if sizes[group_root] > 1:
                number = numbers.setdefault(group_root, len(numbers) + 1)
                own = dict(item.metadata.get(NAMESPACE, {}))
                item.metadata[NAMESPACE] = own | {"link": number}


def _on_frame(seconds: Fraction, rate: Fraction) -> Fraction:
    """A moment that is counted in whole ticks, on the media frame that it stands for."""
    whole = frame_at(seconds, rate) / rate
    return whole if abs(whole - seconds) <= Fraction(1, TICKS) else seconds


def _exact(rate: float) -> Fraction:
    return said_rate(rate) or _DEFAULT_RATE
