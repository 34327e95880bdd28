"""Media that lies elsewhere on another machine: ``/Volumes/A001`` here, ``D:\\rushes`` there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import opentimelineio as otio

from ..errors import OptionError
from ..urls import is_absolute, is_url, path_of, url_of

_WINDOWS = re.compile(r"^[A-Za-z]:($|[/\\])|^\\\\|^//[^/]")


@dataclass(frozen=True)
class MediaRoot:
    """Media below the folder ``old`` lies below ``new``. Whole folder names count, not letters."""

    old: str
    new: str

    def moved(self, path: str) -> str | None:
        """Where ``path`` lies now, None if it is not below ``old``."""
        before, parts = _parts(self.old), _parts(path)
        same = _folded(path) if _WINDOWS.match(self.old) else parts
        wanted = _folded(self.old) if _WINDOWS.match(self.old) else before
        if is_absolute(path) != is_absolute(self.old) or same[: len(before)] != wanted:
            return None
        rest = "/".join(parts[len(before) :])
        if not rest:
            return self.new
        return self.new.rstrip("/\\") + "/" + rest


def parse_media_root(text: str) -> MediaRoot:
    """``FROM=TO``: paths of this system or of Windows, or ``file:`` URLs.

    Raises:
        OptionError: there is no ``=``, or nothing on one side of it.
    """
    old, _, new = text.partition("=")
    if not old.strip() or not new.strip():
        raise OptionError(
            f"--media-root: {text!r} is not FROM=TO", "Write it like /Volumes/A001=/mnt/a001."
        )
    return MediaRoot(path_of(old.strip()), path_of(new.strip()))


def relocate(timeline: otio.schema.Timeline, roots: Sequence[MediaRoot]) -> list[MediaRoot]:
    """Change ``timeline`` so that its media lies where ``roots`` say; the first that fits counts.

    Returns the roots below which no media lies.
    """
    used: set[MediaRoot] = set()

    def moved(path: str) -> str | None:
        for root in roots:
            if (found := root.moved(path)) is not None:
                used.add(root)
                return found
        return None

    for reference in _references(timeline):
        if isinstance(reference, otio.schema.ExternalReference):
            if (path := moved(path_of(reference.target_url or ""))) is not None:
                reference.target_url = media_url_of(path)
        elif isinstance(reference, otio.schema.ImageSequenceReference):
            folder = path_of(reference.target_url_base or "").rstrip("/")
            if (path := moved(folder)) is not None:
                reference.target_url_base = media_url_of(path).rstrip("/") + "/"
    for source in _stored(timeline):
        if (path := moved(str(source["path"]))) is not None:
            source["path"] = path
    return [root for root in roots if root not in used]


def settle(timeline: otio.schema.Timeline, folder: Path) -> None:
    """Make relative references absolute: they count from ``folder``, where the timeline lay."""
    for reference in _references(timeline):
        images = isinstance(reference, otio.schema.ImageSequenceReference)
        key = "target_url_base" if images else "target_url"
        path = path_of(getattr(reference, key, "") or "")
        if (path or images) and not is_url(path) and not is_absolute(path):
            found = url_of(os.path.normpath(folder.absolute() / path))
            setattr(reference, key, found + "/" if images else found)


def media_url_of(path: str) -> str:
    """The URL of a path; ``//server/share`` is a share of Windows."""
    return PureWindowsPath(path).as_uri() if path.startswith("\\\\") else url_of(path)


def _parts(path: str) -> list[str]:
    windows = _WINDOWS.match(path)
    text = path.replace("\\", "/") if windows else path
    return [part for part in text.split("/") if part not in ("", ".")]


def _folded(path: str) -> list[str]:
    """Parts as Windows compares them."""
    return [part.lower() for part in _parts(path)]


def _references(timeline: otio.schema.Timeline) -> Iterator[Any]:
    for clip in timeline.find_clips():
        yield from clip.media_references().values()


def _stored(timeline: otio.schema.Timeline) -> Iterator[Any]:
    """What we wrote about media into the timeline's metadata."""
    own = timeline.metadata.get("mapedit")
    sources = own.get("sources") if hasattr(own, "get") else None
    for source in sources if isinstance(sources, Sequence) else ():
        if hasattr(source, "get") and isinstance(source.get("path"), str):
            yield source


__all__ = ["MediaRoot", "media_url_of", "parse_media_root", "relocate", "settle"]
