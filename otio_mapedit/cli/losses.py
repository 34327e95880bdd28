"""What was lost on the way, for the person at the desk and for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..files import write_text
from ..interchange.loss import Loss, LossReport, Severity
from ..interchange.registry import Written
from . import output
from .common import plural
from .target import Target

#: Rows of the table on the screen.
MOST_ROWS = 20


def facts(written: Written) -> list[dict[str, Any]]:
    """Every report as plain JSON, reading first."""
    return [report.to_json() for report in written.reports]


def present(written: Written, target: Target, as_json: bool, verbose: int) -> None:
    """The reports into the file that ``--loss`` names, else as a short table.

    Under ``--json`` the answer itself holds them.

    Raises:
        OutputExistsError, OutputError: the file cannot be written.
    """
    if target.loss is not None:
        content = json.dumps({"reports": facts(written)}, indent=2, ensure_ascii=False) + "\n"
        write_text(target.loss, content, target.force)
    if as_json:
        return
    for report in written.reports:
        _show(report, verbose, rows_too=target.loss is None)


def show_reading(reports: Sequence[LossReport], verbose: int) -> None:
    """What of files that were only read is not in their timelines, as short tables."""
    for report in reports:
        _show(report, verbose, rows_too=True)


def _show(report: LossReport, verbose: int, rows_too: bool) -> None:
    """One report: how much, and the first of it; notes, which cost nothing, come last."""
    rows = [loss for loss in report.losses if loss.severity is not Severity.NOTE]
    if verbose:
        rows += [loss for loss in report.losses if loss.severity is Severity.NOTE]
    if not rows:
        return
    output.say(f"mapedit: {_heading(report)}")
    if rows_too:
        output.show_table(_table(rows[:MOST_ROWS]), aside=True)
        if len(rows) > MOST_ROWS:
            more = len(rows) - MOST_ROWS
            output.say(f"mapedit: and {more:,} more; --loss FILE writes them all")


def _heading(report: LossReport) -> str:
    """``writing edl (resolve): 2 lost, 1 changed``."""
    counted = {kind: sum(loss.severity is kind for loss in report.losses) for kind in Severity}
    parts = [f"{counted[kind]:,} {kind}" for kind in (Severity.LOST, Severity.CHANGED)]
    parts = [part for part in parts if not part.startswith("0 ")]
    if not parts:
        parts = [plural(counted[Severity.NOTE], "note")]
    verb = "reading" if report.direction == "read" else "writing"
    profile = f" ({report.profile})" if report.profile else ""
    return f"{verb} {report.format}{profile}: {', '.join(parts)}"


def _table(rows: list[Loss]) -> Any:
    columns = ("what", "of", "track", "item", "at", "how")
    made = output.table(columns)
    values = [
        (str(row.severity), row.feature, row.track, row.item, row.at, row.message) for row in rows
    ]
    for value in values:
        made.add_row(*(output.plain_text(cell) for cell in value))
    return made
