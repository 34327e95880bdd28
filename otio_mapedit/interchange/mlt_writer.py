"""Write a timeline as MLT XML, which Shotcut opens, Kdenlive takes as a clip and ``melt`` plays.

A picture track becomes a playlist, and so does a sound track, whose pictures are hidden. A
transition of two clips is a tractor of its own between them, as Shotcut has it; a fade is a pair
of filters. The bottom track is black. See :mod:`.mlt_words` for the clocks.
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import can_drop_frames, exact_time, frame_at, rate_text
from .fcpxml_plan import Piece, Plan, TrackPlan, plan_stack, sequence_rate
from .loss import LossReport
from .mlt_clips import Shown, add_clip, base_of, clip_note, finish, own_span
from .mlt_cuts import Cut, Mix, cuts_of, say_lost_media
from .mlt_effects import (
    add_markers,
    add_mix,
    json_of,
    marker_frames,
    marker_note,
    marker_text,
    tag_mix,
)
from .mlt_words import BACKGROUND, MAIN, MAX_NESTING, VERSION, add, put, put_note
from .timeline_facts import clip_data, data_of, stated_sources
from .xml_safe import clean, serialise

_SIZE = (1920, 1080)
#: Height from which pictures are taken to be in BT.709.
_HIGH_DEFINITION = 720


def write_mlt(timeline: otio.schema.Timeline, profile: str = "shotcut") -> tuple[str, LossReport]:
    """The document, and what MLT cannot carry. The timeline is not changed."""
    report = LossReport("mlt", "write", profile)
    rate = sequence_rate(timeline.tracks, timeline.global_start_time)
    begin = timeline.global_start_time
    start = frame_at(exact_time(begin), rate) if begin is not None else 0
    own = data_of(timeline, "mapedit")
    drop = bool(own.get("drop_frame")) and can_drop_frames(rate)
    plan = plan_stack(timeline.tracks, rate, start, drop, report)
    plan.name = timeline.name
    writer = _Writer(report, stated_sources(timeline))
    root = writer.document(plan)
    markers: list[dict[str, Any]] = []
    for marker in timeline.tracks.markers:
        at = frame_at(exact_time(marker.marked_range.start_time), rate)
        text = marker_text(marker)
        span = marker_frames(marker, max(0, at), rate)
        markers.append(marker_note(marker, (text, *span)))
        writer.shown.append((text, *span, str(marker.color or "")))
        if profile == "kdenlive":
            report.lost("marker", "Kdenlive reads no markers of an .mlt", at=plan.at(max(0, at)))
    if start:
        report.changed(
            "timecode", f"the sequence counts from 0, not from {plan.at(0)}", at=plan.at(0)
        )
    note = {"start": start, "name": timeline.name, "own": json_of(own), "markers": markers}
    if begin is None:
        del note["start"]
    writer.main(root, plan, note)
    return serialise(root), report


class _Writer:
    """One document: ids given so far, and the markers that are shown."""

    def __init__(self, report: LossReport, sources: dict[str, Any]) -> None:
        self.report, self.sources = report, sources
        self.number = 0
        self.shown: list[Shown] = []

    def document(self, plan: Plan) -> Element:
        """The root with its profile."""
        root = Element("mlt", {"LC_NUMERIC": "C", "version": VERSION, "producer": MAIN})
        root.set("title", plan.name)
        width, height = self._size()
        shape = gcd(width, height) or 1
        numbers = {
            "width": width, "height": height, "progressive": 1,
            "sample_aspect_num": 1, "sample_aspect_den": 1,
            "display_aspect_num": width // shape, "display_aspect_den": height // shape,
            "frame_rate_num": plan.rate.numerator, "frame_rate_den": plan.rate.denominator,
            "colorspace": 709 if height >= _HIGH_DEFINITION else 601,
        }  # fmt: skip
        description = f"{width} x {height}, {rate_text(plan.rate)} frames per second"
        add(root, "profile", description=description, **numbers)
        return root

    def main(self, root: Element, plan: Plan, note: dict[str, Any]) -> None:
        """The sequence itself, over black."""
        length = max(1, plan.duration)
        black = add(root, "producer", id="black", in_=0, out=length - 1)
        put(black, "length", length)
        put(black, "eof", "pause")
        put(black, "resource", "0")
        put(black, "mlt_service", "color")
        put(black, "mlt_image_format", "rgba")
        playlist = add(root, "playlist", id=BACKGROUND)
        add(playlist, "entry", producer="black", in_=0, out=length - 1)
        playlists = self._tracks(root, plan, 0)
        tractor = add(root, "tractor", id=MAIN, title=plan.name, in_=0, out=length - 1)
        put(tractor, "shotcut", 1)
        put_note(tractor, note)
        add_markers(tractor, self.shown)
        add(tractor, "track", producer=BACKGROUND)
        self._stack(tractor, plan, playlists, 1)

    def _size(self) -> tuple[int, int]:
        sizes = [(source.get("width"), source.get("height")) for source in self.sources.values()]
        known = [(w, h) for w, h in sizes if isinstance(w, int) and isinstance(h, int) and w and h]
        return max(known, default=_SIZE, key=lambda size: size[0] * size[1])

    def _tracks(self, root: Element, plan: Plan, depth: int) -> list[str]:
        """The playlists of all tracks; their ids."""
        found = []
        for track in plan.tracks:
            self.number += 1
            identifier = f"playlist{self.number}"
            self._track(root, identifier, plan, track, depth)
            found.append(identifier)
        return found

    def _stack(self, tractor: Element, plan: Plan, playlists: list[str], first: int) -> None:
        """The tracks of a tractor and what mixes them: pictures cover each other, sounds add."""
        bottom = first
        for number, (track, identifier) in enumerate(zip(plan.tracks, playlists, strict=True)):
            element = add(tractor, "track", producer=identifier)
            if not track.track.enabled:
                element.set("hide", "both")
            elif not track.is_video:
                element.set("hide", "video")
            if track.is_video and number + first != bottom:
                over = add(tractor, "transition")
                put(over, "mlt_service", "frei0r.cairoblend")
                put(over, "a_track", bottom)
                put(over, "b_track", number + first)
                put(over, "always_active", 1)
            if number + first:
                summed = add(tractor, "transition")
                put(summed, "mlt_service", "mix")
                put(summed, "a_track", 0)
                put(summed, "b_track", number + first)
                put(summed, "always_active", 1)
                put(summed, "sum", 1)
        # MLT wants every track before the first transition.
        tractor[:] = sorted(tractor, key=lambda element: element.tag == "transition")

    def _track(
        self, root: Element, identifier: str, plan: Plan, track: TrackPlan, depth: int
    ) -> None:
        kind, video = track.track.kind, track.is_video
        if not video and kind != otio.schema.TrackKind.Audio:
            self.report.changed("track", "neither picture nor sound", track.track.name or "")
        for piece in track.pieces:
            if not piece.is_gap and not piece.is_clip:
                self._plan_nested(plan, piece, depth)
        cuts = cuts_of(plan, track)
        names: dict[int, str] = {}
        for cut in cuts:
            if not cut.piece.is_gap:
                names[id(cut)] = self._item(root, plan, cut, video, depth)
        mixes: dict[int, str] = {}
        for left, right in pairwise(cuts):
            if left.tail is not None and left.tail.kind == "mix":
                mixes[id(left)] = self._mixed(root, plan, left, right, names, video)
        playlist = add(root, "playlist", id=identifier)
        put(playlist, f"shotcut:{'video' if video else 'audio'}", 1)
        put(playlist, "shotcut:name", track.track.name or "")
        put_note(playlist, self._track_note(track, cuts))
        for cut in cuts:
            self._entries(playlist, plan, cut, names, mixes)

    def _track_note(self, track: TrackPlan, cuts: list[Cut]) -> dict[str, Any]:
        note: dict[str, Any] = {"kind": str(track.track.kind)}
        if clean(track.track.name or "") != track.track.name:
            note["name"] = track.track.name
        own = json_of(data_of(track.track, "mapedit"))
        if own:
            note["own"] = own
        gaps = [
            [cut.piece.record.start, cut.piece.record.duration, json_of(data_of(item, "mapedit"))]
            for cut in cuts
            if cut.piece.is_gap and data_of(item := cut.piece.item, "mapedit")
        ]
        if gaps:
            note["gaps"] = gaps
        if track.track.markers:
            self.report.lost("marker", "markers on a track", track.track.name or "")
        return note

    def _entries(
        self,
        playlist: Element,
        plan: Plan,
        cut: Cut,
        names: dict[int, str],
        mixes: dict[int, str],
    ) -> None:
        """What a piece adds to its playlist: itself, and the mix with the next one."""
        if cut.piece.is_gap:
            if cut.piece.item.markers:
                self.report.lost("marker", "a marker on a gap", **plan.place(cut.piece))
            length = cut.piece.record.duration
            length -= cut.head.after if cut.head is not None else 0
            length -= cut.tail.before if cut.tail is not None else 0
            if length > 0:
                add(playlist, "blank", length=length)
            return
        first, last = own_span(cut)
        if last >= first:
            add(playlist, "entry", producer=names[id(cut)], in_=first, out=last)
        if id(cut) in mixes:
            assert cut.tail is not None
            out = cut.tail.before + cut.tail.after - 1
            add(playlist, "entry", producer=mixes[id(cut)], in_=0, out=out)

    def _item(self, root: Element, plan: Plan, cut: Cut, video: bool, depth: int) -> str:
        """A clip or nested sequence; its id."""
        self.number += 1
        identifier = f"clip{self.number}"
        shown = self.shown if depth == 0 else None
        if cut.piece.is_clip:
            add_clip(root, identifier, plan, cut, video, self.sources, shown)
            say_lost_media(plan, cut, self.report)
            return identifier
        nested = cut.piece.nested
        where = plan.place(cut.piece)
        if nested is None:
            self.report.lost("nested sequence", "nested too deeply", **where)
            nested = Plan(plan.rate, 0, False, [], self.report)
        if cut.piece.speed != 1:
            self.report.lost("speed", "of a nested sequence", **where)
        playlists = self._tracks(root, nested, depth + 1)
        length = max(nested.duration, cut.first + cut.piece.record.duration + cut.trail)
        tractor = add(root, "tractor", id=identifier, in_=0, out=length - 1)
        if not cut.piece.item.enabled:
            put(tractor, "set.test_image", 1)
            put(tractor, "set.test_audio", 1)
        facts = clip_data(cut.piece.item)
        note = clip_note(plan, cut, facts) | {"kind": "nested"}
        finish(tractor, plan, cut, facts, note, video, shown)
        self._stack(tractor, nested, playlists, 0)
        return identifier

    def _plan_nested(self, plan: Plan, piece: Piece, depth: int) -> None:
        inner = piece.item
        if not isinstance(inner, otio.schema.Stack):
            self.report.changed(
                "nested sequence", "a nested track becomes a sequence", **plan.place(piece)
            )
            stack = otio.schema.Stack(inner.name)
            stack.append(inner.deepcopy())
            stack[0].source_range = None
            inner = stack
        elif inner.source_range is not None:
            inner = inner.deepcopy()
            inner.source_range = None
        if depth < MAX_NESTING:
            piece.nested = plan_stack(inner, plan.rate, 0, False, self.report)

    def _mixed(
        self,
        root: Element,
        plan: Plan,
        left: Cut,
        right: Cut,
        names: dict[int, str],
        video: bool,
    ) -> str:
        """The tractor that two clips share; its id."""
        mix: Mix | None = left.tail
        assert mix is not None
        self.number += 1
        identifier = f"mix{self.number}"
        frames = mix.before + mix.after
        cut = base_of(left) + left.piece.record.duration
        tractor = add(root, "tractor", id=identifier, in_=0, out=frames - 1)
        tag_mix(tractor, mix)
        spans = ((left, cut - mix.before), (right, base_of(right) - mix.before))
        for side, first in spans:
            add(tractor, "track", producer=names[id(side)], in_=first, out=first + frames - 1)
        changed = add_mix(tractor, mix, video)
        if changed:
            self.report.changed("transition", changed, **plan.place(right.piece))
        return identifier
