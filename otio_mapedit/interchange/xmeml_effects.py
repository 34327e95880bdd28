"""Filters, markers and transitions of xmeml as elements."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import exact_time, frame_at
from .fcpxml_plan import Join
from .marker_colours import colour_channels
from .timeline_facts import carried, wipe_pattern
from .xmeml_words import (
    DISSOLVE,
    SOUND_DISSOLVE,
    TICKS,
    add,
    add_rate,
    note_text,
)
from .xml_safe import clean


def add_speed(parent: Element, scalar: Fraction) -> None:
    """The Time Remap filter of a constant speed; in reverse it is negative and says so twice."""
    effect = add(add(parent, "filter"), "effect")
    for tag, text in (
        ("name", "Time Remap"),
        ("effectid", "timeremap"),
        ("effectcategory", "motion"),
        ("effecttype", "motion"),
        ("mediatype", "video"),
    ):
        add(effect, tag, text)
    _parameter(effect, "variablespeed", "0", (0, 1))
    _parameter(effect, "speed", percent(scalar), (-100000, 100000))
    _parameter(effect, "reverse", scalar < 0)
    _parameter(effect, "frameblending", False)


def percent(scalar: Fraction) -> str:
    """Speed in per cent to a millionth."""
    return f"{float(scalar * 100):.6f}".rstrip("0").rstrip(".")


def add_gain(parent: Element, decibels: float) -> None:
    """The Audio Levels filter: a factor of amplitude."""
    effect = add(add(parent, "filter"), "effect")
    for tag, text in (
        ("name", "Audio Levels"),
        ("effectid", "audiolevels"),
        ("effectcategory", "audiolevels"),
        ("effecttype", "audiolevels"),
        ("mediatype", "audio"),
    ):
        add(effect, tag, text)
    factor = min(1e6, 10 ** (max(-300.0, min(120.0, decibels)) / 20))
    _parameter(effect, "level", f"{factor:.9g}", (0, "3.98109"))


def add_generator(parent: Element, kind: str) -> None:
    """The effect that makes a generator's picture."""
    effect = add(parent, "effect")
    add(effect, "name", kind)
    add(effect, "effectid", kind)
    add(effect, "effectcategory", "Generators")
    add(effect, "effecttype", "generator")
    add(effect, "mediatype", "video")


def _parameter(
    effect: Element, name: str, value: Any, limits: tuple[Any, Any] | None = None
) -> None:
    element = add(effect, "parameter")
    add(element, "parameterid", name)
    add(element, "name", name)
    if limits is not None:
        add(element, "valuemin", limits[0])
        add(element, "valuemax", limits[1])
    add(element, "value", value)


def add_marker(
    parent: Element, marker: otio.schema.Marker, zero: Fraction, rate: Fraction
) -> dict[str, Any]:
    """``marker`` in frames of ``rate`` from second ``zero``; returns what it cannot hold."""
    span = marker.marked_range
    start = frame_at(exact_time(span.start_time) - zero, rate)
    frames = frame_at(exact_time(span.duration), rate)
    element = add(parent, "marker")
    add(element, "comment", marker.comment)
    add(element, "name", marker.name)
    add(element, "in", start)
    add(element, "out", start + frames if frames > 1 else -1)
    channels = colour_channels(str(marker.color or ""))
    if channels is not None:
        colour = add(element, "color")
        add(colour, "alpha", 0)
        for name, value in zip(("red", "green", "blue"), channels, strict=True):
            add(colour, name, value)
    unwritable = {
        key: text
        for key, text in (("name", marker.name), ("comment", marker.comment))
        if clean(text) != text
    }
    return {
        **unwritable,
        "in": start,
        "start": [span.start_time.value, span.start_time.rate],
        "duration": [span.duration.value, span.duration.rate],
        "color": str(marker.color or ""),
        **carried(marker),
    }


def add_transition(
    parent: Element, join: Join, cut: int, rate: Fraction, video: bool, edge: str
) -> None:
    """A transitionitem whose cut lies at sequence frame ``cut``.

    ``edge`` is ``in`` for a fade from nothing, ``out`` for one to nothing, else empty.
    """
    transition = join.transition
    element = add(parent, "transitionitem")
    own = carried(transition)
    pattern = wipe_pattern(transition)
    if isinstance(pattern, str):
        own["pattern"] = pattern
    if clean(transition.name) != transition.name:
        own["name"] = transition.name
    if own:
        element.set("mapedit", note_text(own))
    add(element, "start", cut - join.before)
    add(element, "end", cut + join.after)
    add(element, "alignment", _alignment(join, edge))
    add(element, "cutPointTicks", int(join.before * TICKS / rate))
    add_rate(element, rate)
    effect = add(element, "effect")
    dissolve = transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve
    identifier = transition.name or "Custom"
    category = "Dissolve"
    if dissolve:
        identifier = DISSOLVE if video else f"{SOUND_DISSOLVE}0dB"
    elif pattern is not None:
        category = "Wipe"
    add(effect, "name", transition.name)
    add(effect, "effectid", identifier)
    add(effect, "effectcategory", category)
    add(effect, "effecttype", "transition")
    add(effect, "mediatype", "video" if video else "audio")
    add(effect, "wipecode", (pattern if isinstance(pattern, int) else 1) if pattern else 0)
    add(effect, "wipeaccuracy", 100)
    add(effect, "startratio", 0)
    add(effect, "endratio", 1)
    add(effect, "reverse", False)


def _alignment(join: Join, edge: str) -> str:
    if edge == "in":
        return "start-black"
    if edge == "out":
        return "end-black"
    if not join.before:
        return "start"
    return "center" if join.after else "end"
