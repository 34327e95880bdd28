"""The media files that are meant where timelines stand among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from ..referenced import media_paths
from ..urls import is_url
from .registry import FORMATS, READ_ONLY, read_timeline


def footage_of(paths: Sequence[Path]) -> list[Path]:
    """``paths``, with the media that it uses in place of each timeline; each file once.

    Raises:
        FormatError: a timeline cannot be understood. UsageError: it uses no media file, or media
        that is no file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.suffix.lower() not in {**FORMATS, **READ_ONLY}:
            found[path] = None
            continue
        used = list(media_paths(read_timeline(path)))
        if not used:
            raise UsageError(f"{path} uses no media file", "Name the media itself.")
        for name in used:
            if is_url(name):
                raise UsageError(f"{path} uses {name}, which is no file", "Name the media itself.")
            found[path.parent / name] = None
    return list(found)
