"""Where every clip of a track lies on the record side, in whole frames of the sequence.

An EDL is flat: nested sequences are opened up into their clips here. Record edges are each
rounded to the nearest frame, so that neighbours still meet where a clip's own duration is not
whole (media of another rate, a duration in samples); the loss report names what was moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import opentimelineio as otio

from ..otio_values import elements
from ..timing import exact_time, frame_at, is_on_frame, nominal_rate
from .gain import is_gain
from .loss import LossReport
from .timeline_facts import ClipData, clip_data, media_rate, span_of, speed_of

#: Nesting deeper than this is not opened up.
_MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Join:
    """A transition: sequence frames before and after the cut."""

    before: int
    after: int
    transition: otio.schema.Transition

    @property
    def length(self) -> int:
        """Frames from the first to the last mixed one."""
        return self.before + self.after


@dataclass(slots=True)
class Placed:
    """A clip on a track: record frames from the sequence's first frame, its media's clock.

    ``source`` is the media time of its first record frame, in frames of ``rate`` (a fraction
    where it lies between two); ``whole`` says that the clip was not trimmed by a nesting,
    ``on_frame`` that both its record edges lay on frames.
    """

    clip: otio.schema.Clip
    start: int
    end: int
    source: Fraction
    rate: Fraction
    scalar: Fraction
    enabled: bool
    whole: bool
    on_frame: bool
    data: ClipData
    head: Join | None = None
    tail: Join | None = None
    after_gap: bool = True
    before_gap: bool = True


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a clip in exact seconds of the track, ``skipped`` seconds after its own in."""

    clip: otio.schema.Clip
    start: Fraction
    end: Fraction
    skipped: Fraction
    enabled: bool
    whole: bool


def place_track(
    track: otio.schema.Track, rate: Fraction, report: LossReport
) -> tuple[list[Placed], int]:
    """The clips of a track with their transitions, and the frame at which the track ends."""
    position = Fraction(0)
    placed: list[Placed] = []
    pending: otio.schema.Transition | None = None
    after_gap = True
    for item in track:
        if isinstance(item, otio.schema.Transition):
            pending = item
            if not all(is_on_frame(exact_time(x), rate) for x in (item.in_offset, item.out_offset)):
                why = "an end of it was moved to the nearest frame"
                report.changed("transition", why, track.name, item.name)
            if placed and not after_gap:
                placed[-1].tail = _join(item, rate)
            continue
        pieces, length = _pieces(item, position, track.enabled, report, track.name, 0)
        single = isinstance(item, otio.schema.Clip)
        clips = [found for piece in pieces if (found := _placed(piece, rate, track, report))]
        if pending is not None and single and clips:
            clips[0].head = _join(pending, rate)
        elif pending is not None and not single and not isinstance(item, otio.schema.Gap):
            report.lost("transition", "a transition into a nested sequence", track.name, item.name)
            if placed and placed[-1].tail:
                placed[-1].tail = None
        if clips:
            clips[0].after_gap = after_gap
            if placed and not after_gap:
                placed[-1].before_gap = False
        placed += clips
        position += length
        after_gap = not clips or clips[-1].end < frame_at(position, rate)
        pending = None
    if after_gap and not is_on_frame(position, rate):
        report.changed("cut", "the track's end was moved to the nearest frame", track.name)
    return placed, frame_at(position, rate)


def _join(transition: otio.schema.Transition, rate: Fraction) -> Join:
    return Join(
        frame_at(exact_time(transition.in_offset), rate),
        frame_at(exact_time(transition.out_offset), rate),
        transition,
    )


def _placed(
    piece: _Piece, rate: Fraction, track: otio.schema.Track, report: LossReport
) -> Placed | None:
    start, end = frame_at(piece.start, rate), frame_at(piece.end, rate)
    if end <= start:
        if piece.start < piece.end:
            report.lost("clip", "shorter than half a frame", track.name, piece.clip.name)
        return None
    media, scalar = media_rate(piece.clip), speed_of(piece.clip)
    if nominal_rate(media) > 100:
        media = rate  # a clock of sound samples: timecode counts as the sequence does
    span = span_of(piece.clip)
    own = exact_time(span.start_time) if span is not None else Fraction(0)
    source = own * media + (piece.skipped * abs(scalar) * media if piece.skipped else 0)
    on_frame = is_on_frame(piece.start, rate) and is_on_frame(piece.end, rate)
    return Placed(
        piece.clip,
        start,
        end,
        source,
        media,
        scalar,
        piece.enabled,
        piece.whole,
        on_frame,
        clip_data(piece.clip),
    )


def _pieces(
    item: otio.core.Composable,
    at: Fraction,
    enabled: bool,
    report: LossReport,
    track: str,
    depth: int,
) -> tuple[list[_Piece], Fraction]:
    """The clips of an item that begins at second ``at``, and how many seconds it lasts."""
    span = span_of(item)
    if span is None or depth > _MAX_DEPTH:
        why = "nested too deeply" if depth > _MAX_DEPTH else "has neither range nor media range"
        report.lost("clip", f"{item.name or 'an item'} {why}", track, item.name)
        return [], Fraction(0)
    length = max(Fraction(0), exact_time(span.duration))
    if isinstance(item, otio.schema.Gap):
        return [], length
    enabled = enabled and item.enabled
    if isinstance(item, otio.schema.Clip):
        if length == 0:
            report.lost("clip", "a clip of no length", track, item.name)
        return [_Piece(item, at, at + length, Fraction(0), enabled, True)], length
    if not isinstance(item, otio.schema.Track) or depth == 0:
        report.changed("nested sequence", "written as the clips inside it", track, item.name)
    _say_lost(item, report, track)
    inner = _opened(item, enabled, report, track, depth)
    first = exact_time(span.start_time)
    trimmed = (_trimmed(piece, first, first + length) for piece in inner)
    return [_moved(piece, at - first) for piece in trimmed if piece is not None], length


def _say_lost(item: otio.core.Composition, report: LossReport, track: str) -> None:
    """Name what stands on a nested sequence itself: its clips do not get it."""
    facts = clip_data(item)
    for effect in facts.effects:
        if isinstance(effect, otio.schema.TimeEffect):
            report.lost("speed", "the speed of a nested sequence", track, item.name)
        elif is_gain(effect):
            report.lost("gain", "the gain of a nested sequence", track, item.name)
        else:
            report.lost("effect", effect.effect_name or effect.name, track, item.name)
    for _ in elements(item.markers):
        report.lost("marker", "a marker on a nested sequence", track, item.name)
    if facts.cdl:
        report.lost("colour", "the ASC CDL of a nested sequence", track, item.name)
    if "id" in facts.own:
        report.lost("id", f"{facts.own['id']}, of a nested sequence", track, item.name)


def _opened(
    item: otio.core.Composition, enabled: bool, report: LossReport, track: str, depth: int
) -> list[_Piece]:
    """The visible clips of a nested sequence on its own clock, later layers over earlier."""
    pieces: list[_Piece] = []
    if isinstance(item, otio.schema.Stack):
        for layer in item:
            if isinstance(layer, otio.schema.Track) and layer.kind != otio.schema.TrackKind.Video:
                continue
            over, _ = _pieces(layer, Fraction(0), enabled, report, track, depth + 1)
            pieces = _overlaid(pieces, over)
        return pieces
    position = Fraction(0)
    for child in item:
        if isinstance(child, otio.schema.Transition):
            report.lost("transition", "a transition inside a nested sequence", track, item.name)
            continue
        found, length = _pieces(child, position, enabled, report, track, depth + 1)
        pieces += found
        position += length
    return pieces


def _trimmed(piece: _Piece, start: Fraction, end: Fraction) -> _Piece | None:
    begin, stop = max(piece.start, start), min(piece.end, end)
    if begin >= stop:
        return None
    whole = piece.whole and (begin, stop) == (piece.start, piece.end)
    skipped = piece.skipped + begin - piece.start
    return replace(piece, start=begin, end=stop, skipped=skipped, whole=whole)


def _moved(piece: _Piece, by: Fraction) -> _Piece:
    return replace(piece, start=piece.start + by, end=piece.end + by)


def _overlaid(under: list[_Piece], over: list[_Piece]) -> list[_Piece]:
    """``under`` with ``over`` on top of it. Disabled clips cover nothing."""
    result = list(over)
    covers = [piece for piece in over if piece.enabled]
    for piece in under:
        result += _uncovered(piece, covers)
    return sorted(result, key=lambda piece: piece.start)


def _uncovered(piece: _Piece, covers: list[_Piece]) -> Iterator[_Piece]:
    at = piece.start
    for cover in covers:
        left = _trimmed(piece, at, min(piece.end, cover.start))
        if left is not None:
            yield left
        at = max(at, cover.end)
    rest = _trimmed(piece, at, piece.end)
    if rest is not None:
        yield rest
