"""How the pieces of one sequence are laid out: the primary storyline and what connects to it."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..otio_values import entry
from ..timing import FrameRange, exact_time
from .fcpxml_clips import ClipWriter
from .fcpxml_markers import TIMELINE, Place, marker_element
from .fcpxml_parts import Story
from .fcpxml_plan import Piece, Plan, TrackPlan
from .fcpxml_resources import Resources
from .fcpxml_times import format_time, seconds_time
from .fcpxml_transitions import TransitionWriter
from .fcpxml_words import NAMESPACE, plain


class Layout:
    """The storylines of one sequence."""

    def __init__(self, plan: Plan, resources: Resources, nested: dict[int, str]) -> None:
        self.plan = plan
        self.clips = ClipWriter(plan, resources, nested)
        self.transitions = TransitionWriter(plan, resources)
        self.stories: list[Story] = []
        self.starts: list[int] = []

    def spine(self, stack: Any, data: dict[str, Any]) -> Element:
        """The primary storyline with everything connected to it."""
        pictures = [track for track in self.plan.tracks if track.is_video]
        sounds = [track for track in self.plan.tracks if not track.is_video]
        zero = Fraction(self.plan.start) / self.plan.rate
        pieces = self._filled(pictures[0] if pictures else None)
        children = self._storyline(pieces, zero, None, picture=True)
        for lane, track in enumerate(pictures[1:], 1):
            self._connect(track, lane)
        for lane, track in enumerate(sounds, 1):
            self._connect(track, -lane)
        self._mark(stack, data)
        for track in [*pictures[1:], *sounds]:
            self._remember_gaps(track, data)
        spine = Element("spine")
        for child in children:
            spine.append(child.finish() if isinstance(child, Story) else child)
        return spine

    def _filled(self, track: TrackPlan | None) -> list[Piece]:
        """The pieces of the first video track, and a gap up to the end of the longest one."""
        pieces = list(track.pieces) if track else []
        end = pieces[-1].record.end if pieces else 0
        if end < self.plan.duration:
            rest = FrameRange.between(end, self.plan.duration)
            pieces.append(Piece(otio.schema.Gap(), rest, track.index if track else -1))
        return pieces

    def _storyline(
        self, pieces: list[Piece], zero: Fraction, first: int | None, picture: bool
    ) -> list[Story | Element]:
        """Stories and transitions in order. ``zero`` is the clock's time at frame ``first``; None
        is the primary storyline, whose stories are kept, so that others connect to them."""
        children: list[Story | Element] = []
        for place, piece in enumerate(pieces):
            offset = zero + Fraction(piece.record.start - (first or 0)) / self.plan.rate
            before = pieces[place - 1] if place else None
            if piece.head is not None:
                children.append(
                    self.transitions.element(
                        piece.head, (before, piece), offset, piece.record.start, picture
                    )
                )
            story = self.clips.story(piece, offset, 0, picture)
            children.append(story)
            if first is None:
                self.stories.append(story)
                self.starts.append(piece.record.start)
            last = place == len(pieces) - 1 or pieces[place + 1].head is not piece.tail
            if piece.tail is not None and last:
                end = offset + Fraction(piece.record.duration) / self.plan.rate
                children.append(
                    self.transitions.element(
                        piece.tail, (piece, None), end, piece.record.end, picture
                    )
                )
        return children

    def _connect(self, track: TrackPlan, lane: int) -> None:
        """Connect the pieces of a track, joined ones as storylines of their own."""
        for chain in _chains(track.pieces):
            chain = [piece for piece in chain if not self._is_silent_generator(piece, track)]
            if not chain:
                continue
            first = chain[0].record.start
            parent = self.stories[max(0, bisect_right(self.starts, first) - 1)]
            ahead = Fraction(first - parent.record_start) / self.plan.rate
            offset = parent.local(ahead)
            if len(chain) == 1 and chain[0].head is None and chain[0].tail is None:
                story = self.clips.story(chain[0], offset, lane, track.is_video)
                parent.anchored.append(story.finish())
                continue
            spine = Element("spine", {"lane": str(lane), "offset": format_time(offset)})
            for child in self._storyline(chain, Fraction(0), first, track.is_video):
                spine.append(child.finish() if isinstance(child, Story) else child)
            parent.anchored.append(spine)

    def _remember_gaps(self, track: TrackPlan, data: dict[str, Any]) -> None:
        """Gaps beside the primary storyline are nothing in FCPXML; what decided them rides along,
        their markers go to their track."""
        for piece, alone in _gaps(track.pieces):
            mine = plain(entry(piece.item.metadata, NAMESPACE)) if alone else None
            if mine:
                data.setdefault("gaps", []).append(
                    [piece.track, piece.record.start, piece.record.duration, mine]
                )
            for marker in piece.item.markers if alone else ():
                copy = marker.deepcopy()
                ahead = exact_time(marker.marked_range.start_time) - piece.source_start
                begin = ahead + Fraction(piece.record.start) / self.plan.rate
                copy.marked_range = otio.opentime.TimeRange(
                    seconds_time(begin, self.plan.rate), marker.marked_range.duration
                )
                self._mark_all([copy], f"track:{track.index}", data.setdefault("markers", []))

    def _is_silent_generator(self, piece: Piece, track: TrackPlan) -> bool:
        if track.is_video or not piece.is_clip or piece.asset is not None:
            return False
        self.plan.report.lost(
            "generator", "FCPXML has no generators of sound", **self.plan.place(piece)
        )
        return True

    def _mark(self, stack: Any, data: dict[str, Any]) -> None:
        """Markers of the timeline and of tracks lie on the primary storyline's clips."""
        notes: list[Any] = []
        if stack is not None:
            self._mark_all(stack.markers, TIMELINE, notes)
        for track in self.plan.tracks:
            self._mark_all(track.track.markers, f"track:{track.index}", notes)
        if notes:
            data["markers"] = notes

    def _mark_all(self, markers: Any, on: str, notes: list[Any]) -> None:
        for marker in markers:
            at = exact_time(marker.marked_range.start_time)
            if not self.stories:
                self.plan.report.lost("marker", "nothing to put it on", "", marker.name)
                continue
            frame = int(at * self.plan.rate)
            story = self.stories[max(0, bisect_right(self.starts, frame) - 1)]
            shift = story.local(-Fraction(story.record_start) / self.plan.rate)
            story.markers.append(marker_element(marker, _shifted(shift), notes, {"on": on}))
            if marker.color:
                self.plan.report.changed(
                    "marker", f"its colour {marker.color} stands in its note", "", marker.name,
                    self.plan.at(frame),
                )  # fmt: skip
            if on != TIMELINE or at * self.plan.rate >= max(1, self.plan.duration):
                self.plan.report.changed(
                    "marker",
                    "put on the clip of the primary storyline there",
                    "",
                    marker.name,
                    self.plan.at(frame),
                )


def _shifted(shift: Fraction) -> Place:
    return lambda start, duration: (start + shift, duration)


def _chains(pieces: list[Piece]) -> list[list[Piece]]:
    """Detached pieces that belong together: neighbours that a transition joins. Gaps count only
    where a transition reaches into them."""
    chains: list[list[Piece]] = []
    alone = {id(gap) for gap, is_alone in _gaps(pieces) if is_alone}
    for piece in pieces:
        if piece.host is not None or id(piece) in alone:
            continue
        join = chains[-1][-1].tail if chains else None
        if join is not None and join is piece.head:
            chains[-1].append(piece)
        else:
            chains.append([piece])
    return chains


def _gaps(pieces: list[Piece]) -> list[tuple[Piece, bool]]:
    """The gaps of a track, and whether each is left out because no transition reaches it."""
    edged: list[Piece | None] = [None, *pieces, None]
    return [
        (piece, not _is_reached(before, piece, after))
        for before, piece, after in zip(edged, pieces, edged[2:], strict=False)
        if piece.is_gap
    ]


def _is_reached(before: Piece | None, gap: Piece, after: Piece | None) -> bool:
    """Whether a transition with a detached neighbour needs the gap in its storyline."""
    head = gap.head if before is None or before.host is None else None
    tail = gap.tail if after is None or after.host is None else None
    return (head is not None and (head.hollow or head.after > 0)) or (
        tail is not None and (tail.hollow or tail.before > 0)
    )
