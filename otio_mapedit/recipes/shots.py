"""The shots of an edited file: one clip per shot, transitions with their true length.

The file is cut where its editor cut it, so the timeline plays like the file and every shot can be
graded, relinked to its rushes, translated or searched on its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..config import option
from ..errors import OptionError
from ..inference import Predictions
from ..media import MediaInfo
from ..operations import DecisionList, Kind, Operation, Source
from ..shot_boundaries import find_shots
from ..sources import sources_of
from ..timing import FrameRange, Length
from . import Need
from .footage import generator, option_values, sequence_clock, title
from .shot_layout import Layout, cut_at, marker
from .signed import signed

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
    fast: bool = option(
        False,
        "decode only as much as packets, keyframes and a second look ask for, "
        "and coarsely: faster, nearly always the same answer",
    )
    review: float = option(
        0.8, "what is less certain than this gets a marker; 0 for none", parse=_share
    )
    style: str = option(
        "", "shortest shot and transitions of this editor: a style that mapedit learn has learned"
    )


def needs(media: MediaInfo, options: Options) -> frozenset[Need]:
    """The shot network's answer, where there is a picture."""
    if not media.picture:
        return frozenset()
    return frozenset({Need.FAST_SHOTS if options.fast else Need.SHOTS})


def decide(predictions: Sequence[Predictions], options: Options) -> DecisionList:
    """One ``keep`` per shot in the order of the files, and what joins them."""
    footage = [known.media for known in predictions]
    clock = sequence_clock(footage)
    sources = sources_of(footage)
    operations: list[Operation] = []
    for source, known in zip(sources, predictions, strict=True):
        if operations and operations[-1].kind is not Kind.DROP:
            operations.append(cut_at(source, 0, 1.0, "next file"))
        operations += _file(source, known, options, clock.rate)
    return DecisionList(
        name=title(footage),
        rate=clock.rate,
        sources=sources,
        operations=tuple(
            replace(operation, id=f"s{number:04d}")
            for number, operation in enumerate(signed(operations, NAME, options), start=1)
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
        yield marker(source, FrameRange(0, 1), "no picture", "This file has only sound.", "CYAN")
        return
    found = find_shots(
        known.shots,
        sensitivity=options.sensitivity,
        min_frames=options.min_shot.at(source.rate),
    )
    layout = Layout(
        source,
        known.shots,
        found,
        sequence,
        transitions=options.transitions == "keep",
        black=options.black,
        review=options.review,
    )
    stretches = layout.stretches()
    marks = deque(layout.marks())
    for number, stretch in enumerate(stretches):
        yield from layout.placed(stretches[number - 1] if number else None, stretch)
        while marks and marks[0].range.start < stretch.range.end:
            yield marks.popleft()
