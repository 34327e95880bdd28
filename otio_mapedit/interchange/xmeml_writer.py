"""Write a timeline as xmeml 4, the XML of Final Cut Pro 7 that Premiere and Resolve import.

The element order is that of Premiere's own exports. See :mod:`.xmeml_words` for the clocks.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..errors import UsageError
from ..timing import can_drop_frames, exact_time, frame_at, rate_text
from .fcpxml_links import link_of
from .fcpxml_plan import Piece, Plan, TrackPlan, plan_stack, sequence_rate
from .gap_facts import stated_gaps
from .loss import LossReport
from .timeline_facts import data_of, own_facts, stated_sources
from .xmeml_effects import add_generator, add_marker, add_transition
from .xmeml_items import add_clip_head, add_clip_rest, edges_of, lost_effects
from .xmeml_links import Links, WrittenItem
from .xmeml_media import FileBook
from .xmeml_words import (
    MAX_NESTING,
    XmemlProfile,
    add,
    add_rate,
    add_timecode,
    is_writable_rate,
    note_text,
    xmeml_profile,
)
from .xml_safe import clean, serialise

_SIZE = (1920, 1080)


def write_xmeml(
    timeline: otio.schema.Timeline,
    profile: str | XmemlProfile = "premiere",
    drop_frame: bool | None = None,
) -> tuple[str, LossReport]:
    """The document, and what xmeml cannot carry. The timeline is not changed.

    ``drop_frame`` overrides ``timeline.metadata["mapedit"]["drop_frame"]``.

    Raises:
        OptionError: no such profile.
        UsageError: a sequence rate that xmeml cannot state.
    """
    chosen = xmeml_profile(profile)
    report = LossReport("xmeml", "write", chosen.name)
    rate = sequence_rate(timeline.tracks, timeline.global_start_time)
    if not is_writable_rate(rate):
        raise UsageError(
            f"xmeml cannot state {rate_text(rate)} frames per second",
            "Conform the sequence to 24, 25, 30, 50 or 60 (or their NTSC rates), or write FCPXML.",
        )
    stated = bool(data_of(timeline, "mapedit").get("drop_frame"))
    drop = (stated if drop_frame is None else drop_frame) and can_drop_frames(rate)
    begin = timeline.global_start_time
    start = frame_at(exact_time(begin), rate) if begin is not None else 0
    plan = plan_stack(timeline.tracks, rate, start, drop, report)
    plan.name = timeline.name
    writer = _Writer(chosen, FileBook(chosen, stated_sources(timeline), drop), report)
    writer.own = own_facts(timeline)
    return writer.document(plan, timeline.tracks), report


class _Writer:
    """One document: files and ids given so far."""

    def __init__(self, profile: XmemlProfile, files: FileBook, report: LossReport) -> None:
        self.profile, self.files, self.report = profile, files, report
        self.own: dict[str, Any] = {}
        self.items = 0
        self.sequences = 0
        # Nested sequences by content: each is defined once, and referred to by id from then on.
        self.nested: dict[str, str] = {}

    def document(self, plan: Plan, stack: Any) -> str:
        self._collect(plan, 0)
        root = Element("xmeml", version="4")
        self._sequence(root, plan, stack, 0)
        return serialise(root, "xmeml")

    def _collect(self, plan: Plan, depth: int) -> None:
        """Plan nested sequences and note what all clips need of their media."""
        self.files.collect(plan)
        for track in plan.tracks:
            for piece in track.pieces:
                if piece.is_clip or piece.is_gap:
                    continue
                inner = piece.item
                if not isinstance(inner, otio.schema.Stack):
                    inner = otio.schema.Stack(inner.name)
                    inner.append(piece.item.deepcopy())
                    inner[0].source_range = None
                if depth < MAX_NESTING:
                    rate = sequence_rate(inner, None, plan.rate)
                    rate = rate if is_writable_rate(rate) else plan.rate
                    piece.nested = plan_stack(_untrimmed(inner), rate, 0, False, self.report)
                    piece.nested.name = inner.name
                    self._collect(piece.nested, depth + 1)

    def _sequence(self, parent: Element, plan: Plan, stack: Any, depth: int) -> None:
        self.sequences += 1
        element = add(parent, "sequence", id=f"sequence-{self.sequences}")
        add(element, "duration", plan.duration)
        add_rate(element, plan.rate)
        add(element, "name", plan.name)
        media = add(element, "media")
        links = Links()
        self._video(media, plan, links, depth)
        self._audio(media, plan, links, depth)
        add_timecode(element, plan.start, plan.rate, plan.drop_frame)
        markers = [add_marker(element, marker, Fraction(0), plan.rate) for marker in stack.markers]
        names = [[track.track.name, bool(track.track.enabled)] for track in plan.tracks]
        data: dict[str, Any] = {"tracks": names, "markers": markers, **self._own(plan, depth)}
        if clean(plan.name) != plan.name:
            data["name"] = plan.name
        add(add(element, "logginginfo"), "lognote", note_text(data))
        links.write()

    def _own(self, plan: Plan, depth: int) -> dict[str, Any]:
        """What we wrote into the timeline and its gaps; of nested sequences nothing."""
        if depth:
            return {}
        gaps = [stated_gaps(track.track, plan.rate) for track in plan.tracks]
        found: dict[str, Any] = {"gaps": gaps} if any(gaps) else {}
        return found | ({"own": self.own} if self.own else {})

    def _video(self, media: Element, plan: Plan, links: Links, depth: int) -> None:
        video = add(media, "video")
        characteristics = add(add(video, "format"), "samplecharacteristics")
        add_rate(characteristics, plan.rate)
        width, height = self._size()
        add(characteristics, "width", width)
        add(characteristics, "height", height)
        add(characteristics, "pixelaspectratio", "square")
        add(characteristics, "fielddominance", "none")
        number = 0
        for track in plan.tracks:
            if track.is_video:
                number += 1
                self._track(video, plan, track, links, (number, 0, 0), depth)

    def _audio(self, media: Element, plan: Plan, links: Links, depth: int) -> None:
        audio = add(media, "audio")
        characteristics = add(add(audio, "format"), "samplecharacteristics")
        add(characteristics, "depth", 16)
        add(characteristics, "samplerate", 48000)
        number = 0
        sounds = [track for track in plan.tracks if not track.is_video]
        for index, track in enumerate(sounds):
            if track.track.kind != otio.schema.TrackKind.Audio:
                self.report.changed("track", "neither picture nor sound", track.track.name or "")
            clips = [piece for piece in track.pieces if piece.is_clip]
            width = max((self.files.width(piece, index) for piece in clips), default=1)
            copies = width if self.profile.exploded else 1
            for channel in range(copies):
                number += 1
                element = self._track(
                    audio, plan, track, links, (number, index, channel), depth, width
                )
                if self.profile.exploded:
                    kind = {1: "Mono", 2: "Stereo"}.get(width, "Adaptive")
                    element.set("currentExplodedTrackIndex", str(channel))
                    element.set("totalExplodedTrackCount", str(width))
                    element.set("premiereTrackType", kind)
                add(element, "outputchannelindex", channel + 1)

    def _size(self) -> tuple[int, int]:
        sizes = [file.size for file in self.files.files.values() if all(file.size)]
        return max(sizes, default=_SIZE, key=lambda size: size[0] * size[1])

    def _track(
        self,
        parent: Element,
        plan: Plan,
        track: TrackPlan,
        links: Links,
        place: tuple[int, int, int],
        depth: int,
        width: int = 1,
    ) -> Element:
        """One track; ``place``: its number, its number among sound tracks, the channel of it."""
        element = add(parent, "track")
        if track.track.name:
            element.set("MZ.TrackName", track.track.name)
        number, index, channel = place
        clips = 0
        for position, piece in enumerate(track.pieces):
            self._transition(element, plan, track, position, "head")
            if not piece.is_gap:
                clips += 1
                item = self._item(element, plan, track, piece, (index, channel, width), depth)
                if item is not None and piece.is_clip:
                    link = link_of(piece.item)
                    group = f"clip {item.get('id')}" if link is None else f"link {link}"
                    found = WrittenItem(item, item.get("id", ""), track.is_video, number, clips)
                    if item.tag == "clipitem":
                        links.groups[group].append(found)
            elif not channel and piece.item.markers:
                self.report.lost("marker", "a marker on a gap", **plan.place(piece))
            if position + 1 == len(track.pieces):
                self._transition(element, plan, track, position, "tail")
        if not channel and track.track.markers:
            self.report.lost("marker", "markers on a track", track.track.name or "")
        add(element, "enabled", bool(track.track.enabled))
        add(element, "locked", False)
        return element

    def _transition(
        self, parent: Element, plan: Plan, track: TrackPlan, position: int, side: str
    ) -> None:
        piece = track.pieces[position]
        join = piece.head if side == "head" else piece.tail
        if join is None:
            return
        cut = piece.record.start if side == "head" else piece.record.end
        if join.hollow:
            self.report.lost("transition", "it joins nothing", **plan.place(piece))
            return
        left = track.pieces[position - 1] if side == "head" and position else None
        left = piece if side == "tail" else left
        right = piece if side == "head" else None
        edge = "in" if left is None or left.is_gap else ""
        edge = "out" if right is None or right.is_gap else edge
        if join.before and join.after and join.before != join.after and not self.profile.cut_point:
            self.report.changed(
                "transition", "the host centres it over the cut", **plan.place(piece)
            )
        add_transition(parent, join, cut, plan.rate, track.is_video, edge)

    def _item(
        self,
        parent: Element,
        plan: Plan,
        track: TrackPlan,
        piece: Piece,
        sound: tuple[int, int, int],
        depth: int,
    ) -> Element | None:
        """A clip, generator or nested sequence; ``sound``: track, channel and channels of it."""
        self.items += 1
        identifier = f"clipitem-{self.items}"
        facts = self.files.facts(piece)
        for name in lost_effects(facts):
            self.report.lost("effect", name, **plan.place(piece))
        if not piece.is_clip:
            nested = self._nested(parent, plan, piece, identifier, depth)
            if nested is not None and not track.is_video:
                _add_sourcetrack(nested, 1 + sound[1])
            return nested
        file = self.files.of(piece)
        generator = isinstance(piece.item.media_reference, otio.schema.GeneratorReference)
        edges = edges_of(plan, piece, (file.start, file.end))
        seconds = file.end - file.start
        length = frame_at(
            seconds if piece.speed == 1 else seconds / (abs(piece.speed) or 1), plan.rate
        )
        tag = "generatoritem" if generator and track.is_video else "clipitem"
        element = add_clip_head(parent, tag, identifier, piece, plan, edges, length)
        if tag == "generatoritem":
            add_generator(element, piece.item.media_reference.generator_kind)
        else:
            element[0].text = file.id.replace("file", "masterclip")
            self.files.element(element, file)
        if not track.is_video:
            index, channel, width = sound
            if self.profile.exploded and width == 2:
                element.set("premiereChannelType", "stereo")
            _add_sourcetrack(element, self.files.first_channel(piece, index) + channel)
        self._mixed_rate(plan, piece, file.rate)
        add_clip_rest(element, piece, plan, facts, edges, None if generator else file, file.start)
        return element

    def _mixed_rate(self, plan: Plan, piece: Piece, rate: Fraction) -> None:
        if rate != plan.rate:
            self.report.note(
                "mixed rates",
                f"in and out count {rate_text(plan.rate)} frames per second, not the media's"
                f" {rate_text(rate)}",
                **plan.place(piece),
            )

    def _nested(
        self, parent: Element, plan: Plan, piece: Piece, identifier: str, depth: int
    ) -> Element | None:
        if piece.nested is None:
            self.report.lost("nested sequence", "nested too deeply", **plan.place(piece))
            return None
        item = piece.item
        if not isinstance(item, otio.schema.Stack):
            self.report.changed(
                "nested sequence", "a nested track becomes a sequence", **plan.place(piece)
            )
        length = Fraction(piece.nested.duration) / piece.nested.rate
        edges = edges_of(plan, piece, (Fraction(0), length))
        frames = frame_at(length / (abs(piece.speed) or 1), plan.rate)
        element = add_clip_head(
            parent, "clipitem", identifier, piece, plan, edges, max(frames, edges.last)
        )
        content = _content(item)
        if content in self.nested:
            add(element, "sequence", id=self.nested[content])
        else:
            self.nested[content] = f"sequence-{self.sequences + 1}"
            self._sequence(element, piece.nested, _Marked, depth + 1)
        element[0].text = f"masterclip-{self.nested[content]}"
        facts = self.files.facts(piece)
        add_clip_rest(element, piece, plan, facts, edges, None, Fraction(0))
        return element


def _add_sourcetrack(element: Element, channel: int) -> None:
    """Which channel of its media a sound item plays, counted from 1."""
    source = add(element, "sourcetrack")
    add(source, "mediatype", "audio")
    add(source, "trackindex", channel)


class _Marked:
    """Stands in for the stack of a nested sequence, whose markers are its item's."""

    markers: tuple[Any, ...] = ()


def _content(item: Any) -> str:
    """What two uses of one nested sequence share: everything inside it."""
    return "".join([item.name, *(child.to_json_string(indent=0) for child in item)])


def _untrimmed(stack: Any) -> Any:
    """A nested stack's whole content: its range becomes ``in`` and ``out``."""
    if stack.source_range is None:
        return stack
    copy = stack.deepcopy()
    copy.source_range = None
    return copy
