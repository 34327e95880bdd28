"""What the networks say about a file, per frame and per step.

The shot network reads every picture of a file. A worker decodes ahead of it; pictures pass through
windows that are anchored to the file's first picture (:mod:`otio_mapedit.spec`), so that the answer
depends on the file alone, however it was fed and wherever an interrupted run went on. What is held
at a time is a window and the batches that were decoded ahead, whatever the length of the file.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .cache import Arrays, Cache
from .errors import MediaError
from .features import PictureSamples, SoundFeatures
from .media import MediaInfo
from .progress import Progress, silent
from .spec import Frames, ShotSpec, Window
from .transcript import Transcript
from .weights import Network, open_network

Item = TypeVar("Item")

WINDOWS_PER_SEGMENT = 16
"""Windows that are remembered together: about two minutes of film."""
RETURN_REACH = 12
"""Pictures within which a flash may be over: half a second of film."""

_BATCHES_AHEAD = 4
#: Below this probability of a cut nobody asks whether the picture came back.
_CUT_OF_INTEREST = 0.01
#: Luma of 8-bit R'G'B' after ITU-R BT.709, 0 to 1.
_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32) / np.float32(255)
#: What of the network's answer is kept. The embedding would take most of the room.
_SAID = ("cut", "transition", "kind", "quality")
_ANSWERED = ("frames", *_SAID, "luma", "peak", "change", "returned")
_STORED = {*_ANSWERED, "last"}
#: Raised when the same network's stored answer would differ.
_FORMAT = 1


@dataclass(frozen=True)
class ShotPredictions:
    """The shot network's answer for every picture of a file, n pictures, with what the pictures
    themselves show (the last four, float32 [n])."""

    frames: NDArray[Any]  # int64 [n], grid frame of each picture, rising
    cut: NDArray[Any]  # float32 [n], probability that a new shot begins here by a hard cut
    transition: NDArray[Any]  # float32 [n], probability of being inside a gradual transition
    kind: NDArray[Any]  # float32 [n, len(kinds)]
    quality: NDArray[Any]  # float32 [n, len(quality_names)]
    luma: NDArray[Any]  # mean luma, 0 to 1
    peak: NDArray[Any]  # luma of the brightest spot, 0 to 1
    change: NDArray[Any]  # mean difference from the picture before, 0 to 1
    returned: NDArray[Any]  # 0: the picture before comes back after this one; 1: it does not
    kinds: tuple[str, ...]
    quality_names: tuple[str, ...]
    cut_threshold: float  # probability from which the network's word is taken for a cut
    transition_threshold: float
    network: str  # name and version, for the decision list

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Predictions:
    """Everything known about one file when a recipe decides."""

    media: MediaInfo
    sound: SoundFeatures | None = None
    samples: PictureSamples | None = None
    shots: ShotPredictions | None = None
    transcript: Transcript | None = None


def predict_shots(media: MediaInfo, cache: Cache, progress: Progress = silent) -> ShotPredictions:
    """Run the shot network over every picture of a file.

    What an earlier run has remembered is taken from the cache, and an interrupted run goes on where
    it stopped; the answer is the same.

    Raises:
        MediaError: the file has no picture, or none can be decoded.
        ModelError: the network is missing, altered or cannot run. OptionError: see
            :func:`otio_mapedit.weights.open_network`.
    """
    if media.picture is None:
        raise MediaError(media.path, "has no picture", "Use a recipe that works on sound.")
    network = open_network()
    parts = list(_remembered(media, network, cache))
    report = _reporter(media, progress, sum(len(part["frames"]) for part in parts))
    if not parts or not parts[-1]["last"]:
        with contextlib.closing(_watched(media, network, parts, report)) as fresh:
            for part in fresh:
                cache.put(media.fingerprint, "shots", _entry(network, len(parts)), part)
                parts.append(part)
    progress(f"Watching {media.name}", 1, 1)
    if not parts:
        raise MediaError(media.path, "no picture can be decoded", "Check the file in a player.")
    return _joined(network, parts)


def run_network(network: Network, pictures: Frames) -> ShotPredictions:
    """The answer for pictures in memory (uint8 ``[n, height, width, 3]``, n at least 1), by the
    very windows that :func:`predict_shots` uses; ``frames`` counts the pictures."""
    windows = windows_of([(np.arange(len(pictures)), pictures)], network.spec)
    return _joined(network, [_answer(network, *seen) for seen in windows])


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


def _answered(frames: NDArray[Any], window: Window, first: int) -> NDArray[Any]:
    return frames[window.keep_first - first : window.keep_stop - first]


def _reporter(media: MediaInfo, progress: Progress, done: int) -> Callable[[int], None]:
    """Tells ``progress`` of pictures as they are answered for; ``done`` of them were before."""
    count = media.picture.picture_count if media.picture else 0

    def report(pictures: int) -> None:
        nonlocal done
        done += pictures
        # A stream may hold more pictures than its header says.
        progress(f"Watching {media.name}", done, max(count, done + 1))

    return report


def _watched(
    media: MediaInfo, network: Network, before: list[Arrays], report: Callable[[int], None]
) -> Generator[Arrays, None, None]:
    """The segments of a file that follow those ``before``, as they are computed."""
    index = len(before) * WINDOWS_PER_SEGMENT
    first = _first_frame(network.spec, before)
    with contextlib.closing(read_ahead(_decoded(media, first), _BATCHES_AHEAD)) as batches:
        segment: list[Arrays] = []
        for seen in windows_of(batches, network.spec, index):
            if len(segment) == WINDOWS_PER_SEGMENT:
                yield _stacked(segment) | {"last": np.array(False)}
                segment = []
            segment.append(_answer(network, *seen))
            report(len(segment[-1]["frames"]))
        if segment:
            yield _stacked(segment) | {"last": np.array(True)}


def _first_frame(spec: ShotSpec, before: list[Arrays]) -> int:
    """Grid frame of the first picture that the window after the segments ``before`` sees."""
    frames_back = spec.context
    for part in reversed(before):
        if frames_back <= len(part["frames"]):
            return int(part["frames"][len(part["frames"]) - frames_back])
        frames_back -= len(part["frames"])
    return 0


def _decoded(media: MediaInfo, first: int) -> Generator[tuple[NDArray[Any], Frames], None, None]:
    from .frames import thumbnails

    for batch in thumbnails(media, first=first):
        yield batch.frames, batch.pictures


def _answer(network: Network, window: Window, frames: NDArray[Any], seen: Frames) -> Arrays:
    """The network's answer and the pixels' evidence for the pictures that a window keeps."""
    said = network.run(seen[None])
    arrays: Arrays = {name: said[name][0, window.kept] for name in _SAID}
    return {"frames": frames, **arrays, **_evidence(seen, window.kept, arrays["cut"])}


def _evidence(seen: Frames, kept: slice, cut: NDArray[Any]) -> Arrays:
    """What the pictures show without any network, for the pictures that a window keeps."""
    luma = seen[kept].astype(np.float32) @ _LUMA
    before = seen[np.maximum(np.arange(kept.start, kept.stop) - 1, 0)]
    returned = np.ones(len(before), np.float32)
    change = _difference(seen[kept], before)
    for at in np.flatnonzero((cut >= _CUT_OF_INTEREST) & (change > 0)):
        after = seen[kept.start + at + 1 : kept.start + at + 1 + RETURN_REACH]
        if len(after):
            returned[at] = min(1.0, _difference(after, before[at]).min() / change[at])
    return {
        "luma": luma.mean(axis=(1, 2)),
        "peak": luma.max(axis=(1, 2)),
        "change": change,
        "returned": returned,
    }


def _difference(one: Frames, other: Frames) -> NDArray[np.float32]:
    """Mean absolute difference of pictures, 0 to 1."""
    apart = np.abs(one.astype(np.int16) - other)
    mean: NDArray[np.float32] = apart.mean(axis=(1, 2, 3), dtype=np.float32)
    return mean / np.float32(255)


def _remembered(media: MediaInfo, network: Network, cache: Cache) -> Iterator[Arrays]:
    """The segments of a file that earlier runs have stored, up to the first that is missing."""
    for index in itertools.count():
        part = cache.get(media.fingerprint, "shots", _entry(network, index))
        if part is None or set(part) != _STORED or not len(part["frames"]):
            return
        yield part
        if part["last"]:
            return


def _entry(network: Network, index: int) -> str:
    return f"{network.key}/{_FORMAT}/{index}"


def _stacked(parts: list[Arrays]) -> Arrays:
    """Consecutive answers as one."""
    return {name: np.concatenate([part[name] for part in parts]) for name in _ANSWERED}


def _joined(network: Network, parts: list[Arrays]) -> ShotPredictions:
    spec = network.spec
    return ShotPredictions(
        **_stacked(parts),
        kinds=spec.kinds,
        quality_names=spec.quality,
        cut_threshold=spec.cut_threshold,
        transition_threshold=spec.transition_threshold,
        network=network.label,
    )
