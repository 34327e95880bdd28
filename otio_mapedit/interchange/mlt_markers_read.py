"""Shotcut's markers, and those that ride along with the clips they belong to.

Shotcut marks the sequence only. A clip's own markers ride along with it, and come back as long as
Shotcut still shows them; what was deleted there stays deleted, what was added is the sequence's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import rational_time
from .mlt_words import MARKERS, NAMESPACE, colour_name, frames_of, properties_of
from .xmeml_values import said_range

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A marker as Shotcut has it."""

    text: str
    start: int
    end: int
    colour: str

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.text, self.start, self.end


def shown_markers(main: Element, rate: Fraction) -> list[Shown]:
    """The markers of a tractor."""
    found = []
    for holder in main.findall("properties"):
        if holder.get("name") != MARKERS:
            continue
        for element in holder.findall("properties"):
            values = properties_of(element)
            start = max(0, frames_of(values.get("start"), rate, 0))
            end = max(start, frames_of(values.get("end"), rate, start))
            colour = colour_name(values.get("color", ""))
            found.append(Shown(values.get("text", ""), start, end, colour))
    return found


def restored(said: Any, left: Counter[Key] | None) -> list[otio.schema.Marker]:
    """Markers that ride along, as far as they are among those ``left``, which they are taken
    from. Without ``left``, where markers are not shown at all, all of them."""
    found = []
    for note in said if isinstance(said, list) else ():
        if not isinstance(note, dict):
            continue
        span = said_range([note.get("start"), note.get("duration")])
        written = note.get("written")
        if span is None or not isinstance(written, list) or len(written) != 3:
            continue
        if left is not None:
            key = (str(written[0]), written[1], written[2])
            if not left[key]:
                continue
            left[key] -= 1
        marker = otio.schema.Marker(str(note.get("name") or ""), span, str(note.get("color") or ""))
        marker.comment = str(note.get("comment") or "")
        own = note.get("own")
        if isinstance(own, dict) and own:
            marker.metadata[NAMESPACE] = own
        found.append(marker)
    return found


def unclaimed(
    shown: Iterable[Shown], left: Counter[Key], rate: Fraction
) -> list[otio.schema.Marker]:
    """The markers of the sequence that no clip claimed."""
    found = []
    for marker in shown:
        if not left[marker.key]:
            continue
        left[marker.key] -= 1
        span = otio.opentime.TimeRange(
            rational_time(marker.start, rate), rational_time(marker.end - marker.start, rate)
        )
        found.append(otio.schema.Marker(marker.text, span, marker.colour or "GREEN"))
    return found
