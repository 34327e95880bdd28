"""Counts of what a project holds: once from the raw XML, once from the timelines that were read.

The two share no code. Where an element has no item of its own, the reason stands here:

- what a plain ``clip`` wraps (one media element and its sound) is that clip;
- of an ``audition`` only the active pick plays;
- the angles inside a multicam clip are not cut, the multicam clip is;
- ``caption`` is lost and reported;
- the contents of a compound clip count once for each use, as they are placed once for each;
- media that no clip uses is no part of a timeline.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio

CLIPS = ("asset-clip", "clip", "video", "audio", "title", "ref-clip", "sync-clip", "mc-clip")


class RawCount:
    """What stands in the file."""

    def __init__(self, data: bytes) -> None:
        self.root = ElementTree.fromstring(data)
        self.media = {m.get("id"): m for m in self.root.iter("media")}
        self.found: Counter[str] = Counter()
        for project in self.root.iter("project"):
            self._sequence(project.find("sequence"))
        for event in (self.root, *self.root.iter("event")):
            for child in event:
                self._item(child)

    def _sequence(self, sequence: Any) -> None:
        for item in sequence.find("spine"):
            self._item(item)

    def _item(self, element: Any) -> None:
        tag = element.tag
        if tag == "audition":
            self._item(element[0])
        elif tag == "transition":
            self.found["transition"] += 1
        elif tag in CLIPS or tag == "gap":
            self._clip(element)

    def _clip(self, element: Any) -> None:
        tag = element.tag
        if tag != "gap":
            self.found[tag] += 1
            self.found["disabled"] += element.get("enabled") == "0"
        self.found["marker"] += len(element.findall("marker"))
        self.found["marker"] += len(element.findall("chapter-marker"))
        self.found["timeMap"] += len(element.findall("timeMap"))
        content = [e for e in element if not e.get("lane") and e.tag in (*CLIPS, "gap", "spine")]
        if tag == "ref-clip":
            self._sequence(self.media[element.get("ref")].find("sequence"))
        elif tag in ("clip", "sync-clip") and not (tag == "clip" and self._is_wrapped(content)):
            for child in content:
                for item in child if child.tag == "spine" else [child]:
                    self._item(item)
        for child in element:
            if child.get("lane"):
                for item in child if child.tag == "spine" else [child]:
                    self._item(item)

    def _is_wrapped(self, content: list[Any]) -> bool:
        return (
            len(content) == 1
            and content[0].tag in ("video", "audio", "asset-clip")
            and all(child.tag == "audio" for child in content[0] if child.get("lane"))
        )


class ReadCount:
    """What came out of it."""

    def __init__(self, timelines: list[Any]) -> None:
        self.found: Counter[str] = Counter()
        for timeline in timelines:
            self._stack(timeline.tracks)

    def _stack(self, stack: Any) -> None:
        pictures = {
            item.metadata.get("mapedit", {}).get("link")
            for track in stack
            if track.kind == otio.schema.TrackKind.Video
            for item in track
        } - {None}
        self.found["marker"] += len(stack.markers) if stack.name == "tracks" else 0
        for track in stack:
            items = list(track)
            for place, item in enumerate(items):
                sides = items[max(0, place - 1) : place] + items[place + 1 : place + 2]
                if isinstance(item, otio.schema.Transition):
                    travels = track.kind == otio.schema.TrackKind.Audio and any(
                        self._link(side) in pictures for side in sides
                    )
                    self.found["transition"] += not travels
                else:
                    self._item(item)

    def _link(self, item: Any) -> Any:
        return item.metadata.get("mapedit", {}).get("link")

    def _item(self, item: Any) -> None:
        tag = item.metadata.get("fcpxml", {}).get("element")
        self.found["marker"] += len(item.markers)
        if tag is None:
            return  # a gap, or a sound that belongs to a picture
        self.found[tag] += 1
        self.found["disabled"] += not item.enabled
        self.found["timeMap"] += sum(
            isinstance(effect, otio.schema.LinearTimeWarp) and effect.name != "conform-rate"
            for effect in item.effects
        )
        if isinstance(item, otio.schema.Stack) and tag != "mc-clip":
            self._stack(item)
