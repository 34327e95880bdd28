"""Plots beside what training and ablations write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import replacing_all

if TYPE_CHECKING:
    from ..review.plots import Bars, Curves

#: What to do for pictures of plots.
NEEDED = "Plots as PNG need matplotlib. Type: pip install 'otio-mapedit[train]'"


def draw_file(file: Path) -> Path | None:
    """Draw what a file of curves or a table holds as a PNG beside it, which may be replaced; None
    where there is nothing to draw, or nothing to draw with."""
    from ..errors import FormatError
    from ..review.plots import read_plots

    try:
        return draw(read_plots(file), file.with_suffix(".png"))
    except FormatError:
        return None


def draw_rows(rows: dict[str, Any], target: Path) -> Path | None:
    """Draw rows of numbers by name, as ablations give them."""
    from ..review.plots import of_rows

    return draw(of_rows(target.stem, rows), target)


def draw(plots: Sequence[Curves | Bars], target: Path) -> Path | None:
    """Write the PNG of some plots; None where there are none, or nothing to draw them with."""
    from ..review.plot_pictures import can_draw, plot_picture

    if not plots or not can_draw():
        return None
    content = plot_picture(plots)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing_all([target], force=True) as (temporary,):
        temporary.write_bytes(content)
    return target
