"""Media files of an xmeml document: each defined once, in full, then referred to by id."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..otio_values import elements
from ..timing import exact_time, frame_at
from .fcpxml_plan import Piece, Plan
from .timeline_facts import (
    ClipData,
    channel_count,
    clip_data,
    media_rate,
    name_in_url,
    reference_url,
)
from .urls import media_url
from .xmeml_words import XmemlProfile, add, add_rate, add_timecode, is_writable_rate


@dataclass(slots=True)
class MediaFile:
    """One file as all clips of the timeline use it. Seconds on the media's own clock."""

    id: str
    url: str
    name: str
    rate: Fraction
    start: Fraction
    end: Fraction
    video: bool = False
    channels: int = 0
    size: tuple[int, int] = (0, 0)
    drop: bool = False
    reel: str = ""
    defined: bool = False

    @property
    def first_frame(self) -> int:
        """Timecode of the first frame, as a frame count."""
        return frame_at(self.start, self.rate)

    @property
    def frames(self) -> int:
        """Length in whole frames of the media."""
        return -int(-(self.end - self.start) * self.rate // 1)


class FileBook:
    """The files of a document by their media, collected before anything is written."""

    def __init__(self, profile: XmemlProfile, sources: dict[str, Any], drop: bool) -> None:
        self.profile, self.sources, self.drop = profile, sources, drop
        self.files: dict[tuple[str, ...], MediaFile] = {}
        self.data: dict[int, ClipData] = {}
        self.by_piece: dict[int, MediaFile] = {}

    def collect(self, plan: Plan) -> None:
        """Note what every clip of ``plan`` needs of its media."""
        sounds = 0
        for track in plan.tracks:
            for piece in track.pieces:
                if piece.is_clip:
                    self._use(plan, piece, track.is_video, sounds)
            sounds += not track.is_video

    def of(self, piece: Piece) -> MediaFile:
        """The file of a clip."""
        return self.by_piece[id(piece)]

    def facts(self, piece: Piece) -> ClipData:
        """Metadata of a clip, fetched once."""
        key = id(piece)
        if key not in self.data:
            self.data[key] = clip_data(piece.item)
        return self.data[key]

    def width(self, piece: Piece, index: int) -> int:
        """Channels that a sound clip plays, 1 where nothing says so."""
        return min(16, max(1, channel_count(self.facts(piece), self.sources, index)))

    def first_channel(self, piece: Piece, index: int) -> int:
        """First channel of the file that a sound clip plays, counted from 1."""
        facts = self.facts(piece)
        stream = facts.own.get("stream")
        number = stream if isinstance(stream, int) and 0 < stream <= 64 else 0
        channel = facts.own.get("channel")
        if isinstance(channel, int) and 0 < channel <= 64:
            return channel
        streams = self.sources.get(str(facts.own.get("source")), {}).get("audio")
        if not number or not hasattr(streams, "__iter__"):
            return number or 1
        before = [s.get("channels") for s in list(streams)[: number - 1] if hasattr(s, "get")]
        return 1 + sum(count for count in before if isinstance(count, int))

    def element(self, parent: Element, file: MediaFile) -> None:
        """``file``: in full the first time, later only its id."""
        element = add(parent, "file", id=file.id)
        if file.defined:
            return
        file.defined = True
        add(element, "name", file.name)
        if file.url:
            add(element, "pathurl", path_url(file.url, self.profile))
        add_rate(element, file.rate)
        add(element, "duration", file.frames)
        add_timecode(element, file.first_frame, file.rate, file.drop, file.reel)
        media = add(element, "media")
        if file.video or not file.channels:
            picture = add(media, "video")
            characteristics = add(picture, "samplecharacteristics")
            add_rate(characteristics, file.rate)
            if all(file.size):
                add(characteristics, "width", file.size[0])
                add(characteristics, "height", file.size[1])
        if file.channels:
            sound = add(media, "audio")
            characteristics = add(sound, "samplecharacteristics")
            add(characteristics, "depth", 16)
            add(characteristics, "samplerate", 48000)
            add(sound, "channelcount", file.channels)

    def _use(self, plan: Plan, piece: Piece, video: bool, index: int) -> None:
        clip, facts = piece.item, self.facts(piece)
        url = _url(clip)
        key = _identity(clip, url, facts.reel)
        available = getattr(clip.media_reference, "available_range", None)
        rate = media_rate(clip)
        if not is_writable_rate(rate) or rate > 1000:
            rate = plan.rate
        if available is not None:
            first, length = available.start_time, available.duration
            begin, end = _seconds(first.value, first.rate, length.value, length.rate)
        else:
            begin, end = piece.source_start, plan.upper(piece)
            # Nobody knows how long the media is; it lasts at least to its last marker.
            for marker in elements(clip.markers):
                end = max(end, exact_time(marker.marked_range.end_time_exclusive()))
        file = self.files.get(key)
        if file is None:
            number = len(self.files) + 1
            start = begin if available is not None else Fraction(0)
            file = MediaFile(f"file-{number}", url, "", rate, start, end)
            reference = clip.media_reference
            stated = reference.name if reference is not None else ""
            file.name = name_in_url(file.url) if file.url else stated or clip.name
            file.reel = facts.reel
            drop = facts.fact("drop_frame", self.sources)
            file.drop = self.drop if drop is None else bool(drop)
            self.files[key] = file
        file.reel = file.reel or facts.reel
        if facts.reel not in ("", file.reel):
            why = f"{facts.reel} becomes {file.reel}, as its file has one reel"
            plan.report.changed("reel", why, **plan.place(piece))
        self.by_piece[id(piece)] = file
        file.end = max(file.end, end)
        file.size = file.size if all(file.size) else self._size(facts)
        if video:
            file.video = True
        else:
            last = self.first_channel(piece, index) + self.width(piece, index) - 1
            file.channels = max(file.channels, last)

    def _size(self, facts: ClipData) -> tuple[int, int]:
        found = [facts.fact(name, self.sources) for name in ("width", "height")]
        width, height = (value if isinstance(value, int) else 0 for value in found)
        return width, height


@functools.lru_cache(maxsize=4096)
def _seconds(start: float, rate: float, length: float, clock: float) -> tuple[Fraction, Fraction]:
    """First and last moment of a range, kept because all clips of a file state the same one."""
    begin = exact_time(otio.opentime.RationalTime(start, rate))
    return begin, begin + exact_time(otio.opentime.RationalTime(length, clock))


def path_url(url: str, profile: XmemlProfile) -> str:
    """A file's URL as the host writes it itself."""
    if not profile.localhost or not url.startswith("file:///"):
        return url
    path = unquote(url[len("file://") :])
    return "file://localhost" + quote(path, safe="/!$&'()*+,;=~-._").replace("%3A", "%3a")


def _url(clip: otio.schema.Clip) -> str:
    """Where a clip's media is: of an image sequence, its first image."""
    reference = clip.media_reference
    if isinstance(reference, otio.schema.ImageSequenceReference):
        number = f"{reference.start_frame:0{max(1, reference.frame_zero_padding)}d}"
        base = reference.target_url_base or ""
        slash = "" if not base or base.endswith("/") else "/"
        name = f"{reference.name_prefix}{number}{reference.name_suffix}"
        return absolute_url(f"{base}{slash}{name}")
    url = reference_url(reference)
    return absolute_url(url) if url else ""


@functools.lru_cache(maxsize=4096)
def absolute_url(url: str) -> str:
    """A URL that importers accept. A relative one has no such form: it stands below the root,
    and the clip's note says what it was."""
    found = media_url(url)
    return "file:///" + found[2:] if found.startswith("./") else found


def _identity(clip: otio.schema.Clip, url: str, reel: str) -> tuple[str, ...]:
    """What clips of one file share; of media that nobody knows the file of, name and reel."""
    if url:
        return ("url", unquote(url))
    reference = clip.media_reference
    return ("name", (reference.name if reference is not None else "") or clip.name, reel)
