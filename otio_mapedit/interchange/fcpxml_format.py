"""``.fcpxml`` files and ``.fcpxmld`` bundles, as the registry wants a format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from .fcpxml_reader import read_fcpxml
from .fcpxml_writer import write_fcpxml
from .loss import LossReport
from .xmeml_reader import read_xmeml
from .xml_root import XMEML, refuse, root_of


def read(path: Path, rate: Fraction | None = None) -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline of an XML file, FCPXML or xmeml whatever its suffix, and what was lost.

    Raises:
        FormatError: the file is neither, or cannot be understood.
    """
    if path.is_dir():
        return read_fcpxml(path)
    root = root_of(path)
    if root == XMEML:
        return read_xmeml(path)
    refuse(path, root)
    return read_fcpxml(path)


def render(
    timeline: otio.schema.Timeline, profile: str, version: str = ""
) -> tuple[dict[str, str], LossReport]:
    """The text of the file, under the empty mark, and what FCPXML cannot carry.

    Raises:
        OptionError: unknown profile or version.
    """
    text, report = write_fcpxml(timeline, profile, version)
    return {"": text}, report


def read_back(contents: Sequence[bytes]) -> otio.schema.Timeline:
    """The timeline in what :func:`render` gave.

    Raises:
        FormatError: it cannot be understood.
    """
    return read_fcpxml(contents[0])[0]
