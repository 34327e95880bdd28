"""A probed file as a source of an edit."""

from __future__ import annotations

from fractions import Fraction

from .media import AudioStream, MediaInfo, VideoStream
from .operations import Source, StreamExtent
from .timing import FrameRange, frame_within, frames_covering


def source_of(media: MediaInfo, identifier: str) -> Source:
    """``media`` as the source called ``identifier``.

    The extents of sound are put on the file's frame grid: its first, perhaps partial, frame and
    its last partial frame count. All extents lie inside the file.
    """
    picture = media.picture
    width, height = shown_size(picture) if picture else (0, 0)
    return Source(
        id=identifier,
        path=str(media.path),
        name=media.name,
        rate=media.rate,
        frame_count=media.frame_count,
        start_frame=media.start_frame,
        drop_frame=media.drop_frame,
        reel=media.reel,
        width=width,
        height=height,
        video=_picture_extent(picture, media.frame_count) if picture else None,
        audio=tuple(_sound_extent(stream, media) for stream in media.audio),
        fingerprint=media.fingerprint,
    )


def sources_of(footage: list[MediaInfo] | tuple[MediaInfo, ...]) -> tuple[Source, ...]:
    """Sources with an id each: the file name without suffix, numbered where it repeats."""
    taken: set[str] = set()
    sources = []
    for media in footage:
        stem = media.path.stem or media.name
        identifier, number = stem, 1
        while identifier in taken:
            number += 1
            identifier = f"{stem}-{number}"
        taken.add(identifier)
        sources.append(source_of(media, identifier))
    return tuple(sources)


def shown_size(picture: VideoStream) -> tuple[int, int]:
    """Width and height as a player shows them: square pixels, upright."""
    width, height = round(picture.width * picture.pixel_aspect), picture.height
    return (height, width) if picture.rotation in (90, 270) else (width, height)


def _picture_extent(picture: VideoStream, frame_count: int) -> StreamExtent:
    return StreamExtent(
        index=picture.index, extent=FrameRange(0, min(picture.frame_count, frame_count))
    )


def _sound_extent(stream: AudioStream, media: MediaInfo) -> StreamExtent:
    start = frame_within(stream.start, media.rate)
    end = frames_covering(stream.start + Fraction(stream.duration), media.rate)
    start = min(max(0, start), media.frame_count)
    return StreamExtent(
        index=stream.index,
        extent=FrameRange.between(start, max(start, min(end, media.frame_count))),
        channels=stream.channels,
        layout=stream.layout,
        sample_rate=stream.sample_rate,
        name=stream.title,
    )
