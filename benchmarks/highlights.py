"""Highlights of one video beside what people chose of it, chance and even spacing.

    python benchmarks/highlights.py VIDEO ANNOTATIONS.mat [--theme general]

An anecdote: one video says nothing about others. ``VIDEO`` is one of SumMe's and the annotations
are its ``.mat``. The recipe gets 15 % of the video's length, as SumMe's people had. F is the mean
over people of the F-score between what was kept and what each chose; tau and rho compare the
scores of moments with each person's choice (mean) and with all people together. Printed beside is
how many of the random summaries are no better than the recipe's: one video can be bad luck.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from otio_mapedit.cache import Cache, default_folder
from otio_mapedit.config import make_options
from otio_mapedit.learning.agreement import f_scores, kendall_matrix, spearman_matrix
from otio_mapedit.learning.importance_data import read_rated
from otio_mapedit.media import probe
from otio_mapedit.pipeline import Tools, predict
from otio_mapedit.recipes import recipe
from otio_mapedit.recipes.highlights import Options, chosen

SHARE, DRAWS = 0.15, 200


def judged(scores, kept, people):
    """F and rank correlations of scores and a summary [frames] with ``people`` [users, frames]."""
    at = slice(None, None, 15)
    rows = np.stack([scores[at], people.mean(axis=0)[at], *people[:, at]])
    tau, rho = kendall_matrix(rows)[0], spearman_matrix(rows)[0]
    found = f_scores(kept, people > 0)
    return {
        "F mean": found.mean(), "F best": found.max(), "tau each": np.nanmean(tau[2:]),
        "rho each": np.nanmean(rho[2:]), "tau all": tau[1], "rho all": rho[1],
    }  # fmt: skip


def mean_of(rows):
    """Column by column."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def ours(video: Path, theme: str, frames: int):
    """The recipe's scores and what it keeps, by frame."""
    media = probe(video)
    duration = int(frames * SHARE)
    options = make_options(Options, {"duration": f"{duration}f", "themes": theme})
    known = predict(media, recipe("highlights"), options, Tools(Cache(default_folder())))
    scores, kept = np.zeros(media.frame_count), np.zeros(media.frame_count, bool)
    for piece in chosen([known], options):
        part = slice(piece.range.start, piece.range.end)
        scores[part], kept[part] = piece.score, piece.kept
    assert kept.sum() <= duration
    return scores[:frames], kept[:frames]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--theme", default="general")
    given = parser.parse_args()
    (rated,) = read_rated(given.annotations)
    people, frames = rated.scores, rated.frames
    mine = judged(*ours(given.video, given.theme, frames), people)
    rows = {f"highlights, theme {given.theme}": mine}
    rows["people, each against the others"] = mean_of(
        [
            judged(each, each > 0, np.delete(people, number, axis=0))
            for number, each in enumerate(people)
        ]
    )
    length, piece = int(frames * SHARE), 90
    draw = np.random.default_rng(1)
    chance = []
    for _ in range(DRAWS):
        scores = np.repeat(draw.random(-(-frames // piece)), piece)[:frames]
        order = np.argsort(-scores, kind="stable")[:length]
        kept = np.zeros(frames, bool)
        kept[order] = True
        chance.append(judged(scores, kept, people))
    rows[f"chance, pieces of {piece} frames, {DRAWS} draws"] = mean_of(chance)
    even = np.arange(frames) % round(piece / SHARE) < piece
    rows["evenly spaced"] = judged(even.astype(float), even, people)
    print(
        json.dumps(
            {n: {k: round(float(v), 3) for k, v in r.items()} for n, r in rows.items()}, indent=2
        )
    )
    beaten = sum(row["F mean"] <= mine["F mean"] for row in chance)
    print(f"random summaries whose mean F is no better: {beaten} of {DRAWS}")


if __name__ == "__main__":
    main()
