"""``probe``, ``check`` and ``doctor``: look, write nothing."""

from __future__ import annotations

import typer

from ..errors import MapeditError
from . import output
from .common import FilesArgument, JsonOption, Verb, new_app

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
        output.data_json(
            {
                "files": [media_view.facts(info) for info in found],
                "failed": [
                    {"path": str(path), "error": output.error_facts(fault)}
                    for path, fault in failed
                ],
            }
        )
    else:
        for line in media_view.cards(found):
            output.data(line)
    for _, fault in failed:
        output.complain(fault)
    if failed:
        raise typer.Exit(max(fault.exit_code for _, fault in failed))


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
