"""``convert``: a timeline or decision list into another kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import ForceOption, ForOption, JsonOption, QuietOption, Verb, new_app

app = new_app()


@app.command(cls=Verb)
def convert(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="The file to read.")],
    destination: Annotated[
        str, typer.Argument(metavar="TO", help="The file to write; its ending decides the kind.")
    ],
    program: ForOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Convert between .otio, .otioz and .mapedit.

    \b
      mapedit convert cut.mapedit cut.otio --for resolve
      mapedit convert cut.otio cut.mapedit

    What the new kind cannot carry is named.
    """
