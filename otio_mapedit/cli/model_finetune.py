"""``model finetune``: the edit network trained further for a style."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ModelError, OptionError
from . import output
from .common import JsonOption, QuietOption, Verb
from .model_edit import CONFIG, ConfigOption, module

if TYPE_CHECKING:
    from ..style import Style


def finetune(
    name: Annotated[str, typer.Option("--style", metavar="NAME", help="The style.")],
    config: ConfigOption = CONFIG,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Begin with this checkpoint instead of the installed network."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of training.", min=1)] = 40,
    rate: Annotated[float, typer.Option(help="Learning rate.", min=1e-6, max=1e-2)] = 3e-4,
    rushes: Annotated[
        int, typer.Option(help="Un-edited rushes that are mixed in, against forgetting.", min=1)
    ] = 40,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train the whole edit network on what a style was learned from.

    \b
      mapedit model finetune --style anna

    Un-edited rushes are mixed in, made as the configuration says, so that nothing is forgotten: the
    mean F1 on its validation rushes may fall by one point, else nothing is written; nor is it where
    what the style learned tells the last of its timelines better with the installed network. The
    network lies beside the style, as NAME.edit.onnx, and every --style NAME uses it from then on.
    """
    from ..learning.own_network import examples_of, with_network
    from ..network_files import networks_folder
    from ..style import load, network_path, path_for, save
    from ..weights import open_edit_network

    training, edits, store = module("finetune"), module("edit_train"), module("rush_store")
    if not path_for(name).is_file():
        raise OptionError(f"there is no style {name!r}", "Type: mapedit style list")
    style, path = load(name), network_path(name)
    lessons = examples_of(style)
    if not lessons:
        raise OptionError(
            f"the style {name} holds no examples that this version's network can read",
            f"Type: mapedit learn --style '{name}' with its timelines again.",
        )
    settings = edits.EditTrainConfig.from_toml(config)
    with output.progress(quiet) as progress:

        def show(text: str) -> Any:
            return lambda done, whole: progress(text, done, whole)

        making = show("Making rushes")
        general = store.make(settings.rush_set, range(min(rushes, settings.rushes)), making)
        first = store.VALIDATION_FROM
        held = store.make(settings.rush_set, range(first, first + settings.validation), making)
        network = training.beginning(networks_folder() / "edit.onnx", checkpoint)
        chosen = training.FinetuneConfig(steps=steps, rate=rate)
        found = training.finetune(network, lessons, general, held, chosen, show("Training"))
    base = open_edit_network()
    origin = {"style": style.name, "from": base.label, "timelines": len(lessons), "steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        training.write(network, trial, base.licence, origin)
        _worth_taking(style, trial)
    training.write(network, path, base.licence, origin)
    facts = _facts(found)
    gained = found.editor_after - found.editor_before if found.held_out else 0.0
    save(with_network(style, path, facts, gained))
    _present(path, facts, as_json=as_json)


def _facts(found: Any) -> dict[str, Any]:
    """What training showed, for the style and for people."""
    return {
        "general_before": round(found.general_before, 4),
        "general_after": round(found.general_after, 4),
        "editor_before": round(found.editor_before, 4),
        "editor_after": round(found.editor_after, 4),
        "held_out": found.held_out,
    }


def _worth_taking(style: Style, network: Path) -> None:
    """Raises ModelError: what the style learned tells the last timeline better without it."""
    from ..learning.own_network import told_by_leaning
    from ..weights import open_edit_network_file

    before, after = (
        told_by_leaning(style, using) for using in (None, open_edit_network_file(network))
    )
    if before is not None and after is not None and after <= before:
        raise ModelError(
            "what the style learned tells better what this editor keeps than a network of its own "
            "does; nothing was written",
            "The style works without it; learn from more timelines first.",
        )


def _present(path: Path, facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.data_json({"network": str(path), **facts})
        return
    which = "a timeline that was held out" if facts["held_out"] else "what it was trained on"
    output.data(
        f"moments told right in {which}: {facts['editor_before']:.3f}, now "
        f"{facts['editor_after']:.3f}"
    )
    output.data(
        f"general validation rushes, mean F1: {facts['general_before']:.3f}, now "
        f"{facts['general_after']:.3f}"
    )
    output.data(f"wrote {path}")


def register(app: typer.Typer) -> None:
    """Add the verb to ``model``."""
    app.command("finetune", cls=Verb)(finetune)
