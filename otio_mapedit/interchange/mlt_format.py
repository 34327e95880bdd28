"""``.mlt`` files (Shotcut, Kdenlive, ``melt``), as the registry wants a format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from .loss import LossReport
from .mlt_reader import read_mlt
from .mlt_writer import write_mlt


def read(path: Path, rate: Fraction | None = None) -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline in a file, and what of the file is not in it.

    Raises:
        FormatError: it cannot be understood.
    """
    return read_mlt(path)


def render(
    timeline: otio.schema.Timeline, profile: str, version: str = ""
) -> tuple[dict[str, str], LossReport]:
    """The text of the file, under the empty mark, and what MLT cannot carry."""
    text, report = write_mlt(timeline, profile)
    return {"": text}, report


def read_back(contents: Sequence[bytes]) -> otio.schema.Timeline:
    """The timeline in what :func:`render` gave.

    Raises:
        FormatError: it cannot be understood.
    """
    return read_mlt(contents[0])[0]


__all__ = ["read", "read_back", "render"]
