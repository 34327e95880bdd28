"""Scores of moments beside people, chance and position, on videos that people rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .agreement import (
    Agreement,
    Array,
    f_scores,
    kendall_matrix,
    mean_of,
    spearman_matrix,
    summary,
)
from .importance_data import RatedVideo, Split, spread

#: Draws of the random baseline for each video.
DRAWS = 5
#: Points of a video's length at which the position baseline holds a mean score.
_POINTS = 101


def judge(video: RatedVideo, scorers: Sequence[Array], rule: str) -> list[Agreement]:
    """How each of ``scorers``, scores of every frame [frames], agrees with the people who rated a
    video."""
    rated = video.scores[:, video.picks]
    given = np.stack([scores[video.picks] for scores in scorers])
    rows = np.concatenate([given, rated.mean(axis=0)[None], rated])
    count = len(given)
    kendall, spearman = kendall_matrix(rows)[:count, count:], spearman_matrix(rows)[:count, count:]
    found = [f_scores(summary(scores, video.segments), video.summaries) for scores in scorers]
    return [
        Agreement(
            kendall=_mean(kendall[number, 1:]),
            spearman=_mean(spearman[number, 1:]),
            kendall_mean=float(kendall[number, 0]),
            spearman_mean=float(spearman[number, 0]),
            f_score=float(each.max() if rule == "max" else each.mean()),
        )
        for number, each in enumerate(found)
    ]


def people(video: RatedVideo, rule: str) -> Agreement:
    """How each person agrees with the others: with each of them, and with their mean."""
    sampled = video.scores[:, video.picks]
    count = len(sampled)
    if count < 2:
        return Agreement(*[float("nan")] * 5)
    others = (sampled.sum(axis=0) - sampled) / (count - 1)
    rows = np.concatenate([sampled, others])
    kendall, spearman = kendall_matrix(rows), spearman_matrix(rows)
    apart = ~np.eye(count, dtype=bool)
    number = np.arange(count)
    against = [f_scores(video.summaries[each], video.summaries[number != each]) for each in number]
    return Agreement(
        kendall=_mean(kendall[:count, :count][apart]),
        spearman=_mean(spearman[:count, :count][apart]),
        kendall_mean=_mean(kendall[number, count + number]),
        spearman_mean=_mean(spearman[number, count + number]),
        f_score=_mean(np.array([row.max() if rule == "max" else row.mean() for row in against])),
    )


def chance(video: RatedVideo, seed: int = 0) -> list[Array]:
    """:data:`DRAWS` times random scores of every frame [frames]."""
    draw = np.random.default_rng([seed, video.frames])
    return [spread(video, draw.random(len(video.picks))) for _ in range(DRAWS)]


def position(videos: Sequence[RatedVideo]) -> Array:
    """The mean score of several videos by relative position [points]."""
    places = np.linspace(0, 1, _POINTS)
    curves = [
        np.interp(places, np.linspace(0, 1, len(video.picks)), video.scores[:, video.picks].mean(0))
        for video in videos
    ]
    return np.asarray(np.mean(curves, axis=0))


def by_position(video: RatedVideo, prior: Array) -> Array:
    """Scores of every frame [frames] that know nothing of a video but its length."""
    places = np.linspace(0, 1, len(video.picks))
    return spread(video, np.interp(places, np.linspace(0, 1, len(prior)), prior))


def evaluate(
    videos: Sequence[RatedVideo],
    rule: str,
    scores: Mapping[str, Array] | None = None,
    splits: Sequence[Split] = (),
) -> dict[str, Agreement]:
    """People, position, chance and, where given, ``scores`` on the same videos; means.

    Without ``splits`` the position baseline of a video is learned from all others; with them,
    from the videos to learn from, and the means are those over the splits' test videos.
    """
    named = {video.name: video for video in videos}
    folds = splits or [
        Split(tuple(name for name in named if name != left_out), (left_out,)) for left_out in named
    ]
    # What does not depend on the split is computed once.
    tested = {name for fold in folds for name in fold.test}
    agreed = {name: people(named[name], rule) for name in tested}
    found: dict[str, list[Agreement]] = {}
    for fold in folds:
        prior = position([named[name] for name in fold.train]) if fold.train else np.zeros(2)
        rows: dict[str, list[Agreement]] = {}
        for name in fold.test:
            video = named[name]
            scorers = [by_position(video, prior), *chance(video)]
            scorers += [scores[name]] if scores is not None else []
            first, *others = judge(video, scorers, rule)
            rows.setdefault("people", []).append(agreed[name])
            rows.setdefault("position", []).append(first)
            rows.setdefault("random", []).append(mean_of(others[:DRAWS]))
            if scores is not None:
                rows.setdefault("scores", []).append(others[DRAWS])
        for what, each in rows.items():
            found.setdefault(what, []).append(mean_of(each))
    return {what: mean_of(each) for what, each in found.items()}


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
