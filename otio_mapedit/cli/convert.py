"""``convert``: a timeline or decision list into another kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..timing import parse_rate
from . import output
from .common import (
    ForceOption,
    ForOption,
    JsonOption,
    LossOption,
    MediaRootOption,
    QuietOption,
    RateOption,
    Verb,
    VerboseOption,
    VersionOption,
    loudness,
    new_app,
)

app = new_app()


@app.command(cls=Verb)
def convert(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="The file to read.")],
    destination: Annotated[
        str, typer.Argument(metavar="TO", help="The file to write; its ending decides the kind.")
    ],
    rate: RateOption = None,
    media_root: MediaRootOption = None,
    program: ForOption = None,
    fcpxml_version: VersionOption = None,
    force: ForceOption = False,
    loss: LossOption = None,
    as_json: JsonOption = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Leave with exit code 3 if anything was lost or changed."),
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Turn a timeline into another kind of file.

    \b
      mapedit convert cut.otio cut.fcpxml --for finalcut
      mapedit convert cut.otio cut.xml --for premiere
      mapedit convert reel.edl reel.otio --rate 25
      mapedit convert cut.otio DRAFTS/cut --for jianying
      mapedit convert cut.fcpxml cut.mapedit --media-root /Volumes/A=/mnt/a

    Reads and writes .otio, .otioz, .fcpxml, .xml (Final Cut Pro 7 XML), .edl, .mlt, .aaf and
    .mapedit, and reads .fcpxmld. What could not be carried is named, clip by clip. An EDL holds one
    picture track: further ones go to TO-V2.edl and so on. TO may be - for standard output, as
    .otio.
    """
    from ..interchange.media_root import parse_media_root
    from . import losses
    from .target import target_for
    from .writing import convert_file

    output.listen(loudness(quiet, verbose))
    target = target_for(destination, program, force, [source], destination, fcpxml_version, loss)
    roots = [parse_media_root(text) for text in media_root or ()]
    written = convert_file(source, target, parse_rate(rate) if rate else None, roots)
    losses.present(written, target, as_json and target.path is not None, verbose)
    if as_json and target.path is not None:
        made = {
            "output": str(target.path),
            "outputs": [str(path) for path in written.paths],
            "for": target.program,
            "losses": losses.facts(written),
        }
        output.data_json(made)
    elif not quiet:
        for path in written.paths:
            output.data(f"wrote {path}")
    if strict and not written.clean:
        raise typer.Exit(3)
