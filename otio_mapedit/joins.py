"""Transitions: which edge of the programme has one, and on which tracks.

OTIO counts a transition from the edge it lies over: ``in_offset`` sequence frames before it,
where the incoming clip needs that much of its media ahead of its first frame, and ``out_offset``
after it, where the outgoing clip needs as much behind its last one. A fade needs no media outside
the clip; its offset on the far side is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .errors import DecisionListError
from .operations import Kind, Source
from .placements import (
    Content,
    Hole,
    Join,
    Listed,
    Placement,
    contents,
    covered_at_head,
    covered_at_tail,
    frames_for,
    streams,
)
from .timing import FrameRange


@dataclass(frozen=True, slots=True)
class Edge:
    """The place between two items of a programme, and the operations that speak about it."""

    before: Placement | Hole | None
    after: Placement | Hole | None
    join: Listed | None = None
    fade_out: Listed | None = None
    fade_in: Listed | None = None


def fault(listed: Listed, message: str, remedy: str, member: str = "") -> DecisionListError:
    """What is wrong with an operation."""
    kind = listed.operation.kind.value
    at = f"operations[{listed.index}]" + (f".{member}" if member else "")
    return DecisionListError(f"{kind}: {message}", remedy, field=at)


def expect_range(listed: Listed, source: Source, span: FrameRange) -> None:
    """An operation that speaks about a placed range says which of its frames it touches.

    Raises:
        DecisionListError: it names others.
    """
    if listed.operation.source != source.id:
        raise fault(listed, f"it touches {source.id!r}", f'Write "{source.id}".', "source")
    if listed.operation.range != span:
        raise fault(
            listed,
            f"it covers {span.duration} frames from frame {span.start}",
            f'Write {{"start": {span.start}, "duration": {span.duration}}}.',
            "range",
        )


def join_at(edge: Edge, sequence: Fraction) -> Join | None:
    """The transition over an edge, if there is one.

    Raises:
        DecisionListError: it does not fit.
    """
    if edge.join is not None and edge.join.operation.kind is not Kind.CUT:
        join = _dissolve(edge, edge.join, sequence)
    elif edge.fade_out is not None or edge.fade_in is not None:
        join = _fade(edge, sequence)
    else:
        return None
    _check_tracks(edge, join, sequence)
    return join


def offsets_on(track: int, join: Join, edge: Edge, sequence: Fraction) -> tuple[int, int] | None:
    """``(in_offset, out_offset)`` of a join on one track; None where it takes no part.

    ``track`` counts as :func:`otio_mapedit.placements.streams`: 0 is the picture.
    """
    if not (join.with_sound if track else join.with_picture):
        return None
    before, after = _content(edge.before, track, sequence), _content(edge.after, track, sequence)
    leaves = before is not None and _reaches_end(edge.before, before)
    enters = after is not None and after.head == 0
    if join.kind == "fade":
        inward = join.in_offset if leaves and before and join.in_offset <= before.length else 0
        outward = join.out_offset if enters and after and join.out_offset <= after.length else 0
        return (inward, outward) if inward or outward else None
    if not leaves or not enters or _handle_faults(track, join, edge, sequence):
        return None
    return join.in_offset, join.out_offset


def check_lengths(items: Sequence[Placement | Hole], joins: dict[int, Join]) -> None:
    """No clip is shorter than the transitions at its two edges.

    Raises:
        DecisionListError: one is.
    """
    for number, item in enumerate(items):
        head, tail = joins.get(number), joins.get(number + 1)
        taken = (head.out_offset if head else 0) + (tail.in_offset if tail else 0)
        if taken > item.record.duration:
            listed = (tail or head).listed[0]  # type: ignore[union-attr]
            raise fault(
                listed,
                f"the transitions of a range of {item.record.duration} frames take {taken}",
                "Shorten one of them.",
                "parameters",
            )


def frames_of(listed: Listed, name: str) -> int:
    """A parameter that is a number of sequence frames.

    Raises:
        DecisionListError: not a whole number from 0 to 100000.
    """
    value = listed.operation.parameters.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:
        raise fault(
            listed,
            f"{value!r} is not a number of frames",
            f"Write {name} as whole sequence frames.",
            f"parameters.{name}",
        )
    return value


def _dissolve(edge: Edge, listed: Listed, sequence: Fraction) -> Join:
    before, after = edge.before, edge.after
    if edge.fade_out is not None or edge.fade_in is not None:
        raise fault(listed, "a fade is at the same place", "Remove one of them.")
    if not isinstance(before, Placement) or not isinstance(after, Placement) or not _kept(before):
        raise fault(
            listed,
            "it joins two kept ranges that touch, and something lies between",
            "Write cut, or drop what lies between with mode extract.",
        )
    in_offset, out_offset = frames_of(listed, "in_offset"), frames_of(listed, "out_offset")
    if not in_offset + out_offset:
        raise fault(listed, "it lasts 0 frames", "Write cut, or give it offsets.", "parameters")
    expect_range(
        listed,
        before.source,
        covered_at_tail(
            before.range, before.source, before.scalar, sequence, in_offset, out_offset
        ),
    )
    kind = listed.operation.kind.value
    return Join(kind, in_offset, out_offset, (listed,))


def _fade(edge: Edge, sequence: Fraction) -> Join:
    lengths = {"fade_out": 0, "fade_in": 0}
    for listed, item in ((edge.fade_out, edge.before), (edge.fade_in, edge.after)):
        if listed is None or not isinstance(item, Placement):
            continue
        length = frames_of(listed, "length")
        if not length:
            raise fault(listed, "it lasts 0 frames", "Give it a length.", "parameters.length")
        if length > item.record.duration:
            raise fault(
                listed,
                f"it is longer than its range ({item.record.duration} frames)",
                "Shorten it.",
                "parameters.length",
            )
        lengths[listed.operation.kind.value] = length
        placed = (item.range, item.source, item.scalar, sequence)
        if listed is edge.fade_out:
            expect_range(listed, item.source, covered_at_tail(*placed, length, 0))
        else:
            expect_range(listed, item.source, covered_at_head(*placed, length))
    both = tuple(listed for listed in (edge.fade_out, edge.fade_in) if listed is not None)
    return Join("fade", lengths["fade_out"], lengths["fade_in"], both)


def _check_tracks(edge: Edge, join: Join, sequence: Fraction) -> None:
    """A join shows on some track, and where there is picture, on the picture.

    Raises:
        DecisionListError: the media has too few frames, or nothing touches the edge.
    """
    listed = join.listed[0]
    pictured = all(_content(item, 0, sequence) is not None for item in (edge.before, edge.after))
    if (
        join.kind != "fade"
        and pictured
        and join.with_picture
        and (short := _handle_faults(0, join, edge, sequence))
    ):
        raise fault(listed, short, "Shorten it, or write cut.", "parameters")
    tracks = max(
        len(streams(item.source)) if isinstance(item, Placement) else 0
        for item in (edge.before, edge.after)
    )
    found = [offsets_on(track, join, edge, sequence) for track in range(tracks)]
    for offset, wanted in enumerate((join.in_offset, join.out_offset)):
        if wanted and not any(pair and pair[offset] for pair in found):
            raise fault(
                join.listed[-offset],
                "neither picture nor sound touches this edge for so long",
                "Shorten or remove it.",
                "parameters",
            )


def _handle_faults(track: int, join: Join, edge: Edge, sequence: Fraction) -> str:
    """What the media of a stream lacks for a dissolve or wipe, in words."""
    before, after = edge.before, edge.after
    if not isinstance(before, Placement) or not isinstance(after, Placement):
        return "something lies between"
    out_extent, in_extent = streams(before.source)[track], streams(after.source)[track]
    if out_extent is None or in_extent is None:
        return "a source lacks the stream"
    span = before.range
    needed = frames_for(before.record.duration + join.out_offset, before.rate, sequence)
    room = out_extent.end - span.start if before.scalar > 0 else span.end - out_extent.start
    if needed > room and join.out_offset:
        return (
            f"{before.source.name or before.source.id} has {needed - room} frames too few "
            f"after frame {span.end}"
        )
    span = after.range
    needed = frames_for(join.in_offset, after.rate, sequence)
    room = span.start - in_extent.start if after.scalar > 0 else in_extent.end - span.end
    if needed > room and join.in_offset:
        return (
            f"{after.source.name or after.source.id} has {needed - room} frames too few "
            f"before frame {span.start}"
        )
    return ""


def _content(item: Placement | Hole | None, track: int, sequence: Fraction) -> Content | None:
    if not isinstance(item, Placement):
        return None
    found = contents(item, sequence)
    return found[track] if track < len(found) else None


def _reaches_end(item: Placement | Hole | None, content: Content) -> bool:
    return item is not None and content.head + content.length == item.record.duration


def _kept(placed: Placement) -> bool:
    return placed.listed.operation.kind is not Kind.DROP
