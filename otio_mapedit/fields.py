"""Checked reading of JSON objects: every member by name, type and bounds.

Used for decision lists, where each error names the field (``operations[3].range.start``) and what
to write instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, cast

from .config import nearest
from .errors import DecisionListError
from .operations import EMPTY, Kind, Value
from .timing import FrameRange, can_drop_frames

#: Largest whole number in a document: every JSON reader holds it exactly.
LARGEST = 2**53 - 1
#: Longest text and deepest nesting of free-form values (options, parameters, metadata).
_LONGEST = 100_000
_DEEPEST = 20
_RATE = re.compile(r"^[0-9]{1,9}(/[0-9]{1,9})?$")
#: Members for people; they are written and never read.
_COMMENTS = ("at", "comment")


class Fields:
    """The members of one JSON object, taken one by one; what is left over is an error."""

    def __init__(self, value: Any, path: str) -> None:
        self._path = path
        if not isinstance(value, dict):
            raise self.wrong("", f"this is {kind_name(value)}", "Write an object: {...}.")
        self._left: dict[str, Any] = {k: v for k, v in value.items() if k not in _COMMENTS}
        self._known: list[str] = []

    def at(self, key: str) -> str:
        """The path of member ``key``."""
        return join(self._path, key)

    def wrong(self, key: str, message: str, remedy: str) -> DecisionListError:
        """The error for member ``key``."""
        return DecisionListError(message, remedy, field=join(self._path, key))

    def take(self, key: str, default: Any, required: bool = False) -> Any:
        """The member, or ``default``."""
        self._known.append(key)
        if key in self._left:
            return self._left.pop(key)
        if required:
            raise self.wrong("", f"{key} is missing", f'Add "{key}".')
        return default

    def finish(self) -> None:
        """Raises: DecisionListError: a member that nobody asked for."""
        for key in self._left:
            raise self.wrong(key, f"there is no {show(key)} here", nearest(key, self._known))

    def text(self, key: str, default: str | None = None, required: bool = False) -> str:
        """A text; with ``required`` not an empty one."""
        value = self.take(key, default, required)
        if not isinstance(value, str):
            raise self.wrong(key, f"this is {kind_name(value)}", 'Write a text: "...".')
        if required and not value:
            raise self.wrong(key, "this is empty", "Write a text.")
        if fault := text_fault(value):
            raise self.wrong(key, fault, "Shorten or retype it.")
        return value

    def integer(self, key: str, low: int, default: int | None = None) -> int:
        """A whole number from ``low`` up to :data:`LARGEST`."""
        value = self.take(key, default, required=default is None)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(
                key, f"{show(value)} is not a whole number", "Write one without quotes or point."
            )
        if not low <= value <= LARGEST:
            raise self.wrong(key, f"{show(value)} is out of bounds", f"Write {low} or more.")
        return value

    def number(self, key: str, low: float, high: float, default: float) -> float:
        """A finite number between two bounds, included."""
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"{show(value)} is not a number", "Write it without quotes.")
        if not low <= value <= high:
            raise self.wrong(key, f"{show(value)} is out of bounds", f"Write {low:g} to {high:g}.")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """``true`` or ``false``."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"{show(value)} is neither true nor false", "Write true.")
        return value

    def drop_frame(self, rate: Fraction) -> bool:
        """The drop-frame flag of a clock at ``rate``."""
        value = self.flag("drop_frame", False)
        if value and not can_drop_frames(rate):
            raise self.wrong(
                "drop_frame", f"there is no drop-frame timecode at {rate}", "Write false."
            )
        return value

    def rate(self, key: str) -> Fraction:
        """Frames per second, exact."""
        value = self.take(key, None, required=True)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and _RATE.match(value):
            parts = [int(part) for part in value.split("/")]
            rate = Fraction(*parts) if parts[-1] else Fraction(0)
            if 0 < rate <= 1000:
                return rate
        raise self.wrong(
            key, f"{show(value)} is not a frame rate", 'Write it like "25" or "30000/1001".'
        )

    def range(self, key: str) -> FrameRange:
        """A range of frames."""
        inner = Fields(self.take(key, None, required=True), join(self._path, key))
        span = FrameRange(inner.integer("start", 0), inner.integer("duration", 0))
        inner.finish()
        return span

    def kind(self) -> Kind:
        """The kind of an operation."""
        value = self.take("kind", None, required=True)
        kinds = [kind.value for kind in Kind]
        if value not in kinds:
            raise self.wrong(
                "kind",
                f"{show(value)} is not an operation",
                nearest(value, kinds) if isinstance(value, str) else f"Known: {', '.join(kinds)}.",
            )
        return Kind(value)

    def mapping(self, key: str) -> Mapping[str, Value]:
        """Free-form JSON values by name."""
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"this is {kind_name(value)}", "Write an object: {...}.")
        if fault := value_fault(value):
            raise self.wrong(key, fault, "Correct that value.")
        return cast("Mapping[str, Value]", value or EMPTY)

    def items(self, key: str, default: Iterable[Any] | None = None) -> list[tuple[Any, str]]:
        """The members of a list, each with its path."""
        value = self.take(key, default, required=default is None)
        if not isinstance(value, list | tuple):
            raise self.wrong(key, f"this is {kind_name(value)}", "Write a list: [...].")
        path = join(self._path, key)
        return [(item, f"{path}[{number}]") for number, item in enumerate(value)]


def join(path: str, key: str) -> str:
    """The path of member ``key`` of the object at ``path``."""
    return f"{path}.{key}" if path and key else path or key


def text_fault(value: str) -> str:
    """Why a text cannot be written to every format, or an empty text."""
    if len(value) > _LONGEST:
        return f"this text is longer than {_LONGEST} characters"
    if "\0" in value:
        return "this text holds a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "this text is not valid Unicode"
    return ""


def value_fault(value: Any, depth: int = 0) -> str:
    """Why a free-form value cannot be written to every format, or an empty text."""
    if depth > _DEEPEST:
        return f"this is nested deeper than {_DEEPEST} levels"
    if isinstance(value, str):
        return text_fault(value)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if abs(value) <= LARGEST else "this number is too large to be exact"
    if isinstance(value, float) and not math.isfinite(value):
        return "this is not a finite number"
    if isinstance(value, float):
        return "" if abs(value) <= LARGEST else "this number is too large to be exact"
    if isinstance(value, list):
        return next(filter(None, (value_fault(item, depth + 1) for item in value)), "")
    if not isinstance(value, Mapping):
        return f"this is {kind_name(value)}, which JSON does not have"
    for key, item in value.items():
        if not isinstance(key, str) or key == "OTIO_SCHEMA":
            return f"{show(key)} cannot be a name here"
        if fault := text_fault(key) or value_fault(item, depth + 1):
            return fault
    return ""


def show(value: Any) -> str:
    """A value in a message, shortened."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**60 else "this number"
    return text if len(text) <= 60 else text[:57] + "..."


def kind_name(value: Any) -> str:
    """The type of a JSON value in a message."""
    if value is None:
        return "null"
    names = {bool: "true or false", dict: "an object", list: "a list", str: "a text"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "no JSON")
