"""What of one file is kept for a rough cut, and why: sound and picture weighed against each other.

The result partitions the file into :class:`Piece`\\ s. A piece's reason is written for an editor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features import HOP, SILENCE
from ..inference import Predictions
from ..media import MediaInfo
from ..solve import Evidence, Grid, Rules, cores, holes, placed, union
from ..sources import source_of
from ..style import Leaning
from ..timing import (
    FrameRange,
    Length,
    frame_within,
    frames_covering,
    rescale_floor,
    seconds_at,
)
from ..transcript import Transcript
from .hearing import MATTERS, SOUNDS, TRUE_SILENCE, Heard, hear, with_sounds
from .remarks import Match, matches, remarks
from .restarts import said_again
from .seeing import MAY_BE_MEANT, Faulty, added, faulty_passages
from .spoken import name_of, passages, unwanted
from .styled import styled
from .takes import STAYS

#: Seconds of the shortest core and the shortest hole between cores.
_LEAST_CORE = Fraction(1, 10)
#: Seconds of the margin's outer end in which the quietest point is looked for.
_SEARCH = Fraction(2, 25)
#: Share of a file that must be audible before its sound may decide about its picture.
_AUDIBLE = 0.2
#: Share of the picture that faults may cover before they are taken to be its nature.
_THROUGHOUT = 0.9


@dataclass(frozen=True, slots=True)
class Manner:
    """How tightly to cut."""

    margin_before: Length
    margin_after: Length
    min_pause: Length
    min_shot: Length
    min_sound: Length  # sound without speech that stays for its own sake
    sound_level: float = MATTERS  # dB against speech from which it may stay
    fillers: frozenset[tuple[str, ...]] = frozenset()
    leaning: Leaning | None = None
    takes: str = STAYS[0]  # which take of a line stays
    sounds: str = SOUNDS[0]  # which sounds without speech stay


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file, kept or not. ``range`` counts frames of the file."""

    range: FrameRange
    kept: bool
    reason: str
    confidence: float
    name: str = ""  # what is said first in it
    doubts: tuple[tuple[FrameRange, str, float], ...] = ()  # parts to ask about, why, how sure
    match: Match | None = None  # what would bring its colours to those around


def select(known: Predictions, manner: Manner, sequence: Fraction) -> list[Piece]:
    """The pieces of a file in order; together they are the whole file, without overlap.

    Kept pieces last a whole number of frames at the rate ``sequence`` where what surrounds them
    leaves room for it, and at least one.
    """
    media = known.media
    judged, kept = _settled(known, manner, sequence, {})
    pieces = [judged.keep(span, manner) for span in kept]
    if known.transcript:
        said, rate = known.transcript, media.rate
        pieces = [replace(piece, name=name_of(said, piece.range, rate)) for piece in pieces]
    for hole in holes(kept, media.frame_count):
        pieces += judged.drops(hole, _min_pause(manner, media.rate))
    return sorted(pieces, key=lambda piece: piece.range)


def kept_ranges(
    known: Predictions, manner: Manner, sequence: Fraction, judged: dict[Any, Any]
) -> list[FrameRange]:
    """The ranges that :func:`select` keeps. ``judged`` remembers of one file what does not depend
    on margins and pauses, for whoever tries many manners."""
    return _settled(known, manner, sequence, judged)[1]


def _settled(
    known: Predictions, manner: Manner, sequence: Fraction, judged: dict[Any, Any]
) -> tuple[_Judged, list[FrameRange]]:
    """A file as it was judged, and the ranges of it to keep."""
    least = manner.min_sound if manner.sounds == "all" else None
    short = manner.min_shot if known.transcript else None
    key = (manner.sound_level, manner.sounds, least, manner.takes, manner.leaning, short)
    if key not in judged:
        found = _Judged.of(known, manner=manner).without_unwanted(known.transcript, manner)
        judged[key] = found.without_takes(known, manner.takes), {}
    whole, solved = judged[key]
    kept = whole.kept(manner, sequence, solved)
    if not kept and known.media.picture is not None and whole.heard and not whole.heard.has_speech:
        whole = _Judged.of(replace(known, sound=None), "nothing in its sound to cut by")
        kept = whole.kept(manner, sequence, {})
    return whole, kept


def _rules(manner: Manner, rate: Fraction, hop: Fraction) -> Rules:
    pause = float(seconds_at(manner.min_pause.at(rate), rate))
    return Rules(
        margin_before=_steps(manner.margin_before, rate, hop),
        margin_after=_steps(manner.margin_after, rate, hop),
        search=int(_SEARCH / hop),
        least_keep=max(1, int(_LEAST_CORE / hop)),
        least_drop=max(1, int(_LEAST_CORE / hop)),
        # A clear pause pays for two changes when it is about as long as what is taken out of it
        # and the margins around that, which grow with it.
        change=pause,
        min_shot=max(1, manner.min_shot.at(rate)),
        min_pause=_min_pause(manner, rate),
    )


def _min_pause(manner: Manner, rate: Fraction) -> int:
    return max(1, manner.min_pause.at(rate))


def _steps(length: Length, rate: Fraction, hop: Fraction) -> int:
    seconds = length.seconds + seconds_at(length.frames, rate)
    return frames_covering(seconds, 1 / hop)


def _least_sound(manner: Manner, rate: Fraction, hop: Fraction) -> float:
    """Seconds of the shortest sound without speech that is kept."""
    return max(float(hop), float(seconds_at(max(1, manner.min_sound.at(rate)), rate)))


def _whole_frames(kept: Sequence[FrameRange], grid: Grid, sequence: Fraction) -> list[FrameRange]:
    """Kept ranges lengthened into the hole behind them, so that no part of a sequence frame is
    lost; those below one sequence frame are given up."""
    if grid.rate == sequence:
        return list(kept)
    fitted = []
    for number, span in enumerate(kept):
        behind = kept[number + 1].start if number + 1 < len(kept) else grid.frame_count
        behind = min([behind, *(veto.start for veto in grid.vetoed if veto.start >= span.end)])
        wanted = -rescale_floor(-span.duration, grid.rate, sequence)
        length = -rescale_floor(-wanted, sequence, grid.rate)
        if span.start + length < behind or span.start + length == grid.frame_count:
            span = FrameRange(span.start, length)
        if rescale_floor(span.duration, grid.rate, sequence):
            fitted.append(span)
    return fitted


@dataclass(frozen=True)
class _Judged:
    """A file and what was found in it."""

    media: MediaInfo
    heard: Heard | None  # None where sound has no say
    faults: tuple[Faulty, ...]
    hop: Fraction
    aside: str = ""  # what is particular about this file, for the reasons
    doubts: tuple[Faulty, ...] = ()  # what stays in and is asked about
    matches: tuple[Match, ...] = ()  # passages of other colours

    @classmethod
    def of(
        cls, known: Predictions, aside: str = "no sound", manner: Manner | None = None
    ) -> _Judged:
        """Hear, look, and settle which of the two decides. ``aside`` says why nothing is heard."""
        media = known.media
        level = MATTERS if manner is None else manner.sound_level
        heard = hear(known.sound, level) if known.sound is not None else None
        if heard is not None and manner is not None:
            if manner.leaning is not None:
                heard = styled(heard, known, manner.leaning)
            if manner.sounds == "all" and known.sound is not None:
                least = _least_sound(manner, media.rate, known.sound.hop)
                heard = with_sounds(heard, float(known.sound.hop), level, least)
        if heard is not None and media.picture is not None and _mute(heard):
            heard, aside = None, "nothing to hear"
        elif heard is not None:
            aside = ""
        faults: list[Faulty] = []
        if known.samples is not None and media.picture is not None:
            extent = FrameRange(0, media.picture.frame_count)
            faults = faulty_passages(known.samples, extent, media.rate, frozen=heard is None)
            covered = sum(fault.range.duration for fault in faults)
            if covered >= _THROUGHOUT * extent.duration:
                if heard is not None and not heard.silent:
                    faults, aside = [], f"{faults[0].reason} throughout, cut by its sound"
                elif all(fault.reason in MAY_BE_MEANT for fault in faults):
                    faults, aside = [], f"{faults[0].reason} throughout"
        hop = known.sound.hop if known.sound is not None else HOP
        return cls(media, heard, tuple(faults), hop, aside)

    def without_unwanted(self, transcript: Transcript | None, manner: Manner) -> _Judged:
        """The same, with what a transcript speaks against among the faults."""
        found = unwanted(transcript, manner.fillers, manner.takes) if transcript else []
        if transcript is None or not found:
            return self
        level = (self.heard.level, self.hop) if self.heard is not None else None
        said = passages(
            found,
            transcript,
            source_of(self.media, self.media.name),
            level,
            [fault.range for fault in self.faults],
            manner.min_shot.at(self.media.rate),
        )
        faults = sorted((*self.faults, *said), key=lambda fault: fault.range)
        return replace(self, faults=tuple(faults))

    def without_takes(self, known: Predictions, stays: str) -> _Judged:
        """The same, with what is said again and what the edit network speaks against among the
        faults, or in doubt."""
        edit, source = known.edit, source_of(self.media, self.media.name)
        found = said_again(known, self.heard, self.hop, source, stays)
        faults = added(self.faults, found.faults, self.media.frame_count)
        noted = remarks(edit, source) if edit is not None else ()
        asked = {doubt.range: doubt for doubt in (*noted, *found.doubts)}
        doubts = tuple(sorted(asked.values(), key=lambda one: one.range))
        coloured = matches(edit, source) if edit and self.media.picture is not None else ()
        return replace(self, faults=faults, doubts=doubts, matches=coloured)

    def kept(self, manner: Manner, sequence: Fraction, solved: dict[Any, Any]) -> list[FrameRange]:
        """The ranges to keep. ``solved`` remembers the cores, which margins do not change."""
        vetoed = tuple(union(fault.range for fault in self.faults))
        grid = Grid(self.media.rate, self.media.frame_count, vetoed)
        rules = _rules(manner, self.media.rate, self.hop)
        least = _least_sound(manner, self.media.rate, self.hop)
        evidence = self.evidence(rules.change, least)
        key = (rules.change, least)
        if key not in solved:
            solved[key] = cores(evidence, rules, grid)
        return _whole_frames(placed(solved[key], evidence, rules, grid), grid, sequence)

    def evidence(self, change: float, least_sound: float) -> Evidence:
        """What speaks for keeping each step of the whole file.

        ``change`` is what a cut will cost: clear sound without speech pays for its two cuts when
        it lasts ``least_sound`` seconds.
        """
        length = seconds_at(self.media.frame_count, self.media.rate)
        steps = max(1, frames_covering(length, 1 / self.hop))
        if self.heard is None:
            score = np.full(steps, float(self.hop))
            return Evidence(self.hop, score, np.zeros(steps, bool), np.zeros(steps))
        sure = self.heard.speech
        if self.heard.sounds is not None:
            sure = sure | self.heard.sounds
        score = self.heard.score
        score = np.where(score > 0, score * (2 * change / least_sound), score)
        return Evidence(
            hop=self.hop,
            score=np.where(self._recorded(steps), _fitted(score, steps, 0.0), 0.0),
            speech=_fitted(sure, steps, False),
            level=_fitted(self.heard.level, steps, SILENCE),
        )

    def _recorded(self, steps: int) -> NDArray[np.bool_]:
        """The steps at which some track has sound. Where none has, none is missing either: a
        recorder that starts late says nothing about the picture."""
        recorded = np.zeros(steps, bool)
        for stream in self.media.audio:
            first = max(0, frame_within(stream.start, 1 / self.hop))
            recorded[first : frames_covering(stream.start + stream.duration, 1 / self.hop)] = True
        return recorded

    def keep(self, span: FrameRange, manner: Manner) -> Piece:
        """A kept range with its reason."""
        reason, confidence = self._why_kept(span, manner)
        if self.aside:
            reason = f"{reason} ({self.aside})" if reason else self.aside
        doubts = tuple(
            (part, doubt.reason, doubt.confidence)
            for doubt in self.doubts
            if (part := doubt.range.intersection(span)).duration > 1
        )
        match = next((one for one in self.matches if one.range.contains(span)), None)
        return Piece(span, True, reason, round(confidence, 3), doubts=doubts, match=match)

    def _why_kept(self, span: FrameRange, manner: Manner) -> tuple[str, float]:
        heard = self.heard
        if heard is None:
            return "kept by its picture", 0.75
        part = self._steps(span)
        speech = heard.speech[part]
        if speech.any():
            certainty = float(heard.probability[part][speech].mean())
            return f"speech, margins {manner.margin_before} and {manner.margin_after}", certainty
        if heard.has_speech:
            certainty = 0.4 + 0.4 * self._evidence(part, 1)
            if heard.sounds is not None and heard.sounds[part].any():
                return f"no speech, but sound from {manner.sound_level:g} dB", max(certainty, 0.6)
            return "no speech, but sound as loud as speech", certainty
        if not heard.has_dead_air:
            return "no speech in this file and no clear dead air", 0.75
        return "no speech in this file; kept for its sound", 0.5 + 0.4 * self._evidence(part, 1)

    def drops(self, hole: FrameRange, least: int) -> Iterator[Piece]:
        """A dropped range, divided where a faulty picture begins or ends; remains below ``least``
        frames go with their neighbour."""
        edges = [hole.start]
        for fault in self.faults:
            shared = fault.range.intersection(hole)
            if shared.duration:
                before = shared.start if shared.start - edges[-1] >= least else edges[-1]
                after = shared.end if hole.end - shared.end >= least else hole.end
                edges += [before, after]
        edges.append(hole.end)
        for start, end in pairwise(edges):
            if start < end:
                yield self._drop(FrameRange.between(start, end))

    def _drop(self, span: FrameRange) -> Piece:
        worst = max(
            self.faults, key=lambda fault: fault.range.intersection(span).duration, default=None
        )
        seconds = float(seconds_at(span.duration, self.media.rate))
        if worst is None or not worst.range.intersection(span).duration:
            reason, confidence = self._why_quiet(span)
            return Piece(span, False, f"{reason}, {seconds:.1f} s", round(confidence, 3))
        reason, confidence = worst.reason, worst.confidence
        spoken = self.heard is not None and self.heard.speech[self._steps(worst.range)].any()
        if spoken and not worst.spoken:
            reason, confidence = f"{reason}, with speech under it", min(confidence, 0.5)
        return Piece(span, False, f"{reason}, {seconds:.1f} s", round(confidence, 3))

    def _why_quiet(self, span: FrameRange) -> tuple[str, float]:
        """Why a range without fault in its picture goes."""
        heard = self.heard
        if heard is None:
            return "left between unusable pictures", 0.6
        part = self._steps(span)
        level = heard.level[part]
        if not len(level) or level.max() <= TRUE_SILENCE:
            return "silence", 0.98
        below = heard.against - float(10 * np.log10(np.power(10, level / 10).mean()))
        certainty = 0.5 + 0.5 * self._evidence(part, -1)
        where = "speech" if heard.has_speech else "the loud parts"
        side = "below" if below >= 0 else "above"
        return f"no speech, {abs(below):.0f} dB {side} {where}", certainty

    def _evidence(self, part: slice, sign: int) -> float:
        """How clear the level is in one direction, 0 to 1."""
        assert self.heard is not None
        score = self.heard.score[part] / float(self.hop) * sign
        return float(np.clip(score, 0, 1).mean()) if len(score) else 0.0

    def _steps(self, span: FrameRange) -> slice:
        """The steps of a range; at least one where there are any."""
        first = frame_within(seconds_at(span.start, self.media.rate), 1 / self.hop)
        stop = frames_covering(seconds_at(span.end, self.media.rate), 1 / self.hop)
        return slice(first, max(first + 1, stop))


def _mute(heard: Heard) -> bool:
    """Whether next to nothing was recorded, so that silence says nothing about the picture."""
    return heard.silent or (
        not heard.has_speech and float((heard.level > TRUE_SILENCE).mean()) < _AUDIBLE
    )


def _fitted(values: NDArray[Any], steps: int, rest: float | bool) -> NDArray[Any]:
    """``values`` cut or filled up with ``rest`` to ``steps``."""
    fitted = np.full(steps, rest, values.dtype)
    fitted[: len(values)] = values[:steps]
    return fitted
