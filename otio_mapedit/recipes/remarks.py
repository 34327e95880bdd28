"""What the edit network notices that nothing is taken out for: splices, speed, colours.

An editor wants to know where another recording begins, what runs at another speed than it was
lived, and which pictures want correcting; what to do about it is the editor's business. Such
passages stay as they are and are marked where the network is sure.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..edit_inference import EditPredictions, peaks
from ..edit_spec import STEP
from ..operations import Source
from ..solve import runs
from ..timing import FrameRange, frame_within, frames_covering
from .seeing import Faulty

#: Probability from which a splice is marked, and steps that lie between two on average at least:
#: what has more of them is edited already, and its cuts are no news.
_SPLICE, _RARE = 0.7, 40
#: Probability of every step, and mean probability, of a passage that is marked; steps of the
#: shortest one, and of the longest pause inside of one.
_SPEED, _SPEED_SURE, _SPEED_LEAST, _BREATH = 0.5, 0.8, 6, 4
_GRADE, _GRADE_SURE, _GRADE_LEAST = 0.5, 0.75, 12
#: Remarks are never more certain than this, so that they are shown for review.
_REVIEWED = 0.59


def remarks(edit: EditPredictions, source: Source) -> tuple[Faulty, ...]:
    """Passages to have a look at, each with its reason, rising; they may overlap."""
    found = [*_splices(edit, source), *_speeds(edit, source), *_grades(edit, source)]
    return tuple(sorted(found, key=lambda one: one.range))


def _splices(edit: EditPredictions, source: Source) -> Iterator[Faulty]:
    found = peaks(edit.splice, _SPLICE)
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
    probability = edit.grade * (edit.column("has picture") > 0)
    for first, stop in runs(probability >= _GRADE):
        sure = float(probability[first:stop].mean())
        if stop - first >= _GRADE_LEAST and sure >= _GRADE_SURE:
            yield from _remark(
                source, first, stop, "colours may want matching to those around", sure
            )


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
    low = frame_within(first * STEP, source.rate)
    high = frames_covering(stop * STEP, source.rate)
    span = FrameRange.between(low, high).intersection(source.available)
    if span.duration > 1:
        yield Faulty(span, reason, round(min(sure, 1.0) * _REVIEWED, 3), spoken=True)
