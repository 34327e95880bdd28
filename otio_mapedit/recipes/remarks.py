"""What the edit network notices that nothing is taken out for: splices, speed, colours.

An editor wants to know where another recording begins, what runs at another speed than it was
lived, and which pictures want correcting; what to do about it is the editor's business. Such
passages stay in and are marked where the network is sure. For colours a grade is proposed that
brings a passage to the pictures of the same place around it, which can be changed or left out
without a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_inference import EditPredictions, peaks
from ..edit_spec import STEP
from ..operations import Source, Value
from ..solve import runs
from ..timing import FrameRange, frame_within, frames_covering
from .seeing import Faulty

#: Steps that lie between two splices on average at least: what has more of them is edited already,
#: and its cuts are no news.
_RARE = 40
#: Probability of every step, and mean probability, of a passage that is marked; steps of the
#: shortest one, and of the longest pause inside of one.
_SPEED, _SPEED_SURE, _SPEED_LEAST, _BREATH = 0.5, 0.8, 6, 4
_GRADE, _GRADE_SURE, _GRADE_LEAST = 0.5, 0.75, 12
#: Change of a colour, full scale 1, from which a grade is worth it.
_SEEN = 0.02
#: Remarks are never more certain than this, so that they are shown for review.
_REVIEWED = 0.59


def remarks(edit: EditPredictions, source: Source) -> tuple[Faulty, ...]:
    """Passages to have a look at, each with its reason, rising; they may overlap."""
    found = [*_splices(edit, source), *_speeds(edit, source), *_grades(edit, source)]
    return tuple(sorted(found, key=lambda one: one.range))


@dataclass(frozen=True, slots=True)
class Match:
    """A passage and the ASC CDL (slope and offset, full-range R'G'B') that matches it to those of
    the same place."""

    range: FrameRange
    slope: tuple[float, float, float]
    offset: tuple[float, float, float]
    confidence: float

    @property
    def parameters(self) -> dict[str, Value]:
        """As a grade operation has them."""
        return {"slope": list(self.slope), "offset": list(self.offset), "power": [1.0, 1.0, 1.0]}


def matches(edit: EditPredictions, source: Source) -> tuple[Match, ...]:
    """Grades for passages whose colours the network is sure about, where one can be told."""
    found = []
    for first, stop, sure in _graded(edit):
        now, usual = _colours(edit, slice(first, stop))
        contrast = _median(edit, "contrast", slice(first, stop))
        more = _median(edit, "contrast against alike", slice(first, stop))
        slope = float(np.clip((contrast - more) / max(contrast, 0.01), 0.5, 2))
        offset = usual - slope * now
        if np.abs(usual - now).max() >= _SEEN or abs(slope - 1) >= 4 * _SEEN:
            red, green, blue = (round(float(one), 4) for one in offset)
            span = _frames(source, first, stop)
            found.append(Match(span, (round(slope, 4),) * 3, (red, green, blue), round(sure, 3)))
    return tuple(found)


def _colours(edit: EditPredictions, part: slice) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean red, green and blue of a passage, and of the same place around it."""
    names = ("brightness", "red", "blue")
    now = np.array([_median(edit, name, part) for name in names])
    more = np.array([_median(edit, f"{name} against alike", part) for name in names])
    return _rgb(*now), _rgb(*(now - more))


def _rgb(luma: float, red: float, blue: float) -> NDArray[Any]:
    """From luma (ITU-R BT.709) and what red and blue have more than green."""
    green = luma - 0.2126 * red - 0.0722 * blue
    return np.array([green + red, green, green + blue])


def _median(edit: EditPredictions, name: str, part: slice) -> float:
    return float(np.median(edit.column(name)[part]))


def _splices(edit: EditPredictions, source: Source) -> Iterator[Faulty]:
    found = peaks(edit.splice, edit.spec.splice_threshold)
    if len(found) * _RARE > len(edit):
        return
    for step in found:
        yield from _remark(
            source, step, step + 1, "another recording may begin here", float(edit.splice[step])
        )


def _speeds(edit: EditPredictions, source: Source) -> Iterator[Faulty]:
    heard = edit.column("has sound") > 0
    for name, reason in (("slower", "slow motion"), ("faster", "fast motion")):
        probability = edit.speed[:, edit.spec.speeds.index(name)] * heard
        for first, stop in _joined(runs(probability >= _SPEED)):
            sure = float(probability[first:stop].mean())
            if stop - first >= _SPEED_LEAST and sure >= _SPEED_SURE:
                yield from _remark(source, first, stop, f"may be in {reason}, by its voice", sure)


def _grades(edit: EditPredictions, source: Source) -> Iterator[Faulty]:
    for first, stop, sure in _graded(edit):
        yield from _remark(source, first, stop, "colours may want matching to those around", sure)


def _graded(edit: EditPredictions) -> Iterator[tuple[int, int, float]]:
    """First step, step behind the last one, and certainty of passages of other colours."""
    probability = edit.grade * (edit.column("has picture") > 0)
    for first, stop in runs(probability >= _GRADE):
        sure = float(probability[first:stop].mean())
        if stop - first >= _GRADE_LEAST and sure >= _GRADE_SURE:
            yield first, stop, sure


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans with those a breath apart made one."""
    joined: list[tuple[int, int]] = []
    for first, stop in spans:
        if joined and first - joined[-1][1] <= _BREATH:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((first, stop))
    return joined


def _remark(source: Source, first: int, stop: int, reason: str, sure: float) -> Iterator[Faulty]:
    span = _frames(source, first, stop)
    if span.duration > 1:
        yield Faulty(span, reason, round(min(sure, 1.0) * _REVIEWED, 3), spoken=True)


def _frames(source: Source, first: int, stop: int) -> FrameRange:
    """Frames of a source from one step to another."""
    low = frame_within(first * STEP, source.rate)
    high = frames_covering(stop * STEP, source.rate)
    return FrameRange.between(low, high).intersection(source.available)
