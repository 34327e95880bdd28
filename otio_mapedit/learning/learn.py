"""Learning a style from finished timelines, and saying honestly whether anything was learned.

Each timeline is left out once: what the others teach cuts its media, and so do the general
defaults; both are held against the human's cut. How much the leaning is trusted is chosen by the
same measure, and where no trust does better than none, it gets none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import opentimelineio as otio

from .. import __version__
from ..errors import FormatError, MediaError
from ..inference import Predictions
from ..media import probe
from ..pipeline import Tools, predict
from ..recipes import recipe, roughcut
from ..style import Leaning, Style
from .at_hand import fits, kept_ranges, media_paths
from .habits import habits, recipe_options
from .lessons import Lesson, lesson_of
from .tuning import MODELS, Fit, Taught, Trials, blended, halved, tuned
from .uses import uses_of

#: How much a leaning may be trusted.
TRUSTS = (0.0, 0.3, 0.6, 1.0)
#: What a richer model, and trusting a leaning, must take away of what is wrong in general.
_RICH, _LEANING = 0.02, 0.1
#: How much what was left out counts beside what was learned from.
_LEFT_OUT = 0.632
#: Disagreement that is none, that is nearly none, and how much worse than in general one timeline
#: may count.
_RIGHT, _NEARLY_RIGHT, _WORST = 0.001, 0.01, 2.0
#: Of this many that are left out one may become worse by what the others teach.
_MOST_WORSE = 4
#: Most times that something is left out: of more timelines several at once.
_MOST_FOLDS = 6


@dataclass(frozen=True)
class LeftOut:
    """A timeline that was left out, cut in the general way and as the others teach."""

    name: str
    general: Fit
    learned: Fit


@dataclass(frozen=True)
class Learned:
    """The new style, and what leaving each timeline out showed. ``unchanged`` are timelines that
    were known already, ``corrected`` those that replaced an older version of themselves."""

    style: Style
    left_out: tuple[LeftOut, ...]
    unchanged: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()  # the same edit as which other timeline

    @property
    def validated(self) -> bool:
        """Whether more than one timeline could be left out in turn."""
        return len(self.left_out) > 1


def taught_by(
    timeline: otio.schema.Timeline, path: Path, also: Sequence[Path], tools: Tools
) -> Taught:
    """Hear and see the media of a timeline.

    ``also`` are folders in which media is looked for by name.

    Raises:
        FormatError: none of its media is at hand, or none has sound. ModelError: see
        :func:`otio_mapedit.pipeline.predict`.
    """
    uses = uses_of(timeline)
    chosen = recipe(roughcut.NAME)
    known: dict[str, Predictions] = {}
    offline, changed = [], []
    for key, place in media_paths(uses, path.absolute().parent, also).items():
        try:
            if place is None:
                raise MediaError(Path(key), "is not to be found")
            media = probe(place)
            if not fits(uses, key, media):
                changed.append(place.name)
                continue
            known[key] = predict(media, chosen, roughcut.Options(), tools)
        except MediaError:
            offline.append(Path(key.removeprefix("?")).name)
    if not known and changed:
        raise FormatError(
            f"{path}: {changed[0]} is not the media that it was cut from, so it teaches nothing",
            "Put the original in its place, or say where it lies with --media FOLDER.",
        )
    if not known:
        raise FormatError(
            f"{path}: none of its media is at hand, so it teaches nothing",
            "Say where it lies with --media-root FROM=TO or --media FOLDER.",
        )
    try:
        lesson = lesson_of(timeline, path, known)
    except ValueError as fault:
        raise FormatError(f"{path}: {fault}", "Give a timeline of footage with sound.") from fault
    kept = tuple(tuple(kept_ranges(uses, key, each.media)) for key, each in known.items())
    gone = tuple(sorted(offline))
    return Taught(lesson, tuple(known.values()), kept, gone, changed=tuple(sorted(changed)))


def learn(style: Style, taught: Sequence[Taught]) -> Learned:
    """``style`` with what these timelines teach beside what it has learned before.

    A timeline that is known already changes nothing; one that was changed since replaces what it
    taught before.

    Raises:
        FormatError: the style holds something that is no lesson.
    """
    before = lessons_of(style)
    taught, copies = _each_once(before, taught)
    fresh = {each.lesson.identity: each.lesson for each in taught}
    known = {lesson.identity: lesson for lesson in before}
    same = [key for key, each in fresh.items() if key in known and known[key] == each]
    corrected = [key for key in fresh if key in known and key not in same]
    if len(same) == len(fresh) and (before or copies):
        return Learned(style, (), tuple(same), (), copies)
    lessons = [fresh.get(lesson.identity, lesson) for lesson in before]
    lessons += [lesson for key, lesson in fresh.items() if key not in known]
    trials = Trials()
    chosen = _validated(lessons, taught, trials)
    amount = habits(lessons)
    absent = len(lessons) - len(taught)
    trust = chosen.trust
    if absent and style.leaning is not None:
        alone = len(taught) == 1  # then nothing was found out about trust
        share = 0 if alone else len(taught) / len(lessons)
        trust = (1 - share) * style.leaning.trust + share * trust
    leaning = _trusted(amount.leaning, trust)
    found = tuned(amount, taught, chosen.model, leaning, trials)
    options = found.options
    if absent:
        options = blended(style.options, absent, options, len(taught))
    elif not borne_out(chosen.left_out):
        options = halved(options)
    made = replace(
        style,
        options=options,
        leaning=leaning,
        lessons=[lesson.to_json() for lesson in lessons],
        validation=_facts(chosen.left_out, trust),
        generator=f"otio-mapedit {__version__}",
        recipes=recipe_options(lessons),
        network={},  # it was trained on less than is known now
    )
    return Learned(made, chosen.left_out, tuple(same), tuple(corrected), copies)


def _each_once(
    before: Sequence[Lesson], taught: Sequence[Taught]
) -> tuple[list[Taught], tuple[tuple[str, str], ...]]:
    """Every edit once, and the names of those that are copies of another: a timeline that was saved
    twice must not count twice. Of two with the same identity the last one counts."""
    latest = {each.lesson.identity: each for each in taught}
    seen = {lesson.digest: lesson for lesson in before}
    found, copies = [], []
    for identity, each in latest.items():
        other = seen.setdefault(each.lesson.digest, each.lesson)
        if other.identity != identity:
            copies.append((each.lesson.name, other.name))
        else:
            found.append(each)
    return found, tuple(copies)


def lessons_of(style: Style) -> list[Lesson]:
    try:
        return [Lesson.from_json(content) for content in style.lessons]
    except (KeyError, TypeError, ValueError) as fault:
        raise FormatError(
            f"the style {style.name!r} holds something that is no lesson: {fault}",
            f"Type: mapedit style forget '{style.name}'",
        ) from fault


def _trusted(leaning: Leaning | None, trust: float) -> Leaning | None:
    return None if leaning is None or not trust else replace(leaning, trust=trust)


@dataclass(frozen=True)
class _Chosen:
    """What did best with what was left out: how much may be bent, and how far a leaning is to be
    trusted."""

    model: str
    trust: float
    left_out: tuple[LeftOut, ...]


def _validated(lessons: Sequence[Lesson], taught: Sequence[Taught], trials: Trials) -> _Chosen:
    """Every timeline whose media is at hand left out once, and what did best then.

    What stays wrong of what is wrong in general counts, every timeline alike: mostly with what was
    left out, partly with what was learned from (the .632 estimator: Efron 1983), because of few
    timelines the only one that shows a habit cannot be left out and learned from. A richer model
    and trusting a leaning have to gain something beside. Options are bent beside the leaning that
    they will go with: a judgement that drops more wants other margins. Of one timeline alone the
    halves are left out in turn; a leaning is then not trusted.
    """
    folds = list(_folds(lessons, taught))
    trusts = TRUSTS if any(fold.lessons for fold in folds) else TRUSTS[:1]
    chosen, least = _Chosen("timing", 0.0, ()), math.inf
    if not folds:
        return chosen
    everything = [_Fold(tuple(("", each) for each in taught), tuple(taught), tuple(lessons))]
    for trust, model in product(trusts, MODELS):
        alone = _RICH * list(MODELS).index(model) + _LEANING * bool(trust)
        if alone >= least:
            continue
        fitted = _shares(_judged(everything, model, trust, trials))
        # What was learned from fits no worse than what was left out: no need to leave it out.
        if fitted + alone >= least:
            continue
        left_out = _judged(folds, model, trust, trials)
        wrong = _LEFT_OUT * _shares(left_out) + (1 - _LEFT_OUT) * fitted + alone
        if wrong < least:
            chosen, least = _Chosen(model, trust, tuple(left_out)), wrong
    return chosen


def _judged(folds: Sequence[_Fold], model: str, trust: float, trials: Trials) -> list[LeftOut]:
    """What is left out in each of ``folds``, as the rest of it teaches."""
    rows = []
    for fold in folds:
        amount = habits(fold.lessons)
        leaning = _trusted(amount.leaning, trust)
        found = tuned(amount, fold.rest, model, leaning, trials)
        rows += [
            LeftOut(name, trials.fit(each, {}, None), trials.fit(each, found.options, leaning))
            for name, each in fold.out
        ]
    return rows


def borne_out(left_out: Sequence[LeftOut]) -> bool:
    """Whether what the others teach makes better most of what was left out and can become better,
    and hardly any of it worse. Where it does not, that may be chance, and the general rough cut
    counts as much as what was learned: a pause of a tenth of a second, seen once, would make the
    next film a jump cut."""
    gains = [
        (each.general.disagreement, each.general.disagreement - each.learned.disagreement)
        for each in left_out
    ]
    asked = sum(wrong > _RIGHT for wrong, _ in gains)
    better = sum(wrong > _RIGHT and gain > 0 for wrong, gain in gains)
    worse = sum(gain < 0 for _, gain in gains)
    return 2 * better > asked and _MOST_WORSE * worse <= len(gains)


def _shares(rows: Sequence[LeftOut]) -> float:
    shares = [
        min(each.learned.disagreement / (each.general.disagreement + _NEARLY_RIGHT), _WORST)
        for each in rows
    ]
    return sum(shares) / len(rows)


@dataclass(frozen=True)
class _Fold:
    """What is left out, by name, and what is learned from meanwhile."""

    out: tuple[tuple[str, Taught], ...]
    rest: tuple[Taught, ...]
    lessons: tuple[Lesson, ...]


def _folds(lessons: Sequence[Lesson], taught: Sequence[Taught]) -> Iterator[_Fold]:
    if len(taught) == 1:
        for each in taught:
            first, second = each.halves()
            for which, out, rest in (("first", first, second), ("second", second, first)):
                name = f"{each.lesson.name}, {which} half"
                yield _Fold(((name, out),), (rest,), ())
        return
    count = min(len(taught), _MOST_FOLDS)
    for number in range(count):
        fold = taught[number::count]
        left_out = {each.lesson.identity for each in fold}
        yield _Fold(
            tuple((each.lesson.name, each) for each in fold),
            tuple(each for each in taught if each.lesson.identity not in left_out),
            tuple(lesson for lesson in lessons if lesson.identity not in left_out),
        )


def _facts(left_out: Sequence[LeftOut], trust: float) -> Mapping[str, Any]:
    if not left_out:
        return {"timelines": 0}
    count = len(left_out)
    return {
        "timelines": count,
        "trust": trust,
        "general_f1": round(sum(each.general.f1 for each in left_out) / count, 4),
        "learned_f1": round(sum(each.learned.f1 for each in left_out) / count, 4),
        "general_error_frames": round(sum(each.general.error for each in left_out) / count, 2),
        "learned_error_frames": round(sum(each.learned.error for each in left_out) / count, 2),
    }
