"""``python -m otio_mapedit.cli.work FOLDER ID ROOT...``: what the watcher starts for each job."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..operations import DecisionList
from .report import facts, lines, report


def describe(decisions: DecisionList) -> tuple[list[str], dict[str, Any]]:
    """An edit in a few lines and in numbers, as the command line tells it."""
    found = report(decisions)
    return lines(found, None, "plain"), facts(found)


def main(words: Sequence[str]) -> int:
    """Do one job and write its answer; gives the exit code."""
    from ..jobs.answer import write_answer
    from ..jobs.folder import open_folder
    from ..jobs.request import roots
    from ..jobs.watch import NOT_WHOLE
    from ..jobs.work import NotWholeError, carry_out

    folder = open_folder(Path(words[0]))
    allowed = roots([Path(word) for word in words[2:]], folder.path)
    try:
        answer = carry_out(folder, words[1], allowed, describe)
    except NotWholeError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_WHOLE
    write_answer(folder, answer)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
