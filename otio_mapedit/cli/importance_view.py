"""Scores of moments beside people, position and chance: read, judge, lay the numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OptionError
from ..learning.agreement import Agreement
from ..learning.importance_data import RULES, read_rated, read_scores, read_splits, with_ratings
from ..learning.importance_evaluation import evaluate
from . import output

if TYPE_CHECKING:
    from rich.table import Table

_ROWS = {
    "scores": "the scores given",
    "people": "people, each against the others",
    "position": "position alone, learned from other videos",
    "random": "random scores",
}


def evaluated(
    data: Path, scores: Path | None, ratings: Path | None, splits: Path | None, rule: str | None
) -> dict[str, Agreement]:
    """What agrees how well with the people who rated ``data``.

    Raises:
        OptionError: no such rule. FormatError, UsageError: see
            :mod:`otio_mapedit.learning.importance_data`.
    """
    chosen = rule or usual_rule(data)
    if chosen not in RULES:
        raise OptionError(f"rule: {chosen!r} is not known", f"Choose one of: {', '.join(RULES)}.")
    videos = read_rated(data)
    if ratings is not None:
        videos = with_ratings(videos, ratings)
    folds = read_splits(splits, [video.name for video in videos]) if splits else []
    tested = {name for fold in folds for name in fold.test}
    judged = [video for video in videos if not folds or video.name in tested]
    return evaluate(videos, chosen, read_scores(scores, judged) if scores else None, folds)


def usual_rule(data: Path) -> str:
    """How a data set's F-score is taken over people, by what its path is called."""
    return "max" if "summe" in f"{data.absolute()}".lower() else "mean"


def facts(found: Mapping[str, Agreement]) -> dict[str, Any]:
    """The numbers as plain JSON; null where one cannot be told."""
    return {
        what: {name: None if math.isnan(value) else value for name, value in asdict(each).items()}
        for what, each in found.items()
    }


def table(found: Mapping[str, Agreement]) -> Table:
    """One row for each scorer."""
    columns = ("", "tau, each", "rho, each", "tau, mean", "rho, mean", "F")
    made = output.table(columns, right=columns[1:])
    for what, words in _ROWS.items():
        if what in found:
            made.add_row(words, *(f"{value:.3f}" for value in asdict(found[what]).values()))
    return made
