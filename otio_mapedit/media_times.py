"""When pictures and sounds are presented, without decoding them.

Small files are read through. Of large ones the container's index is taken (QuickTime, MP4), so
that hours of ProRes cost no more than their header; without an index the beginning, the end and
some places between are read. Packets that an edit list discards do not count.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from .media_clock import without_gaps
from .media_open import packets as packets_of

logger = logging.getLogger(__name__)

#: Bytes of a file that is read through.
READ_THROUGH = 64 << 20
#: Packets and bytes read at each place of a file that is not.
_PLACE_PACKETS = 4000
_PLACE_BYTES = 16 << 20
_PLACES = 6
_SECOND = 1_000_000  # in libav's own time base
#: Pictures at the edge of such a place that may be incomplete for being reordered.
_REORDERED = 20
#: Packets of the used picture that are decoded in search of a first picture.
_DECODE_PACKETS = 120


@dataclass
class StreamTimes:
    """What the packets of one stream say. Times in ticks of the stream's time base."""

    presented: array[int] = field(default_factory=lambda: array("q"))
    decoded: array[int] = field(default_factory=lambda: array("q"))
    packets: int = 0
    key_packets: int = 0
    end: int | None = None
    last_duration: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)

    def begin_place(self) -> None:
        """What is noted from here on was read at another place of the file."""
        self.places.append((len(self.presented), len(self.decoded)))

    def note(self, packet: Packet[Any]) -> None:
        """Take down one packet."""
        if packet.is_discard:
            return
        self.packets += 1
        self.key_packets += packet.is_keyframe
        if packet.dts is not None:
            self.decoded.append(packet.dts)
        time = packet.pts if packet.pts is not None else packet.dts
        if packet.pts is not None:
            self.presented.append(packet.pts)
        if time is not None and (self.end is None or time + (packet.duration or 0) > self.end):
            self.end = time + (packet.duration or 0)
            self.last_duration = packet.duration or 0

    def pictures(self, decode_order: bool) -> list[NDArray[np.int64]]:
        """Times of the pictures at each place, rising. ``decode_order``: nothing else is known.

        Where reading began or stopped in the middle of the file some reordered pictures are
        missing, so a few are cut off there.
        """
        few = len(self.presented) * 10 < self.packets * 9
        in_order = bool(self.decoded) and (decode_order or few)
        times = np.array(self.decoded if in_order else self.presented, np.int64)
        starts = [place[in_order] for place in self.places[1:]]
        places = [np.unique(place) for place in np.split(times, starts)]
        last = len(places) - 1
        for number, place in enumerate(places):
            few_pictures = min(_REORDERED, len(place) // 4)
            begin = few_pictures if number > 0 else 0
            stop = len(place) - (few_pictures if number < last else 0)
            places[number] = place[begin:stop]
        return [place for place in places if len(place)]


@dataclass
class FileTimes:
    """What reading told about a file."""

    streams: dict[int, StreamTimes]
    first_picture: VideoFrame | None = None
    damaged: bool = False
    pictures: NDArray[np.int64] | None = None  # of the used stream, rising
    all_keyframes: bool = False


def read_times(
    container: InputContainer, streams: Sequence[Stream], used: Stream | None, size: int
) -> FileTimes:
    """Presentation times of ``streams``; all pictures of ``used``, the picture that is edited."""
    times = FileTimes({stream.index: StreamTimes() for stream in streams})
    for stream in container.streams:
        if stream not in streams:
            stream.discard = Discard.all
    indexed = _indexed(used, size) if used is not None and size > READ_THROUGH else None
    if size <= READ_THROUGH:
        _read(container, streams, used, times, None)
    else:
        _read_places(container, streams, used, times, size, sparse=indexed is not None)
    if used is not None:
        noted = times.streams[used.index]
        times.all_keyframes = 0 < noted.packets == noted.key_packets
        places = noted.pictures(decode_order(container.format.name))
        if indexed is not None and places:
            times.pictures = _with_index(places, indexed[0], min(noted.decoded, default=0))
            times.all_keyframes = indexed[1]
        elif places:
            times.pictures = without_gaps(places, Fraction(used.time_base or 1), stated_rates(used))
    return times


def stated_rates(stream: Stream) -> list[Fraction]:
    """Rates that the header gives a picture, in order of trust; some may be nonsense."""
    stated = (stream.average_rate, stream.base_rate, stream.guessed_rate)
    return [Fraction(rate) for rate in stated if rate]


def decode_order(container: str) -> bool:
    """Whether a container stores no presentation times, so that pictures are merely counted."""
    return container == "avi"


def _read(
    container: InputContainer,
    streams: Sequence[Stream],
    used: Stream | None,
    times: FileTimes,
    limit: tuple[int, int] | None,
) -> None:
    """Note packets to the end of the file, or up to a limit of packets and bytes."""
    packets = size = tried = 0
    for noted in times.streams.values():
        noted.begin_place()
    try:
        for packet in packets_of(container, streams):
            if packet.size == 0:
                continue
            times.streams[packet.stream_index].note(packet)
            wanted = used is not None and packet.stream_index == used.index
            if wanted and times.first_picture is None and tried < _DECODE_PACKETS:
                tried += 1
                times.first_picture = _first(packet)
            packets += 1
            size += packet.size
            if limit and (packets >= limit[0] or size >= limit[1]):
                return
    except (av.error.FFmpegError, OSError, ValueError) as error:
        logger.info("reading stopped: %s", error)
        times.damaged = True


def _first(packet: Packet[Any]) -> VideoFrame | None:
    """The first picture that a packet gives, if it gives one."""
    try:
        pictures = packet.decode()
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        logger.debug("picture not decoded: %s", error)
        return None
    return next((picture for picture in pictures if isinstance(picture, VideoFrame)), None)


def _read_places(
    container: InputContainer,
    streams: Sequence[Stream],
    used: Stream | None,
    times: FileTimes,
    size: int,
    sparse: bool,
) -> None:
    """Note packets at some places of the file: always its beginning and its end."""
    _read(container, streams, used, times, (_PLACE_PACKETS, _PLACE_BYTES))
    length = container.duration or 0
    # Two seconds hold a group of pictures; of intra-only material a fifth is plenty and heavy.
    affordable = length * _PLACE_BYTES // max(1, size)
    tail = min(2 * _SECOND, max(_SECOND // 5, affordable))
    start = container.start_time or 0
    places: Iterable[Fraction] = (Fraction(n, _PLACES) for n in range(1, _PLACES))
    if sparse:
        places = ()
    for place in (*places, None):
        moment = start + (max(0, length - tail) if place is None else int(length * place))
        try:
            container.seek(moment)
        except (av.error.FFmpegError, OSError) as error:
            logger.info("cannot go to %.1f s: %s", moment / _SECOND, error)
            continue
        limit = None if place is None else (_PLACE_PACKETS, _PLACE_BYTES)
        _read(container, streams, None, times, limit)


def _indexed(stream: Stream, size: int) -> tuple[NDArray[np.int64], bool] | None:
    """Decoding times and whether all are keyframes, from an index that names every picture."""
    entries = stream.index_entries
    if not stream.frames or len(entries) < stream.frames * 9 // 10:
        return None
    inside = [
        (entry.timestamp, entry.is_keyframe)
        for entry in entries
        if not entry.is_discard and entry.pos + entry.size <= size
    ]
    if not inside:
        return None
    return np.array([time for time, _ in inside], np.int64), all(key for _, key in inside)


def _with_index(
    places: list[NDArray[np.int64]], index: NDArray[np.int64], first_decoded: int
) -> NDArray[np.int64]:
    """Presentation times of all pictures: as read where packets were read, elsewhere the index's.

    The index knows decoding times. Presentation times are these, moved by the constant delay of
    reordering, wherever pictures are evenly spaced and, closely, where they are not.
    """
    moved = np.unique(index + int(places[0][0]) - first_decoded)
    head, tail = places[0], places[-1][:0] if len(places) == 1 else places[-1]
    tail = tail[tail > head[-1]]
    between = moved[(moved > head[-1]) & (moved < (tail[0] if len(tail) else 1 << 62))]
    merged = np.concatenate([head, between, tail])
    # The number of pictures is what the index says, whatever the delay does at the seams.
    return merged if len(merged) == len(moved) else moved
