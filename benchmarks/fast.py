"""How `mapedit shots --fast` answers beside the full decode, on edited films of known cuts.

    python benchmarks/film.py FOLDER film.mp4
    ffmpeg -i film.mp4 -c:v libx264 -b:v 1500k -g 250 web.mp4
    python benchmarks/fast.py film.json web.mp4 [FILE ...] [--json]

The files are encodings of the film that the labels are about, of its rate; shots past the end of a
file are left out. F1 is that of boundaries at a tolerance of 2 frames, of the full decode and of
``--fast`` against the labels, and of one against the other. Seconds are those of one pass each, in
this process, without the cache: ``benchmarks/shots.py`` measures speed.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from otio_mapedit.cache import Cache
from otio_mapedit.cli.measuring import pure_shots
from otio_mapedit.inference import predict_shots
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.shot_boundaries import find_shots
from otio_mapedit.training.evaluate import score

TOLERANCE = 2

Spans = list[tuple[int, int]]


def shots_of(media: MediaInfo, fast: bool) -> tuple[Spans, float]:
    """The shots of a file, and the seconds it took to find them."""
    began = time.perf_counter()
    found = pure_shots(find_shots(predict_shots(media, Cache(None), fast=fast)))
    return found, time.perf_counter() - began


def measure(path: Path, labelled: Spans) -> dict[str, float | str]:
    """Both ways through one file."""
    media = probe(path)
    if media.picture is None:
        raise SystemExit(f"{path}: has no picture")
    truth = [span for span in labelled if span[1] < media.picture.frame_count]
    (full, full_seconds), (fast, fast_seconds) = shots_of(media, False), shots_of(media, True)
    return {
        "file": path.name,
        "full": round(score(truth, full, TOLERANCE).f1, 4),
        "fast": round(score(truth, fast, TOLERANCE).f1, 4),
        "agree": round(score(full, fast, TOLERANCE).f1, 4),
        "full_seconds": round(full_seconds, 1),
        "fast_seconds": round(fast_seconds, 1),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path, help="what film.py wrote beside the film")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    (record,) = json.loads(given.labels.read_text()).values()
    labelled = [(first, last) for first, last in record["shots"]]
    rows = [measure(path, labelled) for path in given.files]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'file':28} {'full F1':>8} {'fast F1':>8} {'agree':>7} {'full s':>7} {'fast s':>7}")
    line = "{file:28.28} {full:8} {fast:8} {agree:7} {full_seconds:7} {fast_seconds:7}"
    for row in rows:
        print(line.format(**row))


if __name__ == "__main__":
    main()
