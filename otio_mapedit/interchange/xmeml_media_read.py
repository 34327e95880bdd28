"""File elements of xmeml as media references."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from .urls import file_name, media_url
from .xmeml_items import IMAGES
from .xmeml_media import absolute_url
from .xmeml_values import (
    count_of,
    definitions,
    rate_of,
    said_range,
    seconds_time,
    start_of,
    text_of,
)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as its definition says it; times in seconds. ``length`` 0 is not known."""

    url: str
    name: str
    rate: Fraction
    start: Fraction
    length: Fraction
    drop: bool
    reel: str
    has_timecode: bool

    @property
    def available(self) -> otio.opentime.TimeRange | None:
        """The whole file on its clock."""
        if not self.length:
            return None
        return otio.opentime.TimeRange(
            seconds_time(self.start, self.rate), seconds_time(self.length, self.rate)
        )


class FileShelf:
    """The files of a document by id, read when first asked for."""

    def __init__(self, root: Element) -> None:
        self._elements = definitions(root, "file")
        self._facts: dict[str, FileFacts] = {}

    def of(self, item: Element, rate: Fraction) -> FileFacts | None:
        """The file of a clip; ``rate`` where it does not state its own."""
        element = item.find("file")
        if element is None:
            return None
        key = element.get("id", "")
        if len(element) and not key:
            return _read(element, rate)
        if key not in self._facts:
            if key not in self._elements:
                return None
            self._facts[key] = _read(self._elements[key], rate)
        return self._facts[key]


def _read(element: Element, default: Fraction) -> FileFacts:
    path = text_of(element, "pathurl").strip()
    url = media_url(path) if path else ""
    rate = rate_of(element, default)
    start, drop = start_of(element, rate)
    frames = count_of(element, "duration") or 0
    return FileFacts(
        url=url,
        name=text_of(element, "name") or (file_name(url) if url else ""),
        rate=rate,
        start=start,
        length=Fraction(max(0, frames)) / rate,
        drop=drop,
        reel=text_of(element, "timecode/reel/name").strip(),
        has_timecode=element.find("timecode") is not None,
    )


def reference_of(
    file: FileFacts | None, said: Any, sequence_drop: bool
) -> otio.core.MediaReference:
    """The media reference of a clip: its file, as what rides along refines it."""
    said = said if isinstance(said, dict) else {}
    available = file.available if file is not None else None
    if "available" in said:
        available = said_range(said["available"]) if said["available"] else None
    reference = _reference(file, said, available)
    name = said.get("name")
    reference.name = name if isinstance(name, str) else (file.name if file is not None else "")
    if file is not None:
        data: dict[str, Any] = {}
        if file.reel:
            data["reel"] = file.reel
        if file.drop != sequence_drop and file.rate.denominator != 1:
            data["drop_frame"] = file.drop
        if data:
            reference.metadata["mapedit"] = data
    return reference


def _reference(
    file: FileFacts | None, said: dict[str, Any], available: otio.opentime.TimeRange | None
) -> otio.core.MediaReference:
    kind = said.get("kind")
    try:
        if kind == "images":
            numbering = {key: said["sequence"][key] for key in IMAGES}
            return otio.schema.ImageSequenceReference(**numbering, available_range=available)
        if kind == "generator":
            return otio.schema.GeneratorReference(
                "", str(said["generator"]), available, dict(said["parameters"])
            )
    except (KeyError, TypeError, ValueError):
        return otio.schema.MissingReference(available_range=available)
    url = said.get("url")
    if file is not None and isinstance(url, str) and (absolute_url(url) if url else "") == file.url:
        return otio.schema.ExternalReference(url, available)
    if file is not None and file.url and kind is None:
        return otio.schema.ExternalReference(file.url, available)
    return otio.schema.MissingReference(available_range=available)
