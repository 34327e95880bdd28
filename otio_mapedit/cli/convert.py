"""``convert``: a timeline or decision list into another kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import output
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

    What the new kind cannot carry is named. TO may be - for standard output, as .otio.
    """
    from .target import target_for
    from .writing import convert_file

    output.listen(-1 if quiet else 0)
    target = target_for(destination, program, force, [source], destination)
    remarks = convert_file(source, target)
    if as_json and target.path is not None:
        output.data_json({"output": str(target.path), "for": target.program, "warnings": remarks})
        return
    for remark in remarks:
        output.say(f"mapedit: {remark}")
    if target.path is not None and not quiet:
        output.data(f"wrote {target.path}")
