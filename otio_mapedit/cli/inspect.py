"""``probe``, ``check`` and ``doctor``: look, write nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import MapeditError
from ..timing import parse_rate
from . import output
from .common import FilesArgument, JsonOption, RateOption, Verb, new_app

app = new_app()


@app.command(cls=Verb)
def probe(files: FilesArgument, as_json: JsonOption = False) -> None:
    """Show what is in media files: rate, timecode, picture, sound.

    \b
      mapedit probe A001_C003.mov
      mapedit probe *.mp4 --json

    Nothing is decoded, so it is quick. A file that cannot be read is named and the others are
    shown; the exit code is then 4.
    """
    from ..media import probe as probe_file
    from . import media_view

    found, failed = [], []
    for path in files:
        try:
            found.append(probe_file(path))
        except MapeditError as error:
            failed.append((path, error))
    if as_json:
        facts = [media_view.facts(info) for info in found]
        output.data_json({"files": facts, "failed": _failures(failed)})
    else:
        for line in media_view.cards(found):
            output.data(line)
    _leave(failed)


@app.command(cls=Verb)
def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Timelines of any kind: .otio, .fcpxml, .edl, ...."),
    ],
    rate: RateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a timeline: nothing offline, nothing outside its media.

    \b
      mapedit check cut.otio
      mapedit check reel.edl --rate 25

    Faults are what makes an edit wrong or offline; remarks are worth a look. Exit code 3 if there
    is a fault.
    """
    from ..check import check_file

    found, failed = [], []
    given = parse_rate(rate) if rate else None
    for path in files:
        # The rate is for the EDLs among the files.
        known = given if path.suffix.lower() == ".edl" else None
        try:
            found.append((path, check_file(path, known)))
        except MapeditError as error:
            failed.append((path, error))
    if as_json:
        facts = [
            {"path": str(path), "faults": list(report.faults), "remarks": list(report.remarks)}
            for path, report in found
        ]
        output.data_json({"files": facts, "failed": _failures(failed)})
    for path, report in () if as_json else found:
        for fault in report.faults:
            output.data(f"{path}: fault: {fault}")
        for remark in report.remarks:
            output.data(f"{path}: remark: {remark}")
        if report.sound:
            output.data(f"{path}: no faults")
    _leave(failed)
    if not all(report.sound for _, report in found):
        raise typer.Exit(3)


@app.command(cls=Verb)
def doctor(as_json: JsonOption = False) -> None:
    """Show whether everything is in place, and what would be faster.

    \b
      mapedit doctor

    Exit code 5 if a network is missing or altered, 3 if something else is wrong.
    """
    from ..doctor import BAD_NETWORK, FAULT, OK, examine

    found = examine()
    states = {fact.state for fact in found}
    code = 5 if BAD_NETWORK in states else 3 if FAULT in states else 0
    if as_json:
        facts = [
            {"subject": f.subject, "value": f.value, "state": f.state, "remedy": f.remedy}
            for f in found
        ]
        output.data_json({"facts": facts, "exit_code": code})
    else:
        width = max(len(fact.subject) for fact in found)
        for fact in found:
            mark = {OK: " "}.get(fact.state, "!")
            output.data(f"{mark} {fact.subject:<{width}}  {fact.value}")
            if fact.remedy:
                output.data(f"  {'':<{width}}  {fact.remedy}")
    if code:
        raise typer.Exit(code)


def _failures(failed: list[tuple[Path, MapeditError]]) -> list[dict[str, Any]]:
    """The files that could not be read, as plain JSON."""
    return [{"path": str(path), "error": output.error_facts(error)} for path, error in failed]


def _leave(failed: list[tuple[Path, MapeditError]]) -> None:
    """Name the files that could not be read, and leave with the exit code of the worst."""
    for _, error in failed:
        output.complain(error)
    if failed:
        raise typer.Exit(max(error.exit_code for _, error in failed))
