"""Plots as PNG pictures, drawn by matplotlib where it is installed.

The page draws its plots itself, see :mod:`.plots`; these are for reports and model cards.
"""

from __future__ import annotations

import importlib.util
import io
import math
from collections.abc import Sequence
from typing import Any

from .plots import MOST_BARS, MOST_CURVES, Bars, Curves

#: Inches of a panel of curves across and down; of a panel of bars across, of a bar down, and of the
#: names beside the bars.
_WIDE, _TALL = 9.0, 2.3
_ACROSS, _BAR, _NAMES = 2.9, 0.27, 2.4
#: Panels of bars beside each other, at most.
_BESIDE = 4
_DOTS = 110
#: Curves of more points than this are drawn pale, with their running median over them.
_NOISY = 60
#: One after the other told apart by readers who see few colours (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#b8a800")


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def plot_picture(plots: Sequence[Curves | Bars]) -> bytes:
    """The PNG of some plots, at least one, in the order of their kinds: curves under each other,
    bars of the same names beside each other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curves = [each for each in plots if isinstance(each, Curves)]
    tables = _tables([each for each in plots if isinstance(each, Bars)])
    rows = [each for table in tables for each in _rows(table)]
    heights = [_TALL] * len(curves) + [_height(row) for row in rows]
    whole = Figure(figsize=(_width(rows), sum(heights) + 0.2), dpi=_DOTS, layout="constrained")
    FigureCanvasAgg(whole)
    parts = whole.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, each in zip(parts, curves, strict=False):
        _draw_curves(part.subplots(), each)
    for part, row in zip(parts[len(curves) :], rows, strict=True):
        _draw_row(part, row)
    made = io.BytesIO()
    whole.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def _tables(bars: Sequence[Bars]) -> list[list[Bars]]:
    """Bars of the same names, together."""
    tables: list[list[Bars]] = []
    for each in bars:
        same = [name for name, _, _ in each.bars]
        if tables and [name for name, _, _ in tables[-1][0].bars] == same:
            tables[-1].append(each)
        else:
            tables.append([each])
    return tables


def _rows(table: Sequence[Bars]) -> list[Sequence[Bars]]:
    """A table in rows of panels, as even as they come."""
    count = -(-len(table) // _BESIDE)
    beside = -(-len(table) // count)
    return [table[at : at + beside] for at in range(0, len(table), beside)]


def _height(row: Sequence[Bars]) -> float:
    return _BAR * len(row[0].bars[:MOST_BARS]) + 0.8


def _width(rows: Sequence[Sequence[Bars]]) -> float:
    return max([_WIDE] + [_NAMES + _ACROSS * len(row) for row in rows])


def _draw_curves(axes: Any, made: Curves) -> None:
    named = list(made.curves.items())[:MOST_CURVES]
    for number, (name, points) in enumerate(named):
        colour = _COLOURS[number % len(_COLOURS)]
        across, up = zip(*points, strict=True)
        if len(points) > _NOISY and len(named) == 1:
            axes.plot(across, up, color=colour, alpha=0.3, linewidth=0.8)
            axes.plot(across, _calm(up), color=colour, linewidth=1.6)
        else:
            axes.plot(across, up, color=colour, linewidth=1.6, marker="o", markersize=3)
        axes.plot([], [], color=colour, label=f"{_plain(name)}, at last {points[-1][1]:.4g}")
    axes.set_title(_plain(made.title), loc="left", fontsize=9)
    axes.set_xlabel(_plain(made.over), fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    if all(min(y for _, y in points) > 0 for _, points in named) and _wide_range(named):
        axes.set_yscale("log")


def _wide_range(named: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> bool:
    """Whether the largest value is a hundred times the smallest."""
    values = [y for _, points in named for _, y in points]
    return max(values) > 100 * min(values)


def _calm(values: Sequence[float]) -> list[float]:
    """The median of every value and its neighbours."""
    half = max(1, len(values) // 40)
    near = [sorted(values[max(0, at - half) : at + half + 1]) for at in range(len(values))]
    return [each[len(each) // 2] for each in near]


def _draw_row(part: Any, row: Sequence[Bars]) -> None:
    panels = part.subplots(1, len(row), sharey=True, squeeze=False)[0]
    names = [_plain(name) for name, _, _ in row[0].bars[:MOST_BARS]]
    places = range(len(names))
    for panel, made in zip(panels, row, strict=True):
        bars = made.bars[:MOST_BARS]
        values = [value for _, value, _ in bars]
        spreads = [spread for _, _, spread in bars]
        colours = [_COLOURS[1] if number == 0 else _COLOURS[0] for number in places]
        panel.barh(
            places, values, color=colours, height=0.7, alpha=0.85,
            xerr=spreads if any(spreads) else None,
            error_kw={"elinewidth": 1, "ecolor": "#222222", "capsize": 2},
        )  # fmt: skip
        farthest = max(0.0, *(value + spread for _, value, spread in bars))
        lowest = min(0.0, *(value - spread for _, value, spread in bars))
        room = (farthest - lowest) or 1.0
        panel.set_xlim(lowest - 0.02 * room * (lowest < 0), farthest + 0.34 * room)
        for place, (_, value, spread) in zip(places, bars, strict=True):
            at = max(0.0, value + spread) + 0.02 * room
            panel.text(at, place, _told(value, spread), va="center", fontsize=7)
        if values and math.isfinite(values[0]):
            panel.axvline(values[0], color=_COLOURS[1], linewidth=0.8, linestyle=":", zorder=0.5)
        panel.set_title(_plain(made.of.replace("_", " ")), fontsize=9)
        panel.tick_params(labelsize=7)
        panel.tick_params(axis="y", labelsize=8, length=0)
        panel.grid(axis="x", alpha=0.3)
        panel.set_axisbelow(True)
        for side in ("top", "right", "left"):
            panel.spines[side].set_visible(False)
    panels[0].set_yticks(places, names)
    panels[0].invert_yaxis()
    title = row[0].title.removesuffix(f": {row[0].of}")
    part.suptitle(_plain(title), fontsize=9, x=0.01, ha="left")


def _told(value: float, spread: float) -> str:
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{shown} ± {spread:.1g}" if spread else shown


def _plain(words: str) -> str:
    """Words that are drawn as they are: matplotlib takes dollars for mathematics."""
    clean = "".join(c if c.isprintable() else " " for c in words)
    short = clean if len(clean) <= 60 else clean[:59] + "…"
    return short.replace("$", r"\$")
