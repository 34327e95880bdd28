"""Write a timeline as CMX 3600 edit decision lists: one text per video track.

Sound goes into the first text: channel A, A2... per track, two channels for a stereo track,
merged with the picture (``AA/V``) where both belong to one placed range. A dissolve or wipe is
the usual pair of lines; it begins where the mixing begins, and a fade is one from or to ``BL``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import opentimelineio as otio

from ..errors import UsageError
from ..timing import can_drop_frames, exact_time, frame_at, nominal_rate, rate_text, timecode
from . import edl_remarks as remarks
from .edl_media import ReelNames
from .edl_text import EdlEvent, EdlText, merged
from .edl_track import TrackClock, track_events
from .edl_words import AUXILIARY, PREFIX, EdlProfile, edl_profile, hint, one_line
from .gap_facts import stated_gaps
from .loss import LossReport
from .timeline_facts import (
    carried,
    channel_count,
    clip_data,
    data_of,
    sequence_rate,
    stated_sources,
)


def write_edl(
    timeline: otio.schema.Timeline,
    profile: str | EdlProfile = "cmx3600",
    drop_frame: bool | None = None,
) -> tuple[dict[str, str], LossReport]:
    """One EDL per video track, by track name, and what an EDL cannot carry.

    ``drop_frame`` overrides ``timeline.metadata["mapedit"]["drop_frame"]``. The timeline is not
    changed. A timeline without picture gives one text, named after its first track.

    Raises:
        OptionError: no such profile.
        UsageError: a rate of more than 100 frames per second, which two digits cannot count.
    """
    writer = _Writer(timeline, edl_profile(profile), drop_frame)
    return writer.texts(), writer.report


class _Writer:
    """One conversion: the sequence's clock, the reels given so far, the losses."""

    def __init__(
        self, timeline: otio.schema.Timeline, profile: EdlProfile, drop_frame: bool | None
    ) -> None:
        self.timeline, self.profile = timeline, profile
        self.report = LossReport("edl", "write", profile.name)
        self.rate = sequence_rate(timeline)
        if nominal_rate(self.rate) > 100:
            raise UsageError(
                f"an EDL cannot count {rate_text(self.rate)} frames per second",
                "Write FCPXML, or conform the sequence to a lower rate.",
            )
        stated = bool(data_of(timeline, "mapedit").get("drop_frame"))
        wanted = stated if drop_frame is None else drop_frame
        self.drop = wanted and can_drop_frames(self.rate)
        if wanted and not self.drop:
            self.report.changed("drop-frame", f"not defined at {rate_text(self.rate)}")
        begin = timeline.global_start_time
        self.start = frame_at(exact_time(begin), self.rate) if begin is not None else 0
        self.clock = TrackClock(self.rate, self.start, self.drop, stated_sources(timeline))
        self.reels = ReelNames(profile.reel_length)

    def texts(self) -> dict[str, str]:
        video = [t for t in self.timeline.tracks if _kind(t) == otio.schema.TrackKind.Video]
        audio = [t for t in self.timeline.tracks if _kind(t) == otio.schema.TrackKind.Audio]
        for other in self.timeline.tracks:
            if other not in video and other not in audio:
                self.report.lost("track", "neither picture nor sound", other.name)
        sound = allocate_channels(audio, self.timeline)
        found: dict[str, str] = {}
        for index, track in enumerate(video or [None]):
            name = _text_name(track if track is not None else next(iter(audio), None), found)
            found[name] = self._text(track, name, sound if index == 0 else [])
        return found

    def _text(
        self,
        video: otio.schema.Track | None,
        name: str,
        sound: list[tuple[otio.schema.Track, list[int]]],
    ) -> str:
        tracks = [(video, frozenset({"V"}))] if video is not None else []
        tracks += [(track, frozenset(f"A{n}" for n in channels)) for track, channels in sound]
        events: list[EdlEvent] = []
        ends: list[int] = []
        for index, (track, channels) in enumerate(tracks, video is None):
            made, length = track_events(track, channels, self.clock, self.reels, self.report, index)
            events += made
            ends.append(length)
        text = EdlText(self.profile, self.rate, self.drop)
        sequence: dict[str, Any] = {
            "start": self.start,
            "ends": [self.start + end for end in ends],
            "audio": [[track.name, channels] for track, channels in sound],
            "name": self.timeline.name,
            **carried(self.timeline),
        }
        gaps = [stated_gaps(track, self.rate) for track, _ in tracks]
        if any(gaps):
            sequence["gaps"] = gaps
        if video is not None:
            sequence["video"] = video.name
        head = [hint("RATE", str(self.rate)), hint("SEQUENCE", sequence)]
        text.header(one_line(self.timeline.name), [*head, *self._timeline_markers()])
        described: dict[str, str] = {}
        for event in merged(events):
            text.event(_first_described(event, described))
        return text.text()

    def _timeline_markers(self) -> list[str]:
        found: list[str] = []
        for marker in self.timeline.tracks.markers:
            moment = exact_time(marker.marked_range.start_time)
            record = max(0, self.start + frame_at(moment, self.rate))
            label = timecode(record, self.rate, self.drop)
            found += remarks.marker_remarks(marker, record, label, self.rate, self.report, label)
        return found


def allocate_channels(
    tracks: list[otio.schema.Track], timeline: otio.schema.Timeline
) -> list[tuple[otio.schema.Track, list[int]]]:
    """Channels of the record side for each sound track: two where its media is stereo."""
    sources = stated_sources(timeline)
    found = []
    channel = 1
    for index, track in enumerate(tracks):
        widths = (channel_count(clip_data(clip), sources, index) for clip in track.find_clips())
        width = min(8, max(1, max(widths, default=1)))
        found.append((track, list(range(channel, channel + width))))
        channel += width
    return found


def _kind(track: otio.core.Composition) -> str:
    return str(getattr(track, "kind", ""))


def _text_name(track: otio.schema.Track | None, taken: dict[str, str]) -> str:
    """The track's name, made unique."""
    name = (track.name if track is not None else "") or f"V{len(taken) + 1}"
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name} {count}"
    return unique


def _first_described(event: EdlEvent, described: dict[str, str]) -> EdlEvent:
    """``event`` without its MEDIA comment where the reel's last one says the same."""
    mark, reel = f"* {PREFIX} MEDIA:", event.side.reel
    media = next((line for line in event.remarks if line.startswith(mark)), "")
    if not media or reel == AUXILIARY:
        return event
    if described.get(reel) == media:
        kept = tuple(line for line in event.remarks if line != media)
        return replace(event, remarks=kept)
    described[reel] = media
    return event
