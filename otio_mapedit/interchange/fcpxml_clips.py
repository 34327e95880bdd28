"""One piece of the plan as a story element, in the order that the DTD demands."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from ..otio_values import elements, entry
from .fcpxml_assets import foreign_metadata, own_facts, stream_of
from .fcpxml_markers import marker_element
from .fcpxml_parts import Story, time_map_element, warps_of
from .fcpxml_plan import Piece, Plan
from .fcpxml_resources import Asset, Resources, timecode_format
from .fcpxml_times import LONGEST, TimeMap, conform_name, format_time, nearest, steady_map
from .fcpxml_words import (
    FOREIGN,
    NAMESPACE,
    decision_note,
    plain,
)
from .gain import gain_of, is_gain
from .xml_safe import clean


class ClipWriter:
    """Writes the pieces of one sequence."""

    def __init__(self, plan: Plan, resources: Resources, nested: dict[int, str]) -> None:
        self.plan = plan
        self.resources = resources
        self.nested = nested  # id of the Plan -> id of its media

    def story(self, piece: Piece, offset: Fraction, lane: int, picture: bool) -> Story:
        """The element of a piece; ``offset`` in its parent's clock, ``lane`` 0 in the spine."""
        item = piece.item
        self._report(piece)
        if piece.is_gap:
            story = self._new("gap", piece, piece.source_start)
        elif piece.nested is not None:
            story = self._nested(piece, picture)
        elif piece.asset is not None:
            story = self._asset_clip(piece, picture)
        else:
            story = self._generator(piece)
        self._attributes(story, piece, offset, lane)
        mine = plain(entry(item.metadata, NAMESPACE))
        if mine:
            story.data["metadata"] = mine
        if not piece.is_gap:
            self._decorate(story, piece, picture)
        self._mark(story, piece, item.markers, {})
        return story

    def _new(self, tag: str, piece: Piece, local_start: Fraction) -> Story:
        return Story(Element(tag), piece.record.start, local_start)

    def _attributes(self, story: Story, piece: Piece, offset: Fraction, lane: int) -> None:
        element = story.element
        if lane:
            element.set("lane", str(lane))
        element.set("offset", format_time(offset))
        element.set("name", piece.item.name or ("Gap" if piece.is_gap else ""))
        name = piece.item.name or ""
        if piece.is_gap and name:
            story.data["name"] = name
        if clean(name) != name:
            story.data["title"] = name
        # Without a start, a clip begins with its asset.
        if story.local_start or piece.asset is not None:
            element.set("start", format_time(story.local_start))
        element.set("duration", format_time(Fraction(piece.record.duration) / self.plan.rate))
        if not piece.item.enabled and not piece.is_gap:
            element.set("enabled", "0")

    def _asset_clip(self, piece: Piece, picture: bool) -> Story:
        asset = piece.asset
        assert asset is not None
        tag = "video" if asset.still and picture else "asset-clip"
        local, timing = self._timing(piece, *asset.span)
        story = self._new(tag, piece, local)
        story.element.set("ref", asset.id)
        story.data.update(own_facts(piece))
        if tag == "asset-clip":
            self._note(story, piece.item)
        story.lead += timing or self._conform(asset, picture)
        if tag == "video":
            return story
        self._sources(story, piece, asset, picture)
        if asset.drop_frame is not None:
            story.element.set("tcFormat", timecode_format(asset.drop_frame, asset.rate))
        return story

    def _conform(self, asset: Asset, picture: bool) -> list[Element]:
        """Real time, whatever the rates: a source frame is shown for as long as it lasts."""
        if not picture or asset.still or asset.rate == self.plan.rate:
            return []
        element = Element("conform-rate", {"scaleEnabled": "0"})
        if name := conform_name(asset.rate, self.resources.profile.number):
            element.set("srcFrameRate", name)
        return [element]

    def _sources(self, story: Story, piece: Piece, asset: Asset, picture: bool) -> None:
        """Which of the asset's picture and sound the clip plays, and how loud."""
        sounds = piece.sounds if picture else [piece]
        if picture and not sounds and asset.has_audio:
            story.element.set("srcEnable", "video")
        elif not picture and asset.has_video:
            story.element.set("srcEnable", "audio")
        if not sounds:
            return
        story.element.set("audioRole", "dialogue")
        most = max(1, len(asset.channels))  # two tracks may play the one sound of a file
        numbered = sorted(
            (
                (min(stream_of(sound) or place, most), sound)
                for place, sound in enumerate(sounds, 1)
            ),
            key=lambda pair: pair[0],
        )
        if len(asset.channels) == 1 and len(sounds) == 1:
            story.lead += self._volume(sounds[0])
        elif picture or len(asset.channels) > 1:
            story.trail += self._components(asset, numbered)
        if picture:
            story.data["sounds"] = [
                self._sound(story, n, each) for n, (_, each) in enumerate(numbered)
            ]
            self._split(story, piece, sounds[0])

    def _components(self, asset: Asset, numbered: list[tuple[int, Piece]]) -> list[Element]:
        """One ``audio-channel-source`` for each stream; those that nobody plays are inactive."""
        elements = []
        for stream, channels in enumerate(asset.channels, 1):
            first = sum(asset.channels[: stream - 1]) + 1
            names = ", ".join(str(number) for number in range(first, first + channels))
            played = [sound for number, sound in numbered if number == stream]
            for sound in played:
                element = Element("audio-channel-source", {"srcCh": names})
                element.set("role", f"dialogue.dialogue-{stream}")
                element.extend(self._volume(sound))
                elements.append(element)
            if not played:
                elements.append(Element("audio-channel-source", {"srcCh": names, "active": "0"}))
        return elements

    def _volume(self, sound: Piece) -> list[Element]:
        gain = gain_of(sound.item)
        if gain is None:
            return []
        amount = f"{gain:.6f}".rstrip("0").rstrip(".")
        if float(amount) != gain:
            self.plan.report.changed("gain", f"{gain} dB rounded", **self.plan.place(sound))
        return [Element("adjust-volume", {"amount": amount + self.resources.profile.unit})]

    def _sound(self, story: Story, number: int, sound: Piece) -> dict[str, Any]:
        """What rides along of a sound that has no element of its own."""
        self._report(sound)
        data: dict[str, Any] = {"track": sound.track, **own_facts(sound), **warps_of(sound.item)}
        if (sound.item.name or "") != story.element.get("name", sound.item.name or ""):
            data["name"] = sound.item.name or ""
        mine = plain(entry(sound.item.metadata, NAMESPACE))
        if mine:
            data["metadata"] = mine
        self._mark(story, sound, sound.item.markers, {"sound": str(number)})
        return data

    def _split(self, story: Story, piece: Piece, sound: Piece) -> None:
        """A J or L cut."""
        if sound.record == piece.record:
            return
        story.element.set("audioStart", format_time(sound.source_start))
        length = Fraction(sound.record.duration) / self.plan.rate
        story.element.set("audioDuration", format_time(length))

    def _timing(
        self, piece: Piece, start: Fraction, end: Fraction
    ) -> tuple[Fraction, list[Element]]:
        """Where a piece begins on its local clock, and the ``timeMap`` that makes it so."""
        if piece.speed == 1:
            return piece.source_start, []
        if piece.speed == 0:
            length = Fraction(piece.record.duration) / self.plan.rate
            held = piece.source_start
            return held, [time_map_element(TimeMap(((held, held), (held + length, held))))]
        steady = steady_map(piece.speed, start, end)
        edge = piece.source_start if piece.speed > 0 else self.plan.upper(piece)
        local = edge / piece.speed if piece.speed > 0 else (start + end - edge) / -piece.speed
        if any(abs(time) > LONGEST for point in steady.points for time in point):
            self.plan.report.lost("speed", "out of range", **self.plan.place(piece))
            piece.speed = Fraction(1)
            return piece.source_start, []
        return nearest(local), [time_map_element(steady)]

    def _nested(self, piece: Piece, picture: bool) -> Story:
        assert piece.nested is not None
        length = Fraction(piece.nested.duration) / piece.nested.rate
        local, timing = self._timing(piece, Fraction(0), length)
        story = self._new("ref-clip", piece, local)
        story.element.set("ref", self.nested[id(piece.nested)])
        if not picture:
            story.element.set("srcEnable", "audio")
        self._note(story, piece.item)
        story.lead += timing
        if not picture:
            story.lead += self._volume(piece)
        if isinstance(piece.item, otio.schema.Track):
            story.data["nested"] = "track"
        return story

    def _generator(self, piece: Piece) -> Story:
        reference = piece.item.media_reference
        foreign = plain(entry(reference.metadata, FOREIGN))
        foreign = foreign if isinstance(foreign, dict) else {}
        kind = reference.generator_kind or "Custom"
        tag = "title" if foreign.get("element") == "title" else "video"
        local: Fraction = piece.source_start
        timing: list[Element] = []
        if tag == "video" and piece.speed != 1:
            local, timing = self._timing(piece, Fraction(0), Fraction(3600))
        story = self._new(tag, piece, local)
        uid = foreign.get("uid")
        story.element.set("ref", self.resources.effect(kind, uid if isinstance(uid, str) else ""))
        story.lead += timing
        parameters = plain(reference.parameters)
        if tag == "title" and isinstance(text := parameters.get("text"), str):
            SubElement(story.element, "text").text = text
            parameters.pop("text")
        for key, value in (("name", reference.name), ("kind", reference.generator_kind)):
            if value != (kind if key == "kind" else piece.item.name):
                story.data[key] = value
        if parameters:
            story.data["parameters"] = parameters
        if available := reference.available_range:
            story.data["available"] = [
                available.start_time.value, available.start_time.rate,
                available.duration.value, available.duration.rate,
            ]  # fmt: skip
        if not uid:
            self.plan.report.changed(
                "generator", f"the host draws its own {kind!r}", **self.plan.place(piece)
            )
        return story

    def _note(self, story: Story, item: Any) -> None:
        foreign, mine = (plain(entry(item.metadata, name)) for name in (FOREIGN, NAMESPACE))
        text = foreign.get("note") if isinstance(foreign, dict) else None
        text = text or (decision_note(mine) if isinstance(mine, dict) else "")
        if isinstance(text, str) and text:
            note = Element("note")
            note.text = text
            story.lead.insert(0, note)

    def _decorate(self, story: Story, piece: Piece, picture: bool) -> None:
        """What rides along because FCPXML has no field for it."""
        item = piece.item
        story.data.update(warps_of(item))
        cdl = plain(entry(item.metadata, "cdl"))
        if cdl:
            story.data["cdl"] = cdl
            self.plan.report.changed(
                "grade",
                "the CDL rides along; the host does not apply it",
                **self.plan.place(piece),
            )
        if picture and gain_of(item) is not None:
            story.data["gain"] = gain_of(item)

    def _mark(self, story: Story, piece: Piece, markers: Any, facts: dict[str, str]) -> None:
        notes = story.data.get("markers", [])
        for marker in elements(markers):
            if marker.color:
                self.plan.report.changed(
                    "marker", f"its colour {marker.color} stands in its note", "", marker.name,
                    self.plan.at(piece.record.start),
                )  # fmt: skip
            story.markers.append(
                marker_element(marker, lambda s, d: self._place(piece, s, d), notes, facts)
            )
        if notes:
            story.data["markers"] = notes

    def _place(
        self, piece: Piece, start: Fraction, duration: Fraction
    ) -> tuple[Fraction, Fraction]:
        """Media time as the clip's local time."""
        speed = piece.speed
        if speed in (0, 1) or piece.is_gap:
            return start, duration
        if speed > 0:
            return nearest(start / speed), nearest(duration / speed)
        ends = piece.asset.span if piece.asset else (Fraction(0), Fraction(3600))
        if piece.nested is not None:
            ends = Fraction(0), Fraction(piece.nested.duration) / piece.nested.rate
        return nearest((sum(ends) - start - duration) / -speed), nearest(duration / -speed)

    def _report(self, piece: Piece) -> None:
        """Say what of an item is not written."""
        item = piece.item
        for effect in elements(item.effects):
            if not isinstance(effect, otio.schema.LinearTimeWarp) and not is_gain(effect):
                name = effect.effect_name or effect.name or effect.schema_name()
                self.plan.report.lost("effect", name, **self.plan.place(piece))
        if names := foreign_metadata(item):
            self.plan.report.lost("metadata", ", ".join(names), **self.plan.place(piece))
