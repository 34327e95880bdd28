"""An MLT producer as an OTIO clip: its media, speed, loudness and what rides along."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import rational_time
from .gain import set_gain
from .loss import LossReport
from .mlt_effects import FADE_IN, FADE_OUT
from .mlt_words import CAPTIONS, NAMESPACE, frames_of, note_of, properties_of
from .urls import file_name, media_url
from .xmeml_media import absolute_url
from .xmeml_media_read import FileFacts, reference_of
from .xmeml_values import said_rate, said_seconds, seconds_time
from .xml_safe import clean

_IMAGES = re.compile(r"^(.*)%0?(\d*)d([^%]*?)(?:\?begin[=:](\d+))?$", re.DOTALL)
_PICTURES = ("pixbuf", "qimage")
_KEY = re.compile(r"^\s*([\d:.,]+)\s*[|!~$]?=")
#: Filters that every producer gets by itself, and those that are read elsewhere.
_SILENT = {"avcolour_space", "avcolor_space", "audioconvert", "imageconvert", "swresample"}


@dataclass(slots=True)
class Source:
    """A producer, understood. ``length`` in frames after its speed; fades in frames."""

    element: Element
    rate: Fraction
    properties: dict[str, str]
    note: dict[str, Any]
    service: str = ""
    resource: str = ""
    speed: Fraction = Fraction(1)
    length: int = 0
    gain: float | None = None
    fade_in: int = 0
    fade_out: int = 0
    unknown: list[str] = field(default_factory=list)

    @property
    def sounds(self) -> bool:
        """Whether a clip of it on a picture track is heard: its file says which sound it plays."""
        index = self.properties.get("audio_index", self.properties.get("astream", ""))
        return index.isdigit() and self.service.startswith(("avformat", "timewarp"))

    @property
    def enabled(self) -> bool:
        """Not so where both picture and sound are taken away, as Kdenlive does it."""
        names = ("set.test_image", "set.test_audio")
        return not all(self.properties.get(name) == "1" for name in names)


def source_of(element: Element, rate: Fraction, root: str) -> Source:
    """What a producer plays; ``root`` is the folder that relative names start from."""
    properties = properties_of(element)
    source = Source(element, rate, properties, note_of(properties))
    source.service = properties.get("mlt_service", "")
    resource = properties.get("resource", "")
    if source.service == "timewarp":
        scalar, _, rest = resource.partition(":")
        resource = properties.get("warp_resource") or rest
        source.speed = _speed(properties.get("warp_speed") or scalar)
    elif source.service == "hold":
        source.speed = Fraction(0)
    source.resource = _joined(root, resource) if source.service != "color" else resource
    last = frames_of(element.get("out"), rate, 0)
    source.length = max(0, frames_of(properties.get("length"), rate, last + 1))
    for one in element.findall("filter"):
        _read_filter(source, one)
    return source


def _speed(text: str) -> Fraction:
    try:
        value = float(text)
    except ValueError:
        return Fraction(1)
    if not math.isfinite(value) or not 1e-6 < abs(value) < 1e6:
        return Fraction(1)
    return Fraction(value).limit_denominator(1_000_000)


def _joined(root: str, resource: str) -> str:
    absolute = PurePosixPath(resource).is_absolute() or PureWindowsPath(resource).is_absolute()
    if not root or not resource or absolute or "://" in resource:
        return resource
    return f"{root.rstrip('/')}/{resource}"


def _read_filter(source: Source, element: Element) -> None:
    properties = properties_of(element)
    name = properties.get("shotcut:filter", "")
    service = properties.get("mlt_service", "")
    level = properties.get("level", "")
    if properties.get("disable") == "1" or "_loader" in properties or service in _SILENT:
        return
    if name in FADE_IN:
        source.fade_in = max(source.fade_in, _fade(properties, "animIn", source.rate))
    elif name in FADE_OUT:
        source.fade_out = max(source.fade_out, _fade(properties, "animOut", source.rate))
    elif service == "volume" and _number(level) is not None:
        source.gain = (source.gain or 0.0) + (_number(level) or 0.0)
    else:
        source.unknown.append(name or service or "a filter")


def _fade(properties: dict[str, str], name: str, rate: Fraction) -> int:
    """Frames of a fade: what Shotcut says, else from its first key to its last."""
    said = properties.get(f"shotcut:{name}")
    if said:
        return max(0, frames_of(said, rate, 0))
    keys = [_KEY.match(part) for part in properties.get("level", "").split(";")]
    times = [frames_of(key[1], rate, 0) for key in keys if key is not None]
    return max(0, max(times) - min(times)) if times else 0


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def clip_of(
    source: Source, first: int, frames: int, report: LossReport, drop: bool
) -> otio.schema.Clip:
    """The clip of ``frames`` whose record start shows position ``first`` of its producer."""
    note, rate = source.note, source.rate
    told = _told(source)
    reference = _reference(source, told, drop)
    name = name_of(source)
    available = reference.available_range
    begin = Fraction(0)
    if available is not None:
        clock = said_rate(available.start_time.rate) or rate
        begin = Fraction(available.start_time.value).limit_denominator(100_000) / clock
    exact = said_seconds(note.get("start")) if told and _unmoved(source, first, frames) else None
    if exact is not None:
        start = seconds_time(exact, said_rate(note.get("rate")) or rate)
    else:
        start = seconds_time(begin + _offset(source, first, frames), rate)
    span = otio.opentime.TimeRange(start, rational_time(frames, rate))
    clip = otio.schema.Clip(name, reference, span)
    clip.enabled = source.enabled
    clip.effects.extend(_warps(source))
    dress(clip, source)
    for unknown in source.unknown:
        report.lost("effect", unknown, item=name)
    return clip


def dress(item: Any, source: Source) -> None:
    """Loudness and metadata."""
    note = source.note
    if source.gain is not None:
        said = note.get("gain_db")
        if isinstance(said, int | float) and abs(said - source.gain) < 1e-6:
            set_gain(item, float(said))
        else:
            set_gain(item, source.gain)
    for key, name in (("own", NAMESPACE), ("cdl", "cdl")):
        if isinstance(note.get(key), dict) and note[key]:
            item.metadata[name] = note[key]
    if isinstance(note.get("label"), str):
        item.metadata["xmeml"] = {"label2": note["label"]}


def name_of(source: Source) -> str:
    """What the clip is called: what Shotcut or Kdenlive shows, else its file."""
    said = source.note.get("name")
    for caption in CAPTIONS:
        if caption in source.properties:
            shown = source.properties[caption]
            return said if isinstance(said, str) and clean(said) == shown else shown
    return file_name(source.resource) if source.resource and source.service != "color" else ""


def _told(source: Source) -> dict[str, Any]:
    """What rides along about the media, as far as it is still the same file."""
    told = source.note.get("media")
    if not isinstance(told, dict):
        return {}
    written = str(source.note.get("resource") or "")
    if source.service == "timewarp":
        written = written.partition(":")[2]
    if clean(written) == source.resource:
        return told
    if told.get("kind") is None and file_name(written) == file_name(source.resource):
        moved = {key: value for key, value in told.items() if key != "url"}
        return moved | {"moved": True}
    return {}


def _unmoved(source: Source, first: int, frames: int) -> bool:
    """Whether the clip begins where it did when what rides along was written."""
    note = source.note
    if source.service == "hold":
        return bool(note.get("frame") == frames_of(source.properties.get("frame"), source.rate, -1))
    return bool(note.get("in") == first and (source.speed > 0 or note.get("frames") == frames))


def _offset(source: Source, first: int, frames: int) -> Fraction:
    """Seconds from the media's start to the lowest moment that is shown."""
    if source.service == "hold":
        return Fraction(frames_of(source.properties.get("frame"), source.rate, 0)) / source.rate
    if source.speed < 0:
        first = max(0, source.length - first - frames)
    return first * abs(source.speed) / source.rate


def _warps(source: Source) -> list[Any]:
    """Time warps of the clip; as they were where they come to the speed that is played."""
    said = source.note.get("speeds")
    found = []
    product = Fraction(1)
    for one in said if isinstance(said, list) else ():
        if not isinstance(one, list) or len(one) != 3 or not isinstance(one[0], int | float):
            break
        product *= Fraction(one[0]).limit_denominator(1_000_000)
        found.append(_warp(float(one[0]), str(one[1]), one[2]))
    still = source.service in (*_PICTURES, "color")
    same = abs(product - source.speed) <= Fraction(1, 100_000) * abs(source.speed)
    if found and (still or same):
        return found
    if source.speed == 1:
        return []
    name = "Speed" if source.speed else "Freeze Frame"
    return [_warp(source.speed.numerator / source.speed.denominator, name, {})]


def _warp(scalar: float, name: str, metadata: Any) -> Any:
    metadata = metadata if isinstance(metadata, dict) else {}
    if scalar == 0:
        return otio.schema.FreezeFrame(name, metadata=metadata)
    return otio.schema.LinearTimeWarp(name, time_scalar=scalar, metadata=metadata)


def _reference(source: Source, told: dict[str, Any], drop: bool) -> otio.core.MediaReference:
    own = told.get("own")
    url = told.get("url")
    if told.get("kind") is not None:
        reference = reference_of(None, told, drop)
    elif source.service == "color":
        reference = otio.schema.GeneratorReference(
            "", "color", _available(source), {"color": source.resource}
        )
    elif images := _images(source):
        reference = images
    elif not source.resource:
        reference = otio.schema.MissingReference()
    else:
        url = url if isinstance(url, str) else media_url(source.resource)
        full = absolute_url(url) if url else ""
        length = Fraction(source.length) * abs(source.speed) / source.rate
        still = source.service in _PICTURES
        known = Fraction(0) if source.speed == 0 or still else length
        name = file_name(url) if url else ""
        file = FileFacts(full, name, source.rate, Fraction(0), known, drop, "", False)
        reference = reference_of(file, {**told, "url": url}, drop)
    if isinstance(own, dict):
        reference.metadata[NAMESPACE] = own
    return reference


def _available(source: Source) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(
        rational_time(0, source.rate), rational_time(source.length, source.rate)
    )


def _images(source: Source) -> otio.schema.ImageSequenceReference | None:
    found = _IMAGES.match(source.resource) if source.service in _PICTURES else None
    if found is None:
        return None
    folder, _, prefix = found[1].replace("%%", "%").rpartition("/")
    each = max(1, frames_of(source.properties.get("ttl"), source.rate, 1))
    return otio.schema.ImageSequenceReference(
        media_url(folder + "/"), prefix, found[3].replace("%%", "%"), int(found[4] or 0), 1,
        rational_time(0, source.rate / each).rate, int(found[2] or 1),
        available_range=_available(source),
    )  # fmt: skip
