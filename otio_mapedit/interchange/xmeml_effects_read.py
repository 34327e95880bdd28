"""Filters, markers and transitions of xmeml as OTIO has them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import fraction_of, frame_at, rational_time
from .loss import LossReport
from .marker_colours import nearest_colour
from .timeline_facts import taken_back
from .xmeml_effects import percent
from .xmeml_values import count_of, is_true, number_of, said_range, said_text, text_of, ticks_of
from .xmeml_words import DISSOLVE, NAMESPACE, SOUND_DISSOLVE, TICKS, note_data

_TYPES = otio.schema.TransitionTypes
_NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")


@dataclass(slots=True)
class Filters:
    """What the filters of an item say: speed and gain; names of those not understood."""

    speed: Fraction = Fraction(1)
    warps: tuple[float, ...] = ()
    gain: float | None = None
    unknown: tuple[str, ...] = ()


def read_filters(element: Element, said: dict[str, Any]) -> Filters:
    """Filters of an item. What rides along refines what they say, and never contradicts it."""
    found = Filters()
    unknown = []
    for one in element.findall("filter"):
        effect = one.find("effect")
        if effect is None or not is_true(one, "enabled", True):
            continue
        identifier = text_of(effect, "effectid").strip().lower()
        if identifier == "timeremap":
            found.speed = _speed(effect)
            if _values(effect).get("variablespeed") in ("1", "TRUE"):
                unknown.append("variable speed")
        elif identifier == "audiolevels" and _values(effect).get("level"):
            found.gain = _gain(effect, said.get("gain_db"))
        else:
            unknown.append(text_of(effect, "name") or identifier)
    if is_true(element, "stillframe", False):
        found.speed = Fraction(0)
    found.unknown = tuple(unknown)
    found.warps = _warps(found.speed, said.get("speeds"))
    if len(found.warps) == 1 and found.warps[0]:
        found.speed = Fraction(found.warps[0]).limit_denominator(1_000_000)
    return found


def _values(effect: Element) -> dict[str, str]:
    return {
        text_of(one, "parameterid").strip().lower(): text_of(one, "value").strip().upper()
        for one in effect.findall("parameter")
    }


def _speed(effect: Element) -> Fraction:
    values = _values(effect)
    said = fraction_of(values.get("speed", "100"))
    if said is None:
        return Fraction(1)
    speed = said / 100
    return -abs(speed) if values.get("reverse") == "TRUE" else speed


def _warps(speed: Fraction, said: Any) -> tuple[float, ...]:
    """Time scalars of the item's warps; the exact ones where they come to this speed."""
    if isinstance(said, list) and all(isinstance(value, (int, float)) for value in said):
        product = math.prod(Fraction(value).limit_denominator(1_000_000) for value in said)
        if percent(Fraction(product)) == percent(speed):
            return tuple(float(value) for value in said)
    return () if speed == 1 else (float(speed),)


def time_warps(scalars: tuple[float, ...], said: Any) -> list[otio.schema.LinearTimeWarp]:
    """Time warps of these scalars; ``said`` are the names and metadata that rode along."""
    notes = said if isinstance(said, list) and len(said) == len(scalars) else []
    found = []
    for index, scalar in enumerate(scalars):
        note = notes[index] if notes and isinstance(notes[index], list) else []
        name, own = note if len(note) == 2 else ("Speed" if scalar else "Freeze Frame", {})
        name = name if isinstance(name, str) else ""
        warp = otio.schema.LinearTimeWarp(name, time_scalar=scalar)
        warp = warp if scalar else otio.schema.FreezeFrame(name)
        if isinstance(own, dict) and own:
            warp.metadata[NAMESPACE] = own
        found.append(warp)
    return found


def _gain(effect: Element, said: Any) -> float | None:
    try:
        factor = float(_values(effect)["level"])
    except ValueError:
        return None
    decibels = 20 * math.log10(factor) if factor > 0 else -math.inf
    if isinstance(said, (int, float)) and abs(said - max(-300.0, decibels)) < 0.01:
        return float(said)
    return round(decibels, 4) if math.isfinite(decibels) else -300.0


def read_markers(
    element: Element, said: Any, zero: Fraction, rate: Fraction
) -> list[otio.schema.Marker]:
    """Markers that count frames of ``rate`` from second ``zero``."""
    notes = [note for note in said if isinstance(note, dict)] if isinstance(said, list) else []
    found = []
    for index, one in enumerate(element.findall("marker")):
        begin = count_of(one, "in") or 0
        end = count_of(one, "out")
        frames = end - begin if end is not None and end > begin else 0
        note = notes[index] if index < len(notes) and notes[index].get("in") == begin else {}
        span = said_range([note.get("start"), note.get("duration")]) if note else None
        marker = otio.schema.Marker(
            name=said_text(one, "name", note.get("name")),
            marked_range=span or _range(begin, frames, zero, rate),
            color=note["color"] if isinstance(note.get("color"), str) else _colour(one),
        )
        marker.comment = said_text(one, "comment", note.get("comment"))
        own = taken_back(note)
        if own:
            marker.metadata[NAMESPACE] = own
        found.append(marker)
    return found


def _range(begin: int, frames: int, zero: Fraction, rate: Fraction) -> otio.opentime.TimeRange:
    start = rational_time(frame_at(zero, rate) + begin, rate)
    return otio.opentime.TimeRange(start, rational_time(frames, rate))


def _colour(element: Element) -> str:
    channels = [count_of(element, f"color/{name}") for name in ("red", "green", "blue")]
    red, green, blue = (value if value is not None else -1 for value in channels)
    return "RED" if min(red, green, blue) < 0 else nearest_colour(red, green, blue)


def read_colour(element: Element) -> dict[str, Any]:
    """ASC CDL of an item's ``colorinfo``."""
    found: dict[str, Any] = {}
    groups = re.findall(r"\(([^()]*)\)", text_of(element, "colorinfo/asc_sop"))
    triples = [[float(number) for number in _NUMBER.findall(group)] for group in groups]
    if len(triples) == 3 and all(len(triple) == 3 for triple in triples):
        found["asc_sop"] = dict(zip(("slope", "offset", "power"), triples, strict=True))
    saturation = number_of(element, "colorinfo/asc_sat")
    if saturation is not None:
        found["asc_sat"] = saturation
    return found


@dataclass(slots=True)
class Mixing:
    """A transitionitem: record frames of its start, its cut and its end."""

    element: Element
    start: int
    end: int
    cut: int


def read_mixing(element: Element, rate: Fraction) -> Mixing | None:
    """Where a transition lies; None where it does not say."""
    start, end = count_of(element, "start"), count_of(element, "end")
    if start is None or end is None or end <= start:
        return None
    ticks = ticks_of(element, "cutPointTicks")
    alignment = text_of(element, "alignment").strip().lower()
    if ticks is not None and 0 <= ticks <= (end - start) * TICKS / rate:
        cut = start + frame_at(Fraction(ticks, TICKS), rate)
    elif alignment.startswith("start"):
        cut = start
    elif alignment.startswith("end"):
        cut = end
    else:
        cut = start + (end - start) // 2
    return Mixing(element, start, end, min(end, cut))


def read_transition(mixing: Mixing, rate: Fraction, report: LossReport) -> otio.schema.Transition:
    """The OTIO transition over the cut."""
    effect = mixing.element.find("effect")
    said = note_data(mixing.element.get("mapedit"))
    identifier, name = text_of(effect, "effectid"), said_text(effect, "name", said.get("name"))
    dissolve = identifier == DISSOLVE or identifier.startswith(SOUND_DISSOLVE)
    data = taken_back(said)
    if "pattern" in said:
        data["pattern"] = said["pattern"]
    wipecode = count_of(effect, "wipecode")
    if text_of(effect, "effectcategory") == "Wipe":
        data.setdefault("pattern", wipecode or 1)
    if effect is None:
        report.changed("transition", "one without an effect is read as a dissolve")
    transition = otio.schema.Transition(
        name=name if effect is not None else DISSOLVE,
        transition_type=_TYPES.SMPTE_Dissolve if dissolve or effect is None else _TYPES.Custom,
        in_offset=rational_time(mixing.cut - mixing.start, rate),
        out_offset=rational_time(mixing.end - mixing.cut, rate),
    )
    if data:
        transition.metadata[NAMESPACE] = data
    return transition
