"""What the OTIO adapter ``mapedit`` does, for OTIO's console programs and its Python users.

::

    otioconvert -i talk.mp4 -o cut.otio
    otioconvert -i talk.mp4 -o cut.otio -a recipe=shots
    otioconvert -i a.mp4 -o cut.otio -a 'extra=["b.mp4"]' -a pace=tight
    otioconvert -i cut.otio -o cut.mapedit

Options come as Python values (``otioconvert`` evaluates ``-a`` where it can) or as text; both
mean the same. Defaults are overruled by ``mapedit.toml``, that by ``MAPEDIT_*`` variables, and
those by what is given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import opentimelineio as otio

from . import mapedit_file
from .assemble import assemble
from .cache import Cache, default_folder
from .config import make_options, nearest, option_names
from .disassemble import disassemble
from .errors import FormatError, OptionError, UsageError
from .interchange.otio_dialects import from_host
from .learning.like import chosen_like
from .media import MEDIA_SUFFIXES
from .operations import DecisionList
from .pipeline import Tools, decide
from .recipes import RECIPES, recipe

_OWN = ("recipe", "extra")


def read(
    filepath: str, recipe_name: str, extra: Any, options: Mapping[str, Any]
) -> otio.schema.Timeline:
    """The timeline that a ``.mapedit`` file plays, or that a recipe cuts from footage.

    ``extra`` names more footage: a path or a list of paths.

    Raises:
        OptionError: an unknown option, the nearest one named, or an unusable value; MediaError,
        FormatError, ModelError: something that cannot be read.
    """
    path = Path(filepath)
    if path.suffix.lower() == mapedit_file.SUFFIX:
        if options or extra:
            given = next(iter(options), "extra")
            raise OptionError(f"{given!r} is for footage", "Leave it out with a .mapedit file.")
        return assemble(mapedit_file.read(path))
    chosen = recipe(str(recipe_name))
    names = option_names(chosen.Options)
    for name in options:
        if name.replace("-", "_") not in names:
            known = (*names, *_OWN)
            raise OptionError(
                f"the recipe {chosen.NAME!r} has no option {name!r}", nearest(name, known)
            )
    values = make_options(chosen.Options, chosen_like(chosen.NAME, options))
    tools = Tools(cache=Cache(default_folder()))
    return assemble(decide([path, *_paths(extra)], chosen, values, tools))


def write(timeline: Any, filepath: str, force: bool = True) -> None:
    """Write the decision list that a timeline plays.

    Raises:
        FormatError: not a timeline; UsageError: not a ``.mapedit`` file; OutputExistsError,
        OutputError: see :func:`otio_mapedit.files.replacing`.
    """
    path = Path(filepath)
    if path.suffix.lower() != mapedit_file.SUFFIX:
        raise UsageError(f"{path.name}: mapedit writes no media", "Write .mapedit or .otio.")
    mapedit_file.write(path, decisions_of(timeline), force)


def decisions_of(timeline: Any) -> DecisionList:
    """The decision list of a timeline in any program's dialect.

    Raises:
        FormatError: not a timeline.
    """
    if not isinstance(timeline, otio.schema.Timeline):
        kind = type(timeline).__name__
        raise FormatError(f"this is a {kind}, not a timeline", "Give a timeline.")
    return disassemble(from_host(timeline))


def described(introduction: str) -> str:
    """``introduction`` with the options of every recipe: what ``otiopluginfo`` shows."""
    lines = [introduction.rstrip(), "", "Reads .mapedit and: " + " ".join(MEDIA_SUFFIXES)]
    for name in RECIPES:
        chosen = recipe(name)
        lines += ["", f"recipe={name}: {chosen.SUMMARY}"]
        for field in dataclasses.fields(chosen.Options):
            choices = field.metadata.get("choices", ())
            text = field.metadata.get("help", "")
            default = "" if field.default is None else f" [{field.default}]"
            lines.append(
                f"    {field.name}{default}: {text}"
                + (f" ({', '.join(choices)})" if choices else "")
            )
    return "\n".join(lines) + "\n"


def _paths(extra: Any) -> list[Path]:
    if extra is None or extra == "":
        return []
    items = [extra] if isinstance(extra, str | Path) else extra
    if not isinstance(items, list | tuple):
        raise OptionError(f"extra: {extra!r} names no files", "Write it like extra=['b.mp4'].")
    return [Path(str(item)) for item in items]
