"""Decision list -> OTIO timeline. Stock schemas only; nothing that is passed in is changed.

Layout: one video track V1 where any source has picture, and one audio track for each position of
an audio stream in its file (A1 the first, as many as the source with the most has). All tracks
are equally long; gaps fill what a source does not have. Picture and sound of one placed range
start at the same frame and carry the same ``link``.

Clocks, as OTIO's readers expect them:

- ``available_range`` of a reference counts frames of the *source*, from its start timecode.
- ``source_range.start_time`` is timecode-absolute and a whole frame of the *source*.
- ``source_range.duration`` is what the clip lasts on the timeline, in whole frames of the
  *sequence*. With media at the sequence's rate both have one rate; with other media only this
  keeps every edge of a track on a frame, because OTIO adds up durations as floating point.
- Gaps, transition offsets and ``global_start_time`` count frames of the sequence.
- A clip with a LinearTimeWarp lasts its ``source_range.duration`` too (effects do not change an
  item's duration in OTIO); it consumes ``duration * time_scalar`` of media, from ``start_time``
  on, or down to it where ``time_scalar`` is negative.

Transitions: a dissolve is ``SMPTE_Dissolve``; a wipe is ``Custom_Transition`` called ``Wipe``. A
fade next to a gap or at an end of the track is a ``SMPTE_Dissolve`` with offset 0 on that side; a
fade next to another clip, where it would look like a dissolve, is a ``Custom_Transition`` called
``Dip to Black``, and a fade-out followed by a fade-in is one such transition.

Every object carries what decided it under ``metadata["mapedit"]``, so that ids, confidence and
reasons survive; the edit itself is what OTIO says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from .document import SCHEMA, exact_rate_text, operation_document, source_document
from .joins import Edge, offsets_on
from .operations import DecisionList, Kind, Operation, Source
from .placements import Content, Hole, Join, Listed, Mark, Placement, Programme, contents
from .programme import drop_mode, programme
from .timing import FrameRange, rational_time, time_range
from .urls import url_of

#: Where our metadata lives on every OTIO object.
NAMESPACE = "mapedit"
WIPE = "Wipe"
DIP = "Dip to Black"


def assemble(decisions: DecisionList) -> otio.schema.Timeline:
    """The timeline that a decision list plays.

    Raises:
        DecisionListError: an operation that cannot be carried out; see
            :func:`otio_mapedit.programme.programme`.
    """
    played = programme(decisions)
    timeline = otio.schema.Timeline(name=decisions.name)
    timeline.global_start_time = rational_time(decisions.start_frame, decisions.rate)
    timeline.metadata[NAMESPACE] = _timeline_metadata(played)
    for track, name, kind in _tracks(decisions):
        timeline.tracks.append(_track(played, track, name, kind))
    _add_loose_marks(timeline, played)
    return timeline


def record_of(listed: Listed) -> dict[str, Any]:
    """An operation as metadata, with its place in the decision list."""
    return {"index": listed.index, **operation_document(listed.operation)}


def _timeline_metadata(played: Programme) -> dict[str, Any]:
    decisions = played.decisions
    decided = {op.source for op in decisions.operations if op.kind in (Kind.KEEP, Kind.DROP)}
    return {
        "schema": SCHEMA,
        "rate": exact_rate_text(decisions.rate),
        "start_frame": decisions.start_frame,
        "drop_frame": decisions.drop_frame,
        "recipe": decisions.recipe,
        "options": dict(decisions.options),
        "generator": decisions.generator,
        "metadata": dict(decisions.metadata),
        "sources": [source_document(source) for source in decisions.sources],
        "partitioned": [source.id for source in decisions.sources if source.id in decided],
        "drops": [record_of(listed) for listed in played.drops],
    }


def _tracks(decisions: DecisionList) -> list[tuple[int, str, str]]:
    """Number, name and kind of each track; the numbers are those of ``placements.streams``."""
    kinds = otio.schema.TrackKind
    tracks = [(0, "V1", kinds.Video)] if any(source.video for source in decisions.sources) else []
    sounds = max((len(source.audio) for source in decisions.sources), default=0)
    return tracks + [(number, f"A{number}", kinds.Audio) for number in range(1, sounds + 1)]


def _track(played: Programme, track: int, name: str, kind: str) -> otio.schema.Track:
    sequence = played.decisions.rate
    marks: dict[int | None, list[Mark]] = {}
    for mark in played.marks:
        marks.setdefault(mark.home, []).append(mark)
    result = otio.schema.Track(name=name, kind=kind)
    for number, item in enumerate(played.items):
        _append(result, _transition(played, number, track))
        if isinstance(item, Hole):
            result.append(_gap(item.record.duration, sequence, record_of(item.listed)))
            continue
        found = contents(item, sequence)
        part = found[track] if track < len(found) else None
        if part is None:
            result.append(_gap(item.record.duration, sequence))
            continue
        if part.head:
            result.append(_gap(part.head, sequence))
        result.append(_clip(item, number, part, track, sequence))
        if found.index(part) == track:  # the first track it shows on carries its markers
            result[-1].markers.extend(_markers(item, marks.get(number, ())))
        if rest := item.record.duration - part.head - part.length:
            result.append(_gap(rest, sequence))
    _append(result, _transition(played, len(played.items), track))
    return result


def _append(track: otio.schema.Track, item: otio.schema.Transition | None) -> None:
    if item is not None:
        track.append(item)


def _gap(
    frames: int, sequence: Fraction, metadata: Mapping[str, Any] | None = None
) -> otio.schema.Gap:
    gap = otio.schema.Gap(source_range=time_range(FrameRange(0, frames), sequence))
    if metadata:
        gap.metadata[NAMESPACE] = dict(metadata)
    return gap


def _clip(
    item: Placement,
    link: int,
    part: Content,
    track: int,
    sequence: Fraction,
) -> otio.schema.Clip:
    source = item.source
    clip = otio.schema.Clip(
        name=str(item.listed.operation.parameters.get("name") or source.name),
        media_reference=_reference(source),
        source_range=otio.opentime.TimeRange(
            rational_time(source.start_frame + part.start, source.rate),
            rational_time(part.length, sequence),
        ),
    )
    clip.enabled = item.enabled
    metadata = record_of(item.listed) | {"link": link, "stream": track}
    if item.cut is not None:
        metadata["cut"] = record_of(item.cut)
    if item.grade is not None and not track:
        metadata["grade"] = record_of(item.grade)
        clip.metadata["cdl"] = cdl_of(item.grade.operation)
    clip.metadata[NAMESPACE] = metadata
    if item.speed is not None:
        warp = otio.schema.LinearTimeWarp(name="Speed", time_scalar=float(item.scalar))
        warp.metadata[NAMESPACE] = record_of(item.speed)
        clip.effects.append(warp)
    return clip


def _markers(item: Placement, marks: Iterable[Mark]) -> list[otio.schema.Marker]:
    """The markers of a placement: a red one over a dropped range that plays, and the marks."""
    operation = item.listed.operation
    markers = [_mark(mark, item.source) for mark in marks]
    if operation.kind is Kind.DROP and drop_mode(item.listed) == "mark":
        dropped = _marker(item.listed, item.source, "Dropped", operation.reason, "RED")
        markers.insert(0, dropped)
    return markers


def _reference(source: Source) -> otio.schema.ExternalReference:
    reference = otio.schema.ExternalReference(
        target_url=url_of(source.path),
        available_range=time_range(FrameRange(source.start_frame, source.frame_count), source.rate),
    )
    reference.name = source.name
    return reference


def cdl_of(operation: Operation) -> dict[str, Any]:
    """A grade as the ASC CDL metadata that OTIO's EDL adapter reads and writes."""
    parameters = operation.parameters
    return {
        "asc_sop": {
            "slope": parameters.get("slope", [1.0, 1.0, 1.0]),
            "offset": parameters.get("offset", [0.0, 0.0, 0.0]),
            "power": parameters.get("power", [1.0, 1.0, 1.0]),
        },
        "asc_sat": parameters.get("saturation", 1.0),
    }


def _transition(played: Programme, number: int, track: int) -> otio.schema.Transition | None:
    """The transition over the edge before ``items[number]``, on one track."""
    join = played.joins.get(number)
    if join is None:
        return None
    items, sequence = played.items, played.decisions.rate
    edge = Edge(
        items[number - 1] if number else None, items[number] if number < len(items) else None
    )
    offsets = offsets_on(track, join, edge, sequence)
    if offsets is None:
        return None
    name, kind = _transition_type(join, edge, track, sequence)
    transition = otio.schema.Transition(
        name=name,
        transition_type=kind,
        in_offset=rational_time(offsets[0], sequence),
        out_offset=rational_time(offsets[1], sequence),
    )
    transition.metadata[NAMESPACE] = {"operations": [record_of(item) for item in join.listed]}
    if join.kind == "wipe" and (pattern := join.listed[0].operation.parameters.get("pattern")):
        transition.metadata[NAMESPACE]["pattern"] = pattern
    return transition


def _transition_type(join: Join, edge: Edge, track: int, sequence: Fraction) -> tuple[str, str]:
    types = otio.schema.TransitionTypes
    if join.kind == "dissolve":
        return "Cross Dissolve", types.SMPTE_Dissolve
    if join.kind == "wipe":
        return WIPE, types.Custom
    if touches(edge, track, sequence):
        return DIP, types.Custom
    return "Fade", types.SMPTE_Dissolve


def touches(edge: Edge, track: int, sequence: Fraction) -> bool:
    """Whether two clips meet at an edge on this track."""
    for item, at_end in ((edge.before, True), (edge.after, False)):
        if not isinstance(item, Placement):
            return False
        found = contents(item, sequence)
        part = found[track] if track < len(found) else None
        if part is None or (at_end and part.head + part.length < item.record.duration):
            return False
        if not at_end and part.head:
            return False
    return True


def _mark(mark: Mark, source: Source) -> otio.schema.Marker:
    parameters = mark.listed.operation.parameters
    return _marker(
        mark.listed,
        source,
        str(parameters.get("name", "")),
        str(parameters.get("note", "")),
        str(parameters.get("colour", "RED")).upper(),
    )


def _marker(
    listed: Listed, source: Source, name: str, note: str, colour: str
) -> otio.schema.Marker:
    """A marker over the operation's range, on the clock of its clip's media."""
    span = listed.operation.range.shifted(source.start_frame)
    marker = otio.schema.Marker(
        name=name, color=colour, marked_range=time_range(span, source.rate), comment=note
    )
    marker.metadata[NAMESPACE] = record_of(listed)
    return marker


def _add_loose_marks(timeline: otio.schema.Timeline, played: Programme) -> None:
    """Marks on frames that are not on the timeline: on the stack, where they would be."""
    for mark in played.marks:
        if mark.home is not None:
            continue
        marker = _mark(mark, played.decisions.source(mark.listed.operation.source))
        marker.marked_range = time_range(FrameRange(mark.record, 0), played.decisions.rate)
        timeline.tracks.markers.append(marker)
