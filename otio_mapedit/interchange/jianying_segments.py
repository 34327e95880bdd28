"""A timeline as the segments of a JianYing (CapCut) draft: microseconds from exact frames.

In JianYing the sound of a film belongs to its picture. A sound clip is therefore the volume of the
picture it is linked to and cut like; sound files have tracks of their own; other sound is lost,
and said to be. Each edge is rounded to a microsecond once, so that clips that meet still do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import PurePosixPath

import opentimelineio as otio

from ..timing import exact_time, frame_at
from .fcpxml_links import travel_together
from .fcpxml_plan import Join, Piece, Plan, TrackPlan
from .mlt_cuts import is_dip
from .mlt_media import file_path
from .mlt_words import STILLS
from .timeline_facts import clip_data, wipe_pattern

_MICROSECONDS = Fraction(1_000_000)
_SOUNDS = frozenset((".wav", ".mp3", ".m4a", ".aac", ".flac", ".aif", ".aiff", ".ogg", ".wma"))
#: JianYing's limits of speed.
_SLOWEST, _FASTEST = Fraction(1, 10), Fraction(100)


@dataclass(frozen=True, slots=True)
class Segment:
    """A clip on a track; times in microseconds. ``transition`` leads to the next one: its length
    and whether it goes through black. ``media`` is how much of its file must be there."""

    path: str
    name: str
    start: int
    length: int
    source: int
    taken: int
    speed: Fraction
    volume: float
    still: bool
    media: int
    transition: tuple[int, bool] | None = None


@dataclass(frozen=True, slots=True)
class SegmentTrack:
    """A track of pictures or of sound files."""

    name: str
    video: bool
    muted: bool
    segments: tuple[Segment, ...]


def microseconds(frame: int, rate: Fraction) -> int:
    """When a frame begins, to the nearest microsecond."""
    return frame_at(Fraction(frame) / rate, _MICROSECONDS)


def segment_tracks(plan: Plan) -> list[SegmentTrack]:
    """The tracks of a draft; what it cannot hold goes to the plan's report."""
    travel_together(plan, split_edits=False)
    found = []
    names: set[tuple[bool, str]] = set()
    for number, track in enumerate(plan.tracks, 1):
        segments = tuple(_segments(plan, track))
        name = track.track.name or f"{'V' if track.is_video else 'A'}{number}"
        if segments:
            while (track.is_video, name) in names:
                name += " +"
            names.add((track.is_video, name))
            muted = not track.track.enabled
            if muted and track.is_video:
                plan.report.lost("track", "JianYing shows it", track.track.name or "")
            found.append(SegmentTrack(name, track.is_video, muted, segments))
        for _ in track.track.markers:
            plan.report.lost("marker", "a draft gets no markers", track.track.name or "")
    return found


def _segments(plan: Plan, track: TrackPlan) -> list[Segment]:
    found = []
    for index, piece in enumerate(track.pieces):
        after = track.pieces[index + 1] if index + 1 < len(track.pieces) else None
        made = _segment(plan, track, piece)
        transition = _transition(plan, track, piece, after, made is not None)
        if made is not None:
            found.append(_with(made, transition))
    return found


def _with(segment: Segment, transition: tuple[int, bool] | None) -> Segment:
    return replace(segment, transition=transition) if transition else segment


def _segment(plan: Plan, track: TrackPlan, piece: Piece) -> Segment | None:
    report, where, item = plan.report, plan.place(piece), piece.item
    for _ in item.markers if len(item.markers) else ():
        report.lost("marker", "a draft gets no markers", **where)
    if piece.is_gap:
        return None
    if not track.is_video and piece.host is not None:
        return None  # heard with its picture
    path = _path(plan, track, piece)
    if not path:
        return None
    if not item.enabled:
        report.lost("disabled", "left out: JianYing would play it", **where)
        return None
    facts = clip_data(item)
    for effect in facts.effects:
        if not isinstance(effect, otio.schema.LinearTimeWarp) and facts.gain is None:
            report.lost("effect", str(effect.effect_name or effect.name), **where)
    if facts.cdl:
        report.lost("colour", "a draft gets no ASC CDL", **where)
    speed = _speed(plan, piece)
    available = getattr(item.media_reference, "available_range", None)
    begin = exact_time(available.start_time) if available is not None else Fraction(0)
    known = exact_time(available.duration) if available is not None else Fraction(0)
    start = microseconds(piece.record.start, plan.rate)
    length = microseconds(piece.record.end, plan.rate) - start
    source = max(0, frame_at(piece.source_start - begin, _MICROSECONDS))
    taken = length if speed == 1 else frame_at(length * speed / _MICROSECONDS, _MICROSECONDS)
    media = max(frame_at(known, _MICROSECONDS), source + taken)
    still = PurePosixPath(path).suffix.lower() in STILLS
    return Segment(
        path, item.name, start, length, 0 if still else source, taken, speed,
        _volume(track, piece, facts.gain), still, media,
    )  # fmt: skip


def _path(plan: Plan, track: TrackPlan, piece: Piece) -> str:
    """The file of a clip; empty, and said, where a draft has none for it."""
    report, where = plan.report, plan.place(piece)
    if not piece.is_clip:
        report.lost("nested sequence", "left empty", **where)
        return ""
    reference = piece.item.media_reference
    if not isinstance(reference, otio.schema.ExternalReference) or not reference.target_url:
        kinds = {
            otio.schema.GeneratorReference: "generator",
            otio.schema.ImageSequenceReference: "image sequence",
        }
        report.lost(kinds.get(type(reference), "missing media"), "left empty", **where)
        return ""
    path = file_path(reference.target_url)
    if not track.is_video and PurePosixPath(path).suffix.lower() not in _SOUNDS:
        report.lost("sound", "no picture that is cut like it: JianYing would not hear it", **where)
        return ""
    return path


def _speed(plan: Plan, piece: Piece) -> Fraction:
    report, where = plan.report, plan.place(piece)
    if piece.speed == 0:
        report.lost("speed", "a frozen picture plays at 100 %", **where)
        return Fraction(1)
    if piece.speed < 0:
        report.lost("speed", "it plays forwards", **where)
    speed = abs(piece.speed)
    if not _SLOWEST <= speed <= _FASTEST:
        report.changed("speed", "JianYing plays from 10 % to 10000 %", **where)
    return min(_FASTEST, max(_SLOWEST, speed))


def _volume(track: TrackPlan, piece: Piece, gain: float | None) -> float:
    """How loud: of a picture, as its linked sound; 0 where it has none."""
    if track.is_video:
        heard = [sound for sound in piece.sounds if sound.item.enabled]
        if not heard:
            return 0.0
        gain = clip_data(heard[0].item).gain
    return 1.0 if gain is None else float(10 ** (max(-100.0, min(20.0, gain)) / 20))


def _transition(
    plan: Plan, track: TrackPlan, piece: Piece, after: Piece | None, there: bool
) -> tuple[int, bool] | None:
    """Microseconds of the transition after a clip, and whether it goes through black."""
    join: Join | None = piece.tail or (after.head if after is not None else None)
    if piece is track.pieces[0] and piece.head is not None:
        plan.report.lost("transition", "a draft has no fade from nothing", **plan.place(piece))
    if join is None or (not track.is_video and piece.host is not None):
        return None
    where = plan.place(piece)
    if not there or after is None or after.is_gap or not after.is_clip or not track.is_video:
        plan.report.lost("transition", "a draft has it between pictures only", **where)
        return None
    if join.before != join.after:
        plan.report.changed("transition", "JianYing centres it over the cut", **where)
    dip = is_dip(join)
    dissolve = join.transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve
    if wipe_pattern(join.transition) is not None or not (dip or dissolve):
        plan.report.changed("transition", "it becomes a dissolve", **where)
    return microseconds(join.before + join.after, plan.rate), dip
