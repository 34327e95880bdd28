"""What both ways of MLT XML share: the format of ``melt``, Shotcut and Kdenlive's engine.

Clocks. Everything counts frames of the one rate in ``profile``, media too, from the media's first
frame: MLT knows no timecode. ``in`` and ``out`` are the first and the last frame. Media of another
rate shows, at position p, the picture nearest to second p / rate. A ``timewarp`` counts after its
speed: position p at 200 % shows frame 2p, and in reverse positions count from the media's end.

What MLT has no field for rides along as JSON in properties called :data:`PROPERTY`, which Shotcut
and ``melt`` keep. It never overrules what a person changed in the edit itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ..timing import frame_at, nominal_rate

PROPERTY = "mapedit"
NAMESPACE = "mapedit"
#: MLT XML version that the document claims; 7 is what Shotcut and Kdenlive use since 2021.
VERSION = "7.0.0"
DISSOLVE = "Cross Dissolve"
DIP = "Dip to Black"
WIPE = "Wipe"
MAIN = "main"
MARKERS = "shotcut:markers"
MIXED = "shotcut:transition"
CAPTIONS = ("shotcut:caption", "kdenlive:clipname")
BACKGROUND = "background"
MAX_NESTING = 20
#: Longest thing that is read, in frames: a month at 60 frames per second.
MAX_FRAMES = 200_000_000
#: What stands in for media that does not exist, and for generators that MLT does not have.
MISSING_COLOUR, STANDIN_COLOUR = "#7f0000", "#7f7f7f"
#: Suffixes of single pictures, which last as long as one wants.
STILLS = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".tga"),
        *(".dpx", ".exr", ".webp", ".psd", ".gif", ".heic", ".svg"),
    )
)
#: Wipes that MLT draws in the direction of their SMPTE number; others become the first.
WIPES = {1: "%luma01.pgm", 2: "%luma02.pgm"}

_CLOCK = re.compile(r"^(?:(\d{1,4}):)?(?:(\d{1,2}):)?(\d{1,9})[.,](\d{1,9})$")
_LABEL = re.compile(r"^(\d{1,4}):(\d{2}):(\d{2})[:;](\d{2,3})$")
_COUNT = re.compile(r"^-?\d{1,12}$")


def add(parent: Element, tag: str, **attributes: object) -> Element:
    """A child element; ``in_`` stands for the attribute ``in``."""
    named = {key.rstrip("_"): str(value) for key, value in attributes.items()}
    return SubElement(parent, tag, named)


def put(parent: Element, name: str, value: object) -> Element:
    """A property."""
    element = SubElement(parent, "property", {"name": name})
    element.text = str(value)
    return element


def put_note(parent: Element, data: Mapping[str, Any]) -> None:
    """Data that rides along, as ASCII so that no program mangles it."""
    if data:
        put(parent, PROPERTY, json.dumps(data, sort_keys=True))


def properties_of(element: Element) -> dict[str, str]:
    """The properties of an element by name."""
    found = element.findall("property")
    return {one.get("name", ""): one.text or "" for one in found}


def note_of(properties: Mapping[str, str]) -> dict[str, Any]:
    """What :func:`put_note` wrote; empty for anything else."""
    try:
        data = json.loads(properties.get(PROPERTY, ""))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def frames_of(text: str | None, rate: Fraction, default: int) -> int:
    """A time as a count of frames: ``75``, ``00:00:03.000`` and ``00:00:03:00``."""
    text = (text or "").strip()
    if _COUNT.match(text):
        found = int(text)
    elif clock := _CLOCK.match(text):
        hours, minutes = (int(part or 0) for part in clock.groups()[:2])
        if clock[1] is not None and clock[2] is None:  # MM:SS.mmm
            hours, minutes = 0, hours
        whole = Fraction(f"{clock[3]}.{clock[4]}") + hours * 3600 + minutes * 60
        found = frame_at(whole, rate)
    elif label := _LABEL.match(text):
        hours, minutes, seconds, frames = (int(part) for part in label.groups())
        found = ((hours * 60 + minutes) * 60 + seconds) * nominal_rate(rate) + frames
    else:
        return default
    return found if abs(found) <= MAX_FRAMES else default


def colour_hex(name: str) -> str:
    """One of OTIO's marker colours as Shotcut writes it; its own green where there is none."""
    return _COLOURS.get(name.upper(), "#008000")


def colour_name(text: str) -> str:
    """OTIO's marker colour nearest to a hexadecimal one; empty for none."""
    if not re.match(r"^#[0-9A-Fa-f]{6,8}$", text):
        return ""
    wanted = _channels(text[-6:])

    def distance(name: str) -> int:
        pairs = zip(_channels(_COLOURS[name][1:]), wanted, strict=True)
        return sum((one - other) ** 2 for one, other in pairs)

    return min(_COLOURS, key=distance)


def _channels(text: str) -> tuple[int, int, int]:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


_COLOURS = {
    "RED": "#ff0000",
    "GREEN": "#008000",
    "BLUE": "#0000ff",
    "YELLOW": "#ffff00",
    "CYAN": "#00ffff",
    "MAGENTA": "#ff00ff",
    "ORANGE": "#ff7f00",
    "PINK": "#ff7fbf",
    "PURPLE": "#7f00ff",
    "BLACK": "#000000",
    "WHITE": "#ffffff",
}
