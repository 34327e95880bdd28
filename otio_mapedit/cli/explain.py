"""``explain``: an edit as a page that shows what was seen, heard and decided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..cache import Cache, default_folder
from . import output, plotting
from .common import ForceOption, JsonOption, NoCacheOption, QuietOption, Verb, new_app

app = new_app()


@app.command(cls=Verb)
def explain(
    edit: Annotated[
        Path, typer.Argument(metavar="EDIT", help="An edit: .mapedit, or any timeline of ours.")
    ],
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The page to write; a picture of every source comes beside it. "
            "[default: the edit's name with -explained.html, in the current folder]",
        ),
    ] = None,
    plot: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Training log, ablation, study or CSV table to plot, on the page and as a PNG; "
            "may be given several times.",
        ),
    ] = None,
    force: ForceOption = False,
    no_cache: NoCacheOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show why an edit is as it is: pictures, sound, importance, decisions and reasons.

    \b
      mapedit explain talk.mapedit
      mapedit explain talk.mapedit -o why.html --plot ablation.json

    The page needs nothing but itself: no script, no network. Media is looked at if it is there.
    """
    missing, pictures, target = _explained(edit, output_file, plot or [], force, no_cache, quiet)
    output.wrote(target)
    for words in missing:
        output.say(f"mapedit: {words}")
    if as_json:
        facts = {"output": str(target), "pictures": [str(path) for path in pictures]}
        output.data_json({**facts, "missing": missing})
    elif not quiet:
        output.data(f"wrote {target}\nopen it in any browser")


def _explained(
    edit: Path,
    output_file: Path | None,
    plot: list[Path],
    force: bool,
    no_cache: bool,
    quiet: bool,
) -> tuple[list[str], list[Path], Path]:
    """Write the page; what it lacks, its pictures, and where it lies."""
    from .. import mapedit_file
    from ..disassemble import disassemble
    from ..errors import UsageError
    from ..files import ensure_writable, replacing_all
    from ..interchange.registry import read_timeline
    from ..review.figure import figure
    from ..review.looks import looks
    from ..review.page import page
    from ..review.plot_pictures import can_draw, plot_picture
    from ..review.plots import read_plots
    from ..review.png import png

    target = output_file or Path(f"{edit.stem}-explained.html")
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{target.name} is no page", "Give a name that ends with .html.")
    ours = edit.suffix.lower() == mapedit_file.SUFFIX
    decisions = mapedit_file.read(edit) if ours else disassemble(read_timeline(edit))
    read = [read_plots(path) for path in plot]
    plots = [each for one in read for each in one]
    used = [s for s in decisions.sources if any(op.source == s.id for op in decisions.operations)]
    pictures = [target.with_name(f"{target.stem}-{n}.png") for n in range(1, len(used) + 1)]
    drawn = range(1, len(plot) + 1) if can_draw() else ()
    pictures += [target.with_name(f"{target.stem}-plot-{n}.png") for n in drawn]
    for path in (target, *pictures):
        ensure_writable(path, force)
    with output.progress(quiet) as progress:
        cache = Cache(None if no_cache else default_folder())
        seen = looks(decisions, cache, progress)
    contents = [page(decisions, seen, plots).encode(), *(png(figure(look)) for look in seen)]
    contents += [plot_picture(one) for one, _ in zip(read, drawn, strict=False)]
    with replacing_all([target, *pictures], force) as temporaries:
        for temporary, content in zip(temporaries, contents, strict=True):
            temporary.write_bytes(content)
    missing = [f"{look.source.name}: {words}" for look in seen for words in look.missing]
    missing += [plotting.NEEDED] if plot and not drawn else []
    return missing, pictures, target
