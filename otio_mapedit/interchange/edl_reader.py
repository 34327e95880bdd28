"""Read a CMX 3600 edit decision list into a timeline.

Every channel of the list becomes a track: ``V1``, ``A1``, ``A2``... An event keeps its length:
a dissolve begins where the event begins, so the cut lies at its start (fades to black: at its
end), unless a comment of ours says where inside it. Edits that overlap on one channel go to
further tracks. Where the list gives no file, the media reference is a missing one that carries
the reel in ``metadata["cmx_3600"]["reel"]``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..timing import can_drop_frames, fraction_of, rate_text, rational_time
from .edl_cuts import Cut, TrackBuilder
from .edl_facts import clip_metadata, gain_stated, read_sequence
from .edl_markers import clip_marker, sequence_marker
from .edl_notes import Notes, read_notes
from .edl_parse import EditLine, EdlText, Event, Motion, decode_edl, parse_edl
from .edl_rate import EdlClock, edl_clock
from .edl_source import day_length, lowest_frame, speed_from_text, speed_text
from .edl_words import AUXILIARY, BLACK, channel_order, one_line
from .loss import LossReport
from .urls import media_url

_ABSOLUTE = re.compile(r"^(/|\\\\|[A-Za-z]:[\\/]|file:)", re.IGNORECASE)
_KEYS = {"K": "key", "KB": "key background", "KO": "key out"}


def read_edl(
    data: bytes | str | Path, rate: Fraction | None = None
) -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline of an EDL, and what of it is not understood. A ``str`` is the text itself.

    ``rate`` is that of the sequence; needed where the EDL does not imply it.

    Raises:
        FormatError: not an EDL, an impossible timecode, or the rate is missing or wrong.
    """
    parsed = parse_edl(decode_edl(data))
    clock = edl_clock(parsed, rate)
    return _Reader(parsed, clock).timeline()


class _Reader:
    """One reading: the list, its clock, what reels stand for so far, the losses."""

    def __init__(self, parsed: EdlText, clock: EdlClock) -> None:
        self.parsed, self.clock, self.rate = parsed, clock, clock.rate
        self.report = LossReport("edl", "read")
        self.header = read_notes(parsed.header)
        self.sequence = read_sequence(self.header.data("SEQUENCE"))
        self.media: dict[str, dict[str, Any]] = {}
        # What was last seen of a reel on these channels: an outgoing line speaks of that.
        self.seen: dict[tuple[frozenset[str], str], dict[str, Any]] = {}
        self.day = day_length(self.rate, clock.drop)

    def timeline(self) -> tuple[otio.schema.Timeline, LossReport]:
        cuts = [self._cut(event) for event in self.parsed.events]
        start = self._unwrap(cuts)
        name = self.parsed.title
        if self.sequence.name is not None and one_line(self.sequence.name) == name:
            name = self.sequence.name
        timeline = otio.schema.Timeline(
            name=name, global_start_time=rational_time(start, self.rate)
        )
        timeline.metadata["mapedit"] = self.sequence.own | {"drop_frame": self.clock.drop}
        timeline.tracks.extend(self._tracks(cuts, start))
        for locator in self.header.locators:
            timeline.tracks.markers.append(sequence_marker(locator, self.clock, self.day, start))
        self._leftovers()
        return timeline, self.report

    def _unwrap(self, cuts: list[Cut]) -> int:
        """First record frame; record frames after midnight are moved behind it."""
        starts = [cut.start for cut in cuts]
        start = self.sequence.start
        if start is None:
            start = min(starts, default=0)
            late = [frame for frame in starts if frame - start > self.day // 2]
            start = min(late, default=start)
        half = self.day // 2
        for cut in cuts:
            # No sequence lasts half a day: an edit before the start stays before it.
            shift = start + (cut.start - start + half) % self.day - half - cut.start
            cut.start += shift
            cut.end += shift
        return min([start, *(cut.start for cut in cuts)])

    def _tracks(self, cuts: list[Cut], start: int) -> list[otio.schema.Track]:
        """The tracks by channel: those that the header names, then what else occurs."""
        video = self.sequence.video
        plan: list[tuple[str, str, tuple[str, ...]]] = []
        if video is not None or any("V" in cut.channels for cut in cuts):
            plan.append(("V1" if video is None else video, "Video", ("V",)))
        plan += [(name, "Audio", channels) for name, channels in self.sequence.audio]
        known = {channel for _, _, channels in plan for channel in channels}
        others = {channel for cut in cuts for channel in cut.channels} - known
        plan += [(name, "Audio", (name,)) for name in sorted(others, key=channel_order)]
        ends = self.sequence.ends if len(self.sequence.ends) == len(plan) - len(others) else ()
        tracks = []
        for index, (name, kind, channels) in enumerate(plan):
            chosen = [cut for cut in cuts if _plays(cut, channels)]
            end = ends[index] if index < len(ends) else start
            gaps = self.sequence.gaps[index] if index < len(self.sequence.gaps) else []
            number = index if plan[0][1] == "Video" else index + 1
            builder = TrackBuilder(name, kind, self.rate, start, end, self.report, number, gaps)
            tracks += builder.build(chosen)
        for cut in cuts:
            if not cut.channels:
                self.report.lost("track", "an edit on no channel", item=cut.name, at=cut.label)
        return tracks

    def _cut(self, event: Event) -> Cut:
        edit = event.edit
        notes = read_notes(event.remarks, edit.row)
        record_in, record_out = (self.clock.record(time, edit.row) for time in edit.times[2:])
        if record_out < record_in:
            record_out += self.day
        media = self._media(edit, notes)
        came_from = event.outgoing
        outgoing = self.seen.get((event.channels, came_from.reel)) if came_from else None
        self.seen[event.channels, edit.reel] = media
        media_rate = _rate_of(media, self.rate)
        drop = self.clock.source_drop(edit) if can_drop_frames(media_rate) else self.clock.drop
        motion = self._motion(event, edit)
        speed = self._speed(motion, notes)
        low = self._low(edit, media_rate, motion, speed, record_out - record_in)
        joined = edit.kind in ("D", "W")
        name = self._name(event, notes, joined)
        cut = Cut(
            channels=event.channels,
            start=record_in,
            end=record_out,
            label=edit.times[2],
            name=name,
            black=edit.reel.upper() == BLACK,
            low=low,
            media_rate=media_rate,
            speed=speed,
            media=media,
            enabled=event.enabled,
            metadata=clip_metadata(
                _tape(edit, media), notes, None if drop == self.clock.drop else drop
            ),
            exact=notes.data("SOURCE"),
            source_day=day_length(media_rate, self.clock.source_drop(edit)),
            linked=len(event.channels) > 1,
            gain=gain_stated(notes),
            warp=_mapping(notes.data("CLIP").get("warp")),
            row=edit.row,
        )
        cut.markers = [clip_marker(found, cut, self.clock, self.day) for found in notes.locators]
        if joined:
            self._join(cut, event, notes, outgoing)
        if edit.kind in _KEYS:
            text = f"{_KEYS[edit.kind]} is read as a clip on its own track"
            self.report.changed("key", text, item=name, at=cut.label)
        return cut

    def _join(self, cut: Cut, event: Event, notes: Notes, outgoing: dict[str, Any] | None) -> None:
        """The transition at the head of ``cut``; ``outgoing`` is the media that it comes from."""
        edit = event.edit
        cut.effect, cut.wipe, cut.effect_name = edit.frames, edit.wipe, event.effect
        cut.join = notes.data("TRANSITION")
        if edit.frames > cut.end - cut.start:
            cut.effect = cut.end - cut.start
            self.report.changed(
                "transition",
                f"line {edit.row}: {edit.frames} frames of mixing in an edit of {cut.effect}",
                item=cut.name,
                at=cut.label,
            )
        line = event.outgoing
        if line is None:
            return
        cut.from_black = line.reel.upper() == BLACK
        if cut.from_black:
            return
        files = notes.files[:1] if len(notes.files) > 1 else []
        media = outgoing if outgoing is not None else self._media(line, Notes(files=files))
        media_rate = _rate_of(media, self.rate)
        motion = self._motion(event, line)
        speed = self._speed(motion, Notes())
        tape = _tape(line, media)
        cut.outgoing = Cut(
            channels=cut.channels,
            start=cut.start,
            end=cut.start,
            label=cut.label,
            name=notes.from_name or tape,
            low=self._low(line, media_rate, motion, speed, 0),
            media_rate=media_rate,
            speed=speed,
            media=media,
            metadata={"cmx_3600": {"reel": tape}},
            source_day=day_length(media_rate, self.clock.source_drop(line)),
            row=line.row,
        )

    def _low(
        self,
        edit: EditLine,
        rate: Fraction,
        motion: tuple[str, str] | None,
        speed: Fraction,
        frames: int,
    ) -> int:
        """Lowest media frame that an edit shows."""
        start, end = (self.clock.source(time, edit, rate) for time in edit.times[:2])
        if end < start:
            end += day_length(rate, self.clock.source_drop(edit))
        entry = self.clock.source(motion[1], edit, rate) if motion and motion[1] else None
        return lowest_frame(start, end, entry, frames, speed, rate, self.rate)

    def _motion(self, event: Event, line: EditLine) -> tuple[str, str] | None:
        """Speed and entry of the M2 line that speaks about ``line``."""
        outgoing = event.outgoing
        if outgoing is None:
            return _pair(event.motions[-1]) if event.motions else None
        same = [motion for motion in event.motions if motion.reel == line.reel]
        if not same:
            return None
        if outgoing.reel != event.edit.reel:
            return _pair(same[0])
        if len(same) > 1:  # outgoing comes first
            return _pair(same[0] if line is outgoing else same[-1])
        # One line for two sides of one reel: its timecode tells, else it is the incoming side's.
        entry = same[0].entry
        incoming = entry in event.edit.times[:2] or entry not in outgoing.times[:2]
        return _pair(same[0]) if incoming == (line is event.edit) else None

    def _speed(self, motion: tuple[str, str] | None, notes: Notes) -> Fraction:
        if motion is None:
            return Fraction(1)
        stated = fraction_of(notes.hints.get("SPEED"))
        if stated is None:
            return speed_from_text(motion[0], self.rate)
        same = Fraction(speed_text(stated, self.rate)) == Fraction(motion[0])
        return stated if same else speed_from_text(motion[0], self.rate)

    def _media(self, edit: EditLine, notes: Notes) -> dict[str, Any]:
        """What the line's reel stands for, as our comment or the field's say it."""
        told = notes.data("MEDIA")
        if told.get("reel") == edit.reel:
            if edit.reel != AUXILIARY:
                self.media[edit.reel] = told
            return told
        if edit.reel in self.media:
            return self.media[edit.reel]
        # With two files, the first is the outgoing clip's.
        name = notes.files[-1] if notes.files else ""
        if _ABSOLUTE.match(name):
            return {"kind": "ExternalReference", "url": media_url(name)}
        return {"name": name or notes.reel or ("" if edit.reel == AUXILIARY else edit.reel)}

    @staticmethod
    def _name(event: Event, notes: Notes, joined: bool) -> str:
        name = notes.to_name if joined else notes.from_name
        told = notes.data("CLIP").get("name")
        if isinstance(told, str) and one_line(told) == name:
            return told
        names = (name, notes.from_name, *notes.files[-1:], event.edit.reel)
        return next(filter(None, names), "")

    def _leftovers(self) -> None:
        for row, text in self.parsed.unknown:
            if text.startswith(">>>"):  # Avid's identifiers of source mobs
                self.report.note("source", f"line {row}: {text[:60]}")
                continue
            self.report.lost("line", f"line {row} is not understood: {text[:60]}")
        if self.clock.undropped:
            why = f"{rate_text(self.rate)} frames per second has none: every label is counted"
            self.report.changed("drop-frame", why)
        for row in self.clock.moved:
            self.report.changed(
                "timecode", f"line {row}: a label that drop-frame leaves out is read as the next"
            )
        for remark in self.header.rest:
            self.report.note("comment", remark[:80])


def _tape(line: EditLine, media: dict[str, Any]) -> str:
    """The reel of a line; as it was before it was made to fit, where our comment says so."""
    tape = media.get("tape") if media.get("reel") == line.reel else None
    return tape if isinstance(tape, str) and tape else line.reel


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _pair(motion: Motion) -> tuple[str, str]:
    return motion.fps, motion.entry


def _plays(cut: Cut, channels: tuple[str, ...]) -> bool:
    """Whether a cut is on a track of these channels. A stereo track's first channel decides."""
    return channels[0] in cut.channels


def _rate_of(media: dict[str, Any], rate: Fraction) -> Fraction:
    """Rate that the source timecode counts at: as our comment says, else the sequence's."""
    clock = fraction_of(media.get("clock"))
    return clock if clock is not None and 1 <= clock <= 100 else rate
