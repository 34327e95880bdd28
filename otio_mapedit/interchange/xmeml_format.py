"""``.xml`` files: xmeml, the XML of Final Cut Pro 7, as the registry wants a format."""

from __future__ import annotations

from collections.abc import Sequence

import opentimelineio as otio

from .fcpxml_format import read
from .loss import LossReport
from .xmeml_reader import read_xmeml
from .xmeml_writer import write_xmeml


def render(
    timeline: otio.schema.Timeline, profile: str, version: str = ""
) -> tuple[dict[str, str], LossReport]:
    """The text of the file, under the empty mark, and what xmeml cannot carry.

    Raises:
        OptionError: unknown profile. UsageError: a rate that xmeml cannot state.
    """
    text, report = write_xmeml(timeline, profile)
    return {"": text}, report


def read_back(contents: Sequence[bytes]) -> otio.schema.Timeline:
    """The timeline in what :func:`render` gave.

    Raises:
        FormatError: it cannot be understood.
    """
    return read_xmeml(contents[0])[0]


__all__ = ["read", "read_back", "render"]
