"""What a media file is: streams, exact rate, timecode, extents. Media is only ever read.

The clock of a file is its *frame grid*: frame ``n`` lasts from ``origin + n / rate`` to
``origin + (n + 1) / rate`` seconds of container time, where ``origin`` is the presentation time
of the first video frame (of the first sound, in a file without video). A file of constant frame
rate has exactly one picture per grid frame, none further than a quarter of a frame from it. A
variable-rate file is conformed to the grid: each picture goes to its nearest grid frame, a frame
without a picture of its own shows the one before, and of two on one frame the later stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .timing import FrameRange

#: Suffixes that `otioconvert` and the recipes take as footage.
MEDIA_SUFFIXES: tuple[str, ...] = (
    "mp4", "m4v", "mov", "mkv", "mxf", "webm", "avi", "mts", "ts",
    "wav", "flac", "mp3", "m4a", "aac",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VideoStream:
    """One video stream. ``width`` and ``height`` are coded pixels, before rotation."""

    index: int
    codec: str
    width: int
    height: int
    pixel_aspect: Fraction
    rotation: int  # degrees clockwise that a player turns the picture: 0, 90, 180, 270
    bit_depth: int
    pixel_format: str
    rate: Fraction  # exact; of a variable-rate stream, of its grid
    frame_count: int  # grid frames
    picture_count: int  # pictures in the stream; differs from frame_count only at variable rate
    variable_rate: bool
    # Seconds, largest |presentation time - k / rate| of any picture k: how far off a program
    # would be that counts pictures instead of reading their times.
    worst_deviation: Fraction
    all_keyframes: bool  # intra-only, as camera and mezzanine codecs are


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One sound stream: one audio track of the file. Times are seconds after ``origin``."""

    index: int
    codec: str
    channels: int
    layout: str
    sample_rate: int
    start: Fraction
    duration: Fraction
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A media file as the rest of the package sees it."""

    path: Path  # absolute, links not resolved
    container: str
    size: int  # bytes
    rate: Fraction  # of the frame grid; sound alone is put on `probe`'s audio_rate
    frame_count: int  # whole grid frames up to the end of the longest stream
    origin: Fraction  # container seconds of grid frame 0
    duration: Fraction  # seconds from origin to the end of the longest stream
    start_frame: int  # timecode of grid frame 0 as a frame count from midnight; 0 without timecode
    has_timecode: bool
    timecode_source: str  # "tmcd track", "stream tag", "container tag", "BWF time reference", ""
    drop_frame: bool
    reel: str
    video: tuple[VideoStream, ...]  # the picture that is used comes first
    audio: tuple[AudioStream, ...]
    fingerprint: (
        str  # content fingerprint, stable across renames: sha256 of size, head, middle, tail
    )
    warnings: tuple[str, ...]  # plain sentences: what is odd about this file

    @property
    def name(self) -> str:
        """File name with suffix, as editing programs show it."""
        return self.path.name

    @property
    def available(self) -> FrameRange:
        """The whole file on its grid, from frame 0."""
        return FrameRange(0, self.frame_count)

    @property
    def picture(self) -> VideoStream | None:
        """The video stream that is used, if there is one."""
        return self.video[0] if self.video else None


def probe(path: Path, audio_rate: Fraction = Fraction(30)) -> MediaInfo:
    """Read what there is to know about a file without decoding it.

    ``audio_rate`` is the frame grid given to a file that has only sound.

    Raises:
        MediaError: missing, a folder, empty, not media, truncated beyond use, or unreadable.
    """
    from .media_probe import read_media_info

    return read_media_info(path, audio_rate)
