"""Shows a file to the shot network: windows, what the pictures show by themselves, several at once.

Moments (:mod:`otio_mapedit.pace`) pass through windows that are anchored to the file's first frame
(:mod:`otio_mapedit.spec`), so that the answer depends on the file alone, however it was fed and
wherever work began. A file is watched in segments; where its container can be entered anywhere,
several stretches of it are decoded and watched at the same time, which keeps all processors busier
than several threads in one decoder. What is held is a window and a batch for each of them,
whatever the length of the file.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .cache import Arrays
from .media import MediaInfo
from .pace import pace_of, paced
from .seen import CELLS, EVIDENCE, SEEN, Batches, Notes, evidence, stacked
from .spec import Frames, ShotSpec, Window
from .weights import Network

Item = TypeVar("Item")
#: A number of moments watched since, or a segment: its number and what there is to remember.
Watched = int | tuple[int, Arrays]

WINDOWS_PER_SEGMENT = 2
"""Windows that are remembered together: about a quarter of a minute of film."""

#: Segments that are watched in one go at most: about eight minutes of film.
_LONGEST_BLOCK = 32
#: Stretches of a file that are decoded at the same time, at most.
_MOST_AT_ONCE = 4
#: Bytes of the file for each picture from which decoding is most of the work.
_HEAVY = 8 << 10
#: Processors that one decoder of heavy pictures keeps busy, and its threads for each of them, as it
#: waits for the one that scales its pictures. (Measured with two processors.)
_KEPT_BUSY, _THREADS_FOR_EACH = 4, 2
_BATCHES_AHEAD = 4
#: What of the network's answer is kept, and how: the embedding would take most of the room, and
#: kinds and faults need no more than three digits.
SAID = {"cut": "f4", "transition": "f4", "kind": "f2", "quality": "f2"}
ANSWERED = ("frames", *SAID, *EVIDENCE)


@dataclass(frozen=True)
class Job:
    """A file that is to be watched by a network; ``unfiltered``: see
    :func:`otio_mapedit.picture_decoder.picture_stream`."""

    media: MediaInfo
    network: Network
    unfiltered: bool = False
    pace: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pace", pace_of(self.media.rate))

    @property
    def segments(self) -> int:
        """How many segments the file has, by its header."""
        picture = self.media.picture
        moments = -(-picture.frame_count // self.pace) if picture else 0
        return -(-moments // self.segment_moments)

    @property
    def segment_moments(self) -> int:
        """Moments of a full segment."""
        return WINDOWS_PER_SEGMENT * self.network.spec.stride


class Stopped(Exception):
    """Work was given up because nobody wants its result any more."""


def watched(job: Job, missing: Sequence[int]) -> Generator[Watched, None, None]:
    """Watch the ``missing`` segments of a file; each with its number, in no particular order.

    Between them it tells how many more moments have been watched. Close it
    (``contextlib.closing``) to stop all threads.

    Raises:
        MediaError, ModelError: the file cannot be read, the network cannot run.
    """
    workers, threads = workers_of(job)
    blocks = blocks_of(missing, workers)
    if workers == 1 or len(blocks) == 1:
        yield from _one_by_one(job, blocks, workers * threads)
    else:
        yield from _in_parallel(job, blocks, workers, threads)


def windows_of(
    batches: Iterable[tuple[NDArray[Any], Frames]], spec: ShotSpec, index: int = 0
) -> Iterator[tuple[Window, NDArray[Any], Frames]]:
    """Cut a stream of pictures into the spec's windows, beginning with window ``index``.

    ``batches`` are (grid frames, pictures) of any length; the first begins with the first picture
    that window ``index`` sees. Yields each window with the grid frames it answers for and the
    pictures it sees, which are the same however the stream is cut into batches.
    """
    first = max(0, spec.window_at(index).first)
    frames: NDArray[Any] = np.empty(0, np.int64)
    pictures: Frames = np.empty((0, *spec.frame_shape), np.uint8)
    for more_frames, more_pictures in batches:
        frames = np.concatenate([frames, more_frames])
        pictures = np.concatenate([pictures, more_pictures])
        while first + len(pictures) >= (window := spec.window_at(index)).stop:
            yield window, _answered(frames, window, first), spec.gather(pictures, window, first)
            index += 1
            seen = max(0, spec.window_at(index).first) - first
            first, frames, pictures = first + seen, frames[seen:], pictures[seen:]
    while first + len(pictures) > spec.window_at(index).keep_first:
        window = spec.window_at(index, first + len(pictures))
        yield window, _answered(frames, window, first), spec.gather(pictures, window, first)
        index += 1


def read_ahead(items: Generator[Item, None, None], depth: int) -> Generator[Item, None, None]:
    """The items of a generator, made by one other thread, at most ``depth`` of them in advance.

    Close it (``contextlib.closing``) to stop the thread; the generator is closed too.
    """
    end = object()
    worker = ThreadPoolExecutor(1, "mapedit-decode")
    try:
        ahead = deque(worker.submit(next, items, end) for _ in range(depth))
        while (item := ahead.popleft().result()) is not end:
            ahead.append(worker.submit(next, items, end))
            yield item  # type: ignore[misc]  # `end` has left above
    finally:
        worker.shutdown(cancel_futures=True)
        items.close()


def answer(network: Network, window: Window, frames: NDArray[Any], seen: Frames) -> Arrays:
    """The network's answer and the pixels' evidence for the moments that a window keeps."""
    said = network.run(seen[None])
    arrays: Arrays = {name: said[name][0, window.kept].astype(kept) for name, kept in SAID.items()}
    return {"frames": frames, **arrays, **evidence(seen, window.kept, arrays["cut"])}


def nothing(spec: ShotSpec) -> Arrays:
    """The answer for no moment at all."""
    shapes = {"kind": (len(spec.kinds),), "quality": (len(spec.quality),), "seen_sketch": CELLS}
    types = {"frames": "i8", "seen_frames": "i8", "seen_sketch": "u1", **SAID}
    return {
        name: np.zeros((0, *shapes.get(name, ())), types.get(name, "f4"))
        for name in (*ANSWERED, *SEEN)
    }


def _answered(frames: NDArray[Any], window: Window, first: int) -> NDArray[Any]:
    return frames[window.keep_first - first : window.keep_stop - first]


def workers_of(job: Job, in_part: bool = False) -> tuple[int, int]:
    """How many stretches to decode at the same time, and the threads of each decoder; ``in_part``
    where it passes over some pictures."""
    from .frames import can_begin_anywhere

    processors = os.cpu_count() or 1
    picture = job.media.picture
    light = in_part or picture is None or job.media.size < _HEAVY * picture.picture_count
    # Where decoding is most of the work, several decoders get into each other's way.
    workers = min(processors if light else processors // _KEPT_BUSY, _MOST_AT_ONCE)
    if workers < 2 or job.segments < 2 or not can_begin_anywhere(job.media):
        return 1, _THREADS_FOR_EACH * processors
    return workers, (1 if light else _THREADS_FOR_EACH) * processors // workers


def blocks_of(missing: Sequence[int], workers: int) -> list[range]:
    """Runs of consecutive segments; long ones are divided so that every worker has its share."""
    most = min(_LONGEST_BLOCK, -(-len(missing) // workers))
    blocks: list[range] = []
    for index in missing:
        if blocks and blocks[-1].stop == index and (workers == 1 or len(blocks[-1]) < most):
            blocks[-1] = range(blocks[-1].start, index + 1)
        else:
            blocks.append(range(index, index + 1))
    return blocks


def block_span(job: Job, block: range) -> tuple[int, int]:
    """The grid frames that consecutive segments see, their context included: first and stop."""
    spec = job.network.spec
    first = spec.window_at(block.start * WINDOWS_PER_SEGMENT).first
    stop = spec.window_at(block.stop * WINDOWS_PER_SEGMENT - 1).stop
    return max(0, first) * job.pace, (stop - 1) * job.pace + 1


def decoded(job: Job, first: int, stop: int, threads: int | None) -> Batches:
    """Batches of grid frames and thumbnails, beginning with what is shown at ``first``."""
    from .frames import thumbnails

    made = thumbnails(
        job.media, first, stop, threads=threads, shown=True, unfiltered=job.unfiltered
    )
    for batch in made:
        yield batch.frames, batch.pictures


def _segments(
    job: Job,
    block: range,
    stopped: threading.Event,
    ahead: int = 0,
    threads: int | None = None,
) -> Generator[Watched, None, None]:
    """Decode and watch some consecutive segments."""
    spec, pace = job.network.spec, job.pace
    first, stop = block_span(job, block)
    picture = job.media.picture
    notes = Notes()
    stream = decoded(job, first, stop, threads)
    with contextlib.closing(read_ahead(stream, ahead) if ahead else stream) as batches:
        shown = paced(notes.through(_until(stopped, batches)), pace, first)
        if picture and picture.variable_rate and stop < picture.frame_count:
            shown = up_to(shown, stop, pace)
        looks = windows_of(shown, spec, block.start * WINDOWS_PER_SEGMENT)
        for index in block:
            answers = []
            for seen in itertools.islice(looks, WINDOWS_PER_SEGMENT):
                answers.append(answer(job.network, *seen))
                yield len(answers[-1]["frames"])
            begin, end = (at * job.segment_moments * pace for at in (index, index + 1))
            noted = notes.take(begin, None if index == job.segments - 1 else end)
            empty = nothing(spec)
            yield (
                index,
                (stacked(answers, ANSWERED) if answers else empty)
                | (noted or {})
                | {name: empty[name] for name in SEEN if noted is None},
            )


def _until(stopped: threading.Event, batches: Batches) -> Batches:
    """The batches, as long as anybody wants them."""
    with contextlib.closing(batches):
        for batch in batches:
            if stopped.is_set():
                raise Stopped
            yield batch


def up_to(
    batches: Iterator[tuple[NDArray[Any], Frames]], stop: int, pace: int
) -> Iterator[tuple[NDArray[Any], Frames]]:
    """Moments up to ``stop``: the last picture stands until the next, which is not at hand."""
    last: tuple[int, Frames] | None = None
    for frames, pictures in batches:
        last = int(frames[-1]), pictures[-1:]
        yield frames, pictures
    if last is not None:
        more = np.arange(last[0] + pace, stop, pace)
        if len(more):
            yield more, np.repeat(last[1], len(more), axis=0)


def _one_by_one(job: Job, blocks: Sequence[range], threads: int) -> Generator[Watched, None, None]:
    """Block after block, decoding ahead of the network."""
    for block in blocks:
        work = _segments(job, block, threading.Event(), _BATCHES_AHEAD, threads)
        with contextlib.closing(work) as segments:
            yield from segments


def _in_parallel(
    job: Job, blocks: Sequence[range], workers: int, threads: int
) -> Generator[Watched, None, None]:
    """Several blocks at the same time."""

    def begin(block: range) -> Callable[[threading.Event], Generator[Watched, None, None]]:
        return lambda stopped: _segments(job, block, stopped, threads=threads)

    yield from at_once([begin(block) for block in blocks], workers)


def at_once(
    work: Sequence[Callable[[threading.Event], Generator[Item, None, None]]], workers: int
) -> Generator[Item, None, None]:
    """The items of several generators, made by ``workers`` threads, as they come.

    Close it (``contextlib.closing``) to stop the threads; each generator is given the event that
    says so.
    """
    made: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    stopped = threading.Event()

    def run(begin: Callable[[threading.Event], Generator[Item, None, None]]) -> None:
        try:
            with contextlib.closing(begin(stopped)) as items:
                for item in items:
                    made.put(("item", item))
                    if stopped.is_set():
                        return
        except BaseException as error:
            made.put(("error", error))
        else:
            made.put(("end", None))

    pool = ThreadPoolExecutor(workers, "mapedit-decode")
    try:
        for begin in work:
            pool.submit(run, begin)
        left = len(work)
        while left:
            what, item = made.get()
            if what == "error":
                raise item
            left -= what == "end"
            if what == "item":
                yield item
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)
