"""Some pictures of a file, and what is held where the others would be.

For ``--fast``: of each picture it is said beforehand whether it is decoded whatever it is, decoded
if others lean on it, or passed over. Leaving out the pictures that no other leans on changes
nothing in those that are decoded; passing over everything from one keyframe to the next neither.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as LibavVideo
from numpy.typing import NDArray

from .frames import RUN_UPS, THUMBNAIL, go_to
from .media import MediaInfo
from .media_open import open_media
from .picture_decoder import (
    Scaler,
    decoded,
    frame_of,
    picture_stream,
    stream_packets,
    used_picture,
)
from .seen import difference
from .spec import Frames

HELD, LEANED_ON, EVERY = 0, 1, 2
"""How much is decoded: nothing, what other pictures lean on, everything."""

_BATCH = 256
#: Most pictures from one that is decoded to the next between which others are mixed of the two; how
#: much more they may differ than their neighbours; and by how much without any reason, 0 to 1.
_MIXABLE, _LEAP, _NOISE = 8, 2.0, 0.004


@dataclass(frozen=True)
class Wanted:
    """What of a file is decoded: of each of its n pictures, in the order of presentation."""

    frames: NDArray[np.int64]  # [n], grid frames, rising
    key: NDArray[np.bool_]  # [n], keyframes
    #: [n], HELD, LEANED_ON or EVERY. What is held ends before a keyframe, and nothing that is
    #: decoded before it leans on it.
    level: NDArray[np.uint8]

    def at(self, frame: int) -> int:
        """The picture that is shown at a grid frame; the first before any."""
        return max(0, int(np.searchsorted(self.frames, frame, side="right")) - 1)

    def keyframe(self, place: int) -> int:
        """The last keyframe decoded at or before a picture; the first picture before any."""
        while place and not (self.key[place] and self.level[place] != HELD):
            place -= 1
        return place


@dataclass(frozen=True)
class SparseFilm:
    """Some consecutive pictures of a file, n of them, each decoded or held from before."""

    frames: NDArray[np.int64]  # [n], grid frames, rising
    pictures: Frames  # [n, 27, 48, 3]
    real: NDArray[np.bool_]  # [n], decoded

    def __len__(self) -> int:
        return len(self.frames)

    def between(self, first: int, stop: int | None = None) -> SparseFilm:
        """From the picture that is shown at grid frame ``first`` up to and excluding ``stop``."""
        begin = max(0, int(np.searchsorted(self.frames, first, side="right")) - 1)
        end = None if stop is None else int(np.searchsorted(self.frames, stop))
        chosen = slice(begin, end)
        return SparseFilm(self.frames[chosen], self.pictures[chosen], self.real[chosen])


def smooth(film: SparseFilm) -> SparseFilm:
    """The film with what lies between two decoded pictures that are near each other mixed of both,
    as a dissolve would go in jerks otherwise. Where they differ by far more than those before and
    after them, there may be a cut, and the first one stays."""
    real = np.flatnonzero(film.real)
    if len(real) < 2:
        return film
    gaps = np.diff(real)
    apart = difference(film.pictures[real[1:]], film.pictures[real[:-1]]) / gaps
    around = np.maximum(np.append(0, apart[:-1]), np.append(apart[1:], 0))
    mixed = (gaps > 1) & (gaps <= _MIXABLE) & (apart <= _LEAP * around + _NOISE)
    pictures = film.pictures.copy()
    for at in np.flatnonzero(mixed):
        one, two = int(real[at]), int(real[at + 1])
        for between in range(one + 1, two):
            share = (film.frames[between] - film.frames[one]) / (
                film.frames[two] - film.frames[one]
            )
            both = film.pictures[one] * (1 - share) + film.pictures[two] * share
            pictures[between] = np.rint(both)
    return SparseFilm(film.frames, pictures, film.real)


def film_of(batches: list[SparseFilm]) -> SparseFilm:
    """Consecutive batches as one film."""
    if len(batches) == 1:
        return batches[0]
    empty = np.zeros((0, THUMBNAIL[1], THUMBNAIL[0], 3), np.uint8)
    return SparseFilm(
        np.concatenate([np.zeros(0, np.int64), *(each.frames for each in batches)]),
        np.concatenate([empty, *(each.pictures for each in batches)]),
        np.concatenate([np.zeros(0, bool), *(each.real for each in batches)]),
    )


def sparse_film(
    media: MediaInfo, wanted: Wanted, first: int, stop: int, threads: int
) -> Generator[SparseFilm, None, None]:
    """The film from the picture shown at grid frame ``first`` up to and excluding ``stop``.

    Each picture is decoded as ``wanted`` says, without the loop filter; one that is not, or cannot
    be, is that before it, and the first of all the one after. The answer does not depend on where
    it begins. Batches are of 256 pictures, the last of fewer.

    Raises:
        MediaError: no picture stream, or the file cannot be read any more.
    """
    begin, end = wanted.at(first), int(np.searchsorted(wanted.frames, stop))
    if begin >= end:
        return
    shown = _Shown(wanted, begin, end, Scaler(media, THUMBNAIL))
    for place, picture in _from_keyframe(media, wanted, begin, threads):
        if place >= end:
            break
        yield from shown.put(place, picture)
    yield from shown.rest()


class _Shown:
    """Gathers batches out of pictures that come in the order of presentation, with gaps."""

    def __init__(self, wanted: Wanted, begin: int, end: int, scale: Scaler) -> None:
        self.wanted, self.next, self.end, self.scale = wanted, begin, end, scale
        self.before: VideoFrame | None = None  # the last picture before the first
        self.last: NDArray[np.uint8] | None = None
        self.made: list[tuple[int, NDArray[np.uint8], bool]] = []

    def put(self, place: int, picture: VideoFrame) -> Iterator[SparseFilm]:
        """Take the next picture."""
        if place < self.next and not (self.made and self.made[-1][0] == place):
            self.before = picture
            return
        scaled = self.scale(picture)
        if place < self.next:
            self.made.pop()  # the later of two on one grid frame stands
            self.next = place
        self._hold(place, scaled)
        self.made.append((place, scaled, True))
        self.last, self.next = scaled, place + 1
        while len(self.made) > _BATCH:
            yield self._batch(_BATCH)

    def rest(self) -> Iterator[SparseFilm]:
        """The rest of the film: what was held last, where no picture came any more."""
        self._hold(self.end, None)
        while self.made:
            yield self._batch(min(_BATCH, len(self.made)))

    def _hold(self, until: int, otherwise: NDArray[np.uint8] | None) -> None:
        """Show the last picture, if there was any, up to the one that comes at ``until``."""
        if self.last is None:
            self.last = otherwise if self.before is None else self.scale(self.before)
        if self.last is not None:
            self.made += [(missing, self.last, False) for missing in range(self.next, until)]

    def _batch(self, count: int) -> SparseFilm:
        batch, self.made = self.made[:count], self.made[count:]
        places, pictures, real = zip(*batch, strict=True)
        return SparseFilm(
            self.wanted.frames[list(places)], np.stack(pictures), np.array(real, bool)
        )


def _from_keyframe(
    media: MediaInfo, wanted: Wanted, begin: int, threads: int
) -> Iterator[tuple[int, VideoFrame]]:
    """Decoded pictures with their places, from the keyframe before picture ``begin`` on."""
    key = int(wanted.frames[wanted.keyframe(begin)])
    for run_up in (Fraction(0), *RUN_UPS, None):
        with open_media(media.path) as container:
            stream = picture_stream(media, container, used_picture(media), threads, unfiltered=True)
            if run_up is not None and not go_to(media, container, stream, key, run_up):
                continue
            feed = _Feed(media, wanted, stream, None if run_up is None else key)
            for packet in stream_packets(media, container, stream):
                yield from feed.put(packet)
                if feed.late:
                    break
            else:
                return


class _Feed:
    """Gives a decoder the packets that are wanted, beginning with those of keyframe ``key``; None:
    with the first of all. ``late``: the file was entered behind it."""

    def __init__(
        self, media: MediaInfo, wanted: Wanted, stream: LibavVideo, key: int | None
    ) -> None:
        self.media, self.wanted, self.stream, self.key = media, wanted, stream, key
        self.video = used_picture(media)
        self.base = Fraction(stream.time_base or 1)
        self.late = False
        self.entered: int | None = None  # the keyframe since which the decoder is at work

    def put(self, packet: Packet[Any]) -> Iterator[tuple[int, VideoFrame]]:
        if not packet.size:
            self.late = self.key is not None
            yield from self._emptied()
            return
        number = None if packet.pts is None else self._number(packet.pts)
        if self.key is not None and not self._reached(packet, number):
            return
        level = EVERY if number is None else int(self.wanted.level[self.wanted.at(number)])
        if self.entered is None:
            if level == HELD or not packet.is_keyframe:
                return
            self.entered = -1 if number is None else number
        elif number is not None and level == HELD:
            if number > self.entered:
                yield from self._emptied()
            return
        elif number is not None and number < self.entered:
            return  # it leans on what was passed over
        self.stream.codec_context.skip_frame = "NONREF" if level == LEANED_ON else "DEFAULT"
        yield from self._numbered(decoded(self.media, self.stream, packet) or [])

    def _reached(self, packet: Packet[Any], number: int | None) -> bool:
        """Whether decoding has come to where it begins."""
        if number is None or not packet.is_keyframe or self.key is None or number < self.key:
            return False
        self.late = number > self.key
        self.key = None
        return not self.late

    def _emptied(self) -> Iterator[tuple[int, VideoFrame]]:
        """What the decoder still holds; it is then ready for another keyframe."""
        if self.entered is not None:
            yield from self._numbered(decoded(self.media, self.stream, Packet()) or [])
            self.stream.codec_context.flush_buffers()
            self.entered = None

    def _numbered(self, pictures: list[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
        for picture in pictures:
            number = -1 if picture.pts is None else self._number(picture.pts)
            place = int(np.searchsorted(self.wanted.frames, number))
            if place == len(self.wanted.frames) or number == self.wanted.frames[place]:
                yield place, picture

    def _number(self, ticks: int) -> int:
        return frame_of(self.media, self.video, ticks, self.base)
