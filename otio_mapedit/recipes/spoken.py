"""What a transcript says against keeping a passage: fillers, false starts, sentences said again.

Of a sentence that is said twice in a row the last one stays, as the speaker said it again because
the first did not please; or the first one, or both, where the editor says so. Times of words are
believed to a few hundredths of a second, those of captions to some tenths; where there is sound,
the cut goes to the quietest point within that.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..operations import Source
from ..solve import holes
from ..timing import FrameRange, frame_at, seconds_at, timecode
from ..transcript import Sentence, Transcript, Word, tokens
from .seeing import Faulty

#: Sounds that mean nothing in any sentence. What is a word elsewhere ("like", "那个") is not here.
FILLERS = "um, umm, uhm, uh, uhh, er, erm, hmm, mm, 嗯, 呃, 额, 唔"
#: Words of the shortest sentence, and of the shortest phrase inside one, that count as repeated;
#: in scripts without spaces, where pairs are often doubled on purpose, characters.
LEAST_SENTENCE, LEAST_PHRASE = 3, 2
LEAST_CHARACTERS = 4, 3
#: Longest phrase that is looked for.
_LONGEST_PHRASE = 12
#: Share of words in common from which two sentences are the same one.
_ALIKE = 0.85
#: Seconds after which a sentence is said again on purpose, and words of what may lie between:
#: "sorry", "once more".
_LATER, _ASIDE = 20, 4
#: Seconds that times may be off outwards and inwards: of words, and of captions.
_WORD_REACH = Fraction(3, 20), Fraction(1, 50)
_CAPTION_REACH = Fraction(2, 5), Fraction(1, 5)
#: Characters of the longest name of a clip.
_NAME = 40


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Seconds of a file that need not be heard, and why. ``after`` is where what comes before
    ends, ``before`` where what follows begins. ``again`` is when the same is said again."""

    start: Fraction
    end: Fraction
    reason: str
    confidence: float
    after: Fraction
    before: Fraction
    timed: bool  # word by word
    again: Fraction | None = None


def parse_fillers(text: str) -> frozenset[tuple[str, ...]]:
    """Words or phrases between commas, as compared; ``none`` for none."""
    if text.strip().casefold() in ("", "none"):
        return frozenset()
    return frozenset(found for part in re.split("[,，、]", text) if (found := tuple(tokens(part))))


def unwanted(
    transcript: Transcript, fillers: frozenset[tuple[str, ...]], stays: str = "last"
) -> list[Unwanted]:
    """The passages that a transcript speaks against, rising, without overlap; ``stays`` says which
    take of a sentence does (see :mod:`.takes`)."""
    sentences = _whole(transcript.sentences)
    repeated = _going(_said_again(sentences, fillers), sentences, stays)
    found: list[Unwanted] = []
    for number, sentence in enumerate(sentences):
        before = sentences[number - 1].end if number else Fraction(0)
        after = sentences[number + 1].start if number + 1 < len(sentences) else sentence.end + 1
        neighbours = min(before, sentence.start), max(after, sentence.end)
        if number in repeated:
            reason, confidence, again = repeated[number]
            found.append(_all_of(sentence, reason, confidence, neighbours, again))
        elif _is_filler(tokens(sentence.text), fillers):
            found.append(_all_of(sentence, f"filler {_quoted(sentence.text)}", 0.7, neighbours))
        else:
            found += _inside(sentence, fillers, neighbours)
    return found


def passages(
    found: Sequence[Unwanted],
    transcript: Transcript,
    source: Source,
    level: tuple[NDArray[Any], Fraction] | None,
    vetoed: Sequence[FrameRange],
    min_shot: int,
) -> list[Faulty]:
    """What is unwanted as frames of ``source``, beside what is ``vetoed`` already.

    ``level`` is dB by step and the seconds of a step. A filler stays where taking it out would
    leave words alone in less than ``min_shot`` frames.
    """
    made: list[Faulty] = []
    for each in found:
        start, end = _snapped(each, level)
        span = FrameRange.between(
            frame_at(start, source.rate),
            max(frame_at(start, source.rate), frame_at(end, source.rate)),
        ).intersection(source.available)
        reason = each.reason
        if each.again is not None:
            frame = source.start_frame + frame_at(each.again, source.rate)
            reason += f" at {timecode(frame, source.rate, source.drop_frame)}"
        for free in holes(vetoed, source.frame_count):
            part = span.intersection(free)
            if part.duration > 1:
                made.append(Faulty(part, reason, each.confidence, spoken=True))
    words = sorted(
        frame_at((word.start + word.end) / 2, source.rate)
        for sentence in transcript.sentences
        for word in sentence.words or (Word("", sentence.start, sentence.end),)
    )
    return _leaving_whole_shots(made, vetoed, words, source.frame_count, min_shot)


def name_of(transcript: Transcript, span: FrameRange, rate: Fraction) -> str:
    """What is said first in a range, shortened: a name for its clip. Empty where nothing is."""
    start, end = seconds_at(span.start, rate), seconds_at(span.end, rate)
    for sentence in transcript.sentences:
        if sentence.end <= start or sentence.start >= end:
            continue
        heard = [word for word in sentence.words if start <= (word.start + word.end) / 2 < end]
        if sentence.words and not heard:
            continue
        whole = not heard or len(heard) == len(sentence.words)
        text = sentence.text if whole else " ".join(word.text for word in heard)
        middle = (sentence.start + sentence.end) / 2
        if tokens(text) and (heard or start <= middle < end):
            return _shortened(text)
    return ""


def _whole(captions: Sequence[Sentence]) -> list[Sentence]:
    """Captions joined to sentences where the transcript has punctuation to tell by."""
    closed = sum(caption.text[-1:] in '.。！？!?…"”' for caption in captions)
    joined: list[Sentence] = []
    for caption in captions:
        last = joined[-1] if joined else None
        if (
            last
            and not last.words
            and not caption.words
            and 2 * closed >= len(captions)
            and last.text[-1:] not in '.。！？!?…"”'
            and caption.start - last.end < 1
        ):
            exact = last.exact and caption.exact
            text = f"{last.text} {caption.text}"
            joined[-1] = Sentence(text, last.start, max(last.end, caption.end), (), exact)
        else:
            joined.append(caption)
    return joined


@dataclass(frozen=True, slots=True)
class _Again:
    """Sentence ``number`` is said again as ``later``, or is an ``aside`` before that."""

    number: int
    later: int
    reason: str
    confidence: float
    aside: bool = False


def _going(
    again: Iterator[_Again], sentences: Sequence[Sentence], stays: str
) -> dict[int, tuple[str, float, Fraction]]:
    """The sentences that go, by number: why, how surely, and when the one that stays is said."""
    going: dict[int, tuple[str, float, Fraction]] = {}
    first: dict[int, int] = {}  # of every repeated sentence its first whole take
    for each in again:
        whole = each.reason.startswith("repeated") or each.aside
        if stays == "all" and whole:
            continue
        if stays != "first" or not whole or each.aside:
            start = sentences[each.later].start
            going[each.number] = each.reason, each.confidence, start
            continue
        stayed = first.get(each.number, each.number)
        first[each.later] = stayed
        reason = "repeated sentence, said before"
        going[each.later] = reason, each.confidence, sentences[stayed].start
    return going


def _said_again(
    sentences: Sequence[Sentence], fillers: frozenset[tuple[str, ...]]
) -> Iterator[_Again]:
    """Sentences that are said again right after, and asides before that."""
    said = [_without_fillers(tokens(sentence.text), fillers) for sentence in sentences]
    for number, words in enumerate(said):
        following = number + 1
        while following < len(said) and not said[following]:
            following += 1
        for candidate in (following, following + 1):
            aside = said[following] if candidate > following else []
            if candidate >= len(said) or len(aside) > _ASIDE:
                break
            if sentences[candidate].start - sentences[number].end > _LATER:
                break
            if why := _same(words, said[candidate]):
                yield _Again(number, candidate, f"{why[0]}, {why[1]}", why[2])
                if aside:
                    yield _Again(following, candidate, "before it is said again", 0.65, aside=True)
                break


def _same(first: list[str], second: list[str]) -> tuple[str, str, float] | None:
    """Whether ``first`` is a false start of ``second`` or the same: what, "said ...", certainty."""
    unspaced = sum(len(word) == 1 and ord(word) > 0x2E7F for word in first) * 2 > len(first)
    least = LEAST_CHARACTERS[0] if unspaced else LEAST_SENTENCE
    if len(first) < least or len(set(first)) < 2:
        return None
    head = second[: len(first)]
    broken_off = head[:-1] == first[:-1] and head[-1:] and head[-1].startswith(first[-1])
    if len(first) < len(second) and broken_off:
        return "false start", "said in full", 0.75
    ratio = SequenceMatcher(None, first, second, autojunk=False).ratio()
    if ratio >= _ALIKE:
        return "repeated sentence", "said again", 0.85 if ratio == 1 else 0.7
    return None


def _inside(
    sentence: Sentence, fillers: frozenset[tuple[str, ...]], neighbours: tuple[Fraction, Fraction]
) -> Iterator[Unwanted]:
    """Fillers and repeated phrases among the timed words of a sentence."""
    words = [(word, tokens(word.text)) for word in sentence.words]
    number = 0
    while number < len(words):
        count, reason, confidence = _filler_at(words, number, fillers)
        if not count:
            count, reason, confidence = _phrase_at(words, number)
        if count:
            first, last = words[number][0], words[number + count - 1][0]
            after = words[number - 1][0].end if number else neighbours[0]
            rest = number + count
            before = words[rest][0].start if rest < len(words) else neighbours[1]
            yield Unwanted(
                first.start, last.end, reason, confidence,
                min(after, first.start), max(before, last.end), timed=True,
            )  # fmt: skip
        number += max(1, count)


def _filler_at(
    words: Sequence[tuple[Word, list[str]]], number: int, fillers: frozenset[tuple[str, ...]]
) -> tuple[int, str, float]:
    said: list[str] = []
    for count, (_, parts) in enumerate(words[number : number + 4], start=1):
        said += parts
        if tuple(said) in fillers:
            text = " ".join(word.text for word, _ in words[number : number + count])
            return count, f"filler {_quoted(text.strip(' ,.，。…'))}", 0.8
    return 0, "", 0.0


def _phrase_at(words: Sequence[tuple[Word, list[str]]], number: int) -> tuple[int, str, float]:
    """How many words from ``number`` are said again right after; the longest phrase counts."""
    for count in range(min(_LONGEST_PHRASE, (len(words) - number) // 2), 0, -1):
        first = [part for _, parts in words[number : number + count] for part in parts]
        again = [part for _, parts in words[number + count : number + 2 * count] for part in parts]
        unspaced = all(len(part) == 1 and ord(part) > 0x2E7F for part in first)
        least = LEAST_CHARACTERS[1] if unspaced else LEAST_PHRASE
        if first == again and len(first) >= least and len(set(first)) > 1:
            text = " ".join(word.text for word, _ in words[number : number + count])
            return count, f"false start, {_quoted(text)} said again", 0.7
    return 0, "", 0.0


def _all_of(
    sentence: Sentence,
    reason: str,
    confidence: float,
    neighbours: tuple[Fraction, Fraction],
    again: Fraction | None = None,
) -> Unwanted:
    return Unwanted(
        sentence.start,
        sentence.end,
        reason,
        confidence if sentence.exact else confidence - 0.2,
        *neighbours,
        timed=bool(sentence.words),
        again=again,
    )


def _is_filler(words: list[str], fillers: frozenset[tuple[str, ...]]) -> bool:
    return bool(words) and not _without_fillers(words, fillers)


def _without_fillers(words: list[str], fillers: frozenset[tuple[str, ...]]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(words):
        lengths = [
            len(filler) for filler in fillers if tuple(words[at : at + len(filler)]) == filler
        ]
        if not lengths:
            kept.append(words[at])
        at += max(lengths, default=1)
    return kept


def _snapped(
    each: Unwanted, level: tuple[NDArray[Any], Fraction] | None
) -> tuple[Fraction, Fraction]:
    """Both ends moved to the quietest point near them, never into a neighbouring word."""
    if level is None:
        return each.start, each.end
    outwards, inwards = _WORD_REACH if each.timed else _CAPTION_REACH
    inwards = min(inwards, (each.end - each.start) / 4)
    start = _quietest(
        level, max(each.after, each.start - outwards), each.start + inwards, each.start
    )
    end = _quietest(level, each.end - inwards, min(each.before, each.end + outwards), each.end)
    return (start, end) if start < end else (each.start, each.end)


def _quietest(
    level: tuple[NDArray[Any], Fraction], first: Fraction, last: Fraction, wanted: Fraction
) -> Fraction:
    """The quietest moment from ``first`` to ``last``; of equals, the one nearest to ``wanted``."""
    values, hop = level
    part = np.arange(int(first / hop), min(len(values), int(last / hop) + 1))
    if not len(part):
        return wanted
    # A tenth of a second away must be a tenth of a dB quieter.
    cost = values[part] + np.abs(part * float(hop) - float(wanted))
    return min(max(int(part[int(np.argmin(cost))]) * hop, first), last)


def _leaving_whole_shots(
    found: list[Faulty],
    vetoed: Sequence[FrameRange],
    words: Sequence[int],
    frames: int,
    min_shot: int,
) -> list[Faulty]:
    """``found`` without those beside which words would be left in too short a piece."""
    kept = sorted(found, key=lambda each: each.range)
    starts, ends = [veto.start for veto in vetoed], [veto.end for veto in vetoed]

    def leaves_too_little(first: int, stop: int) -> bool:
        """Whether frames between two holes hold words and are too few."""
        holds = bisect_left(words, first) < bisect_left(words, stop)
        return holds and stop - first < min_shot

    at = 0
    while at < len(kept):
        span = kept[at].range
        before = bisect_right(ends, span.start)
        first = ends[before - 1] if before else 0
        first = max(first, kept[at - 1].range.end if at else 0)
        after = bisect_left(starts, span.end)
        stop = starts[after] if after < len(starts) else frames
        stop = min(stop, kept[at + 1].range.start if at + 1 < len(kept) else frames)
        lonely = leaves_too_little(first, span.start) or leaves_too_little(span.end, stop)
        if lonely and not kept[at].reason.startswith("repeated sentence"):
            del kept[at]
            at = max(0, at - 1)
        else:
            at += 1
    return kept


def _quoted(text: str) -> str:
    return f'"{_shortened(text)}"'


def _shortened(text: str) -> str:
    if len(text) <= _NAME:
        return text
    cut = text[:_NAME]
    return (cut.rsplit(" ", 1)[0] if " " in cut[_NAME // 2 :] else cut).rstrip(" ,，、") + "…"
