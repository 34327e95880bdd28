"""How the shots of one file lie on its grid: what is kept, lifted, joined and marked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from ..inference import ShotPredictions
from ..operations import Kind, Operation, Source, Value
from ..placements import covered_at_head, covered_at_tail
from ..shot_list import Boundary, Doubt, Shot, ShotList
from ..timing import FrameRange, rescale_floor


@dataclass(frozen=True, slots=True)
class Stretch:
    """Grid frames that are kept, or lifted, as one; without ``shot``, sound behind the picture."""

    range: FrameRange
    shot: Shot | None
    lifted: bool = False
    number: int = 0  # of the shot, black not counted

    @property
    def fades_in(self) -> Boundary | None:
        """The fade that the shot begins with."""
        opening = self.shot.opening if self.shot else None
        return opening if opening and opening.kind == "fade_in" else None

    @property
    def fades_out(self) -> Boundary | None:
        """The fade that the shot ends with."""
        closing = self.shot.closing if self.shot else None
        return closing if closing and closing.kind == "fade_out" else None


@dataclass(frozen=True)
class Layout:
    """The shots of one file on its grid."""

    source: Source
    predictions: ShotPredictions
    found: ShotList
    sequence: Fraction  # rate
    transitions: bool = True  # as transitions, else as cuts
    black: str = "auto"  # "auto", "lift" or "keep"
    review: float = 0.8  # what is less certain is marked

    def frame(self, picture: int) -> int:
        """Grid frame at which a picture begins; after the last, the end of the picture track."""
        if picture <= 0:
            return 0
        frames = self.predictions.picture_frames
        if picture < len(frames):
            return int(frames[picture])
        return self.source.video.extent.end if self.source.video else self.source.frame_count

    def span(self, first: int, stop: int) -> FrameRange:
        """Grid frames of some pictures."""
        return FrameRange.between(self.frame(first), self.frame(stop))

    def stretches(self) -> list[Stretch]:
        """The whole file, in order: every shot, and what sounds on behind the last picture."""
        shots = self.found.shots
        numbers = itertools.accumulate(int(not shot.black) for shot in shots)
        found = [
            Stretch(self.span(shot.first, shot.stop), shot, shot.black and self.lifts, number)
            for shot, number in zip(shots, numbers, strict=True)
        ]
        last, end = found[-1], self.source.frame_count
        if last.range.end >= end:
            return found
        if last.lifted or last.fades_out:
            return [*found, Stretch(FrameRange.between(last.range.end, end), None)]
        return [*found[:-1], replace(last, range=FrameRange.between(last.range.start, end))]

    def placed(self, before: Stretch | None, stretch: Stretch) -> Iterator[Operation]:
        """A stretch with the join or fade before it and the fade behind it."""
        if stretch.lifted:
            yield self._lift(stretch)
            return
        if before and not before.lifted:
            yield self._join(before, stretch)
        # A fade beside a kept black clip is a dissolve with it, and plays like the file.
        fades = self.transitions
        if fades and stretch.fades_in and (before is None or before.lifted):
            yield self._fade(stretch, stretch.fades_in)
        yield self._keep(stretch)
        if fades and stretch.fades_out and (self.lifts or self._is_last(stretch)):
            yield self._fade(stretch, stretch.fades_out)

    def marks(self) -> list[Operation]:
        """What a person should look at, in order."""
        unsure = [each for each in self.found.boundaries if each.confidence < self.review]
        found = [self._unsure(boundary) for boundary in unsure]
        if self.review:
            found += [self._doubtful(doubt) for doubt in self.found.doubts]
        return sorted(found, key=lambda mark: mark.range)

    @cached_property
    def lifts(self) -> bool:
        """Whether black is taken out; never all that a file has."""
        if all(shot.black for shot in self.found.shots):
            return False
        if self.black == "auto":
            return not self.source.audio
        return self.black == "lift"

    def _is_last(self, stretch: Stretch) -> bool:
        return stretch.shot is self.found.shots[-1]

    def _keep(self, stretch: Stretch) -> Operation:
        shot = stretch.shot
        if shot is None:
            return Operation(Kind.KEEP, self.source.id, stretch.range, reason="sound only")
        edges = [edge.confidence for edge in (shot.opening, shot.closing) if edge]
        return Operation(
            Kind.KEEP,
            self.source.id,
            stretch.range,
            confidence=min(edges, default=1.0),
            reason="black" if shot.black else f"shot {stretch.number}",
        )

    def _lift(self, stretch: Stretch) -> Operation:
        where = "between two shots"
        if not stretch.range.start:
            where = "at the beginning"
        elif stretch.shot and stretch.shot.closing is None:
            where = "at the end"
        return Operation(
            Kind.DROP,
            self.source.id,
            stretch.range,
            reason=f"black {where}, {stretch.range.duration} frames",
            parameters={"mode": "lift"},
        )

    def _join(self, before: Stretch, after: Stretch) -> Operation:
        at = after.range.start
        boundary = after.shot.opening if after.shot else None
        if boundary is None:
            return cut_at(self.source, at, 1.0, "the picture ends")
        mixed = self.span(boundary.first, boundary.stop)
        if boundary.kind != "cut" and self.transitions:
            offsets = (self._sequence(at - mixed.start), self._sequence(mixed.end - at))
            if sum(offsets):
                return self._transition(before, boundary, offsets)
        reason = "new shot"
        if boundary.kind != "cut":
            reason = f"in a {boundary.kind.replace('_', '-')} of {mixed.duration} frames"
        return cut_at(self.source, at, boundary.confidence, reason)

    def _transition(
        self, before: Stretch, boundary: Boundary, offsets: tuple[int, int]
    ) -> Operation:
        fade = boundary.kind in ("fade_out", "fade_in")
        through = " through a plain colour" if boundary.plain else ""
        name = boundary.kind.replace("_", "-")
        return Operation(
            Kind.DISSOLVE if fade else Kind(boundary.kind),
            self.source.id,
            covered_at_tail(before.range, self.source, Fraction(1), self.sequence, *offsets),
            confidence=boundary.confidence,
            reason=f"{name}{through}, {self._length(boundary)} frames",
            # Both shots sound the same there, and a crossfade of two equals is too loud.
            parameters={"in_offset": offsets[0], "out_offset": offsets[1], "audio": False},
        )

    def _fade(self, stretch: Stretch, boundary: Boundary) -> Operation:
        covered = min(self._length(boundary), stretch.range.duration)
        length = max(1, self._sequence(covered))
        placed = (stretch.range, self.source, Fraction(1), self.sequence)
        leaving = boundary.kind == "fade_out"
        return Operation(
            Kind(boundary.kind),
            self.source.id,
            covered_at_tail(*placed, length, 0) if leaving else covered_at_head(*placed, length),
            confidence=boundary.confidence,
            reason=f"fades {'to' if leaving else 'from'} black, {self._length(boundary)} frames",
            parameters={"length": length, "audio": False},
        )

    def _length(self, boundary: Boundary) -> int:
        """Grid frames that a transition lasts."""
        return self.span(boundary.first, boundary.stop).duration

    def _sequence(self, frames: int) -> int:
        return rescale_floor(frames, self.source.rate, self.sequence)

    def _unsure(self, boundary: Boundary) -> Operation:
        picture = boundary.first if boundary.kind == "fade_out" else boundary.at
        name = f"check this {boundary.kind.replace('_', '-')}: {boundary.confidence:.2f}"
        note = "The network is not certain that a shot ends here."
        return marker(self.source, FrameRange(self.frame(picture), 1), name, note, "ORANGE")

    def _doubtful(self, doubt: Doubt) -> Operation:
        span = self.span(doubt.first, doubt.stop)
        name, note, colour = _DOUBTS[doubt.about]
        name = name.format(frames=span.duration, probability=doubt.probability)
        span = replace(span, duration=max(1, span.duration))
        return marker(self.source, span, name, note, colour)


#: Name, note and colour of the marker for each kind of doubt.
_DOUBTS = {
    "flash": ("flash?", "Bright for a moment, then the same shot: not counted as a cut.", "YELLOW"),
    "short shot": (
        "flash frames? {frames}",
        "Shorter than min_shot: left in its neighbour.",
        "PINK",
    ),
    "black": ("black? {frames}", "Black, and no shot seems to end here: left in its shot.", "BLUE"),
    "cut": ("a cut here? {probability:.2f}", "Not certain enough to be counted.", "CYAN"),
    "transition": (
        "a transition here? {probability:.2f}",
        "Not certain enough to be counted.",
        "CYAN",
    ),
}


def cut_at(source: Source, at: int, confidence: float, reason: str) -> Operation:
    """A hard cut before frame ``at`` of ``source``."""
    return Operation(Kind.CUT, source.id, FrameRange(at, 0), "", confidence, reason)


def marker(source: Source, span: FrameRange, name: str, note: str, colour: str) -> Operation:
    """A marker over a range of a source."""
    parameters: dict[str, Value] = {"name": name, "note": note, "colour": colour}
    span = span.intersection(source.available)
    return Operation(Kind.MARK, source.id, span, reason=name, parameters=parameters)
