"""Which passage of one edit became which of another.

Two passages can be the same where they show the same moments of the same media. Of all such pairs
the heaviest chain that keeps both orders is what stayed in place; what else can be paired was
moved. The chain is a longest common subsequence weighted by shared time, found by a dynamic
programme over a prefix-maximum tree (Fenwick 1994) in O(n log n) for n pairs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .same_media import Placed

#: Most partners that are considered for one passage: material that is repeated more often than
#: this is taken in order.
MOST_PARTNERS = 24
#: A pair shares at least this much of its shorter passage.
LEAST_SHARE = Fraction(1, 4)
#: What the same operation id, and each edge that did not move, add to a pair's shared seconds.
_SAME_ID, _SAME_EDGE = Fraction(1000), Fraction(2)


@dataclass(frozen=True, slots=True)
class Pair:
    """Passage ``one`` of the first edit is, at least partly, ``other`` of the second."""

    one: int
    other: int
    weight: Fraction

    @property
    def apart(self) -> tuple[int, int]:
        """How far apart the two lie in their edits; of equal ones the nearest counts."""
        return abs(self.other - self.one), self.other


def candidates(first: Sequence[Placed], second: Sequence[Placed]) -> list[Pair]:
    """Every pair that shows the same moments; for one passage at most the best few."""
    by_media: dict[int, list[int]] = {}
    for number, placed in enumerate(second):
        by_media.setdefault(placed.media, []).append(number)
    pairs: list[Pair] = []
    for numbers in by_media.values():
        numbers.sort(key=lambda number: second[number].source.start)
    starts = {
        media: [second[number].source.start for number in numbers]
        for media, numbers in by_media.items()
    }
    longest = {
        media: max(second[number].source.length for number in numbers)
        for media, numbers in by_media.items()
    }
    for one, placed in enumerate(first):
        numbers = by_media.get(placed.media, [])
        if not numbers:
            continue
        begin = bisect_left(starts[placed.media], placed.source.start - longest[placed.media])
        end = bisect_left(starts[placed.media], placed.source.end)
        near = numbers[begin:end]
        if (
            len(near) > 4 * MOST_PARTNERS
        ):  # the same moments again and again: those in the same place
            near = sorted(near, key=lambda other: abs(other - one))[: 4 * MOST_PARTNERS]
        found = [_pair(one, other, placed, second[other]) for other in near]
        kept = sorted((pair for pair in found if pair), key=lambda pair: (-pair.weight, pair.apart))
        pairs += kept[:MOST_PARTNERS]
    return pairs


def _pair(one: int, other: int, mine: Placed, its: Placed) -> Pair | None:
    shared = mine.source.shared(its.source)
    shorter = min(mine.source.length, its.source.length)
    same_id = bool(mine.use.id) and mine.use.id == its.use.id
    if not shared or (shared < LEAST_SHARE * shorter and not same_id):
        return None
    near = 1 / (2 * mine.use.rate)
    weight = shared
    weight += _SAME_EDGE * (abs(mine.source.start - its.source.start) < near)
    weight += _SAME_EDGE * (abs(mine.source.end - its.source.end) < near)
    weight += _SAME_ID * same_id
    if mine.use.enabled and not its.use.enabled:
        weight /= 4
    return Pair(one, other, weight)


def heaviest_chain(
    pairs: Sequence[Pair], first: Sequence[int], second: Sequence[int]
) -> list[Pair]:
    """The pairs, each passage in at most one, that keep both orders and weigh most together.

    ``first`` and ``second`` are the ranks of the passages of either edit in its order, from 0.
    """
    # Of one passage the later partners come first, so that none builds on another of them.
    ordered = sorted(pairs, key=lambda pair: (first[pair.one], -second[pair.other]))
    best: list[tuple[Fraction, int]] = [(Fraction(0), -1)] * (len(second) + 1)
    before = [-1] * len(ordered)
    top = (Fraction(0), -1)
    for number, pair in enumerate(ordered):
        rank = second[pair.other]
        weight, before[number] = _prefix(best, rank)
        entry = (weight + pair.weight, number)
        at = rank + 1
        while at < len(best):
            if best[at][0] < entry[0]:
                best[at] = entry
            at += at & -at
        if entry[0] > top[0]:
            top = entry
    chain, number = [], top[1]
    while number >= 0:
        chain.append(ordered[number])
        number = before[number]
    return chain[::-1]


def _prefix(best: list[tuple[Fraction, int]], at: int) -> tuple[Fraction, int]:
    """The heaviest chain that ends before passage ``at``."""
    found = (Fraction(0), -1)
    while at > 0:
        if best[at][0] > found[0]:
            found = best[at]
        at -= at & -at
    return found


@dataclass(frozen=True, slots=True)
class Matching:
    """Partners of every passage of the first edit, in order, and which of them were moved."""

    partners: dict[int, list[int]]
    moved: frozenset[tuple[int, int]]

    def of_second(self) -> dict[int, list[int]]:
        """The same, by passage of the second edit."""
        found: dict[int, list[int]] = {}
        for one, others in self.partners.items():
            for other in others:
                found.setdefault(other, []).append(one)
        return found


def match(first: Sequence[Placed], second: Sequence[Placed]) -> Matching:
    """Pair the passages of two edits.

    Two orders are tried, and the one that explains more counts: that of the record, in which a
    clip may change its track, and that of each track by itself, in which one track may be changed
    without the others.
    """
    pairs = candidates(first, second)
    orders = [(_ranks(first, by_track), _ranks(second, by_track)) for by_track in (False, True)]
    chains = [(heaviest_chain(pairs, *ranks), ranks) for ranks in orders]
    weights = [sum((pair.weight for pair in chain), Fraction(0)) for chain, _ in chains]
    best = [found for found, weight in zip(chains, weights, strict=True) if weight == max(weights)]
    kept = [_Order(chain, *ranks) for chain, ranks in best]
    taken = _Taken(first, second)
    for pair in best[0][0]:
        taken.take(pair)
    moved = set()
    rest = sorted(
        (pair for pair in pairs if pair.one not in taken.first or pair.other not in taken.second),
        key=lambda pair: (-pair.weight, pair.one, pair.other),
    )
    # Pieces of what was split or joined first, then what lies elsewhere now.
    in_place = [pair for pair in rest if any(order.fits(pair) for order in kept)]
    stayed = {(pair.one, pair.other) for pair in in_place}
    for pair in [*in_place, *rest]:
        known, fresh = (pair.one, pair.other), pair.one not in taken.first
        if (fresh or pair.other not in taken.second) and taken.take(pair) and known not in stayed:
            moved.add(known)
    partners = {
        one: sorted(others, key=lambda other: second[other].use.record.start)
        for one, others in taken.first.items()
    }
    return Matching(partners, frozenset(moved))


def _ranks(passages: Sequence[Placed], by_track: bool) -> list[int]:
    """The place of each passage in the order of the record, or of each track by itself."""

    def key(number: int) -> tuple[int, Fraction, int]:
        use = passages[number].use
        return (use.layer if by_track else 0, use.record.start, use.layer)

    ranks = [0] * len(passages)
    for rank, number in enumerate(sorted(range(len(passages)), key=key)):
        ranks[number] = rank
    return ranks


class _Order:
    """The chain, as the order that whatever stayed in place keeps."""

    def __init__(self, chain: Sequence[Pair], first: Sequence[int], second: Sequence[int]) -> None:
        self.first, self.second = first, second
        self.links = [(first[pair.one], second[pair.other]) for pair in chain]

    def fits(self, pair: Pair) -> bool:
        """Whether a pair could be a further piece of a passage at its place in the chain."""
        one, other = self.first[pair.one], self.second[pair.other]
        at = bisect_left(self.links, (one, 0))
        if at and self.links[at - 1][1] > other:
            return False
        while at < len(self.links) and self.links[at][0] == one:
            at += 1
        return at == len(self.links) or self.links[at][1] >= other


class _Taken:
    """Pairs so far. No moment of a passage is matched twice."""

    def __init__(self, first: Sequence[Placed], second: Sequence[Placed]) -> None:
        self.passages = (first, second)
        self.first: dict[int, list[int]] = {}
        self.second: dict[int, list[int]] = {}

    def take(self, pair: Pair) -> bool:
        """Take a pair in, unless what it shares is matched already."""
        first, second = self.passages
        mine, its = first[pair.one].source, second[pair.other].source
        near = 1 / first[pair.one].use.rate
        start, end = max(mine.start, its.start), min(mine.end, its.end)
        for other in self.first.get(pair.one, []):
            known = second[other].source
            if min(end, known.end) - max(start, known.start) >= near:
                return False
        for one in self.second.get(pair.other, []):
            known = first[one].source
            if min(end, known.end) - max(start, known.start) >= near:
                return False
        self.first.setdefault(pair.one, []).append(pair.other)
        self.second.setdefault(pair.other, []).append(pair.one)
        return True
