"""Watches a file of which only some pictures are decoded (``--fast``).

Packets and keyframes say which (:mod:`otio_mapedit.sparse_plan`); the network is shown the film of
these, what is missing held or mixed. Where it then sees something beside pictures that were not
decoded, all pictures around are, and it looks again. Scan and segments are remembered, so that an
interrupted run goes on where it stopped, and each segment's answer depends on the file alone.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from .cache import Arrays, Cache
from .media import MediaInfo
from .pace import paced
from .picture_scan import Scan, scan
from .progress import Progress
from .seen import difference, sketches, stacked
from .sparse_frames import EVERY, LEANED_ON, SparseFilm, Wanted, film_of, smooth, sparse_film
from .sparse_plan import CONTEXT, WORTH_IT, Plan, look, plan
from .timing import frames_covering
from .watching import (
    ANSWERED,
    WINDOWS_PER_SEGMENT,
    Job,
    Stopped,
    Watched,
    answer,
    at_once,
    block_span,
    blocks_of,
    nothing,
    up_to,
    windows_of,
    workers_of,
)

#: Raised when a stored scan would differ.
_SCANNED = "2"
#: Probability of a cut, and of being in a transition, from which the network saw something.
_CUT, _MIXED = 0.25, 0.3
#: Probability of a cut at a plain keyframe from which it is one, and moments after it in which
#: nothing may mix.
_EXPLAINED, _MIXED_AFTER = 0.5, 6
#: Moments beside a cut in which the network may speak of it, too.
_BESIDE = 3


def plan_of(media: MediaInfo, cache: Cache, progress: Progress) -> Plan | None:
    """What of a file is worth decoding; None where decoding everything is the way to go.

    Raises:
        MediaError: the file cannot be read.
    """
    scanned = _scanned(media, cache, progress, f"Looking at {media.name}")
    if scanned is None:
        return None
    planned = plan(scanned, media.rate)
    return planned if planned.cost(scanned) <= WORTH_IT else None


def watched_in_part(
    job: Job, missing: Sequence[int], planned: Plan
) -> Generator[Watched, None, None]:
    """Watch the ``missing`` segments of a file as planned; see
    :func:`otio_mapedit.watching.watched`."""
    workers, threads = workers_of(job, in_part=True)

    def begin(block: range) -> Callable[[threading.Event], Generator[Watched, None, None]]:
        return lambda stopped: _segments(job, planned, block, stopped, threads)

    yield from at_once([begin(block) for block in blocks_of(missing, workers)], workers)


def _scanned(media: MediaInfo, cache: Cache, progress: Progress, task: str) -> Scan | None:
    names = [field.name for field in fields(Scan)]
    stored = cache.get(media.fingerprint, "scan", _SCANNED)
    if stored is not None and set(stored) == set(names):
        return Scan(**stored)
    count = media.picture.frame_count if media.picture else 1
    found = scan(media, look, lambda frame: progress(task, frame, count + 1))
    progress(task, 1, 1)
    if found is not None:
        arrays = {name: getattr(found, name) for name in names}
        cache.put(media.fingerprint, "scan", _SCANNED, arrays)
    return found


def _segments(
    job: Job, planned: Plan, block: range, stopped: threading.Event, threads: int
) -> Generator[Watched, None, None]:
    """Decode and watch some consecutive segments."""
    first, stop = block_span(job, block)
    film = film_of([])
    with contextlib.closing(sparse_film(job.media, planned.wanted, first, stop, threads)) as more:
        for index in block:
            first, stop = block_span(job, range(index, index + 1))
            batches = [film.between(first)] if len(film) else []
            while not batches or batches[-1].frames[-1] < stop - 1:
                if stopped.is_set():
                    raise Stopped
                batch = next(more, None)
                if batch is None:
                    break
                batches.append(batch)
            film = film_of(batches)
            part = _Look(job, planned, index, film.between(first, stop)).twice(threads)
            yield len(part["frames"])
            yield index, part


@dataclass
class _Look:
    """What the network says of a segment."""

    job: Job
    planned: Plan
    index: int
    film: SparseFilm  # with the context of the segment
    answers: dict[int, Arrays] = field(default_factory=dict)  # by the window's number

    def twice(self, threads: int) -> Arrays:
        """The answer, after what it was unsure of has been decoded."""
        if not len(self.film):
            return nothing(self.job.network.spec)
        self.look()
        for keyframe, spans in itertools.groupby(self.doubts(), self._keyframe):
            self.refine(keyframe, list(spans), threads)
        self.look()
        return self.said() | self.notes()

    def said(self) -> Arrays:
        """The answers so far, as one."""
        empty = nothing(self.job.network.spec)
        parts = [empty, *(self.answers[number] for number in sorted(self.answers))]
        return stacked(parts, ANSWERED)

    def look(self) -> None:
        """Show the network the windows that it has not seen as they are now."""
        job, film = self.job, smooth(self.film)
        first, stop = block_span(job, range(self.index, self.index + 1))
        shown: Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]] = paced(
            [(film.frames, film.pictures)], job.pace, first
        )
        video = job.media.picture
        if video and video.variable_rate and stop < video.frame_count:
            shown = up_to(shown, stop, job.pace)
        number = self.index * WINDOWS_PER_SEGMENT
        windows = windows_of(shown, job.network.spec, number)
        for window, frames, seen in itertools.islice(windows, WINDOWS_PER_SEGMENT):
            if window.index not in self.answers:
                self.answers[window.index] = answer(job.network, window, frames, seen)

    def doubts(self) -> list[tuple[int, int]]:
        """Grid frames of which every picture should be seen before the network is believed."""
        said = self.said()
        reach = frames_covering(CONTEXT, self.job.media.rate)
        found: list[tuple[int, int]] = []
        for at in np.flatnonzero((said["cut"] >= _CUT) | (said["transition"] >= _MIXED)):
            frame = int(said["frames"][at])
            near = frame - reach, frame + reach + 1
            begin, end = np.searchsorted(self.film.frames, near)
            if self.film.real[begin:end].all() or self._plain(said, int(at)):
                continue
            if found and near[0] <= found[-1][1]:
                found[-1] = found[-1][0], near[1]
            else:
                found.append(near)
        return found

    def _plain(self, said: Arrays, at: int) -> bool:
        """Whether what the network sees at a moment is a plain cut at a keyframe, before which
        nothing was decoded and after which nothing mixes."""
        for place in range(max(0, at - _BESIDE), min(len(said["cut"]), at + _BESIDE + 1)):
            if (
                int(said["frames"][place]) in self.planned.plain
                and said["cut"][place] >= _EXPLAINED
            ):
                after = said["transition"][place : place + _MIXED_AFTER]
                return bool(after.max() < _MIXED)
        return False

    def _keyframe(self, span: tuple[int, int]) -> int:
        """The picture with which decoding has to begin for a span of grid frames."""
        wanted = self.planned.wanted
        return wanted.keyframe(wanted.at(span[0]))

    def refine(self, begin: int, spans: list[tuple[int, int]], threads: int) -> None:
        """Decode every picture of some spans of grid frames, and from picture ``begin`` what leads
        to them."""
        wanted, film, stop = self.planned.wanted, self.film, spans[-1][1]
        end = int(np.searchsorted(wanted.frames, stop))
        frames = wanted.frames[begin:end]
        level = np.maximum(wanted.level[begin:end], LEANED_ON)
        for span in spans:
            level[slice(*np.searchsorted(frames, span))] = EVERY
        more = sparse_film(
            self.job.media, Wanted(frames, wanted.key[begin:end], level), int(film.frames[0]),
            stop, threads,
        )  # fmt: skip
        pictures, real = film.pictures.copy(), film.real.copy()
        at = 0
        for found in more:
            places = np.searchsorted(film.frames, found.frames)
            better = np.isin(found.frames, film.frames)
            better[better] = found.real[better] | ~real[places[better]]
            pictures[places[better]], real[places[better]] = (
                found.pictures[better],
                found.real[better],
            )
            at = int(places[-1]) if len(places) else at
        following = np.flatnonzero(real[at + 1 :])
        upto = at + 1 + int(following[0]) if len(following) else len(real)
        pictures[at + 1 : upto] = pictures[at]
        self.film = SparseFilm(film.frames, pictures, real)
        self._forget(int(frames[0]), int(film.frames[upto - 1]))

    def _forget(self, first: int, last: int) -> None:
        """What was said by windows that see any of these grid frames counts no more."""
        spec, pace = self.job.network.spec, self.job.pace
        for number in list(self.answers):
            window = spec.window_at(number)
            if window.first * pace <= last and first < window.stop * pace:
                del self.answers[number]

    def notes(self) -> Arrays:
        """What every picture of the segment shows by itself."""
        film, job = self.film, self.job
        begin, end = (at * job.segment_moments * job.pace for at in (self.index, self.index + 1))
        if self.index == job.segments - 1:
            end = 1 << 62
        first, stop = np.searchsorted(film.frames, [begin, end])
        seen = film.pictures[first:stop]
        return {
            "seen_frames": film.frames[first:stop],
            "seen_change": difference(
                seen, film.pictures[np.maximum(np.arange(first, stop) - 1, 0)]
            ),
            "seen_sketch": sketches(seen),
        }
