"""Transcripts: what is said and when, from SubRip, WebVTT or Whisper's JSON.

Times are exact seconds after the file's beginning, which is frame 0 of its grid. SubRip and most
WebVTT time whole captions; WebVTT may time words inside a caption, and Whisper's JSON (that of
openai-whisper, faster-whisper, WhisperX and whisper.cpp) does when it was asked to.

WebVTT: W3C, "WebVTT: The Web Video Text Tracks Format". SubRip has no standard.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import FormatError
from .timing import exact_seconds

#: Endings of transcripts, best first where a folder holds several of one name.
SUFFIXES = (".json", ".vtt", ".srt")
#: Largest file that is read, and the latest time that is believed.
LARGEST_FILE = 64 * 2**20
_LATEST = 1_000_000

_ARROW = re.compile(r"^\s*([\d:.,]+)\s*-->\s*([\d:.,]+)(?:\s.*)?$")
_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$")
_INNER_TIME = re.compile(r"<((?:\d+:)?\d{2}:\d{2}\.\d{3})>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}")
#: What ends a sentence; "." only before white space, so that 3.5 and U.S. stay whole.
_SENTENCE = re.compile(
    r"(?<=[。！？!?…])(?![。！？!?…\"'”’」』）)])|(?<=[.!?…][\"'”’)])\s|(?<=\.)\s"
)
#: Scripts that put no space between words.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its seconds in the file."""

    text: str
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a caption that holds no whole one. Without ``words`` only the sentence is
    timed; ``exact`` says that its own times were stated rather than divided from a caption's."""

    text: str
    start: Fraction
    end: Fraction
    words: tuple[Word, ...] = ()
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a file, in order of time; ``network`` is what heard it, where that was done
    here."""

    sentences: tuple[Sentence, ...]
    network: str = ""


def find_transcript(place: Path, media: Path, alone: bool) -> Path | None:
    """The transcript of ``media``: ``place`` itself, or the file in the folder ``place`` that is
    named like the media (``talk.srt``, ``talk.mp4.srt``, ``talk.en.srt``).

    ``alone``: ``media`` is the only footage, so that a single file may have any name.

    Raises:
        FormatError: nothing is at ``place``.
    """
    if place.is_file():
        return place if alone or _named_like(place, media) else None
    if not place.is_dir():
        raise FormatError(f"{place} does not exist", "Name a transcript or a folder of them.")
    found = [
        file
        for file in sorted(place.iterdir())
        if file.suffix.lower() in SUFFIXES and file.is_file() and _named_like(file, media)
    ]
    return min(
        found,
        key=lambda file: (len(file.stem), SUFFIXES.index(file.suffix.lower()), file.name),
        default=None,
    )


def read_transcript(path: Path) -> Transcript:
    """Read a transcript; its kind is told by its content.

    Raises:
        FormatError: not readable, not text, or not one of the three kinds.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise FormatError(
            f"cannot read {path}: {error.strerror or error}", "Check the name and permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not text (byte {error.start})", "Save it as UTF-8.") from None
    if len(data) > LARGEST_FILE:
        raise FormatError(f"{path} is too large to be a transcript", "Name another file.")
    try:
        return Transcript(_in_order(_sentences(text)))
    except _Malformed as error:
        raise FormatError(
            f"{path}: {error}", "Correct it, or export the transcript anew."
        ) from None


def of_segments(rows: Iterable[dict[str, Any]], network: str) -> Transcript:
    """The transcript that the segments of Whisper's JSON make, as ``network`` heard them."""
    return Transcript(_in_order(_joined(_segment(row) for row in rows)), network)


def tokens(text: str) -> list[str]:
    """The words of a text as they are compared: small letters, no punctuation; in scripts without
    spaces each character is a word."""
    made: list[str] = []
    for part in unicodedata.normalize("NFKC", text).casefold().split():
        word = ""
        for character in part:
            if _UNSPACED.match(character):
                made += [word, character] if word else [character]
                word = ""
            elif character.isalnum() or (character in "'’" and word):
                word += character.replace("’", "'")
            elif word and character == "-":
                made.append(word)
                word = ""
        if word := word.strip("'"):
            made.append(word)
    return made


class _Malformed(Exception):
    """What is wrong with a transcript, in words."""


def _in_order(sentences: Iterable[Sentence]) -> tuple[Sentence, ...]:
    return tuple(sorted(sentences, key=lambda sentence: (sentence.start, sentence.end)))


def _named_like(file: Path, media: Path) -> bool:
    stem, wanted = file.stem.casefold(), media.stem.casefold()
    return stem == wanted or stem.startswith(wanted + ".")


def _sentences(text: str) -> Iterator[Sentence]:
    if text.lstrip()[:1] in ("{", "["):
        yield from _whisper(text)
        return
    for sentence in _captions(text):
        yield from _divided(sentence)


def _captions(text: str) -> Iterator[Sentence]:
    """The captions of SubRip or WebVTT. A block without a time line is a header, note or style."""
    blocks = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    timed = 0
    for block in blocks:
        lines = block.strip("\n").split("\n")
        at = next((number for number, line in enumerate(lines[:3]) if "-->" in line), None)
        if at is None or lines[0].startswith(("NOTE", "STYLE", "REGION")):
            continue
        found = _ARROW.match(lines[at])
        if not found:
            raise _Malformed(f"{lines[at].strip()[:60]!r} is not a line of times")
        timed += 1
        start, end = _clock(found[1]), _clock(found[2])
        if end < start:
            raise _Malformed(f"a caption ends before it begins ({found[1]} --> {found[2]})")
        yield from _caption(" ".join(lines[at + 1 :]), start, end)
    if not timed and not text.strip().startswith("WEBVTT"):
        raise _Malformed("it is not SubRip, WebVTT or Whisper's JSON")


def _caption(text: str, start: Fraction, end: Fraction) -> Iterator[Sentence]:
    """One caption; words are timed where WebVTT's inner times say when each begins."""
    pieces = _INNER_TIME.split(text)
    words: list[Word] = []
    if len(pieces) > 1:
        starts = [start, *(_clock(stamp) for stamp in pieces[1::2])]
        ends = [*starts[1:], end]
        for piece, first, last in zip(pieces[0::2], starts, ends, strict=True):
            parts = _clean(piece).split()
            words += _spread(parts, first, max(first, last))
    if cleaned := _clean(_INNER_TIME.sub("", text)):
        yield Sentence(cleaned, start, end, tuple(words))


def _clock(text: str) -> Fraction:
    found = _CLOCK.match(text)
    if not found:
        raise _Malformed(f"{text!r} is not a time")
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), found[3].replace(",", ".")
    return _time(hours * 3600 + minutes * 60 + Fraction(seconds))


def _whisper(text: str) -> Iterator[Sentence]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"its JSON is broken: {error}") from None
    rows = content if isinstance(content, list) else None
    if isinstance(content, dict):
        rows = content.get("segments", content.get("transcription", content.get("words")))
    if not isinstance(rows, list):
        raise _Malformed("its JSON has no segments")
    yield from _joined(_segment(row) for row in rows)


def _segment(row: Any) -> Sentence:
    """A segment of any Whisper: seconds as start and end, or milliseconds as offsets."""
    if not isinstance(row, dict):
        raise _Malformed("a segment of its JSON is no object")
    start, end = _bounds(row)
    text = _clean(str(row.get("text", row.get("word", ""))))
    words = []
    for item in row.get("words") or row.get("tokens") or []:
        if not isinstance(item, dict):
            continue  # openai-whisper's `tokens` are numbers
        word = _clean(str(item.get("word", item.get("text", ""))))
        if word and not word.startswith("[_") and _is_timed(item):
            first, last = _bounds(item)
            words.append(Word(word, first, max(first, last)))
    return Sentence(text, start, end, tuple(words))


def _is_timed(row: dict[str, Any]) -> bool:
    return ("start" in row and "end" in row) or "offsets" in row


def _bounds(row: dict[str, Any]) -> tuple[Fraction, Fraction]:
    offsets = row.get("offsets")
    if isinstance(offsets, dict):
        start, end = (_number(offsets.get(name)) / 1000 for name in ("from", "to"))
    else:
        start, end = _number(row.get("start")), _number(row.get("end"))
    if end < start:
        raise _Malformed(f"a segment ends before it begins ({float(start)} to {float(end)} s)")
    return start, end


def _number(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Malformed(f"{value!r} is not a time in seconds")
    try:
        return _time(exact_seconds(value))
    except (ValueError, OverflowError):
        raise _Malformed(f"{value!r} is not a time in seconds") from None


def _time(seconds: Fraction) -> Fraction:
    if not 0 <= seconds <= _LATEST:
        raise _Malformed(f"{float(seconds):g} s is not a time in a file")
    return seconds


def _joined(segments: Iterable[Sentence]) -> Iterator[Sentence]:
    """Segments as sentences: timed words are divided where sentences end, whatever the segments."""
    for segment in segments:
        if len(segment.words) < 2:
            yield from _divided(segment)
            continue
        words: list[Word] = []
        for word in segment.words:
            words.append(word)
            if word.text[-1:] in ".。！？!?…":
                yield _of_words(words)
                words = []
        if words:
            yield _of_words(words)


def _of_words(words: list[Word]) -> Sentence:
    text = ""
    for word in words:
        together = text and _UNSPACED.match(text[-1]) and _UNSPACED.match(word.text[0])
        text += word.text if together or not text else f" {word.text}"
    return Sentence(text, words[0].start, max(word.end for word in words), tuple(words))


def _divided(caption: Sentence) -> Iterator[Sentence]:
    """The sentences of a caption, each with its share of the time by its share of the text."""
    parts = [part.strip() for part in _SENTENCE.split(caption.text) if part.strip()]
    if len(parts) < 2 or caption.words:
        if caption.text:
            yield caption
        return
    whole, at = sum(map(len, parts)), 0
    span = caption.end - caption.start
    for part in parts:
        start = caption.start + span * Fraction(at, whole)
        at += len(part)
        end = caption.start + span * Fraction(at, whole)
        yield replace(caption, text=part, start=start, end=end, exact=False)


def _spread(parts: list[str], start: Fraction, end: Fraction) -> list[Word]:
    """Words that share one time, each with its part by its length."""
    whole, at, made = sum(map(len, parts)), 0, []
    for part in parts:
        first = start + (end - start) * Fraction(at, whole)
        at += len(part)
        made.append(Word(part, first, start + (end - start) * Fraction(at, whole)))
    return made


def _clean(text: str) -> str:
    """Text without markup, line breaks and control characters."""
    text = html.unescape(_TAG.sub("", text))
    text = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(text.split())
