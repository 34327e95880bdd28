"""Chosen pieces as a programme that flows: in order, joined so that no cut is heard or jumps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..inference import Predictions
from ..operations import Kind, Operation, Value
from ..timing import FrameRange, frame_within, seconds_at
from .footage import Material
from .joining import Kept, around, covered, lacking
from .pieces import Piece
from .spoken import name_of

#: dBFS from which a cut through sound is heard, and seconds around it in which that is asked.
_HEARD, _NEAR = -45.0, Fraction(1, 20)
#: Seconds apart from which two pieces of one file are another scene.
_SCENE = 10


@dataclass(frozen=True, slots=True)
class Manner:
    """How pieces are put together. Lengths are frames of the sequence."""

    rate: Fraction
    dissolve: int
    crossfade: int
    by_score: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """Kept pieces that follow each other in a file, placed as one."""

    file: int
    range: FrameRange
    pieces: tuple[Piece, ...]
    room: tuple[int, int]  # frames of the same shot before and after it

    @property
    def score(self) -> float:
        """How good its best piece is."""
        return max(piece.score for piece in self.pieces)


def operations(
    materials: Sequence[Material],
    predictions: Sequence[Predictions],
    pieces: Sequence[Piece],
    manner: Manner,
) -> list[Operation]:
    """The decision list: what is kept in programme order with its joins, and what is left out."""
    runs, left_out = _runs(pieces)
    if not runs:
        return [_drop(materials[piece.file], piece, {"mode": "disable"}) for piece in pieces]
    ordered = sorted(runs, key=lambda run: -run.score) if manner.by_score else runs
    made: list[Operation] = []
    before: _Run | None = None
    for run in ordered:
        if not manner.by_score:
            made += _dropped_before(run, left_out, materials)
        if before is not None:
            made.append(_join(before, run, materials, predictions, manner))
        made.append(_keep(run, materials[run.file], predictions[run.file]))
        before = run
    return made + [_drop(materials[piece.file], piece) for piece in left_out]


def _runs(pieces: Sequence[Piece]) -> tuple[list[_Run], list[Piece]]:
    """What is placed, and what is left out, the mixed frames beside what is placed too."""
    runs: list[_Run] = []
    left_out: list[Piece] = []
    for piece in pieces:
        last = runs[-1] if runs else None
        if not piece.kept:
            left_out.append(piece)
        elif last and last.file == piece.file and last.pieces[-1].range.end == piece.range.start:
            span = FrameRange.between(last.range.start, piece.alone.end)
            runs[-1] = _Run(piece.file, span, (*last.pieces, piece), (0, 0))
        else:
            runs.append(_Run(piece.file, piece.alone, (piece,), (0, 0)))
    for run in runs:
        whole = FrameRange.between(run.pieces[0].range.start, run.pieces[-1].range.end)
        for start, end in ((whole.start, run.range.start), (run.range.end, whole.end)):
            if start < end:
                span = FrameRange.between(start, end)
                why = "inside a transition between two shots"
                left_out.append(Piece(run.file, span, span, False, 0.9, why))
    beside = {(piece.file, piece.range.end): piece for piece in pieces}
    behind = {(piece.file, piece.range.start): piece for piece in pieces}
    return (
        [replace(run, room=_room(run, beside, behind)) for run in runs],
        _joined(sorted(left_out, key=lambda piece: (piece.file, piece.range))),
    )


def _joined(left_out: Sequence[Piece]) -> list[Piece]:
    """Neighbours that are left out for the same reason as one."""
    made: list[Piece] = []
    for piece in left_out:
        last = made[-1] if made else None
        if (
            last
            and (last.file, last.range.end) == (piece.file, piece.range.start)
            and last.reason == piece.reason
        ):
            span = FrameRange.between(last.range.start, piece.range.end)
            made[-1] = replace(
                last,
                range=span,
                alone=span,
                confidence=min(last.confidence, piece.confidence),
                score=max(last.score, piece.score),
            )
        else:
            made.append(piece)
    return made


def _room(
    run: _Run, ending: dict[tuple[int, int], Piece], starting: dict[tuple[int, int], Piece]
) -> tuple[int, int]:
    """Frames before and after a run that show the same shot, as far as is known."""
    first, last = run.pieces[0], run.pieces[-1]
    before = ending.get((run.file, first.range.start))
    after = starting.get((run.file, last.range.end))
    rooms = [
        before.alone.duration
        if before and before.goes_on and first.alone.start == first.range.start
        else 0,
        after.alone.duration if after and last.goes_on and last.alone.end == last.range.end else 0,
    ]
    return rooms[0], rooms[1]


def _dropped_before(
    run: _Run, left_out: list[Piece], materials: Sequence[Material]
) -> list[Operation]:
    """Takes what lies before a run out of ``left_out``."""
    made = []
    while left_out and (left_out[0].file, left_out[0].range) < (run.file, run.range):
        piece = left_out.pop(0)
        made.append(_drop(materials[piece.file], piece))
    return made


def _keep(run: _Run, material: Material, known: Predictions) -> Operation:
    parameters: dict[str, Value] = {"score": run.score}
    if known.transcript and (name := name_of(known.transcript, run.range, known.media.rate)):
        parameters["name"] = name
    words = [word for piece in run.pieces for word in piece.reason.split("; ") if word]
    reasons = list(dict.fromkeys(words))[:3]
    if share := sum(piece.share for piece in run.pieces):
        reasons.append(f"stands for {max(1, round(100 * share))} % of the footage")
    return material.operation(
        Kind.KEEP,
        run.range,
        confidence=max(piece.confidence for piece in run.pieces),
        reason="; ".join(reasons),
        parameters=parameters,
    )


def _drop(material: Material, piece: Piece, mode: dict[str, Value] | None = None) -> Operation:
    parameters: dict[str, Value] = {"score": piece.score, **(mode or {})}
    return material.operation(
        Kind.DROP,
        piece.range,
        confidence=piece.confidence,
        reason=f"{piece.reason}, {_seconds(piece, material):.1f} s",
        parameters=parameters,
    )


def _seconds(piece: Piece, material: Material) -> float:
    return float(seconds_at(piece.range.duration, material.source.rate))


def _join(
    before: _Run,
    after: _Run,
    materials: Sequence[Material],
    predictions: Sequence[Predictions],
    manner: Manner,
) -> Operation:
    """A dissolve where the scene changes, a crossfade where the cut would be heard, else a cut."""
    leaving = Kept(materials[before.file].source, before.range)
    entering = Kept(materials[after.file].source, after.range)
    why = _scene_change(before, after, materials)
    offsets = around(manner.dissolve)
    if why and manner.dissolve:
        fits = offsets[1] <= before.room[1] and offsets[0] <= after.room[0]
        if fits and not lacking(leaving, entering, offsets, manner.rate):
            return _transition(before, after, leaving, materials, offsets, manner.rate, why)
    loud = _heard(predictions[before.file], before.range.end) or _heard(
        predictions[after.file], after.range.start
    )
    offsets = around(manner.crossfade)
    if loud and manner.crossfade and not lacking(leaving, entering, offsets, manner.rate, True):
        reason = "the sound goes on here, so it crossfades"
        made = _transition(before, after, leaving, materials, offsets, manner.rate, reason)
        return replace(made, parameters={**made.parameters, "picture": False})
    reason = why or "what is between them is left out"
    if not loud:
        reason += ", in a pause" if predictions[after.file].sound is not None else ""
    return materials[after.file].operation(
        Kind.CUT, FrameRange(after.range.start, 0), reason=reason
    )


def _transition(
    before: _Run,
    after: _Run,
    leaving: Kept,
    materials: Sequence[Material],
    offsets: tuple[int, int],
    rate: Fraction,
    reason: str,
) -> Operation:
    return materials[after.file].operation(
        Kind.DISSOLVE,
        covered(leaving, offsets, rate),
        source=leaving.source.id,
        reason=reason,
        parameters={"in_offset": offsets[0], "out_offset": offsets[1]},
    )


def _scene_change(before: _Run, after: _Run, materials: Sequence[Material]) -> str:
    """Why what follows is another scene; empty where it is the same."""
    if before.file != after.file:
        return "next file"
    rate = materials[after.file].source.rate
    apart = after.range.start - before.range.end
    if apart < 0 or seconds_at(apart, rate) >= _SCENE:
        return f"another scene, {abs(float(seconds_at(apart, rate))):.0f} s away"
    return ""


def _heard(known: Predictions, frame: int) -> bool:
    """Whether there is sound at a frame's edge that a cut would be heard in."""
    if known.sound is None:
        return False
    at, hop = seconds_at(frame, known.media.rate), known.sound.hop
    first = max(0, frame_within(at - _NEAR, 1 / hop))
    part = known.sound.level[first : frame_within(at + _NEAR, 1 / hop) + 1]
    return bool(len(part) and np.max(part) > _HEARD)
