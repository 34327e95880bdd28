"""OTIO timeline -> decision list, the inverse of :mod:`otio_mapedit.assemble`.

The timeline is what counts: clips, ranges, transitions, effects and markers, as they stand after
a person changed them. What :mod:`otio_mapedit.assemble` wrote into metadata is used for ids,
confidence, reasons and exact source frames as long as the timeline still agrees with it. Drops
are what no clip keeps.

Any OTIO timeline can be read. What the vocabulary of edits cannot say (further video tracks,
generators, nested timelines, effects, sound cut apart from its picture) is listed in words in
``metadata["not_understood"]``; nothing is made up for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import opentimelineio as otio

from .attached import Entry, beside, claimed, joins, loose_marks, marks_in
from .dropped import Dropped, dropped_ranges
from .errors import DecisionListError
from .fields import text_fault, value_fault
from .operations import EMPTY, DecisionList, Kind, Operation, Source, Value
from .ordering import DROPPED, Order
from .placed import Found, Ids, decide_kinds, placed_ranges
from .programme import programme
from .referenced import referring
from .timeline_view import View, nearest_frame, view
from .timing import can_drop_frames

NOT_UNDERSTOOD = "not_understood"
#: Most different remarks that are kept.
_MOST_NOTES = 200


def disassemble(timeline: otio.schema.Timeline) -> DecisionList:
    """The decision list that a timeline plays."""
    seen = view(timeline)
    sources, clips = referring(seen)
    found, ids = placed_ranges(seen, clips), Ids()
    spans = decide_kinds(found, ids, seen)
    found = [item for item in found if item.operation is not None]
    known = {source.id: source for source in sources}
    drops = dropped_ranges(seen, known, found, spans, ids)
    order = _ordered(found, drops, seen, ids, known)
    decisions = _described(timeline, seen, sources, order)
    return _playable(decisions, seen)


def _described(
    timeline: otio.schema.Timeline, seen: View, sources: list[Source], order: Order
) -> DecisionList:
    own, start = seen.own, 0
    if timeline.global_start_time is not None:
        start = max(0, nearest_frame(timeline.global_start_time, seen.rate) or 0)
    drop_frame = own.get("drop_frame") is True and can_drop_frames(seen.rate)
    return DecisionList(
        name="" if text_fault(timeline.name or "") else timeline.name or "",
        rate=seen.rate,
        sources=tuple(sources),
        operations=tuple(order.operations()),
        start_frame=start,
        drop_frame=drop_frame,
        recipe=_text(own, "recipe"),
        options=_mapping(own, "options"),
        generator=_text(own, "generator"),
        metadata=_mapping(own, "metadata"),
    )


def _text(own: Mapping[str, Any], key: str) -> str:
    value = own.get(key, "")
    return value if isinstance(value, str) and not text_fault(value) else ""


def _mapping(own: Mapping[str, Any], key: str) -> Mapping[str, Value]:
    value = own.get(key)
    return value if isinstance(value, dict) and value and not value_fault(value) else EMPTY


def _ordered(
    found: list[Found],
    drops: list[Dropped],
    seen: View,
    ids: Ids,
    sources: Mapping[str, Source],
) -> Order:
    """Every operation of the timeline, in order."""
    order, floating, joined = Order(), list[Entry](), joins(found, seen, ids)
    holes = [(drop.at, drop.entry) for drop in drops if drop.at is not None]
    holes.sort(key=lambda pair: pair[0])
    for number, item in enumerate(found):
        while holes and holes[0][0] <= item.record.start:
            order.show(holes.pop(0)[1])
        _add(order, floating, item, [claimed(entry, ids) for entry in marks_in(item, seen)])
        if not item.placing:
            continue
        place = len(order.placed) - 1
        for entry in beside(item, first=not place):
            add = order.before if entry.rank > DROPPED else order.after
            add(place, claimed(entry, ids))
        for entry in joined.get(number, []):
            order.before(place, entry)
        for entry in joined.get(-1 - number, []):
            order.after(place, entry)
    for _, entry in holes:
        order.show(entry)
    floating += [claimed(entry, ids) for entry in loose_marks(found, seen, sources)]
    order.float_in(floating, {})
    closed = _chained([drop.entry for drop in drops if drop.at is None])
    order.float_in(closed, _neighbours(found, closed))
    return order


def _add(order: Order, floating: list[Entry], item: Found, marks: list[Entry]) -> None:
    """A range with its markers; those that had a place in the list go back to it."""
    if item.operation is None:
        return
    entry = Entry(item.operation, item.index, DROPPED)
    if item.placing:
        order.place(entry)
    else:
        order.show(entry)
    for mark in marks:
        if mark.index is None:
            order.after(len(order.placed) - 1, mark)
        else:
            floating.append(mark)


def _chained(drops: list[Entry]) -> list[Entry]:
    """New drops that continue an old one take their place right behind it."""
    result: list[Entry] = []
    for entry in drops:
        before = result[-1] if result else None
        if entry.index is None and before is not None and before.index is not None:
            one, other = before.operation, entry.operation
            if (one.source, one.range.end) == (other.source, other.range.start):
                entry = replace(entry, index=before.index, rank=before.rank + 1)
        result.append(entry)
    return result


def _neighbours(found: list[Found], drops: list[Entry]) -> dict[int, int]:
    """For each drop the segment beside the range that it continues, or that continues it."""
    ends: dict[tuple[str, int], int] = {}
    starts: dict[tuple[str, int], int] = {}
    placed = [item for item in found if item.placing]
    for number, item in enumerate(placed):
        ends.setdefault((item.source.id, item.span.end), number + 1)
        starts.setdefault((item.source.id, item.span.start), number)
    segments = {}
    for position, entry in enumerate(drops):
        source, span = entry.operation.source, entry.operation.range
        segment = ends.get((source, span.start), starts.get((source, span.end)))
        if segment is not None:
            segments[position] = segment
    return segments


def _playable(decisions: DecisionList, seen: View) -> DecisionList:
    """``decisions`` without what cannot be carried out, and with the notes."""
    while True:
        try:
            programme(decisions)
            break
        except DecisionListError as error:
            decisions = _without(decisions, error, seen)
    if not seen.notes:
        return decisions
    notes: list[Value] = [
        note if count == 1 else f"{note} ({count} times)"
        for note, count in seen.notes.most_common(_MOST_NOTES)
    ]
    return replace(decisions, metadata={**decisions.metadata, NOT_UNDERSTOOD: notes})


def _without(decisions: DecisionList, error: DecisionListError, seen: View) -> DecisionList:
    """``decisions`` without the operation that ``error`` names; kept frames become dropped."""
    number = int(error.field.partition("[")[2].partition("]")[0])
    operation = decisions.operations[number]
    seen.notes[error.what] += 1
    instead: tuple[Operation, ...] = ()
    if operation.kind in (Kind.KEEP, Kind.DROP):
        instead = (replace(operation, kind=Kind.DROP, parameters=EMPTY),)
    rest = decisions.operations
    return replace(decisions, operations=(*rest[:number], *instead, *rest[number + 1 :]))
