"""Read MLT XML as this package, Shotcut and ``melt`` write it.

The timeline is the tractor that the root names, else the last one. A clip counts its media from
0 unless what rides along says where its timecode starts. Sound that Shotcut plays with a picture
becomes a linked clip on a track of its own. See :mod:`.mlt_words` for the clocks.
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
from ..timing import rational_time
from .loss import LossReport
from .mlt_clips_read import Source, clip_of, dress, name_of, source_of
from .mlt_joins_read import Joint, join_parts
from .mlt_markers_read import restored, shown_markers, unclaimed
from .mlt_tracks import Part, PartReader, is_mix, played_by
from .mlt_words import BACKGROUND, MAX_NESTING, NAMESPACE, note_of, properties_of
from .unfolding import check_unfolded
from .xmeml_values import said_rate, said_seconds, seconds_time
from .xml_safe import clean, parse, read_bytes

_BLENDS = {"mix", "frei0r.cairoblend", "qtblend", "movit.overlay", "composite", "affine"}
_PRODUCERS = ("producer", "chain", "playlist", "tractor")


def read_mlt(source: bytes | Path) -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline of an MLT document, and what of it is not understood.

    Raises:
        FormatError: not MLT XML, hostile XML, or no timeline in it.
    """
    what = source.name if isinstance(source, Path) else "the MLT document"
    data = read_bytes(source) if isinstance(source, Path) else source
    root = parse(data, what)
    if root.tag != "mlt":
        raise FormatError(
            f"{what} is not MLT XML: its root is <{str(root.tag)[:40]}>",
            "Save it with Shotcut, or export it as MLT XML.",
        )
    reader = _Reader(root, what)
    return reader.timeline(), reader.report


class _Reader:
    """One document."""

    def __init__(self, root: Element, what: str) -> None:
        self.root, self.what = root, what
        self.report = LossReport("mlt", "read")
        self.rate = self._rate()
        self.folder = root.get("root") or ""
        self.elements: dict[str, Element] = {}
        for element in root.iter():
            if element.tag in _PRODUCERS and element.get("id"):
                self.elements.setdefault(element.get("id", ""), element)
        self.sources: dict[int, Source] = {}
        self.open: list[Element] = []
        self.drop = False
        self.links = 0
        self.left: Counter[tuple[str, int, int]] = Counter()

    def _rate(self) -> Fraction:
        profile = self.root.find("profile")
        numbers = [(profile.get(f"frame_rate_{x}") or "") if profile is not None else ""
                   for x in ("num", "den")]  # fmt: skip
        if all(text.isascii() and text.isdigit() and len(text) < 10 for text in numbers):
            top, bottom = map(int, numbers)
            if top and bottom and Fraction(top, bottom) <= 1000:
                return Fraction(top, bottom)
        self.report.note("rate", "it states none: taken to be 25")
        return Fraction(25)

    def find(self, identifier: str) -> Element | None:
        """A producer, playlist or tractor by its id."""
        return self.elements.get(identifier)

    def understand(self, producer: Element) -> Source:
        """What a producer plays, read once."""
        if id(producer) not in self.sources:
            self.sources[id(producer)] = source_of(producer, self.rate, self.folder)
        return self.sources[id(producer)]

    def timeline(self) -> otio.schema.Timeline:
        main = self._main()
        check_unfolded(self.root, main, self._played, 2 * MAX_NESTING + 2, self.what)
        properties = properties_of(main)
        note = note_of(properties)
        start = note.get("start")
        start = start if isinstance(start, int) and abs(start) < 10**9 else 0
        title = main.get("title") or self.root.get("title") or ""
        name = note.get("name")
        name = name if isinstance(name, str) and clean(name) == title else title
        timeline = otio.schema.Timeline(name, global_start_time=rational_time(start, self.rate))
        own = note.get("own")
        own = own if isinstance(own, dict) else {}
        self.drop = bool(own.get("drop_frame"))
        timeline.metadata[NAMESPACE] = {"drop_frame": self.drop, **own}
        shown = shown_markers(main, self.rate)
        self.left = Counter(marker.key for marker in shown)
        told = restored(note.get("markers"), self.left)
        timeline.tracks.extend(self._tracks(main))
        told += unclaimed(shown, self.left, self.rate)
        timeline.tracks.markers.extend(told)
        return timeline

    def _played(self, element: Element) -> Iterator[Element | None]:
        """What the entries of a playlist and the tracks of a tractor play."""
        if element.tag in ("playlist", "tractor"):
            for item in element:
                if item.tag in ("entry", "track"):
                    yield played_by(item, self.find)

    def _main(self) -> Element:
        named = self.find(self.root.get("producer") or "")
        tops = [one for one in self.root if one.tag in ("tractor", "playlist")]
        tractors = [one for one in tops if one.tag == "tractor" and not is_mix(one)]
        shotcut = [one for one in tractors if properties_of(one).get("shotcut") == "1"]
        for choice in ([named] if named is not None else [], shotcut, tractors, tops):
            for one in reversed(choice):
                if one.tag in ("tractor", "playlist"):
                    return one
        raise FormatError(
            f"{self.what} holds no timeline", "Save a project with a timeline, not a single clip."
        )

    def _tracks(self, main: Element) -> list[otio.schema.Track]:
        """The tracks of a tractor, pictures in their order and the sound they are heard with."""
        if main.tag == "playlist":
            track, heard = self._track(main, "", 1)
            return [track, *([self._mirror(track, heard)] if heard else [])]
        found: list[otio.schema.Track] = []
        sounds: list[otio.schema.Track] = []
        for number, element in enumerate(main.findall("track")):
            producer = self.find(element.get("producer") or "")
            if producer is None:
                self.report.lost("track", "it plays nothing that is in the file")
            elif not (number == 0 and self._is_background(producer)):
                hide = element.get("hide") or ""
                track, heard = self._track(producer, hide, len(found) + 1)
                found.append(track)
                if heard:
                    sounds.append(self._mirror(track, heard))
        for element in main.findall("transition"):
            service = properties_of(element).get("mlt_service") or element.get("mlt_service") or ""
            if service not in _BLENDS:
                self.report.lost("transition", f"{service or 'one'} between tracks")
        return found + sounds

    def _is_background(self, playlist: Element) -> bool:
        entries = playlist.findall("entry")
        if playlist.tag != "playlist" or len(entries) != 1 or playlist.find("blank") is not None:
            return False
        producer = self.find(entries[0].get("producer") or "")
        if producer is None or properties_of(producer).get("mlt_service") not in (
            "color",
            "colour",
        ):
            return False
        return playlist.get("id") == BACKGROUND or producer.get("id") == "black"

    def _track(
        self, producer: Element, hide: str, number: int
    ) -> tuple[otio.schema.Track, set[int]]:
        """A track, and the places of its clips that are heard though they are pictures."""
        properties = properties_of(producer)
        note = note_of(properties)
        sound = properties.get("shotcut:audio") == "1" or (
            hide == "video" and properties.get("shotcut:video") != "1"
        )
        kind = otio.schema.TrackKind.Audio if sound else otio.schema.TrackKind.Video
        name = properties.get("shotcut:name", properties.get("kdenlive:track_name"))
        said = note.get("name")
        if isinstance(said, str) and clean(said) == (name or ""):
            name = said
        track = otio.schema.Track(f"{kind[0]}{number}" if name is None else name, kind=kind)
        track.enabled = hide != "both"
        if isinstance(note.get("own"), dict):
            track.metadata[NAMESPACE] = note["own"]
        reader = PartReader(self.rate, self.find, self.understand)
        if producer.tag == "playlist":
            parts = reader.read(producer)
        else:
            parts = reader.read(self._alone(producer))
        joints = join_parts(parts, reader.clock, self.rate, self.report)
        heard = self._fill(track, joints, note)
        return track, set() if sound or hide == "audio" else heard

    def _alone(self, producer: Element) -> Element:
        """A playlist of one producer, for a track that is no playlist itself."""
        playlist = Element("playlist")
        entry = Element("entry", {"producer": producer.get("id", "")})
        entry.set("in", producer.get("in") or "0")
        if producer.get("out"):
            entry.set("out", producer.get("out", ""))
        playlist.append(entry)
        return playlist

    def _fill(
        self, track: otio.schema.Track, joints: list[Joint], note: dict[str, Any]
    ) -> set[int]:
        """Gaps, clips and transitions in order; the places of clips that say they have sound."""
        heard = set()
        clock = 0
        for joint in joints:
            track.extend(self._gaps(clock, joint.start, note))
            if joint.head is not None:
                track.append(joint.head)
            if joint.part is not None:
                if joint.part.source is not None and joint.part.source.sounds:
                    heard.add(len(track))
                track.append(self._item(joint.part, joint.start, joint.end))
            if joint.tail is not None:
                track.append(joint.tail)
            clock = joint.end
        return heard

    def _gaps(self, start: int, end: int, note: dict[str, Any]) -> list[otio.schema.Gap]:
        """What is empty from one record frame to another, in the gaps that it was made of."""
        said = note.get("gaps")
        owned = {}
        for one in said if isinstance(said, list) else ():
            if isinstance(one, list) and len(one) == 3 and isinstance(one[0], int):
                owned[one[0]] = (one[1], one[2])
        found = []
        while start < end:
            length, own = owned.get(start, (None, None))
            if not isinstance(length, int) or not 0 < length <= end - start:
                ahead = [at for at in owned if start < at < end]
                length, own = min(ahead, default=end) - start, None
            gap = otio.schema.Gap(source_range=self._range(length))
            if isinstance(own, dict):
                gap.metadata[NAMESPACE] = own
            found.append(gap)
            start += length
        return found

    def _range(self, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            rational_time(0, self.rate), rational_time(frames, self.rate)
        )

    def _item(self, part: Part, start: int, end: int) -> Any:
        first = part.first + start - part.start
        source = part.source or self.understand(part.producer)
        if part.producer.tag in ("tractor", "playlist"):
            item = self._nested(part.producer, source, first, end - start)
        else:
            item = clip_of(source, first, end - start, self.report, self.drop)
        left = None if len(self.open) else self.left
        item.markers.extend(restored(source.note.get("markers"), left))
        return item

    def _nested(self, element: Element, source: Source, first: int, frames: int) -> Any:
        """A tractor in a playlist: a sequence of its own."""
        stack = otio.schema.Stack(name_of(source))
        if element in self.open or len(self.open) > MAX_NESTING:
            self.report.lost("nested sequence", "it plays itself", item=stack.name)
        else:
            self.open.append(element)
            stack.extend(self._tracks(element))
            self.open.pop()
        note = source.note
        told = said_seconds(note.get("start")) if note.get("in") == first else None
        begin = Fraction(first) / self.rate if told is None else told
        clock = (said_rate(note.get("rate")) if told is not None else None) or self.rate
        stack.source_range = otio.opentime.TimeRange(
            seconds_time(begin, clock), rational_time(frames, self.rate)
        )
        stack.enabled = source.enabled
        dress(stack, source)
        return stack

    def _mirror(self, track: otio.schema.Track, heard: set[int]) -> otio.schema.Track:
        """The sound of a picture track's clips at the places ``heard``, linked to them."""
        sound = otio.schema.Track(f"{track.name} sound", kind=otio.schema.TrackKind.Audio)
        sound.enabled = track.enabled
        for place, item in enumerate(track):
            if place in heard:
                self.links += 1
                own = dict(item.metadata.get(NAMESPACE, {})) | {"link": self.links}
                item.metadata[NAMESPACE] = own
                copy = item.deepcopy()
                del copy.markers[:]
            elif isinstance(item, otio.schema.Transition):
                copy = item.deepcopy()
            else:
                length = int(item.source_range.duration.value)
                copy = otio.schema.Gap(source_range=self._range(length))
            sound.append(copy)
        return sound
