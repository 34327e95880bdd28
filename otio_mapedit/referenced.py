"""Which source each clip of a timeline refers to.

Sources that we wrote into the timeline's metadata are believed where clips still refer to their
media, and follow a clip whose media was moved. Other media become new sources, made of what the
media reference says and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import opentimelineio as otio

from .document import source_from
from .errors import DecisionListError
from .fields import text_fault
from .operations import Source, StreamExtent
from .placements import frames_for
from .timeline_view import SeenClip, View, frames_at, nearest_frame, plain
from .timing import FrameRange, can_drop_frames, exact_rate
from .urls import path_of


@dataclass(frozen=True)
class Referring:
    """A clip, its source, and the source frame on which it starts."""

    seen: SeenClip
    source: Source
    start: int


def referring(view: View) -> tuple[list[Source], list[Referring]]:
    """The sources of a timeline, stored ones first, and its clips with them."""
    stored = stored_sources(view.own)
    by_path: dict[str, list[SeenClip]] = {}
    for seen in view.clips:
        path = media_path(seen.clip)
        if not path:
            view.notes["clips without media or a name"] += 1
        else:
            by_path.setdefault(path, []).append(seen)
    sources = {source.id: source for source in stored}
    identities: dict[str, str] = {}
    for path, clips in by_path.items():
        known = _known(path, clips, sources, by_path)
        if known is None:
            known = _new_source(path, clips, sources, view)
        if known is not None:
            sources[known.id] = known
            identities[path] = known.id
    found = [
        _located(seen, sources[identities[path]])
        for path, clips in by_path.items()
        if path in identities
        for seen in clips
    ]
    return list(sources.values()), [item for item in found if item is not None]


def stored_sources(own: Mapping[str, Any]) -> list[Source]:
    """The sources in a timeline's own metadata that are well-formed, each id once."""
    found: dict[str, Source] = {}
    values = own.get("sources", [])
    for value in values if isinstance(values, list) else []:
        try:
            source = source_from(value, "sources")
        except DecisionListError:
            continue
        found.setdefault(source.id, source)
    return list(found.values())


def media_path(clip: otio.schema.Clip) -> str:
    """The path of a clip's media; of missing media its name; empty where there is neither."""
    reference = clip.media_reference
    path = ""
    if isinstance(reference, otio.schema.ExternalReference):
        path = path_of(reference.target_url or "")
    elif isinstance(reference, otio.schema.ImageSequenceReference):
        digits = f"%0{reference.frame_zero_padding}d"
        path = path_of(reference.abstract_target_url(digits))
    path = path or (reference.name if reference else "") or clip.name
    return "" if text_fault(path) else path


def media_paths(timeline: otio.schema.Timeline) -> dict[str, str]:
    """The media files that a timeline names, each once and in order, with a clip that uses it."""
    found: dict[str, str] = {}
    for clip in timeline.find_clips():
        reference = clip.media_reference
        external = isinstance(reference, otio.schema.ExternalReference)
        if external and (path := path_of(reference.target_url or "")):
            found.setdefault(path, clip.name)
    return found


def origin_of(clip: otio.schema.Clip, source: Source) -> int:
    """The number that a clip's media gives to its first frame: its timecode, or 0."""
    available = clip.media_reference.available_range if clip.media_reference else None
    first = nearest_frame(available.start_time, source.rate) if available else None
    return source.start_frame if first is None else first


def _known(
    path: str,
    clips: list[SeenClip],
    sources: dict[str, Source],
    by_path: dict[str, list[SeenClip]],
) -> Source | None:
    """The stored source that this media is, followed to a new place if it was moved."""
    for source in sources.values():
        if source.path == path:
            return source
    named = sources.get(str(clips[0].own.get("source", "")))
    if named is None or named.path in by_path or not _same_extent(clips[0].clip, named):
        return None
    name = pure(path).name if named.name == pure(named.path).name else named.name
    return replace(named, path=path, name=name)


def _same_extent(clip: otio.schema.Clip, source: Source) -> bool:
    available = clip.media_reference.available_range
    if available is None:
        return True
    return bool(frames_at(available.duration, source.rate) == source.frame_count)


def _new_source(
    path: str, clips: list[SeenClip], sources: dict[str, Source], view: View
) -> Source | None:
    """A source as its media references describe it."""
    first = _describing(clips)
    available = first.media_reference.available_range if first.media_reference else None
    rate = _media_rate(first, view.rate)
    if available is not None:
        start, count = (
            nearest_frame(time, rate) for time in (available.start_time, available.duration)
        )
    else:
        start, count = _used(clips, rate, view)
        view.notes[
            f"{pure(path).name}: media without an available range, its length is unknown"
        ] += 1
    if not isinstance(first.media_reference, otio.schema.ExternalReference):
        view.notes[f"{pure(path).name}: media that is missing or not one file"] += 1
    if start is None or count is None or count <= 0:
        view.notes["media without a usable range"] += 1
        return None
    extent = FrameRange(0, count)
    pictured = any(seen.track == 0 for seen in clips)
    sounds = _sound_count(clips)
    return Source(
        id=_unused(pure(path).stem or path, sources),
        path=path,
        name=pure(path).name or path,
        rate=rate,
        frame_count=count,
        start_frame=max(0, start),
        drop_frame=_drops_frames(first, rate, view),
        reel=_reel(first),
        video=StreamExtent(0, extent) if pictured else None,
        audio=tuple(StreamExtent(n + pictured, extent) for n in range(sounds)),
    )


def _drops_frames(clip: otio.schema.Clip, rate: Fraction, view: View) -> bool:
    """Whether the media counts drop-frame: as its reference or its event in an EDL says, else as
    the sequence does."""
    stated = _stated(clip, "drop_frame")
    drops = view.own.get("drop_frame") if stated is None else stated
    return drops is True and can_drop_frames(rate)


def _reel(clip: otio.schema.Clip) -> str:
    """The reel that its reference, or its event in an EDL, names."""
    reel = _stated(clip, "reel")
    return reel.strip() if isinstance(reel, str) and not text_fault(reel) else ""


def _stated(clip: otio.schema.Clip, key: str) -> Any:
    for holder in (clip.media_reference, clip):
        for namespace in ("mapedit", "cmx_3600") if holder is not None else ():
            facts = plain(holder.metadata.get(namespace))
            if isinstance(facts, dict) and facts.get(key) is not None:
                return facts[key]
    return None


def _describing(clips: list[SeenClip]) -> otio.schema.Clip:
    """The first clip whose reference says how long the media is, else the first."""
    for seen in clips:
        if seen.clip.media_reference and seen.clip.media_reference.available_range:
            return seen.clip
    return clips[0].clip


def _media_rate(clip: otio.schema.Clip, sequence: Fraction) -> Fraction:
    """Frames per second of a clip's media; of sound counted in samples, the sequence's."""
    span = clip.media_reference.available_range if clip.media_reference else None
    span = span or clip.source_range
    if span is not None:
        try:
            rate = exact_rate(span.start_time.rate)
        except ValueError:
            return sequence
        if rate <= 1000:
            return rate
    return sequence


def _used(clips: list[SeenClip], rate: Fraction, view: View) -> tuple[int | None, int | None]:
    """First frame and number of frames that the clips of a source use."""
    starts, ends = [], []
    for seen in clips:
        start = nearest_frame(seen.start, rate)
        if start is not None:
            starts.append(start)
            length = frames_for(seen.record.duration, rate * abs(seen.scalar), view.rate)
            ends.append(start + length)
    return (min(starts), max(ends) - min(starts)) if starts else (None, None)


def _sound_count(clips: list[SeenClip]) -> int:
    """Sound streams that a source must have: the most that start together, picture or not."""
    together = Counter(seen.record.start for seen in clips if seen.track > 0)
    return max(together.values(), default=0)


def _unused(name: str, taken: Iterable[str]) -> str:
    names, number = set(taken), 1
    result = name
    while result in names:
        number += 1
        result = f"{name}-{number}"
    return result


def _located(seen: SeenClip, source: Source) -> Referring | None:
    start = nearest_frame(seen.start, source.rate)
    if start is None:
        return None
    origin = origin_of(seen.clip, source)
    # Some programs count the clip from 0 although the media has a start timecode.
    return Referring(seen, source, start - origin if start >= origin else start)


def pure(path: str) -> PurePath:
    """A path of this system or of Windows, to take its name from."""
    return PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
