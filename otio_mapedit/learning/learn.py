"""Learning a style from finished timelines, and saying honestly whether anything was learned.

Each timeline is left out once: what the others teach cuts its media, and so do the general
defaults; both are held against the human's cut. How much the leaning is trusted is chosen by the
same measure, and where no trust does better than none, it gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from .. import __version__
from ..config import make_options
from ..errors import FormatError, MediaError
from ..inference import Predictions
from ..media import probe
from ..pipeline import Tools, predict
from ..recipes import recipe, roughcut
from ..recipes.selection import select
from ..solve import union
from ..style import PACED, Leaning, Style
from ..timing import FrameRange, seconds_at
from .habits import Habits, habits
from .lessons import Lesson, kept_ranges, lesson_of, media_paths
from .uses import uses_of

#: How much a leaning may be trusted.
TRUSTS = (0.0, 0.3, 0.6, 1.0)
#: Options that are searched for, and what is tried.
SEARCHED = {
    "margin_before": ("0s", "0.04s", "0.1s", "0.16s", "0.2s", "0.24s", "0.32s", "0.4s", "0.6s"),
    "margin_after": ("0s", "0.08s", "0.15s", "0.22s", "0.3s", "0.45s", "0.6s", "0.9s", "1.4s"),
    "min_pause": ("0.15s", "0.3s", "0.5s", "0.8s", "1.2s", "2s"),
    "min_shot": ("0.2s", "0.5s", "1s", "2s"),
    "min_sound": ("0.3s", "0.5s", "1s", "3s"),
    "sound_level": ("-6", "-10", "-14", "-18"),
}
_ROUNDS = 3
#: An improvement that is worth leaving a habit for, and what a frame of error counts.
_WORTH, _PER_FRAME = 0.001, 0.0005
#: What a leaning must gain, left out, to be trusted at all.
_DOUBT = 0.004
#: What a cut without counterpart counts as, in seconds.
_FAR = Fraction(1)


@dataclass(frozen=True)
class Taught:
    """A timeline with its media at hand: the lesson, and what was kept of each media."""

    lesson: Lesson
    known: tuple[Predictions, ...]
    kept: tuple[tuple[FrameRange, ...], ...]  # in frames of each media
    offline: tuple[str, ...] = ()  # media that was not to be found


@dataclass(frozen=True)
class Fit:
    """How near a way of cutting comes to a human's: F1 of kept time, and the mean distance of the
    human's cuts to the nearest cut, in frames (at most a second)."""

    f1: float
    error: float


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
    offline = []
    for key, place in media_paths(uses, path.absolute().parent, also).items():
        try:
            if place is None:
                raise MediaError(Path(key), "is not to be found")
            media = probe(place)
            known[key] = predict(media, chosen, roughcut.Options(), tools)
        except MediaError:
            offline.append(Path(key.removeprefix("?")).name)
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
    return Taught(lesson, tuple(known.values()), kept, tuple(sorted(offline)))


def learn(style: Style, taught: Sequence[Taught]) -> Learned:
    """``style`` with what these timelines teach beside what it has learned before.

    A timeline that is known already changes nothing; one that was changed since replaces what it
    taught before.

    Raises:
        FormatError: the style holds something that is no lesson.
    """
    before = _lessons(style)
    fresh = {each.lesson.identity: each.lesson for each in taught}
    known = {lesson.identity: lesson for lesson in before}
    same = [key for key, each in fresh.items() if key in known and known[key] == each]
    corrected = [key for key in fresh if key in known and key not in same]
    if len(same) == len(fresh) and before:
        return Learned(style, (), tuple(same), ())
    lessons = [fresh.get(lesson.identity, lesson) for lesson in before]
    lessons += [lesson for key, lesson in fresh.items() if key not in known]
    left_out, trust = _validated(lessons, taught)
    found = tuned(habits(lessons), taught, trust)
    made = replace(
        style,
        options=found.options,
        leaning=_trusted(found.leaning, trust),
        lessons=[lesson.to_json() for lesson in lessons],
        validation=_facts(left_out, trust),
        generator=f"otio-mapedit {__version__}",
    )
    return Learned(made, tuple(left_out), tuple(same), tuple(corrected))


def tuned(found: Habits, taught: Sequence[Taught], trust: float) -> Habits:
    """The options with which the rough cut comes nearest to the timelines at hand.

    What the lessons amount to, the defaults and the paces are tried, and the best of them is bent
    option by option (coordinate descent) as long as that helps by more than a thousandth.
    """
    if not taught:
        return found
    leaning = _trusted(found.leaning, trust)
    rest = {key: value for key, value in found.options.items() if key not in SEARCHED}

    def value(options: Mapping[str, str]) -> float:
        chosen = make_options(roughcut.Options, options)
        fits = [fit_with(each, chosen, leaning) for each in taught]
        return sum(fit.f1 - fit.error * _PER_FRAME for fit in fits) / len(fits)

    starts = [{key: text for key, text in found.options.items() if key in SEARCHED}, {}]
    starts += [_paced(pace) for pace in roughcut.PACES]
    best = max(starts, key=value)
    reached = value(best)
    for _ in range(_ROUNDS):
        before = reached
        for name, choices in SEARCHED.items():
            trials = [{**best, name: text} for text in choices if text != best.get(name)]
            found_better = max(trials, key=value)
            if value(found_better) > reached + _WORTH:
                best, reached = found_better, value(found_better)
        if reached <= before:
            break
    return Habits({**rest, **best}, found.leaning)


def _paced(pace: str) -> dict[str, str]:
    """A pace as the options that it stands for."""
    return dict(zip(PACED, map(str, roughcut.PACES[pace]), strict=True))


def _lessons(style: Style) -> list[Lesson]:
    try:
        return [Lesson.from_json(content) for content in style.lessons]
    except (KeyError, TypeError, ValueError) as fault:
        raise FormatError(
            f"the style {style.name!r} holds something that is no lesson: {fault}",
            f"Type: mapedit style forget '{style.name}'",
        ) from fault


def _trusted(leaning: Leaning | None, trust: float) -> Leaning | None:
    return None if leaning is None or not trust else replace(leaning, trust=trust)


def _validated(lessons: Sequence[Lesson], taught: Sequence[Taught]) -> tuple[list[LeftOut], float]:
    """Every timeline whose media is at hand left out once, and the trust that did best.

    With one timeline nothing can be left out: the leaning is then not trusted.
    """
    general = roughcut.Options()
    rows: list[tuple[str, Fit, list[Fit]]] = []
    for each in taught:
        others = [lesson for lesson in lessons if lesson.identity != each.lesson.identity]
        if not others:
            continue
        rest = [one for one in taught if one is not each]
        found = tuned(habits(others), rest, 0.0)
        fits = [fit_of(each, found, trust) for trust in TRUSTS]
        rows.append(
            (each.lesson.name or Path(each.lesson.identity).name, fit_with(each, general), fits)
        )
    if not rows:
        return [], 0.0
    means = [sum(fits[n].f1 for *_, fits in rows) / len(rows) for n in range(len(TRUSTS))]
    best = max(range(len(TRUSTS)), key=lambda n: means[n] - _DOUBT * bool(TRUSTS[n]))
    return [LeftOut(name, base, fits[best]) for name, base, fits in rows], TRUSTS[best]


def fit_of(taught: Taught, found: Habits, trust: float) -> Fit:
    """How near habits come to a timeline."""
    chosen = make_options(roughcut.Options, found.options)
    return fit_with(taught, chosen, _trusted(found.leaning, trust))


def fit_with(taught: Taught, options: Any, leaning: Leaning | None = None) -> Fit:
    """How near a rough cut with these options comes to what the human kept."""
    shared = ours = theirs = Fraction(0)
    distances: list[Fraction] = []
    for known, kept in zip(taught.known, taught.kept, strict=True):
        rate = known.media.rate
        manner = replace(roughcut.manner(options), leaning=leaning)
        cut = union(piece.range for piece in select(known, manner, rate) if piece.kept)
        ours += seconds_at(sum(span.duration for span in cut), rate)
        theirs += seconds_at(sum(span.duration for span in kept), rate)
        shared += seconds_at(_shared(cut, kept), rate)
        distances += _distances(cut, kept, known)
    both = ours + theirs
    mean = sum(distances, Fraction(0)) / len(distances) if distances else Fraction(0)
    return Fit(_number(2 * shared / both) if both else 1.0, _number(mean))


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
    cut: Sequence[FrameRange], kept: Sequence[FrameRange], known: Predictions
) -> Iterable[Fraction]:
    """Frames from each of the human's cuts to the nearest of the same kind, at most a second."""
    media = known.media
    most = _FAR * media.rate
    for edge, limit in (("start", 0), ("end", media.frame_count)):
        places = [getattr(span, edge) for span in cut]
        for span in kept:
            at = getattr(span, edge)
            if at != limit:
                yield min([most, *(Fraction(abs(place - at)) for place in places)])


def _number(value: Fraction) -> float:
    return value.numerator / value.denominator


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
