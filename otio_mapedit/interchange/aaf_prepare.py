"""What of a timeline the AAF adapter of OTIO can write, made into a timeline that it can.

Left as it is, that adapter stops at ordinary transitions and at media of another rate, plays
retimed and disabled clips as if they were not, and shifts what is nested. Here every clip gets
whole frames of one rate, dissolves the description that it wants, and what cannot be carried is
left out and named.
"""

from __future__ import annotations

import uuid
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import (
    FrameRange,
    exact_time,
    frame_at,
    is_on_frame,
    rate_text,
    rational_time,
    time_range,
)
from .fcpxml_plan import Join, Piece, Plan, TrackPlan
from .loss import LossReport
from .timeline_facts import clip_data, media_rate, reference_url
from .urls import media_url
from .xmeml_media import absolute_url

#: The dissolves of the AAF Edit Protocol (appendix of effect definitions), by kind of track.
_DISSOLVES = {
    True: ("0c3bea40-fc05-11d2-8a29-0050040ef7d2", "Video Dissolve", "Picture"),
    False: ("0c3bea41-fc05-11d2-8a29-0050040ef7d2", "Mono Audio Dissolve", "Sound"),
}


def prepare(plan: Plan, timeline: otio.schema.Timeline) -> otio.schema.Timeline:
    """A new timeline with what of ``plan`` AAF can hold; the rest goes to the plan's report."""
    made = otio.schema.Timeline(
        timeline.name, global_start_time=rational_time(plan.start, plan.rate)
    )
    report, rate = plan.report, plan.rate
    spans, names = _media_spans(plan), dict[str, str]()
    for track in plan.tracks:
        kind = track.track.kind
        if kind not in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio):
            report.lost("track", "neither picture nor sound", track.track.name or "")
            continue
        _say_lost_of_track(track, report)
        written = _track(plan, track, spans, names)
        if written.find_clips():
            made.tracks.append(written)
        elif track.pieces:
            report.lost("track", "it holds no clip", track.track.name or "")
    for _ in timeline.tracks.markers:
        report.lost("marker", "markers of the sequence")
    if not len(made.tracks):
        report.lost("track", "no track holds a clip")
    elif rate.denominator != 1 and not plan.drop_frame:
        report.note("rate", f"{rate_text(rate)} frames per second")
    return made


def _say_lost_of_track(track: TrackPlan, report: LossReport) -> None:
    name = track.track.name or ""
    if not track.track.enabled:
        report.lost("track", "AAF switches it on", name)
    for _ in track.track.markers:
        report.lost("marker", "markers on a track", name)


def _track(
    plan: Plan, track: TrackPlan, spans: dict[str, FrameRange], names: dict[str, str]
) -> otio.schema.Track:
    made = otio.schema.Track(track.track.name or "", kind=track.track.kind)
    before: Any = None
    for piece in track.pieces:
        item = _item(plan, track, piece, spans, names)
        if piece.head is not None:
            transition = _transition(plan, track, piece, piece.head, before, item)
            if transition is not None:
                made.append(transition)
        made.append(item)
        before = item
    last = track.pieces[-1] if track.pieces else None
    if last is not None and last.tail is not None:
        plan.report.lost("transition", "AAF has no fade to nothing", **plan.place(last))
    return made


def _gap(plan: Plan, piece: Piece) -> otio.schema.Gap:
    return otio.schema.Gap(source_range=time_range(FrameRange(0, piece.record.duration), plan.rate))


def _item(
    plan: Plan,
    track: TrackPlan,
    piece: Piece,
    spans: dict[str, FrameRange],
    names: dict[str, str],
) -> otio.core.Item:
    report, where = plan.report, plan.place(piece)
    for _ in piece.item.markers if len(piece.item.markers) else ():
        report.lost("marker", "AAF gets no markers", **where)
    if piece.is_gap:
        return _gap(plan, piece)
    if not piece.is_clip:
        report.lost("nested sequence", "left empty", **where)
        return _gap(plan, piece)
    if isinstance(piece.item.media_reference, otio.schema.GeneratorReference):
        report.lost("generator", "left empty", **where)
        return _gap(plan, piece)
    if not piece.item.enabled:
        report.lost("disabled", "left out: in AAF it would be seen or heard", **where)
        return _gap(plan, piece)
    _say_lost_of_clip(plan, track, piece)
    return _clip(plan, piece, spans, names)


def _say_lost_of_clip(plan: Plan, track: TrackPlan, piece: Piece) -> None:
    report, where = plan.report, plan.place(piece)
    facts = clip_data(piece.item)
    if piece.speed != 1:
        report.lost("speed", "it plays at 100 % from its first frame", **where)
    for effect in facts.effects:
        if not isinstance(effect, otio.schema.LinearTimeWarp):
            name = str(effect.effect_name or effect.name or type(effect).__name__)
            report.lost("gain" if facts.gain is not None else "effect", name, **where)
    if facts.cdl:
        report.lost("colour", "AAF gets no ASC CDL", **where)
    if facts.reel:
        report.lost("reel", f"AAF gets no reel: {facts.reel}", **where)
    drop = facts.fact("drop_frame")
    if isinstance(drop, bool) and drop != plan.drop_frame:
        report.changed("drop-frame", "its media counts as the sequence does", **where)
    channels = facts.own.get("channels")
    if not track.is_video and isinstance(channels, int) and channels > 1:
        report.changed("sound", f"its {channels} channels are written as mono sound", **where)
    stream = facts.own.get("stream")
    if not track.is_video and isinstance(stream, int) and stream > 1:
        report.lost("sound", "which sound of its file it plays", **where)
    rate = media_rate(piece.item)
    if rate != plan.rate:
        report.changed(
            "mixed rates",
            f"its media is counted at {rate_text(plan.rate)} frames per second,"
            f" not at {rate_text(rate)}",
            **where,
        )


def _clip(
    plan: Plan, piece: Piece, spans: dict[str, FrameRange], names: dict[str, str]
) -> otio.schema.Clip:
    """A clip in whole frames of the sequence, with the identity of its media. ``names``: what
    media is called so far, which is what AAF calls all of its clips."""
    rate, old = plan.rate, piece.item.media_reference
    first = frame_at(piece.source_start, rate)
    url, key = _identity(piece)
    if not is_on_frame(piece.source_start, rate):
        plan.report.changed("cut", "it begins between two frames of its media", **plan.place(piece))
    _say_lost_of_media(plan, piece, spans[key])
    if isinstance(old, otio.schema.ImageSequenceReference):
        plan.report.changed("image sequence", "AAF takes it for one file", **plan.place(piece))
    whole = time_range(spans[key], rate)
    reference: Any = (
        otio.schema.ExternalReference(url, whole)
        if url
        else otio.schema.MissingReference(available_range=whole)
    )
    if url and not url.startswith("file:"):
        plan.report.changed("media", "AAF takes its address for a path", **plan.place(piece))
    if not url:
        plan.report.changed("missing media", "AAF gets its name only", **plan.place(piece))
    reference.name = getattr(old, "name", "") or ""
    clip = otio.schema.Clip(
        piece.item.name, reference, time_range(FrameRange(first, piece.record.duration), rate)
    )
    clip.metadata["AAF"] = {"MobID": _mob_id(key, spans[key], rate)}
    own = clip_data(piece.item).carried
    if names.setdefault(key, piece.item.name) != piece.item.name:
        own["name"] = piece.item.name
        why = f"it is called {names[key]!r}, as the first clip of its media"
        plan.report.changed("clip name", why, **plan.place(piece))
    if own:
        clip.metadata["mapedit"] = own
    return clip


def _say_lost_of_media(plan: Plan, piece: Piece, span: FrameRange) -> None:
    available = getattr(piece.item.media_reference, "available_range", None)
    if media_rate(piece.item) == plan.rate and (
        available is None
        or exact_time(available.start_time) != span.start / plan.rate
        or exact_time(available.duration) != span.duration / plan.rate
    ):
        plan.report.note(
            "media range", "its media is taken for what the clips of it need", **plan.place(piece)
        )


def _identity(piece: Piece) -> tuple[str, str]:
    """Where the media of a clip is, and what all clips of it share."""
    url = reference_url(piece.item.media_reference)
    url = absolute_url(media_url(url)) if url else ""
    return url, url or f"missing {piece.item.name}"


def _media_spans(plan: Plan) -> dict[str, FrameRange]:
    """What each media file must hold for all of its clips, their transitions included: the
    adapter writes it once, and counts every clip from its beginning."""
    found: dict[str, FrameRange] = {}
    for piece in (piece for track in plan.tracks for piece in track.pieces if piece.is_clip):
        first = frame_at(piece.source_start, plan.rate)
        joins = [join for join in (piece.head, piece.tail) if join is not None]
        reach = sum(max(0, join.before) + max(0, join.after) for join in joins)
        start, end = first, first + piece.record.duration + reach
        available = getattr(piece.item.media_reference, "available_range", None)
        if available is not None:
            begin = frame_at(exact_time(available.start_time), plan.rate)
            length = frame_at(exact_time(available.duration), plan.rate)
            start, end = min(start, begin), max(end, begin + length)
        _, key = _identity(piece)
        if key in found:
            start, end = min(start, found[key].start), max(end, found[key].end)
        found[key] = FrameRange.between(start, end)
    return found


def _mob_id(key: str, span: FrameRange, rate: Fraction) -> str:
    """The identity of a media file: a UMID (SMPTE ST 330) whose number follows from its place."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{key} {span.start} {span.duration} {rate}").hex
    parts = [number[at : at + 8] for at in range(0, 32, 8)]
    return f"urn:smpte:umid:060a2b34.01010105.01010f10.13000000.{'.'.join(parts)}"


def _transition(
    plan: Plan, track: TrackPlan, piece: Piece, join: Join, before: Any, after: Any
) -> otio.schema.Transition | None:
    """A dissolve as the adapter wants it described; other kinds become one or are left out."""
    report, where = plan.report, plan.place(piece)
    if not isinstance(before, otio.schema.Clip) or not isinstance(after, otio.schema.Clip):
        report.lost("transition", "AAF has no fade from or to nothing", **where)
        return None
    start = after.media_reference.available_range.start_time.value
    room = int(after.source_range.start_time.value - start)
    if min(join.before, join.after) < 0 or join.before > room:
        report.lost("transition", "its media has no room for it", **where)
        return None
    if join.transition.transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve:
        report.changed("transition", f"{join.transition.name or 'it'!r} is a dissolve", **where)
    effect, name, kind = _DISSOLVES[track.is_video]
    made = otio.schema.Transition(
        name, otio.schema.TransitionTypes.SMPTE_Dissolve,
        rational_time(join.before, plan.rate), rational_time(join.after, plan.rate),
    )  # fmt: skip
    made.metadata["AAF"] = {
        "PointList": [{"Time": 0, "Value": 0}, {"Time": 1, "Value": 1}],
        "CutPoint": join.before,
        "OperationGroup": {
            "Operation": {
                "Identification": effect, "IsTimeWarp": False, "Bypass": 1, "NumberInputs": 2,
                "OperationCategory": "OperationCategory_Effect", "Name": name,
                "Description": name, "DataDefinition": {"Name": kind},
            }
        },
    }  # fmt: skip
    return made
