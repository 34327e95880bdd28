"""What editors do to a timeline, one edit at a time, each with the change that it is.

``EDITS`` maps a name to a function that takes a copy of a timeline and a source of chance, changes
it, and gives the expected changes by the identity of the passage (record start, source start), or
None where the timeline offers nothing to edit in this way.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import opentimelineio as otio

from otio_mapedit.learning.compare import Change
from otio_mapedit.learning.uses import uses_of

RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
#: Clip -> what the comparison must say of it.
Expected = dict[int, tuple[Change, ...]]
Edit = Callable[[Any, random.Random], Expected | None]


def clips_of(timeline: Any) -> list[Any]:
    """Every clip of media on the top tracks that is enabled, has a range and lasts eight frames."""
    found = []
    for track in timeline.tracks:
        if not isinstance(track, otio.schema.Track) or not track.enabled:
            continue
        for item in track:
            usable = isinstance(item, otio.schema.Clip) and item.enabled and item.source_range
            generator = usable and isinstance(item.media_reference, otio.schema.GeneratorReference)
            if usable and not generator and item.source_range.duration.value >= 8:
                found.append(item)
    return found


def pictures_of(timeline: Any) -> list[Any]:
    """The clips of :func:`clips_of` that lie on a video track."""
    return [clip for clip in clips_of(timeline) if clip.parent().kind == "Video"]


def neighbours(clip: Any) -> tuple[Any, Any]:
    track = clip.parent()
    at = track.index(clip)
    before = track[at - 1] if at else None
    return before, track[at + 1] if at + 1 < len(track) else None


def is_free(clip: Any) -> bool:
    """Whether no transition touches a clip."""
    return not any(isinstance(item, otio.schema.Transition) for item in neighbours(clip))


def is_plain(clip: Any) -> bool:
    """Whether a clip is free, unretimed, and no other in step with it would be left behind."""
    return is_free(clip) and not len(clip.effects)


def alone(timeline: Any, clip: Any) -> bool:
    """Whether no other clip of the timeline uses this media: then nothing is in step with it."""
    url = getattr(clip.media_reference, "target_url", None) or clip.name
    others = [
        other
        for other in timeline.find_clips()
        if other is not clip
        and (getattr(other.media_reference, "target_url", None) or other.name) == url
    ]
    return not others


def pick(
    timeline: Any, chance: random.Random, wanted: Callable[[Any], bool], ripples: bool = False
) -> Any | None:
    """A clip to edit. Where what follows ripples, sound on its own track would lose its picture:
    that is a change too, so only timelines without any are taken."""
    if ripples and any(use.sound for use in uses_of(timeline).passages):
        return None
    found = [c for c in pictures_of(timeline) if wanted(c) and alone(timeline, c)]
    return chance.choice(found) if found else None


def take_frames(clip: Any, head: int, tail: int) -> None:
    """Trim a clip by frames of its own range's rate."""
    span = clip.source_range
    start = RT(span.start_time.value + head * _step(clip), span.start_time.rate)
    clip.source_range = TR(start, RT(span.duration.value - head - tail, span.duration.rate))


def _step(clip: Any) -> float:
    """Media frames per frame of the duration."""
    span = clip.source_range
    return float(span.start_time.rate / span.duration.rate)


def trim(head: int, tail: int) -> Edit:
    def edit(timeline: Any, chance: random.Random) -> Expected | None:
        clip = pick(
            timeline, chance, lambda c: is_plain(c) and c.source_range.duration.value > 20, True
        )
        if clip is None:
            return None
        take_frames(clip, head, tail)
        return {id(clip): (Change.TRIMMED,)}

    return edit


def remove(timeline: Any, chance: random.Random) -> Expected | None:
    clip = pick(timeline, chance, is_free, ripples=True)
    if clip is None:
        return None
    clip.parent().remove(clip)
    return {id(clip): (Change.REMOVED,)}


def lift(timeline: Any, chance: random.Random) -> Expected | None:
    clip = pick(timeline, chance, is_free)
    if clip is None:
        return None
    track = clip.parent()
    track[track.index(clip)] = otio.schema.Gap(
        source_range=TR(RT(0, clip.source_range.duration.rate), clip.duration())
    )
    return {id(clip): (Change.REMOVED,)}


def disable(timeline: Any, chance: random.Random) -> Expected | None:
    clip = pick(timeline, chance, lambda c: True)
    if clip is None:
        return None
    clip.enabled = False
    return {id(clip): (Change.DISABLED,)}


def rename(timeline: Any, chance: random.Random) -> Expected | None:
    named = [c for c in clips_of(timeline) if getattr(c.media_reference, "target_url", "")]
    if not named:
        return None
    chance.choice(named).name = "the good take"
    return {}


def split(timeline: Any, chance: random.Random) -> Expected | None:
    """A blade cut: nothing that is seen changes."""
    clip = pick(timeline, chance, is_plain)
    if clip is None:
        return None
    track, span = clip.parent(), clip.source_range
    at = int(span.duration.value) // 2
    second = clip.deepcopy()
    second.source_range = TR(
        RT(span.start_time.value + at * _step(clip), span.start_time.rate),
        RT(span.duration.value - at, span.duration.rate),
    )
    clip.source_range = TR(span.start_time, RT(at, span.duration.rate))
    track.insert(track.index(clip) + 1, second)
    return {}


def cut_out(timeline: Any, chance: random.Random) -> Expected | None:
    """The middle of a clip goes."""
    clip = pick(
        timeline, chance, lambda c: is_plain(c) and c.source_range.duration.value > 24, True
    )
    if clip is None:
        return None
    split_length = int(clip.source_range.duration.value) // 3
    track, span = clip.parent(), clip.source_range
    second = clip.deepcopy()
    second.source_range = TR(
        RT(span.start_time.value + 2 * split_length * _step(clip), span.start_time.rate),
        RT(span.duration.value - 2 * split_length, span.duration.rate),
    )
    clip.source_range = TR(span.start_time, RT(split_length, span.duration.rate))
    track.insert(track.index(clip) + 1, second)
    return {id(clip): (Change.TRIMMED,)}


def move(timeline: Any, chance: random.Random) -> Expected | None:
    """A clip to the other end of its track, past at least two longer passages."""
    clip = pick(timeline, chance, is_free, ripples=True)
    if clip is None:
        return None
    track = clip.parent()
    at, length = track.index(clip), clip.duration().to_seconds()
    beside = [item for item in track if isinstance(item, otio.schema.Clip) and item is not clip]
    first = [item for item in beside if track.index(item) < at]
    target = 0 if len(first) > len(beside) / 2 else len(track) - 1
    passed = first if target == 0 else [item for item in beside if item not in first]
    if sum(item.duration().to_seconds() for item in passed) < 2 * length + 8 or len(passed) < 2:
        return None
    if isinstance(track[0 if target == 0 else -1], otio.schema.Transition):
        return None
    track.remove(clip)
    track.insert(target, clip) if target == 0 else track.append(clip)
    return {id(clip): (Change.MOVED,)}


def retime(timeline: Any, chance: random.Random) -> Expected | None:
    """Twice as fast over the same media: half as long."""
    clip = pick(
        timeline, chance, lambda c: is_plain(c) and c.source_range.duration.value >= 16, True
    )
    if clip is None:
        return None
    span = clip.source_range
    frames = int(span.duration.value)
    if frames % 2:
        return None
    clip.source_range = TR(span.start_time, RT(frames // 2, span.duration.rate))
    clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    return {id(clip): (Change.RETIMED,)}


def dissolve(timeline: Any, chance: random.Random) -> Expected | None:
    """A cut becomes a dissolve: it belongs to the clip on either side."""
    pairs = []
    for clip in pictures_of(timeline):
        _, after = neighbours(clip)
        if isinstance(after, otio.schema.Clip) and after in pictures_of(timeline):
            pairs.append((clip, after))
    if not pairs:
        return None
    before, after = chance.choice(pairs)
    rate = before.source_range.duration.rate
    joined = otio.schema.Transition(
        "dissolve", otio.schema.TransitionTypes.SMPTE_Dissolve, RT(3, rate), RT(3, rate)
    )
    track = before.parent()
    track.insert(track.index(after), joined)
    return {id(before): (Change.TRANSITION,), id(after): (Change.TRANSITION,)}


def to_other_track(timeline: Any, chance: random.Random) -> Expected | None:
    """A clip goes up a track, at the same time; a gap stays."""
    clip = pick(timeline, chance, is_free)
    if clip is None:
        return None
    track, rate = clip.parent(), clip.source_range.duration.rate
    start = track.range_of_child(clip).start_time
    track[track.index(clip)] = otio.schema.Gap(source_range=TR(RT(0, rate), clip.duration()))
    upper = otio.schema.Track("on top", kind="Video")
    if start.value > 0:
        upper.append(otio.schema.Gap(source_range=TR(RT(0, start.rate), start)))
    upper.append(clip)
    timeline.tracks.append(upper)
    return {}


def nest(timeline: Any, chance: random.Random) -> Expected | None:
    """A clip into a compound clip."""
    clip = pick(timeline, chance, is_free)
    if clip is None:
        return None
    track = clip.parent()
    at = track.index(clip)
    track.remove(clip)
    inner = otio.schema.Track(kind="Video")
    inner.append(clip)
    compound = otio.schema.Stack("compound")
    compound.append(inner)
    track.insert(at, compound)
    return {}


def b_roll(timeline: Any, chance: random.Random) -> Expected | None:
    """Pictures of media that the edit did not know, over the others."""
    clip = _new_clip(timeline, "/elsewhere/b roll.mov", 48)
    upper = otio.schema.Track("b roll", kind="Video")
    upper.append(clip)
    timeline.tracks.append(upper)
    return {id(clip): (Change.ADDED,)}


def music(timeline: Any, chance: random.Random) -> Expected | None:
    clip = _new_clip(timeline, "/elsewhere/music.wav", 400)
    track = otio.schema.Track("music", kind="Audio")
    track.append(clip)
    timeline.tracks.append(track)
    return {id(clip): (Change.ADDED,)}


def repeat(timeline: Any, chance: random.Random) -> Expected | None:
    """A clip is used a second time, at the end."""
    clip = pick(timeline, chance, is_plain)
    if clip is None:
        return None
    track = clip.parent()
    if isinstance(track[-1], otio.schema.Transition):
        return None
    again = clip.deepcopy()
    track.append(again)
    return {id(again): (Change.ADDED,)}


def _new_clip(timeline: Any, path: str, frames: int) -> Any:
    clips = clips_of(timeline)
    rate = clips[0].source_range.duration.rate if clips else 25.0
    reference = otio.schema.ExternalReference(
        f"file://{path.replace(' ', '%20')}", TR(RT(0, rate), RT(5000, rate))
    )
    return otio.schema.Clip("new", reference, TR(RT(100, rate), RT(frames, rate)))


EDITS: dict[str, Edit] = {
    "trim head": trim(5, 0),
    "trim tail": trim(0, 7),
    "trim both": trim(3, 4),
    "remove": remove,
    "lift": lift,
    "disable": disable,
    "rename": rename,
    "split": split,
    "cut out": cut_out,
    "move": move,
    "retime": retime,
    "dissolve": dissolve,
    "other track": to_other_track,
    "nest": nest,
    "b roll": b_roll,
    "music": music,
    "repeat": repeat,
}
