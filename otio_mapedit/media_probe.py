"""Reads what :class:`~otio_mapedit.media.MediaInfo` says, without decoding more than a picture."""

from __future__ import annotations

import hashlib
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
from av.audio.stream import AudioStream as LibavAudio
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream as LibavVideo

from .errors import MediaError
from .media import AudioStream, MediaInfo, VideoStream
from .media_clock import PictureClock, picture_clock, without_gaps
from .media_open import channel_layout, open_media, unreadable
from .media_timecode import StartTimecode, Tags, reel_name, start_timecode
from .media_times import FileTimes, StreamTimes, read_times, stated_rates
from .media_warnings import file_warnings, stream_warnings
from .quicktime import timecode_tracks
from .timing import frame_within, seconds_at

logger = logging.getLogger(__name__)

_NOT_PICTURE = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_PRINT_BYTES = 64 << 10
#: Times further apart than this come from damage, not from a camera.
_LONGEST = Fraction(7 * 86400)
_NO_SENSE = ("damaged: its timestamps make no sense", "Copy or rewrap it.")


def read_media_info(path: Path, audio_rate: Fraction) -> MediaInfo:
    """Everything about a file; see :func:`otio_mapedit.media.probe`.

    Raises:
        MediaError: missing, a folder, empty, not media, truncated beyond use, or unreadable.
    """
    with open_media(path) as container:
        path = path.absolute()
        try:
            return _describe(path, container, audio_rate)
        except (av.error.FFmpegError, OSError, MemoryError, OverflowError) as error:
            raise unreadable(path, error) from error


def _describe(path: Path, container: InputContainer, audio_rate: Fraction) -> MediaInfo:
    size = path.stat().st_size
    pictures, sounds, times = _readable(path, container, size)
    clock = _clock(path, pictures[0], times) if pictures else None
    spans = {stream.index: _span(stream, times.streams[stream.index]) for stream in sounds}
    if clock is not None and times.pictures is not None:
        origin = int(times.pictures[0]) * _base(pictures[0])
    else:
        origin = min(start for start, _ in spans.values())
    rate = clock.rate if clock else audio_rate
    audio = tuple(_audio(stream, spans[stream.index], origin) for stream in sounds)
    video = tuple(
        _video(stream, times, clock if place == 0 else None)
        for place, stream in enumerate(pictures)
    )
    ends = [sound.start + sound.duration for sound in audio]
    duration = max([*ends, seconds_at(clock.frame_count, rate) if clock else Fraction(0)])
    if duration > _LONGEST:
        raise MediaError(path, *_NO_SENSE)
    timecode, reel = _timecode(path, container, pictures, rate, audio)
    return MediaInfo(
        path=path,
        container=container.format.name,
        size=size,
        rate=rate,
        frame_count=max(clock.frame_count if clock else 1, frame_within(duration, rate)),
        origin=origin,
        duration=duration,
        start_frame=timecode.start_frame,
        has_timecode=timecode.has_timecode,
        timecode_source=timecode.source,
        drop_frame=timecode.drop_frame,
        reel=reel,
        video=video,
        audio=audio,
        fingerprint=fingerprint(path),
        warnings=(
            *file_warnings(
                times,
                Fraction(container.duration or 0, 1_000_000),
                duration,
                pictures[0].frames if pictures else 0,
                video[0] if video else None,
            ),
            *stream_warnings(video, audio, clock),
            *timecode.warnings,
        ),
    )


def _readable(
    path: Path, container: InputContainer, size: int
) -> tuple[list[LibavVideo], list[LibavAudio], FileTimes]:
    """Streams of pictures and sounds that hold something, and when they hold it."""
    pictures = _picture_streams(container)
    sounds = [stream for stream in container.streams.audio if _usable(stream) and _heard(stream)]
    if not pictures and not sounds:
        raise MediaError(path, "holds neither picture nor sound", "Name a file that does.")
    times = read_times(container, [*pictures, *sounds], pictures[0] if pictures else None, size)
    if times.pictures is None or not len(times.pictures):
        pictures = []
    sounds = [stream for stream in sounds if times.streams[stream.index].packets]
    if not pictures and not sounds:
        raise MediaError(
            path, "damaged: no picture and no sound can be read", "Copy it again from its source."
        )
    return pictures, sounds, times


def fingerprint(path: Path) -> str:
    """sha256 over the size and the first, middle and last 64 KiB, in hexadecimal.

    Raises:
        MediaError: the file cannot be read.
    """
    try:
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        with path.open("rb") as file:
            for place in (0, size // 2, max(0, size - _PRINT_BYTES)):
                file.seek(place)
                digest.update(file.read(_PRINT_BYTES))
    except OSError as error:
        raise unreadable(path, error) from error
    return digest.hexdigest()


def _usable(stream: Stream) -> bool:
    """Whether libav can decode a stream."""
    return stream.codec_context is not None and stream.time_base is not None


def _heard(stream: Stream) -> bool:
    """Whether a sound stream has channels."""
    try:
        return channel_layout(stream)[0] > 0
    except (av.error.FFmpegError, ValueError) as error:
        logger.info("sound stream %d cannot be used: %s", stream.index, error)
        return False


def _picture_streams(container: InputContainer) -> list[LibavVideo]:
    """Streams of moving pictures, the one to edit first: default before other, then largest."""
    found = [
        stream
        for stream in container.streams.video
        if _usable(stream)
        and not stream.disposition & _NOT_PICTURE
        and stream.width > 0
        and stream.height > 0
    ]
    return sorted(
        found,
        key=lambda stream: (
            not stream.disposition & Disposition.default,
            -stream.width * stream.height,
            stream.index,
        ),
    )


def _base(stream: Stream) -> Fraction:
    return Fraction(stream.time_base or 1)


def _clock(path: Path, stream: LibavVideo, times: FileTimes) -> PictureClock:
    assert times.pictures is not None
    span = int(times.pictures[-1] - times.pictures[0]) * _base(stream)
    if span > _LONGEST:
        raise MediaError(path, *_NO_SENSE)
    last = times.streams[stream.index].last_duration
    return picture_clock(times.pictures, _base(stream), last, stated_rates(stream))


def _span(stream: Stream, noted: StreamTimes) -> tuple[Fraction, Fraction]:
    """First and last moment of a sound in container seconds.

    The header knows of samples that are skipped at the ends, the packets know what is there: where
    both agree within two packets the header decides.
    """
    first = min(noted.presented or noted.decoded or [0])
    start = stream.start_time if stream.start_time is not None else first
    end = noted.end if noted.end is not None else start
    packet = max(noted.last_duration, 1)
    if stream.duration and abs(start + stream.duration - end) <= 2 * packet:
        end = min(end, start + stream.duration)
    if not first - 2 * packet <= start <= end:
        start = first
    base = _base(stream)
    return start * base, max(start, end) * base


def _audio(stream: Any, span: tuple[Fraction, Fraction], origin: Fraction) -> AudioStream:
    channels, layout = channel_layout(stream)
    if layout.endswith("channels"):  # as WAV files without a channel mask
        layout = {1: "mono", 2: "stereo"}.get(channels, layout)
    return AudioStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        channels=channels,
        layout=layout,
        sample_rate=stream.sample_rate or 0,
        start=span[0] - origin,
        duration=span[1] - span[0],
        language=_word(stream, "language"),
        title=_word(stream, "title") or _word(stream, "name"),
    )


def _word(stream: Stream, key: str) -> str:
    """A tag of a stream; "und" (undetermined) counts as absent."""
    value = {name.lower(): text for name, text in stream.metadata.items()}.get(key, "").strip()
    return "" if value == "und" else value


def _video(stream: LibavVideo, times: FileTimes, clock: PictureClock | None) -> VideoStream:
    """A stream of pictures. Of those that are not used only the header is reported."""
    picture = times.first_picture if clock else None
    if clock is None:
        noted = times.streams[stream.index]
        hints = stated_rates(stream)
        places = noted.pictures(False)
        clock = (
            picture_clock(
                without_gaps(places, _base(stream), hints),
                _base(stream),
                noted.last_duration,
                hints,
            )
            if places
            else PictureClock(hints[0] if hints else Fraction(25), 0, 0, False, Fraction(0))
        )
        all_keyframes = 0 < noted.packets == noted.key_packets
    else:
        all_keyframes = times.all_keyframes
    form = picture.format if picture else stream.codec_context.format
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        width=picture.width if picture else stream.width,
        height=picture.height if picture else stream.height,
        pixel_aspect=_pixel_aspect(stream),
        rotation=round(-picture.rotation / 90) * 90 % 360 if picture else 0,
        bit_depth=max((part.bits for part in form.components), default=8) if form else 8,
        pixel_format=form.name if form else "",
        rate=clock.rate,
        frame_count=clock.frame_count,
        picture_count=clock.picture_count,
        variable_rate=clock.variable_rate,
        worst_deviation=clock.worst_deviation,
        all_keyframes=all_keyframes,
    )


def _pixel_aspect(stream: LibavVideo) -> Fraction:
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect and 0 < aspect < 100 else Fraction(1)


def _timecode(
    path: Path,
    container: InputContainer,
    pictures: list[LibavVideo],
    rate: Fraction,
    audio: tuple[AudioStream, ...],
) -> tuple[StartTimecode, str]:
    def lower(metadata: dict[str, str]) -> dict[str, str]:
        return {key.lower(): value for key, value in metadata.items()}

    used = pictures[0] if pictures else None
    tags = Tags(
        container=lower(container.metadata),
        picture=lower(used.metadata) if used is not None else {},
        others=[lower(stream.metadata) for stream in container.streams if stream is not used],
        tracks=timecode_tracks(path) if "mov" in container.format.name.split(",") else (),
    )
    return start_timecode(tags, rate, audio[0].sample_rate if audio else 0), reel_name(tags)
