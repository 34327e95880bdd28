"""The options of a rough cut that come nearest to finished timelines, found by trying.

What the lessons amount to, the defaults and the paces are starting points; the best of them is
bent, option by option, first in coarse steps and then in steps that halve (coordinate descent with
pattern search, Hooke and Jeeves 1961). How loud and how long a sound must be is meaningless one
without the other, so that these are tried together. A change must take away a share of what is
still wrong: a tenth of a frame in one cut is no habit. The more may be bent, the more is found by
chance, so that there are several ``MODELS``, of which whoever leaves timelines out can choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from ..config import make_options
from ..inference import Predictions
from ..recipes import roughcut
from ..recipes.selection import kept_ranges
from ..solve import union
from ..style import PACED, Leaning
from ..timing import FrameRange, parse_length, seconds_at
from .habits import Habits
from .lessons import Lesson

Texts = Mapping[str, str]

_TIMING: tuple[Mapping[str, tuple[str, ...]], ...] = (
    {"margin_before": ("0s", "0.1s", "0.2s", "0.4s", "0.8s")},
    {"margin_after": ("0s", "0.1s", "0.2s", "0.4s", "0.8s", "1.6s")},
    {"min_pause": ("0.1s", "0.2s", "0.4s", "0.8s", "1.6s", "3.2s")},
    {"min_shot": ("0.2s", "0.5s", "1s", "2s")},
)
_SOUNDS: Mapping[str, tuple[str, ...]] = {
    "sounds": ("clear", "all"),
    "sound_level": ("-4", "-8", "-12", "-16", "-20"),
    "min_sound": ("0.2s", "0.4s", "0.8s", "1.6s"),
}
#: What may be bent, from the simplest: nothing, when the cuts fall, which sounds stay as well. Of
#: each what is tried first, option by option or several at once.
MODELS: Mapping[str, tuple[Mapping[str, tuple[str, ...]], ...]] = {
    "general": (),
    "timing": _TIMING,
    "sounds": (_SOUNDS, *_TIMING),
}
#: Options that are searched for.
SEARCHED = (*(name for block in _TIMING for name in block), *_SOUNDS)
#: What the general rough cut does, where a style says nothing.
GENERAL: Texts = {
    **dict(zip(PACED, map(str, roughcut.PACES["natural"]), strict=True)),
    "min_shot": "0.5s",
}
#: Where everything that is loud enough stays, pauses are short: far from the general rough cut.
_EVERY_SOUND: Texts = {
    "sounds": "all",
    "sound_level": "-12",
    "min_sound": "0.4s",
    "min_pause": "0.2s",
}
#: Options that are a limit, which lies anywhere between two lengths that were seen.
_LIMITS = ("min_pause", "min_shot")
#: What anyone would ask for: lowest and highest.
_BOUNDS = {
    "margin_before": (0.0, 2.0),
    "margin_after": (0.0, 2.0),
    "min_pause": (0.04, 5.0),
    "min_shot": (0.1, 5.0),
    "sound_level": (-30.0, 0.0),
    "min_sound": (0.1, 5.0),
}
#: Smallest step that an option is bent by: 0.02 s is half a frame, 1 dB hardly heard.
_FINEST_SECONDS, _FINEST_LEVEL = 0.02, 1.0
#: First step of the finer search: a share of the value, but at least this.
_SHARE, _FIRST_SECONDS, _FIRST_LEVEL = 0.5, 0.08, 2.0
_ROUNDS = 3
#: What a change must take away of the disagreement: this share, and so much at least.
_WORTH, _LEAST_WORTH = 0.03, 0.0002
#: Disagreements that differ by less are the same.
_SAME = 1e-9
#: What a frame of error counts beside F1.
PER_FRAME = 0.0005
#: What a cut without counterpart counts as, in seconds.
_FAR = Fraction(1)


@dataclass(frozen=True)
class Taught:
    """A timeline with its media at hand: the lesson, and what was kept of each media."""

    lesson: Lesson
    known: tuple[Predictions, ...]
    kept: tuple[tuple[FrameRange, ...], ...]  # in frames of each media
    offline: tuple[str, ...] = ()  # media that was not to be found
    changed: tuple[str, ...] = ()  # media that is not what the timeline was cut from
    looked_at: tuple[FrameRange, ...] = ()  # the part of each media that counts; empty: all of it

    def halves(self) -> tuple[Taught, Taught]:
        """The same with only the first, and only the second half of each media looked at."""
        parts = []
        for number in range(2):
            spans = []
            for each in self.known:
                middle, count = each.media.frame_count // 2, each.media.frame_count
                spans.append(FrameRange.between(*((0, middle), (middle, count))[number]))
            parts.append(replace(self, looked_at=tuple(spans)))
        return parts[0], parts[1]


@dataclass(frozen=True)
class Fit:
    """How near a way of cutting comes to a human's: F1 of kept time, and the mean distance of the
    human's cuts to the nearest cut, in frames (at most a second)."""

    f1: float
    error: float

    @property
    def disagreement(self) -> float:
        """What is wrong in one number: 0 where nothing is."""
        return 1 - self.f1 + PER_FRAME * self.error


class Trials:
    """Fits of options that were tried already, by timeline: leaving one of several timelines out
    tries mostly the same options on the others."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Fit] = {}
        self._judged: dict[int, dict[Any, Any]] = {}
        self._leaning: Leaning | None = None
        self._options: dict[tuple[tuple[str, str], ...], Any] = {}

    def fit(self, taught: Taught, options: Texts, leaning: Leaning | None) -> Fit:
        """As :func:`fit_with`."""
        said = tuple(sorted(options.items()))
        key = (taught.lesson.identity, taught.looked_at, said, leaning)
        if key not in self._known:
            if leaning != self._leaning:  # what was judged by another is needed no more
                self._judged, self._leaning = {}, leaning
            if said not in self._options:
                self._options[said] = make_options(roughcut.Options, options)
            chosen = self._options[said]
            self._known[key] = fit_with(taught, chosen, leaning, self._judged)
        return self._known[key]


def tuned(
    found: Habits,
    taught: Sequence[Taught],
    model: str,
    leaning: Leaning | None = None,
    trials: Trials | None = None,
) -> Habits:
    """``found`` with the options that come nearest to the timelines at hand, for a rough cut with
    this ``leaning``; ``model`` says which of them may be bent."""
    rest = {key: text for key, text in found.options.items() if key not in SEARCHED}
    if model == "general" or not taught:
        return Habits(rest, found.leaning)
    known = trials or Trials()

    def wrong(options: Texts) -> float:
        fits = [known.fit(each, {**rest, **options}, leaning) for each in taught]
        return sum(fit.disagreement for fit in fits) / len(fits)

    habit = {key: found.options[key] for key in SEARCHED if key in found.options}
    paces = [{**GENERAL, **_paced(pace)} for pace in roughcut.PACES]
    starts = [GENERAL, _best([{**GENERAL, **habit}, *paces], GENERAL, wrong)[0]]
    now = _from(starts, _TIMING, GENERAL, wrong)
    if model == "sounds":
        now = _from([now, {**now, **_EVERY_SOUND}], MODELS[model], now, wrong)
    now = pulled_back(now, wrong)
    changed = {key: text for key, text in now.items() if text != GENERAL.get(key)}
    return Habits({**rest, **changed}, found.leaning)


Blocks = Sequence[Mapping[str, tuple[str, ...]]]


def _from(
    starts: Sequence[Texts], blocks: Blocks, now: Texts, wrong: Callable[[Texts], float]
) -> Texts:
    """The best that is reached from any of some starts, if it is worth leaving ``now`` for it."""
    ends = [_descended(start, blocks, wrong) for start in _different(starts)]
    return _best(ends, now, wrong)[0]


def _descended(start: Texts, blocks: Blocks, wrong: Callable[[Texts], float]) -> Texts:
    """The best that is reached from a start."""
    best, reached = start, wrong(start)
    for _ in range(_ROUNDS):
        before = reached
        for block in blocks:
            tries = [
                {**best, **dict(zip(block, texts, strict=True))}
                for texts in product(*block.values())
            ]
            best, reached = _best(tries, best, wrong)
        best, reached = _finer(best, wrong)
        if reached >= before:
            break
    return best


def _different(starts: Sequence[Texts]) -> list[Texts]:
    return [start for number, start in enumerate(starts) if start not in starts[:number]]


def _best(
    tries: Iterable[Texts], now: Texts, wrong: Callable[[Texts], float]
) -> tuple[Texts, float]:
    """The best of some tries, if it is worth leaving ``now`` for it, and what is wrong there."""
    still = wrong(now)
    found = min(tries, key=wrong)
    reached = wrong(found)
    worth = max(_LEAST_WORTH, _WORTH * still)
    return (found, reached) if reached < still - worth else (now, still)


def _finer(best: Texts, wrong: Callable[[Texts], float]) -> tuple[Texts, float]:
    """Each number that was found bent in steps that halve."""
    for name in [name for name in SEARCHED if name in best and name != "sounds"]:
        level = name == "sound_level"
        finest = _FINEST_LEVEL if level else _FINEST_SECONDS
        low, high = _BOUNDS[name]
        at = _number_of(name, best[name])
        step = _FIRST_LEVEL if level else max(_FIRST_SECONDS, _SHARE * at)
        while step >= finest:
            tries = [
                {**best, name: _text_of(name, value)}
                for value in (at - step, at + step)
                if low <= value <= high
            ]
            best, _ = _best(tries, best, wrong)
            moved = _number_of(name, best[name])
            step, at = (step, moved) if moved != at else (step / 2, at)
    return best, wrong(best)


def pulled_back(found: Texts, wrong: Callable[[Texts], float]) -> Texts:
    """Each limit as near to the general rough cut's as is as good. Where a human's shortest pause
    lies between two that were seen, anything between them fits what was seen; what goes furthest
    would take out of the next film what nobody ever took out. (Margins show at every cut.)"""
    now, most = found, wrong(found) + _SAME
    for name in _LIMITS:
        far, near = _number_of(name, now[name]), _number_of(name, GENERAL[name])
        reach = near - far
        while abs(reach) >= _FINEST_SECONDS / 2:
            tried = {**now, name: _text_of(name, far + reach)}
            if wrong(tried) <= most:
                now, far = tried, far + reach
            reach = min(reach / 2, near - far, key=abs)
    return now


def _number_of(name: str, text: str) -> float:
    return float(text) if name == "sound_level" else _plain(parse_length(text).seconds)


def _text_of(name: str, value: float) -> str:
    if name == "sound_level":
        return f"{value:g}"
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def blended(old: Texts, absent: int, new: Texts, present: int) -> dict[str, str]:
    """Options learned from ``present`` timelines beside those of ``absent`` ones whose media is not
    at hand: every timeline counts alike. What is counted rather than tried is that of ``new``,
    which was counted in all of them."""
    made = {name: text for name, text in new.items() if name not in SEARCHED}
    for name in GENERAL:
        before, now = (options.get(name, GENERAL[name]) for options in (old, new))
        value = absent * _number_of(name, before) + present * _number_of(name, now)
        text = _text_of(name, round(value / (absent + present), 3))
        if before != GENERAL[name] or now != GENERAL[name]:
            made[name] = text
    more = new if present >= absent else old
    return made | {name: more[name] for name in _SOUNDS if name in more}


def halved(found: Texts) -> dict[str, str]:
    """Half the way from the general rough cut to the options that were found. Which sounds stay is
    nothing that could be halved; that stays as it is in general."""
    numbers = {name: text for name, text in found.items() if name not in _SOUNDS}
    return blended({}, 1, numbers, 1)


def _paced(pace: str) -> dict[str, str]:
    """A pace as the options that it stands for."""
    return dict(zip(PACED, map(str, roughcut.PACES[pace]), strict=True))


def fit_with(
    taught: Taught,
    options: Any,
    leaning: Leaning | None = None,
    judged: dict[int, dict[Any, Any]] | None = None,
) -> Fit:
    """How near a rough cut with these options comes to what the human kept. ``judged`` remembers
    what other options need as well, by the identity of the media's predictions."""
    memory: dict[int, dict[Any, Any]] = {} if judged is None else judged
    shared = ours = theirs = Fraction(0)
    distances: list[Fraction] = []
    for number, (known, kept) in enumerate(zip(taught.known, taught.kept, strict=True)):
        rate = known.media.rate
        manner = replace(roughcut.manner(options), leaning=leaning)
        cut = union(kept_ranges(known, manner, rate, memory.setdefault(id(known), {})))
        seen = taught.looked_at[number] if taught.looked_at else known.media.available
        cut, wanted = _within(cut, seen), _within(kept, seen)
        ours += seconds_at(sum(span.duration for span in cut), rate)
        theirs += seconds_at(sum(span.duration for span in wanted), rate)
        shared += seconds_at(_shared(cut, wanted), rate)
        distances += _distances(cut, wanted, seen, rate)
    both = ours + theirs
    mean = sum(distances, Fraction(0)) / len(distances) if distances else Fraction(0)
    return Fit(_plain(2 * shared / both) if both else 1.0, _plain(mean))


def _within(spans: Sequence[FrameRange], seen: FrameRange) -> list[FrameRange]:
    """What of some ranges is looked at."""
    parts = (span.intersection(seen) for span in spans)
    return [part for part in parts if part.duration]


def _shared(one: Sequence[FrameRange], other: Sequence[FrameRange]) -> int:
    """Frames in both; each is rising and without overlap."""
    total = at = 0
    for span in one:
        while at < len(other) and other[at].end <= span.start:
            at += 1
        for its in other[at:]:
            if its.start >= span.end:
                break
            total += span.intersection(its).duration
    return total


def _distances(
    cut: Sequence[FrameRange], kept: Sequence[FrameRange], seen: FrameRange, rate: Fraction
) -> Iterable[Fraction]:
    """Frames from each of the human's cuts to the nearest of the same kind, at most a second."""
    most = _FAR * rate
    for edge in ("start", "end"):
        limit = getattr(seen, edge)
        places = [getattr(span, edge) for span in cut]
        for span in kept:
            at = getattr(span, edge)
            if at != limit:
                yield min([most, *(Fraction(abs(place - at)) for place in places)])


def _plain(value: Fraction) -> float:
    return value.numerator / value.denominator
