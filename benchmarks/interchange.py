"""How long timelines of many clips take to write and to read in every text format.

    python benchmarks/interchange.py [--sizes 1000,5000,10000,20000] [--runs 5] [--json]

The timeline is a long edit: half its clips are pictures, half their linked sound, out of 40 files
with start timecode; every tenth picture is dissolved into, every twentieth plays at half speed,
every fifth has a marker, and each has the id, confidence and reason of a decision.

``write`` is a timeline in memory to the format's text, ``read`` is the text back, ``place`` is
what `mapedit convert` does after reading: write the file, read it again, compare it and rename it
into place. All are medians of wall seconds in one process with Python's garbage collection as it
comes, in turn with OTIO's own JSON (the last column but one is the ratio of write and read to
OTIO's) and, where they are installed, the stock adapters (cmx_3600, fcp_xml, fcpx_xml). Linear
time shows in the last column: seconds per clip against those of the first size.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opentimelineio as otio

from otio_mapedit.interchange.registry import format_of, place_texts, render

RATE = 25.0
SUFFIXES = (".edl", ".xml", ".fcpxml", ".mlt")
#: Stock adapters by the format of ours that they compare with.
STOCK = {".edl": "cmx_3600", ".xml": "fcp_xml", ".fcpxml": "fcpx_xml"}
RT = otio.opentime.RationalTime


def span(start: float, duration: float) -> otio.opentime.TimeRange:
    """Frames at :data:`RATE`."""
    return otio.opentime.TimeRange(RT(start, RATE), RT(duration, RATE))


def long_edit(clips: int) -> otio.schema.Timeline:
    """A timeline of ``clips`` clips, pictures and their sound."""
    timeline = otio.schema.Timeline("Long edit", global_start_time=RT(90_000, RATE))
    picture = otio.schema.Track("V1", kind="Video")
    sound = otio.schema.Track("A1", kind="Audio")
    for number in range(clips // 2):
        file = number % 40
        media = otio.schema.ExternalReference(
            f"file:///media/day%201/A{file:03d}C001.mov", span(3_600 * 25 * file, 200_000)
        )
        media.name = f"A{file:03d}C001.mov"
        first = 3_600 * 25 * file + 100 + number % 5_000
        decision = {"id": f"k{number}", "confidence": 0.75, "reason": "speech", "link": number}
        video = otio.schema.Clip(f"Take {number}", media, span(first, 40 + number % 50))
        video.metadata["mapedit"] = decision
        audio = video.clone()
        if number % 20 == 0:
            video.effects.append(otio.schema.LinearTimeWarp(time_scalar=0.5))
            audio.effects.append(otio.schema.LinearTimeWarp(time_scalar=0.5))
        if number % 5 == 0:
            video.markers.append(otio.schema.Marker("look", span(first + 3, 1), "RED"))
        if number % 10 == 9:
            picture.append(
                otio.schema.Transition(
                    "Cross Dissolve",
                    otio.schema.TransitionTypes.SMPTE_Dissolve,
                    RT(6, RATE),
                    RT(6, RATE),
                )
            )
        picture.append(video)
        sound.append(audio)
    timeline.tracks.extend([picture, sound])
    return timeline


def ours(suffix: str, timeline: otio.schema.Timeline, folder: Path) -> dict[str, Callable[[], Any]]:
    """What is timed of one of our formats."""
    texts, _ = render(timeline, suffix)
    contents = [text.encode() for text in texts.values()]
    target = folder / f"cut{suffix}"
    return {
        "write": lambda: render(timeline, suffix),
        "read": lambda: format_of(target).read_back(contents),
        "place": lambda: place_texts(
            timeline, target, suffix, *render(timeline, suffix), force=True
        ),
    }


def theirs(adapter: str, timeline: otio.schema.Timeline) -> dict[str, Callable[[], Any]]:
    """What is timed of one of OTIO's adapters; empty where it is not installed or fails."""
    options = {"rate": RATE} if adapter == "cmx_3600" else {}
    if adapter not in otio.adapters.available_adapter_names():
        return {}
    try:
        written = timeline
        if adapter == "cmx_3600":  # it refuses a timeline with a second track
            written = timeline.deepcopy()
            del written.tracks[1:]
        text = otio.adapters.write_to_string(written, adapter)
        otio.adapters.read_from_string(text, adapter, **options)
    except Exception as error:  # whatever a stock adapter says, it is not measured
        print(f"{adapter}: {type(error).__name__}: {error}"[:200], file=sys.stderr)
        return {}
    return {
        "write": lambda: otio.adapters.write_to_string(written, adapter),
        "read": lambda: otio.adapters.read_from_string(text, adapter, **options),
    }


def measure(size: int, runs: int, stock: bool) -> dict[str, dict[str, float]]:
    """Median seconds of each step of each format, measured in turn."""
    timeline = long_edit(size)
    with tempfile.TemporaryDirectory() as folder:
        steps = {"otio_json": theirs("otio_json", timeline)}
        for suffix in SUFFIXES:
            steps[suffix] = ours(suffix, timeline, Path(folder))
            if stock and suffix in STOCK:
                steps[STOCK[suffix]] = theirs(STOCK[suffix], timeline)
        times: dict[str, dict[str, list[float]]] = {
            name: {step: [] for step in each} for name, each in steps.items()
        }
        for _ in range(runs):
            for name, each in steps.items():
                for step, call in each.items():
                    began = time.perf_counter()
                    result = call()
                    times[name][step].append(time.perf_counter() - began)
                    del result
    return {
        name: {step: statistics.median(found) for step, found in each.items()}
        for name, each in times.items()
        if each
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1000,5000,10000,20000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-stock", action="store_true", help="leave the stock adapters out")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    sizes = [int(text) for text in chosen.sizes.split(",")]
    found = {size: measure(size, chosen.runs, not chosen.no_stock) for size in sizes}
    if chosen.json:
        print(json.dumps(found, indent=2))
        return
    print(
        f"{'format':10} {'clips':>6} {'write s':>8} {'read s':>8} {'both s':>8} {'place s':>8}"
        f" {'x JSON':>7} {'per clip':>9}"
    )
    for name in dict.fromkeys(name for rows in found.values() for name in rows):
        base = 0.0
        for size, rows in found.items():
            if (row := rows.get(name)) is None:
                continue
            both = row["write"] + row["read"]
            base = base or both / size
            json_both = sum(rows["otio_json"].values())
            place = f"{row['place']:8.2f}" if "place" in row else f"{'':8}"
            print(
                f"{name:10} {size:6} {row['write']:8.2f} {row['read']:8.2f} {both:8.2f} {place}"
                f" {both / json_both:7.1f} {both / size / base:9.2f}"
            )


if __name__ == "__main__":
    main()
