"""``.mapedit`` files: a decision list as JSON that a person can read and change.

One source and one operation per line::

    {
      "MAPEDIT_SCHEMA": "DecisionList.1",
      "name": "talk",
      "rate": "25",
      "start_frame": 90000,
      "drop_frame": false,
      "recipe": "roughcut",
      "sources": [
        {"id": "talk", "path": "talk.mp4", "name": "talk.mp4", "rate": "25", ...}
      ],
      "operations": [
        {"kind": "keep", "source": "talk", "range": {"start": 0, "duration": 120}, "at": "..."},
        {"kind": "drop", "source": "talk", "range": {"start": 120, "duration": 380}, "at": "..."}
      ]
    }

``rate`` is exact (``30000/1001``). Ranges count frames of the source from its first frame (0),
whatever its timecode. ``at`` is that range as timecode, for people; like ``comment``, it may stand
in every object and is ignored on reading. Left-out members have their defaults. What each
operation means is in :mod:`otio_mapedit.operations`; the form is also described by
``decision_list.schema.json`` in this package (JSON Schema 2020-12).

A media path below the file's own folder is stored relative to it, so that the folder can move.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from .document import from_document, operation_document, source_document, to_document
from .errors import DecisionListError, FormatError
from .files import write_text
from .json_text import line_of, parse
from .operations import DecisionList, Operation, Source
from .programme import programme
from .timing import timecode
from .urls import is_absolute, is_url

SUFFIX = ".mapedit"
#: Largest file that is read: some hundred thousand operations.
LARGEST_FILE = 32 * 1024 * 1024


def dumps(decisions: DecisionList, folder: Path | None = None) -> str:
    """The text of a ``.mapedit`` file that will lie in ``folder`` (default: paths as they are).

    Raises:
        DecisionListError: something that cannot be written, such as a file name that is no text.
    """
    document = to_document(decisions)
    from_document(document)  # what could not be read back is not written
    programme(decisions)
    sources = [
        source_document(replace(source, path=_stored(source.path, folder)))
        for source in decisions.sources
    ]
    names = {source.id: source for source in decisions.sources}
    operations = [_with_timecode(op, names[op.source]) for op in decisions.operations]
    lines = [
        f"  {_compact(key)}: {_compact(value)}"
        for key, value in document.items()
        if key not in ("sources", "operations")
    ]
    lines += [_rows("sources", sources), _rows("operations", operations)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def loads(text: str, folder: Path | None = None) -> DecisionList:
    """The decision list in the text of a ``.mapedit`` file that lies in ``folder``.

    Raises:
        DecisionListError: malformed, or an operation that cannot be carried out; with line,
            field and remedy.
    """
    value = parse(text)
    try:
        decisions = from_document(value)
        programme(decisions)
    except DecisionListError as error:
        line = error.line or line_of(text, error.field)
        raise DecisionListError(error.what, error.remedy, line, error.field) from None
    sources = (replace(source, path=_found(source.path, folder)) for source in decisions.sources)
    return replace(decisions, sources=tuple(sources))


def read(path: Path) -> DecisionList:
    """The decision list in a ``.mapedit`` file; its media paths are made absolute.

    Raises:
        FormatError: not readable, too large, not text. DecisionListError: see :func:`loads`.
    """
    return loads(read_text(path, LARGEST_FILE), path.absolute().parent)


def write(path: Path, decisions: DecisionList, force: bool = False) -> None:
    """Write a ``.mapedit`` file, whole or not at all.

    Raises:
        DecisionListError: see :func:`dumps`. OutputExistsError, OutputError: see
            :func:`otio_mapedit.files.replacing`.
    """
    write_text(path, dumps(decisions, path.absolute().parent), force)


def read_text(path: Path, largest: int) -> str:
    """The text of a file of up to ``largest`` bytes, without a byte order mark.

    Raises:
        FormatError: missing, a folder, not readable, too large, or not UTF-8.
    """
    try:
        if path.is_dir():
            raise FormatError(f"{path} is a folder", "Name a file.")
        size = path.stat().st_size
        if size > largest:
            raise FormatError(
                f"{path} is too large to be an edit ({size // 2**20} MB)", "Name another file."
            )
        with path.open("rb") as file:
            data = file.read(largest + 1)
        if len(data) > largest:  # a device or a growing file
            raise FormatError(f"{path} is too large to be an edit", "Name another file.")
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "Check the name.") from None
    except OSError as error:
        raise FormatError(
            f"cannot read {path}: {error.strerror or error}", "Check the name and permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not text (byte {error.start})", "Save it as UTF-8.") from None


def _with_timecode(operation: Operation, source: Source) -> dict[str, Any]:
    document = operation_document(operation)
    first = source.start_frame + operation.range.start
    clock = (source.rate, source.drop_frame)
    shown = timecode(first, *clock)
    if operation.range.duration:
        shown += f" - {timecode(first + operation.range.duration, *clock)}"
    items = list(document.items())
    return dict([*items[:3], ("at", shown), *items[3:]])


def _rows(key: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return f"  {_compact(key)}: []"
    return f"  {_compact(key)}: [\n" + ",\n".join(f"    {_compact(row)}" for row in rows) + "\n  ]"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _stored(path: str, folder: Path | None) -> str:
    if folder is None or is_url(path) or ".." in Path(path).parts:
        return path
    place = Path(path)
    if place.is_absolute() and place.is_relative_to(folder):
        below = place.relative_to(folder).as_posix()
        return path if is_url(below) or is_absolute(below) else below
    return path


def _found(path: str, folder: Path | None) -> str:
    if folder is None or is_url(path) or is_absolute(path):
        return path
    return os.path.normpath(folder / path)
