"""What a decision list cannot say about a timeline, found by making the timeline of it again."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio

from ..assemble import assemble
from ..disassemble import NOT_UNDERSTOOD, disassemble
from ..otio_values import elements
from ..timeline_view import own_metadata
from ..timing import exact_time
from .loss import LossReport
from .marker_colours import COLOURS
from .read_back import differences


def not_decided(timeline: otio.schema.Timeline) -> LossReport:
    """What a decision list cannot say about a timeline."""
    report = LossReport("mapedit", "write")
    decisions = disassemble(timeline)
    notes = decisions.metadata.get(NOT_UNDERSTOOD, [])
    for note in notes if isinstance(notes, list) else []:
        report.lost("edit", str(note))
    again = assemble(decisions)
    if report.clean:
        for track, where in differences(timeline, again):
            report.changed("edit", where, track)
    _lost_words(timeline, again, report)
    kept = {operation.id for operation in decisions.operations}
    for item in timeline.find_children():
        for holder in (item, *getattr(item, "markers", ())):
            identity = own_metadata(holder).get("id")
            if isinstance(identity, str) and identity not in kept:
                kept.add(identity)
                report.changed("id", f"{identity} is not kept", item.parent().name, item.name)
    return report


def _lost_words(
    timeline: otio.schema.Timeline, again: otio.schema.Timeline, report: LossReport
) -> None:
    """Names and markers that a decision list has no place for."""
    ours, theirs = ([*made.find_clips()] for made in (timeline, again))
    for mine, its in zip(ours, theirs, strict=False) if len(ours) == len(theirs) else ():
        track = mine.parent().name
        if mine.name != its.name:
            text = f"it is called {its.name!r}, as its media"
            report.changed("clip name", text, track, mine.name)
        if mine.media_reference is not None and mine.media_reference.name != its.name:
            text = f"{mine.media_reference.name!r} becomes the file's name"
            report.changed("media name", text, track, mine.name)
        _lost_of_media(mine, its, report)
    _lost_of_tracks(timeline, again, report)
    loose = len(timeline.tracks.markers) - len(again.tracks.markers)
    if loose > 0:
        report.changed("marker", f"{loose} of the timeline go to the clips that play there")


def _lost_of_tracks(
    timeline: otio.schema.Timeline, again: otio.schema.Timeline, report: LossReport
) -> None:
    for kind in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio):
        mine, theirs = (
            [track for track in made.tracks if getattr(track, "kind", "") == kind]
            for made in (timeline, again)
        )
        for track, its in zip(mine, theirs, strict=False):
            if track.name not in ("", its.name):
                report.changed("track", f"it is called {its.name!r}", track.name)


def _lost_of_media(mine: otio.schema.Clip, its: otio.schema.Clip, report: LossReport) -> None:
    """Markers and the length of media, which are counted in whole frames."""
    where = {"track": mine.parent().name, "item": mine.name}
    spans = [getattr(one.media_reference, "available_range", None) for one in (mine, its)]
    if spans[0] is not None and (spans[1] is None or _seconds(spans[0]) != _seconds(spans[1])):
        report.note("media range", "it is counted in whole frames", **where)
    ours, theirs = (sorted(elements(one.markers), key=_moment) for one in (mine, its))
    for marker, other in zip(ours, theirs, strict=False):
        if not marker.color:
            report.note("marker", "it has no colour, and becomes red", **where)
        elif str(marker.color).upper() not in COLOURS:
            report.changed("marker", f"{marker.color} becomes red", **where)
        if _seconds(marker.marked_range) != _seconds(other.marked_range):
            report.changed("marker", "its ends were moved to the nearest frame", **where)
    if len(ours) > len(theirs):
        report.changed("marker", f"{len(ours)} become {len(theirs)}", **where)


def _moment(marker: otio.schema.Marker) -> tuple[Fraction, Fraction]:
    return _seconds(marker.marked_range)


def _seconds(span: otio.opentime.TimeRange) -> tuple[Fraction, Fraction]:
    return exact_time(span.start_time), exact_time(span.duration)


__all__ = ["not_decided"]
