"""xmeml (Final Cut Pro 7 XML): reads versions 4 and 5, writes 4 for Premiere Pro or Resolve.

Write: -A profile=premiere|resolve; read: -a sequence="Cut 3" (the first otherwise).
"""

from pathlib import Path
from typing import Any

from otio_mapedit.interchange import plugin_formats
from otio_mapedit.interchange.xmeml_reader import read_xmeml


def read_from_file(filepath: str, sequence: str = "") -> Any:
    """Read one sequence of a file."""
    return plugin_formats.take(read_xmeml(Path(filepath), str(sequence)))


def read_from_string(input_str: str, sequence: str = "") -> Any:
    """Read one sequence of an xmeml text."""
    return plugin_formats.take(read_xmeml(input_str.encode(), str(sequence)))


def write_to_file(
    input_otio: Any, filepath: str, profile: str = "plain", force: bool = True
) -> None:
    """Write a file; force=False refuses to replace one."""
    plugin_formats.write(input_otio, filepath, ".xml", profile, force=force)


def write_to_string(input_otio: Any, profile: str = "plain") -> str:
    """Write the text of a file."""
    return plugin_formats.text_of(input_otio, ".xml", profile)
