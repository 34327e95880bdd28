"""Clips, generators and nested sequences as xmeml items."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..otio_values import elements
from ..timing import exact_time, frame_at
from .fcpxml_plan import Piece, Plan, item_range
from .gain import is_gain
from .timeline_facts import ClipData, own_facts, plain_values
from .xmeml_effects import add_gain, add_marker, add_speed
from .xmeml_media import MediaFile, absolute_url
from .xmeml_words import TICKS, add, add_rate, note_text
from .xml_safe import clean


@dataclass(frozen=True, slots=True)
class Edges:
    """An item's numbers: record ``start`` and ``end`` (-1 inside a transition), ``first`` and
    ``last`` on the clock of its media after speed, ``exact`` the same as seconds of media."""

    start: int
    end: int
    first: int
    last: int
    exact: Fraction


def edges_of(plan: Plan, piece: Piece, media: tuple[Fraction, Fraction]) -> Edges:
    """The numbers of ``piece``, whose media lasts from one second to another."""
    head = piece.head if piece.head is not None and not piece.head.hollow else None
    tail = piece.tail if piece.tail is not None and not piece.tail.hollow else None
    speed = abs(piece.speed) or Fraction(1)
    offset = piece.source_start - media[0]
    if piece.speed < 0:
        offset = media[1] - plan.upper(piece)
    before = head.before if head is not None else 0
    after = tail.after if tail is not None else 0
    exact = offset - before * speed / plan.rate if before else offset
    first = frame_at(exact if speed == 1 else exact / speed, plan.rate)
    length = piece.record.duration + before + after
    return Edges(
        -1 if head is not None else piece.record.start,
        -1 if tail is not None else piece.record.end,
        first,
        first + length,
        exact,
    )


def add_clip_head(
    parent: Element, tag: str, identifier: str, piece: Piece, plan: Plan, edges: Edges, length: int
) -> Element:
    """An item with what all kinds of items begin with."""
    element = add(parent, tag, id=identifier)
    if tag == "clipitem":
        add(element, "masterclipid")
    add(element, "name", piece.item.name)
    add(element, "enabled", bool(piece.item.enabled))
    add(element, "duration", max(length, edges.last))
    add_rate(element, plan.rate)
    add(element, "start", edges.start)
    add(element, "end", edges.end)
    add(element, "in", edges.first)
    add(element, "out", edges.last)
    if piece.speed == 1:
        add(element, "pproTicksIn", int(edges.exact * TICKS // 1))
        span = (edges.last - edges.first) / plan.rate
        add(element, "pproTicksOut", int((edges.exact + span) * TICKS // 1))
    if piece.speed == 0:
        add(element, "stillframe", True)
        add(element, "stillframeoffset", edges.first)
    return element


def add_clip_rest(
    element: Element,
    piece: Piece,
    plan: Plan,
    facts: ClipData,
    edges: Edges,
    media: MediaFile | None,
    zero: Fraction,
) -> None:
    """Markers, filters, colour and what rides along."""
    marked = elements(piece.item.markers)
    markers = [add_marker(element, marker, zero, plan.rate) for marker in marked]
    if piece.speed != 1:
        add_speed(element, piece.speed)
    if facts.gain is not None:
        add_gain(element, facts.gain)
    _colour(element, facts)
    if facts.label:
        add(add(element, "labels"), "label2", facts.label)
    own = {k: v for k, v in plain_values(facts.own).items() if k in _IDENTITY}
    if own:
        add(add(element, "logginginfo"), "lognote", note_text(own))
    rest = exact_facts(piece, facts, edges, media)
    if markers:
        rest["markers"] = markers
    if facts.rest:
        rest["own"] = facts.rest
    add(add(element, "comments"), "clipcommentb", note_text(rest))


_IDENTITY = ("id", "confidence", "reason", "source", "link", "stream")


def exact_facts(
    piece: Piece, facts: ClipData, edges: Edges, media: MediaFile | None
) -> dict[str, Any]:
    """What the item's own elements cannot hold, or not exactly."""
    item = piece.item
    rest: dict[str, Any] = {"in": edges.first, "start": str(piece.source_start)}
    span = item_range(item)
    if span is not None:
        rest["rate"] = span.start_time.rate
    if clean(item.name) != item.name:
        rest["name"] = item.name
    warps = [e for e in facts.effects if isinstance(e, otio.schema.LinearTimeWarp)]
    if warps:
        rest["speeds"] = [warp.time_scalar for warp in warps]
        rest["warps"] = [[warp.name, own_facts(warp)] for warp in warps]
    if facts.gain is not None:
        rest["gain_db"] = facts.gain
    if piece.is_clip:
        rest["media"] = media_facts(item, media)
    return rest


def media_facts(clip: otio.schema.Clip, media: MediaFile | None) -> dict[str, Any]:
    """What a clip's reference says beyond, or otherwise than, its file element."""
    reference = clip.media_reference
    if reference is None:
        return {"kind": "none"}
    facts: dict[str, Any] = {}
    if media is None or reference.name != clean(media.name):
        facts["name"] = reference.name
    available = reference.available_range
    if media is None or available is None or not _agrees(available, media):
        facts["available"] = available and [
            [available.start_time.value, available.start_time.rate],
            [available.duration.value, available.duration.rate],
        ]
    if isinstance(reference, otio.schema.GeneratorReference):
        facts["kind"] = "generator"
        facts["generator"] = reference.generator_kind
        facts["parameters"] = plain_values(reference.parameters)
    elif isinstance(reference, otio.schema.ImageSequenceReference):
        facts["kind"] = "images"
        facts["sequence"] = {name: getattr(reference, name) for name in IMAGES}
    elif isinstance(reference, otio.schema.ExternalReference):
        url = reference.target_url or ""
        if not url or absolute_url(url) != url:
            facts["url"] = url
    else:
        facts["kind"] = "missing"
    return facts


IMAGES = (
    "target_url_base",
    "name_prefix",
    "name_suffix",
    "start_frame",
    "frame_step",
    "rate",
    "frame_zero_padding",
)


def _agrees(available: otio.opentime.TimeRange, media: MediaFile) -> bool:
    times = (available.start_time, available.duration)
    if all(time.rate == float(media.rate) for time in times):
        return tuple(time.value for time in times) == (media.first_frame, media.frames)
    start = Fraction(media.first_frame) / media.rate
    duration = Fraction(media.frames) / media.rate
    return exact_time(available.start_time) == start and exact_time(available.duration) == duration


def _colour(element: Element, facts: ClipData) -> None:
    """ASC CDL as Premiere writes it."""
    sop: Any = facts.cdl.get("asc_sop")
    saturation = facts.cdl.get("asc_sat")
    if sop is None and saturation is None:
        return
    colour = add(element, "colorinfo")
    if hasattr(sop, "items"):
        triples = [list(sop.get(key) or ()) for key in ("slope", "offset", "power")]
        if all(len(triple) == 3 for triple in triples):
            shown = "".join(f"({' '.join(repr(float(x)) for x in triple)})" for triple in triples)
            add(colour, "asc_sop", shown)
    if isinstance(saturation, (int, float)):
        add(colour, "asc_sat", repr(float(saturation)))


def lost_effects(facts: ClipData) -> list[str]:
    """Names of effects that xmeml has no element for here."""
    return [
        str(effect.effect_name or effect.name)
        for effect in facts.effects
        if not (isinstance(effect, otio.schema.LinearTimeWarp) or is_gain(effect))
    ]
