"""What every recipe says the same way: files as sources, the sequence's clock, option values."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .. import __version__
from ..media import AudioStream, MediaInfo
from ..operations import Source, StreamExtent, Value
from ..timing import FrameRange, can_drop_frames, frame_at, frame_of_timecode


@dataclasses.dataclass(frozen=True, slots=True)
class SequenceClock:
    """The rate of a sequence and the timecode of its first frame, as a frame count."""

    rate: Fraction
    start_frame: int
    drop_frame: bool


def sequence_clock(footage: Sequence[MediaInfo]) -> SequenceClock:
    """The clock of a sequence made of ``footage``.

    The first file with picture gives the rate. One file keeps its own timecode; several begin at
    01:00:00:00, as editing programs let new sequences do, drop-frame if the first file is.
    """
    first = next((media for media in footage if media.picture), footage[0])
    if len(footage) == 1:
        return SequenceClock(first.rate, first.start_frame, first.drop_frame)
    drop_frame = first.drop_frame and can_drop_frames(first.rate)
    start = frame_of_timecode("01:00:00:00", first.rate, drop_frame)
    return SequenceClock(first.rate, start, drop_frame)


def sources_of(footage: Sequence[MediaInfo]) -> tuple[Source, ...]:
    """The files as an edit refers to them, each by a short name that no other has."""
    taken: set[str] = set()
    return tuple(source_of(media, _identifier(media, taken)) for media in footage)


def source_of(media: MediaInfo, identifier: str) -> Source:
    """A file as an edit refers to it."""
    picture = media.picture
    width, height = shown_size(media)
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
        video=StreamExtent(picture.index, FrameRange(0, picture.frame_count)) if picture else None,
        audio=tuple(_sound_extent(media, stream) for stream in media.audio),
        fingerprint=media.fingerprint,
    )


def shown_size(media: MediaInfo) -> tuple[int, int]:
    """Width and height as a player shows them: square pixels, turned upright. 0, 0 for sound."""
    picture = media.picture
    if picture is None:
        return 0, 0
    width = int(picture.width * picture.pixel_aspect + Fraction(1, 2))
    return (picture.height, width) if picture.rotation % 180 else (width, picture.height)


def option_values(options: Any) -> dict[str, Value]:
    """A recipe's options as plain JSON, for the decision list."""
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {
        name: value if isinstance(value, bool | int | float) else str(value)
        for name, value in values.items()
    }


def generator(networks: Sequence[str] = ()) -> str:
    """This program and the networks that took part, with their versions."""
    return ", ".join([f"otio-mapedit {__version__}", *dict.fromkeys(networks)])


def title(footage: Sequence[MediaInfo]) -> str:
    """A name for the sequence."""
    first = footage[0].path.stem
    return first if len(footage) == 1 else f"{first} and {len(footage) - 1} more"


def _sound_extent(media: MediaInfo, stream: AudioStream) -> StreamExtent:
    """Where a sound stream lies on the file's grid, to the nearest frame."""
    start = min(max(0, frame_at(stream.start, media.rate)), media.frame_count)
    end = min(frame_at(stream.start + stream.duration, media.rate), media.frame_count)
    return StreamExtent(
        index=stream.index,
        extent=FrameRange.between(start, max(start, end)),
        channels=stream.channels,
        layout=stream.layout,
        sample_rate=stream.sample_rate,
        name=stream.title,
    )


def _identifier(media: MediaInfo, taken: set[str]) -> str:
    """The file's stem; numbered where two files share it."""
    name, number = media.path.stem, 1
    while name in taken:
        number += 1
        name = f"{media.path.stem}-{number}"
    taken.add(name)
    return name
