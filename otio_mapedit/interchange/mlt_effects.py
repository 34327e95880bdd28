"""Filters, mixes and markers of MLT as elements, named so that Shotcut shows them as its own."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import exact_time, frame_at
from .mlt_cuts import Mix
from .mlt_words import MARKERS, MIXED, WIPES, add, colour_hex, put, put_note
from .timeline_facts import data_of, wipe_pattern
from .xml_safe import clean

FADE_IN, FADE_OUT = ("fadeInBrightness", "fadeInVolume"), ("fadeOutBrightness", "fadeOutVolume")
GAIN = "audioGain"
#: Decibels that stand for silence at the dark end of a fade of sound.
_SILENCE = -60


def add_gain(parent: Element, span: tuple[int, int], decibels: float) -> None:
    """Shotcut's gain filter over positions ``span``, both included."""
    element = add(parent, "filter", in_=span[0], out=span[1])
    put(element, "mlt_service", "volume")
    put(element, "shotcut:filter", GAIN)
    put(element, "level", repr(float(decibels)))


def add_fade(parent: Element, span: tuple[int, int], frames: int, video: bool, out: bool) -> None:
    """A fade from black or silence over the first ``frames`` of ``span``, or to it at its end.

    A frame k of n shows k/n of the picture, as in a dissolve of n frames.
    """
    element = add(parent, "filter", in_=span[0], out=span[1])
    dark, full = (0, 1) if video else (_SILENCE, 0)
    put(element, "mlt_service", "brightness" if video else "volume")
    put(element, "shotcut:filter", (FADE_OUT if out else FADE_IN)[0 if video else 1])
    if out:
        length = span[1] - span[0] + 1
        put(element, "level", f"{length - frames}={full};{length}={dark}")
        put(element, "shotcut:animOut", frames)
    else:
        put(element, "level", f"0={dark};{frames}={full}")
        put(element, "shotcut:animIn", frames)


def add_mix(parent: Element, mix: Mix, video: bool) -> str:
    """The transitions of a tractor that mixes two clips; what became of a wipe, if anything."""
    last = mix.before + mix.after - 1
    changed = ""
    if video:
        element = add(parent, "transition", in_=0, out=last)
        put(element, "mlt_service", "luma")
        put(element, "factory", "loader")
        put(element, "a_track", 0)
        put(element, "b_track", 1)
        transition = mix.join.transition
        dissolve = transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve
        pattern = wipe_pattern(transition)
        if pattern is not None:
            number = pattern if isinstance(pattern, int) else 1
            if number not in WIPES or not isinstance(pattern, int):
                changed = f"wipe {pattern} becomes one from left to right"
            put(element, "resource", WIPES.get(number, WIPES[1]))
            put(element, "softness", 0)
        elif not dissolve:
            changed = f"{transition.name or 'it'!r} becomes a dissolve"
    element = add(parent, "transition", in_=0, out=last)
    put(element, "mlt_service", "mix")
    put(element, "a_track", 0)
    put(element, "b_track", 1)
    put(element, "start", -1)
    put(element, "accepts_blanks", 1)
    return changed


def mix_note(mix: Mix) -> dict[str, Any]:
    """What rides along with a transition."""
    transition = mix.join.transition
    return {
        "written": [mix.before, mix.after],
        "offsets": [
            [time.value, time.rate] for time in (transition.in_offset, transition.out_offset)
        ],
        "name": transition.name,
        "type": transition.transition_type,
        "own": json_of(data_of(transition, "mapedit")),
    }


def json_of(value: Any, depth: int = 0) -> Any:
    """OTIO's metadata containers as plain JSON; what JSON cannot say is left out."""
    if depth > 20:
        return None
    if hasattr(value, "items"):
        return {str(key): json_of(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    if hasattr(value, "__iter__"):
        return [json_of(item, depth + 1) for item in value]
    return None


def tag_mix(element: Element, mix: Mix) -> None:
    """Say that a tractor is a transition, as Shotcut does."""
    put(element, MIXED, "lumaMix")
    put_note(element, mix_note(mix))


def marker_note(marker: Any, written: tuple[str, int, int]) -> dict[str, Any]:
    """What rides along with a marker; ``written``: text and frames that Shotcut shows."""
    span = marker.marked_range
    return {
        "written": list(written),
        "name": marker.name,
        "comment": marker.comment,
        "color": str(marker.color or ""),
        "start": [span.start_time.value, span.start_time.rate],
        "duration": [span.duration.value, span.duration.rate],
        "own": json_of(data_of(marker, "mapedit")),
    }


def marker_text(marker: Any) -> str:
    """Name and comment in Shotcut's one line."""
    return clean(": ".join(filter(None, (marker.name, marker.comment))))


def marker_frames(marker: Any, start: int, rate: Fraction) -> tuple[int, int]:
    """First and last frame of a marker that begins at record frame ``start``."""
    frames = frame_at(exact_time(marker.marked_range.duration), rate)
    return start, start + max(0, frames)


def add_markers(parent: Element, markers: Iterable[tuple[str, int, int, str]]) -> None:
    """Shotcut's list of markers: text, first and last frame, colour."""
    listed = list(markers)
    if not listed:
        return
    holder = add(parent, "properties", name=MARKERS)
    for number, (text, start, end, colour) in enumerate(sorted(listed, key=lambda one: one[1])):
        element = add(holder, "properties", name=number)
        put(element, "text", text)
        put(element, "start", start)
        put(element, "end", end)
        put(element, "color", colour_hex(colour))
