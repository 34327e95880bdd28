"""What the networks say about a file, per moment and per step.

The shot network is shown every picture of a file, or as many in a second as it learned from
(:mod:`otio_mapedit.pace`). What it said is remembered in segments as they come, so that an
interrupted run goes on where it stopped; the answer depends on the file alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cache import Arrays, Cache
from .edit_inference import EditPredictions
from .errors import MediaError
from .features import PictureSamples, SoundFeatures
from .media import MediaInfo
from .progress import Progress, silent
from .seen import SEEN, stacked
from .sparse_watching import plan_of, watched_in_part
from .spec import Frames
from .transcript import Transcript
from .watching import (
    ANSWERED,
    Job,
    answer,
    watched,
    windows_of,
)
from .weights import Network, open_network

#: What is remembered, and a number that is raised when the same network's answer would differ.
Store = tuple[str, int]
_WHOLE: Store = ("shots", 4)
_IN_PART: Store = ("shots-fast", 5)


@dataclass(frozen=True)
class SeenPictures:
    """What every picture of a file shows by itself, m pictures; those that the network was not
    shown, in files of a high rate, are among them."""

    frames: NDArray[Any]  # int64 [m], grid frame of each picture, rising
    change: NDArray[Any]  # float32 [m], mean difference from the picture before, 0 to 1
    #: uint8 [m, cells], mean colours of a few large cells; None where each picture is a moment but
    #: for a few that are missing.
    sketch: NDArray[Any] | None = None


@dataclass(frozen=True)
class ShotPredictions:
    """The shot network's answer for every moment of a file, n of them, with what the pictures
    themselves show (luma to returned, float32 [n]). At 24 to 40 pictures a second of constant rate
    a moment is a picture; see :mod:`otio_mapedit.pace`."""

    frames: NDArray[Any]  # int64 [n], grid frame of each moment, rising
    cut: NDArray[Any]  # float32 [n], probability that a new shot begins here by a hard cut
    transition: NDArray[Any]  # float32 [n], probability of being inside a gradual transition
    kind: NDArray[Any]  # float16 [n, len(kinds)]
    quality: NDArray[Any]  # float16 [n, len(quality_names)]
    luma: NDArray[Any]  # mean luma, 0 to 1
    peak: NDArray[Any]  # luma of the brightest spot, 0 to 1
    change: NDArray[Any]  # mean difference from the moment before, 0 to 1
    returned: NDArray[Any]  # 0: the picture before comes back after this one; 1: it does not
    kinds: tuple[str, ...]
    quality_names: tuple[str, ...]
    cut_threshold: float  # probability from which the network's word is taken for a cut
    transition_threshold: float
    network: str  # name and version, for the decision list
    seen: SeenPictures | None = None  # None: the moments are all the pictures there are

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def picture_frames(self) -> NDArray[Any]:
        """Grid frame of every picture of the file."""
        return self.frames if self.seen is None else self.seen.frames


@dataclass(frozen=True)
class Predictions:
    """Everything known about one file when a recipe decides."""

    media: MediaInfo
    sound: SoundFeatures | None = None
    samples: PictureSamples | None = None
    shots: ShotPredictions | None = None
    transcript: Transcript | None = None
    edit: EditPredictions | None = None
    #: How much each step matters, 0 to 1, as somebody else says: float [steps].
    scores: NDArray[Any] | None = None


def predict_shots(
    media: MediaInfo, cache: Cache, progress: Progress = silent, fast: bool = False
) -> ShotPredictions:
    """Show a file to the shot network.

    What an earlier run has remembered is taken from the cache, and an interrupted run goes on where
    it stopped; the answer is the same. ``fast`` decodes only some of the pictures, where
    packets tell which (:mod:`otio_mapedit.sparse_watching`), and none with the loop filter; what is
    remembered of the whole file, decoded as it should be, is better and taken instead.

    Raises:
        MediaError: the file has no picture, or none can be decoded.
        ModelError: the network is missing, altered or cannot run. OptionError: see
            :func:`otio_mapedit.weights.open_network`.
    """
    if media.picture is None:
        raise MediaError(media.path, "has no picture", "Use a recipe that works on sound.")
    job = Job(media, open_network(threads=1))  # decoding keeps the other processors busy
    store, watch = _WHOLE, watched
    parts = _remembered(job, cache, store)
    if fast and len(parts) < job.segments:
        job = replace(job, unfiltered=True)
        if (planned := plan_of(media, cache, progress)) is not None:
            store, watch = _IN_PART, partial(watched_in_part, planned=planned)
        parts = _remembered(job, cache, store)
    missing = [index for index in range(job.segments) if index not in parts]
    task, moments = f"Watching {media.name}", job.segments * job.segment_moments
    done = len(parts) * job.segment_moments
    with contextlib.closing(watch(job, missing)) as made:
        for news in made:
            if isinstance(news, int):
                done += news
                progress(task, done, max(moments, done + 1))
            else:
                index, part = news
                cache.put(media.fingerprint, store[0], _entry(job, store, index), part)
                parts[index] = _needed(job, part)
    progress(task, 1, 1)
    whole = list(_up_to_the_end(job, parts))
    if not any(len(part["frames"]) for part in whole):
        raise MediaError(media.path, "no picture can be decoded", "Check the file in a player.")
    return joined(job.network, whole)


def run_network(network: Network, pictures: Frames) -> ShotPredictions:
    """The answer for pictures in memory (uint8 ``[n, height, width, 3]``, n at least 1), by the
    very windows that :func:`predict_shots` uses; ``frames`` counts the pictures."""
    batches = [(np.arange(len(pictures)), pictures)]
    windows = windows_of(batches, network.spec)
    return joined(network, [stacked([answer(network, *seen) for seen in windows], ANSWERED)])


def joined(network: Network, parts: Iterable[Arrays]) -> ShotPredictions:
    """Consecutive segments as the answer for a file. They are used up: of a film of hours nothing
    is held twice but one of its arrays at a time."""
    segments = list(parts)
    names = {name for part in segments for name in part}
    for part in segments if "seen_frames" in names else ():
        part.setdefault("seen_frames", part["frames"])
        part.setdefault("seen_change", part["change"])
    every = {name: np.concatenate([part.pop(name) for part in segments]) for name in names}
    spec = network.spec
    return ShotPredictions(
        **{name: every[name] for name in ANSWERED},
        kinds=spec.kinds,
        quality_names=spec.quality,
        cut_threshold=spec.cut_threshold,
        transition_threshold=spec.transition_threshold,
        network=network.label,
        seen=_seen(every),
    )


def _seen(every: Arrays) -> SeenPictures | None:
    if "seen_frames" not in every:
        return None
    return SeenPictures(every["seen_frames"], every["seen_change"], every.get("seen_sketch"))


def _remembered(job: Job, cache: Cache, store: Store) -> dict[int, Arrays]:
    """The segments of a file that earlier runs have stored."""
    parts = {}
    for index in range(job.segments):
        part = cache.get(job.media.fingerprint, store[0], _entry(job, store, index))
        if part is not None and set(part) == {*ANSWERED, *SEEN}:
            parts[index] = _needed(job, part)
    return parts


def _needed(job: Job, part: Arrays) -> Arrays:
    """A segment without what nothing will ask for, which would take twice the room of the rest.

    Sketches tell a boundary between two moments, so where each picture is one they are not needed;
    nor are those pictures named again.
    """
    picture = job.media.picture
    needed = set(part)
    if job.pace == 1 and not (picture and picture.variable_rate):
        needed.remove("seen_sketch")
        if np.array_equal(part["frames"], part["seen_frames"]):
            needed -= {"seen_frames", "seen_change"}
    return {name: part[name] for name in part if name in needed}


def _up_to_the_end(job: Job, parts: dict[int, Arrays]) -> Iterable[Arrays]:
    """The segments in order; a file may hold fewer pictures than its header says."""
    for index in range(job.segments):
        yield parts[index]
        if len(parts[index]["frames"]) < job.segment_moments:
            return


def _entry(job: Job, store: Store, index: int) -> str:
    how = "/unfiltered" if job.unfiltered else ""
    return f"{job.network.key}/{store[1]}/{job.pace}{how}/{index}"
