"""Decodes the picture that is used of a file; :mod:`otio_mapedit.frames` says which pictures."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream as LibavVideo
from numpy.typing import NDArray

from .errors import MediaError
from .media import MediaInfo, VideoStream
from .media_open import packets, unreadable
from .media_times import decode_order
from .timing import frame_at

logger = logging.getLogger(__name__)

#: Memory that the decoder's frame threads may hold, beyond what one thread needs.
_THREAD_BYTES = 192 << 20
_MOST_THREADS = 16


def used_picture(media: MediaInfo) -> VideoStream:
    """The picture that is used.

    Raises:
        MediaError: there is none.
    """
    if media.picture is None:
        raise MediaError(media.path, "has no picture", "Name a file with picture.")
    return media.picture


def picture_stream(
    media: MediaInfo,
    container: InputContainer,
    video: VideoStream,
    threads: int | None = None,
    unfiltered: bool = False,
) -> LibavVideo:
    """The used stream, ready to be decoded by ``threads``; the demuxer leaves all others out.

    ``unfiltered`` leaves out the smoothing of block edges (the loop filter of H.264 and its
    followers): pictures of which only thumbnails are wanted then come sooner and look nearly alike.
    """
    found: LibavVideo | None = None
    for stream in container.streams:
        if stream.index == video.index and isinstance(stream, LibavVideo):
            found = stream
        else:
            stream.discard = Discard.all
    if found is None or found.codec_context is None:
        raise MediaError(media.path, "changed while it was read", "Run again.")
    wanted = os.cpu_count() or 1 if threads is None else threads
    affordable = _THREAD_BYTES // picture_bytes(video)
    found.codec_context.thread_count = max(1, min(wanted, _MOST_THREADS, affordable))
    found.thread_type = "AUTO"
    if unfiltered:
        found.codec_context.options = {"skip_loop_filter": "all"}
    return found


def picture_bytes(video: VideoStream) -> int:
    """Bytes of a decoded picture: at most 4:2:2, two bytes a sample above 8 bits."""
    return max(1, video.width * video.height * (3 if video.bit_depth <= 8 else 6) // 2)


class Scaler:
    """Scales decoded pictures; one swscale context for all pictures of a file."""

    def __init__(self, media: MediaInfo, size: tuple[int, int]) -> None:
        self.media = media
        self.size = size
        self.reformatter = VideoReformatter()

    def __call__(self, picture: VideoFrame) -> NDArray[np.uint8]:
        try:
            scaled = self.reformatter.reformat(
                picture, *self.size, format="rgb24", interpolation=Interpolation.AREA
            )
        except (av.error.FFmpegError, ValueError, MemoryError) as error:
            raise MediaError(
                self.media.path,
                f"its pixels ({picture.format.name}) cannot be read",
                "Convert it to a common format first.",
            ) from error
        return np.asarray(scaled.to_ndarray(), np.uint8)


def frame_of(media: MediaInfo, video: VideoStream, ticks: int, time_base: Fraction) -> int:
    """Grid frame nearest to a presentation time."""
    return frame_at(ticks * time_base - media.origin, video.rate)


def packet_frame(media: MediaInfo, video: VideoStream, packet: Packet[Any]) -> int | None:
    """Grid frame of a keyframe's packet."""
    time = packet.dts if decode_order(media.container) else packet.pts
    if time is None:
        time = packet.dts
    return None if time is None else frame_of(media, video, time, Fraction(packet.time_base))


def stream_packets(
    media: MediaInfo, container: InputContainer, stream: LibavVideo
) -> Iterator[Packet[Any]]:
    """Packets up to the end of the file or of what can be read of it; the last one is empty."""
    try:
        yield from packets(container, [stream])
    except (av.error.FFmpegError, OSError) as error:
        logger.warning("%s: reading stopped before the end: %s", media.name, error)
        yield Packet()


def decoded(media: MediaInfo, stream: LibavVideo, packet: Packet[Any]) -> list[VideoFrame] | None:
    """Pictures that come out when a packet goes in; an empty one brings out the rest.

    None if the decoder refuses the packet.
    """
    try:
        return stream.codec_context.decode(packet if packet.size else None)
    except MemoryError as error:
        raise unreadable(media.path, error) from error
    except (av.error.FFmpegError, ValueError) as error:
        logger.debug("%s: a picture cannot be decoded: %s", media.name, error)
        return None


def only_picture(stream: LibavVideo, packet: Packet[Any]) -> VideoFrame | None:
    """The picture of a keyframe by itself.

    The decoder is emptied and reset each time: keyframes of open groups of pictures, one after
    the other, look like a stream with pictures missing, and it would hold them back.
    """
    context = stream.codec_context
    try:
        pictures = [*context.decode(packet), *context.decode(None)]
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        logger.info("a keyframe cannot be decoded: %s", error)
        pictures = []
    context.flush_buffers()
    return pictures[0] if pictures else None
