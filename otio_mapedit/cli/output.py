"""What reaches the screen: data on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MapeditError, OutputError
from ..files import output_error
from ..progress import Progress, silent

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO, 2: logging.DEBUG}

#: Columns of a table that is not shown on a terminal: wide enough not to fold anything.
_PIPE_WIDTH = 500


@dataclass
class _Run:
    """What this run of the program has done so far."""

    as_json: bool = False
    written: Path | None = None


_run = _Run()


def begin(as_json: bool) -> None:
    """A new command line begins; ``as_json`` says whether an error is also due as JSON."""
    _run.as_json = as_json
    _run.written = None
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal's encoding lacks must not end the program.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def wrote(path: Path) -> None:
    """Remember that ``path`` is in place."""
    _run.written = path


def written() -> Path | None:
    """What this run has put into place."""
    return _run.written


def data(text: str, end: str = "\n") -> None:
    """A result: standard output.

    Raises:
        OutputError: it cannot be written, such as to a file on a full disk.
    """
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        raise  # whoever read it has enough
    except OSError as error:
        raise output_error(Path("standard output"), error) from error


def say(text: str) -> None:
    """A message: standard error."""
    print(text, file=sys.stderr, flush=True)


def data_json(content: Any) -> None:
    """A result as JSON."""
    data(json.dumps(content, indent=2, ensure_ascii=False))


def error_facts(error: MapeditError, code: int | None = None) -> dict[str, Any]:
    """An error as plain JSON."""
    facts: dict[str, Any] = {
        "message": error.message,
        "remedy": error.remedy,
        "exit_code": error.exit_code if code is None else code,
    }
    if path := getattr(error, "path", None):
        facts["path"] = str(path)
    return facts


def fail(error: MapeditError, code: int | None = None) -> None:
    """One line on standard error; under ``--json`` an object on standard output as well."""
    complain(error)
    if _run.as_json:
        with contextlib.suppress(OSError, OutputError):
            data_json({"error": error_facts(error, code)})


def complain(error: MapeditError) -> None:
    """One line on standard error."""
    say(f"mapedit: {error}")


class _Messages(logging.Handler):
    """Log records on whatever standard error is at that moment (a progress bar replaces it)."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"mapedit: {self.format(record)}")


def listen(level: int) -> None:
    """Show the package's log from -1 (errors) over 0 (warnings) and 1 to 2 (everything)."""
    logger = logging.getLogger("otio_mapedit")
    logger.handlers = [_Messages()]
    logger.setLevel(_LEVELS[max(-1, min(2, level))])


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Progress]:
    """Bars on a terminal, silence elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def show(task: str, done: float, total: float) -> None:
            if task not in tasks:
                tasks[task] = bars.add_task(task, total=total)
            bars.update(tasks[task], completed=done, total=total)
            if done >= total:
                bars.remove_task(tasks.pop(task))

        yield show


def table(columns: Iterable[str], right: Iterable[str] = ()) -> Table:
    """An empty table in the style of the house; the columns in ``right`` hold numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    right = set(right)
    made = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def show_table(made: Table, aside: bool = False) -> None:
    """A table on standard output; ``aside``: on standard error."""
    from rich.console import Console

    stream = sys.stderr if aside else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    Console(width=width, highlight=False, stderr=aside).print(made)


def plain_text(text: str) -> Text:
    """A table's cell that is shown as it is: no markup, no control characters."""
    from rich.text import Text

    return Text("".join(c if c.isprintable() else " " for c in text))
