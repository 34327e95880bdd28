"""Measuring the shots that are found in generated edits, whose truth is exact.

What people labelled says little about gradual transitions, which are rare in it. Here every kind
occurs, its extent is known to the frame, and an hour of film without a single boundary shows how
often one is seen that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from ..shot_list import Boundary
from ..spec import KINDS
from . import unedit
from .corpus import Corpus, Pixels
from .evaluate import Score, Shots, match, shots_from_probabilities

TEST_SEED, UNCUT_SEED = 2_000_003, 2_000_029
"""Seeds of the edits and of the uncut film that are measured; training uses neither."""
NAMES = ("cut", "dissolve", "wipe", "fade")
"""What a boundary is called here; a dip through a colour is a fade."""
PLAYED = 25
"""Frames of generated film in a second, for counting by the hour."""

Finder = Callable[[Pixels], tuple[Shots, Sequence[Boundary]]]
"""Finds the pure shots and the boundaries of frames ``(n, 27, 48, 3)``."""


@dataclass
class KindScore:
    """How one kind of boundary fared: true ones ``there`` were, ``found`` by any name, ``named``
    rightly; ``said`` counts the found ones of that name, true or not. ``ends`` are the errors of
    in and out points of the gradual ones that were found, in frames."""

    there: int = 0
    found: int = 0
    named: int = 0
    said: int = 0
    ends: list[float] = field(default_factory=list)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, the name counted as part of the answer."""
        whole = self.there + self.said
        return 2 * self.named / whole if whole else 1.0

    @property
    def end_error(self) -> float | None:
        """Median error of an in or out point in frames; None where there is none."""
        return median(self.ends) if self.ends else None


@dataclass(frozen=True)
class Generated:
    """Counts over all edits by tolerance, by kind, and the false alarms in the uncut film."""

    total: dict[int, Score]
    kinds: dict[str, KindScore]
    false_alarms: int
    uncut_frames: int

    @property
    def false_per_hour(self) -> float:
        """False alarms in an hour of uncut film at ``PLAYED`` frames a second."""
        return self.false_alarms * 3600 * PLAYED / max(1, self.uncut_frames)


def measure(
    corpus: Corpus,
    find: Finder,
    edits: int = 120,
    uncut_frames: int = 3600 * PLAYED,
    length: int = 512,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Generated:
    """Find shots in ``edits`` edits of ``length`` frames and in ``uncut_frames`` of uncut film."""
    total = {tolerance: Score() for tolerance in (0, 1, 2)}
    kinds = {name: KindScore() for name in NAMES}
    pieces = -(-uncut_frames // length)
    for index in range(edits):
        edit = unedit.example(corpus, TEST_SEED, index, length)
        truth = shots_from_probabilities(edit.cut.astype(float), edit.transition.astype(float))
        found, boundaries = find(edit.frames)
        for tolerance in total:
            total[tolerance] += _counted(truth, found, tolerance)
        _by_kind(kinds, edit, truth, found, boundaries)
        progress(index + 1, edits + pieces)
    false_alarms = 0
    for index in range(pieces):
        film = unedit.example(corpus, UNCUT_SEED, index, length, uncut=True)
        false_alarms += max(0, len(find(film.frames)[0]) - 1)
        progress(edits + index + 1, edits + pieces)
    return Generated(total, kinds, false_alarms, pieces * length)


def _counted(truth: Shots, found: Shots, tolerance: int) -> Score:
    matched = match(truth, found, tolerance)
    return Score(len(matched.pairs), len(matched.missed), len(matched.false))


def _by_kind(
    kinds: dict[str, KindScore],
    edit: unedit.Example,
    truth: Shots,
    found: Shots,
    boundaries: Sequence[Boundary],
) -> None:
    matched = match(truth, found)
    true_names = [_true_name(edit, *stretch) for stretch in matched.true]
    said_names = [_said_name(boundaries, *stretch) for stretch in matched.found]
    for name in true_names:
        kinds[name].there += 1
    for name in said_names:
        kinds[name].said += 1
    for true, said in matched.pairs:
        score = kinds[true_names[true]]
        score.found += 1
        score.named += true_names[true] == said_names[said]
        if true_names[true] != "cut" and said_names[said] != "cut":
            score.ends += list(_apart(matched.true[true], matched.found[said]))


def _apart(one: tuple[float, float], other: tuple[float, float]) -> Iterator[float]:
    return (abs(mine - theirs) for mine, theirs in zip(one, other, strict=True))


def _true_name(edit: unedit.Example, low: float, high: float) -> str:
    """The kind of most frames of a true boundary."""
    if low == high:
        return "cut"
    seen = edit.kind[int(low + 0.5) : int(high + 0.5)]
    counts = np.bincount(seen, minlength=len(KINDS))
    counts[[KINDS.index("none"), KINDS.index("cut")]] = 0
    return KINDS[int(counts.argmax())].split("_", maxsplit=1)[0]


def _said_name(boundaries: Sequence[Boundary], low: float, high: float) -> str:
    """What the boundaries that make up a found stretch are called, the longest of them first."""
    within = [each for each in boundaries if each.first >= low - 1 and each.stop <= high + 1]
    if not within:
        return "cut"
    longest = max(within, key=lambda each: each.stop - each.first)
    if longest.plain:
        return "fade"
    return longest.kind.split("_", maxsplit=1)[0]
