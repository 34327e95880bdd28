"""The story: footage in, an edit out. Read this first.

::

    media -> features -> predictions -> operations -> timeline -> interchange file
      probe   frames, sound   networks    decision list    OTIO        for an editing program

Each arrow is one module with plain data on both sides.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cache import Cache
from .edit_inference import predict_edit
from .errors import UsageError
from .features import PictureSamples, SoundFeatures, picture_samples, sound_features
from .inference import Predictions, predict_shots
from .media import MediaInfo, probe
from .operations import DecisionList
from .progress import Progress, silent
from .recipes import Need, Recipe
from .scores import read_scores
from .style_files import open_own_network
from .timing import seconds_at
from .transcript import Transcript, find_transcript, read_transcript

if TYPE_CHECKING:
    from .transcribe import Transcriber


@dataclass(frozen=True)
class Tools:
    """What a run works with besides footage and options."""

    cache: Cache = field(default_factory=lambda: Cache(None))
    progress: Progress = silent


def decide(
    paths: Sequence[Path], recipe: Recipe, options: Any, tools: Tools | None = None
) -> DecisionList:
    """Edit some files into one programme.

    Files are put in order of timecode where every file carries it and no two overlap, otherwise
    in order of name, as a bin shows them.

    Raises:
        UsageError: no files. MediaError: one cannot be read. ModelError: a network is unusable.
    """
    if not paths:
        raise UsageError("no footage was given", "Name at least one file.")
    return decide_footage([probe(path) for path in paths], recipe, options, tools)


def decide_footage(
    footage: Sequence[MediaInfo], recipe: Recipe, options: Any, tools: Tools | None = None
) -> DecisionList:
    """The same for files that are known already."""
    return recipe.decide(know(in_order(footage), recipe, options, tools or Tools()), options)


def know(
    footage: Sequence[MediaInfo], recipe: Recipe, options: Any, tools: Tools
) -> list[Predictions]:
    """Everything that a recipe needs to know about some files, with what is said in them and how
    much their moments matter, where the options name that.

    Raises:
        MediaError, ModelError: as :func:`decide`. FormatError: a transcript or scores cannot be
        read. UsageError: there are none of any of the files, or what transcribes is missing.
    """
    scribe = _scribe(options)
    said = _transcripts(footage, getattr(options, "transcript", None), needed=scribe is None)
    place = getattr(options, "scores", None)
    scored = read_scores(place, footage) if place else [None] * len(footage)
    made = []
    for media, transcript, scores in zip(footage, said, scored, strict=True):
        known = predict(media, recipe, options, tools)
        if transcript is None and scribe is not None and known.sound is not None:
            transcript = scribe.transcript(media, known.sound, tools.cache, tools.progress)
        made.append(replace(known, transcript=transcript, scores=scores))
    return made


def _scribe(options: Any) -> Transcriber | None:
    """What transcribes, where that is wanted: looked for before hours of listening."""
    if not getattr(options, "transcribe", ""):
        return None
    from .transcribe import Transcriber

    return Transcriber(options.transcribe, options.language, options.download_model)


def _transcripts(
    footage: Sequence[MediaInfo], place: Path | None, needed: bool
) -> list[Transcript | None]:
    """What is said in each file, from a transcript or a folder of them at ``place``.

    Raises:
        FormatError: a transcript cannot be read. UsageError: none is named like any of the files
        and one is ``needed``.
    """
    if place is None:
        return [None] * len(footage)
    alone = len(footage) == 1
    found = [find_transcript(place, media.path, alone) for media in footage]
    if needed and not any(found):
        raise UsageError(
            f"no transcript in {place} is named like {footage[0].name}",
            f"Call it {footage[0].path.stem}.srt, .vtt or .json.",
        )
    return [read_transcript(path) if path else None for path in found]


def predict(media: MediaInfo, recipe: Recipe, options: Any, tools: Tools) -> Predictions:
    """Everything that a recipe needs to know about one file, and nothing more."""
    needs = recipe.needs(media, options)
    hears = Need.SOUND in needs and bool(media.audio)
    looks = Need.SAMPLES in needs and bool(media.picture)
    work = (media, tools.cache, tools.progress)
    sound: SoundFeatures | None
    samples: PictureSamples | None
    if hears and looks:
        sound, samples = _hear_and_look(media, tools)
    else:
        sound = sound_features(*work) if hears else None
        samples = picture_samples(*work) if looks else None
    fast = Need.FAST_SHOTS in needs
    watches = (fast or Need.SHOTS in needs) and bool(media.picture)
    shots = predict_shots(*work, fast=fast) if watches else None
    edit = None
    if Need.EDIT in needs and (sound is not None or samples is not None):
        style = getattr(options, "style", "")
        own = open_own_network(style) if style else None
        edit = predict_edit(media, sound, samples, tools.progress, own)
    return Predictions(media=media, sound=sound, samples=samples, shots=shots, edit=edit)


class _Stopped(Exception):
    """The other half of the work failed or was interrupted."""


def _hear_and_look(media: MediaInfo, tools: Tools) -> tuple[SoundFeatures, PictureSamples]:
    """Sound and pictures of a file at the same time: decoding leaves Python's lock alone.

    Whatever ends one of them early, Ctrl-C too, also ends the other.
    """
    stopped, telling = threading.Event(), threading.Lock()

    def progress(task: str, done: float, total: float) -> None:
        if stopped.is_set():
            raise _Stopped
        with telling:
            tools.progress(task, done, total)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(picture_samples, media, tools.cache, progress)
        looking.add_done_callback(lambda done: stopped.set() if done.exception() else None)
        try:
            return sound_features(media, tools.cache, progress), looking.result()
        except _Stopped:
            looking.result()
            raise
        finally:
            stopped.set()


def in_order(footage: Sequence[MediaInfo]) -> list[MediaInfo]:
    """Files in the order in which an editor would lay them out."""
    if all(media.has_timecode for media in footage):
        by_time = sorted(footage, key=_time_of_day)
        ends = [_time_of_day(media) + media.duration for media in by_time]
        starts = [_time_of_day(media) for media in by_time[1:]]
        if all(end <= start for end, start in zip(ends, starts, strict=False)):
            return by_time
    return sorted(footage, key=lambda media: natural_key(media.name))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts ``clip 9`` before ``clip 10``."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]


def _time_of_day(media: MediaInfo) -> Fraction:
    return seconds_at(media.start_frame, media.rate)
