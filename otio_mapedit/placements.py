"""What a programme is made of: placed ranges, holes, joins and marks, on two clocks.

Two clocks meet. A placed range counts frames of its source; ``record`` counts frames of the
sequence from its first one (0). A range lasts as many *whole* sequence frames as fit into it, at
its speed: ``record.duration = floor(range.duration * sequence.rate / (source.rate * speed))``. The
source frames that a last fraction of a sequence frame would show are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from .errors import DecisionListError
from .operations import DecisionList, Operation, Source
from .timing import FrameRange, exact_seconds, rescale_floor

#: Speeds that editing programs offer.
SLOWEST, FASTEST = Fraction(1, 100), Fraction(100)


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation and its place in the decision list."""

    index: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a placed range in which one stream has something: ``start`` in source frames,
    ``head`` and ``length`` in sequence frames from the beginning of the placement."""

    head: int
    length: int
    start: int


@dataclass(frozen=True, slots=True)
class Join:
    """A transition over one edge of the programme.

    ``kind`` is ``dissolve``, ``wipe`` or ``fade``; the offsets are sequence frames before and
    after the edge, as OTIO counts them. A fade between two neighbours may hold two operations:
    the fade-out of the first and the fade-in of the second.
    """

    kind: str
    in_offset: int
    out_offset: int
    listed: tuple[Listed, ...]

    @property
    def with_sound(self) -> bool:
        """Whether sound tracks take part where they can."""
        return all(item.operation.parameters.get("audio") is not False for item in self.listed)

    @property
    def with_picture(self) -> bool:
        """Whether the picture takes part; a dissolve of sound alone is a crossfade."""
        return self.kind != "dissolve" or all(
            item.operation.parameters.get("picture") is not False for item in self.listed
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """A range of a source on the timeline."""

    listed: Listed
    source: Source
    record: FrameRange
    scalar: Fraction = Fraction(1)
    enabled: bool = True
    speed: Listed | None = None
    grade: Listed | None = None
    cut: Listed | None = None
    parts: tuple[Content | None, ...] = ()  # what each stream has; see `contents`

    @property
    def range(self) -> FrameRange:
        """Source frames."""
        return self.listed.operation.range

    @property
    def rate(self) -> Fraction:
        """Source frames that pass per second of sequence."""
        return self.source.rate * abs(self.scalar)


@dataclass(frozen=True, slots=True)
class Hole:
    """A lifted range: nothing for its length."""

    listed: Listed
    record: FrameRange


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker: in the placement at ``home`` (an index into ``Programme.items``), or, with
    ``home=None``, at sequence frame ``record`` of the timeline."""

    listed: Listed
    home: int | None
    record: int


@dataclass(frozen=True, slots=True)
class Programme:
    """What a decision list plays. ``items`` follow each other without a hole; ``joins`` holds the
    transition over the edge before ``items[n]``, or after the last one, by ``n``."""

    decisions: DecisionList
    items: tuple[Placement | Hole, ...]
    joins: Mapping[int, Join]
    marks: tuple[Mark, ...]
    drops: tuple[Listed, ...]  # every drop, however it leaves

    @property
    def duration(self) -> int:
        """Sequence frames."""
        return self.items[-1].record.end if self.items else 0


def scalar_of(operation: Operation) -> Fraction:
    """The exact speed that a ``speed`` operation asks for.

    Raises:
        DecisionListError: not a usable number.
    """
    value = operation.parameters.get("scalar")
    if isinstance(value, int | float) and not isinstance(value, bool):
        scalar = exact_seconds(value)
        if SLOWEST <= abs(scalar) <= FASTEST and scalar != 1:
            return scalar
    raise DecisionListError(
        f"{value!r} is not a speed", "Write parameters.scalar as 0.01 to 100 (or minus), not 1."
    )


def frames_for(record: int, rate: Fraction, sequence: Fraction) -> int:
    """Fewest source frames, passing at ``rate``, that ``record`` sequence frames need."""
    return -rescale_floor(-record, sequence, rate)


def content(
    span: FrameRange, extent: FrameRange, source: Source, scalar: Fraction, sequence: Fraction
) -> Content | None:
    """The part of a placed range in which a stream with this extent has something.

    At the sequence's rate both edges are exact. At another rate or speed the beginning stays with
    the range even where the stream begins later (players give silence there), because a trimmed
    beginning would lie between two sequence frames and lose sync.
    """
    shared = span.intersection(extent)
    rate = source.rate * abs(scalar)
    whole = rescale_floor(span.duration, rate, sequence)
    if not shared.duration:
        return None
    if rate == sequence and scalar > 0:
        return Content(shared.start - span.start, shared.duration, shared.start)
    length = whole
    if scalar > 0 and shared.end < span.end:
        # A last sequence frame that is only partly filled counts where there is no other.
        length = min(whole, max(1, rescale_floor(shared.end - span.start, rate, sequence)))
    return Content(0, length, span.start) if length else None


def streams(source: Source) -> tuple[FrameRange | None, ...]:
    """The extents of a source by track: picture first (None without), then each sound."""
    video = source.video.extent if source.video else None
    return (video, *(stream.extent for stream in source.audio))


def contents(placement: Placement, sequence: Fraction) -> tuple[Content | None, ...]:
    """What each stream of a placement has, in the order of :func:`streams`."""
    return placement.parts or contents_of(
        placement.range, placement.source, placement.scalar, sequence
    )


def contents_of(
    span: FrameRange, source: Source, scalar: Fraction, sequence: Fraction
) -> tuple[Content | None, ...]:
    """What each stream of a source has in a range, in the order of :func:`streams`."""
    return tuple(
        None if extent is None else content(span, extent, source, scalar, sequence)
        for extent in streams(source)
    )


def covered_at_tail(
    span: FrameRange, source: Source, scalar: Fraction, sequence: Fraction, before: int, after: int
) -> FrameRange:
    """Source frames from ``before`` sequence frames before the end of a placed range to ``after``
    behind it: what a dissolve's or a fade-out's ``range`` is."""
    return _covered(span, source, scalar, sequence, (before, after), at_end=scalar > 0)


def covered_at_head(
    span: FrameRange, source: Source, scalar: Fraction, sequence: Fraction, after: int
) -> FrameRange:
    """Source frames of the first ``after`` sequence frames: what a fade-in's ``range`` is."""
    return _covered(span, source, scalar, sequence, (0, after), at_end=scalar < 0)


def _covered(
    span: FrameRange,
    source: Source,
    scalar: Fraction,
    sequence: Fraction,
    offsets: tuple[int, int],
    at_end: bool,
) -> FrameRange:
    rate = source.rate * abs(scalar)
    first, last = (frames_for(offset, rate, sequence) for offset in offsets)
    if scalar < 0:
        first, last = last, first
    edge = span.end if at_end else span.start
    return FrameRange.between(max(0, edge - first), min(source.frame_count, edge + last))
