"""``style``: what was learned of editors: look, copy, forget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import MapeditError, OptionError
from . import output
from .common import ForceOption, JsonOption, Verb, new_app, plural

if TYPE_CHECKING:
    from ..style import Style

app = new_app("Styles: how editors cut, learned from their timelines.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The style.")]


def described(style: Style) -> list[str]:
    """What a style says, in lines."""
    said = [f"  {name.replace('_', ' ')} {value}" for name, value in style.options.items()]
    for recipe, options in style.recipes.items():
        said += [f"  {recipe}: {name.replace('_', ' ')} {value}" for name, value in options.items()]
    if style.leaning is not None:
        strongest = sorted(
            zip(style.leaning.weights, style.leaning.features, strict=True),
            key=lambda pair: -abs(pair[0]),
        )[:4]
        words = ", ".join(
            f"{'more' if weight > 0 else 'less'} {name}" for weight, name in strongest
        )
        said.append(f"  keeps {words} (trust {style.leaning.trust:g})")
    if style.network:
        said.append(
            f"  an edit network of its own: {style.network.get('editor_before')} of moments told "
            f"right before, {style.network.get('editor_after')} since"
        )
    return said or ["  like the general rough cut"]


@app.command("list", cls=Verb)
def list_styles(as_json: JsonOption = False) -> None:
    """Name the styles that are there.

    \b
      mapedit style list
    """
    from ..style import folder, load, names

    rows = []
    for name in names():
        try:
            rows.append((name, len(load(name).lessons), ""))
        except MapeditError as error:
            rows.append((name, 0, error.message))
    if as_json:
        facts = [{"name": n, "timelines": count, "fault": fault} for n, count, fault in rows]
        output.data_json({"folder": str(folder()), "styles": facts})
        return
    for name, count, fault in rows:
        output.data(f"{name}  {fault or plural(count, 'timeline')}")
    if not rows:
        output.say(f"mapedit: no styles in {folder()}. Type: mapedit learn --style NAME TIMELINE")


@app.command(cls=Verb)
def show(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show what a style has learned, and from what.

    \b
      mapedit style show anna
    """
    from ..style import load

    style = load(name)
    lessons = [
        {"timeline": str(each.get("name", "")), "media": list(each.get("media", []))}
        for each in style.lessons
    ]
    if as_json:
        output.data_json({
            "name": style.name, "options": dict(style.options),
            "recipes": {name: dict(options) for name, options in style.recipes.items()},
            "leaning": None if style.leaning is None else {
                "trust": style.leaning.trust,
                "weights": dict(zip(style.leaning.features, style.leaning.weights, strict=True)),
            },
            "validation": dict(style.validation), "lessons": lessons,
            "generator": style.generator,
        })  # fmt: skip
        return
    output.data(f"{style.name}: {plural(len(lessons), 'timeline')}")
    for line in described(style):
        output.data(line)
    for lesson in lessons:
        output.data(f"  from {lesson['timeline']}: {', '.join(map(str, lesson['media']))}")
    checked = style.validation
    if checked.get("timelines"):
        output.data(
            f"  left out in turn: agreement {checked.get('general_f1')} in general, "
            f"{checked.get('learned_f1')} learned"
        )


@app.command(cls=Verb)
def export(
    name: NameArgument,
    destination: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to; ends in .style.json.")
    ],
    force: ForceOption = False,
) -> None:
    """Copy a style to a file, to take it along.

    \b
      mapedit style export anna anna.style.json
    """
    from ..style import SUFFIX, load, network_path
    from ..style_files import copied

    if not destination.name.endswith(SUFFIX):
        raise OptionError(f"{destination} does not end in {SUFFIX}", f"Name it {name}{SUFFIX}.")
    copied(load(name), network_path(name), destination, force)
    output.data(f"wrote {destination}")


@app.command("import", cls=Verb)
def import_style(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A .style.json file.")],
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Its name here, if another.")
    ] = "",
    force: ForceOption = False,
) -> None:
    """Take in a style from a file.

    \b
      mapedit style import anna.style.json
    """
    from dataclasses import replace

    from ..style import SUFFIX, folder, load, network_path, path_for
    from ..style_files import copied

    if not source.name.endswith(SUFFIX):
        raise OptionError(f"{source} does not end in {SUFFIX}", "Give a file that was exported.")
    style = load(str(source))
    style = replace(style, name=name or style.name or source.name.removesuffix(SUFFIX))
    if style.name.endswith(SUFFIX):
        raise OptionError(f"{style.name!r} cannot name a style", "Give it one with --as.")
    folder().mkdir(parents=True, exist_ok=True)
    copied(style, network_path(str(source)), path_for(style.name), force)
    output.data(f"wrote {path_for(style.name)}")


@app.command(cls=Verb)
def forget(name: NameArgument) -> None:
    """Delete a style.

    \b
      mapedit style forget anna
    """
    from ..style_files import forget as forgotten

    forgotten(name)
    output.data(f"forgot {name}")
