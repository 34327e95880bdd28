"""A decision list as it plays: what lies where on the sequence, and what is attached to it.

:func:`programme` reads the operations from top to bottom and is the only place that knows what
they mean on a timeline. Every rule that a decision list must obey beyond its form is checked
here: a valid decision list is one that this module accepts. Whether keeps and drops partition
each source is a separate question (:func:`otio_mapedit.operations.partition_faults`), because a
list that was changed by hand still plays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, chain

from .errors import DecisionListError
from .joins import Edge, check_lengths, expect_range, fault, join_at
from .operations import DROP_MODES, JOINS, PLACING, DecisionList, Kind, Source
from .placements import (
    Hole,
    Join,
    Listed,
    Mark,
    Placement,
    Programme,
    contents,
    scalar_of,
)
from .timing import FrameRange, rescale_floor

#: Marker colours, as OTIO names them.
COLOURS = (
    "PINK", "RED", "ORANGE", "YELLOW", "GREEN", "CYAN",
    "BLUE", "PURPLE", "MAGENTA", "BLACK", "WHITE",
)  # fmt: skip


@dataclass(slots=True)
class _Slot:
    """An operation with a place on the timeline, and those that speak about it."""

    listed: Listed
    source: Source
    join: Listed | None = None
    fade_in: Listed | None = None
    speed: Listed | None = None
    grade: Listed | None = None
    fade_out: Listed | None = None

    @property
    def placing(self) -> bool:
        return self.listed.operation.kind in PLACING

    @property
    def mode(self) -> str:
        return drop_mode(self.listed)


@dataclass(slots=True)
class _Pending:
    """What waits for the next placed range."""

    join: Listed | None = None
    fade_in: Listed | None = None


def programme(decisions: DecisionList) -> Programme:
    """What ``decisions`` play.

    Raises:
        DecisionListError: an operation that cannot be carried out; ``field`` names it.
    """
    check_names(decisions)
    slots, marks, drops = _collected(decisions)
    laid_out = _laid_out(slots, decisions)
    numbers = [0, *accumulate(item is not None for item in laid_out)]
    homes = tuple(_homed(listed, before, laid_out, numbers) for listed, before in marks)
    shown = [(item, slot) for item, slot in zip(laid_out, slots, strict=True) if item is not None]
    items = tuple(item for item, _ in shown)
    joins = _joins(shown, decisions.rate)
    check_lengths(items, joins)
    return Programme(decisions, items, joins, homes, tuple(drops))


def drop_mode(listed: Listed) -> str:
    """How a drop leaves.

    Raises:
        DecisionListError: not one of :data:`otio_mapedit.operations.DROP_MODES`.
    """
    mode = listed.operation.parameters.get("mode", "extract")
    if mode not in DROP_MODES:
        raise fault(
            listed,
            f"{mode!r} is not a way to drop",
            f"Choose one of: {', '.join(DROP_MODES)}.",
            "parameters.mode",
        )
    return str(mode)


def check_names(decisions: DecisionList) -> None:
    """Ids are unique, sources exist.

    Raises:
        DecisionListError: otherwise.
    """
    seen: dict[str, int] = {}
    for index, source in enumerate(decisions.sources):
        if source.id in seen:
            raise DecisionListError(
                f"two sources are called {source.id!r}",
                "Give one of them another id.",
                field=f"sources[{index}].id",
            )
        seen[source.id] = index
    ids: set[str] = set()
    for index, operation in enumerate(decisions.operations):
        at = f"operations[{index}]"
        if operation.source not in seen:
            raise DecisionListError(
                f"no source is called {operation.source!r}",
                f"Use one of: {', '.join(seen) or '(there are none)'}.",
                field=f"{at}.source",
            )
        if operation.id and operation.id in ids:
            raise DecisionListError(
                f"two operations are called {operation.id!r}",
                "Give one of them another id, or none.",
                field=f"{at}.id",
            )
        ids.add(operation.id)


def _collected(
    decisions: DecisionList,
) -> tuple[list[_Slot], list[tuple[Listed, int]], list[Listed]]:
    """Slots in programme order; marks with the number of slots before them; drops."""
    slots: list[_Slot] = []
    marks: list[tuple[Listed, int]] = []
    drops: list[Listed] = []
    pending = _Pending()
    sources = {source.id: source for source in decisions.sources}
    for index, operation in enumerate(decisions.operations):
        listed, kind = Listed(index, operation), operation.kind
        source = sources[operation.source]
        _check_range(listed, source)
        if kind in PLACING:
            if pending.join and pending.join.operation.kind is Kind.CUT:
                expect_range(pending.join, source, FrameRange(operation.range.start, 0))
            slots.append(_Slot(listed, source, pending.join, pending.fade_in))
            pending = _Pending()
        elif kind is Kind.DROP:
            drops.append(listed)
            if drop_mode(listed) != "extract":
                slots.append(_Slot(listed, source))
        elif kind is Kind.MARK:
            _check_mark(listed)
            marks.append((listed, len(slots)))
        elif kind in JOINS or kind is Kind.FADE_IN:
            if kind in JOINS and not any(slot.placing for slot in slots):
                raise fault(listed, "no kept range is before it", "Remove it.")
            _wait(listed, pending)
        else:
            _attach(listed, slots)
    if left := pending.join or pending.fade_in:
        raise fault(left, "no kept range follows it", "Put it before a keep, or remove it.")
    return slots, marks, drops


def _check_range(listed: Listed, source: Source) -> None:
    span, kind = listed.operation.range, listed.operation.kind
    if span.end > source.frame_count:
        raise fault(
            listed,
            f"frame {span.end} is after the end of {source.name or source.id} "
            f"({source.frame_count} frames)",
            "Shorten the range.",
            "range",
        )
    if span.start < 0:
        raise fault(listed, "the range begins before frame 0", "Start at 0 or later.", "range")
    if not span.duration and (kind in PLACING or kind is Kind.DROP):
        raise fault(listed, "the range is empty", "Give it a length, or remove it.", "range")


def _check_mark(listed: Listed) -> None:
    for key in ("name", "note", "colour"):
        value = listed.operation.parameters.get(key, "")
        if not isinstance(value, str):
            raise fault(listed, f"{key} is not a text", "Put it in quotes.", f"parameters.{key}")
    colour = str(listed.operation.parameters.get("colour", "RED"))
    if colour.upper() not in COLOURS:
        raise fault(
            listed,
            f"there is no marker colour {colour!r}",
            f"Choose one of: {', '.join(COLOURS).lower()}.",
            "parameters.colour",
        )


def _wait(listed: Listed, pending: _Pending) -> None:
    waiting = "fade_in" if listed.operation.kind is Kind.FADE_IN else "join"
    if getattr(pending, waiting) is not None:
        raise fault(listed, "the next kept range has one already", "Remove one of them.")
    setattr(pending, waiting, listed)


def _attach(listed: Listed, slots: list[_Slot]) -> None:
    kind = listed.operation.kind
    slot = next((slot for slot in reversed(slots) if slot.placing), None)
    if slot is None:
        raise fault(listed, "no kept range is before it", "Put it after a keep, or remove it.")
    if getattr(slot, kind.value) is not None:
        raise fault(listed, "the kept range before it has one already", "Remove one of them.")
    if kind is not Kind.FADE_OUT:
        expect_range(listed, slot.source, slot.listed.operation.range)
    if kind is Kind.GRADE:
        _check_grade(listed, slot)
    setattr(slot, kind.value, listed)


def _check_grade(listed: Listed, slot: _Slot) -> None:
    if slot.source.video is None:
        raise fault(listed, f"{slot.source.name} has no picture", "Remove it.")
    parameters = listed.operation.parameters
    for key in ("slope", "offset", "power"):
        value = parameters.get(key, [1, 1, 1])
        if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)):
            raise fault(
                listed, f"{key} is not three numbers", "Write [r, g, b].", f"parameters.{key}"
            )
    if not _is_number(parameters.get("saturation", 1)):
        raise fault(
            listed, "saturation is not a number", "Write it like 1.0.", "parameters.saturation"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _laid_out(slots: list[_Slot], decisions: DecisionList) -> list[Placement | Hole | None]:
    """Each slot at its place on the sequence; None for a drop too short to show."""
    items: list[Placement | Hole | None] = []
    at = 0
    for slot in slots:
        scalar = _scalar(slot)
        span = slot.listed.operation.range
        length = rescale_floor(span.duration, slot.source.rate * abs(scalar), decisions.rate)
        record = FrameRange(at, length)
        item: Placement | Hole | None
        if slot.placing and not length:
            raise fault(
                slot.listed,
                "the range is shorter than a frame of the sequence",
                "Lengthen or drop it.",
                "range",
            )
        if not length:
            item = None
        elif not slot.placing and slot.mode == "lift":
            item = Hole(slot.listed, record)
        else:
            item = _placement(slot, record, scalar, decisions)
        items.append(item)
        at = record.end
    return items


def _scalar(slot: _Slot) -> Fraction:
    if slot.speed is None:
        return Fraction(1)
    try:
        return scalar_of(slot.speed.operation)
    except DecisionListError as error:
        raise fault(slot.speed, error.what, error.remedy, "parameters.scalar") from None


def _placement(
    slot: _Slot, record: FrameRange, scalar: Fraction, decisions: DecisionList
) -> Placement:
    enabled = slot.placing or slot.mode != "disable"
    cut = slot.join if slot.join and slot.join.operation.kind is Kind.CUT else None
    placed = Placement(
        slot.listed, slot.source, record, scalar, enabled, slot.speed, slot.grade, cut
    )
    found = contents(placed, decisions.rate)
    if not any(found):
        raise fault(
            slot.listed,
            f"{slot.source.name or slot.source.id} has neither picture nor sound there",
            "Check the source's streams, or drop the range.",
            "range",
        )
    if slot.grade is not None and found[0] is None:
        raise fault(slot.grade, "there is no picture in that range", "Remove it.")
    return replace(placed, parts=found)


def _joins(shown: list[tuple[Placement | Hole, _Slot]], sequence: Fraction) -> dict[int, Join]:
    """Transitions by the number of the item that they come before."""
    joins = {}
    for number in range(len(shown) + 1):
        before, leaving = shown[number - 1] if number else (None, None)
        after, entering = shown[number] if number < len(shown) else (None, None)
        edge = Edge(
            before,
            after,
            join=entering.join if entering else None,
            fade_out=leaving.fade_out if leaving else None,
            fade_in=entering.fade_in if entering else None,
        )
        if join := join_at(edge, sequence):
            joins[number] = join
    return joins


def _homed(
    listed: Listed, before: int, items: list[Placement | Hole | None], shown: list[int]
) -> Mark:
    """The placement that a mark begins in: the last one before it, else the first of all.

    ``shown`` gives each slot's number among those that show.
    """
    operation = listed.operation

    def begins_in(item: Placement | Hole | None) -> bool:
        return (
            isinstance(item, Placement)
            and item.source.id == operation.source
            and item.range.start <= operation.range.start < item.range.end
        )

    order = chain(range(before - 1, -1, -1), range(before, len(items)))
    home = next((number for number in order if begins_in(items[number])), None)
    at = next((item.record.end for item in reversed(items[:before]) if item is not None), 0)
    if home is not None:
        home = shown[home]
    return Mark(listed, home, at)
