"""A short version of long footage: the moments that stand for the whole, within a duration.

Footage is divided into pieces (:mod:`.segments`), every moment is judged (:mod:`.moments`), and the
set of pieces is chosen that has the most of what the theme looks for and best reconstructs the
whole (:mod:`.choosing`). What is chosen is never longer than asked for.
"""

# ruff: noqa: RUF009  # option() makes a field, whatever its type

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from .. import speech
from ..config import option
from ..inference import Predictions
from ..media import MediaInfo
from ..operations import DecisionList, Operation, Value
from ..sources import sources_of
from ..timing import FrameRange, Length, frame_within, parse_length, rescale_floor
from . import Need
from .choosing import choose
from .footage import (
    DOWNLOAD,
    LANGUAGE,
    TRANSCRIBE,
    Material,
    generator,
    heard_by,
    option_values,
    seed_of,
    sequence_clock,
    title,
)  # fmt: skip
from .moments import moments
from .pieces import Piece, described, pieces_of
from .playing import Manner, operations
from .segments import Sizes
from .signed import signed

NAME = "highlights"
SUMMARY = "A short version of long footage: the moments that stand for the whole."


@dataclass(frozen=True)
class Theme:
    """What counts in a kind of footage: weights of the cues of :mod:`.moments`, how much standing
    for the whole counts beside them, and whether scenes are joined by dissolves."""

    weights: Mapping[str, float]
    represent: float
    dissolves: bool = True


#: Between what lengths the usual piece lies; a tenth of the duration otherwise.
USUAL = (parse_length("3s"), parse_length("6s"))

#: What ``--themes`` offers.
THEMES: Mapping[str, Theme] = {
    "general": Theme(
        {"speech": 0.2, "audience": 0.2, "loud": 0.15, "motion": 0.2, "novel": 0.25}, 1.0
    ),
    "news": Theme({"speech": 0.5, "novel": 0.3, "motion": 0.1, "loud": 0.1}, 1.2, False),
    "sports": Theme({"audience": 0.35, "loud": 0.3, "motion": 0.35}, 0.4, False),
    "talk": Theme({"speech": 0.5, "audience": 0.35, "loud": 0.15}, 0.6),
    "travel": Theme({"motion": 0.2, "novel": 0.5, "audience": 0.1, "speech": 0.2}, 1.5),
}


@dataclass(frozen=True)
class Options:
    """A short version in an editor's words."""

    duration: Length = option(
        parse_length("60s"), "how long it may be at most: 60s, 2min, 1500f", short="-d"
    )
    themes: str = option(
        "general",
        "what counts: general, news (what is said and shown, straight cuts), sports (crowd, "
        "loudness, movement), talk (speech, applause) or travel (different places)",
        choices=THEMES,
    )
    order: str = option(
        "time", "time keeps the order of the footage, score begins with the best",
        choices=("time", "score"),
    )  # fmt: skip
    min_shot: Length = option(
        parse_length("2s"), "shortest clip; never more than half of the duration"
    )
    dissolve: Length = option(
        parse_length("0.5s"), "length of the dissolve where the scene changes; 0 for straight cuts"
    )
    crossfade: Length = option(
        parse_length("0.12s"),
        "length of the crossfade of sound where a cut would be heard; 0 for none",
    )
    watch: str = option(
        "every",
        "every picture, so that no cut lies inside a shot change, or samples: keyframes only, "
        "much quicker",
        choices=("every", "samples"),
    )
    transcript: Path | None = option(
        None,
        "what is said: .srt, .vtt or Whisper's .json, or a folder of them named like the files; "
        "no cut lies inside a sentence, clips are named by their words",
        parse=Path,
    )
    transcribe: str = option("", TRANSCRIBE)
    language: str = option("", LANGUAGE)
    download_model: bool = option(False, DOWNLOAD)
    scores: Path | None = option(
        None,
        'how much each moment matters, as JSON like {"talk": [0.1, 0.5]}, spread evenly over each '
        "file; counts as much as all that the theme looks for",
        parse=Path,
    )
    style: str = option(
        "", "shortest clip, joins and order of this editor: a style that mapedit learn has learned"
    )


def needs(media: MediaInfo, options: Options) -> frozenset[Need]:
    """Sound, a picture a second, what the edit network makes of them, and the shots where every
    picture is watched."""
    wanted = {Need.SOUND: bool(media.audio), Need.SAMPLES: bool(media.video)}
    wanted[Need.EDIT] = bool(media.audio or media.video)
    wanted[Need.SHOTS] = bool(media.video) and options.watch == "every"
    return frozenset(need for need, stream in wanted.items() if stream)


def decide(predictions: Sequence[Predictions], options: Options) -> DecisionList:
    """One programme of all files, each partitioned into what is kept and what is dropped."""
    footage = [known.media for known in predictions]
    clock = sequence_clock(footage)
    budget = frames_in(options.duration, clock.rate)
    materials = [
        Material(source, seed_of(footage, number))
        for number, source in enumerate(sources_of(footage))
    ]
    theme = THEMES[options.themes]
    lasts = sum(rescale_floor(media.frame_count, media.rate, clock.rate) for media in footage)
    metadata: dict[str, Value] = {}
    if lasts <= budget:
        pieces = [_whole(known, number, options) for number, known in enumerate(predictions)]
        metadata["note"] = f"not longer than {options.duration}: all of it is kept"
    else:
        pieces = chosen(predictions, options)
        if not any(piece.kept for piece in pieces):
            metadata["note"] = "nothing of it can be shown; it is placed disabled"
            metadata["nothing_usable"] = True
    manner = Manner(
        rate=clock.rate,
        dissolve=options.dissolve.at(clock.rate) if theme.dissolves else 0,
        crossfade=options.crossfade.at(clock.rate),
        by_score=options.order == "score",
    )
    made: list[Operation] = operations(materials, predictions, pieces, manner)
    values = option_values(options)
    networks = [known.shots.network for known in predictions if known.shots]
    networks += [known.edit.network for known in predictions if known.edit]
    networks += [speech.version() for known in predictions if known.sound]
    networks += heard_by(predictions)
    return DecisionList(
        name=title(footage),
        rate=clock.rate,
        sources=tuple(material.source for material in materials),
        operations=tuple(signed(made, NAME, options)),
        start_frame=clock.start_frame,
        drop_frame=clock.drop_frame,
        recipe=NAME,
        options={n: v for n, v in values.items() if getattr(options, n) is not None},
        generator=generator(networks),
        metadata=metadata,
    )


def _whole(known: Predictions, number: int, options: Options) -> Piece:
    """All of a file, as one piece."""
    media = known.media
    reason = f"the footage is not longer than {options.duration}: all of it is kept"
    span = FrameRange(0, media.frame_count)
    return Piece(number, span, span, True, 1.0, reason)


def frames_in(length: Length, rate: Fraction) -> int:
    """Whole frames that are not longer than a length; at least one."""
    return max(1, length.frames + frame_within(length.seconds, rate))


def chosen(predictions: Sequence[Predictions], options: Options) -> list[Piece]:
    """The pieces of all files in order, those that stand for the whole marked as kept."""
    rate = sequence_clock([known.media for known in predictions]).rate
    theme, budget = THEMES[options.themes], frames_in(options.duration, rate)
    seen = moments(predictions)
    weights = dict(theme.weights)
    if any(known.scores is not None for known in predictions):
        weights["given"] = sum(weights.values())
    parts = []
    for number, (known, file) in enumerate(zip(predictions, seen, strict=True)):
        own = known.media.rate
        limit = max(1, rescale_floor(budget, rate, own))
        least = max(1, min(options.min_shot.at(own), limit // 2))
        usual = max(limit // 10, USUAL[0].at(own))
        usual = min(max(min(usual, USUAL[1].at(own)), least), limit)
        sizes = Sizes(least, usual, max(least, min(2 * usual, limit)))
        parts += pieces_of(number, known, file, sizes, weights, rate)
    open_ = [piece for piece in parts if piece.can_be_shown]
    if not open_:
        return [part.piece for part in parts]
    choice = choose(
        importance=np.array([part.importance for part in open_]),
        lengths=np.array([part.record for part in open_]),
        looks=np.stack([part.look for part in open_]),
        budget=budget,
        represent=theme.represent,
    )
    return described(parts, choice, [known.media for known in predictions], options.duration)
