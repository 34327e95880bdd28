"""What an editing program does not read of the OTIO that is written for it.

The file itself keeps everything, and reads back as it was; this is about the program. Kdenlive:
its importer (``otioimport.cpp`` of KDE/kdenlive) takes files and their place on top-level tracks,
at a position and a length in sequence frames, and nothing else. Resolve and Premiere: see
:mod:`.otio_dialects`.
"""

from __future__ import annotations

from typing import Any

import opentimelineio as otio

from ..errors import OptionError
from ..timing import can_drop_frames, exact_time, frame_at, frame_of_timecode, timecode
from .fcpxml_plan import Piece, Plan, TrackPlan, plan_stack, sequence_rate
from .gain import is_gain
from .loss import LossReport
from .timeline_facts import clip_data, data_of, media_rate


def unread(timeline: otio.schema.Timeline, host: str) -> LossReport:
    """What ``host`` leaves out, clip by clip; nothing for ``plain``."""
    report = LossReport("otio", "write", host)
    if host == "plain":
        return report
    rate = sequence_rate(timeline.tracks, timeline.global_start_time)
    begin = timeline.global_start_time
    start = frame_at(exact_time(begin), rate) if begin is not None else 0
    drop = bool(data_of(timeline, "mapedit").get("drop_frame")) and can_drop_frames(rate)
    aside = LossReport("otio", "write")  # OTIO itself holds edges between frames
    plan = plan_stack(timeline.tracks, rate, start, drop, aside)
    plan.report = report
    for track in plan.tracks:
        for piece in track.pieces:
            if not piece.is_gap:
                _effects(plan, piece.item, plan.place(piece), host)
            if not (piece.is_gap or piece.is_clip):
                for clip in piece.item.find_clips():
                    inside = plan.place(piece) | {"item": clip.name}
                    _effects(plan, clip, inside, host)
            if host == "kdenlive":
                _kdenlive_piece(plan, track, piece)
        if host == "kdenlive" and not track.track.enabled:
            report.lost("track", "Kdenlive switches it on", track.track.name or "")
    if host == "kdenlive":
        _kdenlive_sequence(plan, timeline)
    return report


def _effects(plan: Plan, item: Any, where: dict[str, str], host: str) -> None:
    facts = clip_data(item)
    for effect in facts.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            if host == "premiere" and effect.time_scalar == 1.0:
                plan.report.note(
                    "speed", "a speed of 100 % is left out: with it Premiere drops motion", **where
                )
        elif is_gain(effect):
            plan.report.lost("gain", "OTIO has no word for loudness", **where)
        else:
            name = str(effect.effect_name or effect.name or type(effect).__name__)
            plan.report.lost("effect", name, **where)
    if facts.cdl:
        plan.report.lost("colour", "OTIO has no word for an ASC CDL", **where)


def _kdenlive_piece(plan: Plan, track: TrackPlan, piece: Piece) -> None:
    report, where, item = plan.report, plan.place(piece), piece.item
    if piece.head is not None:
        report.lost("transition", "Kdenlive cuts instead", **where)
    if piece.tail is not None and piece is track.pieces[-1]:
        report.lost("transition", "Kdenlive cuts instead", **where)
    for _ in item.markers if len(item.markers) else ():
        report.lost("marker", "Kdenlive puts it elsewhere, or nowhere", **where)
    if piece.is_gap:
        return
    if not piece.is_clip:
        report.lost("nested sequence", "Kdenlive leaves it empty", **where)
        return
    reference = item.media_reference
    if not isinstance(reference, otio.schema.ExternalReference) or not reference.target_url:
        kind = _KINDS.get(type(reference), "missing media")
        report.lost(kind, "Kdenlive leaves it empty", **where)
        return
    if piece.speed != 1:
        report.lost("speed", "Kdenlive plays it at 100 %", **where)
    if not item.enabled:
        report.lost("disabled", "Kdenlive switches it on", **where)
    stream = data_of(item, "mapedit").get("stream")
    if not track.is_video and isinstance(stream, int) and stream > 1:
        report.lost("sound", "Kdenlive takes the first sound of the file", **where)
    _timecode(plan, piece)


_KINDS: dict[type[Any], str] = {
    otio.schema.ImageSequenceReference: "image sequence",
    otio.schema.GeneratorReference: "generator",
}


def _timecode(plan: Plan, piece: Piece) -> None:
    """Kdenlive reads the media's timecode as one of the sequence's rate."""
    available = piece.item.media_reference.available_range
    rate = media_rate(piece.item)
    if available is None or rate == plan.rate or not available.start_time.value:
        return
    begin = exact_time(available.start_time)
    drop = can_drop_frames(rate) and bool(
        data_of(piece.item.media_reference, "mapedit").get("drop_frame", plan.drop_frame)
    )
    label = timecode(frame_at(begin, rate), rate, drop)
    try:
        taken = frame_of_timecode(label, plan.rate, drop and can_drop_frames(plan.rate))
    except OptionError:
        taken = None
    late = None if taken is None else frame_at(begin, plan.rate) - taken
    if late is None or late:
        how = (
            "elsewhere" if late is None else f"{abs(late)} frames {'late' if late > 0 else 'early'}"
        )
        plan.report.changed(
            "timecode",
            f"Kdenlive counts {label} at the sequence's rate: it begins {how} in its media",
            **plan.place(piece),
        )


def _kdenlive_sequence(plan: Plan, timeline: otio.schema.Timeline) -> None:
    report = plan.report
    for _ in timeline.tracks.markers:
        report.lost("marker", "Kdenlive reads no markers of a sequence")
    for track in plan.tracks:
        for _ in track.track.markers:
            report.lost("marker", "Kdenlive reads no markers of a track", track.track.name or "")
    if plan.start:
        report.changed(
            "timecode", f"Kdenlive counts the sequence from 0, not from {plan.at(0)}", at=plan.at(0)
        )
    linked = any(
        data_of(piece.item, "mapedit").get("link") is not None
        for track in plan.tracks
        for piece in track.pieces
    )
    if linked:
        report.note(
            "link", "Kdenlive does not group picture and sound: select them and press Ctrl+G"
        )
    if any(_has_timecode(clip) for clip in timeline.find_clips()):
        report.note(
            "timecode", "Kdenlive finds the timecode of media only with MediaInfo installed"
        )


def _has_timecode(clip: otio.schema.Clip) -> bool:
    available = getattr(clip.media_reference, "available_range", None)
    return available is not None and bool(available.start_time.value)
