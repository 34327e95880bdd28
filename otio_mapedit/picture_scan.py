"""What a file says about its pictures without decoding all of them: packets, and some keyframes.

An encoder spends bits where the picture changes: the packet of a picture that begins a new shot is
several times the size of its neighbours', or it is a keyframe out of turn. What the sizes do not
show, keyframes do: they are decoded by themselves, about one a second, and compared.
"""

from __future__ import annotations

import contextlib
import os
import queue
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from .frames import THUMBNAIL
from .media import MediaInfo
from .media_open import open_media
from .media_times import decode_order
from .picture_decoder import (
    Scaler,
    frame_of,
    only_picture,
    picture_stream,
    stream_packets,
    used_picture,
)
from .timing import frames_covering

#: Seconds between two keyframes that are looked at, at least.
APART = Fraction(1)
#: Keyframes that are decoded at the same time, at most.
_MOST_AT_ONCE = 4

Look = Callable[[NDArray[np.uint8]], NDArray[Any]]


@dataclass(frozen=True)
class Scan:
    """Every packet of the used stream, n of them in the order of presentation, and some keyframes.

    ``ahead`` marks pictures that come out of turn or in it but never late: those that others lean
    on, as opposed to B pictures.
    """

    frames: NDArray[Any]  # int64 [n], grid frame of each picture, rising
    sizes: NDArray[Any]  # int64 [n], bytes
    key: NDArray[Any]  # bool [n]
    ahead: NDArray[Any]  # bool [n]
    looked_at: NDArray[Any]  # int64 [k], grid frames of the keyframes that were decoded, rising
    looks: NDArray[Any]  # [k, ...], what was made of each


def scan(media: MediaInfo, look: Look, tell: Callable[[int], None]) -> Scan | None:
    """Read all packets and ``look`` at keyframes; ``tell`` hears which frame was read.

    None where packets do not tell enough: containers without presentation times, streams of
    keyframes alone, damaged files, and such with hardly any keyframe.

    Raises:
        MediaError: the file cannot be read.
    """
    video = used_picture(media)
    if decode_order(media.container) or video.all_keyframes:
        return None
    rows: list[tuple[int, int, bool, bool]] = []
    seen: list[tuple[int, NDArray[Any]]] = []
    waiting: deque[tuple[int, Future[NDArray[Any] | None]]] = deque()
    second, last, furthest = frames_covering(APART, video.rate), -(1 << 62), -(1 << 62)
    with _lookers(media, look) as (pool, decode), open_media(media.path) as container:
        stream = picture_stream(media, container, video, 1)
        base = Fraction(stream.time_base or 1)
        for packet in stream_packets(media, container, stream):
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None or packet.is_corrupt:
                return None
            frame = frame_of(media, video, packet.pts, base)
            rows.append((frame, packet.size, packet.is_keyframe, frame > furthest))
            furthest = max(furthest, frame)
            if packet.is_keyframe and frame - last >= second and 0 <= frame < video.frame_count:
                last = frame
                waiting.append((frame, pool.submit(decode, packet)))
                tell(frame)
            while waiting and (len(waiting) > 2 * _MOST_AT_ONCE or waiting[0][1].done()):
                _take(waiting, seen)
        while waiting:
            _take(waiting, seen)
    if len(seen) < 2:
        return None
    return _in_order(rows, seen, video.frame_count)


def _take(
    waiting: deque[tuple[int, Future[NDArray[Any] | None]]], seen: list[tuple[int, NDArray[Any]]]
) -> None:
    frame, made = waiting.popleft()
    if (found := made.result()) is not None and (not seen or frame > seen[-1][0]):
        seen.append((frame, found))


def _in_order(
    rows: list[tuple[int, int, bool, bool]], seen: list[tuple[int, NDArray[Any]]], count: int
) -> Scan:
    """The scan, packets in the order of presentation; of two on one frame the later stands."""
    table = np.array(rows, np.int64)
    table = table[(table[:, 0] >= 0) & (table[:, 0] < count)]
    table = table[np.argsort(table[:, 0], kind="stable")]
    table = table[np.append(np.diff(table[:, 0]) > 0, True)]
    return Scan(
        table[:, 0], table[:, 1], table[:, 2] > 0, table[:, 3] > 0,
        np.array([frame for frame, _ in seen]), np.stack([look for _, look in seen]),
    )  # fmt: skip


@contextlib.contextmanager
def _lookers(
    media: MediaInfo, look: Look
) -> Iterator[tuple[ThreadPoolExecutor, Callable[[Packet[Any]], NDArray[Any] | None]]]:
    """Threads, and what has one of several decoders look at a keyframe."""
    video = used_picture(media)
    workers = min(os.cpu_count() or 1, _MOST_AT_ONCE)
    free: queue.SimpleQueue[tuple[Any, Scaler]] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(workers):
            container = stack.enter_context(open_media(media.path))
            stream = picture_stream(media, container, video, 1, unfiltered=True)
            free.put((stream, Scaler(media, THUMBNAIL)))

        def decode(packet: Packet[Any]) -> NDArray[Any] | None:
            stream, scale = free.get()
            try:
                picture = only_picture(stream, packet)
                return None if picture is None else look(scale(picture))
            finally:
                free.put((stream, scale))

        pool = ThreadPoolExecutor(workers, "mapedit-keyframes")
        try:
            yield pool, decode
        finally:
            pool.shutdown(cancel_futures=True)
