"""The shot network on labelled videos: run it, count, lay the numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cache import Cache, default_folder
from ..errors import MediaError
from ..inference import predict_shots
from ..media import probe
from ..progress import Progress
from ..shot_boundaries import find_shots
from ..shot_list import ShotList
from . import output

if TYPE_CHECKING:
    from rich.table import Table

    from ..training.evaluate import Evaluation, Score


def found_shots(
    labels: Mapping[str, Any], folder: Path, progress: Progress, remember: bool
) -> dict[str, list[tuple[int, int]]]:
    """First and last picture of every shot that the product finds in each labelled video.

    Raises:
        MediaError: a labelled video is not in ``folder``, or cannot be read.
    """
    cache = Cache(default_folder() if remember else None)
    videos = {path.stem: path for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    found = {}
    for name in labels:
        if name not in videos:
            raise MediaError(folder, f"holds no video called {name}", "Name the right folder.")
        predictions = predict_shots(probe(videos[name]), cache, progress)
        found[name] = pure_shots(find_shots(predictions))
    return found


def pure_shots(shots: ShotList) -> list[tuple[int, int]]:
    """Shots without the pictures that mix two of them, as labels count: first and last picture."""
    made = []
    for shot in shots.shots:
        first = shot.opening.stop if shot.opening else shot.first
        stop = shot.closing.first if shot.closing else shot.stop
        if not shot.black and first < stop:
            made.append((first, stop - 1))
    return made


def facts(measured: Evaluation) -> dict[str, Any]:
    """The counts as plain JSON."""
    return {
        "total": {str(width): _counts(score) for width, score in measured.total.items()},
        "videos": {
            name: {str(width): _counts(score) for width, score in scores.items()}
            for name, scores in measured.videos.items()
        },
    }


def table(measured: Evaluation) -> Table:
    """One row per tolerance."""
    columns = ("tolerance", "found", "missed", "false", "precision", "recall", "F1")
    made = output.table(columns, right=columns)
    for width, score in measured.total.items():
        counts = _counts(score)
        made.add_row(
            f"{width} frames", *(str(counts[name]) for name in ("found", "missed", "false")),
            *(f"{counts[name]:.3f}" for name in ("precision", "recall", "f1")),
        )  # fmt: skip
    return made


def _counts(score: Score) -> dict[str, Any]:
    return {
        "found": score.hit, "missed": score.missed, "false": score.false,
        "precision": score.precision, "recall": score.recall, "f1": score.f1,
    }  # fmt: skip
