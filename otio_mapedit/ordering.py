"""Operations of a timeline in the order of a decision list.

Placed ranges come in programme order. Between two of them stands everything that speaks about
either, and the drops; there, operations keep the places that they had in the list that the
timeline was assembled from, and new ones take their usual place.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from .attached import Entry
from .operations import Operation

#: Ranks: right behind the range before, ..., right before the next one.
DROPPED = 5
_LAST = 10**18


@dataclass
class Order:
    """Segments of a programme: ``between[0]`` before the first placed range, and so on."""

    placed: list[Entry] = field(default_factory=list)
    between: list[list[Entry]] = field(default_factory=lambda: [[]])
    fixed: list[list[Entry]] = field(default_factory=lambda: [[]])

    def place(self, entry: Entry) -> None:
        """The next kept or inserted range."""
        self.placed.append(entry)
        self.between.append([])
        self.fixed.append([])

    def show(self, entry: Entry) -> None:
        """A drop that shows on the timeline, behind what is placed so far."""
        self.fixed[-1].append(entry)

    def after(self, number: int, entry: Entry) -> None:
        """An operation about placed range ``number``, to stand behind it."""
        self.between[number + 1].append(entry)

    def before(self, number: int, entry: Entry) -> None:
        """An operation about placed range ``number``, to stand before it."""
        self.between[number].append(entry)

    def float_in(self, entries: list[Entry], otherwise: dict[int, int]) -> None:
        """Operations that do not show: each to where it stood, or, without an old place, to the
        segment that ``otherwise`` gives for its position in ``entries``."""
        stood = sorted(
            (entry.index, number)
            for number, entry in enumerate(self.placed)
            if entry.index is not None
        )
        for position, entry in enumerate(entries):
            if entry.index is None:
                segment = otherwise.get(position, len(self.placed))
            else:
                at = bisect_right(stood, (entry.index, _LAST))
                segment = self._past_new(entry, stood[at - 1][1] + 1 if at else 0)
            self.between[segment].append(entry)

    def _past_new(self, entry: Entry, segment: int) -> int:
        """Behind new ranges (a clip that was cut in two) that come first in the source too."""
        source, start = entry.operation.source, entry.operation.range.start
        for placed in self.placed[segment:]:
            other = placed.operation
            if placed.index is not None or other.source != source or other.range.end > start:
                break
            segment += 1
        return segment

    def operations(self) -> list[Operation]:
        """Everything in order."""
        result: list[Operation] = []
        for number, (loose, fixed) in enumerate(zip(self.between, self.fixed, strict=True)):
            result += [entry.operation for entry in _sorted(loose, fixed)]
            if number < len(self.placed):
                result.append(self.placed[number].operation)
        return result


def _sorted(loose: list[Entry], fixed: list[Entry]) -> list[Entry]:
    """A segment in its old order; ``fixed`` keep their order among themselves."""
    keyed = []
    reached = -1
    for entry in fixed:
        reached = max(reached, entry.index if entry.index is not None else reached)
        keyed.append((reached, DROPPED, entry))
    for entry in loose:
        place = -1 if entry.rank <= DROPPED else _LAST
        keyed.append((place if entry.index is None else entry.index, entry.rank, entry))
    return [entry for *_, entry in sorted(keyed, key=lambda item: item[:2])]
