"""The ``resources`` of an FCPXML project: formats, assets, effects, nested sequences.

One media file is one asset, whatever names it goes by; its range covers all that is used of it,
because a host refuses a clip that runs outside its asset. Assets are collected first and written
last, when it is known what is used of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ..timing import can_drop_frames
from .fcpxml_times import format_time
from .fcpxml_words import EFFECTS, FcpxmlProfile, attach

#: Final Cut's names of its own formats; others are described by their numbers alone.
_HEIGHTS = {(1280, 720): "720p", (1920, 1080): "1080p", (3840, 2160): "3840x2160p"}
_RATES = {
    Fraction(24000, 1001): "2398",
    Fraction(24): "24",
    Fraction(25): "25",
    Fraction(30000, 1001): "2997",
    Fraction(30): "30",
    Fraction(50): "50",
    Fraction(60000, 1001): "5994",
    Fraction(60): "60",
}


@dataclass(slots=True, eq=False)
class Asset:
    """One media file. Times are seconds on its own clock, start timecode included."""

    id: str
    name: str
    src: str
    rate: Fraction
    still: bool = False
    has_video: bool = False
    has_audio: bool = False
    size: tuple[int, int] | None = None
    channels: tuple[int, ...] = ()  # of each audio stream
    guessed: bool = False  # nobody described the streams
    sample_rate: int = 0
    drop_frame: bool | None = None
    reel: str = ""
    declared: tuple[Fraction, Fraction] | None = None  # what the timeline says there is
    used: tuple[Fraction, Fraction] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def span(self) -> tuple[Fraction, Fraction]:
        """First and last moment: all that is declared or used."""
        ranges = [each for each in (self.declared, self.used) if each is not None]
        if not ranges:
            return Fraction(0), 1 / self.rate
        return min(each[0] for each in ranges), max(each[1] for each in ranges)

    def use(self, start: Fraction, end: Fraction) -> None:
        """Note that a clip shows ``start`` to ``end``."""
        self.used = (
            (start, end)
            if self.used is None
            else (min(start, self.used[0]), max(end, self.used[1]))
        )

    def declare(self, start: Fraction, end: Fraction) -> None:
        """Note what a reference says is available."""
        self.declared = (
            (start, end)
            if self.declared is None
            else (min(start, self.declared[0]), max(end, self.declared[1]))
        )


class Resources:
    """Everything that clips refer to by id, in the order it was first needed."""

    def __init__(self, profile: FcpxmlProfile) -> None:
        self.profile = profile
        self.assets: dict[str, Asset] = {}
        self._count = 0
        self._formats: dict[tuple[Fraction | None, tuple[int, int]], str] = {}
        self._effects: dict[tuple[str, str], str] = {}
        self._media: list[Element] = []
        self._nested: dict[str, str] = {}

    def new_id(self) -> str:
        """An id that nothing else has."""
        self._count += 1
        return f"r{self._count}"

    def format(self, rate: Fraction | None, size: tuple[int, int]) -> str:
        """Id of the format; ``rate`` None is a still's."""
        if (rate, size) not in self._formats:
            self._formats[rate, size] = self.new_id()
        return self._formats[rate, size]

    def effect(self, name: str, uid: str = "") -> str:
        """Id of an effect; ``uid`` identifies it to Final Cut, known ones are looked up."""
        key = (name, uid or EFFECTS.get(name, name))
        if key not in self._effects:
            self._effects[key] = self.new_id()
        return self._effects[key]

    def nested(self, key: str) -> str | None:
        """Id of a nested sequence that was written before."""
        return self._nested.get(key)

    def add_nested(self, key: str, media: Element) -> str:
        """Keep a nested sequence; returns its id."""
        self._media.append(media)
        self._nested[key] = media.attrib["id"]
        return self._nested[key]

    def element(self) -> Element:
        """``resources``: formats, effects, assets, then nested sequences, innermost first."""
        root = Element("resources")
        assets = [self._asset(asset) for asset in self.assets.values()]
        for (rate, size), identity in self._formats.items():
            root.append(_format(identity, rate, size))
        for (name, uid), identity in self._effects.items():
            SubElement(root, "effect", {"id": identity, "name": name, "uid": uid})
        root.extend(assets)
        root.extend(self._media)
        return root

    def _asset(self, asset: Asset) -> Element:
        start, end = asset.span
        length = Fraction(0) if asset.still else end - start
        element = Element("asset", {"id": asset.id, "name": asset.name})
        if self.profile.number < (1, 9):
            element.set("src", asset.src)
        element.set("start", format_time(start))
        element.set("duration", format_time(length))
        if asset.has_video:
            element.set("hasVideo", "1")
            size = asset.size or (1920, 1080)
            element.set("format", self.format(None if asset.still else asset.rate, size))
        if asset.has_audio:
            channels = asset.channels or (2,)
            element.set("hasAudio", "1")
            if asset.has_video and self.profile.number >= (1, 9):
                element.set("videoSources", "1")
            element.set("audioSources", str(len(channels)))
            element.set("audioChannels", str(max(channels)))
            element.set("audioRate", str(asset.sample_rate or 48000))
        if self.profile.number >= (1, 9):
            SubElement(element, "media-rep", {"kind": "original-media", "src": asset.src})
        attach(element, asset.extra, asset.reel)
        return element


def _format(identity: str, rate: Fraction | None, size: tuple[int, int]) -> Element:
    element = Element("format", {"id": identity})
    if rate is None:
        element.set("name", "FFVideoFormatRateUndefined")
    else:
        if size in _HEIGHTS and rate in _RATES:
            element.set("name", f"FFVideoFormat{_HEIGHTS[size]}{_RATES[rate]}")
        element.set("frameDuration", format_time(1 / rate))
    element.set("width", str(size[0]))
    element.set("height", str(size[1]))
    return element


def timecode_format(drop_frame: bool, rate: Fraction) -> str:
    """``tcFormat``: DF only where drop-frame exists."""
    return "DF" if drop_frame and can_drop_frames(rate) else "NDF"
