"""OTIO's own dictionaries and lists, read without its exceptions.

Where an iteration over one ends, and where a key is missing, OTIO throws an exception in C++.
Each takes longer than everything else that is done with a clip, so nothing here follows an
iteration to its end or asks for a key that may not be there. All functions also take Python's own
dictionaries and lists.
"""

from __future__ import annotations

from itertools import islice
from typing import Any


def elements(values: Any) -> list[Any]:
    """The effects, markers or values of a list of OTIO's."""
    return list(islice(values, len(values)))


def entries(values: Any) -> dict[str, Any]:
    """A dictionary of OTIO's as Python's own, what it holds untouched."""
    return {key: values[key] for key in islice(values, len(values))}


def entry(values: Any, key: str) -> Any:
    """What a dictionary of OTIO's holds under ``key``, None where it is missing."""
    return values[key] if key in islice(values, len(values)) else None
