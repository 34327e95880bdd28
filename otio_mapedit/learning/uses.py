"""A timeline as the uses that it makes of media, whatever program laid it out.

Nested and compound clips are opened, so that a clip inside one counts where it plays. Everything
is in exact seconds: of the record from the timeline's first frame, of the media from its first
frame where the timeline says where the media begins, else from timecode zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..interchange.timeline_facts import data_of, media_rate, sequence_rate, span_of, speed_of
from ..interchange.timeline_facts import wipe_pattern as pattern_of
from ..timing import exact_time

#: Deepest nesting that is opened: no editing program offers as much.
_DEEPEST = 60
#: Pictures per second beyond which something else is counted.
_MOST_PICTURES = 1000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From ``start`` up to and excluding ``end``, in seconds."""

    start: Fraction
    end: Fraction

    @property
    def length(self) -> Fraction:
        """Seconds."""
        return self.end - self.start

    def shared(self, other: Span) -> Fraction:
        """Seconds that both have in common."""
        return max(Fraction(0), min(self.end, other.end) - max(self.start, other.start))

    def shifted(self, seconds: Fraction) -> Span:
        """The same span ``seconds`` later."""
        return Span(self.start + seconds, self.end + seconds)


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition at one end of a use: ``kind`` (dissolve, wipe) and seconds on either side."""

    kind: str
    before: Fraction
    after: Fraction


@dataclass(frozen=True, slots=True)
class Use:
    """One passage of media on one track.

    ``record`` is where it plays, ``source`` what of the media, as the timeline counts it: from the
    media's first frame if ``origin`` is known, else from timecode zero. ``rate`` is the media's.
    ``sound`` is the span of the media whose sound plays in step with this picture, if any.
    """

    record: Span
    source: Span
    rate: Fraction
    speed: Fraction
    enabled: bool
    picture: bool
    track: str
    layer: int  # of the track: 1 is the lowest
    name: str
    media: otio.core.MediaReference | None
    origin: Fraction | None  # timecode of the media's first frame, in seconds
    identity: Mapping[str, Any] = field(default_factory=dict)
    head: Edge | None = None
    tail: Edge | None = None
    sound: Span | None = None

    @property
    def id(self) -> str:
        """The id of the operation that placed it, where the timeline still says so."""
        value = self.identity.get("id")
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Uses:
    """What a timeline plays: ``passages`` in order of the record, pictures with their sound, and
    sound that has no picture. ``start`` is the timecode of its first frame in seconds."""

    rate: Fraction
    start: Fraction
    passages: tuple[Use, ...]

    @property
    def length(self) -> Fraction:
        """Seconds up to the last passage's end."""
        return max((use.record.end for use in self.passages), default=Fraction(0))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a composition plays: its time ``local.start`` is at ``record`` seconds."""

    local: Span
    record: Fraction
    speed: Fraction
    enabled: bool
    picture: bool
    track: str
    layer: int
    depth: int
    rate: Fraction  # of the sequence


def uses_of(timeline: otio.schema.Timeline) -> Uses:
    """Everything that ``timeline`` plays."""
    start, rate = timeline.global_start_time, sequence_rate(timeline)
    found: list[Use] = []
    for number, track in enumerate(timeline.tracks, 1):
        picture = getattr(track, "kind", "") != otio.schema.TrackKind.Audio
        local = Span(Fraction(0), _length(track))
        name = track.name or f"{'V' if picture else 'A'}{number}"
        enabled = bool(getattr(track, "enabled", True))
        place = _Place(local, Fraction(0), Fraction(1), enabled, picture, name, number, 0, rate)
        found += _inside(track, place)
    return Uses(
        rate,
        exact_time(start) if start is not None else Fraction(0),
        tuple(_with_sound(found)),
    )


def _inside(composition: Any, place: _Place) -> Iterator[Use]:
    if isinstance(composition, otio.schema.Track):
        yield from _along(composition, place)
    elif isinstance(composition, otio.schema.Stack):
        for child in composition:
            audio = getattr(child, "kind", "") == otio.schema.TrackKind.Audio
            if audio or place.picture:  # of what lies on a sound track only the sound plays
                yield from _item(child, Fraction(0), replace(place, picture=not audio))


def _along(track: otio.schema.Track, place: _Place) -> Iterator[Use]:
    """The items of a track one after the other, each with the transitions at its ends."""
    at, before = Fraction(0), None
    items = list(track)
    for number, item in enumerate(items):
        if isinstance(item, otio.schema.Transition):
            before = _edge(item)
            continue
        follower = items[number + 1] if number + 1 < len(items) else None
        after = _edge(follower) if isinstance(follower, otio.schema.Transition) else None
        length = _length(item)
        for use in _item(item, at, place):
            yield _joined(use, item, before, after)
        at, before = at + length, None


def _joined(use: Use, item: Any, before: Edge | None, after: Edge | None) -> Use:
    """A clip with the transitions of its track; what is nested keeps its own."""
    if isinstance(item, otio.schema.Clip):
        return replace(use, head=before, tail=after)
    return use


def _item(item: Any, at: Fraction, place: _Place) -> Iterator[Use]:
    """What of an item that begins at local second ``at`` is seen in its composition's window."""
    seen = Span(max(at, place.local.start), min(at + _length(item), place.local.end))
    if seen.length <= 0 or isinstance(item, otio.schema.Gap):
        return
    record = place.record + (seen.start - place.local.start) / place.speed
    enabled = place.enabled and bool(getattr(item, "enabled", True))
    if isinstance(item, otio.schema.Clip):
        yield from _clip(item, seen.shifted(-at), record, replace(place, enabled=enabled))
    elif isinstance(item, otio.core.Composition) and place.depth < _DEEPEST:
        inner = item.source_range
        offset = exact_time(inner.start_time) if inner is not None else Fraction(0)
        speed = speed_of(item) or Fraction(1)
        start = offset + (seen.start - at) * abs(speed)
        local = Span(start, start + seen.length * abs(speed))
        below = replace(
            place,
            local=local,
            record=record,
            speed=place.speed * abs(speed),
            enabled=enabled,
            depth=place.depth + 1,
        )
        yield from _inside(item, below)


def _clip(clip: otio.schema.Clip, seen: Span, record: Fraction, place: _Place) -> Iterator[Use]:
    """A clip's use of its media; ``seen`` is in seconds from the clip's beginning."""
    span = span_of(clip)
    reference = clip.media_reference
    if span is None or isinstance(reference, otio.schema.GeneratorReference):
        return
    speed = speed_of(clip)
    first = exact_time(span.start_time)
    whole = exact_time(span.duration) * abs(speed)
    lead, length = seen.start * abs(speed), seen.length * abs(speed)
    if speed < 0:  # the range is counted forwards, the clip plays it from its end
        lead = whole - lead - length
    rate = media_rate(clip)
    rate = rate if rate <= _MOST_PICTURES else place.rate  # sound that is counted in samples
    if not speed:
        length = 1 / rate
    origin = None
    available = getattr(reference, "available_range", None)
    if available is not None:
        origin = exact_time(available.start_time)
        # Some programs count the clip from 0 although the media has a start timecode.
        first = first - origin if first >= origin else first
    yield Use(
        record=Span(record, record + seen.length / place.speed),
        source=Span(first + lead, first + lead + length),
        rate=rate,
        speed=speed * place.speed,
        enabled=place.enabled,
        picture=place.picture,
        track=place.track,
        layer=place.layer,
        name=clip.name or "",
        media=reference,
        origin=origin,
        identity=data_of(clip, "mapedit"),
    )


def _length(item: Any) -> Fraction:
    """Seconds that an item lasts; 0 for what has no usable length."""
    try:
        return max(Fraction(0), exact_time(item.duration()))
    except (otio.exceptions.OTIOError, NotImplementedError, ValueError, OverflowError):
        return Fraction(0)


def _edge(transition: otio.schema.Transition) -> Edge | None:
    try:
        before, after = exact_time(transition.in_offset), exact_time(transition.out_offset)
    except (ValueError, OverflowError):
        return None
    kind = "dissolve" if pattern_of(transition) is None else "wipe"
    return Edge(kind, before, after)


def _with_sound(found: list[Use]) -> list[Use]:
    """Pictures in order, each with the sound that plays in step with it, then loose sound.

    The sound of one passage may lie on several tracks: it counts once.
    """
    pictures = sorted(
        (use for use in found if use.picture), key=lambda use: (use.record.start, use.record.end)
    )
    by_media: dict[str, list[int]] = {}
    for number, use in enumerate(pictures):
        by_media.setdefault(media_key(use.media, use.name), []).append(number)
    loose: dict[tuple[Any, ...], Use] = {}
    cursor: dict[str, int] = {}
    sounds = sorted((use for use in found if not use.picture), key=lambda use: use.record.start)
    for sound in sounds:
        key = media_key(sound.media, sound.name)
        numbers = by_media.get(key, [])
        at = cursor.get(key, 0)
        while at < len(numbers) and pictures[numbers[at]].record.end <= sound.record.start:
            at += 1
        cursor[key] = at
        if not _attach(pictures, numbers[at : at + 8], sound):
            loose.setdefault((key, sound.record, sound.source, sound.enabled), sound)
    return sorted([*pictures, *loose.values()], key=lambda use: (not use.picture, use.record.start))


def _attach(pictures: list[Use], numbers: list[int], sound: Use) -> bool:
    """Give a sound to the picture that it is in step with; False where there is none."""
    for number in numbers:
        picture = pictures[number]
        if picture.record.start >= sound.record.end:
            return False
        if not picture.record.shared(sound.record) or picture.speed != sound.speed:
            continue
        later = (sound.record.start - picture.record.start) * abs(picture.speed)
        if picture.enabled == sound.enabled and (
            abs(sound.source.start - picture.source.start - later) <= 1 / picture.rate
        ):
            known = picture.sound or sound.source
            both = Span(min(known.start, sound.source.start), max(known.end, sound.source.end))
            pictures[number] = replace(picture, sound=both)
            return True
    return False


def media_key(reference: otio.core.MediaReference | None, name: str) -> str:
    """What tells one media from another within a timeline: its URL, else its name."""
    if isinstance(reference, otio.schema.ExternalReference) and reference.target_url:
        return str(reference.target_url)
    if isinstance(reference, otio.schema.ImageSequenceReference):
        return f"{reference.target_url_base}{reference.name_prefix}#{reference.name_suffix}"
    return f"?{(reference.name if reference is not None else '') or name}"
