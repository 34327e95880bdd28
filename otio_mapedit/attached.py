"""Transitions, speed, grades, cuts and markers of a timeline -> operations.

Each comes back with its stored identity where it still is what we wrote, and with what the
timeline says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import opentimelineio as otio

from .assemble import cdl_of
from .fields import value_fault
from .operations import Kind, Operation, Source, Value
from .placed import Found, Ids, named, stored_operation
from .placements import Listed, covered_at_head, covered_at_tail
from .programme import COLOURS
from .timeline_view import SeenTransition, View, nearest_frame, own_metadata, plain
from .timing import FrameRange, exact_seconds


@dataclass(frozen=True)
class Entry:
    """An operation to be put in order. ``index`` is its old place in the list, ``rank`` its
    usual place among others without one."""

    operation: Operation
    index: int | None
    rank: int


@dataclass(frozen=True)
class Touching:
    """Where clips begin and end, by track and sequence frame."""

    starts: frozenset[tuple[int, int]]
    ends: frozenset[tuple[int, int]]

    def at(self, track: int, frame: int) -> bool:
        """Whether two clips meet there."""
        return (track, frame) in self.starts and (track, frame) in self.ends


def claimed(entry: Entry, ids: Ids) -> Entry:
    """The entry with an id and a place that no other has."""
    listed = None if entry.index is None else Listed(entry.index, entry.operation)
    return replace(entry, index=ids.index(listed), operation=ids.unique(entry.operation))


def touching(view: View) -> Touching:
    """Where the clips of a timeline begin and end."""
    return Touching(
        frozenset((clip.track, clip.record.start) for clip in view.clips),
        frozenset((clip.track, clip.record.end) for clip in view.clips),
    )


def joins(found: list[Found], view: View, ids: Ids) -> dict[int, list[Entry]]:
    """Dissolves, wipes and fades by the number of the range that they come with: joins and
    fade-ins with the range behind the edge, fade-outs with ``-1 - n`` of the one before it."""
    meets = touching(view)
    by_frame: dict[int, list[SeenTransition]] = {}
    for transition in sorted(view.transitions, key=lambda item: item.track):
        by_frame.setdefault(transition.at, []).append(transition)
    ending = {item.record.end: number for number, item in enumerate(found)}
    starting = {item.record.start: number for number, item in enumerate(found)}
    result: dict[int, list[Entry]] = {}
    for frame, transitions in by_frame.items():
        before, after = ending.get(frame), starting.get(frame)
        if before is None and after is None:
            view.notes["transitions inside a clip"] += 1
            continue
        pair = _joined(found, before, after, transitions, meets, view)
        for number, entry in (
            pair if pair is not None else _fades(found, before, after, transitions, meets, view)
        ):
            result.setdefault(number, []).append(claimed(entry, ids))
    return result


def _joined(
    found: list[Found],
    before: int | None,
    after: int | None,
    transitions: list[SeenTransition],
    meets: Touching,
    view: View,
) -> list[tuple[int, Entry]] | None:
    """A dissolve or wipe between two kept ranges; None where the edge has none."""
    inside = [item for item in transitions if meets.at(item.track, item.at)]
    inside = [item for item in inside if item.kind != "dip"]
    if not inside:
        return None
    if before is None or after is None or not found[before].placing or not found[after].placing:
        view.notes["transitions beside a dropped or unusual clip"] += 1
        return []
    first = inside[0]
    kind = Kind.WIPE if first.kind == "wipe" else Kind.DISSOLVE
    stored = _stored_join(first, kind)
    straight = [track for track in range(first.track) if meets.at(track, first.at)]
    ours = stored is not None and stored.operation.parameters.get("picture") is False
    if straight and not (ours or (straight == [0] and _crossfade(inside, meets, view))):
        view.notes["transitions of sound alone"] += 1
        return None if any(item.kind == "dip" for item in transitions) else []
    outgoing = found[before]
    parameters: dict[str, Value] = {"in_offset": first.in_offset, "out_offset": first.out_offset}
    if straight:
        parameters["picture"] = False
    if kind is Kind.WIPE and stored is None:
        pattern = first.own.get("pattern")
        if isinstance(pattern, str) or (isinstance(pattern, int) and not isinstance(pattern, bool)):
            parameters["pattern"] = pattern
        elif first.name.lower() != "wipe":
            parameters["pattern"] = first.name
    span = covered_at_tail(
        outgoing.span,
        outgoing.source,
        outgoing.scalar,
        view.rate,
        first.in_offset,
        first.out_offset,
    )
    operation = Operation(kind, outgoing.source.id, span, parameters=parameters)
    operation = named(operation, first.own) if stored is None else operation
    return [(after, _entry(operation, stored, rank=10))]


def _crossfade(inside: list[SeenTransition], meets: Touching, view: View) -> bool:
    """Whether every sound track whose clips meet has the same dissolve there."""
    first, tracks = inside[0], {item.track for item in inside}
    alike = {(item.in_offset, item.out_offset, item.kind) for item in inside}
    meeting = {clip.track for clip in view.clips if clip.track and meets.at(clip.track, first.at)}
    return len(alike) == 1 and first.kind != "wipe" and tracks == meeting


def _fades(
    found: list[Found],
    before: int | None,
    after: int | None,
    transitions: list[SeenTransition],
    meets: Touching,
    view: View,
) -> list[tuple[int, Entry]]:
    """Fades at an edge, each from the first track that has it."""
    fading = []
    for item in transitions:
        if item.kind == "wipe":
            view.notes["wipes to or from nothing"] += 1
        elif item.kind == "dip" or not meets.at(item.track, item.at):
            fading.append(item)
    entries = []
    leaving = next((item for item in fading if item.in_offset), None)
    if leaving is not None and before is not None and found[before].placing:
        placed, length = found[before], leaving.in_offset
        span = covered_at_tail(placed.span, placed.source, placed.scalar, view.rate, length, 0)
        operation = Operation(Kind.FADE_OUT, placed.source.id, span, parameters={"length": length})
        entries.append((-1 - before, _entry(operation, _stored_join(leaving, Kind.FADE_OUT), 3)))
    entering = next((item for item in fading if item.out_offset), None)
    if entering is not None and after is not None and found[after].placing:
        placed, length = found[after], entering.out_offset
        span = covered_at_head(placed.span, placed.source, placed.scalar, view.rate, length)
        operation = Operation(Kind.FADE_IN, placed.source.id, span, parameters={"length": length})
        entries.append((after, _entry(operation, _stored_join(entering, Kind.FADE_IN), 12)))
    return entries


def _stored_join(transition: SeenTransition, kind: Kind) -> Listed | None:
    values = transition.own.get("operations", [])
    listed = [stored_operation(value) for value in (values if isinstance(values, list) else [])]
    return next((item for item in listed if item and item.operation.kind is kind), None)


def _entry(operation: Operation, stored: Listed | None, rank: int) -> Entry:
    """``operation`` with the identity of what we stored about it."""
    if stored is None:
        return Entry(operation, None, rank)
    parameters = {**stored.operation.parameters, **operation.parameters}
    return Entry(
        replace(
            stored.operation,
            source=operation.source,
            range=operation.range,
            parameters=parameters,
        ),
        stored.index,
        rank,
    )


def beside(item: Found, first: bool) -> Iterable[Entry]:
    """Speed, grade and cut of one kept range; ``first``: nothing is kept before it."""
    clip, span, source = item.lead.seen.clip, item.span, item.source.id
    if item.scalar != 1:
        yield _speed(item)
    grade = _grade(clip, item.lead.seen.own)
    if grade is not None and item.lead.seen.track == 0:
        yield replace(grade, operation=replace(grade.operation, source=source, range=span))
    cut = stored_operation(item.lead.seen.own.get("cut"))
    if cut is not None and not first:
        yield _entry(Operation(Kind.CUT, source, FrameRange(span.start, 0)), cut, 11)


def _speed(item: Found) -> Entry:
    """The speed of a range; in the stored words where they mean the same."""
    warps = (stored_operation(own_metadata(effect)) for effect in item.lead.seen.clip.effects)
    stored = next((warp for warp in warps if warp and warp.operation.kind is Kind.SPEED), None)
    scalar: Value = float(item.scalar)
    if stored is not None:
        before = stored.operation.parameters.get("scalar")
        if _is_number(before) and exact_seconds(cast(float, before)) == item.scalar:
            scalar = before
    parameters = {"scalar": scalar}
    operation = Operation(Kind.SPEED, item.source.id, item.span, parameters=parameters)
    return _entry(operation, stored, 1)


def _grade(clip: otio.schema.Clip, own: Mapping[str, Any]) -> Entry | None:
    """The ASC CDL of a clip."""
    cdl = plain(clip.metadata.get("cdl"))
    if not isinstance(cdl, dict):
        return None
    stored = stored_operation(own.get("grade"))
    if stored is not None and cdl_of(stored.operation) == cdl:
        return Entry(stored.operation, stored.index, 2)
    sop = cdl.get("asc_sop")
    parameters: dict[str, Value] = {}
    for name in ("slope", "offset", "power"):
        value = sop.get(name) if isinstance(sop, dict) else None
        if isinstance(value, list) and len(value) == 3 and all(map(_is_number, value)):
            parameters[name] = value
    if _is_number(cdl.get("asc_sat")):
        parameters["saturation"] = cdl["asc_sat"]
    if not parameters:
        return None
    return _entry(Operation(Kind.GRADE, "", FrameRange(0, 0), parameters=parameters), stored, 2)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not value_fault(value)


def marks_in(item: Found, view: View) -> Iterable[Entry]:
    """The markers of a clip, without the red one over a dropped range."""
    clip, source = item.lead.seen.clip, item.source
    origin = item.lead.seen.clip.media_reference
    available = origin.available_range if origin else None
    first = nearest_frame(available.start_time, source.rate) if available else None
    first = source.start_frame if first is None else first
    for marker in clip.markers:
        stored = stored_operation(own_metadata(marker))
        if stored is not None and stored.operation.kind is Kind.DROP:
            continue
        start = nearest_frame(marker.marked_range.start_time, source.rate)
        length = nearest_frame(marker.marked_range.duration, source.rate)
        if start is None or length is None or length < 0:
            view.notes["markers without a usable range"] += 1
            continue
        span = _inside(start - first if start >= first else start, length, source.frame_count)
        yield _mark(marker, stored, source.id, span)


def loose_marks(found: list[Found], view: View, sources: Mapping[str, Source]) -> Iterable[Entry]:
    """The markers of the timeline and its tracks, on the frames that play there."""
    for at, marker in view.markers:
        stored = stored_operation(own_metadata(marker))
        if stored is not None and stored.operation.kind is Kind.MARK:
            operation = stored.operation
            known = sources.get(operation.source)
            if known is not None and operation.range.end <= known.frame_count:
                yield _mark(marker, stored, known.id, operation.range)
                continue
        home = next((item for item in found if item.record.start <= at < item.record.end), None)
        if home is None or home.scalar != 1 or home.source.rate != view.rate:
            view.notes["timeline markers that no clip can carry"] += 1
            continue
        length = nearest_frame(marker.marked_range.duration, view.rate) or 0
        start = home.span.start + at - home.record.start
        span = _inside(start, max(0, length), home.source.frame_count)
        yield _mark(marker, stored, home.source.id, span)


def _inside(start: int, length: int, end: int) -> FrameRange:
    start = min(max(0, start), end)
    return FrameRange(start, min(length, end - start))


def _mark(
    marker: otio.schema.Marker, stored: Listed | None, source: str, span: FrameRange
) -> Entry:
    """A mark with the words of the marker; the stored ones where they agree."""
    shown: dict[str, Value] = {
        "name": marker.name or "",
        "note": getattr(marker, "comment", "") or "",
        "colour": _colour(marker),
    }
    if stored is None or stored.operation.kind is not Kind.MARK:
        given = {key: value for key, value in shown.items() if value}
        fresh = Operation(Kind.MARK, source, span, parameters=given)
        return Entry(fresh if stored else named(fresh, own_metadata(marker)), None, 4)
    parameters: dict[str, Value] = {**stored.operation.parameters}
    for key, value in shown.items():
        before = str(parameters.get(key, "RED" if key == "colour" else ""))
        if (before.upper() if key == "colour" else before) != (
            str(value).upper() if key == "colour" else value
        ):
            parameters[key] = value
    operation = replace(stored.operation, source=source, range=span, parameters=parameters)
    return Entry(operation, stored.index, 4)


def _colour(marker: otio.schema.Marker) -> str:
    colour = str(marker.color or "RED")
    return colour.lower() if colour.upper() in COLOURS else "red"
