"""What the networks say about a file, per frame and per step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .cache import Cache
from .features import PictureSamples, SoundFeatures
from .media import MediaInfo
from .progress import Progress, silent


@dataclass(frozen=True)
class ShotPredictions:
    """The shot network's answer for every picture of a file, n pictures."""

    frames: NDArray[Any]  # int64 [n], grid frame of each picture, rising
    cut: NDArray[Any]  # float32 [n], probability that a new shot begins here by a hard cut
    transition: NDArray[Any]  # float32 [n], probability of being inside a gradual transition
    kind: NDArray[Any]  # float32 [n, len(kinds)]
    quality: NDArray[Any]  # float32 [n, len(quality_names)]
    kinds: tuple[str, ...]
    quality_names: tuple[str, ...]
    network: str  # name and version, for the decision list


@dataclass(frozen=True)
class Predictions:
    """Everything known about one file when a recipe decides."""

    media: MediaInfo
    sound: SoundFeatures | None = None
    samples: PictureSamples | None = None
    shots: ShotPredictions | None = None


def predict_shots(media: MediaInfo, cache: Cache, progress: Progress = silent) -> ShotPredictions:
    """Run the shot network over every picture of a file."""
    raise RuntimeError("written by the inference module's owner")
