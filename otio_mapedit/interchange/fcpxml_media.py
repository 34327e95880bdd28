"""The ``resources`` of an FCPXML file, read: formats, assets, effects, nested sequences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..errors import FormatError
from ..timing import fraction_of, parse_rate
from .fcpxml_times import parse_time, rate_of_frame, seconds_range
from .fcpxml_words import FOREIGN, NAMESPACE, carried, reel_of
from .loss import LossReport
from .unfolding import MOST_CLIPS
from .urls import media_url


@dataclass(frozen=True, slots=True)
class Format:
    """A format; ``rate`` None where it has none (stills)."""

    rate: Fraction | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What an ``asset`` says. Times in seconds on its own clock."""

    element: Element
    name: str
    src: str
    start: Fraction
    duration: Fraction
    format: Format | None
    has_video: bool
    has_audio: bool
    channels: tuple[int, ...]
    sample_rate: int
    data: dict[str, Any]


class Library:
    """Everything that clips refer to by id."""

    def __init__(self, root: Element, report: LossReport, base_url: str = "") -> None:
        self.report = report
        self.base_url = base_url
        self.formats: dict[str, Format] = {}
        self.effects: dict[str, tuple[str, str]] = {}
        self.media: dict[str, Element] = {}
        self._assets: dict[str, Element] = {}
        self._facts: dict[str, AssetFacts] = {}
        self._references: dict[tuple[str, Fraction], Any] = {}
        self.tally: Counter[str] = Counter()  # small things that a report counts once
        self._links: Counter[tuple[str, bool]] = Counter()
        self._items = 0
        for element in root.iterfind("resources/*"):
            self._add(element)

    def _add(self, element: Element) -> None:
        identity = element.get("id", "")
        if element.tag == "format":
            self.formats[identity] = _format(element)
        elif element.tag == "effect":
            self.effects[identity] = (element.get("name", ""), element.get("uid", ""))
        elif element.tag == "media":
            self.media[identity] = element
        elif element.tag == "asset":
            self._assets[identity] = element

    def count(self, items: int = 1) -> None:
        """Note that the timeline grew.

        Raises:
            FormatError: it is larger than anybody edits.
        """
        self._items += items
        if self._items > MOST_CLIPS:
            raise FormatError(
                f"the project unfolds into more than {MOST_CLIPS} clips",
                "Export one sequence at a time, without nested ones.",
            )

    def link(self, data: dict[str, Any], picture: bool) -> int | str:
        """One link for all that travels together. A clip that a person has cut in two carries its
        link twice; the second half gets one of its own."""
        mine = data.get("metadata")
        link = mine.get("link") if isinstance(mine, dict) else None
        self._links[str(link), picture] += 1
        count = self._links[str(link), picture]
        if isinstance(link, int | str) and count == 1:
            return link
        return f"{'clip' if link is None else link}-{count}"

    def asset(self, identity: str | None) -> AssetFacts | None:
        """The asset with this id; None where there is none."""
        element = self._assets.get(identity or "")
        if element is None or identity is None:
            return None
        if identity not in self._facts:
            self._facts[identity] = self._read(element)
        return self._facts[identity]

    def _read(self, element: Element) -> AssetFacts:
        src = element.get("src") or ""
        reps = element.findall("media-rep")
        for rep in sorted(reps, key=lambda each: each.get("kind") == "proxy-media"):
            src = src or rep.get("src", "")
        if self.base_url and src:
            src = urljoin(self.base_url, src)
        data = carried(element)
        sources = min(_integer(element.get("audioSources"), 1), 64)
        has_audio = element.get("hasAudio") == "1"
        channels = data.get("channels")
        if not isinstance(channels, list) or not all(isinstance(n, int) for n in channels):
            channels = [_integer(element.get("audioChannels"), 2)] * max(1, sources)
        return AssetFacts(
            element=element,
            name=element.get("name") or "",
            src=src,
            start=parse_time(element.get("start")),
            duration=parse_time(element.get("duration")),
            format=self.formats.get(element.get("format", "")),
            has_video=element.get("hasVideo") == "1" or not has_audio,
            has_audio=has_audio,
            channels=tuple(channels) if has_audio else (),
            sample_rate=_integer(element.get("audioRate"), 0),
            data=data,
        )

    def rate(self, asset: AssetFacts | None, sequence: Fraction) -> Fraction:
        """The rate of an asset's clock; the sequence's for sound and stills that say nothing."""
        if asset is None:
            return sequence
        said = rate_said(asset.data.get("rate"))
        if said is not None:
            return said
        if asset.has_video and asset.format is not None and asset.format.rate is not None:
            return asset.format.rate
        return sequence

    def reference(self, asset: AssetFacts, sequence: Fraction, facts: dict[str, Any]) -> Any:
        """A new media reference; ``facts`` are what a clip of ours says otherwise."""
        if "available" in facts or "media_name" in facts:
            return self._new_reference(asset, sequence, facts)
        key = (asset.element.get("id", ""), sequence)
        if key not in self._references:
            self._references[key] = self._new_reference(asset, sequence, {})
        return self._references[key].deepcopy()

    def _new_reference(self, asset: AssetFacts, sequence: Fraction, facts: dict[str, Any]) -> Any:
        mine = {key: facts[key] for key in ("available",) if key in facts}
        data = {**asset.data, **mine}
        rate = self.rate(asset, sequence)
        available = (asset.start, asset.duration) if asset.duration > 0 else None
        if "available" in data:
            available = None
            said = data["available"]
            if isinstance(said, list) and len(said) == 2 and all(isinstance(s, str) for s in said):
                available = (parse_time(said[0]), parse_time(said[1]))
        span = available and seconds_range(available[0], available[1], rate)
        reference = _reference(asset, data, span)
        name = facts.get("media_name", asset.data.get("name", asset.name))
        reference.name = name if isinstance(name, str) else ""
        noted: dict[str, Any] = {}
        if asset.has_video:
            noted["video"] = True
            if asset.format is not None and asset.format.width and asset.format.height:
                noted |= {"width": asset.format.width, "height": asset.format.height}
        if asset.has_audio and asset.data.get("guessed") is not True:
            noted["audio"] = [
                {"channels": count, "sample_rate": asset.sample_rate} for count in asset.channels
            ]
        reel = asset.data.get("reel")
        reel = reel if isinstance(reel, str) and reel else reel_of(asset.element)
        noted |= {"reel": reel} if reel else {}
        if isinstance(asset.data.get("drop_frame"), bool):
            noted["drop_frame"] = asset.data["drop_frame"]
        reference.metadata[NAMESPACE] = noted
        identity = {key: asset.element.get(key) for key in ("uid",) if asset.element.get(key)}
        if identity:
            reference.metadata[FOREIGN] = identity
        return reference


def _reference(asset: AssetFacts, data: dict[str, Any], span: Any) -> Any:
    if data.get("missing") is True:
        return otio.schema.MissingReference(available_range=span)
    images = data.get("sequence")
    if not isinstance(images, dict):
        return otio.schema.ExternalReference(
            target_url=media_url(asset.src) if asset.src else "", available_range=span
        )
    reference = otio.schema.ImageSequenceReference(
        target_url_base=_text(images.get("base")),
        name_prefix=_text(images.get("prefix")),
        name_suffix=_text(images.get("suffix")),
        start_frame=_whole(images.get("first"), 1),
        frame_step=_whole(images.get("step"), 1),
        rate=float(rate) if isinstance(rate := images.get("rate"), int | float) else 24.0,
        frame_zero_padding=_whole(images.get("padding"), 0),
        available_range=span,
    )
    policies = otio.schema.ImageSequenceReference.MissingFramePolicy
    policy = getattr(policies, _text(images.get("missing")), None)
    if isinstance(policy, policies):
        reference.missing_frame_policy = policy
    return reference


def rate_said(value: Any) -> Fraction | None:
    """A rate that rides along as text; None where there is none, or it makes no sense."""
    exact = fraction_of(value)
    if exact is None:
        return None
    if exact > 1000:  # a clock of sound
        return exact if exact <= 1_000_000 else None
    return parse_rate(value) if exact > 0 else None


def _format(element: Element) -> Format:
    duration = element.get("frameDuration")
    rate = rate_of_frame(parse_time(duration)) if duration else _named_rate(element.get("name"))
    width, height = (_integer(element.get(key), 0) for key in ("width", "height"))
    return Format(rate, width, height)


#: Ends of Final Cut's format names, for formats that say nothing else.
_NAMED = {
    "2398": "24000/1001", "24": "24", "25": "25", "2997": "30000/1001", "30": "30",
    "50": "50", "5994": "60000/1001", "60": "60",
}  # fmt: skip


def _named_rate(name: str | None) -> Fraction | None:
    end = (name or "").rpartition("p")[2]
    return Fraction(_NAMED[end]) if end in _NAMED else None


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and text.strip().isdecimal() and len(text) < 10 else default


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and abs(value) < 2**31 else default
