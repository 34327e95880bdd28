"""``.otio`` files: read with care, written in a program's dialect, checked before they count."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..errors import FormatError
from ..mapedit_file import read_text
from .otio_dialects import expected, from_host, make_plain, to_host
from .otio_text import for_this_library, parse_json

#: Largest file that is read. A feature film's reel is a few megabytes.
LARGEST_FILE = 256 * 1024 * 1024

_REMEDY = "Export it again from the program that made it."


def read(path: Path) -> otio.schema.Timeline:
    """The timeline in an ``.otio`` file, in plain OTIO.

    Raises:
        FormatError: not readable, too large, not OTIO, or not a timeline.
    """
    return timeline_from(read_text(path, LARGEST_FILE), str(path))


def write(timeline: otio.schema.Timeline, path: Path, host: str) -> None:
    """Write ``timeline`` to ``path`` in the dialect of ``host`` and read it again.

    Raises:
        FormatError: what was written does not say the same.
    """
    path.write_text(text_of(timeline, host), encoding="utf-8", newline="\n")
    verify(expected(timeline, host), read(path), str(path))


def text_of(timeline: otio.schema.Timeline, host: str) -> str:
    """The text of an ``.otio`` file in the dialect of ``host``."""
    dialect = timeline if host == "plain" else to_host(timeline, host)
    return str(otio.adapters.write_to_string(dialect, "otio_json")) + "\n"


def timeline_from(text: str, name: str) -> otio.schema.Timeline:
    """The timeline in the text of an ``.otio`` file called ``name``, in plain OTIO.

    Raises:
        FormatError: not OTIO, or not a timeline.
    """
    value = _checked(text, name)
    try:
        if for_this_library(value):
            text = json.dumps(value)
        found = otio.adapters.read_from_string(text, "otio_json")
    except Exception as error:  # the reader is not ours: whatever it says, the file is at fault
        raise FormatError(f"{name} is not usable OTIO: {error}", _REMEDY) from error
    if isinstance(found, otio.schema.SerializableCollection):
        timelines = [item for item in found if isinstance(item, otio.schema.Timeline)]
        found = timelines[0] if len(timelines) == 1 else found
    if not isinstance(found, otio.schema.Timeline):
        kind = type(found).__name__
        raise FormatError(f"{name} holds a {kind}, not a timeline", "Export a timeline.")
    if not isinstance(found.tracks, otio.schema.Stack):
        raise FormatError(f"{name} holds a timeline without tracks", _REMEDY)
    make_plain(found)
    return found


def verify(intended: otio.schema.Timeline, found: otio.schema.Timeline, name: str) -> None:
    """Compare what was to be written with what is read back.

    Raises:
        FormatError: they differ.
    """
    # Equal texts are the rule, and compared faster than OTIO compares objects.
    plain, again = from_host(intended).to_json_string(), found.to_json_string()
    if plain != again and not _alike(json.loads(plain), json.loads(again)):
        raise FormatError(
            f"{Path(name).suffix} cannot carry this timeline without change",
            "Write .otio with --for plain, and report the timeline.",
        )


def _alike(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal but for the last bits of a number.

    OTIO's own reader does not always give back the number that its writer was given.
    """
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-13) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)


def _checked(text: str, name: str) -> Any:
    """The JSON of a file. What would crash OTIO's own reader, which follows any depth of
    nesting, is refused here."""
    try:
        value: Any = parse_json(text)
    except RecursionError:
        raise FormatError(f"{name} is nested too deeply", _REMEDY) from None
    except ValueError as error:
        raise FormatError(f"{name} is not OTIO: {error}", _REMEDY) from None
    if not isinstance(value, dict) or not isinstance(value.get("OTIO_SCHEMA"), str):
        raise FormatError(f"{name} is JSON, but not OTIO", _REMEDY)
    return value
