"""A comparison as an editor looks at it: the human's timeline with a marker for every change."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import opentimelineio as otio

from ..timing import FrameRange, frame_at, rate_text, time_range, timecode
from .compare import Change, Comparison, Passage
from .uses import Span

#: Marker colour of each change; of several the first here counts.
COLOURS = {
    Change.REMOVED: "RED",
    Change.DISABLED: "RED",
    Change.ADDED: "BLUE",
    Change.RESTORED: "BLUE",
    Change.MOVED: "PURPLE",
    Change.RETIMED: "MAGENTA",
    Change.TRIMMED: "YELLOW",
    Change.TRANSITION: "CYAN",
    Change.SOUND: "PINK",
}


def marked(human: otio.schema.Timeline, comparison: Comparison) -> otio.schema.Timeline:
    """A copy of ``human`` with a coloured marker where something changed.

    What was removed is marked where it would have come: at the end of what is left of the passage
    before it.
    """
    result = human.deepcopy()
    rate = comparison.human.rate
    for passage, at in changes_in_place(comparison):
        change = next(change for change in COLOURS if change in passage.changes)
        frame = frame_at(at.start, rate)
        length = max(0, frame_at(at.end, rate) - frame)
        result.tracks.markers.append(
            otio.schema.Marker(
                f"{change.value}: {passage.name or passage.media}",
                time_range(FrameRange(frame, length), rate),
                COLOURS[change],
                {"mapedit": {"note": described(passage)}},
                comment=described(passage),
            )
        )
    return result


def changes_in_place(comparison: Comparison) -> Iterator[tuple[Passage, Span]]:
    """Every passage that changed, with where to look for it in the human's timeline."""
    end = Fraction(0)
    for passage in comparison.passages:
        if passage.human is not None:
            end = passage.human.end
        if any(change in COLOURS for change in passage.changes):
            yield passage, passage.human or Span(end, end)


def described(passage: Passage) -> str:
    """What happened to a passage, in a line."""
    said = [words(change, passage) for change in passage.changes]
    return "; ".join(said)


def words(change: Change, passage: Passage) -> str:
    """One change with its figures."""
    if change is Change.TRIMMED:
        parts = [_trim("head", passage.head), _trim("tail", passage.tail)]
        if passage.inside:
            parts.append(f"{passage.inside}f out of the middle")
        return "trimmed: " + ", ".join(part for part in parts if part)
    if change is Change.RETIMED:
        before, after = (_speed(speed) for speed in passage.speed)
        return f"retimed: {before} to {after}"
    if change is Change.TRANSITION:
        return "transition: " + ", ".join(passage.transitions)
    if change is Change.ADDED:
        return "added" if passage.known else "added, from media that the proposal does not use"
    return change.value


def source_text(passage: Passage) -> str:
    """What of the media a passage shows, by the media's own count."""
    rate = passage.rate
    first, last = (frame_at(at, rate) for at in (passage.source.start, passage.source.end))
    if first < 0:
        return f"{first} to {last} at {rate_text(rate)} fps"
    return f"{timecode(first, rate, False)} - {timecode(last, rate, False)}"


def _trim(end: str, frames: int | None) -> str:
    if not frames:
        return ""
    return f"{end} {-frames:+d}f"


def _speed(scalar: Fraction) -> str:
    return f"{float(100 * scalar):g} %"
