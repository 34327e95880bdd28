"""``model train``: the shot network, the edit network, or a scorer of importance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..errors import OptionError, UsageError
from ..files import ensure_writable, replacing_all
from ..learning.agreement import mean_of
from ..learning.importance_data import RatedVideo, read_rated, read_splits, spread
from . import model_edit, output
from .common import ForceOption, JsonOption, QuietOption, Verb, VerboseOption, loudness

CONFIG = Path("onnx/shots.toml")


def train(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="Training configuration (TOML). [default: onnx/shots.toml]",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TVSum or SumMe with features (.h5): learn importance."),
    ] = None,
    splits: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Published splits of --data; else five random ones."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Scores of --data's videos (.json); the checkpoint lies beside it (.pt).",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Random numbers of --data. [default: 0]", min=0, max=2**31)
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Train the shot network, the edit network, or a scorer of importance.

    \b
      mapedit model train
      mapedit model train --config onnx/edit.toml
      mapedit model train --data tvsum.h5 --splits splits.json -o mine.json

    The configuration names the material, the checkpoint to write and every number that matters.
    Stop with Ctrl-C; the same command goes on from its last checkpoint. With --data a small
    scorer is trained for each split and judged on its test videos, as evaluate-importance does.
    """
    output.listen(loudness(quiet, verbose))
    if data is not None:
        if config is not None:
            raise UsageError("--data and --config exclude each other", "Give one of them.")
        _train_importance(data, splits, out, seed or 0, force, as_json, quiet)
        return
    given = {"--splits": splits, "--output": out, "--seed": seed, "--force": force or None}
    if alone := [name for name, value in given.items() if value is not None]:
        raise UsageError(f"{alone[0]} belongs to --data", "Give --data as well, or leave it out.")
    if model_edit.is_edit(config or CONFIG):
        model_edit.train(config or CONFIG, as_json, quiet)
    else:
        _train_shots(config or CONFIG, as_json, quiet)


def register(app: typer.Typer) -> None:
    """Add the verb to ``model``."""
    app.command(cls=Verb)(train)


def _train_shots(config: Path, as_json: bool, quiet: bool) -> None:
    training = model_edit.module("train")
    settings = training.TrainConfig.from_toml(config)
    with output.progress(quiet) as progress:

        def show(at: Any) -> None:
            progress("Training", at.step, at.steps)
            if at.f1 is not None and not quiet:
                output.say(f"step {at.step}: loss {at.loss:.4f}, validation F1 {at.f1:.4f}")

        checkpoint = training.train(settings, show)
    output.wrote(checkpoint)
    model_edit.present(checkpoint, "shots.onnx", as_json)


def _train_importance(
    data: Path,
    splits: Path | None,
    out: Path | None,
    seed: int,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from ..learning.importance_evaluation import evaluate
    from .importance_view import facts, table, usual_rule

    training = model_edit.module("importance")
    paths = _results(data, splits, out, force)
    videos = read_rated(data)
    names = [video.name for video in videos]
    folds = read_splits(splits, names) if splits else training.random_splits(names, seed)
    training.check(data, videos, folds)
    config = training.ImportanceConfig(seed=seed)
    with output.progress(quiet) as progress:

        def show(done: int, whole: int) -> None:
            progress("Training", done, whole)

        made = training.train_importance(videos, folds, config, show)
    sampled = training.held_out_scores(videos, made)
    named = {video.name: video for video in videos}
    frames = [{name: spread(named[name], row) for name, row in one.items()} for one in sampled]
    alone = [
        evaluate(videos, usual_rule(data), one, [fold])
        for one, fold in zip(frames, folds, strict=True)
    ]
    found = {what: mean_of([one[what] for one in alone]) for what in alone[0]}
    with replacing_all(paths, force) as (scores, checkpoint):
        scores.write_text(json.dumps(_mean_scores(videos, sampled)), encoding="utf-8")
        training.write(checkpoint, made, config)
    output.wrote(paths[0])
    if as_json:
        output.data_json(
            {
                "scores": str(paths[0]),
                "checkpoint": str(paths[1]),
                "mean": facts(found),
                "splits": [facts(one) for one in alone],
            }
        )
        return
    if len(folds) > 1:
        for number, one in enumerate(alone, 1):
            output.data(f"split {number}, {len(folds[number - 1].test)} test videos")
            output.show_table(table(one))
        output.data(f"mean of {len(folds)} splits")
    output.show_table(table(found))
    output.data(f"wrote {paths[0]} and {paths[1]}")


def _results(data: Path, splits: Path | None, out: Path | None, force: bool) -> list[Path]:
    """Where scores and checkpoint go."""
    chosen = out if out is not None else Path(f"{data.stem}-scores.json")
    stem = chosen.with_suffix("") if chosen.suffix in (".json", ".pt") else chosen
    paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".json", ".pt")]
    read = [path.resolve() for path in (data, splits) if path is not None]
    for path in paths:
        if path.resolve() in read:
            raise OptionError(f"{path} is what is read", "Give another name to write to.")
        ensure_writable(path, force)
    return paths


def _mean_scores(
    videos: Sequence[RatedVideo], sampled: Sequence[dict[str, Any]]
) -> dict[str, list[float]]:
    """Scores of each video that was in a test part: the mean over the scorers it was not learned
    by. A video that was always learned from has none, for they would flatter."""
    rows = {
        video.name: [one[video.name] for one in sampled if video.name in one] for video in videos
    }
    return {
        name: [round(float(value), 6) for value in np.mean(each, axis=0)]
        for name, each in rows.items()
        if each
    }
