"""Pictures out of files, on the frame grid: every one as a thumbnail, or keyframes alone.

Thumbnails are part of the networks' input contract: RGB of 48 x 27 pixels, scaled by swscale's
``AREA`` filter straight from the decoder's pixels, each thumbnail pixel the mean of those it
covers. ``FAST_BILINEAR`` would read four pixels out of each sixteen hundred, and a camera's noise
would flicker in it. Rotation and pixel aspect are ignored: the network sees what is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as LibavVideo
from numpy.typing import NDArray

from .keyframes import Chooser
from .media import MediaInfo, VideoStream
from .media_open import open_media, packets
from .media_times import READ_THROUGH, decode_order
from .picture_decoder import (
    Scaler,
    decoded,
    frame_of,
    only_picture,
    packet_frame,
    picture_stream,
    stream_packets,
    used_picture,
)
from .timing import frame_at, seconds_at

logger = logging.getLogger(__name__)

#: Width and height of a thumbnail.
THUMBNAIL = (48, 27)

#: Containers (libav's names) with an index by time.
_INDEXED = {"mov", "mp4", "matroska", "webm"}
#: How far before a wanted frame decoding begins, in seconds; the next if that is too late.
RUN_UPS = (Fraction(1, 2), Fraction(2), Fraction(12), Fraction(60))


@dataclass(frozen=True)
class Thumbnails:
    """Some pictures of a file, n of them."""

    frames: NDArray[np.int64]  # [n], grid frames, strictly rising
    pictures: NDArray[np.uint8]  # [n, height, width, 3], RGB; 27 x 48 unless asked otherwise


def thumbnails(
    media: MediaInfo,
    first: int = 0,
    stop: int | None = None,
    batch: int = 256,
    threads: int | None = None,
    shown: bool = False,
    unfiltered: bool = False,
) -> Iterator[Thumbnails]:
    """Every picture of the used stream from grid frame ``first`` up to and excluding ``stop``.

    Each batch holds ``batch`` pictures, the last one fewer. At a constant rate frames rise by
    one. At a variable rate each picture stands at its nearest grid frame; a frame without a
    picture is left out (it shows the one before), and of two pictures on one frame the later
    stands. Starting at ``first`` gives the same pictures as a pass from 0. Pictures that cannot
    be decoded are left out, with a warning in the log. ``shown`` also gives the picture before
    ``first`` where that frame has none of its own. ``threads`` decode; default: as many as there
    are processors and memory allows. ``unfiltered``: see
    :func:`otio_mapedit.picture_decoder.picture_stream`.

    Raises:
        MediaError: no picture stream, or the file cannot be read any more.
    """
    made = _pictures(media, first, stop, THUMBNAIL, threads, shown, unfiltered)
    yield from _batches(made, batch, THUMBNAIL)


def decode_span(
    media: MediaInfo, first: int, stop: int, size: tuple[int, int] = (96, 54)
) -> Thumbnails:
    """All pictures of a short span at once, ``size`` being their width and height.

    Raises:
        MediaError: see :func:`thumbnails`.
    """
    span = max(1, stop - first)
    batches = list(_batches(_pictures(media, first, stop, size), span, size))
    return batches[0] if batches else _no_pictures(size)


def _no_pictures(size: tuple[int, int]) -> Thumbnails:
    return Thumbnails(np.zeros(0, np.int64), np.zeros((0, size[1], size[0], 3), np.uint8))


def keyframe_pictures(
    media: MediaInfo, at_least: Fraction = Fraction(1), size: tuple[int, int] = (96, 54)
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Keyframes about ``at_least`` seconds apart, further where the file has no more, nearer where
    one comes early, as the picture changes there.

    Gives the grid frame and the picture, uint8 ``[height, width, 3]`` RGB, in order. Only the
    chosen keyframes are decoded, and of a large file with an index only they are read.

    Raises:
        MediaError: see :func:`thumbnails`.
    """
    video = used_picture(media)
    scale = Scaler(media, size)
    last: int | None = None
    shift: int | None = None
    with open_media(media.path) as container:
        stream = picture_stream(media, container, video, unfiltered=True)
        # One picture goes in and comes out at a time: frame threads would only hold memory.
        stream.thread_type = "SLICE"
        stream.codec_context.skip_frame = "NONKEY"
        for packet in _key_packets(media, container, stream, at_least):
            number = packet_frame(media, video, packet)
            if decode_order(media.container):
                # Such times are right but for a delay, which the first picture tells.
                shift = packet.pts if shift is None else shift
                ticks = (packet.pts or 0) - (shift or 0)
                number = frame_at(ticks * Fraction(packet.time_base), video.rate)
            if number is None or (last is not None and number <= last):
                continue
            picture = only_picture(stream, packet)
            if picture is not None and 0 <= number < video.frame_count:
                last = number
                yield number, scale(picture)


def can_begin_anywhere(media: MediaInfo) -> bool:
    """Whether decoding can begin in the middle of a file without reading all that lies before.

    True only of containers with an index, and where going there leads near it.
    """
    video = used_picture(media)
    if not _INDEXED & set(media.container.split(",")):
        return False
    middle = video.frame_count // 2
    try:
        with open_media(media.path) as container:
            stream = picture_stream(media, container, video, 1)
            if not go_to(media, container, stream, middle, Fraction(0)):
                return False
            packet = next(packets(container, [stream]))
            number = packet_frame(media, video, packet)
            return packet.is_keyframe and number is not None and number > middle // 2
    except (av.error.FFmpegError, OSError, StopIteration) as error:
        logger.debug("%s: cannot begin in the middle: %s", media.name, error)
        return False


def _batches(
    pictures: Iterator[tuple[int, NDArray[np.uint8]]], batch: int, size: tuple[int, int]
) -> Iterator[Thumbnails]:
    numbers: list[int] = []
    held = np.empty((batch, size[1], size[0], 3), np.uint8)
    for number, picture in pictures:
        held[len(numbers)] = picture
        numbers.append(number)
        if len(numbers) == batch:
            yield Thumbnails(np.array(numbers, np.int64), held)
            numbers, held = [], np.empty_like(held)
    if numbers:
        yield Thumbnails(np.array(numbers, np.int64), held[: len(numbers)].copy())


def _pictures(
    media: MediaInfo,
    first: int,
    stop: int | None,
    size: tuple[int, int],
    threads: int | None = None,
    shown: bool = False,
    unfiltered: bool = False,
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Scaled pictures from ``first`` up to ``stop``, one for a grid frame at most."""
    video = used_picture(media)
    first = max(0, first)
    stop = video.frame_count if stop is None else min(stop, video.frame_count)
    if first >= stop:
        return
    scale = Scaler(media, size)
    waiting: tuple[int, NDArray[np.uint8]] | None = None
    for number, picture in _decoded_from(media, video, first, threads, shown, unfiltered):
        if number >= stop:
            break
        if waiting is not None:
            if number < waiting[0]:
                continue
            if number > waiting[0]:
                yield waiting
        waiting = number, scale(picture)
    if waiting is not None:
        yield waiting


def _decoded_from(
    media: MediaInfo,
    video: VideoStream,
    first: int,
    threads: int | None,
    shown: bool,
    unfiltered: bool,
) -> Iterator[tuple[int, VideoFrame]]:
    """Numbered pictures from grid frame ``first`` on, decoded from a keyframe before it."""
    for run_up in (*_run_ups(media, video, first), None):
        with open_media(media.path) as container:
            stream = picture_stream(media, container, video, threads, unfiltered)
            before: tuple[int, VideoFrame] | None = None
            if run_up is not None and not go_to(media, container, stream, first, run_up):
                continue
            covered = run_up is None
            for number, picture in _numbered(media, video, container, stream, run_up is not None):
                if number <= first:
                    covered = True
                if not covered:
                    break
                if number < first:
                    before = number, picture
                    continue
                if shown and before is not None and number > first:
                    yield before
                before = None
                yield number, picture
            if covered:
                return


def _run_ups(media: MediaInfo, video: VideoStream, first: int) -> list[Fraction]:
    """Run-ups worth trying before decoding from the beginning."""
    if decode_order(media.container) and not video.all_keyframes:
        return []  # pictures are counted, so none may be passed over
    begin = seconds_at(first, video.rate)
    return [run_up for run_up in RUN_UPS if run_up < begin]


def go_to(
    media: MediaInfo, container: InputContainer, stream: LibavVideo, first: int, run_up: Fraction
) -> bool:
    """Enter an open file ``run_up`` seconds before grid frame ``first``, at the keyframe that the
    container names for it; False if it cannot be entered there."""
    moment = media.origin + seconds_at(first, media.rate) - run_up
    try:
        container.seek(round(moment / Fraction(stream.time_base or 1)), stream=stream)
    except (av.error.FFmpegError, OSError) as error:
        logger.debug("%s: cannot go to %.2f s: %s", media.name, float(moment), error)
        return False
    return True


def _numbered(
    media: MediaInfo,
    video: VideoStream,
    container: InputContainer,
    stream: LibavVideo,
    sought: bool,
) -> Iterator[tuple[int, VideoFrame]]:
    """Decoded pictures with their grid frames.

    After a seek nothing before the first keyframe's own picture is given: it may lean on
    pictures that were not decoded.
    """
    counted = decode_order(media.container) and not video.all_keyframes
    # The last pictures come out of the decoder without a time base of their own.
    time_base = Fraction(stream.time_base or 1)
    anchor = None if sought else 0
    number, lost = -1, 0
    for packet in stream_packets(media, container, stream):
        if anchor is None:
            if not packet.is_keyframe:
                continue
            anchor = packet_frame(media, video, packet)
            if anchor is None:
                continue
        pictures = decoded(media, stream, packet)
        if pictures is None:
            lost += 1
            if lost == 1:
                logger.warning("%s: pictures after frame %d are damaged", media.name, number)
            continue
        for picture in pictures:
            if counted or picture.pts is None:
                number += 1
            else:
                number = frame_of(media, video, picture.pts, time_base)
            if anchor <= number < video.frame_count:
                yield number, picture


def _key_packets(
    media: MediaInfo, container: InputContainer, stream: LibavVideo, at_least: Fraction
) -> Iterator[Packet[Any]]:
    """Packets of keyframes at least ``at_least`` seconds apart, but for rounding and early ones."""
    video = used_picture(media)
    apart = at_least - Fraction(1, 2) / video.rate
    base = Fraction(stream.time_base or 1)
    chooser = Chooser(apart)
    if media.size > READ_THROUGH and len(stream.index_entries) * 10 >= video.picture_count * 9:
        yield from _sought_packets(media, container, stream, chooser)
        return
    # Not Discard.nonkey: libav's QuickTime reader then gives keyframes the wrong times.
    for packet in stream_packets(media, container, stream):
        if not packet.size or not packet.is_keyframe or packet.is_discard:
            continue
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and chooser.takes(time * base):
            yield packet


def _sought_packets(
    media: MediaInfo, container: InputContainer, stream: LibavVideo, chooser: Chooser
) -> Iterator[Packet[Any]]:
    """Packets of keyframes by the container's index, without reading what lies between.

    The index knows decoding times but libav goes to the last keyframe *presented* by then; so it
    is told the moment before the next one.
    """
    base = Fraction(stream.time_base or 1)
    entries = stream.index_entries
    moments = [entry.timestamp for entry in entries if entry.is_keyframe]
    for moment, following in zip(moments, [*moments[1:], 1 << 62], strict=True):
        if not chooser.takes(moment * base):
            continue
        try:
            container.seek(min(following - 1, entries[-1].timestamp), stream=stream)
            packet = next(packets(container, [stream]))
            if packet.size and packet.is_keyframe and not packet.is_discard:
                yield packet
        except (av.error.FFmpegError, OSError, StopIteration) as error:
            logger.warning("%s: a keyframe cannot be read: %s", media.name, error)
