"""How long `mapedit shots` takes against decoding the same file to thumbnails and nothing else.

    python benchmarks/shots.py FILE [FILE ...] [--runs 5] [--json]

Every figure is the median wall time of fresh processes, Python's start included, run in turn. The
bare decode is what anything that looks at every picture must do at least: PyAV, as many threads
as there are processors, each picture scaled to 48 x 27 by swscale.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


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


def network_rate(windows: int = 20) -> float:
    """Pictures per second that the shot network alone answers for."""
    import numpy as np

    from otio_mapedit.weights import open_network

    network = open_network()
    spec = network.spec
    seen = np.random.default_rng(1).integers(0, 256, (1, spec.window, *spec.frame_shape), np.uint8)
    network.run(seen)
    times = []
    for _ in range(windows):
        begin = time.perf_counter()
        network.run(seen)
        times.append(time.perf_counter() - begin)
    return spec.stride / statistics.median(times)


def measure(path: Path, runs: int) -> dict[str, float | str]:
    """Median seconds of both ways through one file."""
    times: dict[str, list[float]] = {"decode": [], "shots": []}
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "shots.otio")
        flags = ["-o", out, "--force", "--no-cache", "-q"]
        commands = {
            "decode": [sys.executable, __file__, "--decode", str(path)],
            "shots": [sys.executable, "-m", "otio_mapedit", "shots", str(path), *flags],
        }
        for _ in range(runs):
            for name, command in commands.items():
                begin = time.perf_counter()
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                times[name].append(time.perf_counter() - begin)
                # 3: written, and something in it should be looked at.
                if done.returncode not in (0, 3):
                    raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    row: dict[str, float | str] = {"file": path.name, "pictures": picture_count(path)}
    row |= {name: round(statistics.median(each), 2) for name, each in times.items()}
    row["ratio"] = round(statistics.median(times["shots"]) / statistics.median(times["decode"]), 2)
    return row


def picture_count(path: Path) -> int:
    """Pictures of a file."""
    from otio_mapedit.media import probe

    picture = probe(path).picture
    return picture.picture_count if picture else 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--decode", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.decode:
        decode(str(chosen.files[0]))
        return
    rows = [measure(path, chosen.runs) for path in chosen.files]
    rate = round(network_rate())
    if chosen.json:
        print(json.dumps({"files": rows, "network_pictures_per_second": rate}, indent=2))
        return
    print(f"{'file':36} {'pictures':>8} {'decode s':>9} {'shots s':>8} {'ratio':>6}")
    for row in rows:
        print("{file:36.36} {pictures:8} {decode:9} {shots:8} {ratio:6}".format(**row))
    print(f"network alone: {rate} pictures/s")


if __name__ == "__main__":
    main()
