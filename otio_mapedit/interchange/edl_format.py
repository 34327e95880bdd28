"""``.edl`` files: CMX 3600, one file per video track, as the registry wants a format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from ..errors import FormatError
from .edl_parse import parse_edl
from .edl_reader import read_edl
from .edl_writer import write_edl
from .loss import LossReport


def read(path: Path, rate: Fraction | None = None) -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline of one EDL at ``rate`` frames per second, and what was lost.

    Raises:
        FormatError: missing, not an EDL, or the rate is needed or wrong.
    """
    try:
        return read_edl(path, rate)
    except FormatError as error:
        if path.name in error.message:
            raise
        raise FormatError(f"{path}: {error.message}", error.remedy) from error
    except OSError as error:
        raise FormatError(
            f"cannot read {path}: {error.strerror or error}", "Check the path and its permissions."
        ) from error


def render(
    timeline: otio.schema.Timeline, profile: str, version: str = ""
) -> tuple[dict[str, str], LossReport]:
    """One text per video track by the mark that follows the file's name (none, ``-V2``, ...),
    and what an EDL cannot carry. A track without any edit gets no text.

    Raises:
        OptionError: unknown profile. UsageError: a rate that timecode cannot count.
        FormatError: there is nothing to write.
    """
    texts, report = write_edl(timeline, profile)
    marked: dict[str, str] = {}
    for number, (name, text) in enumerate(texts.items(), 1):
        if not parse_edl(text).events:
            report.lost("track", "without any edit, an EDL is not written", name)
        else:
            marked[f"-V{number}" if marked else ""] = text
    if not marked:
        raise FormatError("the timeline holds no edit, so that an EDL would be empty", "Add clips.")
    return marked, report


def read_back(contents: Sequence[bytes]) -> otio.schema.Timeline:
    """The timeline in what :func:`render` gave: the tracks of every EDL in one stack.

    Raises:
        FormatError: one cannot be understood.
    """
    first, *others = (read_edl(content)[0] for content in contents)
    for other in others:
        first.tracks.extend([track.clone() for track in other.tracks])
    return first
