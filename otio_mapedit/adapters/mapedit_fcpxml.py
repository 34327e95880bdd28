"""FCPXML 1.8 to 1.13 for DaVinci Resolve and Final Cut Pro; reads .fcpxmld bundles too.

Write: -A profile=resolve|finalcut -A version=1.11; read: -a project="Cut 3" (the first otherwise).
"""

from pathlib import Path
from typing import Any

from otio_mapedit.interchange import plugin_formats
from otio_mapedit.interchange.fcpxml_reader import read_fcpxml


def read_from_file(filepath: str, project: str = "") -> Any:
    """Read one project of a file or bundle."""
    return plugin_formats.take(read_fcpxml(Path(filepath), str(project)))


def read_from_string(input_str: str, project: str = "") -> Any:
    """Read one project of an FCPXML text."""
    return plugin_formats.take(read_fcpxml(input_str.encode(), str(project)))


def write_to_file(
    input_otio: Any, filepath: str, profile: str = "plain", version: Any = "", force: bool = True
) -> None:
    """Write a file; force=False refuses to replace one."""
    plugin_formats.write(input_otio, filepath, ".fcpxml", profile, str(version), force)


def write_to_string(input_otio: Any, profile: str = "plain", version: Any = "") -> str:
    """Write the text of a file."""
    return plugin_formats.text_of(input_otio, ".fcpxml", profile, str(version))
