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
