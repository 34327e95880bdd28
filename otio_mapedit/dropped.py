"""What no clip of a timeline keeps: drops, and the holes that lifted ones leave.

A stored drop gives its id, confidence and reason to the frames that it dropped and that are still
dropped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from .attached import Entry, claimed
from .operations import Kind, Operation, Source, Value
from .ordering import DROPPED
from .placed import Found, Ids, Spans, stored_operation
from .placements import Listed
from .timeline_view import View
from .timing import FrameRange, rescale_floor


@dataclass(frozen=True)
class Dropped:
    """A dropped range. ``at`` is the sequence frame where its hole begins; None: it closes."""

    entry: Entry
    at: int | None

    @property
    def range(self) -> FrameRange:
        """Source frames."""
        return self.entry.operation.range


@dataclass(frozen=True)
class _Piece:
    """Dropped frames with the stored drop that they belong to, if any."""

    source: Source
    span: FrameRange
    stored: Listed | None

    def length(self, sequence: Fraction) -> int:
        """Sequence frames that the piece would take."""
        return rescale_floor(self.span.duration, self.source.rate, sequence)


def dropped_ranges(
    view: View,
    sources: Mapping[str, Source],
    found: list[Found],
    spans: Mapping[str, Spans],
    ids: Ids,
) -> list[Dropped]:
    """Every range that is dropped and is not a clip on the timeline."""
    stored = _stored_drops(view, sources)
    decided = {
        item.source.id
        for item in found
        if item.operation and item.operation.kind is not Kind.INSERT
    }
    listed = view.own.get("partitioned", [])
    decided |= {name for name in (listed if isinstance(listed, list) else []) if name in sources}
    pieces = [
        piece
        for name, source in sources.items()
        if name in decided
        for hole in spans.get(name, Spans()).complement(source.available)
        for piece in _pieces(source, hole, stored.get(name, []))
    ]
    holes = _holes(view, found, pieces)
    return [_dropped(piece, holes.get(number), view, ids) for number, piece in enumerate(pieces)]


def _stored_drops(view: View, sources: Mapping[str, Source]) -> dict[str, list[Listed]]:
    """The drops that the timeline was assembled from, by source, in order of frames."""
    drops: dict[str, list[Listed]] = {}
    values = view.own.get("drops", [])
    for value in values if isinstance(values, list) else []:
        listed = stored_operation(value)
        if listed is None or listed.operation.kind is not Kind.DROP:
            continue
        source = sources.get(listed.operation.source)
        if source and listed.operation.range.duration:
            drops.setdefault(source.id, []).append(listed)
    for of_source in drops.values():
        of_source.sort(key=lambda listed: listed.operation.range)
    return drops


def _pieces(source: Source, hole: FrameRange, stored: Sequence[Listed]) -> Iterator[_Piece]:
    """A hole, divided where stored drops (in order of frames) begin and end."""
    at = hole.start
    first = bisect_right(stored, at, key=lambda listed: listed.operation.range.start)
    for listed in stored[max(0, first - 1) :]:
        if listed.operation.range.start >= hole.end:
            break
        shared = FrameRange.between(at, hole.end).intersection(listed.operation.range)
        if not shared.duration:
            continue
        if shared.start > at:
            yield _Piece(source, FrameRange.between(at, shared.start), None)
        yield _Piece(source, shared, listed)
        at = shared.end
    if at < hole.end:
        yield _Piece(source, FrameRange.between(at, hole.end), None)


def _holes(view: View, found: list[Found], pieces: list[_Piece]) -> dict[int, int]:
    """Where the holes of lifted pieces begin, by number of the piece."""
    by_index = {
        piece.stored.index: number
        for number, piece in enumerate(pieces)
        if piece.stored and piece.span == piece.stored.operation.range
    }
    holes: dict[int, int] = {}
    for gap in view.gaps:
        listed = stored_operation(gap.own)
        number = by_index.get(listed.index) if listed else None
        if number is None or number in holes:
            continue
        if gap.record.duration == pieces[number].length(view.rate):
            holes[number] = gap.record.start
    taken = [FrameRange(at, pieces[number].length(view.rate)) for number, at in holes.items()]
    for region, before, after in _empty(view, found, taken):
        lifted = _between(region.duration, before, after, pieces, view.rate)
        if not lifted:
            view.notes["gaps that are not a lifted range"] += 1
        at = region.start
        for number in lifted:
            holes[number] = at
            at += pieces[number].length(view.rate)
    return holes


def _empty(
    view: View, found: list[Found], taken: list[FrameRange]
) -> Iterator[tuple[FrameRange, Found | None, Found | None]]:
    """Stretches of the timeline that nothing explains, with the ranges around them."""
    shown: list[tuple[FrameRange, Found | None]] = [(item.record, item) for item in found]
    shown += [(span, None) for span in taken]
    shown.sort(key=lambda pair: pair[0])
    ends = [clip.record.end for clip in view.clips] + [gap.record.end for gap in view.gaps]
    at, before = 0, None
    for record, item in shown:
        if record.start > at:
            yield FrameRange.between(at, record.start), before, item
        at, before = max(at, record.end), item
    if max(ends, default=0) > at:
        yield FrameRange.between(at, max(ends)), before, None


def _between(
    length: int,
    before: Found | None,
    after: Found | None,
    pieces: list[_Piece],
    sequence: Fraction,
) -> list[int]:
    """The pieces between two ranges of a source that are together exactly ``length`` long.

    What was not dropped before comes first: a clip that was deleted and left its gap.
    """
    beside = before or after
    if beside is None or (before and after and before.source.id != after.source.id):
        return []
    span = FrameRange.between(
        before.span.end if before else 0,
        max(
            before.span.end if before else 0,
            after.span.start if after else beside.source.frame_count,
        ),
    )
    inside = [
        number
        for number, piece in enumerate(pieces)
        if piece.source.id == beside.source.id and span.contains(piece.span)
    ]
    fresh = [number for number in inside if pieces[number].stored is None]
    if fresh and sum(pieces[number].length(sequence) for number in fresh) == length:
        return fresh
    whole = sum(pieces[number].span.duration for number in inside) == span.duration
    if whole and sum(pieces[number].length(sequence) for number in inside) == length:
        return inside
    return []


def _dropped(piece: _Piece, at: int | None, view: View, ids: Ids) -> Dropped:
    mode = "extract" if at is None else "lift"
    if piece.stored is None:
        given: dict[str, Value] = {} if mode == "extract" else {"mode": mode}
        operation = Operation(Kind.DROP, piece.source.id, piece.span, parameters=given)
        return Dropped(claimed(Entry(operation, None, DROPPED), ids), at)
    before = piece.stored.operation
    unseen = piece.span == before.range and not piece.length(view.rate)
    parameters: dict[str, Value] = {**before.parameters}
    if not unseen and parameters.get("mode", "extract") != mode:
        parameters.pop("mode", None)
        if mode != "extract":
            parameters["mode"] = mode
    operation = replace(before, range=piece.span, parameters=parameters)
    return Dropped(claimed(Entry(operation, piece.stored.index, DROPPED), ids), at)
