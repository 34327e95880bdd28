"""What a style changed, said in the reason of every operation that it changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..operations import Kind, Operation
from ..style import load, style_title
from ..timing import parse_length


def signed(operations: Iterable[Operation], recipe: str, options: Any) -> Iterator[Operation]:
    """``operations`` of a recipe with what its style changed in their reasons.

    Raises:
        OptionError, FormatError: there is no such style.
    """
    if not options.style:
        yield from operations
        return
    learned = load(options.style).options_of(recipe)
    used = {name: text for name, text in learned.items() if str(getattr(options, name)) == text}
    title = style_title(options.style)
    for operation in operations:
        said = [words for name, text in used.items() if (words := _words(operation, name, text))]
        if said:
            reason = f"{operation.reason}; style {title}: {', '.join(said)}"
            operation = replace(operation, reason=reason.removeprefix("; "))
        yield operation


def _words(operation: Operation, name: str, text: str) -> str:
    """What an option of a style did to an operation; empty where it has nothing to do with it."""
    match name, operation.kind:
        case "min_shot", Kind.KEEP:
            return f"shots from {text}"
        case "order", Kind.KEEP:
            return "in order of the footage" if text == "time" else "the best first"
        case "dissolve", Kind.DISSOLVE:
            return f"dissolves of {text}"
        case "dissolve", Kind.CUT:
            return "straight cuts" if not parse_length(text).seconds else ""
        case "transitions", Kind.CUT:
            return "cuts instead of transitions" if text == "cut" else ""
    return ""
