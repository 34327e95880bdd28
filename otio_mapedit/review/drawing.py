"""Shapes of Scalable Vector Graphics, as text. Whatever comes from outside is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Width of every drawing, in its own units.
WIDTH = 1200


def safe(text: object) -> str:
    """Text for HTML and SVG: escaped, without control characters or lone surrogates."""
    clean = "".join(c if c.isprintable() else " " for c in str(text))
    return html.escape(clean.encode("utf-8", "replace").decode("utf-8"), quote=True)


def tag(name: str, content: str = "", **attributes: object) -> str:
    """An element; ``class_`` is ``class``, and underscores are dashes."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def drawing(height: float, *content: str, label: str = "") -> str:
    """A whole drawing, as wide as the page."""
    inner = "".join(content)
    box = f"0 0 {WIDTH} {_short(height)}"
    return (
        f'<svg viewBox="{box}" role="img" aria-label="{safe(label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{inner}</svg>'
    )


def text(x: float, y: float, words: object, class_: str = "", anchor: str = "start") -> str:
    """Words whose base line begins (or, by ``anchor``, ends) at a point."""
    return tag("text", safe(words), x=x, y=y, class_=class_ or None, text_anchor=anchor)


def path(points: Iterable[tuple[float, float]], class_: str, closed: bool = False) -> str:
    """A line through points."""
    steps = " ".join(
        f"{'L' if number else 'M'}{_short(x)} {_short(y)}" for number, (x, y) in enumerate(points)
    )
    return tag("path", d=steps + ("Z" if closed else ""), class_=class_)


def area(values: NDArray[Any], y: float, height: float, class_: str) -> str:
    """Values from 0 to 1, evenly spread over the width, as an area that stands on a base line."""
    xs = np.linspace(0, WIDTH, len(values))
    top = [(float(x), y + height * (1 - float(v))) for x, v in zip(xs, values, strict=True)]
    return path([(0, y + height), *top, (WIDTH, y + height)], class_, closed=True)


def mirrored(values: NDArray[Any], y: float, height: float, class_: str) -> str:
    """Values from 0 to 1 as a wave form: as far above as below its middle."""
    xs, middle = np.linspace(0, WIDTH, len(values)), y + height / 2
    half = np.maximum(values, 0.01) * height / 2
    above = [(float(x), float(middle - v)) for x, v in zip(xs, half, strict=True)]
    below = [(float(x), float(middle + v)) for x, v in zip(xs, half, strict=True)]
    return path([*above, *reversed(below)], class_, closed=True)


def ticks(longest: float, most: int = 10) -> Sequence[float]:
    """Round numbers from 0 up to ``longest``, at most ``most`` steps: of seconds, or anything."""
    steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800]
    steps += [3600, 7200, 14400, 36000, 100_000, 1_000_000, 10_000_000]
    step = next((step for step in steps if longest / step <= most), longest or 1)
    return [number * step for number in range(int(longest / step) + 1)]


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
