"""Pieces of footage with what speaks for them, and the reason why each is kept or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_spec import STEP
from ..inference import Predictions
from ..media import MediaInfo
from ..timing import (
    FrameRange,
    Length,
    frame_within,
    frames_covering,
    rescale_floor,
    seconds_at,
    timecode,
)
from .choosing import Choice
from .moments import CUES, Moments
from .segments import Segment, Sizes, segments

Array = NDArray[Any]

#: What a cue is called in a reason, and from what strength it is worth naming.
_WORDS = {
    "given": "high in the scores given",
    "audience": "applause or cheering, or just before it",
    "speech": "somebody speaks",
    "loud": "loud",
    "motion": "much movement",
    "novel": "unlike what is around it",
}
_WORTH_NAMING = 0.45
#: Likeness from which a piece is left out for being like another one.
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of file number ``file``: all of it (``range``), and what is placed if it is kept
    without its neighbours (``alone``)."""

    file: int
    range: FrameRange
    alone: FrameRange
    kept: bool
    confidence: float
    reason: str
    score: float = 0.0
    goes_on: bool = False  # the same shot goes on behind it
    share: float = 0.0  # of the footage that it stands for


@dataclass(frozen=True)
class Part:
    """A segment of a file, judged."""

    file: int
    segment: Segment
    importance: float
    record: int  # frames of the sequence that it takes at most
    look: Array
    cues: Mapping[str, float]
    least: int

    @property
    def can_be_shown(self) -> bool:
        """Whether it may be chosen."""
        return not self.segment.why_not and self.segment.alone.duration >= self.least

    @property
    def piece(self) -> Piece:
        """The part, left out for what rules it out."""
        reason = self.segment.why_not or "too short to stand alone"
        part, score = self.segment, round(self.importance, 3)
        return Piece(self.file, part.range, part.alone, False, 0.9, reason, score, part.goes_on)


def pieces_of(
    file: int,
    known: Predictions,
    seen: Moments,
    sizes: Sizes,
    weights: Mapping[str, float],
    sequence: Fraction,
) -> list[Part]:
    """The parts of a file in order; together they are all of it."""
    importance = seen.importance(weights)
    rate = known.media.rate
    made = []
    for segment in segments(known, seen, sizes):
        steps = _steps(segment.alone if segment.alone.duration else segment.range, rate, len(seen))
        inside = importance[steps]
        made.append(
            Part(
                file=file,
                segment=segment,
                importance=_strength(inside),
                record=max(1, -rescale_floor(-segment.range.duration, rate, sequence)),
                look=seen.look[steps].mean(axis=0),
                cues={cue: _strength(getattr(seen, cue)[steps]) for cue in CUES},
                least=min(sizes.least, known.media.frame_count),
            )
        )
    return made


def described(
    parts: Sequence[Part], choice: Choice, footage: Sequence[MediaInfo], duration: Length
) -> list[Piece]:
    """The parts as pieces, each with its reason."""
    numbers = {id(part): number for number, part in enumerate(p for p in parts if p.can_be_shown)}
    shown = [part for part in parts if part.can_be_shown]
    ranked = np.sort([part.importance for part in shown])
    made = []
    for part in parts:
        number = numbers.get(id(part))
        if number is None:
            made.append(part.piece)
            continue
        rank = float(np.searchsorted(ranked, part.importance, "right")) / len(ranked)
        kept = bool(choice.chosen[number])
        if kept:
            reason = _why_kept(part)
            confidence = 0.5 + 0.5 * max(rank, min(1.0, 3 * float(choice.share[number])))
        else:
            reason = _why_not(number, choice, shown, footage, duration)
            confidence = 0.95 - 0.45 * rank
        segment = part.segment
        made.append(
            Piece(
                part.file,
                segment.range,
                segment.alone,
                kept,
                round(confidence, 3),
                reason,
                round(part.importance, 3),
                segment.goes_on,
                float(choice.share[number]),
            )
        )
    return made


def _why_kept(part: Part) -> str:
    """What speaks for a part, the strongest first."""
    strong = [cue for cue in CUES if part.cues[cue] >= _WORTH_NAMING]
    return "; ".join(_WORDS[cue] for cue in strong[:2])


def _why_not(
    number: int,
    choice: Choice,
    shown: Sequence[Part],
    footage: Sequence[MediaInfo],
    duration: Length,
) -> str:
    nearest = int(choice.nearest[number])
    if nearest < 0:
        return f"does not fit into {duration}"
    other = shown[nearest]
    media = footage[other.file]
    if choice.likeness[number] >= _ALIKE:
        at = media.start_frame + other.segment.alone.start
        where = timecode(at, media.rate, media.drop_frame)
        name = "" if other.file == shown[number].file else f" of {media.name}"
        return f"like {where}{name}, which is kept"
    if shown[number].importance >= other.importance:
        return f"no room for it in {duration}"
    return "less to see and hear than in what is kept"


def _strength(values: Array) -> float:
    """What happens for a moment counts as much as what goes on throughout."""
    return float(values.mean() + values.max()) / 2


def _steps(span: FrameRange, rate: Fraction, count: int) -> slice:
    """The steps that a range touches; at least one."""
    first = min(frame_within(seconds_at(span.start, rate), 1 / STEP), count - 1)
    return slice(first, max(first + 1, frames_covering(seconds_at(span.end, rate), 1 / STEP)))
