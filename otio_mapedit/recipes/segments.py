"""Footage in pieces that can be shown by themselves: shots, divided in the pauses of their sound.

A piece never begins or ends inside a dissolve, wipe or fade, inside black or behind a covered lens,
and, where there is a choice, not inside a word. Long shots are divided by a dynamic programme over
steps of a quarter of a second, whose cost is linear in the length; on the chosen step the edge goes
to the quietest hundredth of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_spec import STEP
from ..inference import Predictions
from ..shot_boundaries import find_shots
from ..solve import holes, union
from ..timing import FrameRange, frame_at, frame_within, frames_covering, seconds_at
from .moments import Moments
from .seeing import faulty_passages

Array = NDArray[Any]

#: What dividing a shot costs inside speech, at full level, and gains where the picture changes.
_SPEECH, _LEVEL, _CHANGE = 4.0, 1.0, 1.0
#: dB above the quietest moments around at which the level counts in full.
_LOUD = 30.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """Frames of the shortest, the usual and the longest piece."""

    least: int
    usual: int
    most: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a file. ``range`` is all of it; without ``head`` and ``tail`` frames, which mix
    it with its neighbours, it can stand by itself."""

    range: FrameRange
    head: int = 0
    tail: int = 0
    why_not: str = ""  # what rules it out
    goes_on: bool = False  # the same shot goes on behind it

    @property
    def alone(self) -> FrameRange:
        """The frames that can be shown without the neighbours."""
        start = min(self.range.start + self.head, self.range.end)
        return FrameRange.between(start, max(start, self.range.end - self.tail))


def segments(known: Predictions, seen: Moments, sizes: Sizes) -> list[Segment]:
    """The pieces of a file in order; together they are the whole file, without overlap."""
    ruled_out = _ruled_out(known)
    covered = union(segment.range for segment in ruled_out)
    parts: list[Segment] = []
    for free in holes(covered, known.media.frame_count):
        shots = [_within(shot, free) for shot in _shots(known)]
        shots = [shot for shot in shots if shot.range.duration]
        for shot in _joined(shots, sizes.least):
            parts += _divided(shot, known, seen, sizes)
    for span in covered:
        why = next(each.why_not for each in ruled_out if each.range.intersection(span).duration)
        parts.append(Segment(span, why_not=why))
    return sorted(parts, key=lambda part: part.range)


def _ruled_out(known: Predictions) -> list[Segment]:
    """What must not be shown: black, a covered lens, sound behind the last picture."""
    media = known.media
    found: list[Segment] = []
    if media.picture is not None:
        extent = FrameRange(0, min(media.picture.frame_count, media.frame_count))
        if known.samples is not None:
            faults = faulty_passages(known.samples, extent, media.rate, frozen=False)
            if sum(fault.range.duration for fault in faults) < extent.duration:
                found += [Segment(fault.range, why_not=fault.reason) for fault in faults]
        if extent.end < media.frame_count:
            rest = FrameRange.between(extent.end, media.frame_count)
            found.append(Segment(rest, why_not="behind the last picture"))
    if known.shots is not None:
        frames = _frames(known)
        shots = find_shots(known.shots).shots
        if not all(shot.black for shot in shots):
            for shot in shots:
                span = FrameRange.between(frames[shot.first], frames[shot.stop])
                if shot.black and span.duration:
                    found.append(Segment(span, why_not="black"))
    return sorted(found, key=lambda each: each.range)


def _frames(known: Predictions) -> list[int]:
    """The frame at which each picture begins, and the end of the last one."""
    assert known.shots is not None
    media = known.media
    end = media.picture.frame_count if media.picture else media.frame_count
    return [0, *(int(frame) for frame in known.shots.frames[1:]), min(end, media.frame_count)]


def _shots(known: Predictions) -> list[Segment]:
    """The shots of a file with what mixes them; one where nobody looked for shots."""
    whole = FrameRange(0, known.media.frame_count)
    if known.shots is None:
        return [Segment(whole)]
    frames = _frames(known)
    made = []
    for shot in find_shots(known.shots).shots:
        span = FrameRange.between(frames[shot.first], frames[shot.stop])
        head = frames[shot.opening.stop] - span.start if shot.opening else 0
        tail = span.end - frames[shot.closing.first] if shot.closing else 0
        made.append(Segment(span, max(0, head), max(0, tail)))
    return made


def _within(shot: Segment, free: FrameRange) -> Segment:
    """The part of a shot that lies in a range."""
    span, alone = shot.range.intersection(free), shot.alone.intersection(free)
    if not alone.duration:
        return Segment(span, head=span.duration)
    return Segment(span, alone.start - span.start, span.end - alone.end)


def _joined(shots: Sequence[Segment], least: int) -> list[Segment]:
    """Shots too short to stand alone joined with the next ones, or else with the one before."""
    made: list[Segment] = []
    for shot in shots:
        if made and (made[-1].alone.duration < least):
            made[-1] = _together(made[-1], shot)
        else:
            made.append(shot)
    if len(made) > 1 and made[-1].alone.duration < least:
        made[-2:] = [_together(made[-2], made[-1])]
    return made


def _together(one: Segment, two: Segment) -> Segment:
    return Segment(FrameRange.between(one.range.start, two.range.end), one.head, two.tail)


def _divided(shot: Segment, known: Predictions, seen: Moments, sizes: Sizes) -> list[Segment]:
    """A shot in pieces of about the usual size."""
    span = shot.alone
    if span.duration < 2 * sizes.least or span.duration <= sizes.usual * 3 // 2:
        return [shot]
    rate = known.media.rate
    first = frames_covering(seconds_at(span.start, rate), 1 / STEP)
    stop = frame_within(seconds_at(span.end, rate), 1 / STEP)
    least = frames_covering(seconds_at(sizes.least, rate), 1 / STEP)
    # The outer pieces are up to a step longer, and edges move within their step.
    most = max(least, frame_within(seconds_at(sizes.most, rate), 1 / STEP) - 2)
    usual = min(max(least, frame_within(seconds_at(sizes.usual, rate), 1 / STEP)), most)
    costs = _costs(known, seen, first, stop)
    edges = [_edge(known, first + at) for at in best_divisions(costs, least, usual, most)]
    marks = [span.start]
    for edge in edges:
        if edge - marks[-1] >= sizes.least and span.end - edge >= sizes.least:
            marks.append(edge)
    starts, ends = [shot.range.start, *marks[1:]], [*marks[1:], shot.range.end]
    made = [
        Segment(FrameRange.between(start, end), goes_on=True)
        for start, end in zip(starts, ends, strict=True)
    ]
    made[0] = replace(made[0], head=shot.head)
    made[-1] = replace(made[-1], tail=shot.tail, goes_on=False)
    return made


def best_divisions(costs: Array, least: int, usual: int, most: int) -> list[int]:
    """Where to divide ``len(costs)`` steps into pieces of ``least`` to ``most`` steps, for the
    least total of ``costs`` [steps] at the divisions and of what the pieces differ from
    ``usual``. Gives the steps that begin a new piece."""
    count = len(costs)
    sizes = np.arange(least, max(least, most) + 1)
    apart = np.square((sizes - usual) / usual)
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    came_from = np.zeros(count + 1, np.int64)
    for stop in range(least, count + 1):
        fits = sizes[: max(0, min(len(sizes), stop - least + 1))]
        totals = best[stop - fits] + apart[: len(fits)]
        at = int(totals.argmin())
        best[stop] = totals[at] + (costs[stop] if stop < count else 0.0)
        came_from[stop] = stop - fits[at]
    if not np.isfinite(best[count]):
        return []
    found = []
    at = int(came_from[count])
    while at > 0:
        found.append(at)
        at = int(came_from[at])
    return found[::-1]


def _costs(known: Predictions, seen: Moments, first: int, stop: int) -> Array:
    """What a division before each step costs."""
    part = slice(first, max(first, stop))
    level = seen.level[part]
    quiet = float(np.percentile(level, 10)) if len(level) else 0.0
    costs = _SPEECH * seen.speech[part] + _LEVEL * np.clip((level - quiet) / _LOUD, 0, 1)
    costs = costs - _CHANGE * seen.change[part]
    if known.transcript is not None:
        for sentence in known.transcript.sentences:
            inner = slice(
                max(0, frames_covering(sentence.start, 1 / STEP) + 1 - first),
                max(0, frame_within(sentence.end, 1 / STEP) - first),
            )
            costs[inner] += _SPEECH
    return np.asarray(costs)


def _edge(known: Predictions, step: int) -> int:
    """The frame nearest to the quietest moment of a step; its beginning where all is alike."""
    at = step * STEP
    if known.sound is not None:
        hops = np.arange(int(at / known.sound.hop), int((at + STEP) / known.sound.hop))
        hops = hops[hops < len(known.sound.level)]
        if len(hops):
            at = int(hops[int(np.argmin(known.sound.level[hops]))]) * known.sound.hop
    return frame_at(Fraction(at), known.media.rate)


def total(parts: Iterable[FrameRange]) -> int:
    """Frames of some ranges together."""
    return sum(part.duration for part in parts)
