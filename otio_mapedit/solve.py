"""From evidence to cuts: what is kept, where each cut lies, and on which frame.

Evidence lives on a clock of steps, cuts on frames. The way from one to the other::

    evidence per step --best_runs--> cores --margins, quietest point--> frames
    --shortest shot, shortest pause, vetoed frames--> kept ranges

:func:`best_runs` is a semi-Markov dynamic programme with two states, keep and drop: it finds the
sequence of runs with the greatest total score, where every run has its least duration and every
change of state its price (Rabiner 1989, section IV.D, explicit state durations, solved for the
best path). What comes after it only ever adds frames to the cores, more for wider margins, and
takes vetoed frames away. So a wider margin never keeps less, and speech is never cut into.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .timing import FrameRange, frame_within, frames_covering, seconds_at

#: Frames of a hole that is closed at any pace: nobody means to remove so little.
_LEAST_HOLE = 2


@dataclass(frozen=True)
class Evidence:
    """What speaks for keeping each step of a file: step ``i`` covers ``[i, i + 1) * hop`` seconds
    after the file's first frame. All arrays are [steps]."""

    hop: Fraction
    score: NDArray[Any]  # float: what keeping this step gains over dropping it
    speech: NDArray[Any]  # bool: never dropped, unless its frames are vetoed
    level: NDArray[Any]  # float, dB: cuts go to its low points


@dataclass(frozen=True, slots=True)
class Rules:
    """How to cut. Steps are those of the evidence, frames those of the source."""

    margin_before: int = 0  # steps kept before a core
    margin_after: int = 0  # steps kept after a core
    search: int = 0  # steps inside the margin that are searched for the quietest point
    least_keep: int = 1  # steps of the shortest core
    least_drop: int = 1  # steps of the shortest hole between cores
    change: float = 0.0  # what a change of state costs, in units of the score
    min_shot: int = 1  # frames of the shortest kept range
    min_pause: int = 1  # frames of the shortest hole that is removed


@dataclass(frozen=True, slots=True)
class Grid:
    """A source's frames, and those of them that must not be kept."""

    rate: Fraction
    frame_count: int
    vetoed: tuple[FrameRange, ...] = ()  # rising, not touching each other


def solve(evidence: Evidence, rules: Rules, grid: Grid) -> list[FrameRange]:
    """The frames to keep, as rising ranges that do not touch each other.

    Each lasts at least ``min_shot`` frames, unless the whole source is shorter; each hole at
    least ``min_pause``, unless it contains vetoed frames.
    """
    return placed(cores(evidence, rules, grid), evidence, rules, grid)


def placed(
    found: Sequence[tuple[int, int]], evidence: Evidence, rules: Rules, grid: Grid
) -> list[FrameRange]:
    """The frames to keep around the cores that were ``found``, as :func:`solve` says."""
    free = holes(grid.vetoed, grid.frame_count)
    wanted: dict[FrameRange, list[FrameRange]] = {span: [] for span in free}
    for first, stop in found:
        core = _on_frames((first, stop), evidence, grid)
        steps = _with_margins(first, stop, evidence.level, rules)
        with_margins = _on_frames(steps, evidence, grid)
        for span in free:
            inside = core.intersection(span)
            if inside.duration:
                shot = _at_least(rules.min_shot, inside, span)
                wanted[span] += [shot, with_margins.intersection(span)]
    kept = []
    for span in free:
        least_hole = max(_LEAST_HOLE, rules.min_pause)
        kept += _closed(union(wanted[span]), span, least_hole, grid.frame_count)
    shortest = min(rules.min_shot, grid.frame_count)
    return [span for span in kept if span.duration >= shortest]


def cores(evidence: Evidence, rules: Rules, grid: Grid) -> list[tuple[int, int]]:
    """Runs of steps that are worth keeping without any margin: (first, stop).

    Vetoed steps are dropped, and what lies between them is decided by itself. Margins and
    shortest lengths in frames do not matter.
    """
    vetoed = _vetoed_steps(evidence, grid)
    kept = np.zeros(len(evidence.score), bool)
    for first, stop in runs(~vetoed):
        part = slice(first, stop)
        score = np.asarray(evidence.score[part], float)
        # Dearer than everything else together, so that no speech is ever traded for a pause.
        sure = 1 + np.abs(score).sum() + rules.change * len(score)
        score = np.where(evidence.speech[part], sure, score)
        kept[part] = best_runs(score, rules.least_keep, rules.least_drop, rules.change)
    return runs(kept)


def best_runs(
    score: NDArray[Any], least_keep: int, least_drop: int, change: float
) -> NDArray[np.bool_]:
    """Which steps to keep for the greatest total of ``score`` [steps] over kept steps.

    Kept runs last at least ``least_keep`` steps and dropped ones ``least_drop``, except a run
    that covers everything; each change between them costs ``change``. Linear in the steps.
    """
    # Nobody changes far inside of steps that all speak for the same: it is better to change where
    # they begin or end, and the least lengths are kept there as well.
    lengths = _alike(np.sign(score), 1 + max(least_keep, least_drop))
    starts = np.cumsum(lengths) - lengths
    found = _best_runs(np.add.reduceat(score, starts), least_keep, least_drop, change)
    return np.repeat(found, lengths)


def _alike(signs: NDArray[Any], edge: int) -> NDArray[np.intp]:
    """How many steps each group has where the middle of every run of the same sign, other than 0,
    is one group; ``edge`` steps at both of its ends stay by themselves."""
    first = np.ones(len(signs), bool)
    changes = np.flatnonzero(np.diff(signs)) + 1
    for start, stop in zip([0, *changes.tolist()], [*changes.tolist(), len(signs)], strict=True):
        if stop - start > 2 * edge and signs[start]:
            first[start + edge + 1 : stop - edge] = False
    return np.diff(np.flatnonzero(np.append(first, True)))


def _best_runs(
    score: NDArray[Any], least_keep: int, least_drop: int, change: float
) -> NDArray[np.bool_]:
    count = len(score)
    total = [0.0, *np.cumsum(score, dtype=float).tolist()]
    # Of the first t steps: the best that ends with a kept, and with a dropped, complete run.
    kept, dropped = [-math.inf] * (count + 1), [-math.inf] * (count + 1)
    kept_from, dropped_from = [0] * (count + 1), [0] * (count + 1)
    best_kept = best_dropped = -math.inf
    from_kept = from_dropped = 0
    for t in range(1, count + 1):
        s = t - least_keep
        if s >= 0:
            gain = dropped[s] - change - total[s] if s else 0.0
            if gain > best_kept:
                best_kept, from_kept = gain, s
        s = t - least_drop
        if s >= 0:
            gain = kept[s] - change if s else 0.0
            if gain > best_dropped:
                best_dropped, from_dropped = gain, s
        kept[t], kept_from[t] = best_kept + total[t], from_kept
        dropped[t], dropped_from[t] = best_dropped, from_dropped
    if count < least_keep:
        kept[count] = total[count]
    if count < least_drop:
        dropped[count] = 0.0
    return _traced(kept[count] >= dropped[count], kept_from, dropped_from)


def _traced(
    keeping: bool, kept_from: Sequence[int], dropped_from: Sequence[int]
) -> NDArray[np.bool_]:
    """The steps kept on the best path, followed from its end."""
    stop = len(kept_from) - 1
    kept = np.zeros(stop, bool)
    while stop > 0:
        first = (kept_from if keeping else dropped_from)[stop]
        kept[first:stop] = keeping
        stop, keeping = first, not keeping
    return kept


def runs(flags: NDArray[Any]) -> list[tuple[int, int]]:
    """Where ``flags`` [n] are set: (first, stop) of each run, rising."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def union(ranges: Iterable[FrameRange]) -> list[FrameRange]:
    """The ranges joined where they meet or overlap; empty ones are left out."""
    joined: list[FrameRange] = []
    for span in sorted(span for span in ranges if span.duration):
        if joined and span.start <= joined[-1].end:
            joined[-1] = FrameRange.between(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def holes(ranges: Sequence[FrameRange], frame_count: int) -> list[FrameRange]:
    """What ``ranges`` (rising) leave of ``[0, frame_count)``."""
    starts = [0, *(span.end for span in ranges)]
    ends = [*(span.start for span in ranges), frame_count]
    return [
        FrameRange.between(start, end)
        for start, end in zip(starts, ends, strict=True)
        if start < end
    ]


def _with_margins(first: int, stop: int, level: NDArray[Any], rules: Rules) -> tuple[int, int]:
    """A core with its margins, each ended at the quietest step of its outer part.

    Of equally quiet steps the outermost stands. The part that is searched moves outwards with
    the margin, at both of its ends, so that a wider margin never ends earlier.
    """
    before = min(rules.search, rules.margin_before // 2)
    after = min(rules.search, rules.margin_after // 2)
    start, end = first - rules.margin_before, stop + rules.margin_after
    if before and start > 0:
        start += int(np.argmin(level[start : start + before]))
    if after and end < len(level):
        end -= int(np.argmin(level[end - after : end][::-1]))
    return max(0, start), min(len(level), end)


def _vetoed_steps(evidence: Evidence, grid: Grid) -> NDArray[np.bool_]:
    """Steps that lie in vetoed frames from beginning to end."""
    vetoed = np.zeros(len(evidence.score), bool)
    for span in grid.vetoed:
        first = math.ceil(seconds_at(span.start, grid.rate) / evidence.hop)
        vetoed[first : math.floor(seconds_at(span.end, grid.rate) / evidence.hop)] = True
    return vetoed


def _on_frames(steps: tuple[int, int], evidence: Evidence, grid: Grid) -> FrameRange:
    """The frames that are on screen during some steps; to the end for the last step."""
    start = frame_within(steps[0] * evidence.hop, grid.rate)
    end = frames_covering(steps[1] * evidence.hop, grid.rate)
    if steps[1] >= len(evidence.score):
        end = grid.frame_count
    end = min(end, grid.frame_count)
    return FrameRange.between(min(start, end), end)


def _at_least(frames: int, core: FrameRange, span: FrameRange) -> FrameRange:
    """``core`` widened to ``frames`` on both sides alike, inside ``span``; empty stays empty."""
    missing = frames - core.duration
    if not core.duration or missing <= 0:
        return core
    if span.duration <= frames:
        return span
    start = min(max(span.start, core.start - missing // 2), span.end - frames)
    return FrameRange(start, frames)


def _closed(
    kept: Sequence[FrameRange], span: FrameRange, least_hole: int, frame_count: int
) -> list[FrameRange]:
    """``kept`` ranges of ``span`` with holes below ``least_hole`` closed, also those at the very
    beginning and end of the source; beside vetoed frames a hole may have any size."""
    if not kept:
        return []
    joined = [kept[0]]
    for following in kept[1:]:
        if following.start - joined[-1].end < least_hole:
            joined[-1] = FrameRange.between(joined[-1].start, following.end)
        else:
            joined.append(following)
    if span.start == 0 and joined[0].start < least_hole:
        joined[0] = FrameRange.between(0, joined[0].end)
    if span.end == frame_count and frame_count - joined[-1].end < least_hole:
        joined[-1] = FrameRange.between(joined[-1].start, frame_count)
    return joined
