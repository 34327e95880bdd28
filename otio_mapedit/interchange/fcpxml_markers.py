"""Markers and what hangs on them, both ways.

FCPXML markers lie on clips, have a name, a note and, as to-do items, a tick; they have no colour.
The colour, the id, and the place of markers that belonged to the timeline or a track rather than
a clip ride in a tag at the end of the note, see :mod:`.fcpxml_words`; metadata of ours rides with
the clip or sequence under ``markers`` and is found by the tag's number.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

from ..otio_values import entry
from ..timing import exact_time
from .fcpxml_times import format_time
from .fcpxml_words import NAMESPACE, plain, tagged
from .xml_safe import clean

#: Colours that a tag can hold: OTIO's own.
_PLAIN = frozenset(
    (
        "PINK", "RED", "ORANGE", "YELLOW", "GREEN", "CYAN", "BLUE", "PURPLE", "MAGENTA", "BLACK",
        "WHITE",
    )
)  # fmt: skip
#: What a marker is on where it is not the clip's own.
TIMELINE = "timeline"

Place = Callable[[Fraction, Fraction], tuple[Fraction, Fraction]]


def marker_element(
    marker: Any, place: Place, notes: list[Any], facts: dict[str, str] | None = None
) -> Element:
    """A ``marker``. ``place`` turns start and duration into the local clock; what the element
    cannot hold is added to ``notes``."""
    span = marker.marked_range
    start, duration = place(exact_time(span.start_time), exact_time(span.duration))
    facts = dict(facts or {})
    colour = marker.color or ""
    mine = plain(entry(marker.metadata, NAMESPACE))
    extra: dict[str, Any] = {}
    if mine:
        extra["metadata"] = mine
        if isinstance(mine, dict) and mine.get("id"):
            facts["id"] = str(mine["id"])
    if colour and colour not in _PLAIN:
        extra["colour"] = colour
        colour = ""
    for key, text in (("name", marker.name or ""), ("comment", marker.comment or "")):
        if clean(text) != text:
            extra[key] = text
    if extra:
        facts["n"] = str(len(notes))
        notes.append(extra)
    element = Element("marker", {"start": format_time(start)})
    if duration > 0:
        element.set("duration", format_time(duration))
    element.set("value", marker.name or "")
    note = tagged(marker.comment or "", colour, facts)
    if note:
        element.set("note", note)
    return element
