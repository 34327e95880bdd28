"""Videos whose moments people rated or chose: TVSum and SumMe, as they are handed round.

Three forms are read. The usual HDF5 file has one group per video: ``features`` [picks, d],
``picks`` (sampled frames), ``n_frames``, ``change_points`` [n, 2] (first and last frame),
``user_summary`` [users, frames] and sometimes ``user_scores`` and the importance to learn from
(``gtscore``, or else ``gtsummary``, of each sampled frame). TVSum's own ``ydata-tvsum50.mat``
(MATLAB 7.3, thus HDF5) holds the ratings from 1 to 5 that 20 people gave to every frame. SumMe's
own ``.mat`` files (MATLAB 5, one per video) hold which frames 15 to 18 people chose.

TVSum: Song, Vallmitjana, Stent and Jaimes, CVPR 2015. SumMe: Gygli, Grabner, Riemenschneider and
Van Gool, ECCV 2014. The HDF5 form: Zhang, Chao, Sha and Grauman, ECCV 2016.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError, UsageError
from .agreement import Array, summary, uniform_segments

#: Frames between the samples at which scores are compared, as in the HDF5 files.
EVERY = 15
#: Seconds of a segment where a file names none: what TVSum's people rated as one.
SEGMENT = 2.0
#: The rule by which a summary's F-score is taken over people, by data set.
RULES = ("mean", "max")
_SUMME_WHOLE = "SumMe_data.mat"  # all of SumMe once more, in another form
_LARGEST_TEXT = 64 * 2**20
#: Values of the largest array that is read, and of all that a file may hold: SumMe's and TVSum's
#: have fewer than a tenth of these.
LARGEST_ARRAY, LARGEST_FILE = 2**27, 2**29
#: Bytes of the widest value, a complex double.
_WIDEST = 16
#: What is read of each video of the HDF5 form.
_READ = (
    "user_summary", "change_points", "n_frames", "picks", "features", "user_scores", "gtscore",
    "gtsummary",
)  # fmt: skip


@dataclass(frozen=True)
class RatedVideo:
    """A video and what people thought of its moments. Arrays count frames from 0."""

    name: str
    scores: Array  # float32 [users, frames], higher is better
    summaries: Array  # bool [users, frames]
    segments: Array  # int64 [n, 2], first and stop, rising
    picks: Array  # int64 [k], frames at which scores are sampled, rising
    features: Array | None = None  # float32 [k, d]
    importance: Array | None = None  # float32 [k], what to learn: people's mean, as the file has it

    @property
    def frames(self) -> int:
        """How many frames the video has."""
        return int(self.scores.shape[1])


@dataclass(frozen=True, slots=True)
class Split:
    """Names of videos to learn from and to test on."""

    train: tuple[str, ...]
    test: tuple[str, ...]


def read_rated(path: Path) -> list[RatedVideo]:
    """The rated videos of a file, or of a folder of SumMe's ``.mat`` files, in order of name.

    Raises:
        FormatError: not there, or not one of the three forms. UsageError: the library that reads
            it is not installed.
    """
    if path.is_dir():
        files = sorted(file for file in path.glob("*.mat") if file.name != _SUMME_WHOLE)
        if not files:
            raise FormatError(f"{path} holds no .mat files", "Name a data set's file or folder.")
        return [_summe(file) for file in files]
    if not path.is_file():
        raise FormatError(f"{path} does not exist", "Name a data set's file or folder.")
    with path.open("rb") as file:
        beginning = file.read(19)
    if beginning.startswith(b"MATLAB 5.0"):
        return [_summe(path)]
    return _guarded(path, lambda: _hierarchical(path))


def with_ratings(videos: Sequence[RatedVideo], path: Path) -> list[RatedVideo]:
    """Videos of an HDF5 file with the original ratings of TVSum, which that form leaves out.

    Videos are matched by their number of frames, in order where that repeats.

    Raises:
        FormatError: see :func:`read_rated`; also a video without ratings.
    """
    rated: dict[int, list[RatedVideo]] = {}
    for video in read_rated(path):
        rated.setdefault(video.frames, []).append(video)
    joined = []
    for video in videos:
        if not rated.get(video.frames):
            raise FormatError(f"{path} has no ratings of {video.name}", "Name another file.")
        joined.append(replace(video, scores=rated[video.frames].pop(0).scores))
    return joined


def read_splits(path: Path, known: Sequence[str]) -> list[Split]:
    """Published splits: JSON with ``train_keys`` and ``test_keys``, or lines of
    ``set/split0/train,.../test,...``.

    Raises:
        FormatError: not readable, or it names a video that is not ``known``.
    """
    try:
        text = path.read_bytes()[:_LARGEST_TEXT].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read {path}: {error}", "Check the name.") from error
    splits = _json_splits(path, text) if text.lstrip()[:1] in ("[", "{") else _line_splits(text)
    if not splits:
        raise FormatError(f"{path} holds no splits", "Name a file of splits.")
    named = [name for split in splits for name in (*split.train, *split.test)]
    if missing := sorted(set(named) - set(known)):
        raise FormatError(
            f"{path} names {missing[0]}, which the data lacks", "Name the splits of this data."
        )
    return splits


def read_scores(path: Path, videos: Sequence[RatedVideo]) -> dict[str, Array]:
    """Scores to judge, JSON of ``{"video_1": [0.1, ...]}``: one per sampled frame or one per
    frame; gives one per frame.

    Raises:
        FormatError: not readable, a video is missing, or its scores are of another length.
    """
    try:
        content = json.loads(path.read_bytes()[:_LARGEST_TEXT])
        found = {str(name): np.asarray(value, float) for name, value in dict(content).items()}
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(
            f"cannot read {path}: {error}", 'Write it like {"video_1": [0.1, 0.5]}.'
        ) from error
    return {video.name: _per_frame(path, video, found.get(video.name)) for video in videos}


def spread(video: RatedVideo, sampled: Array) -> Array:
    """Scores at the picks [k] as scores of every frame: each holds until the next pick."""
    at = np.searchsorted(video.picks, np.arange(video.frames), side="right") - 1
    return sampled[np.maximum(at, 0)]


def _per_frame(path: Path, video: RatedVideo, values: Array | None) -> Array:
    lengths = (len(video.picks), video.frames)
    if values is None or values.ndim != 1 or len(values) not in lengths:
        found = "none" if values is None else f"{values.size}"
        raise FormatError(
            f"{path}: {video.name} needs {lengths[0]} or {lengths[1]} scores and has {found}",
            "Give one per sampled frame or one per frame.",
        )
    if not np.isfinite(values).all():
        raise FormatError(f"{path}: {video.name} has scores that are no numbers", "Correct them.")
    return spread(video, values) if len(values) == lengths[0] else values


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        library = name.split(".")[0]
        raise UsageError(
            f"this file needs {library}, which is not installed",
            "Type: pip install 'otio-mapedit[train]'",
        ) from error


def _guarded(path: Path, read: Callable[[], list[RatedVideo]]) -> list[RatedVideo]:
    """What ``read`` gives; whatever a library makes of a broken file is one clear line."""
    try:
        found = read()
    except (UsageError, FormatError):
        raise
    except Exception as error:  # the libraries raise what they like
        what = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(f"{path} is no data of rated videos: {what}", "Name another.") from error
    if not found:
        raise FormatError(f"{path} holds no rated videos", "Name another file.")
    return found


def _hierarchical(path: Path) -> list[RatedVideo]:
    with _library("h5py").File(path, "r") as file:
        if "tvsum50" in file:
            return list(_tvsum(file, file["tvsum50"]))
        groups = {name: file[name] for name in file if hasattr(file[name], "keys")}
        names = [name for name, group in groups.items() if {"user_summary", "features"} & {*group}]
        _refuse_enormous(
            {f"{name}/{key}": groups[name].get(key) for name in names for key in _READ}
        )
        return [_group(name, groups[name]) for name in sorted(names, key=_numbered)]


def _refuse_enormous(arrays: Mapping[str, Any]) -> None:
    """Refuse arrays by what they claim to be, before any of them is read: a small file can claim
    terabytes."""
    whole = 0
    for name, array in arrays.items():
        shape = getattr(array, "shape", ())
        values = math.prod(shape)
        whole += values
        if values > LARGEST_ARRAY or getattr(array, "dtype", np.dtype(float)).itemsize > _WIDEST:
            raise ValueError(f"{name} claims {' x '.join(map(str, shape))} values")
    if whole > LARGEST_FILE:
        raise ValueError(f"its arrays claim {whole:,} values")


def _numbered(name: str) -> tuple[str, int]:
    head, _, number = name.rpartition("_")
    return (head, int(number)) if number.isdigit() else (name, 0)


def _group(name: str, group: Mapping[str, Any]) -> RatedVideo:
    """One video of the usual HDF5 form."""
    if missing := [key for key in ("user_summary", "change_points") if key not in group]:
        raise ValueError(f"{name} has no {missing[0]}")
    summaries = np.atleast_2d(np.asarray(group["user_summary"])) > 0
    frames = int(np.asarray(group["n_frames"])[()]) if "n_frames" in group else summaries.shape[1]
    if frames != summaries.shape[1]:
        raise ValueError(f"{name} has {frames} frames and summaries of {summaries.shape[1]}")
    every = np.arange(0, frames, EVERY)
    picks = np.asarray(group["picks"], np.int64) if "picks" in group else every
    segments = np.asarray(group["change_points"], np.int64).reshape(-1, 2) + np.array([0, 1])
    segments = segments[segments[:, 1] > segments[:, 0]]
    if not len(segments) or segments.min() < 0 or segments.max() > frames or not len(picks):
        raise ValueError(f"{name} has no change points inside its {frames} frames")
    if picks.ndim != 1 or picks[0] < 0 or picks[-1] >= frames or (np.diff(picks) <= 0).any():
        raise ValueError(f"{name} has picks that do not rise inside its {frames} frames")
    features = np.asarray(group["features"], np.float32) if "features" in group else None
    if features is not None and len(features) != len(picks):
        raise ValueError(f"{name} has {len(features)} features for {len(picks)} sampled frames")
    rated = summaries.astype(np.float32)
    importance = _importance(name, group, picks, frames)
    made = RatedVideo(name, rated, summaries, segments, picks, features, importance)
    if "user_scores" not in group:
        return made
    scores = np.atleast_2d(np.asarray(group["user_scores"], np.float32))
    if len(scores) * frames > LARGEST_ARRAY:
        raise ValueError(f"{name} claims {len(scores)} users of {frames} frames")
    if scores.shape[1] == len(picks) != frames:
        scores = np.stack([spread(made, row) for row in scores])
    if scores.shape[1] != frames:
        raise ValueError(f"{name} has {frames} frames and scores of {scores.shape[1]}")
    if not np.isfinite(scores).all():
        raise ValueError(f"{name} has user_scores that are no numbers")
    return replace(made, scores=scores)


def _importance(name: str, group: Mapping[str, Any], picks: Array, frames: int) -> Array | None:
    """What a video's scorer is to learn [k]; some files have it for every frame."""
    key = next((key for key in ("gtscore", "gtsummary") if key in group), None)
    if key is None:
        return None
    values = np.asarray(group[key], np.float32).reshape(-1)
    if len(values) not in (len(picks), frames):
        raise ValueError(f"{name} has a {key} of {len(values)} for {len(picks)} sampled frames")
    return values if len(values) == len(picks) else values[picks]


def _tvsum(file: Mapping[str, Any], group: Mapping[str, Any]) -> Iterator[RatedVideo]:
    """The videos of TVSum's own file, called video_1 and so on like in the HDF5 form."""

    def value(field: str, number: int) -> Array:
        return np.asarray(file[group[field][number, 0]])

    _refuse_enormous({field: group[field] for field in ("user_anno", "length")})
    videos = range(len(group["user_anno"]))
    _refuse_enormous(
        {
            f"{field} {number + 1}": file[group[field][number, 0]]
            for number in videos
            for field in ("user_anno", "length")
        }
    )
    for number in videos:
        scores = value("user_anno", number).astype(np.float32)
        frames = scores.shape[1]
        rate = frames / float(value("length", number)[0, 0])
        segments = uniform_segments(frames, round(SEGMENT * rate))
        yield RatedVideo(
            name=f"video_{number + 1}",
            scores=scores,
            summaries=np.stack([summary(row, segments) for row in scores]),
            segments=segments,
            picks=np.arange(0, frames, EVERY),
        )


def _summe(path: Path) -> RatedVideo:
    """One of SumMe's own files."""

    def read() -> list[RatedVideo]:
        content = _library("scipy.io").loadmat(str(path), variable_names=["user_score", "FPS"])
        chosen = np.asarray(content["user_score"]).T > 0
        frames = chosen.shape[1]
        rate = float(np.asarray(content["FPS"]).ravel()[0])
        segments = uniform_segments(frames, round(SEGMENT * rate))
        picks = np.arange(0, frames, EVERY)
        return [RatedVideo(path.stem, chosen.astype(np.float32), chosen, segments, picks)]

    return _guarded(path, read)[0]


def _json_splits(path: Path, text: str) -> list[Split]:
    try:
        content = json.loads(text)
        return [Split(tuple(one["train_keys"]), tuple(one["test_keys"])) for one in content]
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"{path} holds no splits: {error}", "Name a file of splits.") from error


def _line_splits(text: str) -> list[Split]:
    rows = [line.strip().split("/") for line in text.splitlines() if line.count("/") == 3]
    return [Split(tuple(row[2].split(",")), tuple(row[3].split(","))) for row in rows]
