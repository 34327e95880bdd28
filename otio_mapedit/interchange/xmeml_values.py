"""Values of xmeml elements, read without trust: a missing or odd one is None."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..errors import OptionError
from ..timing import can_drop_frames, exact_rate, fraction_of, frame_of_timecode, rational_time
from .xmeml_words import note_data
from .xml_safe import clean

#: Frame counts beyond this are no counts.
_MAX = 10**12
_TICKS = re.compile(r"^-?[0-9]{1,19}$")


def text_of(element: Element | None, path: str) -> str:
    """Text of a descendant as it stands, empty where it is missing."""
    found = element.find(path) if element is not None else None
    return (found.text or "") if found is not None else ""


def number_of(element: Element | None, path: str) -> float | None:
    """A finite number, None for anything else."""
    try:
        value = float(text_of(element, path))
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < _MAX else None


def count_of(element: Element | None, path: str) -> int | None:
    """A whole number; ``1055.0`` is one."""
    value = number_of(element, path)
    return None if value is None else round(value)


def ticks_of(element: Element | None, path: str) -> int | None:
    """A whole number of Premiere's ticks, which pass every bound of frame counts in seconds."""
    text = text_of(element, path).strip()
    return int(text) if _TICKS.match(text) else None


def is_true(element: Element, path: str, default: bool) -> bool:
    """A truth value in any case."""
    value = text_of(element, path).strip().upper()
    return default if value not in ("TRUE", "FALSE") else value == "TRUE"


def rate_of(element: Element | None, default: Fraction) -> Fraction:
    """``rate`` of an element: its time base, slowed by 1000/1001 where it is NTSC."""
    timebase = count_of(element, "rate/timebase")
    if element is None or timebase is None or not 0 < timebase <= 1000:
        return default
    rate = Fraction(timebase)
    return rate * 1000 / 1001 if is_true(element, "rate/ntsc", False) else rate


def start_of(element: Element | None, rate: Fraction) -> tuple[Fraction, bool]:
    """Seconds and drop-frame flag of an element's ``timecode``; 0 where it has none."""
    timecode = element.find("timecode") if element is not None else None
    clock = rate_of(timecode, rate)
    label = text_of(timecode, "string").strip()
    mode = text_of(timecode, "displayformat").strip().upper()
    drop = (mode == "DF" or (not mode and ";" in label)) and can_drop_frames(clock)
    frame = count_of(timecode, "frame")
    if frame is None:
        try:
            frame = frame_of_timecode(label, clock, drop)
        except OptionError:
            frame = 0
    return Fraction(frame) / clock, drop


def said_text(element: Element | None, path: str, said: Any) -> str:
    """Text of a descendant; what rides along where XML could not hold all of its characters."""
    text = text_of(element, path)
    return said if isinstance(said, str) and clean(said) == text else text


def notes_of(element: Element) -> dict[str, Any]:
    """Everything of ours that rides along on an element."""
    found: dict[str, Any] = {}
    for path in ("logginginfo/lognote", "comments/clipcommentb"):
        found.update(note_data(text_of(element, path)))
    return found


def definitions(root: Element, tag: str) -> dict[str, Element]:
    """The elements with an id that define something, as opposed to refer to it."""
    found: dict[str, Element] = {}
    for element in root.iter(tag):
        if len(element) and element.get("id"):
            found.setdefault(element.get("id", ""), element)
    return found


def top_sequences(element: Element) -> Iterator[Element]:
    """Sequences of the project and its bins, not those inside clips."""
    stack = [element]
    while stack:
        one = stack.pop()
        if one.tag == "sequence":
            if len(one):
                yield one
        elif one.tag not in ("clipitem", "clip", "file"):
            stack.extend(reversed(list(one)))


def seconds_time(seconds: Fraction, rate: Fraction) -> otio.opentime.RationalTime:
    """A moment on the clock of ``rate``, between two frames where it lies there."""
    value = seconds * rate
    if value.denominator == 1:
        return rational_time(int(value), rate)
    return otio.opentime.RationalTime(float(value), float(rate))


def said_range(values: Any) -> otio.opentime.TimeRange | None:
    """A range that rides along as ``[[value, rate], [value, rate]]``."""
    try:
        start, duration = (otio.opentime.RationalTime(*map(float, pair)) for pair in values)
        exact_rate(start.rate)
        exact_rate(duration.rate)
    except (TypeError, ValueError):
        return None
    return otio.opentime.TimeRange(start, duration)


def said_seconds(value: Any) -> Fraction | None:
    """Seconds that ride along as a fraction."""
    return fraction_of(value)


def said_rate(value: Any) -> Fraction | None:
    """A rate that rides along as a float."""
    try:
        return exact_rate(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
