"""``learn``: how an editor cuts, from timelines that they finished."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import MapeditError
from ..timing import parse_rate
from . import output
from .common import (
    JsonOption,
    MediaRootOption,
    NoCacheOption,
    QuietOption,
    RateOption,
    Verb,
    VerboseOption,
    loudness,
    new_app,
    plural,
)
from .style import described

if TYPE_CHECKING:
    from ..learning.learn import Learned
    from ..learning.tuning import Taught
    from ..pipeline import Tools
    from ..style import Style

app = new_app()


@app.command(cls=Verb)
def learn(
    timelines: Annotated[
        list[Path],
        typer.Argument(metavar="TIMELINE", help="Finished timelines of any kind, with media."),
    ],
    name: Annotated[
        str, typer.Option("--style", metavar="NAME", help="The style to make, or to teach more.")
    ],
    media: Annotated[
        list[Path] | None,
        typer.Option(
            "--media", metavar="FOLDER",
            help="Where to look, by name, for media that is not where a timeline says.",
        ),
    ] = None,
    media_root: MediaRootOption = None,
    rate: RateOption = None,
    as_json: JsonOption = False,
    no_cache: NoCacheOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:  # fmt: skip
    """Learn how an editor cuts, from timelines that they finished.

    \b
      mapedit learn --style anna talk-final.fcpxml
      mapedit learn --style anna *.otio --media /rushes
      mapedit roughcut new.mov --style anna

    Learns margins, the shortest pause and shot, dissolves, and what this editor keeps and drops.
    Every timeline is left out once to see whether the others teach anything; what does not help is
    not used. A timeline that is known already changes nothing; a corrected one replaces what it
    taught before. Media is only read, and only its sound and a picture a second.
    """
    from ..cache import Cache, default_folder
    from ..learning.learn import learn as learned_from
    from ..pipeline import Tools
    from ..style import save

    output.listen(loudness(quiet, verbose))
    style = _existing(name)
    taught, failed = [], []
    with output.progress(quiet) as progress:
        tools = Tools(Cache(None if no_cache else default_folder()), progress)
        for path in timelines:
            known = parse_rate(rate) if rate and path.suffix.lower() == ".edl" else None
            try:
                taught.append(_taught(path, known, media_root or [], media or [], tools))
            except MapeditError as error:
                failed.append(error)
    for fault in failed:
        output.complain(fault)
    if taught:
        found = learned_from(style, taught)
        path = save(found.style)
        if style.network and not found.style.network:
            output.say(
                "mapedit: its own network was trained on less and is gone. "
                f"Type: mapedit model finetune --style '{found.style.name}'"
            )
        _present(found, taught, path, as_json=as_json, quiet=quiet)
    if failed:
        raise typer.Exit(max(fault.exit_code for fault in failed))


def _existing(name: str) -> Style:
    from ..style import SUFFIX, Style, load, path_for

    if path_for(name).is_file():
        return load(name)
    return Style(Path(name).name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else name)


def _taught(
    path: Path, rate: Any, media_root: list[str], media: list[Path], tools: Tools
) -> Taught:
    from ..interchange.media_root import parse_media_root, relocate
    from ..interchange.registry import read_reported
    from ..learning.learn import taught_by

    timeline, _ = read_reported(path, rate)
    relocate(timeline, [parse_media_root(text) for text in media_root])
    return taught_by(timeline, path, media, tools)


def _present(
    found: Learned, taught: list[Taught], path: Path, *, as_json: bool, quiet: bool
) -> None:
    offline = [f"{each.lesson.name}: {name}" for each in taught for name in each.offline]
    changed = [f"{each.lesson.name}: {name}" for each in taught for name in each.changed]
    style = found.style
    if as_json:
        output.data_json({
            "style": style.name, "path": str(path), "options": dict(style.options),
            "leaning": None if style.leaning is None else {"trust": style.leaning.trust},
            "timelines": len(style.lessons), "unchanged": len(found.unchanged),
            "corrected": len(found.corrected), "offline": offline,
            "changed": changed, "copies": [list(pair) for pair in found.copies],
            "recipes": {name: dict(options) for name, options in style.recipes.items()},
            "validation": dict(style.validation),
            "left_out": [
                {"timeline": each.name, "general_f1": each.general.f1,
                 "learned_f1": each.learned.f1, "general_error_frames": each.general.error,
                 "learned_error_frames": each.learned.error}
                for each in found.left_out
            ],
        })  # fmt: skip
        return
    for name in offline:
        output.say(f"mapedit: media not found, it teaches nothing: {name}")
    for name in changed:
        output.say(f"mapedit: media is not what it was cut from, it teaches nothing: {name}")
    for name, other in found.copies:
        output.say(f"mapedit: {name} is the same edit as {other} and counts once")
    if quiet:
        return
    once = {each.lesson.identity for each in taught}
    fresh = len(once) - len(found.unchanged) - len(found.corrected) - len(found.copies)
    output.data(
        f"{style.name}: {plural(len(style.lessons), 'timeline')}, {fresh} new, "
        f"{len(found.corrected)} corrected, {len(found.unchanged)} known already"
    )
    for line in described(style):
        output.data(line)
    _validation(found)
    output.data(f"wrote {path}")


def _validation(found: Learned) -> None:
    if not found.left_out:
        return
    table = output.table(
        ("left out", "general", "learned", "cuts off, general", "learned"),
        ("general", "learned", "cuts off, general"),
    )
    for each in found.left_out:
        table.add_row(
            output.plain_text(each.name), f"{each.general.f1:.3f}", f"{each.learned.f1:.3f}",
            f"{each.general.error:.1f}f", f"{each.learned.error:.1f}f",
        )  # fmt: skip
    output.show_table(table)
    general = sum(each.general.f1 for each in found.left_out)
    gained = sum(each.learned.f1 for each in found.left_out) - general
    if len(found.left_out) == 2 and found.left_out[0].name.endswith(", first half"):
        output.data("only one timeline: its halves were left out in turn, which proves little")
    if gained <= 0:
        output.data(
            "nothing was learned that helps with what it has not seen: the timelines show too "
            "little, or contradict each other"
        )
