"""Media of a clip as an MLT producer: which service plays which resource, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import exact_rate
from ..urls import path_of
from .fcpxml_plan import Piece, Plan
from .mlt_cuts import Cut
from .mlt_words import MISSING_COLOUR, STANDIN_COLOUR, STILLS, put
from .timeline_facts import ClipData
from .urls import media_url

#: Kinds of generators that are one colour.
_COLOURS = {"black": "#000000", "white": "#ffffff", "blackvideo": "#000000"}
#: How long a colour or a still is, where its clips do not need more: four hours at 60 a second.
LONGEST = 864_000


def add_media(
    element: Element, plan: Plan, cut: Cut, facts: ClipData, sources: Mapping[str, Any], video: bool
) -> None:
    """The properties that make ``element`` play the media of a clip."""
    piece = cut.piece
    reference = piece.item.media_reference
    length = cut.length
    if isinstance(reference, otio.schema.ExternalReference) and reference.target_url:
        path = file_path(reference.target_url)
        if PurePosixPath(path).suffix.lower() in STILLS:
            length = max(length, LONGEST)
            _still(element, plan, piece, path)
        else:
            length = _file(element, plan, cut, path)
            _stream(element, plan, piece, facts, sources, video)
    elif isinstance(reference, otio.schema.ImageSequenceReference):
        length = _images(element, plan, cut, reference)
    else:
        length = max(length, LONGEST)
        _colour(element, plan, piece, reference)
    if not piece.item.enabled:
        # What Kdenlive sets to disable a clip; the engine then shows what lies below.
        put(element, "set.test_image", 1)
        put(element, "set.test_audio", 1)
    put(element, "length", length)
    put(element, "eof", "pause")
    element.set("in", "0")
    element.set("out", str(length - 1))


def file_path(url: str) -> str:
    """A URL as the path that MLT wants."""
    return path_of(media_url(url))


def _file(element: Element, plan: Plan, cut: Cut, path: str) -> int:
    """A file at the clip's speed; how long it is to be taken for."""
    speed = cut.piece.speed
    if speed == 0:
        put(element, "mlt_service", "hold")
        put(element, "resource", path)
        put(element, "frame", cut.first)
        return max(cut.length, LONGEST)
    if speed == 1:
        put(element, "mlt_service", "avformat-novalidate")
        put(element, "resource", path)
        put(element, "seekable", 1)
        return cut.length
    scalar = repr(speed.numerator / speed.denominator)
    put(element, "mlt_service", "timewarp")
    put(element, "resource", f"{scalar}:{path}")
    put(element, "warp_speed", scalar)
    put(element, "warp_resource", path)
    put(element, "warp_pitch", 1)
    return cut.length


def _stream(
    element: Element,
    plan: Plan,
    piece: Piece,
    facts: ClipData,
    sources: Mapping[str, Any],
    video: bool,
) -> None:
    """Picture only on tracks of pictures, sound only on those of sound, and which sound."""
    where = plan.place(piece)
    if video:
        put(element, "audio_index", -1)
        return
    put(element, "video_index", -1)
    number = facts.own.get("stream")
    streams = sources.get(str(facts.own.get("source")), {}).get("audio")
    if isinstance(number, int) and number > 1:
        found = list(streams)[number - 1 : number] if hasattr(streams, "__iter__") else []
        index = found[0].get("index") if found and hasattr(found[0], "get") else None
        if isinstance(index, int):
            put(element, "audio_index", index)
        else:
            plan.report.changed(
                "sound", "the first sound of its file is heard", **plan.place(piece)
            )
    if isinstance(facts.own.get("channel"), int):
        plan.report.changed("sound", "all channels of its file are heard", **where)


def _still(element: Element, plan: Plan, piece: Piece, path: str) -> None:
    put(element, "mlt_service", "pixbuf")
    put(element, "resource", path)
    if "%" in path:
        plan.report.changed(
            "media", "MLT takes the % in its name for a number", **plan.place(piece)
        )


def _images(element: Element, plan: Plan, cut: Cut, reference: Any) -> int:
    """An image sequence, each picture as long as its rate says."""
    piece = cut.piece
    base = file_path(reference.target_url_base or "").rstrip("/")
    head = f"{base}/{reference.name_prefix}" if base else str(reference.name_prefix)
    number = f"%0{max(1, reference.frame_zero_padding)}d"
    path = f"{head.replace('%', '%%')}{number}{str(reference.name_suffix).replace('%', '%%')}"
    resource = f"{path}?begin={reference.start_frame}"
    where = plan.place(piece)
    each = plan.rate / _rate(reference.rate, plan.rate)
    if each.denominator != 1:
        plan.report.changed("image sequence", "each picture lasts one frame", **where)
        each = Fraction(1)
    if reference.frame_step != 1:
        plan.report.changed("image sequence", "no number is skipped", **where)
    if piece.speed == 0:
        put(element, "mlt_service", "hold")
        put(element, "frame", cut.first)
    else:
        put(element, "mlt_service", "pixbuf")
        if piece.speed != 1:
            plan.report.lost("speed", "MLT plays image sequences as they are", **where)
    put(element, "resource", resource)
    put(element, "ttl", int(each))
    return cut.length if piece.speed else max(cut.length, LONGEST)


def _rate(value: float, default: Fraction) -> Fraction:
    try:
        return exact_rate(value)
    except ValueError:
        return default


def _colour(element: Element, plan: Plan, piece: Piece, reference: Any) -> None:
    colour = MISSING_COLOUR
    if isinstance(reference, otio.schema.GeneratorReference):
        kind = str(reference.generator_kind or "").lower().replace(" ", "")
        colour = _COLOURS.get(kind, STANDIN_COLOUR)
        if kind not in _COLOURS:
            plan.report.changed(
                "generator",
                f"a grey field stands in for {reference.generator_kind!r}",
                **plan.place(piece),
            )
    else:
        plan.report.changed("missing media", "a red field stands in for it", **plan.place(piece))
    put(element, "mlt_service", "color")
    put(element, "resource", colour)


__all__ = ["LONGEST", "add_media", "file_path"]
