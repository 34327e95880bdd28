"""Editors by script, each with a clear habit, and the rushes that they cut.

Rushes are sound files under made pictures (a texture that moves for a few seconds, then stands
still); for the editor of takes they are lines that synthesised voices (flite, espeak-ng) say one to
three times, each time otherwise. Timelines are written by our own writers, without anything of ours
in them, with renamed and split clips, and left-out parts disabled instead of deleted here and
there. Used by ``personas.py`` and ``finetuned.py``.
"""

from __future__ import annotations

import random
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio

from otio_mapedit.assemble import assemble
from otio_mapedit.config import make_options
from otio_mapedit.inference import Predictions
from otio_mapedit.interchange.registry import read_timeline, write_timeline
from otio_mapedit.learning.learn import taught_by
from otio_mapedit.learning.tuning import Taught
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.pipeline import Tools, predict
from otio_mapedit.recipes import recipe, roughcut
from otio_mapedit.recipes.hearing import hear
from otio_mapedit.recipes.selection import select
from otio_mapedit.recipes.styled import MOMENT, MOMENT_FEATURES, moments
from otio_mapedit.solve import holes, runs, union
from otio_mapedit.sources import source_of
from otio_mapedit.timing import FrameRange
from otio_mapedit.training.voices import TESTING, spoken_lines

RATE = 25
FORMATS = (".otio", ".fcpxml", ".xml", ".edl")
RATE_OF_SOUND = 16_000
FIRST_TAKES: dict[str, list[tuple[float, float]]] = {}
"""Seconds of the first take of every line, by the name of the film."""


def make_rush(sound: Path, target: Path, chance: random.Random) -> None:
    """A film of a sound file: a texture that pans or stands still, a few seconds each. Where the
    same film lies at ``target`` already, it is left as it is, and what is known of it counts."""
    made = target.with_stem(target.stem + "-made")
    texture = np.random.default_rng(chance.randrange(2**31)).integers(30, 220, (90, 400), np.uint8)
    texture = np.repeat(np.repeat(texture[::6, ::6], 6, 0), 6, 1)[:54]
    with av.open(str(sound)) as given, av.open(str(made), "w") as film:
        track = given.streams.audio[0]
        picture = film.add_stream("libx264", rate=RATE, options={"g": "25", "crf": "30"})
        picture.codec_context.thread_count = 1  # several do not write the same file twice
        picture.width, picture.height, picture.pix_fmt = 96, 54, "yuv420p"
        voice = film.add_stream("aac", rate=16000, layout="mono")
        seconds = float(track.duration * track.time_base)
        at, until, moving = 0, 0.0, False
        for number in range(int(seconds * RATE)):
            if number >= until:
                until, moving = number + chance.uniform(2, 5) * RATE, not moving
            at += 5 * moving
            shown = np.roll(texture, at, axis=1)[:, :96]
            grey = np.full((len(shown) // 2, 96), 128, np.uint8)  # both planes of colour
            frame = av.VideoFrame.from_ndarray(np.concatenate([shown, grey]), "yuv420p")
            film.mux(picture.encode(frame))
        film.mux(picture.encode())
        resampler = av.AudioResampler("fltp", "mono", 16000)
        for packet in given.demux(track):
            for decoded in packet.decode():
                for one in resampler.resample(decoded):
                    film.mux(voice.encode(one))
        film.mux(voice.encode())
    if target.exists() and target.read_bytes() == made.read_bytes():
        made.unlink()
    else:
        made.replace(target)


def made_rushes(sounds: Path, folder: Path) -> list[Path]:
    """Films in ``folder`` of every recording in ``sounds`` that is long enough."""
    films, chance = [], random.Random(5)
    for sound in sorted(path for path in sounds.glob("*.wav") if path.stat().st_size > 500_000):
        films.append(folder / f"{sound.stem}.mp4")
        make_rush(sound, films[-1], chance)
    return films


def with_options(**options: str) -> Callable[[Predictions], list[FrameRange]]:
    """An editor who cuts as the rough cut does, with other margins."""
    chosen = make_options(roughcut.Options, options)

    def cut(known: Predictions) -> list[FrameRange]:
        pieces = select(known, roughcut.manner(chosen), known.media.rate)
        return union(piece.range for piece in pieces if piece.kept)

    return cut


def keeps_reactions(known: Predictions) -> list[FrameRange]:
    """Keeps speech, and every sound of a third of a second that is nearly as loud."""
    heard = hear(known.sound)
    loud = (heard.level > heard.against - 14) & ~heard.speech
    spans = [FrameRange(0, 0)]
    for first, stop in [*runs(heard.speech), *runs(loud)]:
        if heard.speech[first] or stop - first >= 30:
            start, end = (max(0, first - 15) * RATE // 100, (stop + 20) * RATE // 100)
            spans.append(FrameRange.between(start, min(end, known.media.frame_count)))
    return [span for span in union(spans) if span.duration]


def drops_still_pictures(known: Predictions) -> list[FrameRange]:
    """Keeps speech under a moving picture only."""
    values = moments(known, hear(known.sound))
    motion = values[:, MOMENT_FEATURES.index("motion")] > 0.1
    frames = int(MOMENT * RATE * 4)
    moving = [
        FrameRange(first * frames // 4, (stop - first) * frames // 4)
        for first, stop in runs(motion)
    ]
    spans = []
    for span in with_options()(known):
        spans += [span.intersection(other) for other in moving]
    return [span for span in union(spans) if span.duration >= 8]


def make_takes(folder: Path, count: int) -> list[Path]:
    """Films of lines that are said one to three times; :data:`FIRST_TAKES` knows the first ones."""
    rng = np.random.default_rng(17)
    lines = spoken_lines(rng, TESTING, 9 * count, takes=3)
    films = []
    for number in range(count):
        at, parts, first = 0.8, [np.zeros(int(0.8 * RATE_OF_SOUND), np.float32)], []
        for line in lines[number::count][:8]:
            for take in range(int(rng.choice((1, 2, 3), p=(0.4, 0.4, 0.2)))):
                samples, pause = line.takes[take], float(rng.uniform(0.7, 1.6))
                if take == 0:
                    first.append((at, at + len(samples) / RATE_OF_SOUND))
                silence = np.zeros(int(pause * RATE_OF_SOUND), np.float32)
                parts += [samples, silence]
                at += (len(samples) + len(silence)) / RATE_OF_SOUND
        sound = np.concatenate(parts)
        sound += rng.normal(0, 0.0015, len(sound)).astype(np.float32)
        path = folder / f"takes{number:02d}.wav"
        with wave.open(str(path), "wb") as opened:
            opened.setparams((1, 2, RATE_OF_SOUND, 0, "NONE", ""))
            opened.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
        film = path.with_suffix(".mp4")
        make_rush(path, film, random.Random(number))
        FIRST_TAKES[film.name] = first
        films.append(film)
    return films


def uses_the_first_take(known: Predictions) -> list[FrameRange]:
    """Keeps the first take of every line, whoever may find it, with some air around it."""
    frames = known.media.frame_count
    spans = [
        FrameRange.between(
            max(0, round((start - 0.25) * RATE)), min(frames, round((end + 0.35) * RATE))
        )
        for start, end in FIRST_TAKES[known.media.name]
    ]
    return union(spans)


@dataclass(frozen=True)
class Editor:
    """A scripted editor: how they cut, the dissolve at every join in frames, and whether they are
    given rushes with takes."""

    name: str
    cut: Callable[[Predictions], list[FrameRange]]
    dissolve: int = 0
    takes: bool = False


EDITORS = (
    Editor("tight jump cutter", with_options(
        margin_before="0.04s", margin_after="0.08s", min_pause="0.15s", min_shot="0.2s"
    )),
    Editor("slow documentary, long tails", with_options(
        margin_before="0.5s", margin_after="1.4s", min_pause="1.5s"
    )),
    Editor("keeps laughter and reactions", keeps_reactions),
    Editor("drops what does not move", drops_still_pictures),
    Editor("uses the first take", uses_the_first_take, takes=True),
    Editor("always dissolves", with_options(margin_before="0.3s", margin_after="0.45s"), 12),
    Editor("eight frames before speech", with_options(margin_before="8f", margin_after="0.1s")),
)  # fmt: skip


def timeline_of(
    known: Predictions, kept: Sequence[FrameRange], dissolve: int, disable: bool
) -> Any:
    """The editor's timeline, with nothing of ours in it."""
    media = known.media
    source = source_of(media, "rush")
    mode = {"mode": "disable"} if disable else {}
    spans = [(span, Kind.KEEP) for span in kept]
    spans += [(span, Kind.DROP) for span in holes(list(kept), media.frame_count)]
    operations = [
        Operation(kind, "rush", span, parameters=mode if kind is Kind.DROP else {})
        for span, kind in sorted(spans)
    ]
    made = assemble(DecisionList(media.name, media.rate, (source,), tuple(operations)))
    for track in made.tracks:
        track.metadata.clear()
        for item in track:
            item.metadata.clear()
            if isinstance(item, otio.schema.Clip):
                item.media_reference.metadata.clear()
                item.markers[:] = []
    made.metadata.clear()
    if dissolve:
        for track in made.tracks:
            _dissolve(track, dissolve)
    return made


def _dissolve(track: Any, frames: int) -> None:
    half = otio.opentime.RationalTime(frames // 2, RATE)
    for at in range(len(track) - 1, 0, -1):
        before, after = track[at - 1], track[at]
        clips = all(isinstance(item, otio.schema.Clip) and item.enabled for item in (before, after))
        if not clips or min(before.duration().value, after.duration().value) < 2 * frames:
            continue
        available = before.media_reference.available_range
        room = available.end_time_exclusive() - before.source_range.end_time_exclusive()
        if room >= half and after.source_range.start_time - available.start_time >= half:
            kind = otio.schema.TransitionTypes.SMPTE_Dissolve
            track.insert(at, otio.schema.Transition("", kind, half, half))


def altered(made: Any, chance: random.Random) -> Any:
    """Renamed and split, as timelines come back."""
    for track in made.tracks:
        for item in list(track):
            if not isinstance(item, otio.schema.Clip):
                continue
            item.name = f"take {chance.randrange(9)}"
    number = chance.randrange(max(1, len(made.tracks[0])))
    for track in made.tracks:
        if number < len(track) and isinstance(track[number], otio.schema.Clip):
            clip = track[number]
            span, half = clip.source_range, int(clip.source_range.duration.value) // 2
            if half < 4:
                continue
            second = clip.deepcopy()
            cut = otio.opentime.RationalTime(half, RATE)
            clip.source_range = otio.opentime.TimeRange(span.start_time, cut)
            second.source_range = otio.opentime.TimeRange(
                span.start_time + cut, span.duration - cut
            )
            track.insert(number + 1, second)
    return made


def taught(editor: Editor, known: Predictions, number: int, folder: Path, tools: Tools) -> Taught:
    """One timeline, the whole way through a file."""
    chance = random.Random(number)
    made = timeline_of(known, editor.cut(known), editor.dissolve, disable=number % 3 == 2)
    path = folder / f"{editor.name.replace(' ', '-')}-{number}{FORMATS[number % len(FORMATS)]}"
    write_timeline(altered(made, chance), path, "plain", True)
    return taught_by(read_timeline(path), path, [folder], tools)


def heard(films: Sequence[Path], tools: Tools) -> list[Predictions]:
    """What the product knows about films with speech."""
    rough = recipe("roughcut")
    known = [predict(probe(film), rough, roughcut.Options(), tools) for film in films]
    return [each for each in known if each.sound is not None and hear(each.sound).has_speech]
