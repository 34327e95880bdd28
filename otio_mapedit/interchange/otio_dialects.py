"""OTIO as each editing program wants it, and back.

==========================  ==================================  ==============================
\\                           DaVinci Resolve                     Premiere Pro
==========================  ==================================  ==============================
``source_range`` starts     at the media's timecode             at 0, as ``available_range``
retimed ``duration``        what it lasts on the timeline       the media that it consumes
``target_url``              bare absolute path                  ``file://`` URL
linked picture and sound    ``Resolve_OTIO`` "Link Group ID"    ``PremierePro_OTIO`` "LinkID"
==========================  ==================================  ==============================

Kdenlive wants plain OTIO: it subtracts the timecode that it finds in the media from absolute
starts, and reads ``file://`` URLs. What it does not read is said in :mod:`.otio_losses`.

Plain OTIO is what :mod:`otio_mapedit.assemble` builds: starts at timecode, lasts what it lasts on
the timeline, ``file://`` URLs. :func:`to_host` and :func:`from_host` copy; neither changes what
it is given, and ``from_host(to_host(timeline, host))`` is equal to ``timeline``.

Reported by people who tested in those programs (see the project's notes on hosts): Resolve refuses
a start of 0 for media with timecode; Premiere drops a clip's own Motion and Opacity where a
LinearTimeWarp of exactly 1.0 stands.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..operations import Source
from ..otio_values import elements, entries, entry
from ..referenced import stored_sources
from ..timeline_view import own_metadata, plain
from ..timing import exact_rate, exact_seconds, exact_time
from ..urls import is_absolute, is_url, path_of, url_of
from .timeline_facts import span_of

RESOLVE = "Resolve_OTIO"
PREMIERE = "PremierePro_OTIO"
#: Beside a clip's media: what a dialect says otherwise than plain OTIO.
_KEPT = "mapedit_plain"
#: No first frame of media lies beyond this.
_LATEST = 10**12
#: What `--for` may say.
HOSTS = ("plain", "resolve", "premiere", "kdenlive")


def to_host(timeline: otio.schema.Timeline, host: str) -> otio.schema.Timeline:
    """A copy of ``timeline`` in the dialect of ``host``, one of :data:`HOSTS`."""
    copy = timeline.deepcopy()
    if host == "resolve":
        _to_resolve(copy)
    elif host == "premiere":
        _to_premiere(copy)
    return copy


def expected(timeline: otio.schema.Timeline, host: str) -> otio.schema.Timeline:
    """What reading the dialect of ``host`` gives back of ``timeline``, which may be itself: all
    of it but time warps of exactly 1.0, which Premiere must not be given."""
    if host != "premiere":
        return timeline
    copy = timeline.deepcopy()
    for clip in copy.find_clips():
        _without_idle_warps(clip)
    return copy


def _without_idle_warps(clip: otio.schema.Clip) -> None:
    for effect in elements(clip.effects):
        if type(effect) is otio.schema.LinearTimeWarp and effect.time_scalar == 1.0:
            clip.effects.remove(effect)


def from_host(timeline: otio.schema.Timeline) -> otio.schema.Timeline:
    """A copy of ``timeline``, whatever program wrote it, in plain OTIO.

    The dialect is recognised by the metadata that its program writes.
    """
    copy = timeline.deepcopy()
    make_plain(copy)
    return copy


def make_plain(timeline: otio.schema.Timeline) -> None:
    """As :func:`from_host`, in place: for a timeline that was just read."""
    clips = list(timeline.find_clips())
    premiere = any(
        entry(thing.metadata, PREMIERE) is not None for thing in (timeline, timeline.tracks)
    )
    for clip in clips:
        _with_url(clip, functools.partial(_as_url, kept=_taken_back(clip, "url")))
        for marker in elements(clip.markers):
            _from_resolve_marker(marker)
        if premiere:
            _from_consumed(clip)
    if premiere:
        _to_timecode(timeline)
    for thing in (timeline, timeline.tracks, *timeline.tracks, *clips):
        for name in (RESOLVE, PREMIERE):
            if name in entries(thing.metadata):
                del thing.metadata[name]


def links(timeline: otio.schema.Timeline) -> Iterator[tuple[otio.schema.Clip, int]]:
    """Clips with the number of the group whose picture and sound move together, from 1.

    Clips that we assembled carry it; of others, those of the same media that start together.
    """
    groups: dict[tuple[Any, ...], int] = {}
    for track in timeline.tracks:
        if not isinstance(track, otio.schema.Track):
            continue
        clock = Fraction(0)
        for clip in track:
            span = None if isinstance(clip, otio.schema.Transition) else span_of(clip)
            start, clock = clock, clock + (exact_time(span.duration) if span else 0)
            if not isinstance(clip, otio.schema.Clip):
                continue
            link = own_metadata(clip).get("link")
            if isinstance(link, int):
                key: tuple[Any, ...] = (link,)
            else:
                key = (str(_url(clip)), start)
            yield clip, groups.setdefault(key, len(groups) + 1)


def _to_resolve(timeline: otio.schema.Timeline) -> None:
    timeline.metadata[RESOLVE] = {"Resolve OTIO Meta Version": "1.0"}
    for clip, link in links(timeline):
        clip.metadata[RESOLVE] = {"Link Group ID": link}
    for clip in timeline.find_clips():
        _keep_url(clip)
        _with_url(clip, lambda url: path_of(url) if url.lower().startswith("file:") else url)
        for marker in elements(clip.markers):
            if note := getattr(marker, "comment", ""):
                # Resolve keeps a marker's note here and ignores `comment`.
                marker.metadata[RESOLVE] = {"Note": note}


def _from_resolve_marker(marker: otio.schema.Marker) -> None:
    data = plain(entry(marker.metadata, RESOLVE))
    note = data.get("Note") if isinstance(data, dict) else None
    if isinstance(note, str) and not getattr(marker, "comment", ""):
        marker.comment = note
    if data == {"Note": getattr(marker, "comment", "")}:
        del marker.metadata[RESOLVE]


def _to_premiere(timeline: otio.schema.Timeline) -> None:
    sources = {source.id: source for source in stored_sources(own_metadata(timeline))}
    timeline.metadata[PREMIERE] = {"MetadataVersion": "1.0"}
    timeline.tracks.metadata[PREMIERE] = _premiere_sequence(timeline, sources)
    for clip, link in links(timeline):
        clip.metadata[PREMIERE] = {"LinkID": str(link), **_channels(clip, sources)}
    starts = _known_starts(timeline)
    for clip in timeline.find_clips():
        _to_zero(clip, starts)
        _to_consumed(clip)


def _premiere_sequence(
    timeline: otio.schema.Timeline, sources: Mapping[str, Source]
) -> dict[str, Any]:
    start = timeline.global_start_time
    facts: dict[str, Any] = {"PixelAspectRatio": {"numerator": 1.0, "denominator": 1.0}}
    if start is not None:
        facts["VideoFrameRate"] = start.rate
    sized = next((source for source in sources.values() if source.width), None)
    if sized is not None:
        facts["VideoResolution"] = {"width": sized.width, "height": sized.height}
    rates = [s.sample_rate for source in sources.values() for s in source.audio if s.sample_rate]
    if rates:
        facts["AudioFrameRate"] = float(rates[0])
    return facts


def _channels(clip: otio.schema.Clip, sources: Mapping[str, Source]) -> dict[str, Any]:
    """Which sound of its file a clip plays, where that is known: mono must not become stereo."""
    own = own_metadata(clip)
    stream, source = own.get("stream"), sources.get(str(own.get("source")))
    if source is None or not isinstance(stream, int) or not 0 < stream <= len(source.audio):
        return {}
    count = source.audio[stream - 1].channels
    facts: dict[str, Any] = {"OriginalChannelGroupIndex": stream - 1}
    if count in (1, 2):
        facts["AudioChannels"] = {
            "ChannelType": "Mono" if count == 1 else "Stereo",
            "SecondaryAssignments": [{"SecondaryChannelIndex": n} for n in range(count)],
        }
    return facts


def _to_zero(clip: otio.schema.Clip, starts: Mapping[str, int]) -> None:
    """Count a clip's media from 0 instead of its timecode, which stays beside it where our
    sources do not tell it."""
    available = clip.media_reference.available_range if clip.media_reference else None
    if available is None:
        return
    first = available.start_time
    if first.value != starts.get(_url(clip) or "", 0):
        _keep(clip, "start", first.value)
    by = otio.opentime.RationalTime(-first.value, first.rate)
    for marker in elements(clip.markers):
        marker.marked_range, kept = _shifted(marker.marked_range, by)
        if kept is not None:
            marker.metadata[_KEPT] = {"from": kept}
    if clip.source_range is not None:
        clip.source_range, kept = _shifted(clip.source_range, by)
        if kept is not None:
            _keep(clip, "from", kept)
    clip.media_reference.available_range, _ = _shifted(available, by)


def _to_timecode(timeline: otio.schema.Timeline) -> None:
    """Count media from timecode again, where we know it; a program may have kept either."""
    starts = _known_starts(timeline)
    for clip in timeline.find_clips():
        reference = clip.media_reference
        available = reference.available_range if reference else None
        kept, moment = _taken_back(clip, "start"), _taken_back(clip, "from")
        moments = [_taken(marker.metadata, "from") for marker in elements(clip.markers)]
        known = starts.get(_url(clip) or "", 0)
        start = kept if isinstance(kept, int | float) and abs(kept) < _LATEST else known
        if available is None or available.start_time.value != 0 or not start:
            continue
        by = otio.opentime.RationalTime(start, available.start_time.rate)
        for marker, each in zip(elements(clip.markers), moments, strict=True):
            marker.marked_range = _returned(marker.marked_range, by, each)
        if clip.source_range is not None:
            clip.source_range = _returned(clip.source_range, by, moment)
        reference.available_range, _ = _shifted(available, by)


def _known_starts(timeline: otio.schema.Timeline) -> dict[str, int]:
    """Timecode of the first frame of our own sources, by URL."""
    known = stored_sources(own_metadata(timeline))
    return {url_of(source.path): source.start_frame for source in known}


def _keep_url(clip: otio.schema.Clip) -> None:
    """Keep a URL that is written otherwise than we would write its path."""
    url = _url(clip) or ""
    if url.lower().startswith("file:") and url_of(path_of(url)) != url:
        _keep(clip, "url", url)


def _as_url(url: str, kept: Any) -> str:
    if not is_absolute(url) or is_url(url):
        return url
    return kept if isinstance(kept, str) and path_of(kept) == url else url_of(url)


def _keep(clip: otio.schema.Clip, key: str, value: Any) -> None:
    """Leave a fact beside a clip's media for the way back."""
    reference = clip.media_reference
    reference.metadata[_KEPT] = {**reference.metadata.get(_KEPT, {}), key: value}


def _taken_back(clip: otio.schema.Clip, key: str) -> Any:
    """What :func:`_keep` left, no longer there."""
    reference = clip.media_reference
    return _taken(reference.metadata, key) if reference is not None else None


def _taken(metadata: Any, key: str) -> Any:
    kept = plain(entry(metadata, _KEPT))
    if not isinstance(kept, dict) or key not in kept:
        return None
    value = kept.pop(key)
    if kept:
        metadata[_KEPT] = kept
    else:
        del metadata[_KEPT]
    return value


def _shifted(
    span: otio.opentime.TimeRange, by: otio.opentime.RationalTime
) -> tuple[otio.opentime.TimeRange, list[float] | None]:
    """``span`` counted from elsewhere, at its own rate; and, where going back the same way would
    not find the very same number, that beside the one it becomes."""
    start = span.start_time
    moved = otio.opentime.TimeRange(_moved(start, by), span.duration)
    back = _moved(moved.start_time, otio.opentime.RationalTime(-by.value, by.rate))
    same = back.value == start.value
    return moved, None if same else [moved.start_time.value, start.value]


def _returned(
    span: otio.opentime.TimeRange, by: otio.opentime.RationalTime, kept: Any
) -> otio.opentime.TimeRange:
    """``span`` counted from timecode again; ``kept`` counts where nobody has moved it since."""
    moved, _ = _shifted(span, by)
    if isinstance(kept, list) and len(kept) == 2 and kept[0] == span.start_time.value:
        with contextlib.suppress(TypeError, ValueError):
            start = otio.opentime.RationalTime(float(kept[1]), span.start_time.rate)
            return otio.opentime.TimeRange(start, span.duration)
    return moved


def _moved(
    start: otio.opentime.RationalTime, by: otio.opentime.RationalTime
) -> otio.opentime.RationalTime:
    """OTIO's own sum of two rates has the higher one, and rounds."""
    if start.rate == by.rate:
        return otio.opentime.RationalTime(start.value + by.value, start.rate)
    value = Fraction(start.value) + exact_time(by) * exact_rate(start.rate)
    return otio.opentime.RationalTime(float(value), start.rate)


def _to_consumed(clip: otio.schema.Clip) -> None:
    """Give a retimed clip the length of media that it consumes.

    Not rounded: the length that Premiere shows is this divided by the speed, a whole frame.
    """
    scalar = _scalar(clip)
    _without_idle_warps(clip)
    if scalar != 1 and clip.source_range is not None:
        _stretch(clip, scalar, Fraction(1, 10**9))


def _from_consumed(clip: otio.schema.Clip) -> None:
    scalar = _scalar(clip)
    if scalar != 1 and clip.source_range is not None:
        _stretch(clip, 1 / scalar, Fraction(1, 1000))


def _stretch(clip: otio.schema.Clip, factor: Fraction, hair: Fraction) -> None:
    """Exact where the factor is; what is a ``hair`` from a whole frame is that frame. A length of
    media that is close to one is not: it would come back as another length on the timeline."""
    span = clip.source_range
    value = exact_seconds(span.duration.value) * factor
    if abs(value - round(value)) < hair:
        value = Fraction(round(value))
    duration = otio.opentime.RationalTime(float(value), span.duration.rate)
    clip.source_range = otio.opentime.TimeRange(span.start_time, duration)


def _scalar(clip: otio.schema.Clip) -> Fraction:
    """How fast a clip plays, whichever way; 1 without a usable speed."""
    scalar = Fraction(1)
    for effect in elements(clip.effects):
        if type(effect) is otio.schema.LinearTimeWarp and 0.001 <= abs(effect.time_scalar) <= 1000:
            scalar *= abs(exact_seconds(effect.time_scalar))
    return scalar


def _url(clip: otio.schema.Clip) -> str | None:
    reference = clip.media_reference
    external = isinstance(reference, otio.schema.ExternalReference)
    return reference.target_url if external else None


def _with_url(clip: otio.schema.Clip, change: Callable[[str], str]) -> None:
    if url := _url(clip):
        clip.media_reference.target_url = change(url)
