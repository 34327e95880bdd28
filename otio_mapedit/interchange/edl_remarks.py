"""Comments below an event: names, files, colour decisions, locators, and our own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..otio_values import elements
from ..timing import exact_time, frame_at
from .edl_layout import Placed
from .edl_words import AS_TRACK, hint, one_line
from .loss import LossReport
from .timeline_facts import ClipData, carried, json_value, name_in_url, reference_url


def name_remarks(clip: otio.schema.Clip | None, word: str) -> list[str]:
    """``* FROM CLIP NAME`` or ``* TO CLIP NAME``, nothing for a clip without a name."""
    name = one_line(clip.name) if clip is not None else ""
    return [f"* {word} CLIP NAME: {name}"] if name else []


def source_file(clip: otio.schema.Clip | None) -> str:
    """Name of the media file, as ``* SOURCE FILE`` gives it."""
    if clip is None:
        return ""
    reference = clip.media_reference
    url = reference_url(reference)
    name = name_in_url(url) if url else reference.name if reference is not None else ""
    return one_line(name)


def source_remarks(outgoing: otio.schema.Clip | None, clip: otio.schema.Clip | None) -> list[str]:
    """``* SOURCE FILE`` of the incoming clip, below that of the outgoing where there is one."""
    incoming = source_file(clip)
    if outgoing is None:
        return [f"* SOURCE FILE: {incoming}"] if incoming else []
    files = (source_file(outgoing) or "(NULL)", incoming or "(NULL)")
    return [f"* SOURCE FILE: {name}" for name in files] if any((incoming, files[0])) else []


def colour_remarks(cdl: Mapping[str, Any]) -> list[str]:
    """ASC CDL as ``* ASC_SOP`` and ``* ASC_SAT``, to the last digit."""
    found = []
    sop: Any = cdl.get("asc_sop")
    if hasattr(sop, "get"):
        triples = [sop.get(key) for key in ("slope", "offset", "power")]
        if all(triple is not None and len(triple) == 3 for triple in triples):
            shown = "".join(f"({' '.join(map(_decimal, triple))})" for triple in triples)
            found.append(f"* ASC_SOP {shown}")
    if cdl.get("asc_sat") is not None:
        found.append(f"* ASC_SAT {_decimal(cdl['asc_sat'])}")
    return found


def _decimal(number: float) -> str:
    """Shortest text that reads back as the same number, without an exponent."""
    return format(Decimal(repr(float(number))), "f")


def clip_hints(clip: otio.schema.Clip, facts: ClipData, number: int) -> list[str]:
    """What a clip's metadata says about the decision behind it, and a name lines cannot hold.

    ``number`` is that of its track: 0 for the picture, 1 and up for sound. A stream of that number
    is written alike on every track, so that picture and sound of one range stay one event.
    """
    data: dict[str, Any] = facts.carried
    if facts.rest:
        data["own"] = facts.rest
    if "stream" in facts.own:
        stream = json_value(facts.own["stream"])
        data["stream"] = AS_TRACK if stream == number else stream
    warps = [effect for effect in facts.effects if isinstance(effect, otio.schema.LinearTimeWarp)]
    if len(warps) == 1 and len(warps[0].metadata):
        data["warp"] = {"name": warps[0].name, **carried(warps[0])}
    if facts.gain is not None:
        data["gain_db"] = facts.gain
    if clip.name != one_line(clip.name) or not clip.name:
        data["name"] = clip.name
    return [hint("CLIP", data)] if data else []


def marker_remarks(
    marker: otio.schema.Marker, record: int, label: str, rate: Fraction, report: LossReport, at: str
) -> list[str]:
    """A locator: ``* LOC`` with record timecode ``label``, and what it cannot hold.

    ``record`` is the frame that a reader finds the locator at.
    """
    span = marker.marked_range
    note = f"{marker.name}: {marker.comment}" if marker.name and marker.comment else ""
    text = one_line(note or marker.name or marker.comment)
    colour = "".join(str(marker.color or "RED").split())
    line = f"* LOC: {label} {colour:<7} {text}".rstrip()
    if frame_at(exact_time(span.duration), rate) > 1:
        report.changed("marker", "a locator has no length", item=marker.name, at=at)
    data: dict[str, Any] = {
        "at": record,
        "start": [span.start_time.value, span.start_time.rate],
        "duration": [span.duration.value, span.duration.rate],
        "name": marker.name,
        "comment": marker.comment,
        "color": marker.color,
        **carried(marker),
    }
    return [line, hint("MARKER", data)]


def clip_markers(
    placed: Placed, start: int, rate: Fraction, timecode_of: Any, report: LossReport
) -> list[str]:
    """The locators of a clip, at the record frames where their media frames are shown."""
    found: list[str] = []
    for marker in elements(placed.clip.markers):
        moment = exact_time(marker.marked_range.start_time)
        offset = (moment - placed.source / placed.rate) / (abs(placed.scalar) or 1)
        if placed.scalar < 0:
            offset = (placed.end - placed.start) / rate - offset
        record = max(0, start + placed.start + frame_at(offset, rate))
        label = timecode_of(record)
        found += marker_remarks(marker, record, label, rate, report, label)
    return found
