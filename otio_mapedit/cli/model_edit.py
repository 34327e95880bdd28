"""The edit network's part of ``model``: train, measure, ablate, tune."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from ..files import ensure_writable, write_text
from . import output, plotting
from .common import ForceOption, JsonOption, QuietOption, Verb, VerboseOption, loudness

if TYPE_CHECKING:
    from rich.table import Table

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="Training configuration (TOML).")
]
CONFIG = Path("onnx/edit.toml")

#: What the tables show, in this order.
_SHOWN = (
    "keep", "drop", "dead air", "retake", "false start", "retake or false start", "splice", "speed",
    "covered", "unsteady", "frozen", "noise", "slate", "chatter", "grade",
)  # fmt: skip
_METHODS = {
    "network": "edit network",
    "level": "level above -30 dBFS, 0.2 s",
    "voice": "voice detector, 0.2 s",
}


def is_edit(config: Path) -> bool:
    """Whether a training configuration is the edit network's."""
    try:
        return tomllib.loads(config.read_text(encoding="utf-8")).get("kind") == "edit"
    except (OSError, ValueError):
        return False


def train(config: Path, as_json: bool, quiet: bool) -> None:
    """Train the edit network; see ``model train``."""
    training = module("edit_train")
    settings = training.EditTrainConfig.from_toml(config)
    stages = (*settings.before, settings)
    with output.progress(quiet) as progress:

        def show(at: Any) -> None:
            progress(title, at.step, at.steps)
            if at.scores is not None and not quiet:
                output.say(f"step {at.step}: loss {at.loss:.4f}, mean validation F1 {at.f1:.4f}")

        def making(done: int, count: int) -> None:
            progress("Making rushes", done, count)

        for number, stage in enumerate(stages, 1):
            title = f"Training {number} of {len(stages)}" if len(stages) > 1 else "Training"
            checkpoint = training.train_edit(stage, show, making)
    output.wrote(checkpoint)
    present(checkpoint, "edit.onnx", as_json)


def present(checkpoint: Path, network: str, as_json: bool) -> None:
    """Draw the curves of a training and say what was written."""
    curves = plotting.draw_file(checkpoint.with_suffix(".csv"))
    if as_json:
        drawn = {} if curves is None else {"curves": str(curves)}
        output.data_json({"checkpoint": str(checkpoint), **drawn})
        return
    written = f"{checkpoint}" if curves is None else f"{checkpoint} and its curves, {curves}"
    output.data(f"wrote {written}\nnext: mapedit model export {checkpoint} {network}")


def evaluate(
    network: Annotated[
        Path | None,
        typer.Argument(metavar="[NETWORK]", help="The .onnx file; default: the installed one."),
    ] = None,
    config: ConfigOption = CONFIG,
    recordings: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of recordings of speech that only test."),
    ] = None,
    films: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of films: the rushes are made of them and the recordings alone.",
        ),
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="Make the rushes of the recordings alone.")
    ] = False,
    count: Annotated[int, typer.Option(help="How many rushes.", min=1)] = 32,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Measure the edit network on rushes with known truth.

    \b
      mapedit model evaluate-rushes --recordings speech/
      mapedit model evaluate-rushes --recordings speech/ --films rushes/

    The rushes are made from what the configuration's manifest does not allow for training, or, with
    --films or --own, of your own clean material alone; recordings in a folder of the folder are one
    person's. Two baselines stand in the same table: a level threshold, the voice detector alone.
    """
    from ..weights import open_edit_network, open_edit_network_file

    output.listen(loudness(quiet, verbose))
    evaluation, training = module("edit_evaluate"), module("edit_train")
    opened = open_edit_network() if network is None else open_edit_network_file(network)
    settings = training.EditTrainConfig.from_toml(config)
    with output.progress(quiet) as progress:

        def making(done: int, whole: int) -> None:
            progress("Making test rushes", done, whole)

        if films is None and not own:
            kept = evaluation.kept_for_testing(settings.manifest, recordings)
        elif recordings is None:
            raise UsageError("no recordings to make rushes of", "Add --recordings DIR")
        else:
            kept = evaluation.own_material(recordings, films)
        tests = evaluation.trials(settings.rush_set, kept, count, making)
        measured = evaluation.measure(opened, tests)
    if as_json:
        output.data_json({name: facts(rows) for name, rows in measured.items()})
        return
    output.show_table(_operations(measured))
    output.show_table(_conditions(measured))
    whole = measured["network"]["all"]
    output.data(
        f"attention of a retake or false start points at the good take: "
        f"{whole.pointed} of {whole.pointing} steps"
    )


def ablate(
    config: ConfigOption = CONFIG,
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The table, as JSON.")
    ] = Path("build/edit-ablation.json"),
    seeds: Annotated[int, typer.Option(help="Runs of each variant.", min=1)] = 1,
    only: Annotated[
        str, typer.Option(metavar="NAMES", help="Only these variants, divided by commas.")
    ] = "",
    warm_steps: Annotated[int, typer.Option(help="Steps without the decoder.", min=1)] = 100,
    steps: Annotated[int, typer.Option(help="Steps with it.", min=1)] = 60,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Take the parts away from this trained network, instead of training without them.",
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train the edit network without each of its parts.

    \b
      mapedit model ablate-edit --seeds 3
      mapedit model ablate-edit --checkpoint build/edit.pt

    Short runs on the configuration's rushes. What is done is kept in the table; the same command
    goes on with the rest.
    """
    output.listen(loudness(quiet, 0))
    ablation, training = module("edit_ablate"), module("edit_train")
    settings = training.EditTrainConfig.from_toml(config)
    names = tuple(filter(None, (name.strip() for name in only.split(","))))
    with output.progress(quiet) as progress:

        def show(text: str, done: int, whole: int) -> None:
            progress(text, done, whole)

        if checkpoint is not None:
            rows = ablation.take_away(settings, checkpoint, show)
        else:
            rows = ablation.ablate(settings, out, seeds, names, (warm_steps, steps), show)
    taken = checkpoint and checkpoint.with_name(f"{checkpoint.stem}-taken-away.png")
    drawn = plotting.draw_rows(rows, taken or out.with_suffix(".png"))
    if as_json:
        output.data_json(rows)
        return
    output.show_table(_ablated(rows))
    if drawn is not None:
        output.data(f"wrote {drawn}")


def tune(
    config: ConfigOption = CONFIG,
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The study, as JSON.")
    ] = Path("build/edit-study.json"),
    trials: Annotated[int, typer.Option(help="How many settings to try.", min=1)] = 12,
    warm_steps: Annotated[int, typer.Option(help="Steps without the decoder.", min=1)] = 100,
    steps: Annotated[int, typer.Option(help="Steps with it.", min=1)] = 40,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Search good sizes and loss weights.

    \b
      mapedit model tune --trials 12

    Short runs; a run that is worse than half of the others at the same point is given up (Optuna's
    median pruner). The study is written after every run, and gone on with by the same command with
    more trials; --force begins anew. Nothing is changed: the best values are printed, to be written
    into the configuration.
    """
    journal = out.with_suffix(".journal")
    if not journal.exists():
        ensure_writable(out, force)
    output.listen(loudness(quiet, 0))
    tuning, training = module("edit_tune"), module("edit_train")
    settings = training.EditTrainConfig.from_toml(config)
    if force:
        journal.unlink(missing_ok=True)
    with output.progress(quiet) as progress:

        def show(done: int, whole: int) -> None:
            progress("Trying settings", done, whole)

        def note(study: Any) -> None:
            out.parent.mkdir(parents=True, exist_ok=True)
            write_text(out, tuning.as_text(study), force=True)

        study = tuning.tune(settings, trials, (warm_steps, steps), journal, show, note)
    output.wrote(out)
    plotting.draw_file(out)
    if as_json:
        output.data_json(study)
    else:
        best = ", ".join(f"{name} = {value}" for name, value in study["best"].items())
        output.data(f"wrote {out}\nbest of {len(study['trials'])}: {best}")


def register(app: typer.Typer) -> None:
    """Hang the verbs up beside the shot network's."""
    app.command("evaluate-rushes", cls=Verb)(evaluate)
    app.command("ablate-edit", cls=Verb)(ablate)
    app.command(cls=Verb)(tune)


def facts(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Scores by condition as plain JSON."""
    return {
        condition: {
            "f1": {name: round(count.f1, 4) for name, count in scores.counts.items()},
            "steps": {name: count.true for name, count in scores.counts.items()},
            "pointed": [scores.pointed, scores.pointing],
        }
        for condition, scores in rows.items()
    }


def _operations(measured: Mapping[str, Mapping[str, Any]]) -> Table:
    made = output.table(("F1", "steps", *_METHODS.values()), right=("steps", *_METHODS.values()))
    counts = {method: measured[method]["all"].counts for method in _METHODS}
    for name in _SHOWN:
        known = counts["network"].get(name)
        if known is None or not known.true:
            continue
        cells = [
            f"{counts[method][name].f1:.3f}"
            if name in counts[method] and (method == "network" or name in ("keep", "drop"))
            else "-"
            for method in _METHODS
        ]
        made.add_row(name, str(known.true), *cells)
    return made


def _conditions(measured: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = [f"{name}: {what}" for name in _METHODS.values() for what in ("keep", "drop")]
    made = output.table(("condition", *columns), right=columns)
    for condition in measured["network"]:
        cells = [
            f"{measured[method][condition].counts[what].f1:.3f}"
            for method in _METHODS
            for what in ("keep", "drop")
        ]
        made.add_row(condition, *cells)
    return made


def _ablated(rows: Mapping[str, Any]) -> Table:
    columns = ("runs", "mean", "keep", "drop", "retake", "splice", "speed", "pointed")
    made = output.table(("variant", *columns), right=columns)
    for name, row in rows.items():
        cells = [f"{row['mean'][column]:.3f}" for column in columns[1:]]
        made.add_row(name, str(row["runs"]), *cells)
    return made


def module(name: str) -> Any:
    """A module of the training package, or one line about what it needs."""
    try:
        return importlib.import_module(f"otio_mapedit.training.{name}")
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnx", "optuna"):
            raise
        raise UsageError(
            f"training needs {error.name}, which is not installed",
            "Type: pip install 'otio-mapedit[train]'",
        ) from error
