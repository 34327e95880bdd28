"""An edit or a timeline into its file, by the target's kind."""

from __future__ import annotations

import sys

import opentimelineio as otio

from .. import mapedit_file
from ..assemble import assemble
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
