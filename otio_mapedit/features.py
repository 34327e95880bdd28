"""Arrays on stated clocks that the recipes and networks read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from .cache import Cache
from .media import MediaInfo
from .progress import Progress, silent


@dataclass(frozen=True)
class SoundFeatures:
    """Sound on a step clock: step ``i`` covers ``origin + [i, i + 1) * hop`` seconds."""

    hop: Fraction
    level: NDArray[Any]  # float32 [steps], RMS dBFS of the loudest track
    speech: NDArray[Any]  # float32 [steps], probability of speech in any track


@dataclass(frozen=True)
class PictureSamples:
    """Keyframes about a second apart, n of them."""

    frames: NDArray[Any]  # int64 [n], grid frames, rising
    brightness: NDArray[Any]  # float32 [n], mean luma, 0 to 1
    contrast: NDArray[Any]  # float32 [n], standard deviation of luma
    detail: NDArray[Any]  # float32 [n], mean absolute luma gradient


def sound_features(media: MediaInfo, cache: Cache, progress: Progress = silent) -> SoundFeatures:
    """Level and speech of a file with sound."""
    raise RuntimeError("written by the features module's owner")


def picture_samples(media: MediaInfo, cache: Cache, progress: Progress = silent) -> PictureSamples:
    """Sampled pictures of a file with picture."""
    raise RuntimeError("written by the features module's owner")
