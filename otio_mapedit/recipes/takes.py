"""What the edit network says against keeping a passage: takes that are said again, false starts.

Of a line that is said several times the last take stays, or the first, or all of them (``STAYS``).
The network proposes; what it proposes is believed where the sound bears it out: most of the passage
is heard again later, at one lag, where somebody speaks, and the passage begins and ends in a
pause, so that no word is cut into. Anything less stays in and is marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_inference import EditPredictions
from ..edit_spec import STEP
from ..operations import Source
from ..solve import runs
from ..timing import FrameRange, frame_at, frame_within, frames_covering, timecode
from .hearing import Heard
from .seeing import Faulty

#: Which take of a line stays. A false start goes for ``first`` too: it is no whole take.
STAYS = ("last", "first", "all")
#: Steps of the shortest passage.
_LEAST = 3
#: Share of the shorter of two passages from which they are the same take.
_SAME_TAKE = Fraction(1, 2)
#: Score and steadiness from which a step counts as heard again, and the share of such steps.
_SCORE, _STEADY, _SHARE = 3.0, 0.3, 0.5
#: Seconds after which nobody begins a line again that broke off.
_SOON = 6.0
#: Seconds around the network's edge in which a pause is looked for, and of the shortest pause.
_NEAR, _PAUSE = 0.6, 0.06
#: Parts of a pause, at most seconds, that stay with what is kept before and behind.
_AFTER, _BEFORE = (0.45, 0.3), (0.45, 0.25)
#: Seconds of other doubts: passages that sound or look like no part of the programme.
_LEAST_DOUBT = 1.0
_DOUBTFUL = 0.75
_DOUBTS = {
    "slate": "may be a slate",
    "chatter": "may be talk off the microphone",
    "unsteady": "picture may be shaken or out of focus",
}


@dataclass(frozen=True)
class Takes:
    """Passages to leave out, and passages to ask about; both rising."""

    faults: tuple[Faulty, ...] = ()
    doubts: tuple[Faulty, ...] = ()


@dataclass(frozen=True)
class _Take:
    """A passage that is said again: what would go if the last take stays, what would go if the
    first does (None where it cannot be told), whether it is whole, and the timecode at which it
    begins."""

    fault: Faulty
    again: Faulty | None
    whole: bool
    at: str = ""


def takes(
    edit: EditPredictions,
    heard: Heard | None,
    hop: Fraction,
    source: Source,
    stays: str = STAYS[0],
) -> Takes:
    """What the network found in a file whose sound is ``heard`` in steps of ``hop`` seconds;
    ``stays`` says which take of a line does."""
    found: list[_Take] = []
    if heard is not None and heard.has_speech and stays != "all":
        judged = (_judged(edit, each, heard, float(hop), source) for each in _passages(edit))
        found = [each for each in judged if each is not None]
    going = _after_the_first(found) if stays == "first" else [each.fault for each in found]
    faults = [each for each in going if each.confidence >= edit.spec.retake_threshold]
    doubts = [each for each in going if each.confidence < edit.spec.retake_threshold]
    doubts += _others(edit, source)
    return Takes(apart(faults), apart(doubts))


@dataclass(frozen=True)
class Line:
    """A line that is surely said several times: its whole takes, in order."""

    takes: tuple[FrameRange, ...]


def lines(edit: EditPredictions, heard: Heard, hop: Fraction, source: Source) -> list[Line]:
    """The lines of a file that are said several times, as far as the network and the sound agree
    about it."""
    if not heard.has_speech:
        return []
    judged = (_judged(edit, each, heard, float(hop), source) for each in _passages(edit))
    sure = edit.spec.retake_threshold
    found: list[list[FrameRange]] = []
    for take in judged:
        if take is None or not take.whole or take.again is None:
            continue
        if min(take.fault.confidence, take.again.confidence) < sure:
            continue
        line = next((one for one in found if _among(take.fault.range, one)), None)
        if line is None:
            line = [take.fault.range]
            found.append(line)
        if not _among(take.again.range, line):
            line.append(take.again.range)
    return [Line(tuple(sorted(line))) for line in found if len(line) > 1]


def _after_the_first(found: list[_Take]) -> list[Faulty]:
    """What goes where the first whole take of every line stays."""
    lines: list[tuple[str, list[FrameRange]]] = []  # the first one's timecode, all takes so far
    going: list[Faulty] = []
    for take in found:
        if not take.whole:
            going.append(take.fault)
            continue
        if take.again is None:
            continue
        line = next((one for one in lines if _among(take.fault.range, one[1])), None)
        if line is None:
            line = (take.at, [take.fault.range])
            lines.append(line)
        at, known = line
        if not _among(take.again.range, known):
            known.append(take.again.range)
            going.append(replace(take.again, reason=f"{take.again.reason} of {at}"))
    return going


def _among(span: FrameRange, takes_of_a_line: list[FrameRange]) -> bool:
    """Whether a passage is one of some takes."""
    return any(
        span.intersection(take).duration >= _SAME_TAKE * min(span.duration, take.duration)
        for take in takes_of_a_line
    )


def _passages(edit: EditPredictions) -> Iterator[tuple[int, int]]:
    """Runs of steps that are more likely to be said again than not, and doubtful ones."""
    again = edit.probability("retake", "false start")
    for first, stop in runs(again >= edit.spec.doubt_threshold):
        sure = [
            (first + a, first + b) for a, b in runs(again[first:stop] >= 0.5) if b - a >= _LEAST
        ]
        if sure:
            yield sure[0][0], sure[-1][1]
        elif stop - first >= _LEAST:
            yield first, stop


def _judged(
    edit: EditPredictions, passage: tuple[int, int], heard: Heard, hop: float, source: Source
) -> _Take | None:
    """A passage as frames, with the certainty that is left after looking for evidence."""
    first, stop = passage
    part = slice(first, stop)
    retake, false = edit.probability("retake")[part], edit.probability("false start")[part]
    spoken = edit.column("speech")[part] > 0.3
    if not spoken.any():
        return None
    lag = _lag(edit, part, spoken)
    broken_off = bool(false.sum() > retake.sum())
    if broken_off and lag is not None and lag > (stop - first) * float(STEP) + _SOON:
        lag = None
    confidence = float((retake + false)[spoken].mean())
    if lag is None or not _speaks(
        heard, (first * float(STEP) + lag) / hop, (stop - first) / 4 / hop
    ):
        confidence = min(confidence, edit.spec.retake_threshold - 0.01)
    begins, ends = first * float(STEP), stop * float(STEP)
    span, clear = _between_pauses(heard, begins, ends, hop, source)
    if not clear:
        confidence = min(confidence, edit.spec.retake_threshold - 0.01)
    if confidence < edit.spec.doubt_threshold or span.duration <= 1:
        return None
    sure, what = confidence >= edit.spec.retake_threshold, "false start" if broken_off else "retake"
    reason = what if sure else f"may be a {what}"
    if lag is None:
        return _Take(Faulty(span, reason, round(confidence, 3), spoken=True), None, not broken_off)
    onset = _onset(heard, first, hop)
    reason = f"{reason} of {timecode_of(onset + lag, source)}"
    fault = Faulty(span, reason, round(confidence, 3), spoken=True)
    span, clear = _between_pauses(heard, begins + lag, ends + lag, hop, source)
    if not clear:
        confidence = min(confidence, edit.spec.retake_threshold - 0.01)
    reason = "later take" if confidence >= edit.spec.retake_threshold else "may be a later take"
    again = Faulty(span, reason, round(confidence, 3), spoken=True) if span.duration > 1 else None
    return _Take(fault, again, not broken_off, timecode_of(onset, source))


def cut_between(
    before: tuple[float, float], behind: tuple[float, float], source: Source
) -> FrameRange:
    """The frames from inside the pause ``before`` a passage to inside the one ``behind`` it, both
    from and to in seconds: part of either stays."""
    start = before[0] + min(_AFTER[0] * (before[1] - before[0]), _AFTER[1]) if before[0] else 0.0
    end = behind[1] - min(_BEFORE[0] * (behind[1] - behind[0]), _BEFORE[1])
    return _frames(start, end, source)


def _frames(start: float, end: float, source: Source) -> FrameRange:
    """The frames that seconds, taken to a hundredth, touch."""
    low = frame_within(Fraction(round(start * 100), 100), source.rate)
    high = frames_covering(Fraction(round(end * 100), 100), source.rate)
    return FrameRange.between(low, max(low, high)).intersection(source.available)


def _between_pauses(
    heard: Heard, start: float, end: float, hop: float, source: Source
) -> tuple[FrameRange, bool]:
    """The frames from the pause around ``start`` seconds to the one around ``end``, and whether
    there is a pause at both."""
    start, start_clear = _pause(heard, start, hop, opens=True)
    end, end_clear = _pause(heard, end, hop, opens=False)
    return _frames(start, end, source), start_clear and end_clear


def timecode_of(seconds: float, source: Source) -> str:
    """The source's timecode at some seconds."""
    at = frame_at(Fraction(round(seconds * 100), 100), source.rate)
    frame = source.start_frame + min(at, source.frame_count - 1)
    return timecode(frame, source.rate, source.drop_frame)


def _lag(edit: EditPredictions, part: slice, spoken: NDArray[Any]) -> float | None:
    """Seconds to where most of a passage is heard again; None where it is not."""
    best: tuple[float, float] | None = None
    for name in ("next", "again"):
        score = edit.column(f"{name} score")[part]
        steady = edit.column(f"{name} steady")[part]
        good = spoken & (score >= _SCORE) & (steady >= _STEADY)
        share = float(good.sum() / spoken.sum())
        if share >= _SHARE and (best is None or share > best[0] + 0.1):
            lags = edit.column(f"{name} lag")[part][good]
            best = share, float(np.median(lags[: max(1, len(lags) // 2)]))
    return None if best is None else best[1]


def _speaks(heard: Heard, start: float, length: float) -> bool:
    """Whether somebody speaks for most of what begins at hop ``start``."""
    said = heard.speech[int(start) : int(start + length)]
    return len(said) > 0 and float(said.mean()) > 0.4


def _onset(heard: Heard, step: int, hop: float) -> float:
    """Seconds at which the speech of a passage begins, near the network's edge."""
    at = round(step * float(STEP) / hop)
    low, high = max(0, at - round(_NEAR / hop)), at + round(_NEAR / hop)
    starts = [low + first for first, _ in runs(heard.speech[low:high]) if first > 0]
    nearest = min(starts, key=lambda one: abs(one - at), default=at)
    return nearest * hop


def _pause(heard: Heard, seconds: float, hop: float, opens: bool) -> tuple[float, bool]:
    """Where to cut near an edge of a passage, and whether nobody speaks there.

    Part of the pause stays with what is kept before the passage, or behind it.
    """
    at, reach = round(seconds / hop), round(_NEAR / hop)
    low, high = max(0, at - reach), min(len(heard.speech), at + reach)
    gaps = [
        (low + first, low + stop)
        for first, stop in runs(~heard.speech[low:high])
        if (stop - first) * hop >= _PAUSE or low + first == 0 or low + stop >= len(heard.speech)
    ]
    if not gaps:
        return seconds, at <= 0 or at >= len(heard.speech)
    first, stop = min(gaps, key=lambda gap: max(gap[0] - at, at - gap[1], 0))
    first, stop = _whole_gap(heard.speech, first, stop)
    length = (stop - first) * hop
    if opens:
        return (first * hop + min(_AFTER[0] * length, _AFTER[1]) if first else 0.0), True
    return stop * hop - min(_BEFORE[0] * length, _BEFORE[1]), True


def _whole_gap(speech: NDArray[Any], first: int, stop: int) -> tuple[int, int]:
    """A pause to both of its ends."""
    while first > 0 and not speech[first - 1]:
        first -= 1
    while stop < len(speech) and not speech[stop]:
        stop += 1
    return first, stop


def _others(edit: EditPredictions, source: Source) -> Iterator[Faulty]:
    """What else the network would leave out, to be asked about."""
    for name, reason in _DOUBTS.items():
        if name == "unsteady" and not (edit.column("has picture") > 0).any():
            continue
        probability = edit.probability(name)
        for first, stop in runs(probability >= _DOUBTFUL):
            if (stop - first) * float(STEP) >= _LEAST_DOUBT:
                low = frame_within(first * STEP, source.rate)
                high = frames_covering(stop * STEP, source.rate)
                span = FrameRange.between(low, high).intersection(source.available)
                if span.duration > 1:
                    certainty = float(probability[first:stop].mean())
                    yield Faulty(span, reason, round(0.6 * certainty, 3), spoken=True)


def apart(found: list[Faulty]) -> tuple[Faulty, ...]:
    """Each without what an earlier one has of it: two takes that follow each other both claim a
    part of the pause between them."""
    kept: list[Faulty] = []
    for fault in sorted(found, key=lambda one: one.range):
        start = max(fault.range.start, kept[-1].range.end if kept else 0)
        if fault.range.end - start > 1:
            kept.append(replace(fault, range=FrameRange.between(start, fault.range.end)))
    return tuple(kept)
