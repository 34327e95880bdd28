"""``.mapedit`` files as timelines."""

from __future__ import annotations

from pathlib import Path

import opentimelineio as otio

from .. import mapedit_file
from ..assemble import assemble
from ..disassemble import disassemble


def read(path: Path) -> otio.schema.Timeline:
    """The timeline that a ``.mapedit`` file plays.

    Raises:
        FormatError, DecisionListError: see :func:`otio_mapedit.mapedit_file.read`.
    """
    return assemble(mapedit_file.read(path))


def write(timeline: otio.schema.Timeline, path: Path, host: str) -> None:
    """Write the decision list that ``timeline`` plays; ``host`` makes no difference."""
    mapedit_file.write(path, disassemble(timeline), force=True)
