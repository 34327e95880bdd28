"""The shot network on labelled videos: run it, count, lay the numbers out, show the faults."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cache import Cache, default_folder
from ..errors import MediaError
from ..inference import predict_shots, run_network
from ..media import MediaInfo, probe
from ..progress import Progress
from ..shot_boundaries import find_shots
from ..shot_list import Boundary, ShotList
from ..weights import open_network
from . import output

if TYPE_CHECKING:
    from rich.table import Table

    from ..training.corpus import Corpus, Pixels
    from ..training.evaluate import Answer, Evaluation, Score, Shots
    from ..training.generated import Generated


@dataclass
class Found:
    """What the product found in some videos, and how long each took in seconds."""

    answers: dict[str, Answer] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    pictures: int = 0


def videos_in(folder: Path, names: Mapping[str, Any]) -> dict[str, Path]:
    """The labelled videos of a folder, whatever their suffix.

    Raises:
        MediaError: one of them is not there.
    """
    videos = {path.stem: path for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    for name in names:
        if name not in videos:
            raise MediaError(folder, f"holds no video called {name}", "Name the right folder.")
    return {name: videos[name] for name in names}


def found_shots(
    videos: Mapping[str, Path], progress: Progress, remember: bool, fast: bool = False
) -> Found:
    """First and last picture of every shot that the product finds in each video, decoding it as
    ``mapedit shots`` does.

    Raises:
        MediaError: a video cannot be read.
    """
    from ..training.evaluate import Answer

    cache = Cache(default_folder() if remember else None)
    found = Found()
    for name, path in videos.items():
        begin = time.perf_counter()
        media: MediaInfo = probe(path)
        shots = find_shots(predict_shots(media, cache, progress, fast=fast))
        found.answers[name] = Answer(pure_shots(shots), kinds_between(shots))
        found.seconds[name] = time.perf_counter() - begin
        found.pictures += media.picture.picture_count if media.picture else 0
    return found


def pure_shots(shots: ShotList) -> list[tuple[int, int]]:
    """Shots without the pictures that mix two of them, as labels count: first and last picture."""
    return [span for span, _ in _pure(shots)]


def kinds_between(shots: ShotList) -> list[str]:
    """What stands between every two of :func:`pure_shots`: cut, dissolve, wipe, or fade where a
    plain colour lies between them."""
    return [kind for _, kind in _pure(shots)][1:]


def _pure(shots: ShotList) -> list[tuple[tuple[int, int], str]]:
    """Each shot with the kind of what leads to it."""
    made = []
    faded = False
    for shot in shots.shots:
        first = shot.opening.stop if shot.opening else shot.first
        stop = shot.closing.first if shot.closing else shot.stop
        if shot.black or first >= stop:
            faded = faded or shot.black
            continue
        opening = shot.opening
        plain = faded or (opening is not None and (opening.plain or opening.kind == "fade_in"))
        made.append(((first, stop - 1), "fade" if plain else opening.kind if opening else "cut"))
        faded = False
    return made


def peer_shots(
    labels: Mapping[str, Any], folder: Path, progress: Progress
) -> dict[str, list[tuple[int, int]]]:
    """The same by TransNetV2. Raises UsageError when it is not installed."""
    from ..training import peer
    from ..training.corpus import read_frames
    from ..training.teacher import transnetv2

    network, found = transnetv2(mixed=False), {}
    videos = {path.stem: path for path in sorted(folder.iterdir())}
    for done, name in enumerate(labels):
        found[name] = peer.shots(peer.curve(read_frames(videos[name], 27, 48), network))
        progress("Watching with TransNetV2", done + 1, len(labels))
    return found


def draw_faults(
    labels: Mapping[str, Any],
    found: Found,
    names: Sequence[str],
    videos: Mapping[str, Path],
    strips: Path,
) -> None:
    """Write a picture ``strips/NAME.png`` of every fault in each of the named videos."""
    from ..training.corpus import read_frames
    from ..training.evaluate import match
    from ..training.sheets import fault_strips, write_png

    strips.mkdir(parents=True, exist_ok=True)
    for name in names:
        truth = [(int(first), int(last)) for first, last in labels[name]["shots"]]
        frames = read_frames(videos[name], 27, 48)
        write_png(
            fault_strips(frames, match(truth, found.answers[name].shots)), strips / f"{name}.png"
        )


def measure_generated(
    corpus: Corpus, edits: int, uncut_minutes: int, progress: Progress
) -> Generated:
    """The shipped network and the product's decisions on generated edits."""
    from ..training import generated

    network = open_network()

    def find(frames: Pixels) -> tuple[Shots, Sequence[Boundary]]:
        shots = find_shots(run_network(network, frames))
        return pure_shots(shots), shots.boundaries

    uncut = uncut_minutes * 60 * generated.PLAYED
    return generated.measure(
        corpus,
        find,
        edits,
        uncut,
        progress=lambda done, of: progress("Measuring generated edits", done, of),
    )


def generated_facts(measured: Generated) -> dict[str, Any]:
    """The counts as plain JSON."""
    return {
        "total": {str(width): _counts(score) for width, score in measured.total.items()},
        "kinds": {
            name: {
                "true": score.there, "found": score.found, "named": score.named,
                "said": score.said, "f1": score.f1, "end_error": score.end_error,
            }
            for name, score in measured.kinds.items()
        },
        "false_alarms_per_hour": measured.false_per_hour,
        "uncut_frames": measured.uncut_frames,
    }  # fmt: skip


def generated_table(measured: Generated) -> Table:
    """One row per kind."""
    columns = ("kind", "true", "found", "by its name", "said", "F1", "end error")
    made = output.table(columns, right=columns[1:])
    for name, score in measured.kinds.items():
        error = score.end_error
        made.add_row(
            name, *(str(count) for count in (score.there, score.found, score.named, score.said)),
            f"{score.f1:.3f}", "" if error is None else f"{error:g} frames",
        )  # fmt: skip
    return made


def facts(measured: Evaluation, found: Found | None = None) -> dict[str, Any]:
    """The counts as plain JSON."""
    made: dict[str, Any] = {
        "total": {str(width): _counts(score) for width, score in measured.total.items()},
        "videos": {
            name: {str(width): _counts(score) for width, score in scores.items()}
            for name, scores in measured.videos.items()
        },
        "kinds": {
            kind: {
                "found": one.hit, "missed": one.missed, "recall": one.recall, "named": one.named,
                "extent_error": one.extent_error,
            }
            for kind, one in measured.kinds.items()
        },
    }  # fmt: skip
    if found is not None:
        made["seconds"] = found.seconds
        made["pictures"] = found.pictures
        made["predictions"] = {
            name: {"shots": answer.shots, "kinds": answer.kinds}
            for name, answer in found.answers.items()
        }
    return made


def present(
    measured: Mapping[str, Evaluation],
    found: Found | None,
    worst: int,
    as_json: bool,
) -> None:
    """Say how well each of several answers did; ours comes first if it was asked for."""
    name, first = next(iter(measured.items()))
    if as_json:
        others = {each: facts(one) for each, one in measured.items() if each != name}
        output.data_json(facts(first, found) | {"answer": name, "others": others})
        return
    output.show_table(table(measured))
    if any(one.kinds for one in measured.values()):
        output.show_table(kinds_table(measured))
    if found is not None and found.seconds:
        total = max(sum(found.seconds.values()), 1e-9)
        output.data(
            f"{len(found.seconds)} videos, {found.pictures} pictures in {total:.1f} s: "
            f"{total / len(found.seconds):.2f} s a video, {found.pictures / total:.0f} pictures/s"
        )
    if worst:
        output.data("most faults: " + ", ".join(first.worst(worst)))


def table(measured: Mapping[str, Evaluation]) -> Table:
    """One row for each of several answers and each tolerance."""
    numbers = ("tolerance", "found", "missed", "false", "precision", "recall", "F1")
    made = output.table(("answer", *numbers), right=numbers)
    for name, evaluation in measured.items():
        for width, score in evaluation.total.items():
            counts = _counts(score)
            made.add_row(
                name, f"{width} frames",
                *(str(counts[each]) for each in ("found", "missed", "false")),
                *(f"{counts[each]:.3f}" for each in ("precision", "recall", "f1")),
            )  # fmt: skip
    return made


def kinds_table(measured: Mapping[str, Evaluation]) -> Table:
    """One row for each of several answers and each kind that the labels name."""
    numbers = ("found", "missed", "recall", "named right", "extent error")
    made = output.table(("answer", "kind", *numbers), right=numbers)
    for name, evaluation in measured.items():
        for kind, one in evaluation.kinds.items():
            off = "" if one.extent_error is None else f"{one.extent_error:g} frames"
            made.add_row(
                name, kind, str(one.hit), str(one.missed), f"{one.recall:.3f}", str(one.named), off
            )
    return made


def _counts(score: Score) -> dict[str, Any]:
    return {
        "found": score.hit, "missed": score.missed, "false": score.false,
        "precision": score.precision, "recall": score.recall, "f1": score.f1,
    }  # fmt: skip
