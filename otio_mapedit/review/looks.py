"""What there is to show about each source of an edit: pictures, sound, importance, attention.

Everything is gathered once, in :data:`BINS` parts of the file's length, so that hours need no more
room than seconds. What cannot be had, such as media that is not there, is left out and named in
``missing``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cache import Cache
from ..edit_inference import EditPredictions, predict_edit
from ..errors import MapeditError
from ..features import picture_samples, sound_features
from ..frames import keyframe_pictures
from ..inference import Predictions
from ..media import MediaInfo, probe
from ..operations import DecisionList, Kind, Operation, Source
from ..progress import Progress
from ..recipes import highlights
from ..recipes.moments import moments
from ..timing import seconds_at
from .attention import attention_map

Array = NDArray[Any]

#: Parts that a file's length is shown in, and pictures of its filmstrip.
BINS, PICTURES = 600, 12
#: Size of those pictures.
PICTURE = (160, 90)
#: dBFS that are drawn as nothing.
QUIET = -60.0


@dataclass(frozen=True)
class Look:
    """One source. Curves are float [BINS], 0 to 1."""

    source: Source
    decisions: tuple[Operation, ...]  # keeps and drops in order of time
    filmstrip: NDArray[np.uint8] | None = None  # [height, PICTURES * width, 3]
    level: Array | None = None
    speech: Array | None = None
    importance: Mapping[str, Array] = field(default_factory=dict)  # by what it is called
    attention: Array | None = None  # float [decisions, BINS], 0 to 1
    missing: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the file."""
        return float(seconds_at(self.source.frame_count, self.source.rate))


def looks(edit: DecisionList, cache: Cache, progress: Progress) -> list[Look]:
    """What there is to show about every source that the edit uses."""
    used = {operation.source for operation in edit.operations}
    known, made = [], []
    for source in edit.sources:
        if source.id not in used:
            continue
        predictions, missing = _known(source, cache, progress)
        decided = sorted(
            (op for op in edit.of_source(source.id) if op.kind in (Kind.KEEP, Kind.DROP)),
            key=lambda op: op.range,
        )
        look = Look(source, tuple(decided), missing=tuple(missing))
        made.append(_shown(look, predictions) if predictions else look)
        known.append(predictions)
    return _with_theme(edit, made, known)


def in_bins(values: Array, seconds: Fraction, whole: float, best: bool = False) -> Array:
    """Values of steps of ``seconds`` as [BINS] over ``whole`` seconds: means, or the greatest."""
    edges = np.linspace(0, whole / float(seconds), BINS + 1)
    first = np.minimum(edges[:-1].astype(int), max(0, len(values) - 1))
    stop = np.minimum(np.maximum(np.ceil(edges[1:]).astype(int), first + 1), len(values))
    if not len(values):
        return np.zeros(BINS)
    if best:
        parts = zip(first, stop, strict=True)
        return np.array([values[one:two].max() if one < two else 0.0 for one, two in parts])
    total = np.concatenate([[0.0], np.cumsum(values, dtype=float)])
    return np.asarray((total[stop] - total[first]) / np.maximum(stop - first, 1))


def _known(
    source: Source, cache: Cache, progress: Progress
) -> tuple[Predictions | None, list[str]]:
    """What is known about a source's media, and what could not be had."""
    try:
        media = probe(Path(source.path))
    except MapeditError as error:
        return None, [f"no pictures and no sound: {error.message}"]
    missing = []
    if source.fingerprint and media.fingerprint != source.fingerprint:
        missing.append("the file has changed since it was edited")
    known = Predictions(media)
    try:
        if media.audio:
            known = replace(known, sound=sound_features(media, cache, progress))
        if media.picture:
            known = replace(known, samples=picture_samples(media, cache, progress))
        if known.sound is not None or known.samples is not None:
            edit = predict_edit(media, known.sound, known.samples, progress)
            known = replace(known, edit=edit)
    except MapeditError as error:
        missing.append(error.message)
    return known, missing


def _shown(look: Look, known: Predictions) -> Look:
    whole = look.seconds
    if known.sound is not None:
        hop = known.sound.hop
        level = np.clip((known.sound.level - QUIET) / -QUIET, 0, 1)
        speech = in_bins(known.sound.speech, hop, whole)
        level = in_bins(level, hop, whole, best=True)
        look = replace(look, level=level, speech=speech)
    if known.edit is not None:
        look = _judged(look, known.edit)
    strip = _filmstrip(known.media) if known.media.picture else None
    return replace(look, filmstrip=strip)


def _judged(look: Look, edit: EditPredictions) -> Look:
    """With what the edit network would miss, and where it looked."""
    importance = {
        "importance, as the edit network sees it": in_bins(edit.importance, edit.step, look.seconds)
    }
    spans = [operation.range for operation in look.decisions]
    spec, rate = edit.spec, look.source.rate
    attention = attention_map(edit.attention, spec.past, spec.slot, edit.step, spans, rate, BINS)
    return replace(look, importance=importance, attention=attention)


def _filmstrip(media: MediaInfo) -> NDArray[np.uint8] | None:
    """Pictures evenly spread over a file, side by side; the nearest keyframe stands for each."""
    apart = max(Fraction(1, 10), media.duration / (2 * PICTURES))
    frames, pictures = [], []
    try:
        for frame, picture in keyframe_pictures(media, apart, PICTURE):
            frames.append(frame)
            pictures.append(picture)
    except MapeditError:
        return None
    if not pictures:
        return None
    wanted = (np.arange(PICTURES) + 0.5) * media.frame_count / PICTURES
    at = [int(np.argmin(np.abs(np.array(frames) - place))) for place in wanted]
    return np.concatenate([pictures[number] for number in at], axis=1)


def _with_theme(
    edit: DecisionList, made: Sequence[Look], known: Sequence[Predictions | None]
) -> list[Look]:
    """The same with what the theme of a highlights edit looks for."""
    theme = highlights.THEMES.get(str(edit.options.get("themes", "")))
    if edit.recipe != highlights.NAME or theme is None or not all(known):
        return list(made)
    judged = moments([each for each in known if each])
    step = Fraction(1, 4)
    return [
        replace(
            look,
            importance={
                f"what the theme {edit.options['themes']} looks for": in_bins(
                    each.importance(theme.weights), step, look.seconds
                ),
                **look.importance,
            },
        )
        for look, each in zip(made, judged, strict=True)
    ]
