"""The solver against brute force, and what must hold for every cut."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from otio_mapedit.solve import Evidence, Grid, Rules, best_runs, holes, runs, solve, union
from otio_mapedit.timing import NTSC_24, NTSC_30, FrameRange

HOP = Fraction(1, 100)
SCORES = st.lists(st.floats(-2, 2, allow_nan=False, width=32), min_size=1, max_size=11)


def value(kept: tuple[bool, ...], score: list[float], change: float) -> float:
    changes = sum(a != b for a, b in itertools.pairwise(kept))
    return sum(s for s, k in zip(score, kept, strict=True) if k) - change * changes


def allowed(kept: tuple[bool, ...], least_keep: int, least_drop: int) -> bool:
    lengths = [(keep, len(list(run))) for keep, run in itertools.groupby(kept)]
    if len(lengths) == 1:
        return True
    return all(length >= (least_keep if keep else least_drop) for keep, length in lengths)


@settings(max_examples=200, deadline=None)
@given(SCORES, st.integers(1, 5), st.integers(1, 5), st.floats(0, 3, allow_nan=False))
def test_best_runs_are_the_best_of_all(
    score: list[float], least_keep: int, least_drop: int, change: float
) -> None:
    every = (
        kept
        for kept in itertools.product((False, True), repeat=len(score))
        if allowed(kept, least_keep, least_drop)
    )
    best = max(value(kept, score, change) for kept in every)
    found = tuple(best_runs(np.array(score), least_keep, least_drop, change).tolist())
    assert allowed(found, least_keep, least_drop)
    assert math.isclose(value(found, score, change), best, abs_tol=1e-6)


def test_best_runs_of_nothing() -> None:
    assert len(best_runs(np.zeros(0), 3, 3, 1.0)) == 0


def test_an_hour_keeps_its_minimum_durations() -> None:
    rng = np.random.default_rng(1)
    score = np.repeat(rng.normal(0, 1, 3600), 100) + rng.normal(0, 1, 360_000)
    kept = best_runs(score, 30, 40, 5.0)
    inner = [stop - first for first, stop in runs(kept) if first and stop < len(kept)]
    assert min(inner) >= 30
    assert min(stop - first for first, stop in runs(~kept) if first and stop < len(kept)) >= 40


def evidence_of(score: NDArray[np.float64], speech: NDArray[np.bool_], seed: int) -> Evidence:
    level = np.random.default_rng(seed).normal(-50, 10, len(score))
    return Evidence(HOP, score, speech, level)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Evidence, Rules, Grid]:
    rate = draw(st.sampled_from([NTSC_24, Fraction(25), NTSC_30, Fraction(60), Fraction(10)]))
    frames = draw(st.integers(1, 250))
    seconds = Fraction(frames) / rate
    steps = max(1, math.ceil(seconds / HOP))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    score = np.repeat(rng.normal(-0.3, 1, steps // 12 + 1), 12)[:steps] * float(HOP)
    speech = np.repeat(rng.random(steps // 9 + 1) < draw(st.floats(0, 0.5)), 9)[:steps]
    edges = sorted(draw(st.lists(st.integers(0, frames), max_size=6, unique=True)))
    vetoed = tuple(FrameRange.between(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False))
    rules = Rules(
        margin_before=draw(st.integers(0, 40)),
        margin_after=draw(st.integers(0, 60)),
        search=draw(st.integers(0, 10)),
        least_keep=draw(st.integers(1, 20)),
        least_drop=draw(st.integers(1, 20)),
        change=draw(st.floats(0, 0.5)),
        min_shot=draw(st.integers(1, 20)),
        min_pause=draw(st.integers(1, 20)),
    )
    return evidence_of(score, speech, seed), rules, Grid(rate, frames, vetoed)


def covered(ranges: list[FrameRange], frames: int) -> NDArray[np.bool_]:
    flags = np.zeros(frames, bool)
    for span in ranges:
        flags[span.start : span.end] = True
    return flags


@settings(max_examples=200, deadline=None)
@given(problems())
def test_kept_ranges_obey_the_rules(problem: tuple[Evidence, Rules, Grid]) -> None:
    evidence, rules, grid = problem
    kept = solve(evidence, rules, grid)
    assert sum(s.duration for s in kept) + sum(
        s.duration for s in holes(kept, grid.frame_count)
    ) == (grid.frame_count)
    vetoed = covered(list(grid.vetoed), grid.frame_count)
    flags = covered(kept, grid.frame_count)
    assert not (flags & vetoed).any()
    assert all(span.duration >= min(rules.min_shot, grid.frame_count) for span in kept)
    assert all(a.end < b.start for a, b in itertools.pairwise(kept))
    for hole in holes(kept, grid.frame_count):
        if kept and not vetoed[max(0, hole.start - 1) : hole.end + 1].any():
            assert hole.duration >= max(2, rules.min_pause)


@settings(max_examples=200, deadline=None)
@given(problems())
def test_speech_is_never_cut(problem: tuple[Evidence, Rules, Grid]) -> None:
    """Each frame with speech is kept, but for vetoed ones and for what lies between two vetoes
    that leave no room for the shortest shot."""
    evidence, rules, grid = problem
    flags = covered(solve(evidence, rules, grid), grid.frame_count)
    for span in holes(grid.vetoed, grid.frame_count):
        if span.duration < rules.min_shot and span.duration < grid.frame_count:
            continue
        for step in np.flatnonzero(evidence.speech):
            # The frames that are on screen from the beginning to the end of the step.
            first = math.floor(int(step) * HOP * grid.rate)
            last = math.ceil((int(step) + 1) * HOP * grid.rate) - 1
            if span.start <= first and last < span.end:
                assert flags[first : last + 1].all()


@settings(max_examples=200, deadline=None)
@given(problems(), st.integers(0, 30), st.integers(0, 30))
def test_wider_margins_never_keep_less(
    problem: tuple[Evidence, Rules, Grid], before: int, after: int
) -> None:
    evidence, rules, grid = problem
    from dataclasses import replace

    wider = replace(
        rules,
        margin_before=rules.margin_before + before,
        margin_after=rules.margin_after + after,
    )
    flags = covered(solve(evidence, rules, grid), grid.frame_count)
    assert not (flags & ~covered(solve(evidence, wider, grid), grid.frame_count)).any()


def spoken_between(first: int, stop: int, steps: int = 1000) -> Evidence:
    speech = np.zeros(steps, bool)
    speech[first:stop] = True
    level = np.full(steps, -50.0)
    level[speech] = -20
    return Evidence(HOP, np.full(steps, -float(HOP)), speech, level)


def test_margins_are_exact_where_all_is_equally_quiet() -> None:
    rules = Rules(margin_before=20, margin_after=30, search=8, min_pause=10)
    assert solve(spoken_between(400, 500), rules, Grid(Fraction(100), 1000)) == [
        FrameRange.between(380, 530)
    ]


def test_cuts_go_to_the_quietest_point_inside_the_margin() -> None:
    evidence = spoken_between(400, 500)
    evidence.level[525] = evidence.level[384] = -70
    rules = Rules(margin_before=20, margin_after=30, search=8, min_pause=10)
    assert solve(evidence, rules, Grid(Fraction(100), 1000)) == [FrameRange.between(384, 526)]


def test_cuts_lie_on_frames_outside_the_margin() -> None:
    rules = Rules(margin_before=20, margin_after=30, min_pause=10)
    (kept,) = solve(spoken_between(400, 500), rules, Grid(NTSC_24, 239))
    assert kept.start == math.floor(Fraction(38, 10) * NTSC_24)
    assert kept.end == math.ceil(Fraction(53, 10) * NTSC_24)


def test_a_word_is_widened_to_the_shortest_shot_on_both_sides() -> None:
    rules = Rules(min_shot=50)
    assert solve(spoken_between(400, 420), rules, Grid(Fraction(100), 1000)) == [
        FrameRange.between(385, 435)
    ]
    assert solve(spoken_between(5, 20), rules, Grid(Fraction(100), 1000)) == [FrameRange(0, 50)]


def test_a_source_shorter_than_the_shortest_shot_is_kept_whole() -> None:
    assert solve(spoken_between(3, 6, 10), Rules(min_shot=50), Grid(Fraction(100), 10)) == [
        FrameRange(0, 10)
    ]


def test_vetoed_frames_bound_the_cut_exactly() -> None:
    grid = Grid(Fraction(30), 300, (FrameRange.between(100, 130),))
    evidence = spoken_between(200, 700)
    assert solve(evidence, Rules(margin_after=30), grid) == [
        FrameRange.between(60, 100),
        FrameRange.between(130, 219),
    ]


def test_margins_do_not_reach_over_vetoed_frames() -> None:
    grid = Grid(Fraction(100), 1000, (FrameRange.between(505, 510),))
    rules = Rules(margin_after=40, min_shot=5)
    assert solve(spoken_between(400, 500), rules, grid) == [FrameRange.between(400, 505)]


def test_union_and_holes() -> None:
    spans = union([FrameRange(5, 3), FrameRange(0, 2), FrameRange(7, 4), FrameRange(3, 0)])
    assert spans == [FrameRange(0, 2), FrameRange(5, 6)]
    assert holes(spans, 12) == [FrameRange(2, 3), FrameRange(11, 1)]
    assert holes([], 0) == []
