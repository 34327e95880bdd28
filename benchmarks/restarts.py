"""Lines that break off and are begun again at once, spoken by flite and espeak-ng.

    python benchmarks/restarts.py FOLDER [--media FILE ...]

Eight sentences for each voice; before every other one its first two or three words are said, a
little slower or faster and higher or lower, and a pause of 0.15 to 0.5 s follows. Says how many of
these beginnings are surely found and how many are asked about, and what else is taken for one. The
thresholds were set on other sentences, other voices (espeak-ng's en-us and en-gb, flite's slt and
rms) and recordings of meetings. ``--media``: also count what is found in recordings, where no
truth is known: anything is likely to be wrong.

FOLDER is for the sound that is made. Needs flite, espeak-ng.
"""

from __future__ import annotations

import argparse
import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from otio_mapedit.cache import Cache
from otio_mapedit.features import sound_features
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.recipes.hearing import hear
from otio_mapedit.recipes.restarts import restarts
from otio_mapedit.recipes.takes import Takes
from otio_mapedit.sources import source_of

RATE = 16000
VOICES = (
    ("espeak-ng", "en-us+f3"),
    ("espeak-ng", "en-gb+m4"),
    ("flite", "awb"),
    ("flite", "kal16"),
)
LINES = (
    "Winter nights are long here and people tell stories.",
    "Somebody left the door open and the cat walked out.",
    "Between the two houses there is a narrow garden path.",
    "They planted twelve apple trees behind the old school.",
    "Please remember to switch the microphone on before you speak.",
    "Our second example shows a completely different kind of bridge.",
    "Without the map we would never have found that village.",
    "Music begins softly and then the whole orchestra joins in.",
)


def say(
    folder: Path, engine: str, voice: str, text: str, speed: float, pitch: float
) -> NDArray[np.float32]:
    """A text at ``speed`` and ``pitch`` times the usual, without silence around it."""
    path = folder / "said.wav"
    if engine == "flite":
        words = ["flite", "-voice", voice, "--setf", f"duration_stretch={1 / speed:.3f}"]
        words += ["--setf", f"int_f0_target_mean={110 * pitch:.1f}", "-t", text, "-o", str(path)]
    else:
        words = ["espeak-ng", "-v", voice, "-s", f"{170 * speed:.0f}", "-p", f"{50 * pitch:.0f}"]
        words += ["-w", str(path), text]
    subprocess.run(words, check=True)
    with wave.open(str(path)) as opened:
        rate = opened.getframerate()
        samples = np.frombuffer(opened.readframes(1 << 26), np.int16) / 32768
    at = np.arange(0, len(samples), rate / RATE)
    samples = np.interp(at, np.arange(len(samples)), samples)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return np.asarray(samples[loud[0] : loud[-1] + 1], np.float32)


def recording(folder: Path, engine: str, voice: str, seed: int) -> tuple[Path, list[float]]:
    """A file of all lines, and the middle of each beginning that breaks off, in seconds."""
    draw = np.random.default_rng(seed)
    parts, breaks, at = [np.zeros(RATE, np.float32)], list[float](), 1.0
    for number, line in enumerate(LINES):
        speed, pitch = draw.uniform(0.9, 1.1, 2)
        said = [say(folder, engine, voice, line, speed, pitch)]
        if number % 2 == 0:
            words = line.split()
            begun = " ".join(words[: 2 if len(words[0]) > 3 else 3]) + ","
            other = speed * draw.uniform(0.9, 1.1), pitch * draw.uniform(0.9, 1.1)
            start = say(folder, engine, voice, begun, *other)
            pause = np.zeros(int(RATE * draw.uniform(0.15, 0.5)), np.float32)
            breaks.append(at + len(start) / RATE / 2)
            said = [start, pause, *said]
        said.append(np.zeros(int(RATE * draw.uniform(0.7, 1.2)), np.float32))
        parts += said
        at += sum(map(len, said)) / RATE
    samples = np.concatenate(parts)
    samples = samples / np.abs(samples).max() / 2 + draw.normal(0, 0.0015, len(samples))
    path = folder / f"{engine}-{voice}.wav"
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes((samples * 32767).astype("<i2").tobytes())
    return path, breaks


def found(path: Path) -> tuple[MediaInfo, Takes]:
    """What the rough cut takes for a line that is begun again at once."""
    media = probe(path)
    sound = sound_features(media, Cache(None))
    return media, restarts(sound, hear(sound), source_of(media, media.name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--media", type=Path, nargs="*", default=())
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    total = np.zeros(4, int)
    for seed, (engine, voice) in enumerate(VOICES):
        path, breaks = recording(chosen.folder, engine, voice, seed)
        media, takes = found(path)
        truth = [int(each * media.rate) for each in breaks]
        right = [
            sum(any(one.range.start <= at < one.range.end for at in truth) for one in kind)
            for kind in (takes.faults, takes.doubts)
        ]
        wrong = len(takes.faults) + len(takes.doubts) - sum(right)
        total += (len(truth), *right, wrong)
        print(f"{engine} {voice}: {len(truth)} begun again, found {right[0]}, asked {right[1]}")
    print("all: {} begun again, found {}, asked {}, wrong {}".format(*total))
    seconds, hits = 0.0, 0
    for path in chosen.media:
        media, takes = found(path)
        seconds += float(media.duration)
        hits += len(takes.faults) + len(takes.doubts)
        for one in (*takes.faults, *takes.doubts):
            print(f"{path.name}: {one.reason}")
    if chosen.media:
        print(f"{len(chosen.media)} recordings, {seconds:.0f} s: {hits} found")


if __name__ == "__main__":
    main()
