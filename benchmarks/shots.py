"""What `mapedit shots` costs: against decoding to thumbnails, against peers, and over hours.

    python benchmarks/shots.py FILE [FILE ...] [--runs 5] [--repeat 1] [--transnet PEER.onnx]
    python benchmarks/shots.py FILE --long [--minutes 1 10 30]

Every figure is the median wall time of fresh processes, Python's start included, run in turn. The
bare decode is what anything that looks at every picture must do at least: PyAV, as many threads
as there are processors, each picture scaled to 48 x 27 by swscale. PySceneDetect
(``pip install "scenedetect[opencv-headless]"``) is left out where it is absent. Networks answer on
one thread of onnxruntime, on the file's own pictures, in pictures a second of processor time.
``--repeat`` plays each file several times in a row, without encoding it again.

``--long`` repeats the file, without encoding it again, up to the minutes asked for, and tells the
peak memory, the seconds for each minute, and whether the cuts of the first pass are found at the
same pictures of each later one.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import shot_network
from roughcut import Run, run

Row = dict[str, float | str]
FINE = (0, 3)
"""Exit codes of a run that wrote its file; 3: something in it should be looked at."""


def decode(path: str) -> int:
    """Decode every picture to a thumbnail with plain PyAV; the number of pictures."""
    import av
    from av.video.reformatter import Interpolation, VideoReformatter

    scale, count = VideoReformatter(), 0
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for picture in container.decode(stream):
            scale.reformat(picture, 48, 27, format="rgb24", interpolation=Interpolation.AREA)
            count += 1
    return count


def shots_command(path: Path, out: Path, *flags: str) -> list[str]:
    """How the shots of a file are found from nothing and written to ``out``."""
    command = [sys.executable, "-m", "otio_mapedit", "shots", str(path), "-o", str(out)]
    return [*command, "--force", "--no-cache", "-q", *flags]


def measure(path: Path, runs: int, passes: int = 1) -> Row:
    """Median seconds of all ways through one file, played so many times, and each against the bare
    decode."""
    with tempfile.TemporaryDirectory() as folder:
        if passes > 1:
            film = Path(folder) / path.name
            repeated(path, film, passes)
            path = film
        out = Path(folder) / "shots.otio"
        commands = {
            "decode": [sys.executable, __file__, "--decode", str(path)],
            "shots": shots_command(path, out),
            "fast": shots_command(path, out, "--fast"),
        }
        if importlib.util.find_spec("scenedetect"):
            detect = ["-i", str(path), "-q", "detect-adaptive"]
            commands["scenedetect"] = [sys.executable, "-m", "scenedetect", *detect]
        row: Row = {"file": path.name, "pictures": picture_count(path)}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                times[name].append(run(command, FINE).wall)
    middle = {name: statistics.median(each) for name, each in times.items()}
    row |= {f"{name}_seconds": round(value, 2) for name, value in middle.items()}
    row |= {f"{name}_ratio": round(value / middle["decode"], 2) for name, value in middle.items()}
    return row


def picture_count(path: Path) -> int:
    """Pictures of a file."""
    from otio_mapedit.media import probe

    picture = probe(path).picture
    return picture.picture_count if picture else 0


def networks(path: Path, peer: Path | None, runs: int) -> dict[str, float]:
    """Pictures a second that the shot network, and TransNetV2, answer for, on a file's pictures."""
    import numpy as np

    from otio_mapedit.frames import thumbnails
    from otio_mapedit.media import probe
    from otio_mapedit.weights import open_network

    pictures = next(thumbnails(probe(path), batch=256)).pictures
    frames = np.resize(pictures, (1, 256, *pictures.shape[1:]))
    if peer is not None:
        return shot_network.measure(peer, Path("onnx/shots.onnx"), runs, frames)
    network = open_network(threads=1)
    network.run(frames)
    rates = [shot_network.rate(lambda: network.run(frames), 4, 192) for _ in range(runs)]
    return {"shots": statistics.median(rates)}


def repeated(path: Path, out: Path, passes: int) -> None:
    """Write the picture of a file several times in a row, packet for packet."""
    import av

    with av.open(str(out), "w") as container:
        shift: int = 0
        video = None
        for _ in range(passes):
            end = 0
            with av.open(str(path)) as source:
                template = source.streams.video[0]
                video = video or container.add_stream_from_template(template)
                for packet in source.demux(template):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = video
                    container.mux(packet)
            shift += end


def over_time(path: Path, minutes: Sequence[int]) -> Iterator[Row]:
    """The same film ever longer: what it costs, and whether the same cuts are found again."""
    from otio_mapedit.media import probe

    picture = probe(path).picture
    if picture is None:
        raise SystemExit(f"{path}: has no picture")
    length = Fraction(picture.frame_count) / picture.rate
    with tempfile.TemporaryDirectory() as folder:
        film, out = Path(folder) / f"film{path.suffix}", Path(folder) / "shots.otio"
        for wanted in minutes:
            passes = max(1, round(wanted * 60 / length))
            repeated(path, film, passes)
            done: Run = run(shots_command(film, out), FINE)
            film_minutes = float(passes * length / 60)
            row: Row = {"minutes": round(film_minutes, 1), "passes": passes}
            row |= {"seconds_per_minute": round(done.wall / film_minutes, 2)}
            row |= {"peak_mib": round(done.memory)}
            yield row | repeats(joins(out), picture.frame_count, passes)


def joins(timeline: Path) -> list[int]:
    """The frames at which the shots of a written timeline begin."""
    import opentimelineio as otio

    track = otio.adapters.read_from_file(str(timeline)).video_tracks()[0]
    clips: list[Any] = list(track.find_clips())
    return sorted(int(clip.source_range.start_time.value) for clip in clips)


def repeats(found: Sequence[int], period: int, passes: int) -> Row:
    """How many of the cuts inside the first pass are found at the same picture of the others."""
    inside = [
        {at - number * period for at in found if number * period < at < (number + 1) * period}
        for number in range(passes)
    ]
    again = sum(len(inside[0] & each) for each in inside[1:])
    return {
        "cuts": len(inside[0]),
        "again": f"{again} of {len(inside[0]) * (passes - 1)}",
        "others": sum(len(each - inside[0]) for each in inside[1:]),
    }


def table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Print rows under their columns; what a row does not have is a dash."""
    wide = {
        name: max(len(name), *(len(str(row.get(name, "-"))) for row in rows)) for name in columns
    }
    print("  ".join(f"{name.replace('_', ' '):>{wide[name]}}" for name in columns))
    for row in rows:
        print("  ".join(f"{row.get(name, '-'):>{wide[name]}}" for name in columns))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=1, help="times that each file is played")
    parser.add_argument("--transnet", type=Path, help="TransNetV2 in ONNX, its input named frames")
    parser.add_argument("--long", action="store_true", help="the first file, repeated")
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--decode", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.decode:
        decode(str(chosen.files[0]))
    elif chosen.long:
        rows = list(over_time(chosen.files[0], chosen.minutes))
        print(json.dumps({"long": rows}, indent=2)) if chosen.json else table(rows, list(rows[0]))
    else:
        rows = [measure(path, chosen.runs, chosen.repeat) for path in chosen.files]
        rates = networks(chosen.files[0], chosen.transnet, chosen.runs)
        show(rows, rates, chosen.json)


def show(rows: Sequence[Row], rates: dict[str, float], as_json: bool) -> None:
    """Print what was measured, as a table or as JSON."""
    if as_json:
        print(json.dumps({"files": rows, "networks": rates}, indent=2))
        return
    table(rows, list(rows[0]))
    if "scenedetect_seconds" not in rows[0]:
        print('scenedetect: absent (pip install "scenedetect[opencv-headless]")')
    print(f"shot network alone: {rates['shots']:,.0f} pictures/s")
    if "ratio" in rates:
        print(f"TransNetV2: {rates['transnetv2']:,.1f} pictures/s; ratio {rates['ratio']:.0f}")
    else:
        print("TransNetV2: absent (--transnet FILE.onnx)")


if __name__ == "__main__":
    main()
