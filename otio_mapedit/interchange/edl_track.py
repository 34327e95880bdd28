"""One track of a timeline as the events of an EDL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import can_drop_frames, exact_time, rate_text, timecode
from . import edl_remarks as remarks
from .edl_layout import Join, Placed, place_track
from .edl_media import ReelNames, media_data
from .edl_source import (
    SourceSpan,
    advance,
    clip_start,
    day_length,
    rounded,
    source_span,
    speed_from_text,
    speed_text,
)
from .edl_text import EdlEvent, Side
from .edl_words import BLACK, LONGEST_EFFECT, hint, one_line
from .gain import is_gain
from .loss import LossReport
from .timeline_facts import carried, wipe_pattern

_DISSOLVE = otio.schema.TransitionTypes.SMPTE_Dissolve


@dataclass(frozen=True, slots=True)
class TrackClock:
    """The record side: rate, first frame, drop-frame; and which sources count drop-frame."""

    rate: Fraction
    start: int
    drop: bool
    sources: Mapping[str, Mapping[str, Any]]


def track_events(
    track: otio.schema.Track,
    channels: frozenset[str],
    clock: TrackClock,
    reels: ReelNames,
    report: LossReport,
    number: int,
) -> tuple[list[EdlEvent], int]:
    """The events of a track on ``channels``, and the track's length in frames. ``number`` is 0 for
    the picture, from 1 for sound."""
    writer = _TrackWriter(track, channels, clock, reels, report)
    writer.number = number
    return list(writer.events()), writer.length


def wipe_number(transition: otio.schema.Transition) -> int | None:
    """Number of a wipe for the transition column, 1 where its pattern has only a name."""
    pattern = wipe_pattern(transition)
    text = str(pattern)
    if pattern is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 1


def _from_m2(scalar: Fraction, rate: Fraction) -> Fraction:
    """The speed that a reader makes of M2's tenth of a frame."""
    return speed_from_text(speed_text(scalar, rate), rate)


class _TrackWriter:
    """The events of one track."""

    def __init__(
        self,
        track: otio.schema.Track,
        channels: frozenset[str],
        clock: TrackClock,
        reels: ReelNames,
        report: LossReport,
    ) -> None:
        self.track, self.channels, self.clock = track, channels, clock
        self.reels, self.report, self.rate = reels, report, clock.rate
        self.number = 0
        placed, self.length = place_track(track, clock.rate, report)
        self.placed = list(self._sound_joins(placed))
        for item in track:
            if isinstance(item, otio.schema.Gap) and item.markers:
                self.report.lost("marker", "a marker on a gap", track.name)
        if track.markers:
            self.report.lost("marker", "markers on a track", track.name)
        if not track.enabled:
            self.report.lost("enabled", "a disabled track is written as comments", track.name)

    def events(self) -> Iterator[EdlEvent]:
        previous: Placed | None = None
        for placed in self.placed:
            self._note_losses(placed)
            yield from self._clip_events(placed, previous)
            previous = placed

    def _sound_joins(self, placed: list[Placed]) -> Iterator[Placed]:
        """Clips without the transitions that an EDL cannot state."""
        previous: Placed | None = None
        for index, clip in enumerate(placed):
            after = placed[index + 1] if index + 1 < len(placed) else None
            found = clip
            if clip.head is not None:
                before = None if clip.after_gap else previous
                if before is not None and before.tail is None:
                    found = replace(found, head=None)
                elif before is None:
                    room = clip.start - (previous.end if previous is not None else 0)
                    found = replace(found, head=self._fitting(clip.head, found, None, room))
            if clip.tail is not None:
                follower = None if clip.before_gap else after
                room = (after.start if after is not None else self.length) - clip.end
                found = replace(found, tail=self._fitting(clip.tail, found, follower, room))
            previous = found
            yield found

    def _fitting(
        self, join: Join, placed: Placed, neighbour: Placed | None, room: int
    ) -> Join | None:
        """``join`` where it can be written, else None with the reason reported.

        For a fade, ``room`` is the length of the gap that it reaches into.
        """
        own, other = (join.before, join.after)
        taken = placed.head.after if placed.head is not None else 0
        if join is placed.head:
            own, other, taken = join.after, join.before, 0
        why = ""
        if join.length <= 0 or own < 0 or other < 0:
            why = "it has no length"
        elif join.length > LONGEST_EFFECT:
            why = f"an EDL's transition has {LONGEST_EFFECT} frames at most"
        elif not placed.enabled or (neighbour is not None and not neighbour.enabled):
            why = "it joins a disabled clip"
        elif own + taken > placed.end - placed.start:
            why = "it overlaps another transition"
        elif other > (room if neighbour is None else neighbour.end - neighbour.start):
            why = "it is longer than its clip"
        if not why:
            return join
        self.report.lost("transition", why, self.track.name, placed.clip.name, self._at(placed.end))
        return None

    def _clip_events(self, placed: Placed, previous: Placed | None) -> Iterator[EdlEvent]:
        head, tail = placed.head, placed.tail
        if not placed.enabled:
            self.report.lost(
                "enabled",
                "a disabled clip is written as a comment",
                self.track.name,
                placed.clip.name,
                self._at(placed.start),
            )
        # The mixing at its end belongs to the next event, that at its start to this one.
        start = placed.start - (head.before if head is not None else 0)
        end = placed.end - (tail.before if tail is not None else 0)
        came_from = None if placed.after_gap else previous
        yield self._event(placed, start, end, came_from)
        if tail is not None and placed.before_gap:
            yield self._fade_out(placed, end, tail)

    def _event(self, placed: Placed, start: int, end: int, came_from: Placed | None) -> EdlEvent:
        reel, drop = self.reels.of(placed.clip, placed.data), self._source_drop(placed)
        low = self._lowest(placed, start, end)
        span = source_span(low, end - start, placed.scalar, placed.rate, self.rate)
        motions = self._motion(placed, reel, span.entry)
        notes: list[str] = []
        event = EdlEvent(
            self.channels,
            self._side(reel, span, placed, drop),
            self.clock.start + start,
            self.clock.start + end,
            enabled=placed.enabled,
            linked="link" in placed.data.own,
        )
        if placed.head is None:
            notes += remarks.name_remarks(placed.clip, "FROM")
            notes += remarks.source_remarks(None, placed.clip)
        else:
            event, motions = self._joined(event, motions, placed.head, came_from, start)
            outgoing = came_from.clip if came_from is not None else None
            notes += remarks.name_remarks(outgoing, "FROM")
            notes += remarks.name_remarks(placed.clip, "TO")
            notes += remarks.source_remarks(outgoing, placed.clip)
            notes.append(self._transition_hint(placed.head))
        notes += remarks.colour_remarks(placed.data.cdl)
        notes += remarks.clip_markers(
            placed, self.clock.start, self.rate, self._timecode, self.report
        )
        notes += remarks.clip_hints(placed.clip, placed.data, self.number)
        notes += self._exact_hints(placed, start, end, low)
        notes.append(hint("MEDIA", media_data(placed.clip, placed.data, reel, placed.rate)))
        return replace(event, motions=motions, remarks=tuple(notes))

    def _fade_out(self, placed: Placed, start: int, tail: Join) -> EdlEvent:
        side = Side(BLACK, end=timecode(tail.length, self.rate, self.clock.drop))
        begin = self.clock.start + start
        event = EdlEvent(
            self.channels,
            side,
            begin,
            begin + tail.length,
            linked="link" in placed.data.own,
        )
        event, motions = self._joined(event, (), tail, placed, start)
        notes = [*remarks.name_remarks(placed.clip, "FROM"), self._transition_hint(tail)]
        return replace(event, motions=motions, remarks=tuple(notes))

    def _joined(
        self,
        event: EdlEvent,
        motions: tuple[tuple[str, str, str], ...],
        join: Join,
        came_from: Placed | None,
        start: int,
    ) -> tuple[EdlEvent, tuple[tuple[str, str, str], ...]]:
        """``event`` as the second line of a transition from ``came_from``, None for black."""
        outgoing = Side(BLACK)
        if came_from is not None:
            reel, drop = self.reels.of(came_from.clip, came_from.data), self._source_drop(came_from)
            low = self._lowest(came_from, start, start)
            entry = low - 1 if came_from.scalar < 0 else low
            outgoing = self._side(reel, SourceSpan(entry, entry, entry), came_from, drop)
            before = self._motion(came_from, reel, entry)
            if before and not motions and reel == event.side.reel:
                # Two sides of one reel: without a line of its own this one would get the other's.
                motions = ((reel, speed_text(Fraction(1), self.rate), event.side.start),)
            motions = (*before, *motions)
        pattern = wipe_number(join.transition)
        kind = "D" if pattern is None else f"W{pattern:03d}"
        effect = one_line(join.transition.name)
        if pattern is None and effect.lower() in ("", "smpte_dissolve", "dissolve"):
            effect = "CROSS DISSOLVE"
        if pattern is None and join.transition.transition_type != _DISSOLVE:
            self.report.changed(
                "transition",
                f"{effect} is written as a dissolve",
                self.track.name,
                effect,
                self._at(start),
            )
        joined = replace(event, kind=kind, frames=join.length, outgoing=outgoing, effect=effect)
        return joined, motions

    @staticmethod
    def _transition_hint(join: Join) -> str:
        transition = join.transition
        data = {
            "in": join.before,
            "name": transition.name,
            "type": transition.transition_type,
            **carried(transition),
        }
        pattern = wipe_pattern(transition)
        if pattern is not None:
            data["pattern"] = pattern
        return hint("TRANSITION", data)

    def _exact_hints(self, placed: Placed, start: int, end: int, low: int) -> list[str]:
        """What a reader could not work out from the event line and M2."""
        found = []
        span = placed.clip.source_range if placed.whole else None
        day = day_length(placed.rate, self._source_drop(placed))
        predicted = clip_start(
            low % day,
            (start, end),
            (placed.start, placed.end),
            placed.scalar,
            placed.rate,
            self.rate,
        )
        frames = placed.end - placed.start
        length = exact_time(span.duration) * self.rate if span is not None else frames
        if predicted != placed.source or length != frames:
            begin = placed.source / placed.rate
            data: dict[str, Any] = {"start": str(begin), "low": low % day}
            if span is not None and length != frames:
                data["duration"] = [span.duration.value, span.duration.rate]
                data["frames"] = frames
            found.append(hint("SOURCE", data))
        if placed.scalar != 1 and _from_m2(placed.scalar, self.rate) != placed.scalar:
            found.append(hint("SPEED", str(placed.scalar)))
        return found

    def _frames_off(self, placed: Placed) -> int:
        """Media frames between a clip's last one and that of a program that knows M2 alone."""
        wrong = abs(_from_m2(placed.scalar, self.rate) - placed.scalar)
        return rounded(advance(placed.end - placed.start, wrong, placed.rate, self.rate))

    def _lowest(self, placed: Placed, start: int, end: int) -> int:
        """Lowest media frame shown between two record frames, also outside the clip."""
        moved = start - placed.start if placed.scalar >= 0 else placed.end - end
        return rounded(placed.source + advance(moved, abs(placed.scalar), placed.rate, self.rate))

    def _motion(self, placed: Placed, reel: str, entry: int) -> tuple[tuple[str, str, str], ...]:
        if placed.scalar == 1:
            return ()
        label = timecode(entry, placed.rate, self._source_drop(placed))
        return ((reel, speed_text(placed.scalar, self.rate), label),)

    def _side(self, reel: str, span: SourceSpan, placed: Placed, drop: bool) -> Side:
        start, end = (timecode(frame, placed.rate, drop) for frame in (span.start, span.end))
        return Side(reel, start, end)

    def _source_drop(self, placed: Placed) -> bool:
        if not can_drop_frames(placed.rate):
            return False
        stated = placed.data.fact("drop_frame", self.clock.sources)
        return self.clock.drop if stated is None else bool(stated)

    def _note_losses(self, placed: Placed) -> None:
        clip, at, name = placed.clip, self._at(placed.start), self.track.name
        if not placed.on_frame:
            self.report.changed(
                "cut", "an edge was moved to the nearest frame", name, clip.name, at
            )
        if placed.rate != self.rate:
            self.report.changed(
                "mixed rates",
                f"source timecode counts {rate_text(placed.rate)} frames per second",
                name,
                clip.name,
                at,
            )
        for effect in placed.data.effects:
            if not (isinstance(effect, otio.schema.LinearTimeWarp) or is_gain(effect)):
                self.report.lost("effect", effect.effect_name or effect.name, name, clip.name, at)
        if placed.source.denominator != 1:
            self.report.changed(
                "cut", "it begins between two frames of its media", name, clip.name, at
            )
        if placed.scalar == 1:
            pass
        elif abs(placed.scalar) * self.rate >= 1000:
            self.report.changed("speed", "faster than M2 can say", name, clip.name, at)
        elif (off := self._frames_off(placed)) >= 1:
            why = f"M2 says tenths of a frame per second: {off} frames off at its end elsewhere"
            self.report.changed("speed", why, name, clip.name, at)
        if placed.data.gain is not None:
            self.report.changed("gain", "written as a comment", name, clip.name, at)

    def _timecode(self, frame: int) -> str:
        return timecode(frame, self.rate, self.clock.drop)

    def _at(self, frame: int) -> str:
        return self._timecode(self.clock.start + frame)
