"""Text of OTIO that the installed OTIO library or JSON itself would refuse, put right.

Two things are met in files of the field. ``Inf`` for an infinite number, which OTIO's own reader
takes and JSON does not have. And objects of a newer schema than the installed library knows: a
``Marker.3`` holds its colour as an object with a name and channels, where ``Marker.2`` has the
name alone. Where the name says less than the channels did, these stay in the marker's metadata
under ``"otio"``.
"""

from __future__ import annotations

import json
import re
from typing import Any

import opentimelineio as otio

from .marker_colours import COLOURS, nearest_colour

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|(-?)\bInf\b', re.DOTALL)


def parse_json(text: str) -> Any:
    """The value of a JSON text in which ``Inf`` may stand for a number without end.

    Raises:
        ValueError: not JSON. RecursionError: nested too deeply.
    """
    try:
        return json.loads(text)
    except ValueError:
        if "Inf" not in text:
            raise
        return json.loads(_TOKEN.sub(_infinite, text))


def for_this_library(value: Any) -> bool:
    """Change what is newer than the installed OTIO; returns whether anything was."""
    known = otio.core.type_version_map().get("Marker", 2)
    if known >= 3:
        return False
    changed = False
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("OTIO_SCHEMA") == "Marker.3":
                _older_marker(one)
                changed = True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return changed


def _infinite(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else f"{found[1]}Infinity"


def _older_marker(marker: dict[str, Any]) -> None:
    """``Marker.3`` as ``Marker.2``."""
    marker["OTIO_SCHEMA"] = "Marker.2"
    colour = marker.get("color")
    if not isinstance(colour, dict):
        return
    name = str(colour.get("name", "")).upper()
    channels = [colour.get(key) for key in "rgb"]
    levels = [float(x) for x in channels if isinstance(x, int | float) and 0 <= x <= 1]
    if name not in COLOURS:
        name = "RED"
        if len(levels) == 3:
            name = nearest_colour(*(round(level * 255) for level in levels))
    marker["color"] = name
    if len(levels) == 3 and tuple(round(level * 255) for level in levels) != COLOURS[name]:
        metadata = marker.setdefault("metadata", {})
        if isinstance(metadata, dict):
            metadata["otio"] = {"color": {k: v for k, v in colour.items() if k != "OTIO_SCHEMA"}}


__all__ = ["for_this_library", "parse_json"]
