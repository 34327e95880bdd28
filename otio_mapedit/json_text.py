"""JSON text with line numbers, read within bounds.

The standard parser is fast and says where *malformed* JSON goes wrong, but it forgets where
values stood. :func:`line_of` finds that again, by walking over the text, only when there is an
error to report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from .errors import DecisionListError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
#: Paths longer than this are not worth following.
_DEEPEST = 100

Step = str | int


def parse(text: str) -> Any:
    """The values in ``text``.

    Raises:
        DecisionListError: not JSON (with its line), a number that is not finite, a member that
            occurs twice, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise DecisionListError(
            f"this is not JSON: {error.msg} at column {error.colno}",
            "Correct that line, or write the file anew.",
            line=error.lineno,
        ) from None
    except RecursionError:
        raise DecisionListError(
            "this is nested too deeply", "A decision list has four levels."
        ) from None
    except _Repeated as error:
        path, line = _repeated(text, error.name)
        raise DecisionListError(
            f"{error.name!r} is here twice", "Remove one of them.", line=line, field=path
        ) from None
    except ValueError as error:  # numbers with thousands of digits; NaN and Infinity
        raise DecisionListError(str(error), "Write a number of usual size.") from None


def line_of(text: str, path: str) -> int | None:
    """The line (from 1) of the value at ``path``, such as ``operations[3].range.start``.

    The nearest value around it, where ``text`` has none there.
    """
    wanted: list[Step] = [name or int(number) for name, number in _STEP.findall(path)[:_DEEPEST]]
    best, line = -1, None
    for found, offset in _walk(text):
        depth = len(found)
        if depth > best and wanted[:depth] == found:
            best, line = depth, text.count("\n", 0, offset) + 1
            if depth == len(wanted):
                break
    return line


class _Repeated(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that can be used")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(next(name for name in names if names.count(name) > 1))
    return members


def _repeated(text: str, name: str) -> tuple[str, int | None]:
    """Path and line of the second member called ``name`` in one object."""
    seen: set[tuple[Step, ...]] = set()
    for path, offset in _walk(text):
        if path and path[-1] == name:
            if tuple(path) in seen:
                return _path_text(path), text.count("\n", 0, offset) + 1
            seen.add(tuple(path))
    return name, None


def _path_text(path: list[Step]) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).lstrip(".")


def _walk(text: str) -> Iterator[tuple[list[Step], int]]:
    """Every value of valid JSON in order: its path (valid until the next one) and offset."""
    path: list[Step] = []
    in_object: list[bool] = []
    after_comma = True
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            yield path, token.start()
            in_object.append(mark == "{")
            path.append("" if mark == "{" else 0)
            after_comma = True
        elif mark in "}]":
            path.pop()
            in_object.pop()
        elif mark == ",":
            after_comma = True
            if not in_object[-1]:
                path[-1] = int(path[-1]) + 1
        elif in_object and in_object[-1] and after_comma and mark != ":":
            path[-1] = json.loads(mark)
            after_comma = False
        elif mark != ":":
            yield path, token.start()
