"""Edits of one channel, by record time, as the items of OTIO tracks."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import FrameRange, exact_time, fraction_of, frame_at, rational_time
from .edl_media import media_reference
from .edl_source import clip_start
from .edl_words import AS_TRACK, one_line
from .gain import set_gain
from .gap_facts import GapMaker
from .loss import LossReport
from .timeline_facts import taken_back

_TYPES = otio.schema.TransitionTypes


@dataclass(slots=True)
class Cut:
    """One edit on the record side: frames from midnight; ``low`` is the lowest media frame
    that it shows, on ``media_rate``.

    ``effect`` frames of mixing begin at ``start``; ``outgoing`` is what the list says they come
    from.
    """

    channels: frozenset[str]
    start: int
    end: int
    label: str
    name: str
    low: int
    media_rate: Fraction
    speed: Fraction
    media: dict[str, Any]
    metadata: dict[str, Any]
    source_day: int
    row: int
    black: bool = False
    enabled: bool = True
    linked: bool = False
    gain: float | None = None
    exact: dict[str, Any] = field(default_factory=dict)
    effect: int = 0
    wipe: int = 0
    effect_name: str = ""
    warp: dict[str, Any] = field(default_factory=dict)
    join: dict[str, Any] = field(default_factory=dict)
    from_black: bool = False
    outgoing: Cut | None = None
    markers: list[otio.schema.Marker] = field(default_factory=list)


@dataclass(slots=True)
class _Placed:
    """A clip being built, and the edit that it comes from."""

    cut: Cut
    start: int
    end: int


@dataclass(slots=True)
class _Joint:
    """A transition and the record frame of its cut."""

    transition: otio.schema.Transition
    at: int


@dataclass(slots=True)
class _Layer:
    """One track being built: clips and transitions, gaps where they do not meet."""

    items: list[_Placed | _Joint] = field(default_factory=list)
    at: int = 0

    @property
    def last(self) -> _Placed | None:
        return self.items[-1] if self.items and isinstance(self.items[-1], _Placed) else None


class TrackBuilder:
    """Builds the track (or, where edits overlap, the tracks) of one channel."""

    def __init__(
        self,
        name: str,
        kind: str,
        rate: Fraction,
        start: int,
        end: int,
        report: LossReport,
        number: int,
        gaps: list[tuple[FrameRange, dict[str, Any]]],
    ) -> None:
        self.name, self.kind, self.rate = name, kind, rate
        self.start, self.end, self.report = start, end, report
        self.number, self.gaps = number, gaps
        self.layers: list[_Layer] = [_Layer(at=start)]

    def build(self, cuts: list[Cut]) -> list[otio.schema.Track]:
        """The tracks of these edits, first the one that the others lie over."""
        for cut in sorted(cuts, key=lambda cut: (cut.start, cut.row)):
            layer = self._layer(cut)
            if cut.effect:
                self._joined(layer, cut)
            elif cut.black:
                layer.at = cut.end
            else:
                self._place(layer, cut, cut.start)
        return [self._track(layer, index) for index, layer in enumerate(self.layers)]

    def _layer(self, cut: Cut) -> _Layer:
        for layer in self.layers:
            if layer.at <= cut.start:
                return layer
        self.report.changed(
            "track",
            f"line {cut.row} overlaps an edit on its channel and is read on a track above it",
            self.name,
            cut.name,
            cut.label,
        )
        self.layers.append(_Layer(at=self.start))
        return self.layers[-1]

    def _place(self, layer: _Layer, cut: Cut, start: int) -> None:
        layer.items.append(_Placed(cut, start, cut.end))
        layer.at = cut.end

    def _joined(self, layer: _Layer, cut: Cut) -> None:
        """A dissolve or wipe at the start of ``cut``."""
        left = layer.last if layer.at == cut.start else None
        if left is not None and not _continues(left.cut, cut):
            left = None
        from_black = cut.from_black or (left is None and cut.outgoing is None)
        if from_black and cut.black:
            self.report.lost("transition", "from black to black", self.name, at=cut.label)
            layer.at = cut.end
            return
        before = self._before(cut, left, from_black)
        middle = cut.start + before
        if not from_black:
            if left is None or left is not layer.last:
                assert cut.outgoing is not None  # else it would come from black
                left = _Placed(cut.outgoing, cut.start, middle)
                layer.items.append(left)
            left.end = middle
        layer.items.append(_Joint(self._transition(cut, before), middle))
        layer.at = cut.end
        if not cut.black:
            self._place(layer, cut, middle)

    def _before(self, cut: Cut, left: _Placed | None, from_black: bool) -> int:
        """Frames of the mixing that lie before the cut point."""
        told = cut.join.get("in")
        if isinstance(told, int) and 0 <= told <= cut.effect:
            return told
        if from_black:
            return 0
        if cut.black:
            return cut.effect
        # Without a clip before it, what it comes from needs frames of its own.
        return 0 if left is not None and left.end > left.start else (cut.effect + 1) // 2

    def _transition(self, cut: Cut, before: int) -> otio.schema.Transition:
        name = cut.effect_name
        kind = _TYPES.Custom if cut.wipe else _TYPES.SMPTE_Dissolve
        data = taken_back(cut.join)
        if "pattern" in cut.join:
            data["pattern"] = cut.join["pattern"]
        if cut.wipe:
            data.setdefault("pattern", cut.wipe)
            name = name or "Wipe"
        if isinstance(cut.join.get("name"), str) and isinstance(cut.join.get("type"), str):
            name, kind = cut.join["name"], cut.join["type"]
        transition = otio.schema.Transition(
            name=name,
            transition_type=kind,
            in_offset=rational_time(before, self.rate),
            out_offset=rational_time(cut.effect - before, self.rate),
        )
        if data:
            transition.metadata["mapedit"] = data
        return transition

    def _track(self, layer: _Layer, index: int) -> otio.schema.Track:
        name = self.name if index == 0 else f"{self.name} {index + 1}"
        track = otio.schema.Track(name=name, kind=self.kind)
        items: list[otio.core.Composable] = []
        gaps = GapMaker(self.rate, self.gaps if index == 0 else [])
        edges = _Edges(self.rate)
        at = self.start
        for item in layer.items:
            begin = item.at if isinstance(item, _Joint) else item.start
            if begin > at:
                items += edges.held(gaps.between(at - self.start, begin - self.start))
                at = begin
            if isinstance(item, _Joint):
                items.append(item.transition)
                continue
            if item.end == item.start:
                self.report.lost(
                    "clip", "an edit of no length", self.name, item.cut.name, item.cut.label
                )
                continue
            items += edges.held([self._clip(item)], item.end - item.start)
            at = item.end
        end = max(self.end, layer.at) if index == 0 else layer.at
        if end > at:
            items += edges.held(gaps.between(at - self.start, end - self.start))
        track.extend(items)
        return track

    def _clip(self, placed: _Placed) -> otio.schema.Clip:
        cut = placed.cut
        clip = otio.schema.Clip(
            name=cut.name,
            media_reference=media_reference(cut.media),
            source_range=_source_range(placed, self.rate),
            metadata=cut.metadata,
        )
        clip.enabled = cut.enabled
        clip.markers.extend(marker.clone() for marker in cut.markers)
        if cut.gain is not None:
            set_gain(clip, cut.gain)
        if cut.speed != 1:
            clip.effects.append(_warp(cut))
        data = dict(cut.metadata.get("mapedit", {}))
        if cut.linked:
            data.setdefault("link", f"edl-{cut.row}")
        if data.get("stream") == AS_TRACK:
            data["stream"] = self.number
        if data:
            clip.metadata["mapedit"] = data
        return clip


class _Edges:
    """Keeps every edge of a track on its record frame where clips state exact lengths that are
    no whole frames: these add up otherwise than the whole ones around them."""

    def __init__(self, rate: Fraction) -> None:
        self.rate = rate
        self.clock = rational_time(0, rate).rate
        self.frame = 0
        self.exact = Fraction(0)

    def held(self, items: list[Any], frames: int = 0) -> list[Any]:
        """``items`` that last ``frames`` altogether, in whole ones where an exact length would
        move their end."""
        for item in items:
            span = item.source_range
            length = frames or int(span.duration.value)
            self.frame += length
            whole = (span.duration.value, span.duration.rate) == (length, self.clock)
            if whole and self.exact.denominator == 1:
                self.exact += length
                continue
            exact = exact_time(span.duration) * self.rate
            if frame_at(self.exact + exact, Fraction(1)) != self.frame:
                exact = Fraction(length)
                if frame_at(self.exact + exact, Fraction(1)) != self.frame:
                    exact = self.frame - self.exact
                duration = otio.opentime.RationalTime(float(exact), self.clock)
                item.source_range = otio.opentime.TimeRange(span.start_time, duration)
            self.exact += exact
        return items


def _warp(cut: Cut) -> otio.schema.LinearTimeWarp:
    """The speed of an edit, with what rode along about it."""
    warp = otio.schema.FreezeFrame()
    if cut.speed:
        warp = otio.schema.LinearTimeWarp(time_scalar=float(cut.speed))
    if isinstance(cut.warp.get("name"), str):
        warp.name = cut.warp["name"]
    if own := taken_back(cut.warp):
        warp.metadata["mapedit"] = own
    return warp


def _source_range(placed: _Placed, rate: Fraction) -> otio.opentime.TimeRange:
    """Source range of a clip: media clock for its start, sequence clock for its length.

    Our SOURCE comment is more exact; it counts where it agrees with the event's lines.
    """
    cut, frames = placed.cut, placed.end - placed.start
    clip, event = (placed.start, placed.end), (cut.start, cut.end)
    first = clip_start(cut.low, event, clip, cut.speed, cut.media_rate, rate)
    start = rational_time(first, cut.media_rate)
    duration = rational_time(frames, rate)
    exact = cut.exact
    try:
        if exact.get("low") == cut.low % cut.source_day:
            moment = fraction_of(exact["start"])
            if moment is not None:
                value = float(moment * cut.media_rate)
                start = otio.opentime.RationalTime(value, float(cut.media_rate))
            if exact.get("frames") == frames:
                duration = otio.opentime.RationalTime(*map(float, exact["duration"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        pass
    return otio.opentime.TimeRange(start, duration)


def _continues(left: Cut, cut: Cut) -> bool:
    """Whether the clip before a dissolve is the one that it says it comes from."""
    line = cut.outgoing
    if line is None:
        return True
    if line.metadata["cmx_3600"]["reel"] != left.metadata["cmx_3600"]["reel"]:
        return False
    known = line.name != line.metadata["cmx_3600"]["reel"] and bool(left.name)
    return not known or one_line(left.name) == line.name
