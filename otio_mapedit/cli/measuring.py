"""The shot network on labelled videos: run it, count, lay the numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cache import Cache, default_folder
from ..errors import MediaError
from ..inference import predict_shots, run_network
from ..media import probe
from ..progress import Progress
from ..shot_boundaries import find_shots
from ..shot_list import Boundary, ShotList
from ..weights import open_network
from . import output

if TYPE_CHECKING:
    from rich.table import Table

    from ..training.corpus import Corpus, Pixels
    from ..training.evaluate import Evaluation, Score, Shots
    from ..training.generated import Generated


def found_shots(
    labels: Mapping[str, Any], folder: Path, progress: Progress, remember: bool
) -> dict[str, list[tuple[int, int]]]:
    """First and last picture of every shot that the product finds in each labelled video.

    Raises:
        MediaError: a labelled video is not in ``folder``, or cannot be read.
    """
    cache = Cache(default_folder() if remember else None)
    videos = {path.stem: path for path in sorted(folder.iterdir())} if folder.is_dir() else {}
    found = {}
    for name in labels:
        if name not in videos:
            raise MediaError(folder, f"holds no video called {name}", "Name the right folder.")
        predictions = predict_shots(probe(videos[name]), cache, progress)
        found[name] = pure_shots(find_shots(predictions))
    return found


def pure_shots(shots: ShotList) -> list[tuple[int, int]]:
    """Shots without the pictures that mix two of them, as labels count: first and last picture."""
    made = []
    for shot in shots.shots:
        first = shot.opening.stop if shot.opening else shot.first
        stop = shot.closing.first if shot.closing else shot.stop
        if not shot.black and first < stop:
            made.append((first, stop - 1))
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
    found: Mapping[str, Shots],
    names: Sequence[str],
    folder: Path,
    strips: Path,
) -> None:
    """Write a picture ``strips/NAME.png`` of every fault in each of the named videos."""
    from ..training.corpus import read_frames
    from ..training.evaluate import match
    from ..training.sheets import fault_strips, write_png

    strips.mkdir(parents=True, exist_ok=True)
    videos = {path.stem: path for path in sorted(folder.iterdir())}
    for name in names:
        truth = [(int(first), int(last)) for first, last in labels[name]["shots"]]
        frames = read_frames(videos[name], 27, 48)
        write_png(fault_strips(frames, match(truth, found[name])), strips / f"{name}.png")


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


def facts(measured: Evaluation) -> dict[str, Any]:
    """The counts as plain JSON."""
    return {
        "total": {str(width): _counts(score) for width, score in measured.total.items()},
        "videos": {
            name: {str(width): _counts(score) for width, score in scores.items()}
            for name, scores in measured.videos.items()
        },
    }


def table(measured: Evaluation) -> Table:
    """One row per tolerance."""
    columns = ("tolerance", "found", "missed", "false", "precision", "recall", "F1")
    made = output.table(columns, right=columns)
    for width, score in measured.total.items():
        counts = _counts(score)
        made.add_row(
            f"{width} frames", *(str(counts[name]) for name in ("found", "missed", "false")),
            *(f"{counts[name]:.3f}" for name in ("precision", "recall", "f1")),
        )  # fmt: skip
    return made


def _counts(score: Score) -> dict[str, Any]:
    return {
        "found": score.hit, "missed": score.missed, "false": score.false,
        "precision": score.precision, "recall": score.recall, "f1": score.f1,
    }  # fmt: skip
