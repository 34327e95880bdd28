"""Pieces of story elements that every kind of clip needs: the order of children, time maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from ..otio_values import elements
from .fcpxml_times import TimeMap, format_time, nearest
from .fcpxml_words import NOTE_MARK, attach, plain, text_of


@dataclass(slots=True, eq=False)
class Story:
    """A story element in the making. ``local_start`` is its first frame on its local clock,
    which runs at the sequence's pace."""

    element: Element
    record_start: int
    local_start: Fraction
    lead: list[Element] = field(default_factory=list)  # note, timing, adjustments
    anchored: list[Element] = field(default_factory=list)
    markers: list[Element] = field(default_factory=list)
    trail: list[Element] = field(default_factory=list)  # channels
    data: dict[str, Any] = field(default_factory=dict)  # what rides along

    def local(self, seconds: Fraction) -> Fraction:
        """Local time ``seconds`` after the first frame."""
        return self.local_start + seconds

    def finish(self) -> Element:
        """The element with all its children in order."""
        note = self.element.tag in ("video", "audio") and self.data
        if note:
            SubElement(self.element, "note").text = NOTE_MARK + text_of(self.data)
        self.element.extend([*self.lead, *self.anchored, *self.markers, *self.trail])
        if not note:
            attach(self.element, self.data)
        return self.element


def warps_of(item: Any) -> dict[str, Any]:
    """Names, exact scalars and metadata of an item's time warps."""
    warps = [
        [effect.name, effect.time_scalar, plain(effect.metadata)]
        for effect in elements(item.effects)
        if isinstance(effect, otio.schema.LinearTimeWarp)
    ]
    return {"warps": warps} if warps else {}


def time_map_element(steady: TimeMap) -> Element:
    element = Element("timeMap")
    for time, value in steady.points:
        SubElement(
            element,
            "timept",
            {
                "time": format_time(nearest(time)),
                "value": format_time(nearest(value)),
                "interp": "linear",
            },
        )
    return element
