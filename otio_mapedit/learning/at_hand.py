"""The media of a timeline as it lies on this computer: where it is, whether it is still the same,
and what the timeline shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from ..interchange.timeline_facts import reference_url
from ..media import MediaInfo
from ..solve import union
from ..timing import FrameRange, exact_time, frame_at, seconds_at
from ..urls import path_of
from .uses import Use, Uses, media_key, uses_of

#: Seconds that lengths of the same media may differ, as programs count them.
_NEARLY = Fraction(1)


def media_paths(uses: Uses, folder: Path, also: Sequence[Path] = ()) -> dict[str, Path | None]:
    """Where each media of a timeline lies, by its key; None where it is not to be found.

    A media that is not at its path is looked for by name beside the timeline and in ``also``.
    """
    found: dict[str, Path | None] = {}
    for use in uses.passages:
        key = media_key(use.media, use.name)
        if key not in found:
            found[key] = _located(use, [folder, *also])
    return found


def _located(use: Use, folders: Sequence[Path]) -> Path | None:
    text = path_of(reference_url(use.media)) if use.media is not None else ""
    name = Path(text.replace("\\", "/")).name or (use.media.name if use.media else "") or use.name
    places = [Path(text)] if text else []
    places += [place / part for place in folders for part in dict.fromkeys((text, name)) if part]
    for place in places:
        try:
            if place.is_file():
                return place
        except (OSError, ValueError):
            continue
    return None


def kept_ranges(uses: Uses, key: str, media: MediaInfo, sound: bool = False) -> list[FrameRange]:
    """What the timeline shows of a media (or plays, where it has no picture), in its frames; with
    ``sound`` what it only plays counts as well."""
    origin = seconds_at(media.start_frame, media.rate)
    spans = []
    for use in uses.passages:
        if not use.enabled or media_key(use.media, use.name) != key:
            continue
        if media.picture is not None and not use.picture and not sound:
            continue
        start, end = use.source.start, use.source.end
        if use.origin is None and start >= origin:
            start, end = start - origin, end - origin
        first, stop = (frame_at(at, media.rate) for at in (start, end))
        span = FrameRange.between(max(0, first), max(0, first, stop))
        span = span.intersection(media.available)
        if span.duration:
            spans.append(span)
    return union(spans)


def used_ranges(
    timelines: Sequence[tuple[otio.schema.Timeline, Path]], footage: Sequence[MediaInfo]
) -> list[list[FrameRange]]:
    """What timelines, each with the folder it lies in, use of each media; nothing where that cannot
    be told, which stands for all of it."""
    found: dict[Path, list[FrameRange]] = {media.path: [] for media in footage}
    known = {media.path.resolve(): media for media in footage}
    for timeline, folder in timelines:
        uses = uses_of(timeline)
        for key in dict.fromkeys(media_key(use.media, use.name) for use in uses.passages):
            media = known.get((folder / path_of(key)).resolve())
            if media is not None:
                shown = kept_ranges(uses, key, media) or kept_ranges(uses, key, media, sound=True)
                found[media.path] += shown
    return [union(found[media.path]) for media in footage]


def fits(uses: Uses, key: str, media: MediaInfo) -> bool:
    """Whether a media can be what the timeline was cut from: as long as the timeline says it is, to
    a second, and not shorter than what is used of it."""
    length, origin = seconds_at(media.frame_count, media.rate), media.start_frame
    begins = seconds_at(origin, media.rate)
    for use in uses.passages:
        if media_key(use.media, use.name) != key:
            continue
        end = use.source.end
        if use.origin is None and use.source.start >= begins:
            end -= begins
        if end > length + _NEARLY:
            return False
        known = use.media.available_range if use.media is not None else None
        if known is not None and abs(exact_time(known.duration) - length) > _NEARLY:
            return False
    return True
