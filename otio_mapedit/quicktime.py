"""What libav does not tell about a QuickTime or MP4 file: its timecode tracks' own counting.

Layout of the atoms: Apple, *QuickTime File Format*, "Timecode Media Information" and "Timecode
sample description". Only headers are read; sizes in the file are never trusted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_TOP_LEVEL = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}
_MAX_ATOMS = 10_000
_DROP_FRAME = 1


@dataclass(frozen=True, slots=True)
class TimecodeTrack:
    """The sample description of a timecode track."""

    rate: Fraction | None  # frames per second by its own time scale
    labels: int  # frame labels per second of timecode
    drop_frame: bool


def timecode_tracks(path: Path) -> list[TimecodeTrack]:
    """Timecode tracks in the order of the file; none where the atoms cannot be followed."""
    found: list[TimecodeTrack] = []
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            for name, start, end in _atoms(file, 0, size):
                if name == b"moov":
                    for track, first, last in _atoms(file, start, end):
                        if track == b"trak":
                            found += _timecode_description(file, first, last)
    except (OSError, struct.error):
        return []
    return found


def lacks_index(path: Path) -> bool:
    """Whether this is a QuickTime or MP4 file whose index (moov) is missing."""
    try:
        with path.open("rb") as file:
            names = [name for name, _, _ in _atoms(file, 0, file.seek(0, 2))]
    except (OSError, struct.error):
        return False
    return bool(names) and names[0] in _TOP_LEVEL and b"mdat" in names and b"moov" not in names


def _atoms(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first and last byte of the content of each atom between two places."""
    for _ in range(_MAX_ATOMS):
        if start + 8 > end:
            return
        file.seek(start)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:
            size = end - start
        if size < header:
            return
        yield name, start + header, min(end, start + size)
        start += size


def _inside(file: BinaryIO, start: int, end: int, *names: bytes) -> tuple[int, int] | None:
    """Content of the atom reached by going down through ``names``."""
    for wanted in names:
        for name, first, last in _atoms(file, start, end):
            if name == wanted:
                start, end = first, last
                break
        else:
            return None
    return start, end


def _timecode_description(file: BinaryIO, start: int, end: int) -> list[TimecodeTrack]:
    place = _inside(file, start, end, b"mdia", b"minf", b"stbl", b"stsd")
    if place is None or place[1] - place[0] < 8 + 34:
        return []
    file.seek(place[0] + 8)  # version, flags and number of descriptions
    fields = struct.unpack(">I4s6xH4xIIIB", file.read(33))
    _, form, _, flags, scale, duration, labels = fields
    if form != b"tmcd" or not labels:
        return []
    rate = Fraction(scale, duration) if scale and duration else None
    return [TimecodeTrack(rate, labels, bool(flags & _DROP_FRAME))]
