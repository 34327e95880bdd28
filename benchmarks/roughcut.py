"""What a rough cut costs: wall time and memory against decoding the file, and against a peer.

    python benchmarks/roughcut.py --speech ../shared/data/speech/sample.wav ...
    python benchmarks/roughcut.py --film talk.mp4 --peer "auto-editor {film} --edit audio:0.04
        --export premiere --no-open --no-cache --output {output}.xml"

Without ``--film`` a film is made and kept in the folder for temporary files: 1080p30 H.264 with
moving texture and grain (one minute, repeated), 2 s between keyframes, and the given speech with
pauses as AAC sound. All programmes run as processes of their own, Python start included, in turns;
the table shows medians, and the peak memory of the largest run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

SIZE, RATE, MINUTE, SOUND_RATE = (1920, 1080), 30, 60, 48000

DECODE = """
import sys, av
with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    for picture in container.decode(stream):
        pass
"""


@dataclass(frozen=True)
class Run:
    """One process: seconds of wall clock and of processor, MiB at its peak."""

    wall: float
    cpu: float
    memory: float


def make_film(path: Path, minutes: int, speech: Sequence[Path]) -> None:
    """Write the film, by way of one encoded minute."""
    part, unfinished = path.with_suffix(".minute.mp4"), path.with_suffix(".part.mp4")
    with av.open(str(part), "w") as container:
        options = {"preset": "veryfast", "crf": "23", "g": str(2 * RATE)}
        stream = container.add_stream("libx264", RATE, options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in pictures(MINUTE * RATE):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode(None))
    with av.open(str(unfinished), "w") as container:
        with av.open(str(part)) as minute:
            video = container.add_stream_from_template(minute.streams.video[0])
        sound = container.add_stream("aac", SOUND_RATE, layout="stereo")
        samples = talk(minutes * MINUTE, speech)
        for number in range(minutes):
            with av.open(str(part)) as minute:
                template = minute.streams.video[0]
                for packet in minute.demux(template):
                    if packet.dts is not None:
                        shift = round(number * MINUTE / template.time_base)
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = video
                        container.mux(packet)
            first = number * MINUTE * SOUND_RATE
            mux_sound(container, sound, samples[first : first + MINUTE * SOUND_RATE], first)
        container.mux(sound.encode(None))
    part.unlink()
    unfinished.replace(path)


def mux_sound(container: Any, stream: Any, samples: NDArray[np.float32], first: int) -> None:
    for start in range(0, len(samples), 1024):
        block = np.ascontiguousarray(np.tile(samples[start : start + 1024], (2, 1)))
        frame = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
        frame.sample_rate = SOUND_RATE
        frame.pts, frame.time_base = first + start, Fraction(1, SOUND_RATE)
        container.mux(stream.encode(frame))


def pictures(count: int) -> Iterator[NDArray[np.uint8]]:
    """A texture that moves under grain, as planar YUV [1620, 1920]."""
    rng = np.random.default_rng(0)
    width, height = SIZE
    texture = np.kron(rng.integers(60, 190, (40, 140)), np.ones((54, 54))).astype(np.int16)
    grain = rng.normal(0, 5, (8, height, width)).astype(np.int16)
    chroma = np.full((height // 2, width), 128, np.uint8)
    for number in range(count):
        x, y = 3 * number % 4000, round(300 + 300 * np.sin(number / 40))
        luma = texture[y : y + height, x : x + width] + grain[rng.integers(8)]
        yield np.concatenate([np.clip(luma, 16, 235).astype(np.uint8), chroma])


def talk(seconds: int, speech: Sequence[Path]) -> NDArray[np.float32]:
    """The speech files in turn with pauses of 1 to 6 seconds, over a little room tone."""
    rng = np.random.default_rng(1)
    parts: list[NDArray[np.float32]] = []
    length = 0
    voices = [heard(path) for path in speech]
    while length < seconds * SOUND_RATE:
        pause = np.zeros(int(rng.uniform(1, 6) * SOUND_RATE), np.float32)
        parts += [voices[len(parts) // 2 % len(voices)], pause]
        length += sum(map(len, parts[-2:]))
    samples = np.concatenate(parts)[: seconds * SOUND_RATE]
    return samples + rng.normal(0, 0.0005, len(samples)).astype(np.float32)


def heard(path: Path) -> NDArray[np.float32]:
    resampler = av.AudioResampler("flt", "mono", SOUND_RATE)
    with av.open(str(path)) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def run(command: Sequence[str], fine: Sequence[int] = (0,)) -> Run:
    """Run a programme to its end; its output only matters if its exit code is not ``fine``.

    Python keeps what it has compiled, whatever the environment says: an installed package is
    compiled once and for all.
    """
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=kept)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) not in fine:
            output.seek(0)
            sys.exit(f"{shlex.join(command)}\n{output.read().decode(errors='replace')[-2000:]}")
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return Run(wall, usage.ru_utime + usage.ru_stime, peak)


def commands(film: Path, folder: Path, peer: str, decode: bool) -> dict[str, list[str]]:
    """What is measured, by name."""
    output = folder / "cut.otio"
    mapedit = [sys.executable, "-m", "otio_mapedit", "roughcut", str(film), "-o", str(output)]
    wanted = {"full decode (PyAV)": [sys.executable, "-c", DECODE, str(film)]} if decode else {}
    wanted |= {
        "mapedit roughcut": [*mapedit, "--force", "--quiet", "--no-cache"],
    }
    words = shlex.split(peer)
    if words and shutil.which(words[0]):
        values = {"film": str(film), "output": str(folder / "peer")}
        wanted["peer"] = [word.format(**values) for word in words]
    else:
        print("peer: absent" + (f" ({words[0]} is not a programme here)" if words else ""))
    return wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, help="the film to cut; made if not given")
    parser.add_argument("--minutes", type=int, default=10, help="length of the film that is made")
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="voices for its sound")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", default="", help="command with {film} and {output}")
    parser.add_argument("--no-decode", action="store_true", help="do not time a full decode too")
    given = parser.parse_args()
    film = given.film or Path(tempfile.gettempdir()) / f"mapedit-benchmark-{given.minutes}.mp4"
    if not film.exists():
        if not given.speech:
            parser.error("name some speech files to make the film from: --speech FILE ...")
        print(f"making {film}")
        # In a process of its own: memory that this one has used would count for its children.
        work = (film, given.minutes, given.speech)
        maker = multiprocessing.get_context("spawn").Process(target=make_film, args=work)
        maker.start()
        maker.join()
        if maker.exitcode:
            sys.exit(maker.exitcode)
    with tempfile.TemporaryDirectory() as folder:
        wanted = commands(film, Path(folder), given.peer, not given.no_decode)
        runs: dict[str, list[Run]] = {name: [] for name in wanted}
        for _ in range(given.rounds):
            for name, command in wanted.items():
                runs[name].append(run(command))
    report(film, runs)


def report(film: Path, runs: dict[str, list[Run]]) -> None:
    with av.open(str(film)) as container:
        seconds = float(container.duration or 0) / 1_000_000
    size = film.stat().st_size / 1e6
    rounds = len(next(iter(runs.values())))
    print(f"{film.name}: {seconds:.0f} s, {size:.0f} MB; medians of {rounds}")
    print(f"{'':22}{'wall s':>8}{'cpu s':>8}{'x decode':>10}{'peak MiB':>10}")
    decoding = runs.get("full decode (PyAV)", ())
    decode = statistics.median([one.wall for one in decoding] or [float("nan")])
    walls = {}
    for name, each in runs.items():
        walls[name] = statistics.median(one.wall for one in each)
        cpu = statistics.median(one.cpu for one in each)
        peak = max(one.memory for one in each)
        print(f"{name:22}{walls[name]:8.2f}{cpu:8.2f}{walls[name] / decode:10.2f}{peak:10.0f}")
    if "peer" in walls:
        print(f"mapedit takes {walls['mapedit roughcut'] / walls['peer']:.2f} x the peer's time")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"load average at the end: {load:.1f}")


if __name__ == "__main__":
    main()
