"""A clip of one media file, read: its picture, and the sounds that travel with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from .fcpxml_media import AssetFacts, Library, rate_said
from .fcpxml_placed import Clock, Placed
from .fcpxml_retime import ClipClock, set_speed
from .fcpxml_times import on_frame, parse_time, seconds_range
from .fcpxml_words import NAMESPACE
from .gain import set_gain


@dataclass(frozen=True, slots=True)
class Component:
    """One sound of a clip: which stream of its file, on or off, how loud."""

    stream: int
    enabled: bool = True
    gain: float | None = None


class Components:
    """Makes the clips of one sequence. ``sound_tracks`` are the places of the audio tracks in the
    stack, where the file says so."""

    def __init__(self, library: Library, sound_tracks: list[int]) -> None:
        self.library = library
        self.sound_tracks = sound_tracks

    def place(
        self,
        element: Element,
        clock: ClipClock,
        asset: AssetFacts,
        start: Fraction,
        data: dict[str, Any],
        sequence: Clock,
        inner: Element | None = None,
    ) -> Placed:
        """The clip of an element that plays one asset; ``inner`` is the media element that a
        ``clip`` wraps."""
        tag = element.tag if inner is None else inner.tag
        enable = element.get("srcEnable", "all")
        picture = tag != "audio" and asset.has_video and enable != "audio"
        parts: list[Component] = []
        if asset.has_audio and enable != "video" and (tag != "video" or inner is not None):
            parts = components(element, asset, inner)
        placed: Placed | None = None
        if picture or not parts:
            clip = self._clip(element, clock, asset, data, sequence)
            placed = Placed(clip, start, clock.duration, picture=picture or not asset.has_audio)
        link = self.library.link(data, picture) if len(parts) + picture > 1 else None
        said_sounds = data.get("sounds")
        for number, part in enumerate(parts):
            facts = _entry(said_sounds, number) if picture else data
            sound = self._sound(element, clock, asset, start, facts, sequence)
            self._finish(sound, part, number, facts, len(asset.channels), link)
            if placed is None:
                placed = sound
            else:
                placed.sounds.append(sound)
        assert placed is not None
        placed.link = link
        return placed

    def _clip(
        self,
        element: Element,
        clock: ClipClock,
        asset: AssetFacts,
        data: dict[str, Any],
        sequence: Clock,
    ) -> Any:
        rate = rate_said(data.get("rate")) or self.library.rate(asset, sequence.rate)
        clip = otio.schema.Clip(
            name=element.get("name", ""),
            media_reference=self.library.reference(asset, sequence.rate, data),
            source_range=seconds_range(
                on_frame(clock.source_start, rate) if clock.time_map else clock.source_start,
                clock.duration,
                rate,
                record=sequence.rate,
            ),
        )
        set_speed(clip, clock, data)
        return clip

    def _sound(
        self,
        element: Element,
        clock: ClipClock,
        asset: AssetFacts,
        start: Fraction,
        facts: dict[str, Any],
        sequence: Clock,
    ) -> Placed:
        """A sound of a clip; cut otherwise than the picture where ``audioStart`` says so."""
        begin = parse_time(element.get("audioStart"), clock.local_start)
        length = parse_time(element.get("audioDuration"), clock.duration)
        if length <= 0:
            begin, length = clock.local_start, clock.duration
        own = replace(clock, local_start=begin, duration=length)
        clip = self._clip(element, own, asset, facts, sequence)
        return Placed(clip, start + clock.record(begin), length, picture=False)

    def _finish(
        self,
        sound: Placed,
        part: Component,
        number: int,
        facts: dict[str, Any],
        streams: int,
        link: int | str | None,
    ) -> None:
        clip = sound.item
        if isinstance(facts.get("name"), str) and "track" in facts:
            clip.name = facts["name"]
        clip.enabled = part.enabled
        if part.gain is not None:
            set_gain(clip, part.gain)
        track = facts.get("track")
        sound.track = number + 1
        if track in self.sound_tracks:
            sound.track = self.sound_tracks.index(track) + 1
        mine = facts.get("metadata")
        if not isinstance(mine, dict):
            mine = {"stream": part.stream} if streams > 1 else {}
        if link is not None:
            mine = {**mine, "link": link}
        if mine:
            clip.metadata[NAMESPACE] = mine


def components(element: Element, asset: AssetFacts, inner: Element | None) -> list[Component]:
    """The sounds that a clip plays: those it lists, else one for each of the file's streams."""
    listed = element.findall("audio-channel-source")
    if listed:
        return [
            Component(
                _stream(source.get("srcCh"), asset.channels),
                source.get("enabled") != "0",
                volume(source.find("adjust-volume")),
            )
            for source in listed
            if source.get("active") != "0"
        ]
    if inner is not None:
        sounds = [inner, *inner] if inner.tag == "audio" else list(inner)
        return [
            Component(_stream(sound.get("srcCh"), asset.channels))
            for sound in sounds
            if sound.tag == "audio"
        ]
    return [Component(stream) for stream in range(1, len(asset.channels) + 1)]


def volume(element: Element | None) -> float | None:
    """Decibels of ``adjust-volume``: ``-6dB`` or bare."""
    if element is None:
        return None
    text = element.get("amount", "").strip().removesuffix("dB")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1000 else None


def _stream(channels: str | None, streams: tuple[int, ...]) -> int:
    """The stream that holds the first of these channels, counted from 1."""
    first = (channels or "1").split(",")[0].strip()
    number = int(first) if first.isdecimal() and len(first) < 6 else 1
    for stream, count in enumerate(streams, 1):
        number -= count
        if number <= 0:
            return stream
    return 1


def _entry(value: Any, number: int) -> dict[str, Any]:
    """What rides along about one sound of a clip."""
    if isinstance(value, list) and number < len(value) and isinstance(value[number], dict):
        return dict(value[number])
    return {}
