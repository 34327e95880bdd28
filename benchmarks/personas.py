"""Does it learn? Scripted editors cut the same rushes; a style learns from their timelines.

    python benchmarks/personas.py SPEECH_FOLDER [--splits 5]

The rushes are the sound files of SPEECH_FOLDER under made pictures (a texture that moves for a few
seconds, then stands still); for the editor of takes they are lines that synthesised voices (flite,
espeak-ng) say one to three times, each time otherwise. Each editor has a clear habit. Their
timelines are written by our own writers as .otio, .fcpxml, .xml and .edl in turn, without anything
of ours in them, with renamed and split clips, and left-out parts disabled instead of deleted here
and there. After 1, 3, 5 and 10 timelines the style cuts rushes that it has not seen: agreement (F1
of kept time) and the mean distance of the editor's cuts to the nearest, beside the general rough
cut and the best fixed setting: of the paces and of some hundred combinations of margins and pauses
(``SETTINGS``), the one that comes nearest to the editor on the unseen rushes themselves, which
nobody could know beforehand. Which rushes teach and which are unseen is drawn anew for every
split; "gone" is the part of the general rough cut's disagreement (1 - F1) that is gone after five
timelines.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio

from otio_mapedit.assemble import assemble
from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.inference import Predictions
from otio_mapedit.interchange.registry import read_timeline, write_timeline
from otio_mapedit.learning.learn import learn, taught_by
from otio_mapedit.learning.tuning import Fit, Taught, fit_with
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.pipeline import Tools, predict
from otio_mapedit.recipes import recipe, roughcut
from otio_mapedit.recipes.hearing import hear
from otio_mapedit.recipes.selection import select
from otio_mapedit.recipes.styled import MOMENT, MOMENT_FEATURES, moments
from otio_mapedit.solve import holes, runs, union
from otio_mapedit.sources import source_of
from otio_mapedit.style import Style
from otio_mapedit.timing import FrameRange
from otio_mapedit.training.voices import TESTING, spoken_lines

RATE = 25
FORMATS = (".otio", ".fcpxml", ".xml", ".edl")
AFTER = (1, 3, 5, 10)
VERBOSE = False
RATE_OF_SOUND = 16_000
SETTINGS: tuple[dict[str, str], ...] = (
    *({"pace": pace} for pace in roughcut.PACES),
    *(
        {"margin_before": before, "margin_after": after, "min_pause": pause, **more}
        for before in ("0.04s", "0.15s", "0.3s", "0.5s")
        for after in ("0.08s", "0.2s", "0.45s", "0.8s", "1.4s")
        for pause in ("0.15s", "0.4s", "0.8s", "1.5s")
        for more in ({}, {"sounds": "all"})
    ),
)
"""Fixed settings of the rough cut's options that are tried."""
FIRST_TAKES: dict[str, list[tuple[float, float]]] = {}
"""Seconds of the first take of every line, by the name of the film."""


def make_rush(sound: Path, target: Path, chance: random.Random) -> None:
    """A film of a sound file: a texture that pans or stands still, a few seconds each."""
    texture = np.random.default_rng(chance.randrange(2**31)).integers(30, 220, (90, 400), np.uint8)
    texture = np.repeat(np.repeat(texture[::6, ::6], 6, 0), 6, 1)[:54]
    with av.open(str(sound)) as given, av.open(str(target), "w") as film:
        track = given.streams.audio[0]
        picture = film.add_stream("libx264", rate=RATE, options={"g": "25", "crf": "30"})
        picture.width, picture.height, picture.pix_fmt = 96, 54, "yuv420p"
        voice = film.add_stream("aac", rate=16000, layout="mono")
        seconds = float(track.duration * track.time_base)
        at, until, moving = 0, 0.0, False
        for number in range(int(seconds * RATE)):
            if number >= until:
                until, moving = number + chance.uniform(2, 5) * RATE, not moving
            at += 5 * moving
            shown = np.roll(texture, at, axis=1)[:, :96]
            frame = av.VideoFrame.from_ndarray(np.repeat(shown[..., None], 3, 2), "rgb24")
            film.mux(picture.encode(frame))
        film.mux(picture.encode())
        resampler = av.AudioResampler("fltp", "mono", 16000)
        for packet in given.demux(track):
            for decoded in packet.decode():
                for one in resampler.resample(decoded):
                    film.mux(voice.encode(one))
        film.mux(voice.encode())


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


def mean(fits: Sequence[Fit]) -> str:
    return (
        f"{sum(f.f1 for f in fits) / len(fits):.3f} {sum(f.error for f in fits) / len(fits):5.1f}f"
    )


def main() -> None:
    global VERBOSE, AFTER
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--after", type=int, nargs="+", default=list(AFTER))
    options = parser.parse_args()
    VERBOSE, AFTER = options.verbose, tuple(options.after)
    sounds = sorted(path for path in options.folder.glob("*.wav") if path.stat().st_size > 500_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = Tools(Cache(folder / "cache"))
        films, chance = [], random.Random(5)
        for sound in sounds:
            film = folder / f"{sound.stem}.mp4"
            make_rush(sound, film, chance)
            films.append(film)
        known = heard(films, tools)
        with_takes = heard(make_takes(folder, len(known)), tools)
        totals: dict[str, list[tuple[float, float]]] = {editor.name: [] for editor in EDITORS}
        for split in range(options.splits):
            print(f"split {split + 1}: ", end="")
            drawn = []
            for rushes in (known, with_takes):
                order = random.Random(split + 5).sample(rushes, len(rushes))
                drawn.append((order[: max(AFTER)], order[10:]))
            print(f"{len(known)} rushes, {len(drawn[0][1])} of them unseen: "
                  + ", ".join(each.media.name for each in drawn[0][1]))  # fmt: skip
            head = f"{'editor':30} {'general':>13} {'best setting':>13}"
            print(head + "".join(f" {f'after {n}':>13}" for n in AFTER) + "  gone after 5")
            for editor in EDITORS:
                teaching, unseen = drawn[editor.takes]
                totals[editor.name].append(show(editor, teaching, unseen, folder, tools))
        print(f"\ngone after 5 timelines, all {options.splits} splits together (worst split)")
        for editor_name, rows in totals.items():
            together = 1 - sum(row[1] for row in rows) / sum(row[0] for row in rows)
            worst = min(1 - learned / general for general, learned in rows if general)
            print(f"{editor_name:30} {together:5.0%} ({worst:.0%})")


def heard(films: Sequence[Path], tools: Tools) -> list[Predictions]:
    """What the product knows about films with speech."""
    rough = recipe("roughcut")
    known = [predict(probe(film), rough, roughcut.Options(), tools) for film in films]
    return [each for each in known if each.sound is not None and hear(each.sound).has_speech]


def show(
    editor: Editor,
    teaching: list[Predictions],
    unseen: list[Predictions],
    folder: Path,
    tools: Tools,
) -> tuple[float, float]:
    """A line of the table; gives the disagreement in general and after five timelines."""
    lessons = [
        taught(editor, each, n, folder, tools) for n, each in enumerate(teaching[: max(AFTER)])
    ]
    tests = [
        Taught(lessons[0].lesson, (each,), (tuple(union(editor.cut(each))),)) for each in unseen
    ]
    general = [fit_with(each, roughcut.Options()) for each in tests]
    judged: dict[int, dict[Any, Any]] = {}
    settings = [
        [fit_with(each, make_options(roughcut.Options, setting), None, judged) for each in tests]
        for setting in SETTINGS
    ]
    best = max(settings, key=lambda fits: sum(fit.f1 for fit in fits))
    cells, gone, dissolves = [mean(general), mean(best)], 0.0, ""
    off = sum(1 - fit.f1 for fit in general)
    after_five = off
    for count in AFTER:
        learned = learn(Style(editor.name), lessons[:count]).style
        chosen = make_options(roughcut.Options, dict(learned.options))
        fits = [fit_with(each, chosen, learned.leaning) for each in tests]
        cells.append(mean(fits))
        if VERBOSE:
            trust = learned.leaning.trust if learned.leaning else 0
            print(" ", count, dict(learned.options), trust, dict(learned.validation))
        dissolves = learned.options.get("dissolve", "")
        if count == 5:
            after_five = sum(1 - fit.f1 for fit in fits)
            gone = 1 - after_five / off if off else 0.0
    learned_join = f"  dissolve {dissolves}" if editor.dissolve else ""
    line = " ".join(f"{cell:>13}" for cell in cells)
    print(f"{editor.name:30} {line}  {gone:.0%}{learned_join}", flush=True)
    return off, after_five


if __name__ == "__main__":
    main()
