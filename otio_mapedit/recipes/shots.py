"""The shots of an edited file: one clip per shot, transitions with their true length.

The file is cut where its editor cut it, so the timeline plays like the file and every shot can be
graded, relinked to its rushes, translated or searched on its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..config import option
from ..errors import OptionError
from ..inference import Predictions, ShotPredictions
from ..media import MediaInfo
from ..operations import DecisionList, Kind, Operation, Source, Value
from ..placements import covered_at_head, covered_at_tail
from ..shot_boundaries import Boundary, Doubt, Shot, ShotList, find_shots
from ..timing import FrameRange, Length, rescale_floor
from . import Need
from .footage import generator, option_values, sequence_clock, sources_of, title

NAME = "shots"
SUMMARY = "Find the shots of an edited file: one clip per shot, its transitions as transitions."


def _share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise OptionError(f"{text!r} is not a number from 0 to 1", "Write it like 0.5.")
    return value


@dataclass(frozen=True)
class Options:
    """How shots are found and shown."""

    sensitivity: float = option(
        0.5, "from 0, only certain cuts, to 1, the slightest; 0.5 is the balance", parse=_share
    )
    min_shot: Length = option(  # noqa: RUF009  # a field, whatever its type
        Length(frames=4), "shorter shots join a neighbour: 4f, 0.5s"
    )
    transitions: str = option(
        "keep",
        "dissolves, wipes and fades: keep them as transitions, or cut in the middle of them",
        choices=("keep", "cut"),
    )
    black: str = option(
        "auto",
        "black between shots: lift it (a gap stays), keep it as a clip, or auto: keep it where "
        "the file has sound, which would be lifted too",
        choices=("auto", "lift", "keep"),
    )
    review: float = option(
        0.65, "what is less certain than this gets a marker; 0 for none", parse=_share
    )


def needs(media: MediaInfo, options: Options) -> frozenset[Need]:
    """The shot network's answer, where there is a picture."""
    return frozenset({Need.SHOTS}) if media.picture else frozenset()


def decide(predictions: Sequence[Predictions], options: Options) -> DecisionList:
    """One ``keep`` per shot in the order of the files, and what joins them."""
    footage = [known.media for known in predictions]
    clock = sequence_clock(footage)
    sources = sources_of(footage)
    operations: list[Operation] = []
    for source, known in zip(sources, predictions, strict=True):
        if operations and operations[-1].kind is not Kind.DROP:
            operations.append(_cut(source, 0, 1.0, "next file"))
        operations += _file(source, known, options, clock.rate)
    return DecisionList(
        name=title(footage),
        rate=clock.rate,
        sources=sources,
        operations=tuple(
            replace(operation, id=f"s{number:04d}")
            for number, operation in enumerate(operations, start=1)
        ),
        start_frame=clock.start_frame,
        drop_frame=clock.drop_frame,
        recipe=NAME,
        options=option_values(options),
        generator=generator([known.shots.network for known in predictions if known.shots]),
    )


def _file(
    source: Source, known: Predictions, options: Options, sequence: Fraction
) -> Iterator[Operation]:
    """The operations on one file."""
    if known.shots is None or source.video is None:
        yield Operation(Kind.KEEP, source.id, source.available, reason="no picture to look at")
        yield _mark(source, FrameRange(0, 1), "no picture", "This file has only sound.", "CYAN")
        return
    found = find_shots(
        known.shots,
        sensitivity=options.sensitivity,
        min_frames=options.min_shot.at(source.rate),
        review=options.review,
    )
    layout = _Layout(source, known.shots, found, options, sequence)
    stretches = layout.stretches()
    marks = layout.marks()
    for number, stretch in enumerate(stretches):
        yield from layout.placed(stretches[number - 1] if number else None, stretch)
        yield from (mark for mark in marks if stretch.range.contains(_head(mark)))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Grid frames that are kept, or lifted, as one; without ``shot``, sound behind the picture."""

    range: FrameRange
    shot: Shot | None
    lifted: bool = False

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
class _Layout:
    """The shots of one file on its grid."""

    source: Source
    predictions: ShotPredictions
    found: ShotList
    options: Options
    sequence: Fraction

    def frame(self, picture: int) -> int:
        """Grid frame at which a picture begins; after the last, the end of the picture track."""
        if picture <= 0:
            return 0
        if picture < len(self.predictions):
            return int(self.predictions.frames[picture])
        return self.source.video.extent.end if self.source.video else self.source.frame_count

    def span(self, first: int, stop: int) -> FrameRange:
        """Grid frames of some pictures."""
        return FrameRange.between(self.frame(first), self.frame(stop))

    def stretches(self) -> list[_Stretch]:
        """The whole file, in order: every shot, and what sounds on behind the last picture."""
        shots = self.found.shots
        lifts = self._lifts_black() and not all(shot.black for shot in shots)
        found = [
            _Stretch(self.span(shot.first, shot.stop), shot, shot.black and lifts) for shot in shots
        ]
        last, end = found[-1], self.source.frame_count
        if last.range.end >= end:
            return found
        if last.lifted or last.fades_out:
            return [*found, _Stretch(FrameRange.between(last.range.end, end), None)]
        return [*found[:-1], replace(last, range=FrameRange.between(last.range.start, end))]

    def placed(self, before: _Stretch | None, stretch: _Stretch) -> Iterator[Operation]:
        """A stretch with the join or fade before it and the fade behind it."""
        if stretch.lifted:
            yield self._lift(stretch)
            return
        if before and not before.lifted:
            yield self._join(before, stretch)
        fades = self.options.transitions == "keep"
        if fades and stretch.fades_in:
            yield self._fade(stretch, stretch.fades_in)
        yield self._keep(stretch)
        if fades and stretch.fades_out:
            yield self._fade(stretch, stretch.fades_out)

    def marks(self) -> list[Operation]:
        """What a person should look at, in order."""
        review = self.options.review
        found = [self._unsure(each) for each in self.found.boundaries if each.confidence < review]
        if review:
            found += [self._doubtful(doubt) for doubt in self.found.doubts]
        return sorted(found, key=lambda mark: mark.range)

    def _lifts_black(self) -> bool:
        if self.options.black == "auto":
            return not self.source.audio
        return self.options.black == "lift"

    def _keep(self, stretch: _Stretch) -> Operation:
        shot = stretch.shot
        if shot is None:
            return Operation(Kind.KEEP, self.source.id, stretch.range, reason="sound only")
        edges = [edge.confidence for edge in (shot.opening, shot.closing) if edge]
        return Operation(
            Kind.KEEP,
            self.source.id,
            stretch.range,
            confidence=min(edges, default=1.0),
            reason="black" if shot.black else f"shot {self._number(shot)}",
        )

    def _number(self, shot: Shot) -> int:
        seen = [each for each in self.found.shots if not each.black]
        return seen.index(shot) + 1

    def _lift(self, stretch: _Stretch) -> Operation:
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

    def _join(self, before: _Stretch, after: _Stretch) -> Operation:
        at = after.range.start
        boundary = after.shot.opening if after.shot else None
        if boundary is None:
            return _cut(self.source, at, 1.0, "the picture ends")
        mixed = self.span(boundary.first, boundary.stop)
        if boundary.kind in ("dissolve", "wipe") and self.options.transitions == "keep":
            offsets = (self._sequence(at - mixed.start), self._sequence(mixed.end - at))
            if sum(offsets):
                return self._transition(before, boundary, offsets)
        reason = {"fade_out": "faded to black", "fade_in": "black ends", "cut": "new shot"}.get(
            boundary.kind, f"middle of a {boundary.kind} of {mixed.duration} frames"
        )
        return _cut(self.source, at, boundary.confidence, reason)

    def _transition(
        self, before: _Stretch, boundary: Boundary, offsets: tuple[int, int]
    ) -> Operation:
        length = self.span(boundary.first, boundary.stop).duration
        through = " through a plain colour" if boundary.plain else ""
        return Operation(
            Kind(boundary.kind),
            self.source.id,
            covered_at_tail(before.range, self.source, Fraction(1), self.sequence, *offsets),
            confidence=boundary.confidence,
            reason=f"{boundary.kind}{through}, {length} frames",
            # Both shots sound the same there, and a crossfade of two equals is too loud.
            parameters={"in_offset": offsets[0], "out_offset": offsets[1], "audio": False},
        )

    def _fade(self, stretch: _Stretch, boundary: Boundary) -> Operation:
        mixed = self.span(boundary.first, boundary.stop)
        length = max(1, self._sequence(min(mixed.duration, stretch.range.duration)))
        placed = (stretch.range, self.source, Fraction(1), self.sequence)
        leaving = boundary.kind == "fade_out"
        return Operation(
            Kind(boundary.kind),
            self.source.id,
            covered_at_tail(*placed, length, 0) if leaving else covered_at_head(*placed, length),
            confidence=boundary.confidence,
            reason=f"fades {'to' if leaving else 'from'} black, {mixed.duration} frames",
            parameters={"length": length, "audio": False},
        )

    def _sequence(self, frames: int) -> int:
        return rescale_floor(frames, self.source.rate, self.sequence)

    def _unsure(self, boundary: Boundary) -> Operation:
        picture = boundary.first if boundary.kind == "fade_out" else boundary.at
        name = f"check this {boundary.kind.replace('_', '-')}: {boundary.confidence:.2f}"
        note = "The network is not certain that a shot ends here."
        return _mark(self.source, FrameRange(self.frame(picture), 1), name, note, "ORANGE")

    def _doubtful(self, doubt: Doubt) -> Operation:
        span = self.span(doubt.first, doubt.stop)
        name, note, colour = _DOUBTS[doubt.about]
        name = name.format(frames=span.duration, probability=doubt.probability)
        return _mark(self.source, replace(span, duration=max(1, span.duration)), name, note, colour)


#: Name, note and colour of the marker for each kind of doubt.
_DOUBTS = {
    "flash": ("flash?", "Bright for a moment, then the same shot: not counted as a cut.", "YELLOW"),
    "short shot": (
        "flash frames? {frames}",
        "Shorter than min_shot: left in its neighbour.",
        "PINK",
    ),
    "cut": ("a cut here? {probability:.2f}", "Not certain enough to be counted.", "CYAN"),
    "transition": (
        "a transition here? {probability:.2f}",
        "Not certain enough to be counted.",
        "CYAN",
    ),
}


def _cut(source: Source, at: int, confidence: float, reason: str) -> Operation:
    return Operation(Kind.CUT, source.id, FrameRange(at, 0), "", confidence, reason)


def _mark(source: Source, span: FrameRange, name: str, note: str, colour: str) -> Operation:
    parameters: dict[str, Value] = {"name": name, "note": note, "colour": colour}
    span = span.intersection(source.available)
    return Operation(Kind.MARK, source.id, span, reason=name, parameters=parameters)


def _head(mark: Operation) -> FrameRange:
    return FrameRange(mark.range.start, 1)
