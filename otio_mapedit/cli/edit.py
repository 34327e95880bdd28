"""``roughcut`` and ``shots``: footage in, an edit out. One verb per recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from ..cache import Cache, default_folder
from ..config import make_options
from ..errors import MediaError, UsageError
from ..interchange.footage import footage_of
from ..interchange.registry import FORMATS, READ_ONLY, Written, read_timeline
from ..learning.at_hand import used_ranges
from ..learning.like import chosen_like
from ..media import MediaInfo, probe
from ..operations import DecisionList
from ..pipeline import Tools, decide_footage
from ..recipes import RECIPES, recipe
from ..timing import FrameRange
from ..within import decide_within
from . import losses, output
from .common import (
    FilesArgument,
    ForceOption,
    ForOption,
    JsonOption,
    LossOption,
    NoCacheOption,
    OnlyUsedOption,
    OutputOption,
    QuietOption,
    StrictOption,
    Verb,
    VerboseOption,
    VersionOption,
    loudness,
    new_app,
)  # fmt: skip
from .options import with_options
from .report import facts, lines, report
from .target import Target, target_for
from .writing import write_edit

app = new_app()

_HELP = {
    "roughcut": """Make a rough cut: dead air, black and unusable passages go.

    \b
      mapedit roughcut talk.mov
      mapedit roughcut A001*.mov -o day1.otio --for resolve
      mapedit roughcut talk.mov -o talk.mapedit --margin-before 6f

    Several files become one timeline, in order of timecode, or of name where they have none or
    overlap. A timeline (.otio, .fcpxml, ...) stands for the media that it uses. Every audio track
    stays in sync with its picture. The files are only read.
    """,
    "highlights": """Make a short version: the moments that stand for the whole.

    \b
      mapedit highlights match.mp4 -d 60s --themes sports
      mapedit highlights A001*.mov -d 90s -o day1.otio --for resolve
      mapedit highlights talk.mov -d 45s --themes talk --transcript talk.srt

    Never longer than asked for. Cuts lie in pauses and between shots. Footage that is shorter
    already is kept whole. Several files become one timeline. The files are only read.
    """,
    "shots": """Find the shots of an edited file: cuts, dissolves, wipes, fades.

    \b
      mapedit shots film.mp4
      mapedit shots film.mp4 -o film.otio --for premiere

    The timeline plays like the file, with one clip per shot and real transitions of their true
    length. What the network is not sure of gets a marker.
    """,
}


def _shared(
    files: FilesArgument,
    output_file: OutputOption = None,
    program: ForOption = None,
    fcpxml_version: VersionOption = None,
    force: ForceOption = False,
    loss: LossOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
    only_used: OnlyUsedOption = False,
    no_cache: NoCacheOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """What every recipe's verb takes, whatever the recipe."""


def _verb(name: str) -> Callable[..., None]:
    def verb(
        files: list[Path],
        output_file: str | None,
        program: str | None,
        fcpxml_version: str | None,
        force: bool,
        loss: Path | None,
        as_json: bool,
        strict: bool,
        only_used: bool,
        no_cache: bool,
        quiet: bool,
        verbose: int,
        **given: Any,
    ) -> None:
        output.listen(loudness(quiet, verbose))
        options = make_options(recipe(name).Options, chosen_like(name, given))
        default = f"{files[0].stem}-{name}"
        target = target_for(output_file, program, force, files, default, fcpxml_version, loss)
        if target.path is None and as_json:
            raise UsageError("-o - and --json both need standard output", "Name a file with -o.")
        with output.progress(quiet) as progress:
            cache = Cache(None if no_cache else default_folder())
            footage = [probe(_named(path)) for path in footage_of(files)]
            tools = Tools(cache, progress)
            if only_used:
                used = _used(files, footage)
                decisions = decide_within(footage, used, recipe(name), options, tools)
            else:
                decisions = decide_footage(footage, recipe(name), options, tools)
        written = write_edit(decisions, target)
        losses.present(written, target, as_json, verbose)
        review = _present(decisions, footage, target, written, as_json=as_json, quiet=quiet)
        if strict and (review or not written.clean):
            raise typer.Exit(3)

    return verb


def _used(files: list[Path], footage: list[MediaInfo]) -> list[list[FrameRange]]:
    """What the timelines among the files use of the footage; of files that are named all."""
    kinds = {**FORMATS, **READ_ONLY}
    timelines = [path for path in files if path.suffix.lower() in kinds]
    read = [(read_timeline(path), path.absolute().parent) for path in timelines]
    named = {path.absolute() for path in files}
    used = used_ranges(read, footage)
    return [
        [] if media.path in named else spans for media, spans in zip(footage, used, strict=True)
    ]


def _named(path: Path) -> Path:
    """``path``, if a timeline can name it: OTIO holds text, and a file name may be any bytes."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise MediaError(path, "its name or folder is not valid text", "Rename it.") from error
    return path


def _present(
    decisions: DecisionList,
    footage: list[MediaInfo],
    target: Target,
    written: Written,
    as_json: bool,
    quiet: bool,
) -> int:
    """Say what was done; gives how many markers ask for a look."""
    found = report(decisions)
    warnings = [f"{media.name}: {warning}" for media in footage for warning in media.warnings]
    if as_json:
        made = {
            "output": str(target.path),
            "for": target.program,
            **facts(found),
            "warnings": warnings,
            "losses": losses.facts(written),
        }
        output.data_json(made)
        return found.review
    for warning in warnings:
        output.say(f"mapedit: {warning}")
    show = output.data if target.path is not None else output.say
    if not quiet:
        for line in lines(found, target.path, target.program):
            show(line)
    return found.review


for _name in RECIPES:
    _command = with_options(_verb(_name), _shared, recipe(_name).Options)
    _command.__doc__ = _HELP[_name]
    app.command(_name, cls=Verb)(_command)
