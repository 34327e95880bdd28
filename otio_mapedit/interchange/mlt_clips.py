"""One clip of a track as MLT has it: a producer of its own, its filters, and what rides along.

Every clip has its own producer, as Shotcut writes it, so that a filter belongs to one clip only.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from ..timing import exact_time, frame_at
from .fcpxml_plan import Piece, Plan, item_range
from .mlt_cuts import Cut, Mix
from .mlt_effects import (
    add_fade,
    add_gain,
    json_of,
    marker_frames,
    marker_note,
    marker_text,
    mix_note,
)
from .mlt_media import add_media
from .mlt_words import CAPTIONS, put, put_note
from .timeline_facts import ClipData, clip_data, wipe_pattern
from .xmeml_items import lost_effects, media_facts
from .xml_safe import clean

#: A marker as Shotcut shows it: text, first and last frame, colour.
Shown = tuple[str, int, int, str]


def base_of(cut: Cut) -> int:
    """The position of its producer that a clip's record start shows. A frozen clip shows the
    same everywhere, so it counts from its own first frame."""
    return cut.lead if cut.piece.is_clip and cut.piece.speed == 0 else cut.first


def visible(cut: Cut) -> tuple[int, int]:
    """First and last position that is seen, mixes included."""
    first = base_of(cut)
    return first - cut.lead, first + cut.piece.record.duration - 1 + cut.trail


def own_span(cut: Cut) -> tuple[int, int]:
    """First and last position outside of mixes; the last is lower where there is none."""
    first, last = visible(cut)
    if cut.head is not None and cut.head.kind == "mix":
        first = base_of(cut) + cut.head.after
    if cut.tail is not None and cut.tail.kind == "mix":
        last = base_of(cut) + cut.piece.record.duration - 1 - cut.tail.before
    return first, last


def add_clip(
    parent: Element,
    identifier: str,
    plan: Plan,
    cut: Cut,
    video: bool,
    sources: Mapping[str, Any],
    shown: list[Shown] | None,
) -> None:
    """The producer of a clip. ``shown`` collects its markers; None inside nested sequences."""
    piece = cut.piece
    facts = clip_data(piece.item)
    element = SubElement(parent, "producer", {"id": identifier})
    add_media(element, plan, cut, facts, sources, video)
    note = clip_note(plan, cut, facts)
    note["media"] = _media_note(piece.item, facts)
    found = element.find("property[@name='resource']")
    resource = (found.text or "") if found is not None else ""
    note["resource"] = resource
    if clean(resource) != resource:
        plan.report.changed("media", "XML cannot hold its name", **plan.place(piece))
    finish(element, plan, cut, facts, note, video, shown)


def _media_note(clip: Any, facts: ClipData) -> dict[str, Any]:
    """What a clip says of its media; MLT itself knows neither timecode nor length."""
    note = media_facts(clip, None)
    if isinstance(clip.media_reference, otio.schema.ExternalReference):
        note["url"] = clip.media_reference.target_url or ""
    own = json_of(facts.media_own)
    for tape in (facts.media_tape, facts.tape):  # where the reader of an EDL keeps them
        own = {key: tape[key] for key in ("reel", "drop_frame") if key in tape} | own
    if own:
        note["own"] = own
    return note


def finish(
    element: Element,
    plan: Plan,
    cut: Cut,
    facts: ClipData,
    note: dict[str, Any],
    video: bool,
    shown: list[Shown] | None,
) -> None:
    """Name, markers, what rides along and filters of a clip or nested sequence."""
    piece = cut.piece
    for name in lost_effects(facts):
        plan.report.lost("effect", name, **plan.place(piece))
    if facts.cdl:
        plan.report.lost("colour", "MLT has no ASC CDL", **plan.place(piece))
    for name in CAPTIONS:
        put(element, name, piece.item.name)
    markers = _markers(plan, piece, shown)
    if markers:
        note["markers"] = markers
    put_note(element, note)
    span = visible(cut)
    if facts.gain is not None:
        add_gain(element, span, facts.gain)
    for mix, out in ((cut.head, False), (cut.tail, True)):
        if mix is not None and mix.kind != "mix":
            _fade(element, plan, cut, mix, video, out)


def _fade(element: Element, plan: Plan, cut: Cut, mix: Mix, video: bool, out: bool) -> None:
    frames = mix.before + mix.after
    if mix.kind == "dip":
        frames = mix.before if out else mix.after
    if not frames:
        return
    add_fade(element, visible(cut), frames, video, out)
    transition = mix.join.transition
    dissolve = transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve
    if mix.kind == "fade" and (not dissolve or wipe_pattern(transition) is not None):
        plan.report.changed(
            "transition", f"{transition.name or 'it'!r} becomes a fade", **plan.place(cut.piece)
        )
    above = any(track.is_video and track.index < cut.piece.track for track in plan.tracks)
    if video and mix.kind == "fade" and above:
        plan.report.changed(
            "fade", "it fades through black, not to the track below", **plan.place(cut.piece)
        )


def clip_note(plan: Plan, cut: Cut, facts: ClipData) -> dict[str, Any]:
    """What the elements of a clip cannot hold, or not exactly."""
    piece = cut.piece
    note: dict[str, Any] = {
        "in": base_of(cut),
        "frame": cut.first,
        "frames": piece.record.duration,
        "start": str(piece.source_start),
    }
    span = item_range(piece.item)
    if span is not None:
        note["rate"] = span.start_time.rate
    if clean(piece.item.name) != piece.item.name:
        note["name"] = piece.item.name
    warps = [e for e in facts.effects if isinstance(e, otio.schema.LinearTimeWarp)]
    if warps:
        note["speeds"] = [[e.time_scalar, e.name, json_of(e.metadata)] for e in warps]
    if facts.gain is not None:
        note["gain_db"] = facts.gain
    for key, value in (("own", facts.own), ("cdl", facts.cdl)):
        if value:
            note[key] = json_of(value)
    if facts.label:
        note["label"] = facts.label
    for key, mix in (("head", cut.head), ("tail", cut.tail)):
        if mix is not None and mix.kind != "mix":
            note[key] = mix_note(mix) | {"kind": mix.kind}
    return note


def _markers(plan: Plan, piece: Piece, shown: list[Shown] | None) -> list[dict[str, Any]]:
    """Markers of a clip: Shotcut has them on the sequence only, so there they are shown."""
    notes = []
    for marker in piece.item.markers if len(piece.item.markers) else ():
        start = piece.record.start + _record(plan, piece, marker)
        text = marker_text(marker)
        first, last = marker_frames(marker, max(0, start), plan.rate)
        notes.append(marker_note(marker, (text, first, last)))
        where = plan.place(piece)
        if shown is None:
            plan.report.changed("marker", "not shown: its sequence is nested", **where)
            continue
        shown.append((text, first, last, str(marker.color or "")))
        if plan.report.profile == "kdenlive":
            plan.report.lost("marker", "Kdenlive reads no markers of an .mlt", **where)
        else:
            plan.report.changed("marker", "shown on the sequence, not on its clip", **where)
    return notes


def _record(plan: Plan, piece: Piece, marker: Any) -> int:
    """Frames from a clip's record start to where it shows its marker."""
    at = exact_time(marker.marked_range.start_time)
    if piece.speed < 0:
        return frame_at((plan.upper(piece) - at) / -piece.speed, plan.rate)
    return frame_at((at - piece.source_start) / (piece.speed or Fraction(1)), plan.rate)
