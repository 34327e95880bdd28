"""One track of xmeml as an OTIO track: record edges, gaps, transitions, overlaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import FrameRange, timecode
from .gap_facts import GapMaker
from .loss import LossReport
from .xmeml_effects_read import Mixing, read_mixing, read_transition
from .xmeml_values import count_of, text_of

#: What a track holds besides items.
_SILENT = frozenset({"enabled", "locked", "outputchannelindex", "name", "parameter"})
ITEMS = ("clipitem", "generatoritem")


@dataclass(slots=True)
class Edges:
    """Record edges of an item: ``start`` and ``end`` of the clip itself, ``begin`` where its
    ``in`` is shown, which lies earlier where a transition precedes it."""

    start: int
    end: int
    begin: int

    @property
    def frames(self) -> int:
        """Length on the record side."""
        return self.end - self.start


@dataclass(slots=True)
class SequenceClock:
    """Rate, timecode of the first frame, and name of the sequence that is read."""

    rate: Fraction
    start: int
    drop: bool

    def at(self, frame: int) -> str:
        """Record timecode of a frame counted from the sequence's first."""
        return timecode(max(0, self.start + frame), self.rate, self.drop)


#: Makes the OTIO item of an element that lies at these edges, None where it cannot be read.
MakeItem = Callable[[Element, Edges], otio.core.Item | None]


class TrackReader:
    """Reads tracks of one sequence."""

    def __init__(self, clock: SequenceClock, report: LossReport, length: int) -> None:
        self.clock, self.report, self.length = clock, report, length

    def read(
        self,
        element: Element,
        name: str,
        kind: str,
        make: MakeItem,
        gaps: list[tuple[FrameRange, dict[str, Any]]],
    ) -> list[Any]:
        """The track; where items overlap, further tracks above it."""
        nodes = self._nodes(element, name)
        layers: list[_Layer] = [_Layer(GapMaker(self.clock.rate, gaps))]
        position = 0
        previous_end = 0
        while position < len(nodes):
            node = nodes[position]
            before = nodes[position - 1] if position else None
            after = nodes[position + 1] if position + 1 < len(nodes) else None
            position += 1
            if isinstance(node, Mixing):
                # Written with the item that follows; a last one is a fade out.
                if not isinstance(after, Element):
                    layers[0].transition(node, read_transition(node, self.clock.rate, self.report))
                continue
            head = before if isinstance(before, Mixing) else None
            edges = self._edges(node, head, after, previous_end)
            previous_end = edges.end
            layer = self._layer(layers, edges, node, name)
            if head is not None:
                joined = read_transition(head, self.clock.rate, self.report)
                layers[0].transition(head, joined)
            if edges.frames <= 0:
                self.report.lost(
                    "clip",
                    "an item of no length",
                    name,
                    text_of(node, "name"),
                    self.clock.at(edges.start),
                )
                continue
            item = make(node, edges)
            if item is not None:
                layer.place(item, edges)
        return [
            layer.track(name if index == 0 else f"{name} {index + 1}", kind, self.length)
            for index, layer in enumerate(layers)
        ]

    def _nodes(self, element: Element, name: str) -> list[Element | Mixing]:
        nodes: list[Element | Mixing] = []
        for child in element:
            if child.tag in ITEMS:
                nodes.append(child)
            elif child.tag == "transitionitem":
                mixing = read_mixing(child, self.clock.rate)
                if mixing is not None:
                    nodes.append(mixing)
                else:
                    self.report.lost("transition", "one without start and end", name)
            elif child.tag not in _SILENT:
                self.report.lost(str(child.tag), "not understood in a track", name)
        return nodes

    def _edges(
        self,
        element: Element,
        head: Mixing | None,
        after: Element | Mixing | None,
        previous_end: int,
    ) -> Edges:
        """Record edges; -1 is the outer edge of the transition there."""
        tail = after if isinstance(after, Mixing) else None
        start, end = count_of(element, "start"), count_of(element, "end")
        first, last = count_of(element, "in"), count_of(element, "out")
        length = last - first if first is not None and last is not None else 0
        begin = -1 if start is None else start
        stop = -1 if end is None else end
        if begin < 0:
            begin = head.start if head is not None else max(previous_end, stop - max(0, length))
            begin = begin if head is not None or stop >= 0 else previous_end
            start = head.cut if head is not None else begin
        elif head is not None and start is not None and head.start <= start <= head.end:
            head.cut = start  # a stated edge is where the cut is
        if stop < 0:
            stop = tail.end if tail is not None else begin + max(0, length)
            end = tail.cut if tail is not None else stop
        elif tail is not None and end is not None and tail.start <= end <= tail.end:
            tail.cut = end
        return Edges(start if start is not None else begin, end if end is not None else stop, begin)

    def _layer(self, layers: list[_Layer], edges: Edges, element: Element, name: str) -> _Layer:
        for layer in layers:
            if layer.at <= edges.start:
                return layer
        self.report.changed(
            "track",
            "it overlaps another on its track and is read on a track above it",
            name,
            text_of(element, "name"),
            self.clock.at(edges.start),
        )
        layers.append(_Layer(GapMaker(self.clock.rate, [])))
        return layers[-1]


class _Layer:
    """A track being built."""

    def __init__(self, gaps: GapMaker) -> None:
        self.gaps = gaps
        self.items: list[Any] = []
        self.at = 0

    def place(self, item: Any, edges: Edges) -> None:
        self._fill(edges.start)
        self.items.append(item)
        self.at = edges.end

    def transition(self, mixing: Mixing, transition: otio.schema.Transition) -> None:
        self._fill(mixing.cut)
        self.items.append(transition)

    def track(self, name: str, kind: str, length: int) -> otio.schema.Track:
        self._fill(length)
        track = otio.schema.Track(name=name, kind=kind)
        track.extend(self.items)
        return track

    def _fill(self, until: int) -> None:
        if until > self.at:
            self.items += self.gaps.between(self.at, until)
            self.at = until
