"""Footage of which only some ranges count: what a timeline uses of it, not whole files.

A range is decided about as if it were a file of its own, with what is known of that part: nothing
outside counts for or against it. The decisions are then put back on the file's own frames, and what
is outside goes, as not used. Files are heard and seen as a whole; what is known of one is kept in
the cache, so that another range of it costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np

from .edit_inference import EditPredictions
from .edit_spec import STEP
from .features import PictureSamples, SoundFeatures
from .inference import Predictions, SeenPictures, ShotPredictions
from .media import AudioStream, MediaInfo
from .operations import DecisionList, Kind, Operation, Source
from .pipeline import Tools, in_order, know
from .recipes import Recipe
from .solve import holes
from .sources import sources_of
from .step_sound import PER_STEP
from .timing import FrameRange, seconds_at
from .transcript import Sentence, Transcript, Word

NOT_USED = "not used in the timeline"
"""Why what lies outside the ranges goes."""


def decide_within(
    footage: Sequence[MediaInfo],
    used: Sequence[Sequence[FrameRange]],
    recipe: Recipe,
    options: Any,
    tools: Tools,
) -> DecisionList:
    """Edit some ranges of files into one programme.

    ``used`` are the ranges of every file, rising and apart from each other; none at all stand for
    the whole file.

    Raises:
        ModelError: a network is unusable. MediaError: a file cannot be read any more.
    """
    ranges = {
        media.path: _whole_or(spans, media) for media, spans in zip(footage, used, strict=True)
    }
    ordered = in_order(footage)
    known, places = [], list[tuple[int, FrameRange]]()
    for number, whole in enumerate(know(ordered, recipe, options, tools)):
        media = whole.media
        for span in ranges[media.path]:
            known.append(whole if span == media.available else part_of(whole, span))
            places.append((number, span))
    return put_back(recipe.decide(known, options), sources_of(ordered), places)


def _whole_or(spans: Sequence[FrameRange], media: MediaInfo) -> list[FrameRange]:
    """The ranges, or the whole file where there are none, or nearly the whole is used."""
    if not spans or sum(span.duration for span in spans) >= media.frame_count - 1:
        return [media.available]
    return list(spans)


def part_of(known: Predictions, span: FrameRange) -> Predictions:
    """What is known of a range of a file, as if it were a file."""
    media, rate = known.media, known.media.rate
    steps = [round(seconds_at(at, rate) / STEP) for at in (span.start, span.end)]
    part = slice(steps[0], max(steps[0] + 1, steps[1]))
    return replace(
        known,
        media=_media(media, span),
        sound=None if known.sound is None else _sound(known.sound, media, span, part),
        samples=None if known.samples is None else _samples(known.samples, span),
        shots=None if known.shots is None else _shots(known.shots, span),
        edit=None if known.edit is None else _edit(known.edit, part),
        scores=None if known.scores is None else known.scores[part],
        transcript=None if known.transcript is None else _said(known.transcript, span, rate),
    )


def _media(media: MediaInfo, span: FrameRange) -> MediaInfo:
    start, length = (seconds_at(frames, media.rate) for frames in (span.start, span.duration))
    video = []
    for stream in media.video:
        left = min(max(0, stream.frame_count - span.start), span.duration)
        pictures = min(stream.picture_count, left)
        video.append(replace(stream, frame_count=left, picture_count=pictures))
    return replace(
        media,
        frame_count=span.duration,
        origin=media.origin + start,
        duration=length,
        start_frame=media.start_frame + span.start,
        video=tuple(video),
        audio=tuple(_stream(stream, start, length) for stream in media.audio),
    )


def _stream(stream: AudioStream, start: Fraction, length: Fraction) -> AudioStream:
    first = min(max(Fraction(0), stream.start - start), length)
    end = min(max(Fraction(0), stream.start + stream.duration - start), length)
    return replace(stream, start=first, duration=max(Fraction(0), end - first))


def _sound(sound: SoundFeatures, media: MediaInfo, span: FrameRange, steps: slice) -> SoundFeatures:
    first, stop = (round(seconds_at(at, media.rate) / sound.hop) for at in (span.start, span.end))
    hops = slice(first, max(first + 1, stop))
    return replace(
        sound,
        level=sound.level[hops],
        speech=sound.speech[hops],
        steps=sound.steps[steps],
        cepstra=sound.cepstra[steps.start * PER_STEP : steps.stop * PER_STEP],
    )


def _samples(samples: PictureSamples, span: FrameRange) -> PictureSamples:
    """Each picture stands for the frames up to the next one: the one before the range too."""
    first = max(0, int(np.searchsorted(samples.frames, span.start, side="right")) - 1)
    part = slice(first, max(first + 1, int(np.searchsorted(samples.frames, span.end))))
    values = {name: getattr(samples, name)[part] for name in _names(samples)}
    values["frames"] = np.maximum(values["frames"] - span.start, 0)
    return PictureSamples(**values)


def _shots(shots: ShotPredictions, span: FrameRange) -> ShotPredictions:
    part = _moments(shots.frames, span)
    arrays = {
        name: getattr(shots, name)[part]
        for name in _names(shots)
        if isinstance(getattr(shots, name), np.ndarray)
    }
    arrays["frames"] = np.maximum(arrays["frames"] - span.start, 0)
    seen = shots.seen
    if seen is not None:
        inside = _moments(seen.frames, span)
        frames = np.maximum(seen.frames[inside] - span.start, 0)
        sketch = None if seen.sketch is None else seen.sketch[inside]
        seen = SeenPictures(frames, seen.change[inside], sketch)
    return replace(shots, **arrays, seen=seen)


def _moments(frames: Any, span: FrameRange) -> slice:
    """The moments that are on screen during a range; at least one."""
    first = max(0, int(np.searchsorted(frames, span.start, side="right")) - 1)
    return slice(first, max(first + 1, int(np.searchsorted(frames, span.end))))


def _edit(edit: EditPredictions, steps: slice) -> EditPredictions:
    arrays = {
        name: getattr(edit, name)[steps]
        for name in _names(edit)
        if isinstance(getattr(edit, name), np.ndarray)
    }
    return replace(edit, **arrays)


def _said(transcript: Transcript, span: FrameRange, rate: Fraction) -> Transcript:
    """What is said in a range, to the word where words are timed."""
    start, end = seconds_at(span.start, rate), seconds_at(span.end, rate)

    def inside(spoken: Word | Sentence) -> bool:
        return start <= (spoken.start + spoken.end) / 2 < end

    made = []
    for sentence in transcript.sentences:
        words = tuple(word for word in sentence.words if inside(word))
        if sentence.words and len(words) < len(sentence.words):
            if not words:
                continue
            text = " ".join(word.text for word in words)
            sentence = Sentence(text, words[0].start, words[-1].end, words)
        elif not inside(sentence):
            continue
        made.append(
            replace(
                sentence,
                start=max(Fraction(0), sentence.start - start),
                end=sentence.end - start,
                words=tuple(
                    replace(word, start=max(Fraction(0), word.start - start), end=word.end - start)
                    for word in sentence.words
                ),
            )
        )
    return replace(transcript, sentences=tuple(made))


def _names(thing: Any) -> list[str]:
    return [field.name for field in fields(thing)]


def put_back(
    decisions: DecisionList, sources: Sequence[Source], places: Sequence[tuple[int, FrameRange]]
) -> DecisionList:
    """Decisions about ranges on the frames of their files.

    ``places`` are the file and the range that each source of ``decisions`` stands for, in order;
    ``sources`` the files.
    """
    if all(span == sources[number].available for number, span in places):
        return decisions
    where = {source.id: place for source, place in zip(decisions.sources, places, strict=True)}
    unused = {
        number: holes([span for at, span in places if at == number], source.frame_count)
        for number, source in enumerate(sources)
    }
    made: list[Operation] = []
    before = -1
    for operation in decisions.operations:
        number, span = where[operation.source]
        for file in range(max(0, before), number):
            made += _left_out(sources[file], unused[file], sources[file].frame_count)
        made += _left_out(sources[number], unused[number], span.start)
        same = number == before
        moved = FrameRange(operation.range.start + span.start, operation.range.duration)
        reason = operation.reason
        if same and operation.kind in (Kind.CUT, Kind.DISSOLVE):
            reason = reason.replace("next file", "next part that the timeline uses")
        identity = f"{operation.id}-{span.start}" if span.start and operation.id else operation.id
        made.append(
            replace(operation, source=sources[number].id, range=moved, reason=reason, id=identity)
        )
        before = number
    for file in range(max(0, before), len(sources)):
        made += _left_out(sources[file], unused[file], sources[file].frame_count)
    return replace(decisions, sources=tuple(sources), operations=tuple(made))


def _left_out(source: Source, unused: list[FrameRange], end: int) -> list[Operation]:
    """The unused ranges that lie before ``end``, taken off ``unused``."""
    made = []
    while unused and unused[0].end <= end:
        span = unused.pop(0)
        text = f"drop-unused-{source.id}-{span.start}-{span.duration}"
        made.append(Operation(Kind.DROP, source.id, span, id=text, reason=NOT_USED))
    return made
