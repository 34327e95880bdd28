"""An OTIO timeline as plain frames: what lies on which track, whatever program wrote it.

Nothing is decided here. The first (lowest) video track with clips is track 0, the audio tracks
follow as 1, 2, ... in their order. What cannot be expressed as a clip of a source on those tracks
is counted in ``notes`` instead of being guessed at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from .assemble import DIP, NAMESPACE, WIPE
from .fields import LARGEST
from .otio_values import elements, entries, entry
from .timing import (
    FrameRange,
    exact_rate,
    exact_seconds,
    exact_time,
    fraction_of,
    frame_at,
    rational_time,
)

#: Deepest metadata that is followed.
_DEEPEST = 30


@dataclass(frozen=True)
class SeenClip:
    """A clip that refers to media. ``record`` is its place in sequence frames, ``start`` the
    media time of its first frame."""

    track: int
    record: FrameRange
    clip: otio.schema.Clip
    start: otio.opentime.RationalTime
    scalar: Fraction
    own: Mapping[str, Any]  # what we wrote into it


@dataclass(frozen=True)
class SeenGap:
    """Nothing, for a while."""

    track: int
    record: FrameRange
    own: Mapping[str, Any]


@dataclass(frozen=True)
class SeenTransition:
    """A transition over sequence frame ``at``. ``kind``: dissolve, wipe or dip."""

    track: int
    at: int
    in_offset: int
    out_offset: int
    kind: str
    name: str
    own: Mapping[str, Any]


@dataclass
class View:
    """A timeline as plain frames. Tracks count from 0, the picture; 1 is the first sound."""

    rate: Fraction
    own: Mapping[str, Any]
    clips: list[SeenClip] = field(default_factory=list)
    gaps: list[SeenGap] = field(default_factory=list)
    transitions: list[SeenTransition] = field(default_factory=list)
    markers: list[tuple[int, otio.schema.Marker]] = field(default_factory=list)  # at frame
    notes: Counter[str] = field(default_factory=Counter)


def view(timeline: otio.schema.Timeline) -> View:
    """``timeline`` as plain frames."""
    own = own_metadata(timeline)
    seen = View(_sequence_rate(timeline, own), own)
    for number, track in _tracks(timeline, seen.notes):
        _view_track(seen, number, track)
    for marker in timeline.tracks.markers:
        seen.markers.append((_frame(marker.marked_range.start_time, seen.rate), marker))
    return seen


def plain(value: Any, depth: int = 0) -> Any:
    """OTIO's metadata containers as dicts and lists; None where it is nested too deeply."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in entries(value).items()}
    if isinstance(value, list | tuple | otio._otio.AnyVector):
        return [plain(item, depth + 1) for item in elements(value)]
    return value


def own_metadata(thing: Any) -> Mapping[str, Any]:
    """What we wrote into an OTIO object; empty where there is nothing of ours."""
    own = plain(entry(thing.metadata, NAMESPACE) or {})
    return own if isinstance(own, dict) else {}


def same_rate(rate: Fraction, value: float) -> bool:
    """Whether ``value`` is how OTIO writes ``rate``."""
    return bool(rational_time(0, rate).rate == value)


def frames_at(time: otio.opentime.RationalTime, rate: Fraction) -> Fraction | None:
    """A time in frames of ``rate``, exact; None for what is no time (rate 0, not a number)."""
    try:
        frames = (
            exact_seconds(time.value) if same_rate(rate, time.rate) else exact_time(time) * rate
        )
    except (ValueError, OverflowError):
        return None
    return frames if abs(frames) <= LARGEST else None


def nearest_frame(time: otio.opentime.RationalTime, rate: Fraction) -> int | None:
    """The nearest frame; None for what is no time."""
    frames = frames_at(time, rate)
    return None if frames is None else frame_at(frames, Fraction(1))


def _sequence_rate(timeline: otio.schema.Timeline, own: Mapping[str, Any]) -> Fraction:
    """The rate of the start timecode, else of the first clip that has one."""
    stored = _stored_rate(own.get("rate"))
    for time in _times(timeline):
        if stored is not None and same_rate(stored, time.rate):
            return stored
        try:
            rate = exact_rate(time.rate)
        except ValueError:
            continue
        if rate <= 1000:  # sound is counted in samples here and there
            return rate
    return stored or Fraction(24)


def _stored_rate(text: Any) -> Fraction | None:
    rate = fraction_of(text)
    return rate if rate is not None and 0 < rate <= 1000 else None


def _times(timeline: otio.schema.Timeline) -> Iterator[otio.opentime.RationalTime]:
    if timeline.global_start_time is not None:
        yield timeline.global_start_time
    for track in [*timeline.video_tracks(), *timeline.audio_tracks()]:
        for item in track:
            if isinstance(item, otio.schema.Clip | otio.schema.Gap) and item.source_range:
                yield item.source_range.duration


def _tracks(
    timeline: otio.schema.Timeline, notes: Counter[str]
) -> list[tuple[int, otio.schema.Track]]:
    """The tracks that are read, numbered."""
    stacked = [item for item in timeline.tracks if not isinstance(item, otio.schema.Track)]
    for item in stacked:
        notes[f"{type(item).__name__} {item.name!r} beside the tracks"] += 1
    pictures = [track for track in timeline.video_tracks() if any(track.find_clips())]
    pictures = pictures or timeline.video_tracks()[:1]
    chosen = [(0, track) for track in pictures[:1]]
    for track in pictures[1:]:
        notes[f"clips on video track {track.name!r}, above the first"] += len(track.find_clips())
    return chosen + list(enumerate(timeline.audio_tracks(), start=1))


def _view_track(seen: View, number: int, track: otio.schema.Track) -> None:
    """Add a track. Positions are exact sums of durations, put on a frame once."""
    at = Fraction(0)
    for effect in track.effects:
        seen.notes[f"effect {effect.effect_name or effect.name!r} on a track"] += 1
    for marker in track.markers:
        seen.markers.append((_frame(marker.marked_range.start_time, seen.rate), marker))
    for item in track:
        if isinstance(item, otio.schema.Transition):
            _view_transition(seen, number, _whole(at), item)
            continue
        length = _length(item, seen.rate)
        if length is None:
            seen.notes[f"{type(item).__name__} {item.name!r} without a usable length"] += 1
            continue
        record = FrameRange.between(_whole(at), _whole(at + length))
        at += length
        if isinstance(item, otio.schema.Gap):
            seen.gaps.append(SeenGap(number, record, own_metadata(item)))
        elif not record.duration:
            seen.notes["clips shorter than a frame"] += 1
        elif isinstance(item, otio.schema.Clip):
            _view_clip(seen, number, record, item)
        else:
            seen.notes[f"nested {type(item).__name__} {item.name!r}"] += 1


def _whole(frames: Fraction) -> int:
    return frame_at(frames, Fraction(1))


def _length(item: otio.core.Composable, rate: Fraction) -> Fraction | None:
    """How long an item lasts on its track, in sequence frames."""
    try:
        length = frames_at(item.duration(), rate)
    except (otio.exceptions.OTIOError, NotImplementedError, ValueError):
        return None
    return length if length is not None and length >= 0 else None


def _view_clip(seen: View, number: int, record: FrameRange, clip: otio.schema.Clip) -> None:
    reference = clip.media_reference
    if isinstance(reference, otio.schema.GeneratorReference):
        seen.notes[f"generator {reference.generator_kind or clip.name!r}"] += 1
        return
    try:
        span = clip.trimmed_range()
    except otio.exceptions.OTIOError:
        seen.notes["clips without a usable range"] += 1
        return
    scalar = _scalar(clip, seen.notes)
    own = own_metadata(clip)
    seen.clips.append(SeenClip(number, record, clip, span.start_time, scalar, own))


def _scalar(clip: otio.schema.Clip, notes: Counter[str]) -> Fraction:
    """The speed of a clip; other effects are noted."""
    scalar = Fraction(1)
    for effect in elements(clip.effects):
        if type(effect) is otio.schema.LinearTimeWarp:
            value = effect.time_scalar
            if 0.01 <= abs(value) <= 100:
                scalar *= exact_seconds(value)
            else:
                notes[f"speed {value:g}"] += 1
        else:
            name = effect.effect_name or effect.name or type(effect).__name__
            notes[f"effect {name!r}"] += 1
    return scalar


def _view_transition(seen: View, number: int, at: int, transition: otio.schema.Transition) -> None:
    own = own_metadata(transition)
    before = _frame(transition.in_offset, seen.rate)
    after = _frame(transition.out_offset, seen.rate)
    name = transition.name or ""
    if transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve:
        kind = "dissolve"
    elif WIPE.lower() in name.lower() or "wipe" in str(transition.transition_type).lower():
        kind = "wipe"
    elif DIP.lower() in name.lower():
        kind = "dip"
    else:
        seen.notes[f"transition {name or transition.transition_type!r}"] += 1
        return
    if min(before, after) < 0 or not before + after:
        seen.notes["transitions without a usable length"] += 1
        return
    seen.transitions.append(SeenTransition(number, at, before, after, kind, name, own))


def _frame(time: otio.opentime.RationalTime, rate: Fraction) -> int:
    """The nearest frame; -1 for what is no time."""
    frame = nearest_frame(time, rate)
    return -1 if frame is None else frame
