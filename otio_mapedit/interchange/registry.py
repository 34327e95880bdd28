"""Every file format that holds a timeline, in one table, chosen by suffix.

A format is a module of this package with ``read(path) -> Timeline`` and
``write(timeline, path, host)``. Timelines travel between them in plain OTIO. Every file is written
beside its destination, read again and compared, and only then renamed into place.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol, cast

import opentimelineio as otio

from ..config import nearest
from ..disassemble import NOT_UNDERSTOOD, disassemble
from ..errors import OptionError, UsageError
from ..files import ensure_writable, replacing
from .otio_dialects import HOSTS

#: Module by suffix.
FORMATS = {
    ".otio": "otio_file",
    ".otioz": "otio_bundle",
    ".mapedit": "mapedit_format",
}


class Format(Protocol):
    """What the modules in :data:`FORMATS` provide."""

    def read(self, path: Path) -> otio.schema.Timeline:
        """The timeline in a file, in plain OTIO."""

    def write(self, timeline: otio.schema.Timeline, path: Path, host: str) -> None:
        """Write a timeline over ``path``, in the dialect of ``host``, and check it."""


def format_of(path: Path) -> Format:
    """The format of a file, by its suffix.

    Raises:
        UsageError: a suffix that is not known.
    """
    name = FORMATS.get(path.suffix.lower())
    if name is None:
        raise UsageError(
            f"{path.name}: {path.suffix or 'a name without suffix'} is not a timeline format",
            f"Use one of: {', '.join(FORMATS)}.",
        )
    return cast(Format, importlib.import_module(f"{__package__}.{name}"))


def read_timeline(path: Path) -> otio.schema.Timeline:
    """The timeline in a file, in plain OTIO whatever program wrote it.

    Raises:
        UsageError: a suffix that is not known. FormatError: the file cannot be understood.
    """
    return format_of(path).read(path)


def write_timeline(
    timeline: otio.schema.Timeline, path: Path, host: str = "plain", force: bool = False
) -> list[str]:
    """Write ``timeline`` in the dialect of ``host``, one of ``plain``, ``resolve``, ``premiere``.

    Returns what the format could not carry, in plain sentences.

    Raises:
        UsageError: an unknown suffix or host; FormatError: the format cannot carry the timeline;
        MediaError: media to be bundled is missing; OutputExistsError, OutputError: see
        :func:`otio_mapedit.files.replacing`.
    """
    if host not in HOSTS:
        raise OptionError(f"there is no host {host!r}", nearest(host, HOSTS))
    chosen = format_of(path)
    with replacing(path, force) as temporary:
        chosen.write(timeline, temporary, host)
    return _lost(timeline) if path.suffix.lower() == ".mapedit" else []


def convert(source: Path, target: Path, host: str = "plain", force: bool = False) -> list[str]:
    """Turn one timeline file into another, by their suffixes.

    Media that exists only in an ``.otioz`` is unpacked to a folder beside ``target``. Returns what
    the new format cannot carry, in plain sentences.

    Raises:
        As :func:`read_timeline` and :func:`write_timeline`.
    """
    format_of(target)
    ensure_writable(target, force)
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target} is the file to read", "Give the result another name.")
    timeline = read_timeline(source)
    if source.suffix.lower() == ".otioz":
        from .otio_bundle import unpack

        unpack(source, timeline, target.parent / f"{target.stem} media", force)
    return write_timeline(timeline, target, host, force)


def _lost(timeline: otio.schema.Timeline) -> list[str]:
    """What a decision list cannot say about a timeline."""
    notes = disassemble(timeline).metadata.get(NOT_UNDERSTOOD, [])
    return [str(note) for note in notes] if isinstance(notes, list) else []


__all__ = [
    "FORMATS",
    "HOSTS",
    "convert",
    "format_of",
    "read_timeline",
    "write_timeline",
]
