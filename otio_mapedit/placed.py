"""Clips of a timeline -> ranges that are kept, inserted or dropped.

A placed range is led by its clip on the first track that shows it (the picture, else the first
sound); the clips of the same media that run in step with it on the tracks below belong to it.
What we once wrote into a clip is believed while the clip still lies on the same frames of the
same media; otherwise the clip itself is.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from .document import operation_from
from .errors import DecisionListError
from .fields import LARGEST, text_fault
from .operations import PLACING, Kind, Operation, Source
from .placements import Listed, contents_of, frames_for
from .referenced import Referring
from .timeline_view import View, own_metadata
from .timing import FrameRange, rescale_floor

CHANGED = "changed by hand"


@dataclass
class Found:
    """A placed range. ``stored`` is what decided it, ``believed`` whether that still holds."""

    lead: Referring
    span: FrameRange
    record: FrameRange
    stored: Listed | None
    believed: bool
    operation: Operation | None = None  # None: not sayable
    index: int | None = None

    @property
    def source(self) -> Source:
        """The source that the range is of."""
        return self.lead.source

    @property
    def scalar(self) -> Fraction:
        """Its speed."""
        return self.lead.seen.scalar

    @property
    def placing(self) -> bool:
        """Whether it is kept or inserted."""
        return self.operation is not None and self.operation.kind in PLACING


@dataclass
class Ids:
    """Operation ids and places in the list, each given once."""

    ids: set[str] = field(default_factory=set)
    indexes: set[int] = field(default_factory=set)

    def index(self, listed: Listed | None) -> int | None:
        """The stored place, the first time it is asked for."""
        if listed is None or listed.index in self.indexes:
            return None
        self.indexes.add(listed.index)
        return listed.index

    def unique(self, operation: Operation) -> Operation:
        """The operation with an id that no other has; without one it stays without."""
        identifier, number = operation.id, 1
        while identifier and identifier in self.ids:
            number += 1
            identifier = f"{operation.id}-{number}"
        self.ids.add(identifier)
        return replace(operation, id=identifier)


class Spans:
    """Ranges of one source that do not overlap."""

    def __init__(self) -> None:
        self._spans: list[FrameRange] = []

    def add(self, span: FrameRange) -> bool:
        """Take ``span`` in; False where it overlaps one that is there."""
        at = bisect_right(self._spans, span)
        beside = self._spans[max(0, at - 1) : at + 1]
        if any(span.intersection(other).duration for other in beside):
            return False
        insort(self._spans, span)
        return True

    def complement(self, whole: FrameRange) -> list[FrameRange]:
        """What of ``whole`` is not covered."""
        holes, at = [], whole.start
        for span in self._spans:
            if span.start > at:
                holes.append(FrameRange.between(at, span.start))
            at = max(at, span.end)
        if at < whole.end:
            holes.append(FrameRange.between(at, whole.end))
        return holes


def stored_operation(value: Any) -> Listed | None:
    """An operation from metadata, with its place in the list; None where it is malformed."""
    if not isinstance(value, Mapping):
        return None
    index = value.get("index")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= LARGEST:
        return None
    names = ("kind", "source", "range", "id", "confidence", "reason", "parameters")
    try:
        return Listed(index, operation_from({k: value[k] for k in names if k in value}, ""))
    except DecisionListError:
        return None


def named(operation: Operation, own: Mapping[str, Any]) -> Operation:
    """``operation`` with id, confidence and reason of what rode along about it, where a host kept
    those and dropped the rest."""
    identity, confidence, reason = (own.get(key) for key in ("id", "confidence", "reason"))
    if not isinstance(identity, str) or not identity or text_fault(identity):
        return operation
    found = replace(operation, id=identity)
    if isinstance(confidence, int | float) and not isinstance(confidence, bool):
        found = replace(found, confidence=float(confidence)) if 0 <= confidence <= 1 else found
    if isinstance(reason, str) and not text_fault(reason):
        found = replace(found, reason=reason)
    return found


def placed_ranges(view: View, clips: Iterable[Referring]) -> list[Found]:
    """Every placed range in programme order, without its operation."""
    found: list[Found] = []
    starts: list[tuple[int, int]] = []  # of ranges found so far, with their number
    for clip in sorted(clips, key=lambda item: (item.seen.track, item.seen.record.start)):
        over = _overlapping(clip.seen.record, found, starts)
        if not over:
            if (fresh := _found(clip, view)) is not None:
                insort(starts, (fresh.record.start, len(found)))
                found.append(fresh)
        elif clip.seen.track == 0 or not any(_in_step(clip, other, view) for other in over):
            view.notes[f"clips on audio track {clip.seen.track} cut apart from the picture"] += 1
    return sorted(found, key=lambda item: item.record.start)


def decide_kinds(found: list[Found], ids: Ids, view: View) -> dict[str, Spans]:
    """Give every range its operation; returns what is decided of each source.

    Frames that are used once are kept; what uses them again is an insert.
    """
    spans: dict[str, Spans] = {}
    certain = [item for item in found if _certain(item)]
    for item in certain:
        if spans.setdefault(item.source.id, Spans()).add(item.span):
            item.index = ids.index(item.stored)
            if item.index is not None and item.stored is not None:
                item.operation = ids.unique(item.stored.operation)
    for item in found:
        if item.operation is None:
            _decide(item, spans.setdefault(item.source.id, Spans()), ids, view)
    return spans


def _decide(item: Found, taken: Spans, ids: Ids, view: View) -> None:
    stored = item.stored.operation if item.stored else None
    own = {} if stored else item.lead.seen.own
    if not item.lead.seen.clip.enabled:
        if not taken.add(item.span):
            view.notes["disabled clips that repeat other frames"] += 1
            return
        item.operation = named(_as_drop(item, stored, "disable"), own)
    elif stored is not None and _under_red_marker(item) and taken.add(item.span):
        item.operation = _as_drop(item, stored, "mark")
    elif stored is not None and stored.kind is Kind.INSERT:
        item.operation = replace(stored, source=item.source.id, range=item.span)
    else:
        kind = Kind.KEEP if taken.add(item.span) else Kind.INSERT
        item.operation = named(_as_kept(item, stored, kind), own)
    item.index = ids.index(item.stored)
    item.operation = ids.unique(item.operation)


def _as_drop(item: Found, stored: Operation | None, mode: str) -> Operation:
    if stored is not None and stored.kind is Kind.DROP:
        parameters = {**stored.parameters, "mode": mode}
        return replace(stored, source=item.source.id, range=item.span, parameters=parameters)
    identifier = stored.id if stored else ""
    reason = CHANGED if stored else ""
    return Operation(Kind.DROP, item.source.id, item.span, identifier, 1.0, reason, {"mode": mode})


def _as_kept(item: Found, stored: Operation | None, kind: Kind) -> Operation:
    if stored is None:
        return Operation(kind, item.source.id, item.span)
    if stored.kind is Kind.DROP:
        return Operation(kind, item.source.id, item.span, stored.id, 1.0, CHANGED)
    return replace(stored, kind=kind, source=item.source.id, range=item.span)


def _certain(item: Found) -> bool:
    """Whether a keep or drop is on the timeline exactly as it was decided."""
    if not item.believed or item.stored is None:
        return False
    operation, enabled = item.stored.operation, item.lead.seen.clip.enabled
    if operation.kind is Kind.KEEP:
        return bool(enabled)
    if operation.kind is not Kind.DROP:
        return False
    mode = operation.parameters.get("mode")
    if mode == "mark":
        return bool(enabled) and _under_red_marker(item)
    return mode == "disable" and not enabled


def _under_red_marker(item: Found) -> bool:
    """Whether the marker that says "dropped" is still on the clip."""
    return any(
        own_metadata(marker).get("kind") == Kind.DROP.value
        for marker in item.lead.seen.clip.markers
    )


def _overlapping(
    record: FrameRange, found: list[Found], starts: list[tuple[int, int]]
) -> list[Found]:
    at = bisect_right(starts, (record.start, len(found)))
    result = []
    for start, number in starts[max(0, at - 1) :]:
        if start >= record.end:
            break
        if found[number].record.intersection(record).duration:
            result.append(found[number])
    return result


def _found(clip: Referring, view: View) -> Found | None:
    stored = stored_operation(clip.seen.own)
    if stored is not None and (total := _as_stored(clip, stored.operation, view.rate)):
        return Found(clip, stored.operation.range, total, stored, believed=True)
    span = _derived(clip, view)
    if span is None:
        view.notes[f"clips outside the media of {clip.source.name}"] += 1
        return None
    return Found(clip, span, clip.seen.record, stored, believed=False)


def _as_stored(clip: Referring, operation: Operation, sequence: Fraction) -> FrameRange | None:
    """The record range of a stored operation, if its leading clip is where it put it."""
    span, source, seen = operation.range, clip.source, clip.seen
    if operation.source != source.id or not span.duration or span.end > source.frame_count:
        return None
    parts = contents_of(span, source, seen.scalar, sequence)
    lead = next((number for number, part in enumerate(parts) if part), None)
    part = parts[lead] if lead is not None else None
    if part is None or lead != seen.track:
        return None
    if (part.start, part.length) != (clip.start, seen.record.duration):
        return None
    if seen.record.start < part.head:
        return None
    length = rescale_floor(span.duration, source.rate * abs(seen.scalar), sequence)
    return FrameRange(seen.record.start - part.head, length)


def _derived(clip: Referring, view: View) -> FrameRange | None:
    """The source frames that a clip plays, inside its media."""
    rate, length = clip.source.rate * abs(clip.seen.scalar), clip.seen.record.duration
    frames = frames_for(length, rate, view.rate)
    if rescale_floor(frames, rate, view.rate) != length:
        view.notes["clip lengths between two frames of their media, rounded"] += 1
        frames = max(1, rescale_floor(length, view.rate, rate))
    span = FrameRange(clip.start, frames).intersection(clip.source.available)
    if span.duration < frames and rescale_floor(span.duration, rate, view.rate) != length:
        view.notes[f"clips that run past the media of {clip.source.name}"] += 1
    if not rescale_floor(span.duration, rate, view.rate):
        return None
    return span


def _in_step(clip: Referring, other: Found, view: View) -> bool:
    """Whether a clip plays the same media as a placed range, at the same time."""
    lead = other.lead
    if clip.source.id != other.source.id or clip.seen.scalar != other.scalar:
        return False
    later = clip.seen.record.start - lead.seen.record.start
    rate = other.source.rate * abs(other.scalar)
    apart = clip.start - lead.start - frames_for(later, rate, view.rate)
    exact = rate == view.rate or not later
    if apart if exact else abs(apart) > 1:
        return False
    if not other.believed and clip.seen.record != lead.seen.record:
        view.notes["sound that starts or ends apart from its picture"] += 1
    return True
