"""Sound out of files: every track as mono on one clock that starts with the picture.

Sample ``k`` of a track is heard at ``origin + k / sample_rate`` seconds, whatever the file's
timestamps do: gaps are silence, what overlaps or comes before the picture is left out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream as LibavAudio
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from numpy.typing import NDArray

from .errors import MediaError
from .media import MediaInfo
from .media_open import channel_layout, open_media, own_order, packets
from .timing import frame_at, frames_covering

logger = logging.getLogger(__name__)

Samples = NDArray[np.float32]

#: Seconds of sound that are mixed and resampled at a time.
_BLOCK = Fraction(1)

#: Full scale of integer sample formats, packed or planar.
_FULL_SCALE = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "s64": 1 << 63}

#: A channel is heard if it was ever this loud against the loudest: 20 dB less.
_HEARD = 0.1

#: Channels that cancel each other out leave less than this of the loudest one.
_CANCELLED = 0.1


@dataclass(frozen=True)
class SoundBlock:
    """A stretch of one track. The blocks of a track follow each other without a hole.

    A track's first block starts where its sound starts, at 0 at the earliest, and the last one
    ends with the track as :class:`otio_mapedit.media.AudioStream` tells it.
    """

    track: int  # position in MediaInfo.audio
    start: int  # sample number on the clock that starts with the picture
    samples: Samples  # [n], mono, full scale is 1


def sound(media: MediaInfo, sample_rate: int = 16000) -> Iterator[SoundBlock]:
    """All tracks of a file, mixed to mono and resampled, in one pass.

    A track's mono is the mean of the channels that carry sound: one that never comes within
    20 dB of the loudest is left out, and where channels cancel each other the loudest stands.
    What cannot be decoded is silence, with a warning in the log.

    Raises:
        MediaError: no sound, or the file cannot be read any more.
    """
    if not media.audio:
        raise MediaError(media.path, "has no sound", "Name a file with sound.")
    with open_media(media.path) as container:
        tracks = _tracks(media, container, sample_rate)
        for packet in _packets(media, container, [track.stream for track in tracks.values()]):
            # Packets that bring out the decoder's rest know only their stream.
            track = tracks[packet.stream.index]
            for frame in track.decoded(packet):
                yield from track.take(frame)
        for track in tracks.values():
            yield from track.finish()
            yield from track.fall_silent()


@dataclass(frozen=True)
class _Run:
    """Frames that follow on one another: their form and their clock, in whole numbers.

    Sample ``n`` of the run is due ``n * step`` ticks after ``first``.
    """

    sample_format: str
    channels: int
    sample_rate: int
    first: int
    step: Fraction
    tolerance: Fraction

    def continues(self, frame: AudioFrame, taken: int) -> bool:
        """Whether a frame follows on ``taken`` samples, but for what rounding explains."""
        if (frame.format.name, frame.layout.nb_channels, frame.sample_rate) != (
            self.sample_format,
            self.channels,
            self.sample_rate,
        ):
            return False
        if frame.pts is None:
            return True
        below = self.step.denominator
        apart = abs((frame.pts - self.first) * below - taken * self.step.numerator)
        return apart * self.tolerance.denominator <= self.tolerance.numerator * below


class _Track:
    """One sound stream on its way to mono samples at the right place."""

    def __init__(self, media: MediaInfo, position: int, stream: LibavAudio, rate: int) -> None:
        self.position = position
        self.stream = stream
        self.rate = rate
        self.base = Fraction(stream.time_base or 1)
        self.origin = media.origin
        self.latest = int((media.origin + media.duration + 1) / self.base)
        self.told = media.audio[position]
        end = self.told.start + self.told.duration
        self.stop = frames_covering(end, Fraction(rate))
        self.mixer = _Mixer()
        self.name = media.name
        self.damaged = False
        self.run: _Run | None = None
        self.taken = 0  # samples of the run
        self.held: list[NDArray[Any]] = []
        self.held_samples = 0
        self.resampler: AudioResampler | None = None
        self.next = 0  # number of the next sample that comes out of the resampler
        self.given: int | None = None  # number of the next sample to give

    def decoded(self, packet: Packet[Any]) -> list[AudioFrame]:
        """Frames that come out when a packet goes in."""
        try:
            frames: list[Any] = packet.decode()
            return frames
        except (av.error.FFmpegError, ValueError) as error:
            level = logging.DEBUG if self.damaged else logging.WARNING
            logger.log(level, "%s: damaged sound is taken as silence: %s", self.name, error)
            self.damaged = True
            return []

    def take(self, frame: AudioFrame) -> Iterator[SoundBlock]:
        """Take a decoded frame; give what is ready."""
        if not frame.samples or not frame.sample_rate:
            return
        if frame.pts is not None and frame.pts > self.latest:
            return
        if self.run is None or not self.run.continues(frame, self.taken):
            yield from self.finish()
            if frame.pts is None:
                return
            self._begin(frame, frame.pts)
        self.taken += frame.samples
        self.held.append(frame.to_ndarray())
        self.held_samples += frame.samples
        if self.held_samples >= _BLOCK * frame.sample_rate:
            yield from self._give()

    def finish(self) -> Iterator[SoundBlock]:
        """Give all that was taken, to the last sample."""
        yield from self._give()
        if self.resampler is not None:
            yield from self._place(_joined(self.resampler.resample(None)))
            self.resampler = None
        self.run = None

    def fall_silent(self) -> Iterator[SoundBlock]:
        """Give silence for what could not be decoded up to the track's end."""
        if self.given is None:
            self.given = max(0, frame_at(self.told.start, Fraction(self.rate)))
        yield from self._silence(self.stop)

    def _begin(self, frame: AudioFrame, first: int) -> None:
        step = 1 / (frame.sample_rate * self.base)
        self.run = _Run(
            frame.format.name,
            frame.layout.nb_channels,
            frame.sample_rate,
            first,
            step,
            2 * max(Fraction(1), 1 / (self.rate * self.base)),
        )
        self.taken = 0
        self.next = frame_at(first * self.base - self.origin, Fraction(self.rate))

    def _give(self) -> Iterator[SoundBlock]:
        if not self.held or self.run is None:
            return
        mono = self.mixer.mix(_floats(self.held, self.run))
        self.held, self.held_samples = [], 0
        yield from self._place(self._resampled(mono))

    def _resampled(self, mono: Samples) -> Samples:
        if self.run is None or self.run.sample_rate == self.rate:
            return mono
        if self.resampler is None:
            self.resampler = AudioResampler(format="fltp", layout="mono", rate=self.rate)
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(mono[np.newaxis]), format="fltp", layout="mono"
        )
        frame.sample_rate = self.run.sample_rate
        return _joined(self.resampler.resample(frame))

    def _place(self, samples: Samples) -> Iterator[SoundBlock]:
        """Give samples that begin at ``self.next``: silence before, or their beginning cut off."""
        start = self.next
        self.next += len(samples)
        samples = samples[: max(0, self.stop - start)]
        if self.given is None:
            if start + len(samples) <= 0 or not len(samples):
                return
            self.given = max(0, start)
        yield from self._silence(min(start, self.stop))
        samples = samples[max(0, self.given - start) :]
        if len(samples):
            yield SoundBlock(self.position, self.given, samples)
            self.given += len(samples)

    def _silence(self, stop: int) -> Iterator[SoundBlock]:
        while self.given is not None and self.given < stop:
            count = min(stop - self.given, self.rate * 10)
            yield SoundBlock(self.position, self.given, np.zeros(count, np.float32))
            self.given += count


class _Mixer:
    """Mean of the channels that carry sound."""

    def __init__(self) -> None:
        self.loudest: NDArray[np.float64] | None = None

    def mix(self, channels: Samples) -> Samples:
        """Mono of ``[channels, n]``."""
        if len(channels) == 1:
            only: Samples = channels[0]
            return only
        level = np.sqrt(np.mean(np.square(channels, dtype=np.float64), axis=1))
        if self.loudest is None or len(self.loudest) != len(level):
            self.loudest = level
        self.loudest = np.maximum(self.loudest, level)
        heard = self.loudest >= _HEARD * self.loudest.max()
        mono: Samples = channels[heard].mean(axis=0, dtype=np.float32)
        left = math.sqrt(float(np.mean(np.square(mono, dtype=np.float64))))
        if left < _CANCELLED * level.max():
            mono = channels[int(level.argmax())]
        return mono


def _tracks(media: MediaInfo, container: InputContainer, rate: int) -> dict[int, _Track]:
    """Tracks by stream index; the demuxer leaves all other streams out."""
    places = {stream.index: place for place, stream in enumerate(media.audio)}
    found: dict[int, _Track] = {}
    for stream in container.streams:
        if stream.index in places and isinstance(stream, LibavAudio):
            channels, layout = channel_layout(stream)
            if own_order(layout):
                # See channel_layout: such frames may not be decoded as they are. Which channel is
                # which does not matter for a mean.
                stream.codec_context.options = {"ch_layout": f"{channels} channels"}
            found[stream.index] = _Track(media, places[stream.index], stream, rate)
        else:
            stream.discard = Discard.all
    if len(found) != len(places):
        raise MediaError(media.path, "changed while it was read", "Run again.")
    return found


def _packets(
    media: MediaInfo, container: InputContainer, streams: list[LibavAudio]
) -> Iterator[Packet[Any]]:
    """Packets up to the end of the file or of what can be read of it."""
    try:
        yield from packets(container, streams)
    except (av.error.FFmpegError, OSError) as error:
        logger.warning("%s: reading stopped before the end: %s", media.name, error)


def _floats(frames: list[NDArray[Any]], run: _Run) -> Samples:
    """Samples of some frames as ``[channels, n]``, full scale 1."""
    values = np.concatenate(frames, axis=1)
    if not run.sample_format.endswith("p"):
        values = values.reshape(-1, run.channels).T
    kind = run.sample_format.rstrip("p")
    if kind in _FULL_SCALE:
        floats = values.astype(np.float32) - np.float32(_FULL_SCALE[kind] if kind == "u8" else 0)
        return np.asarray(floats / np.float32(_FULL_SCALE[kind]), np.float32)
    # A damaged float track may hold anything; nothing sensible is beyond 20 dB over full scale.
    return np.clip(np.nan_to_num(values.astype(np.float32)), -10, 10)


def _joined(frames: list[AudioFrame]) -> Samples:
    parts = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
