"""A rough cut of rushes: speech and sound that matters stay, dead air and faulty pictures go.

Footage with a voice is cut by what is said, footage without one by its sound if that has clear
pauses, and by its picture alone where there is nothing to hear. What cannot be told with some
certainty stays in and is marked for review. If nothing at all is usable, everything is placed as
disabled clips, so that an editor sees what was there instead of an empty timeline.
"""

# ruff: noqa: RUF009  # option() makes a field, whatever its type

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from .. import speech
from ..config import option
from ..inference import Predictions
from ..media import MediaInfo
from ..operations import DecisionList, Kind, Operation, Value
from ..sources import sources_of
from ..style import load, style_title
from ..timing import (
    FrameRange,
    Length,
    can_drop_frames,
    frame_of_timecode,
    parse_length,
    parse_rate,
    rate_text,
)
from . import Need
from .footage import (
    DOWNLOAD,
    LANGUAGE,
    TRANSCRIBE,
    Material,
    SequenceClock,
    generator,
    heard_by,
    option_values,
    seed_of,
    title,
)  # fmt: skip
from .hearing import MATTERS, SOUNDS
from .joining import Kept, around, covered, lacking
from .remarks import Match
from .selection import Manner, Piece, select
from .spoken import FILLERS, parse_fillers
from .takes import STAYS

NAME = "roughcut"
SUMMARY = "Rough cut of rushes: keeps speech, drops dead air, black and unusable pictures."

#: Margins before and after speech, and the shortest passage worth taking out, by pace.
PACES: Mapping[str, tuple[Length, Length, Length]] = {
    name: (parse_length(before), parse_length(after), parse_length(pause))
    for name, before, after, pause in (
        ("relaxed", "0.4s", "0.6s", "1.2s"),
        ("natural", "0.2s", "0.3s", "0.5s"),
        ("tight", "0.1s", "0.15s", "0.3s"),
        ("jump", "0.05s", "0.08s", "0.15s"),
    )
}

#: How dropped parts leave the programme, by the option ``keep_markers``.
MODES: Mapping[str, str] = {"off": "extract", "disabled": "disable", "markers": "mark"}

#: Decisions less certain than this get an orange marker.
REVIEW = 0.6


@dataclass(frozen=True)
class Options:
    """A rough cut in an editor's words."""

    pace: str = option(
        "natural", "how tightly to cut; sets the margins and the shortest pause", choices=PACES
    )
    margin_before: Length | None = option(
        None, "kept before speech: 0.2s, 5f; by pace if not given", parse=parse_length
    )
    margin_after: Length | None = option(
        None, "kept after speech; by pace if not given", parse=parse_length
    )
    min_shot: Length = option(parse_length("0.5s"), "shortest clip")
    min_pause: Length | None = option(
        None, "shortest passage that is taken out; by pace if not given", parse=parse_length
    )
    min_sound: Length = option(
        parse_length("1s"), "shortest sound without speech, such as laughter, that stays"
    )
    sound_level: float = option(
        MATTERS, "how loud, in dB against speech, such a sound must be: -14 keeps more"
    )
    sounds: str = option(
        SOUNDS[0],
        "such sounds that stay: clear ones that are worth their cuts, or all that are loud and "
        "long enough",
        choices=SOUNDS,
    )
    takes: str = option(
        STAYS[0],
        "which take of a line that is said again stays: the last, the first or all of them",
        choices=STAYS,
    )
    keep_markers: str = option(
        "off",
        "dropped parts: off removes them, disabled leaves them as disabled clips, "
        "markers leaves them in under red markers",
        choices=MODES,
    )
    dissolve: Length = option(
        Length(), "join clips by dissolves of this length, where the media has handles for it"
    )
    transcript: Path | None = option(
        None,
        "what is said: .srt, .vtt or Whisper's .json, or a folder of them named like the files; "
        "fillers, false starts and repeated sentences go, clips are named by their words",
        parse=Path,
    )
    transcribe: str = option("", TRANSCRIBE)
    language: str = option("", LANGUAGE)
    download_model: bool = option(False, DOWNLOAD)
    style: str = option("", "cut like this editor: a style that mapedit learn has learned")
    like: Path | None = option(
        None, "cut like the editor of this finished timeline of other footage", parse=Path
    )
    fillers: str = option(FILLERS, "words that go, with a transcript; none for none")
    rate: Fraction | None = option(
        None, "frames per second of the sequence; default: of the first picture", parse=parse_rate
    )
    start_timecode: str = option("01:00:00:00", "timecode of the sequence's first frame")


def needs(media: MediaInfo, options: Options) -> frozenset[Need]:
    """Sound, a picture a second, and what the edit network makes of them; never every picture."""
    del options
    wanted = {
        Need.SOUND: bool(media.audio),
        Need.SAMPLES: bool(media.video),
        Need.EDIT: bool(media.audio or media.video),
    }
    return frozenset(need for need, stream in wanted.items() if stream)


def decide(predictions: Sequence[Predictions], options: Options) -> DecisionList:
    """One programme of all files, each partitioned into what is kept and what is dropped.

    Raises:
        OptionError: the start timecode does not exist at the sequence's rate.
    """
    footage = [known.media for known in predictions]
    clock, stated = _clock(footage, options)
    how = manner(options)
    aside = f"; style {style_title(options.style)}" if options.style else ""
    files = [
        _File(source, seed_of(footage, number), _said(select(known, how, clock.rate), aside))
        for number, (source, known) in enumerate(zip(sources_of(footage), predictions, strict=True))
    ]
    nothing = not any(piece.kept for file in files for piece in file.pieces)
    mode = "disable" if nothing else MODES[options.keep_markers]
    values = option_values(options)
    return DecisionList(
        name=title(footage),
        rate=clock.rate,
        sources=tuple(file.source for file in files),
        operations=tuple(
            _operations(files, mode, options.dissolve.at(clock.rate), clock.rate, nothing)
        ),
        start_frame=clock.start_frame,
        drop_frame=clock.drop_frame,
        recipe=NAME,
        options={n: v for n, v in values.items() if getattr(options, n) is not None},
        generator=generator(
            [
                *[speech.version() for known in predictions if known.sound][:1],
                *[known.edit.network for known in predictions if known.edit],
                *heard_by(predictions),
            ]
        ),
        metadata={"sequence_rate": stated} | ({"nothing_usable": True} if nothing else {}),
    )


def _clock(footage: Sequence[MediaInfo], options: Options) -> tuple[SequenceClock, str]:
    """The sequence's clock, and in words where its rate comes from."""
    first = next((media for media in footage if media.picture), footage[0])
    rate = options.rate or first.rate
    stated = f"{rate_text(rate)}, as asked for"
    if options.rate is None:
        stated = f"{rate_text(rate)}, the rate of {first.name}"
    text = options.start_timecode
    wanted = any(mark in text for mark in ";,") or first.drop_frame
    drop_frame = wanted and can_drop_frames(rate)
    return SequenceClock(rate, frame_of_timecode(text, rate, drop_frame), drop_frame), stated


def manner(options: Options) -> Manner:
    """How tightly to cut, with what the pace says where nothing else was said.

    Raises:
        OptionError, FormatError: there is no such style.
    """
    before, after, pause = PACES[options.pace]
    return Manner(
        margin_before=before if options.margin_before is None else options.margin_before,
        margin_after=after if options.margin_after is None else options.margin_after,
        min_pause=pause if options.min_pause is None else options.min_pause,
        min_shot=options.min_shot,
        min_sound=options.min_sound,
        sound_level=options.sound_level,
        fillers=parse_fillers(options.fillers),
        leaning=load(options.style).leaning if options.style else None,
        takes=options.takes,
        sounds=options.sounds,
    )


def _said(pieces: Sequence[Piece], aside: str) -> Sequence[Piece]:
    """The pieces with ``aside`` in their reasons."""
    return [replace(piece, reason=piece.reason + aside) for piece in pieces] if aside else pieces


@dataclass(frozen=True)
class _File(Material):
    """A source and its pieces in order."""

    pieces: Sequence[Piece]


def _operations(
    files: Sequence[_File], mode: str, dissolve: int, sequence: Fraction, doubtful: bool
) -> Iterator[Operation]:
    """All operations in programme order; ``doubtful`` marks every one of them for review."""
    before: tuple[_File, Kept] | None = None
    between = ""  # why the two kept pieces are apart
    blocked = False  # something is placed between them
    for file in files:
        for piece in file.pieces:
            if not piece.kept:
                yield _drop(file, piece, mode)
                between, blocked = f"{piece.reason} taken out", blocked or mode != "extract"
            else:
                after = Kept(file.source, piece.range)
                if before is not None:
                    reason = between if before[0] is file else "next file"
                    length = 0 if blocked else dissolve
                    yield _join(before[1], file, after, length, sequence, reason)
                yield file.operation(
                    Kind.KEEP,
                    piece.range,
                    confidence=piece.confidence,
                    reason=piece.reason,
                    parameters={"name": piece.name} if piece.name else {},
                )
                if piece.match is not None:
                    yield _grade(file, piece, piece.match)
                before, blocked = (file, after), False
            marked = doubtful or piece.confidence < REVIEW
            if marked:
                yield _mark(file, piece)
            for span, reason, confidence in piece.doubts:
                if not (marked and span == piece.range):
                    yield _mark(file, Piece(span, True, reason, confidence))


def _drop(file: _File, piece: Piece, mode: str) -> Operation:
    parameters: dict[str, Value] = {} if mode == "extract" else {"mode": mode}
    return file.operation(
        Kind.DROP,
        piece.range,
        confidence=piece.confidence,
        reason=piece.reason,
        parameters=parameters,
    )


def _grade(file: _File, piece: Piece, match: Match) -> Operation:
    return file.operation(
        Kind.GRADE,
        piece.range,
        confidence=match.confidence,
        reason="colours matched to those around, proposed by the edit network",
        parameters=match.parameters,
    )


def _mark(file: _File, piece: Piece) -> Operation:
    parameters: dict[str, Value] = {
        "name": "Review: kept" if piece.kept else "Review: left out",
        "note": piece.reason,
        "colour": "ORANGE",
    }
    return file.operation(
        Kind.MARK,
        piece.range,
        confidence=piece.confidence,
        reason="not certain",
        parameters=parameters,
    )


def _join(
    before: Kept, file: _File, after: Kept, dissolve: int, sequence: Fraction, reason: str
) -> Operation:
    """A dissolve where it is wanted and the media suffices, else a cut that says why."""
    if dissolve:
        offsets = around(dissolve)
        lacks = lacking(before, after, offsets, sequence)
        if not lacks:
            return file.operation(
                Kind.DISSOLVE,
                covered(before, offsets, sequence),
                source=before.source.id,
                reason=reason,
                parameters={"in_offset": offsets[0], "out_offset": offsets[1]},
            )
        reason = f"{reason}; no dissolve: {lacks}"
    return file.operation(Kind.CUT, FrameRange(after.range.start, 0), reason=reason)
