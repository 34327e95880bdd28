"""Makes small media files with known truth. Use it from a test module as

    from tests.mediamaker import Sound, movie, number_in

which works under ``--import-mode=importlib`` from any folder. Every picture shows its own number
as black and white fields, so that a test can prove which picture it was given; every sound is a
function of the sample's time, so that its place can be measured.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

#: Fields of a numbered picture: two rows of eight, the highest bit top left.
_ROWS, _COLUMNS = 2, 8

Wave = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def clicks(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half a sine of 4 ms around every full second and every start of the file."""
    near = np.abs(seconds - np.round(seconds))
    return np.where(near < 0.002, np.cos(near / 0.002 * np.pi / 2), 0.0)


def tone(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """440 Hz at -6 dB."""
    return 0.5 * np.sin(2 * np.pi * 440 * seconds)


def silence(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nothing."""
    return np.zeros_like(seconds)


@dataclass(frozen=True)
class Sound:
    """A sound track. ``start`` is when its first sample is presented, in container seconds."""

    duration: float = 2.0
    start: float = 0.0
    rate: int = 48000
    channels: Sequence[Wave] = (clicks,)
    codec: str = "pcm_s16le"


@dataclass(frozen=True)
class Picture:
    """A picture track. ``times`` are ticks of ``time_base``; one frame apart unless given."""

    rate: Fraction = Fraction(25)
    frames: int = 50
    codec: str = "libx264"
    pixels: str = "yuv420p"
    size: tuple[int, int] = (96, 64)
    times: Sequence[int] | None = None
    time_base: Fraction | None = None
    options: Mapping[str, str] = field(default_factory=lambda: {"g": "12", "preset": "veryfast"})
    aspect: Fraction | None = None
    timecode: str = ""
    first_number: int = 0


def numbered(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture ``[height, width, 3]`` that shows a number below 65536."""
    width, height = size
    bits = [(number >> (15 - place)) & 1 for place in range(16)]
    fields = np.array(bits, np.uint8).reshape(_ROWS, _COLUMNS) * 255
    rows = np.arange(height) * _ROWS // height
    columns = np.arange(width) * _COLUMNS // width
    return np.repeat(fields[rows][:, columns, np.newaxis], 3, axis=2)


def number_in(picture: NDArray[Any]) -> int:
    """The number that a picture ``[height, width, 3]`` of any size shows."""
    height, width = picture.shape[:2]
    number = 0
    for place in range(16):
        row, column = divmod(place, _COLUMNS)
        y, x = (2 * row + 1) * height // (2 * _ROWS), (2 * column + 1) * width // (2 * _COLUMNS)
        number = number << 1 | int(picture[y - 1 : y + 2, x - 1 : x + 2].mean() > 127)
    return number


def movie(
    path: Path,
    pictures: Picture | Sequence[Picture] | None = None,
    sounds: Sequence[Sound] = (),
    container_options: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write a file with these tracks; its format follows from the suffix."""
    tracks = [] if pictures is None else [pictures] if isinstance(pictures, Picture) else pictures
    with av.open(str(path), "w", options=dict(container_options or {})) as container:
        container.metadata.update(tags or {})
        work: list[tuple[Any, list[Any]]] = [
            (_picture_stream(container, picture), list(_picture_frames(picture)))
            for picture in tracks
        ]
        work += [(_sound_stream(container, sound), _sound_frames(sound)) for sound in sounds]
        packets = []
        for stream, frames in work:
            for frame in [*frames, None]:
                packets += stream.encode(frame)
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            container.mux(packet)
    return path


def _picture_stream(container: Any, picture: Picture) -> Any:
    stream = container.add_stream(picture.codec, rate=picture.rate, options=dict(picture.options))
    stream.width, stream.height = picture.size
    stream.pix_fmt = picture.pixels
    stream.time_base = picture.time_base or 1 / picture.rate
    stream.codec_context.time_base = picture.time_base or 1 / picture.rate
    if picture.aspect is not None:
        stream.codec_context.sample_aspect_ratio = picture.aspect
    if picture.timecode:
        stream.metadata["timecode"] = picture.timecode
    return stream


def _picture_frames(picture: Picture) -> Any:
    times = picture.times if picture.times is not None else range(picture.frames)
    for number, time in enumerate(times, picture.first_number):
        frame = av.VideoFrame.from_ndarray(numbered(number, picture.size), format="rgb24")
        frame.pts, frame.time_base = time, picture.time_base or 1 / picture.rate
        yield frame


def _sound_stream(container: Any, sound: Sound) -> Any:
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(sound.channels)]
    return container.add_stream(sound.codec, rate=sound.rate, layout=layout)


def _sound_frames(sound: Sound) -> list[Any]:
    count = round(sound.duration * sound.rate)
    first = round(sound.start * sound.rate)
    seconds = (np.arange(count) + first) / sound.rate
    samples = np.stack([channel(seconds) for channel in sound.channels])
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(sound.channels)]
    frames = []
    for at in range(0, count, 1024):
        part = samples[:, at : at + 1024]
        if sound.codec == "aac":
            data, form = part.astype(np.float32), "fltp"
        else:
            data, form = (part.T.reshape(1, -1) * 32767).astype(np.int16), "s16"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), format=form, layout=layout)
        frame.sample_rate = sound.rate
        frame.pts, frame.time_base = first + at, Fraction(1, sound.rate)
        frames.append(frame)
    return frames


def broadcast_wave(
    path: Path,
    sound: Sound,
    time_reference: int,
    description: str = "",
    date: str = "2024-01-02",
) -> Path:
    """Write a Broadcast Wave file (EBU Tech 3285) by hand: 16 bits, its bext chunk first."""
    seconds = np.arange(round(sound.duration * sound.rate)) / sound.rate
    samples = np.stack([channel(seconds) for channel in sound.channels], axis=1)
    data = (samples * 32767).astype("<i2").tobytes()
    channels = len(sound.channels)
    bext = (
        description.encode().ljust(256, b"\0")
        + b"\0" * 64
        + date.encode().ljust(10, b"\0")
        + b"12:00:00"
        + struct.pack("<QH", time_reference, 1)
        + b"\0" * 254
    )
    form = struct.pack(
        "<HHIIHH", 1, channels, sound.rate, sound.rate * channels * 2, channels * 2, 16
    )
    chunks = b"".join(
        name + struct.pack("<I", len(content)) + content
        for name, content in ((b"bext", bext), (b"fmt ", form), (b"data", data))
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def core_audio(path: Path, sound: Sound, labels: Sequence[int]) -> Path:
    """Write a Core Audio file by hand whose channels stand in the order of ``labels``."""
    seconds = np.arange(round(sound.duration * sound.rate)) / sound.rate
    samples = np.stack([channel(seconds) for channel in sound.channels], axis=1)
    count = len(sound.channels)
    form = struct.pack(">d4sIIIII", sound.rate, b"lpcm", 2, 2 * count, 1, count, 16)
    channels = struct.pack(">III", 0, 0, count) + b"".join(
        struct.pack(">II12x", label, 0) for label in labels
    )
    data = bytes(4) + (samples * 32767).astype("<i2").tobytes()
    path.write_bytes(
        b"caff\0\1\0\0"
        + b"".join(
            name + struct.pack(">q", len(content)) + content
            for name, content in ((b"desc", form), (b"chan", channels), (b"data", data))
        )
    )
    return path


def turn(path: Path, degrees: int) -> None:
    """Have players turn the first track of a QuickTime or MP4 file clockwise by right angles.

    Writes the matrix of its track header atom (tkhd): x' = a x + c y, y' = b x + d y.
    """
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    fixed = 1 << 16
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    struct.pack_into(
        ">9i", content, place, a * fixed, b * fixed, 0, -b * fixed, a * fixed, 0, 0, 0, 1 << 30
    )
    path.write_bytes(content)


def count_pairs(path: Path) -> None:
    """Have the timecode track of a QuickTime file count at half its rate, as cameras do at 60."""
    with av.open(str(path)) as container:
        data = next(stream for stream in container.streams if stream.type == "data")
        place = next(packet.pos for packet in container.demux(data) if packet.size)
    content = bytearray(path.read_bytes())
    (count,) = struct.unpack_from(">I", content, place)
    struct.pack_into(">I", content, place, count // 2)
    # Description: size, "tmcd", 6 reserved, index, 4 reserved, flags, scale, duration, labels.
    found = re.search(rb"stsd.{12}tmcd", content, re.DOTALL)
    assert found is not None
    entry = found.end() - 8
    scale, duration, labels = struct.unpack_from(">IIB", content, entry + 24)
    struct.pack_into(">IIB", content, entry + 24, scale, duration * 2, labels // 2)
    path.write_bytes(content)
