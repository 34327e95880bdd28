"""Training curves, ablations, studies and other tables as plots.

Read are: what ``mapedit model train`` says (lines such as ``step 500: loss 0.51, F1 0.83``), what
``mapedit model ablate`` and ``mapedit model tune`` write (JSON), and tables (CSV) whose first
column is a number (curves) or a name (bars).
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ..errors import FormatError
from .drawing import WIDTH, drawing, path, safe, tag, text, ticks

#: Largest file that is read.
LARGEST = 16 * 2**20
_STEP = re.compile(r"\bstep (\d+): (.*)")
_VALUE = re.compile(r"([A-Za-z][\w ]*?) (-?\d+(?:\.\d+)?(?:e-?\d+)?)(?:,|$)")
#: Most curves and bars of one plot.
MOST_CURVES, MOST_BARS = 8, 60


@dataclass(frozen=True)
class Curves:
    """Values over a number: name -> (x, y) pairs."""

    title: str
    over: str
    curves: Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Bars:
    """A value, and how it spread, for each name."""

    title: str
    of: str
    bars: Sequence[tuple[str, float, float]]


def read_plots(file: Path) -> list[Curves | Bars]:
    """The plots in a file.

    Raises:
        FormatError: not readable, or nothing in it can be plotted.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        words = content[:LARGEST].decode("utf-8-sig")
    except OSError as error:
        raise FormatError(
            f"cannot read {file}: {error.strerror or error}", "Check the name and permissions."
        ) from error
    except UnicodeDecodeError as error:
        what = f"{file} is not text (byte {error.start})"
        raise FormatError(what, "Name another file.") from None
    found: list[Curves | Bars]
    if words.lstrip()[:1] == "{":
        found = _json(file, words)
    elif _STEP.search(words):
        found = _log(file.name, words)
    else:
        found = _table(file.name, words)
    if not found:
        raise FormatError(
            f"{file} holds nothing to plot",
            "Give what model train says, what model ablate or tune wrote, or a CSV table.",
        )
    return found


def plot(made: Curves | Bars) -> str:
    """A plot as a drawing."""
    return _curves(made) if isinstance(made, Curves) else _bars(made)


def _log(name: str, words: str) -> list[Curves | Bars]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for found in _STEP.finditer(words):
        for what, value in _VALUE.findall(found[2].strip()):
            curves.setdefault(what.strip(), []).append((float(found[1]), float(value)))
    # One plot each: a loss and a score have nothing in common.
    return [Curves(f"{name}: {what}", "step", {what: points}) for what, points in curves.items()]


def _json(file: Path, words: str) -> list[Curves | Bars]:
    try:
        content = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file}: {error}", "Name another file.") from None
    trials = content.get("trials")
    if isinstance(trials, list):
        return _study(file.name, trials)
    listed = content.get("rows")
    if isinstance(listed, list):
        content = {
            str(row["name"]): row for row in listed if isinstance(row, dict) and "name" in row
        }
    return of_rows(file.name, content)


def of_rows(title: str, content: Mapping[str, Any]) -> list[Curves | Bars]:
    """Rows of numbers by name as bars, a plot for each of their parts. Runs of one name, which are
    called ``name/1``, ``name/2`` and so on, come as their mean and how far they spread."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for name, row in content.items():
        if isinstance(row, dict):
            rows.setdefault(str(name).split("/")[0], []).append(row)
    summed = {name: each[0] for name, each in rows.items() if isinstance(each[0].get("mean"), dict)}
    if summed:
        return _summed(title, summed)
    made: list[Curves | Bars] = []
    for part in dict.fromkeys(part for each in rows.values() for row in each for part in row):
        bars = []
        for name, each in rows.items():
            values = [value for row in each if (value := _number(row.get(part))) is not None]
            if values:
                bars.append((name, mean(values), stdev(values) if len(values) > 1 else 0.0))
        if bars:
            made.append(Bars(f"{title}: {part}", str(part), bars))
    return made


def _summed(title: str, rows: Mapping[str, Mapping[str, Any]]) -> list[Curves | Bars]:
    """Rows of ``{"mean": {part: number}, "spread": {part: number}}``: a plot for each part."""
    made: list[Curves | Bars] = []
    for part in dict.fromkeys(part for row in rows.values() for part in row["mean"]):
        bars = []
        for name, row in rows.items():
            spread = row.get("spread")
            known = spread if isinstance(spread, dict) else {}
            if (value := _number(row["mean"].get(part))) is not None:
                bars.append((name, value, _number(known.get(part)) or 0.0))
        if bars:
            made.append(Bars(f"{title}: {part}", str(part), bars))
    return made


def _study(name: str, trials: Sequence[Any]) -> list[Curves | Bars]:
    tried: list[tuple[float, float]] = []
    for number, trial in enumerate(trials):
        value = _number(trial.get("value")) if isinstance(trial, dict) else None
        if value is not None:
            tried.append((float(number), value))
    best, reached = -math.inf, []
    for at, value in tried:
        best = max(best, value)
        reached.append((at, best))
    if not tried:
        return []
    return [Curves(f"{name}: trials", "trial", {"value": tried, "best so far": reached})]


def _table(name: str, words: str) -> list[Curves | Bars]:
    rows = [row for row in csv.reader(io.StringIO(words)) if len(row) > 1]
    if len(rows) < 2:
        return []
    head, body = rows[0], rows[1:]
    if all(_number(row[0]) is not None for row in body):
        curves = {}
        for column, what in enumerate(head[1:], start=1):
            points = [
                (_number(row[0]) or 0.0, value)
                for row in body
                if column < len(row) and (value := _number(row[column])) is not None
            ]
            if points:
                curves[what] = points
        if head[0] == "step":  # what training wrote; see _log
            last = {what: sorted(dict(points).items()) for what, points in curves.items()}
            return [Curves(f"{name}: {what}", "step", {what: each}) for what, each in last.items()]
        return [Curves(name, head[0], curves)] if curves else []
    made: list[Curves | Bars] = []
    for column, what in enumerate(head[1:], start=1):
        bars = [
            (row[0], value, 0.0)
            for row in body
            if column < len(row) and (value := _number(row[column])) is not None
        ]
        if bars:
            made.append(Bars(f"{name}: {what}", what, bars))
    return made


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _curves(made: Curves) -> str:
    left, right, top, height = 64.0, WIDTH - 24.0, 12.0, 220.0
    named = list(made.curves.items())[:MOST_CURVES]
    points = [point for _, curve in named for point in curve]
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - low_x) / ((high_x - low_x) or 1)
        return left + across * (right - left), top + height * (1 - (y - low) / (high - low))

    parts = []
    for value in _rounded(low, high):
        y = at(low_x, value)[1]
        parts += [
            tag("path", d=f"M{left} {y:.1f}H{right}", class_="grid"),
            text(left - 8, y + 4, f"{value:g}", "axis", "end"),
        ]
    for value in ticks(high_x):
        if value >= low_x:
            parts.append(text(at(value, low)[0], top + height + 18, f"{value:g}", "axis", "middle"))
    parts.append(text(right, top + height + 36, made.over, "axis", "end"))
    for number, (name, curve) in enumerate(named):
        parts.append(path([at(*point) for point in curve], f"line l{number}"))
        x, y = at(*curve[-1])
        parts.append(tag("circle", cx=x, cy=y, r=3, class_=f"dot l{number}"))
        parts.append(text(x - 6, y - 8, f"{name} {curve[-1][1]:g}", f"lane l{number}", "end"))
    return drawing(top + height + 44, *parts, label=made.title)


def _bars(made: Bars) -> str:
    bars = made.bars[:MOST_BARS]
    left, right, row = 240.0, WIDTH - 110.0, 24.0
    lowest = min(0.0, *(value - spread for _, value, spread in bars))
    highest = max(0.0, *(value + spread for _, value, spread in bars))
    scale = (right - left) / ((highest - lowest) or 1)
    zero = left - lowest * scale
    parts = []
    for number, (name, value, spread) in enumerate(bars):
        y, end = number * row + 4, zero + value * scale
        short = name if len(name) <= 32 else name[:31] + "…"
        parts += [
            text(left - 12, y + 14, short, "bar-name", "end"),
            tag(
                "rect", x=min(zero, end), y=y, width=max(1.0, abs(end - zero)), height=row - 7,
                rx=2, class_="bar" if number else "bar first",
            ),
            text(max(zero, end + spread * scale) + 8, y + 14, _with_spread(value, spread), "axis"),
        ]  # fmt: skip
        if spread:
            one, two, middle = end - spread * scale, end + spread * scale, y + (row - 7) / 2
            parts.append(tag("path", d=f"M{one:.1f} {middle}H{two:.1f}", class_="whisker"))
    return drawing(len(bars) * row + 6, *parts, label=safe(made.title))


def _with_spread(value: float, spread: float) -> str:
    return f"{value:.3g} ± {spread:.2g}" if spread else f"{value:.3g}"


def _rounded(low: float, high: float) -> list[float]:
    """Some round numbers between two."""
    step = 10 ** math.floor(math.log10((high - low) or 1))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if (high - low) / s <= 7)
    first = math.ceil(low / step)
    return [round(number * step, 12) for number in range(first, math.floor(high / step) + 1)]
