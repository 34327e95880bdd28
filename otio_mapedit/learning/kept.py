"""How far two edits agree: seconds of media that either keeps, and that both keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .same_media import Aligned, Placed
from .uses import Span


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two edits agree. ``kept`` are seconds of media: of the proposed edit, of the
    human's, and of both; ``boundary`` the distances of the ends of passages that were kept, in
    frames."""

    kept: tuple[Fraction, Fraction, Fraction]
    boundary: tuple[int, ...] = ()

    @property
    def precision(self) -> float:
        """The part of the proposed edit that the human kept; 1 where nothing was proposed."""
        return float(self.kept[2] / self.kept[0]) if self.kept[0] else 1.0

    @property
    def recall(self) -> float:
        """The part of the human's edit that was proposed; 1 where the human kept nothing."""
        return float(self.kept[2] / self.kept[1]) if self.kept[1] else 1.0

    @property
    def f1(self) -> float:
        """Twice what is shared, over both (Dice 1945; the F1 of kept time)."""
        both = self.kept[0] + self.kept[1]
        return float(2 * self.kept[2] / both) if both else 1.0

    @property
    def mean_error(self) -> float:
        """Mean distance of kept ends in frames."""
        return sum(self.boundary) / len(self.boundary) if self.boundary else 0.0


def kept_seconds(aligned: Aligned) -> tuple[Fraction, Fraction, Fraction]:
    """Seconds of media that each edit keeps, and that both keep; sound counts where a media has
    no picture in either."""
    pictured = {p.media for p in (*aligned.first, *aligned.second) if p.use.picture}
    first, second = (
        _unions(
            placed
            for placed in placed_uses
            if placed.use.enabled and placed.use.picture is (placed.media in pictured)
        )
        for placed_uses in (aligned.first, aligned.second)
    )
    both = sum(
        (
            one.shared(other)
            for media, spans in first.items()
            for one, other in _meeting(spans, second.get(media, []))
        ),
        Fraction(0),
    )
    return _total(first), _total(second), both


def _total(kept: dict[int, list[Span]]) -> Fraction:
    return sum((span.length for spans in kept.values() for span in spans), Fraction(0))


def _unions(placed: Iterable[Placed]) -> dict[int, list[Span]]:
    """What is used of every media, as spans that do not overlap."""
    spans: dict[int, list[Span]] = {}
    for one in sorted(placed, key=lambda item: item.source.start):
        known = spans.setdefault(one.media, [])
        if known and one.source.start <= known[-1].end:
            known[-1] = Span(known[-1].start, max(known[-1].end, one.source.end))
        else:
            known.append(one.source)
    return spans


def _meeting(ours: Sequence[Span], theirs: Sequence[Span]) -> Iterator[tuple[Span, Span]]:
    """Spans of two rising lists that overlap."""
    begin = 0
    for one in ours:
        while begin < len(theirs) and theirs[begin].end <= one.start:
            begin += 1
        for other in theirs[begin:]:
            if other.start >= one.end:
                break
            yield one, other
