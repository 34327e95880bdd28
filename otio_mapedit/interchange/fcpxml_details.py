"""What hangs on a clip, read: names, notes, markers, gain, generators; and what is lost."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from .fcpxml_components import volume
from .fcpxml_markers import TIMELINE
from .fcpxml_media import Library
from .fcpxml_placed import Clock, Placed
from .fcpxml_retime import ClipClock
from .fcpxml_times import on_frame, parse_time, seconds_range, seconds_time
from .fcpxml_words import EFFECTS, FOREIGN, NAMESPACE, NOTE_MARK, decision_of, untagged
from .gain import set_gain
from .xml_safe import clean

_MARKERS = ("marker", "chapter-marker")
#: Adjustments that change nothing where they hold these values.
_NEUTRAL = {
    "adjust-transform": {
        "position": "0 0", "scale": "1 1", "rotation": "0", "anchor": "0 0", "enabled": "1",
    },
    "adjust-conform": {"type": "fit"},
    "adjust-blend": {"amount": "1"},
}  # fmt: skip
#: Children that say how Final Cut shows or organises a clip; counted once per file.
_HOUSEKEEPING = {
    "adjust-colorConform": "colour conform settings",
    "adjust-conform": "spatial conform settings",
    "rating": "ratings",
    "analysis-marker": "analysis markers",
    "hidden-clip-marker": "hidden clip markers",
    "audio-role-source": "role settings of sound",
    "sync-source": "role settings of sound",
    "mc-source": "angle settings",
    "reserved": "private data",
}


class Details:
    """Reads what hangs on the clips of one sequence. ``loose`` collects markers that belong to
    the timeline or a track: where, time in seconds, marker."""

    def __init__(self, library: Library, sequence: Clock) -> None:
        self.library = library
        self.report = library.report
        self.sequence = sequence
        self.loose: list[tuple[str, Any, Element, dict[str, Any]]] = []

    def describe(
        self,
        element: Element,
        placed: Placed,
        clock: ClipClock,
        data: dict[str, Any],
        rate: Fraction,
    ) -> None:
        """Complete the item of an element."""
        item = placed.item
        if element.get("enabled") == "0":
            for each in (item, *(sound.item for sound in placed.sounds)):
                each.enabled = False
        self._remember(element, placed, data)
        title = data.get("title")
        if isinstance(title, str) and clean(title) == element.get("name"):
            for each in (item, *(sound.item for sound in placed.sounds)):
                each.name = title if each.name == clean(title) else each.name
        if isinstance(data.get("gain"), int | float) and placed.picture:
            set_gain(item, data["gain"])
        self._volume(element, placed)
        if isinstance(data.get("cdl"), dict):
            item.metadata["cdl"] = data["cdl"]
        if not clock.is_steady:
            self.report.changed(
                "speed", "a ramp became its mean speed", "", item.name or "", self._at(placed)
            )
        for marker in element:
            if marker.tag in _MARKERS:
                self._marker(marker, placed, clock, data, rate)
        self._losses(element, placed)

    def _at(self, placed: Placed) -> str:
        return self.sequence.at(placed.start)

    def _remember(self, element: Element, placed: Placed, data: dict[str, Any]) -> None:
        """Metadata of ours, and of Final Cut's what a later writer or reader may want."""
        item = placed.item
        note = element.findtext("note") or ""
        mine = data.get("metadata")
        decision = decision_of(note)
        if not isinstance(mine, dict):
            mine = decision
        if placed.link is not None:
            mine = {**mine, "link": placed.link}
        if mine:
            item.metadata[NAMESPACE] = {**item.metadata.get(NAMESPACE, {}), **mine}
        foreign: dict[str, Any] = {"element": element.tag}
        if note and not decision and not note.startswith(NOTE_MARK):
            foreign["note"] = note
        keywords = [
            {key: keyword.get(key) for key in ("value", "start", "duration") if keyword.get(key)}
            for keyword in element.iterfind("keyword")
        ]
        if keywords:
            foreign["keywords"] = keywords
            self.library.tally["keywords kept as metadata"] += len(keywords)
        for key in ("audioRole", "videoRole", "role"):
            if element.get(key):
                foreign[key] = element.get(key)
        if element.tag != "gap":
            item.metadata[FOREIGN] = foreign

    def _volume(self, element: Element, placed: Placed) -> None:
        adjust = element.find("adjust-volume")
        if adjust is None:
            return
        gain = volume(adjust)
        targets = placed.sounds if placed.picture else [placed, *placed.sounds]
        if gain is not None:
            for sound in targets or [placed]:
                set_gain(sound.item, gain)
        if len(adjust):
            self.report.lost(
                "gain", "its fades or keyframes", "", placed.item.name or "", self._at(placed)
            )

    def _marker(
        self,
        element: Element,
        placed: Placed,
        clock: ClipClock,
        data: dict[str, Any],
        rate: Fraction,
    ) -> None:
        comment, colour, facts = untagged(element.get("note", ""))
        notes = data.get("markers")
        local = parse_time(element.get("start"))
        length = parse_time(element.get("duration"))
        on = facts.get("on", "")
        if on:
            start, duration = placed.start + clock.record(local), length
        else:
            start, duration = clock.media_range(local, length)
            if clock.time_map is not None:
                start, duration = on_frame(start, rate), on_frame(duration, rate)
        target = placed.item
        sound = facts.get("sound", "")
        if sound.isdecimal() and int(sound) < len(placed.sounds):
            target = placed.sounds[int(sound)].item
        marker = otio.schema.Marker(
            name=element.get("value", ""),
            marked_range=marked_range(
                start, duration, self.sequence.rate if on else rate, self.sequence.rate
            ),
            color=colour,
            comment=comment,
        )
        foreign = {"completed": element.get("completed")} if element.get("completed") else {}
        if element.tag == "chapter-marker":
            foreign["chapter"] = element.get("posterOffset") or "0s"
        if foreign:
            marker.metadata[FOREIGN] = foreign
        if on:
            self.loose.append((on, marker, element, facts))
            return
        self.restore(marker, facts, notes)
        target.markers.append(marker)

    def restore(self, marker: Any, facts: dict[str, str], notes: Any) -> None:
        """What rides along about a marker; its id alone where a host dropped the rest."""
        number = facts.get("n", "")
        extra = None
        if isinstance(notes, list) and number.isdecimal() and int(number) < len(notes):
            extra = notes[int(number)]
        extra = extra if isinstance(extra, dict) else {}
        if isinstance(extra.get("metadata"), dict):
            marker.metadata[NAMESPACE] = extra["metadata"]
        elif facts.get("id"):
            marker.metadata[NAMESPACE] = {"id": facts["id"]}
        for key in ("name", "comment"):
            text = extra.get(key)
            if isinstance(text, str) and clean(text) == getattr(marker, key):
                setattr(marker, key, text)
        if isinstance(extra.get("colour"), str) and not marker.color:
            marker.color = extra["colour"]

    def generator(self, element: Element, data: dict[str, Any]) -> Any:
        """The reference of a title or generator, by its effect's name."""
        name, uid = self.library.effects.get(element.get("ref", ""), ("", ""))
        if not uid and element.tag != "title":
            self.report.lost("media", "the file does not hold it", "", element.get("name", ""))
            return otio.schema.MissingReference()
        parameters: dict[str, Any] = {}
        if element.tag == "title":
            texts = ["".join(text.itertext()).strip() for text in element.iterfind("text")]
            parameters["text"] = "\n".join(texts)
        if isinstance(data.get("parameters"), dict):
            parameters |= data["parameters"]
        available = data.get("available")
        span = None
        if isinstance(available, list) and len(available) == 4:
            times = [float(n) for n in available if isinstance(n, int | float)]
            if len(times) == 4 and times[1] > 0 and times[3] > 0:
                span = otio.opentime.TimeRange(
                    otio.opentime.RationalTime(times[0], times[1]),
                    otio.opentime.RationalTime(times[2], times[3]),
                )
        kind = data.get("kind", name or "Basic Title")
        title = data.get("name", element.get("name", ""))
        reference = otio.schema.GeneratorReference(
            name=title if isinstance(title, str) else "",
            generator_kind=kind if isinstance(kind, str) else name,
            available_range=span,
            parameters=parameters,
        )
        if "parameters" not in data and "kind" not in data:
            reference.metadata[FOREIGN] = {
                "element": element.tag,
                "uid": uid or EFFECTS["Basic Title"],
            }
        if element.find("param") is not None:
            self.library.tally["parameters of titles and generators"] += 1
        return reference

    def _losses(self, element: Element, placed: Placed) -> None:
        name = placed.item.name or ""
        for child in element:
            tag = child.tag
            if tag in _HOUSEKEEPING:
                self.library.tally[_HOUSEKEEPING[tag]] += 1
            elif tag.startswith("filter-"):
                effect = (
                    child.get("name")
                    or self.library.effects.get(child.get("ref", ""), (tag, ""))[0]
                )
                self.report.lost("effect", effect, "", name, self._at(placed))
            elif tag.startswith("adjust-") and tag != "adjust-volume" and not _is_neutral(child):
                self.report.lost("adjustment", tag[7:], "", name, self._at(placed))


def _is_neutral(element: Element) -> bool:
    neutral = _NEUTRAL.get(element.tag)
    if neutral is None or len(element):
        return element.get("enabled") == "0"
    return all(neutral.get(key) == value for key, value in element.attrib.items())


def marked_range(start: Fraction, duration: Fraction, rate: Fraction, sequence: Fraction) -> Any:
    """A marker's range in frames of its media where it lies on them, else of the sequence."""
    for each in (rate, sequence):
        if (start * each).denominator == 1 and (duration * each).denominator == 1:
            return seconds_range(start, duration, each)
    return otio.opentime.TimeRange(seconds_time(start, rate), seconds_time(duration, rate))


def is_timeline(on: str) -> bool:
    """Whether a marker that is not its clip's own belongs to the timeline."""
    return on == TIMELINE
