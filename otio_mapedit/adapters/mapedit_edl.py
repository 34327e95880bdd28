"""CMX 3600 edit decision lists, one per video track: NAME.edl, NAME-V2.edl, ...

Write: -A profile=plain|resolve|premiere|cmx3600 (reels of 8 or 32 characters); read: -a rate=25.
"""

from pathlib import Path
from typing import Any

from otio_mapedit.interchange import plugin_formats
from otio_mapedit.interchange.edl_reader import read_edl


def read_from_file(filepath: str, rate: Any = None) -> Any:
    """Read a file, at this many frames per second."""
    return plugin_formats.take(read_edl(Path(filepath), plugin_formats.rate_of(rate)))


def read_from_string(input_str: str, rate: Any = None) -> Any:
    """Read the text of a list."""
    return plugin_formats.take(read_edl(input_str, plugin_formats.rate_of(rate)))


def write_to_file(
    input_otio: Any, filepath: str, profile: str = "plain", force: bool = True
) -> None:
    """Write one list per video track; force=False refuses to replace any."""
    plugin_formats.write(input_otio, filepath, ".edl", profile, force=force)


def write_to_string(input_otio: Any, profile: str = "plain") -> str:
    """Write the text of a timeline with one video track."""
    return plugin_formats.text_of(input_otio, ".edl", profile)
