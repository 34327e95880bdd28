"""Watches only the stretches of a file in which shots can change (``--fast``).

Packets and keyframes say where that is (:mod:`otio_mapedit.stretches`). Each stretch is shown to
the network like a short film of its own. Elsewhere the network's answer is taken to be that nothing
happens, and the picture is taken to be the keyframe before. Where what was decoded does not lead
from the one keyframe to the next, everything between the two is decoded after all. Plan and
stretches are remembered, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cache import Arrays, Cache
from .frames import Thumbnails, spans
from .media import MediaInfo
from .pace import paced
from .picture_scan import Scan, scan
from .progress import Progress
from .spec import Frames, ShotSpec
from .stretches import (
    CONTEXT,
    WORTH_IT,
    Stretch,
    around,
    extent,
    likely_cost,
    look,
    looks,
    plan,
    unlike,
    worth_trying,
)
from .timing import frames_covering
from .watching import (
    ANSWERED,
    SAID,
    SEEN,
    Job,
    Notes,
    Stopped,
    answer,
    at_once,
    nothing,
    stacked,
    windows_of,
)

#: Raised when the same network's stored answer would differ.
_FORMAT = 2
#: Stretches that are remembered together, at most, and decoders at the same time, at most.
_MOST_TOGETHER, _MOST_AT_ONCE = 8, 4
#: Frames beside a stretch for which its answer counts, too.
_BESIDE = 4
#: Probability of a transition at the edge of what was decoded from which it goes on outside, and of
#: a cut at a keyframe from which that explains that the shot before looked otherwise.
_GOES_ON, _EXPLAINED = 0.3, 0.5
#: Moments after a keyframe in which nothing may mix if it begins a shot.
_MIXED_AFTER = 6
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)

Part = tuple[int, Arrays]


def watched_in_part(job: Job, cache: Cache, progress: Progress) -> Arrays | None:
    """The answer for a file by its stretches; None where decoding everything is the way to go.

    Raises:
        MediaError, ModelError: the file cannot be read, the network cannot run.
    """
    task = f"Looking at {job.media.name}"
    scanned = _scanned(job.media, cache, progress, task)
    if scanned is None:
        return None
    context = frames_covering(CONTEXT, job.media.rate)
    stretches = plan(scanned, job.media.rate, job.media.frame_count)
    if likely_cost(stretches, scanned, context) > WORTH_IT:
        return None
    groups = _groups(stretches)
    parts: list[Arrays] = []
    missing = []
    for number, group in enumerate(groups):
        part = cache.get(job.media.fingerprint, "shots-fast", _entry(job, number))
        if part is not None and set(part) == {*ANSWERED, *SEEN}:
            parts.append(part)
        else:
            missing.append((number, group))
    with contextlib.closing(_watched(job, scanned, missing)) as made:
        for number, part in made:
            cache.put(job.media.fingerprint, "shots-fast", _entry(job, number), part)
            parts.append(part)
            progress(f"Watching {job.media.name}", len(parts), len(groups) + 1)
    progress(f"Watching {job.media.name}", 1, 1)
    return _whole(job, scanned, parts)


def _scanned(media: MediaInfo, cache: Cache, progress: Progress, task: str) -> Scan | None:
    names = [field.name for field in fields(Scan)]
    stored = cache.get(media.fingerprint, "scan", str(_FORMAT))
    if stored is not None and set(stored) == set(names):
        return Scan(**stored)
    count = media.picture.frame_count if media.picture else 1
    found = scan(media, look, lambda frame: progress(task, frame, count + 1))
    progress(task, 1, 1)
    if found is not None:
        arrays = {name: getattr(found, name) for name in names}
        cache.put(media.fingerprint, "scan", str(_FORMAT), arrays)
    return found


def _entry(job: Job, number: int) -> str:
    return f"{job.network.key}/{_FORMAT}/{job.pace}/{number}"


def _groups(stretches: Sequence[Stretch]) -> list[Sequence[Stretch]]:
    """Neighbouring stretches, so many that every processor gets several groups."""
    size = max(1, min(_MOST_TOGETHER, len(stretches) // 16))
    return [stretches[at : at + size] for at in range(0, len(stretches), size)]


def _watched(
    job: Job, scanned: Scan, groups: Sequence[tuple[int, Sequence[Stretch]]]
) -> Generator[Part, None, None]:
    """Groups of stretches, several at the same time."""
    workers = min(os.cpu_count() or 1, _MOST_AT_ONCE)

    def begin(
        number: int, group: Sequence[Stretch]
    ) -> Callable[[threading.Event], Generator[Part, None, None]]:
        return lambda stopped: _group(job, scanned, number, group, stopped)

    yield from at_once([begin(*group) for group in groups], workers)


def _group(
    job: Job, scanned: Scan, number: int, group: Sequence[Stretch], stopped: threading.Event
) -> Generator[Part, None, None]:
    context = frames_covering(CONTEXT, job.media.rate)
    wanted: list[tuple[int, int]] = []
    found: list[Arrays] = []
    # One reader for all: what it is asked for next depends on what was found before.
    with contextlib.closing(_reader(job.media, wanted)) as reader:
        settled = -1  # what lies before it was decoded with a stretch before
        for stretch in group:
            if stopped.is_set():
                raise Stopped
            if stretch.stop <= settled:
                continue
            for part, explained in _attempts(job, scanned, stretch, context, wanted, reader):
                found.append(part)
                settled = max(settled, explained)
    yield number, stacked(found, (*ANSWERED, *SEEN))


def _attempts(
    job: Job,
    scanned: Scan,
    stretch: Stretch,
    context: int,
    wanted: list[tuple[int, int]],
    reader: Iterator[Thumbnails],
) -> Iterator[tuple[Arrays, int]]:
    """The answer for a stretch, and up to where it explains everything; then, if it does not lead
    from the keyframe before it to the one after, that for all between them that it leaves open."""
    whole = around(stretch)
    if worth_trying(stretch, scanned, context):
        part, before, after = _stretch(job, scanned, stretch, context, wanted, reader)
        if before and after:
            yield part, stretch.stop
            return
        if before:
            whole = replace(stretch, stop=stretch.after + 1)
        elif after:
            whole = replace(whole, stop=stretch.stop)
    yield _stretch(job, scanned, whole, context, wanted, reader)[0], whole.stop


def _reader(media: MediaInfo, wanted: list[tuple[int, int]]) -> Generator[Thumbnails, None, None]:
    """Pictures of the span that ``wanted`` holds by then."""

    def asked() -> Iterator[tuple[int, int]]:
        while True:
            yield wanted.pop()

    yield from spans(media, asked(), threads=1, unfiltered=True)


def _stretch(
    job: Job,
    scanned: Scan,
    stretch: Stretch,
    context: int,
    wanted: list[tuple[int, int]],
    reader: Iterator[Thumbnails],
) -> tuple[Arrays, bool, bool]:
    """The answer for a stretch, and whether what it shows follows from the keyframe before it and
    leads to the one after it."""
    first, stop = extent(stretch, scanned, context)
    wanted.append((first, stop))
    pictures = next(reader)
    if not len(pictures.frames):
        return nothing(job.network.spec), True, True
    before: Frames | None = None
    if stretch.held:
        wanted.append((stretch.before, stretch.before + 1))
        shown = next(reader)
        before = shown.pictures[-1:] if len(shown.frames) else None
    whole, noted = _answers(job, pictures, before, context)
    follows = _follows(scanned, stretch, pictures, whole)
    leads = _leads(scanned, stretch, pictures, whole)
    # Beside the stretch the answer counts where enough was seen before: not over a neighbour's.
    begin = stretch.first
    if not stretch.held:
        begin = min(begin, max(begin - _BESIDE, int(pictures.frames[0]) + _BESIDE))
    keep = (whole["frames"] >= begin) & (whole["frames"] < stretch.stop + _BESIDE)
    if stretch.stop + context >= int(scanned.frames[-1]):
        keep |= whole["frames"] >= stretch.stop
    kept = {name: values[keep] for name, values in whole.items()} | noted
    return kept, follows, leads


def _answers(
    job: Job, pictures: Thumbnails, before: Frames | None, context: int
) -> tuple[Arrays, Arrays]:
    """The network's answer for some pictures as a film of their own, and notes on them."""
    spec, pace = job.network.spec, job.pace
    notes = Notes()
    notes.before = before
    frames, seen = pictures.frames, pictures.pictures
    noted = notes.through(batch for batch in [(frames, seen)])
    first = -(-int(frames[0]) // pace) * pace
    moments = list(paced(noted, pace, first))
    lead = 0
    if before is not None:
        lead = max(1, context // pace)
        ahead = first + np.arange(-lead, 0) * pace
        moments.insert(0, (ahead, np.repeat(before, lead, axis=0)))
    answers = [answer(job.network, *window) for window in windows_of(moments, spec)]
    found = notes.take(int(frames[0]), None) or nothing(spec)
    if not answers:
        return nothing(spec) | {}, {name: found[name] for name in SEEN}
    whole = stacked(answers)
    return {name: values[lead:] for name, values in whole.items()}, {
        name: found[name] for name in SEEN
    }


def _follows(scanned: Scan, stretch: Stretch, pictures: Thumbnails, whole: Arrays) -> bool:
    """Whether a stretch explains how its beginning differs from the keyframe before it."""
    mixed = whole["transition"]
    before = scanned.looks[np.searchsorted(scanned.looked_at, stretch.before)]
    differs = unlike(before, looks(pictures.pictures[:1])[0]) >= 1
    if not stretch.held:
        goes_on = pictures.frames[0] > 0 and mixed[:2].max(initial=0) >= _GOES_ON
        return not (goes_on or differs)
    cut = whole["cut"][:2].max(initial=0)
    mixes = mixed[:_MIXED_AFTER].max(initial=0) >= _GOES_ON
    return not (differs and (cut < _EXPLAINED or mixes))


def _leads(scanned: Scan, stretch: Stretch, pictures: Thumbnails, whole: Arrays) -> bool:
    """Whether what a stretch ends with is what the keyframe after it shows."""
    last = int(scanned.frames[-1])
    if pictures.frames[-1] < last and whole["transition"][-2:].max(initial=0) >= _GOES_ON:
        return False
    places = scanned.looked_at
    after = int(np.searchsorted(places, stretch.after))
    if after >= len(places) or pictures.frames[-1] >= places[after]:
        return True
    return unlike(scanned.looks[after], looks(pictures.pictures[-1:])[0]) < 1


def _whole(job: Job, scanned: Scan, parts: Iterable[Arrays]) -> Arrays:
    """The answer for the whole file: that of the stretches, and elsewhere that nothing happens."""
    pace, spec = job.pace, job.network.spec
    moments = np.arange(0, int(scanned.frames[-1]) + 1, pace)
    found = _uneventful(spec, scanned, moments)
    for part in parts:
        here = part["frames"] // pace
        inside = here < len(moments)
        for name in (*SAID, "luma", "peak", "change", "returned"):
            found[name][here[inside]] = part[name][inside]
        places = np.searchsorted(scanned.frames, part["seen_frames"])
        places = np.minimum(places, len(scanned.frames) - 1)
        same = scanned.frames[places] == part["seen_frames"]
        for name in SEEN[1:]:
            found[name][places[same]] = part[name][same]
    return found


def _uneventful(spec: ShotSpec, scanned: Scan, moments: NDArray[Any]) -> Arrays:
    """The answer for a film in which nothing happens and every picture is the keyframe before."""

    def held(frames: NDArray[Any]) -> NDArray[Any]:
        at = np.searchsorted(scanned.looked_at, frames, side="right") - 1
        return np.maximum(at, 0)

    count, pictures = len(moments), len(scanned.frames)
    cells = scanned.looks[:, :-64]
    luma = cells.reshape(len(cells), -1, 3) @ _LUMA
    kind = np.zeros((count, len(spec.kinds)), np.float32)
    kind[:, 0] = 1
    zero = np.zeros(count, np.float32)
    return {
        "frames": moments, "cut": zero.copy(), "transition": zero.copy(), "kind": kind,
        "quality": np.zeros((count, len(spec.quality)), np.float32),
        "luma": luma.mean(axis=1)[held(moments)], "peak": luma.max(axis=1)[held(moments)],
        "change": zero.copy(), "returned": np.ones(count, np.float32),
        "seen_frames": scanned.frames, "seen_change": np.zeros(pictures, np.float32),
        "seen_sketch": (cells * 255).round().astype(np.uint8)[held(scanned.frames)],
    }  # fmt: skip
