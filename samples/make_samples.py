"""Make ``talk.mp4`` and ``edited.mp4`` with ``truth.json`` beside them.

    python samples/make_samples.py [FOLDER]

Pictures and music are computed; the voice is the program ``flite`` (voice ``slt``), which must be
installed (Debian and Ubuntu: ``apt-get install flite``). The samples in the repository were made
by this script, so nobody needs to run it to try the product.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

import scenes
from paint import HEIGHT, WIDTH, plain, to_bytes
from presenter import covered, presenter, studio

Sound = npt.NDArray[np.float32]
SEED = 20
SAMPLE_RATE = 48_000

TALK_RATE = Fraction(25)
#: What is said, and the seconds of silence around it. "covered" and "black" are silences in which
#: the picture is of no use.
TALK: tuple[tuple[str, str | float], ...] = (
    ("pause", 1.2),
    ("say", "Hello, and welcome to the cutting room."),
    ("breath", 0.45),
    ("say", "Every cut needs a reason."),
    ("pause", 4.2),
    ("say", "When nobody speaks, the viewer waits."),
    ("breath", 0.4),
    ("say", "And a viewer who waits, leaves."),
    ("breath", 0.5),
    ("covered", 3.2),
    ("breath", 0.5),
    ("say", "Somebody put a hand on the lens. That happens."),
    ("breath", 0.5),
    ("say", "The machine listens first, and looks afterwards."),
    ("breath", 0.5),
    ("black", 2.4),
    ("breath", 0.5),
    ("say", "Then you open the timeline, and move what you like."),
    ("pause", 5.0),
    ("say", "That is all. Thank you for watching."),
    ("pause", 1.6),
)

EDITED_RATE = Fraction(30000, 1001)
#: Scene, frames until the next join, and the join: "cut", "dissolve" (frames), "fade" (frames out,
#: frames in). A dissolve lies half before and half after its cut.
EDITED: tuple[tuple[str, int, str, int], ...] = (
    ("sea", 118, "cut", 0),
    ("city", 97, "cut", 0),
    ("close_up", 74, "dissolve", 24),
    ("mountains", 131, "cut", 0),
    ("forest", 62, "cut", 0),
    ("record", 109, "fade", 20),
    ("lights", 121, "dissolve", 16),
    ("field", 128, "cut", 0),
    ("sea", 69, "end", 0),
)


def speak(text: str) -> Sound:
    """The voice at 48 kHz, without the silence around it."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", file.name], check=True)
        with wave.open(file.name) as reader:
            rate = reader.getframerate()
            said = np.frombuffer(reader.readframes(reader.getnframes()), np.int16) / 32768
    at = np.arange(len(said) * SAMPLE_RATE // rate) * rate / SAMPLE_RATE
    said = np.interp(at, np.arange(len(said)), said).astype(np.float32)
    loud = np.flatnonzero(np.abs(said) > 0.004)
    return 0.7 * said[loud[0] : loud[-1] + 1] / np.abs(said).max()


def room_tone(generator: np.random.Generator, length: int) -> Sound:
    """A quiet room, about -60 dBFS."""
    noise = generator.standard_normal(length)
    smooth = np.convolve(noise, np.ones(24) / 24, "same") * 4
    return (0.0009 * smooth).astype(np.float32)


def schedule() -> tuple[Sound, list[dict[str, Any]]]:
    """The sound of the talk and its passages; their edges lie on frames of the picture."""
    per_frame = int(SAMPLE_RATE / TALK_RATE)
    parts: list[Sound] = []
    passages: list[dict[str, Any]] = []
    at = 0
    for kind, content in TALK:
        piece = speak(content) if isinstance(content, str) else np.zeros(0, np.float32)
        seconds = 0.0 if isinstance(content, str) else content
        length = max(len(piece), round(seconds * SAMPLE_RATE))
        frames = -(-length // per_frame)
        parts.append(np.pad(piece, (0, frames * per_frame - len(piece))))
        passages.append(
            {"kind": kind, "first": at, "frames": frames}
            | ({"text": content, "seconds": len(piece) / SAMPLE_RATE} if len(piece) else {})
        )
        at += frames
    return np.concatenate(parts), passages


def talk_pictures(voice: Sound, passages: list[dict[str, Any]]) -> Iterator[npt.NDArray[np.uint8]]:
    """A frame per 1/25 s."""
    generator = np.random.default_rng(SEED)
    room = studio(SEED)
    level = np.sqrt(np.mean(np.square(voice.reshape(-1, int(SAMPLE_RATE / TALK_RATE))), axis=1))
    mouth = np.convolve(np.clip(level * 5, 0, 1), [0.25, 0.5, 0.25], "same")
    for passage in passages:
        for index in range(passage["frames"]):
            frame = passage["first"] + index
            second = float(frame / TALK_RATE)
            picture = presenter(room, second, float(mouth[frame]))
            if passage["kind"] == "covered":
                amount = min(1.0, index / 8, (passage["frames"] - 1 - index) / 8)
                picture = covered(picture, amount, second)
            if passage["kind"] == "black":
                picture = plain((0.0, 0.0, 0.0))
            else:
                grain = generator.standard_normal((HEIGHT // 2, WIDTH // 2)) * 0.006
                picture = picture + np.kron(grain, np.ones((2, 2)))[..., None]
            yield to_bytes(picture)


def talk(folder: Path) -> dict[str, Any]:
    """Write ``talk.mp4``; gives what is in it."""
    voice, passages = schedule()
    generator = np.random.default_rng(SEED)
    left = voice + room_tone(generator, len(voice))
    right = 0.9 * voice + room_tone(generator, len(voice))
    pictures = talk_pictures(voice, passages)
    write(folder / "talk.mp4", pictures, TALK_RATE, np.stack([left, right]), "01:00:00:00")
    return {
        "rate": str(TALK_RATE),
        "start_timecode": "01:00:00:00",
        "frame_count": passages[-1]["first"] + passages[-1]["frames"],
        "passages": passages,
        "voice": "flite 2.2, voice slt",
    }


def edited_pictures() -> Iterator[npt.NDArray[np.uint8]]:
    """The frames of the edited film."""
    made = [getattr(scenes, name)(SEED + index) for index, (name, *_) in enumerate(EDITED)]
    starts = np.cumsum([0, *(length for _, length, _, _ in EDITED)])
    for frame in range(int(starts[-1])):
        index = int(np.searchsorted(starts, frame, side="right")) - 1

        def of(which: int, frame: int = frame) -> npt.NDArray[np.float32]:
            return np.asarray(made[which](float((frame - starts[which] + 30) / EDITED_RATE)))

        picture = of(index)
        for join in (index - 1, index):
            if not 0 <= join < len(EDITED) - 1:
                continue
            _, _, kind, frames = EDITED[join]
            offset = frame - int(starts[join + 1])
            half = frames // 2
            if kind == "dissolve" and -half <= offset < frames - half:
                weight = (offset + half + 1) / (frames + 1)
                picture = of(join) * (1 - weight) + of(join + 1) * weight
            if kind == "fade" and -frames <= offset < frames:
                picture = picture * ((abs(offset + 0.5) - 0.5) / frames)
        yield to_bytes(picture)


def music(length: int) -> Sound:
    """Four slow chords."""
    at = np.arange(length) / SAMPLE_RATE
    chords = (
        (220.0, 261.6, 329.6),
        (174.6, 220.0, 261.6),
        (196.0, 246.9, 293.7),
        (164.8, 196, 246.9),
    )
    made = np.zeros(length)
    for index, chord in enumerate(chords * 4):
        since = at - index * 2.6
        envelope = np.clip(since / 0.4, 0, 1) * np.exp(-np.clip(since, 0, None) / 1.6) * (since > 0)
        for note in chord:
            made += 0.05 * envelope * np.sin(2 * np.pi * note * at)
    return made.astype(np.float32)


def edited(folder: Path) -> dict[str, Any]:
    """Write ``edited.mp4``; gives its shots and joins in frames."""
    starts = [int(start) for start in np.cumsum([0, *(length for _, length, _, _ in EDITED)])]
    sound = music(round(starts[-1] / EDITED_RATE * SAMPLE_RATE))
    write(
        folder / "edited.mp4", edited_pictures(), EDITED_RATE, np.stack([sound, sound]),
        "01:00:00;00",
    )  # fmt: skip
    joins: list[dict[str, Any]] = []
    for (_, _, kind, frames), at in zip(EDITED[:-1], starts[1:], strict=False):
        join: dict[str, Any] = {"kind": kind, "frame": at}
        if kind == "dissolve":
            join |= {"first": at - frames // 2, "end": at + frames - frames // 2}
        if kind == "fade":
            join |= {"first": at - frames, "end": at + frames}
        joins.append(join)
    return {
        "rate": str(EDITED_RATE),
        "start_timecode": "01:00:00;00",
        "frame_count": starts[-1],
        "joins": joins,
    }


def write(
    path: Path,
    pictures: Iterator[npt.NDArray[np.uint8]],
    rate: Fraction,
    sound: Sound,
    timecode: str,
) -> None:
    """H.264 and stereo AAC with a timecode track; ``sound`` is ``[2, samples]``."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=rate)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"crf": "24", "preset": "slow", "g": str(round(rate) * 2), "threads": "1"}
        video.metadata["timecode"] = timecode
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=96_000)
        sent = 0
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(video.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
            due = round((index + 1) / rate * SAMPLE_RATE)
            while sent < min(due, sound.shape[1]):
                block = np.ascontiguousarray(sound[:, sent : sent + 1024])
                part = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
                part.sample_rate, part.pts, part.time_base = (
                    SAMPLE_RATE,
                    sent,
                    Fraction(1, SAMPLE_RATE),
                )
                container.mux(audio.encode(part))
                sent += block.shape[1]
        container.mux(audio.encode(None))
        container.mux(video.encode(None))


def main(folder: Path) -> None:
    """Make both films and the truth about them."""
    truth = {"seed": SEED, "talk.mp4": talk(folder), "edited.mp4": edited(folder)}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
