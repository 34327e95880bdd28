"""An edit or a timeline into its file, by the target's kind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import opentimelineio as otio

from .. import mapedit_file
from ..assemble import assemble
from ..disassemble import NOT_UNDERSTOOD, disassemble
from ..errors import FormatError
from ..files import replacing
from ..operations import DecisionList
from . import output
from .target import Target


def write_edit(decisions: DecisionList, target: Target) -> list[str]:
    """Write a decision list; gives what could not be carried, in plain sentences."""
    if target.kind == ".mapedit":
        if target.path is None:
            sys.stdout.write(mapedit_file.dumps(decisions))
            return []
        mapedit_file.write(target.path, decisions, target.force)
        output.wrote(target.path)
        return []
    return write_timeline(assemble(decisions), target)


def convert_file(source: Path, target: Target) -> list[str]:
    """Read ``source`` and write it as the target wants it; gives what could not be carried.

    Raises:
        FormatError: ``source`` is not a timeline or decision list that can be read.
    """
    if source.suffix.lower() == ".mapedit":
        return write_edit(mapedit_file.read(source), target)
    timeline = read_timeline(source)
    if target.kind != ".mapedit":
        return write_timeline(timeline, target)
    decisions = disassemble(timeline)
    remarks = decisions.metadata.get(NOT_UNDERSTOOD, [])
    return write_edit(decisions, target) + [str(remark) for remark in cast(list[Any], remarks)]


def read_timeline(path: Path) -> otio.schema.Timeline:
    """The timeline in an ``.otio`` or ``.otioz`` file.

    Raises:
        FormatError: it is not one, or cannot be read.
    """
    if path.suffix.lower() not in (".otio", ".otioz"):
        raise FormatError(f"{path} is not an edit", "Name an .otio, .otioz or .mapedit file.")
    try:
        found = otio.adapters.read_from_file(str(path))
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}", "Check the name.") from error
    except Exception as error:  # OTIO's errors have no common root, and JSON's are others again
        raise FormatError(f"{path} cannot be read: {error}", "Write it again.") from error
    if not isinstance(found, otio.schema.Timeline):
        raise FormatError(f"{path} holds no timeline", "Export the timeline itself.")
    return found


def write_timeline(timeline: otio.schema.Timeline, target: Target) -> list[str]:
    """Write a timeline; gives what could not be carried, in plain sentences."""
    if target.path is None:
        sys.stdout.write(otio.adapters.write_to_string(timeline, "otio_json") + "\n")
        return []
    with replacing(target.path, target.force) as temporary:
        temporary.unlink()  # OTIO's .otioz writer refuses a file that is there
        otio.adapters.write_to_file(timeline, str(temporary))
    output.wrote(target.path)
    return []
