"""Arrays on stated clocks that the recipes and networks read.

Sound is heard once from beginning to end, pictures are looked at about once a second; of either,
only the arrays stay in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import sample_watching, speech
from .cache import Cache
from .edit_spec import WATCHED_FEATURES
from .media import MediaInfo
from .progress import Progress, silent
from .spec import ShotSpec
from .step_sound import CEPSTRA, COLUMNS, StepListener, TrackSteps, loudest
from .timing import frames_covering

#: Seconds of a step of sound: 160 samples of what the voice detector hears.
HOP = Fraction(1, 100)
#: dBFS of a step in which there is no sound.
SILENCE = -120.0
#: Seconds between sampled pictures, at least.
APART = Fraction(1)
#: Width and height at which sampled pictures are measured.
SAMPLE_SIZE = (96, 54)
#: Height and width in which a sampled picture is remembered, and in which the shot network sees it.
SMALL = (9, 16)
_THUMBNAIL = ShotSpec().frame_shape[:2]
#: Seconds that are decoded in full at most to find where faulty pictures begin and end: of a file
#: with sound, and of one without, in which keyframes further apart than ``SPARSE`` seconds are
#: not enough either. Beyond that, pictures between a good and a faulty one count as good.
REFINED_WITH_SOUND, REFINED_WITHOUT = Fraction(30), Fraction(300)
SPARSE = Fraction(2)
#: Longest run of pictures that is held in memory.
_LONGEST_RUN = 1500

#: Changing how features are computed changes these, so that old cache entries are not used.
_SOUND_VERSION = "3"
_PICTURE_VERSION = "5"

#: ITU-R BT.709 luma of full-range RGB.
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32) / 255


@dataclass(frozen=True)
class SoundFeatures:
    """Sound on a step clock: step ``i`` covers ``origin + [i, i + 1) * hop`` seconds."""

    hop: Fraction
    level: NDArray[Any]  # float32 [steps], RMS dBFS of the loudest track
    speech: NDArray[Any]  # float32 [steps], probability of speech in any track
    #: What :mod:`otio_mapedit.step_sound` hears of the loudest track, on its own clock of quarter
    #: seconds: float32 [n, COLUMNS] and [n * PER_STEP, CEPSTRA].
    steps: NDArray[Any] = field(default_factory=lambda: np.zeros((0, COLUMNS), np.float32))
    cepstra: NDArray[Any] = field(default_factory=lambda: np.zeros((0, CEPSTRA), np.float32))


@dataclass(frozen=True)
class PictureSamples:
    """Keyframes about a second apart, and every picture around the edges of faulty passages.

    n pictures; each stands for the frames up to the next one.
    """

    frames: NDArray[Any]  # int64 [n], grid frames, rising
    brightness: NDArray[Any]  # float32 [n], mean luma, 0 to 1
    contrast: NDArray[Any]  # float32 [n], standard deviation of luma
    detail: NDArray[Any]  # float32 [n], mean absolute luma gradient
    edge: NDArray[Any]  # float32 [n], largest absolute luma gradient
    change: NDArray[Any]  # float32 [n], largest absolute luma difference to the sample a second
    #                       before; 1 where there is none
    small: NDArray[Any] = field(  # uint8 [n, 9, 16, 3], RGB, the picture in small
        default_factory=lambda: np.zeros((0, *SMALL, 3), np.uint8)
    )
    watched: NDArray[Any] = field(  # float16 [n, WATCHED_FEATURES], what the shot network says
        default_factory=lambda: np.zeros((0, len(WATCHED_FEATURES)), np.float16)
    )


#: What can be wrong with a picture, by the codes of :func:`fault_codes`.
FAULTS = ("", "black", "lens covered", "nothing but a plain colour")


def fault_codes(
    brightness: NDArray[Any], contrast: NDArray[Any], detail: NDArray[Any], edge: NDArray[Any]
) -> NDArray[np.int8]:
    """What is wrong with each picture: indices into :data:`FAULTS`.

    Black is black with the noise of a sensor or codec in it. A covered lens still lets some light
    through, but no edge. Anything else without edges is a plain colour: overexposed, or no signal.
    One sharp edge is enough to make a picture of it: a title on black is not black.
    """
    black = (brightness < 0.05) & (contrast < 0.035) & (edge < 0.15)
    covered = (brightness < 0.3) & (contrast < 0.06) & (detail < 0.005) & (edge < 0.1)
    plain = (contrast < 0.02) & (detail < 0.0025) & (edge < 0.1)
    return np.select([black, covered, plain], [1, 2, 3], 0).astype(np.int8)


def sound_features(media: MediaInfo, cache: Cache, progress: Progress = silent) -> SoundFeatures:
    """Level and speech of a file with sound.

    Raises:
        MediaError: the file cannot be read. ModelError: the voice detector is not installed.
    """
    version = f"{_SOUND_VERSION}-{speech.version()}"
    stored = cache.get(media.fingerprint, "sound", version)
    names = ("level", "speech", "steps", "cepstra")
    if stored is None or not set(names) <= stored.keys():
        stored = _listened(media, progress)
        cache.put(media.fingerprint, "sound", version, stored)
    return SoundFeatures(HOP, *(stored[name] for name in names))


def picture_samples(media: MediaInfo, cache: Cache, progress: Progress = silent) -> PictureSamples:
    """Sampled pictures of a file with picture.

    Raises:
        MediaError: the file cannot be read. ModelError: the shot network is missing or altered.
    """
    names = tuple(field.name for field in fields(PictureSamples))
    version = f"{_PICTURE_VERSION}-{sample_watching.version()}"
    stored = cache.get(media.fingerprint, "pictures", version)
    if stored is None or not set(names) <= stored.keys():
        samples = _looked_at(media, progress)
        stored = {name: getattr(samples, name) for name in names}
        cache.put(media.fingerprint, "pictures", version, stored)
    return PictureSamples(*(stored[name] for name in names))


class _Track:
    """One sound track on the step clock, fed in order."""

    def __init__(self, memory: speech.Memory | None) -> None:
        self.listener = speech.Listener(memory)
        self.steps = StepListener()
        self.powers: list[NDArray[Any]] = []
        self.rest = np.zeros(0, np.float32)
        self.at = 0  # samples fed so far, from the file's origin

    def feed(self, start: int, samples: NDArray[np.float32]) -> None:
        """Take ``samples`` that begin ``start`` samples after the origin. What is missing before
        them was silent; what overlaps with earlier ones is left out."""
        if start > self.at:
            for first in range(self.at, start, speech.BATCH * speech.STEP):
                self._take(np.zeros(min(speech.BATCH * speech.STEP, start - first), np.float32))
        self._take(samples[max(0, self.at - start) :])

    def finish(self) -> tuple[NDArray[Any], NDArray[Any], TrackSteps]:
        """Power and speech probability [steps], and the edit network's steps."""
        samples = _samples_per_step()
        self._take(np.zeros(-self.at % samples, np.float32))
        power = np.concatenate([np.zeros(0, np.float32), *self.powers])
        return power, _on_steps(self.listener.finish(), len(power)), self.steps.finish()

    def _take(self, samples: NDArray[np.float32]) -> None:
        self.at += len(samples)
        self.listener.feed(samples)
        self.steps.feed(samples)
        held = np.concatenate([self.rest, samples])
        step = _samples_per_step()
        whole = len(held) // step * step
        self.powers.append(np.square(held[:whole]).reshape(-1, step).mean(axis=1))
        self.rest = held[whole:]


def _samples_per_step() -> int:
    return int(speech.SAMPLE_RATE * HOP)


def _on_steps(probability: NDArray[Any], steps: int) -> NDArray[Any]:
    """The voice detector's answers, one in 32 ms, at the middle of each step."""
    if not len(probability):
        return np.zeros(steps, np.float32)
    middle = np.arange(steps) * _samples_per_step() + _samples_per_step() // 2
    return probability[np.minimum(middle // speech.STEP, len(probability) - 1)]


def _listened(media: MediaInfo, progress: Progress) -> dict[str, NDArray[Any]]:
    """Hear every track once."""
    from .audio import sound

    task = f"Listening to {media.name}"
    total = max(float(media.duration), 0.001)
    memory: speech.Memory | None = {} if len(media.audio) > 1 else None
    tracks: dict[int, _Track] = {}
    progress(task, 0, total)
    for block in sound(media, speech.SAMPLE_RATE):
        track = tracks.setdefault(block.track, _Track(memory))
        track.feed(block.start, block.samples)
        progress(task, min(track.at / speech.SAMPLE_RATE, 0.999 * total), total)
    heard = [track.finish() for track in tracks.values()]
    steps = max((len(power) for power, _, _ in heard), default=0)
    power, voice = np.zeros(steps, np.float32), np.zeros(steps, np.float32)
    for track_power, track_voice, _ in heard:
        part = slice(0, len(track_power))
        np.maximum(power[part], track_power, out=power[part])
        np.maximum(voice[part], track_voice, out=voice[part])
    progress(task, total, total)
    # In doubles: in singles the logarithm of the floor itself differs from processor to processor.
    level = 10 * np.log10(np.maximum(power, 10 ** (SILENCE / 10), dtype=np.float64))
    loud = loudest([track_steps for _, _, track_steps in heard])
    return {
        "level": level.astype(np.float32),
        "speech": voice,
        "steps": loud.steps,
        "cepstra": loud.cepstra,
    }


@dataclass(frozen=True)
class _Look:
    """A sampled picture: its grid frame, its luma in small and what was measured."""

    frame: int
    luma: NDArray[np.float32]
    brightness: float
    contrast: float
    detail: float
    edge: float
    small: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8]

    @property
    def fault(self) -> int:
        """Code of what is wrong with it."""
        measures = (self.brightness, self.contrast, self.detail, self.edge)
        return int(fault_codes(*(np.array(measure) for measure in measures)))


def _look(frame: int, picture: NDArray[np.uint8]) -> _Look:
    luma = (picture @ _LUMA).astype(np.float32)
    down, across = np.abs(np.diff(luma, axis=0)), np.abs(np.diff(luma, axis=1))
    return _Look(
        frame=frame,
        luma=luma,
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        detail=float(down.mean() + across.mean()) / 2,
        edge=float(max(down.max(), across.max())),
        small=_smaller(picture, *SMALL),
        thumbnail=_smaller(picture, *_THUMBNAIL),
    )


def _smaller(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A picture of a multiple of that size, by means."""
    high, wide = picture.shape[0] // height, picture.shape[1] // width
    means = picture.reshape(height, high, width, wide, 3).mean(axis=(1, 3))
    return np.asarray(means.round(), np.uint8)


def samples_of(pictures: Iterable[tuple[int, NDArray[np.uint8]]], second: int) -> PictureSamples:
    """Samples of ``(frame, RGB [54, 96, 3])`` in order, of whose frames ``second`` last one."""
    return _measured((_look(frame, picture) for frame, picture in pictures), second)


def _looked_at(media: MediaInfo, progress: Progress) -> PictureSamples:
    """Look at keyframes, and at every picture between two of which one is faulty."""
    return _measured(_refined(media, progress), frames_covering(APART, media.rate))


def _measured(looks: Iterable[_Look], second: int) -> PictureSamples:
    measured: list[tuple[int, float, float, float, float, float]] = []
    small: list[NDArray[np.uint8]] = []

    def thumbnails() -> Iterator[NDArray[np.uint8]]:
        recent: deque[_Look] = deque()  # from a second ago, or the last before that, to now
        for look in looks:
            while len(recent) > 1 and recent[1].frame <= look.frame - second:
                recent.popleft()
            change = 1.0
            if recent and recent[0].frame <= look.frame - second:
                change = float(np.abs(look.luma - recent[0].luma).max())
            recent.append(look)
            measures = (look.brightness, look.contrast, look.detail, look.edge)
            measured.append((look.frame, *measures, change))
            small.append(look.small)
            yield look.thumbnail[None]

    watched = sample_watching.watch_samples(thumbnails())
    columns = np.array(measured, np.float64).reshape(-1, 6).T
    return PictureSamples(
        columns[0].astype(np.int64),
        *[
            *(column.astype(np.float32) for column in columns[1:]),
            np.array(small, np.uint8).reshape(-1, *SMALL, 3),
            watched,
        ],
    )


def _refined(media: MediaInfo, progress: Progress) -> Iterator[_Look]:
    """Keyframes in order, with all pictures between two that do not tell enough by themselves."""
    from .frames import decode_span, keyframe_pictures

    picture = media.picture
    assert picture is not None
    task = f"Looking at {media.name}"
    refined = REFINED_WITH_SOUND if media.audio else REFINED_WITHOUT
    budget = frames_covering(refined, media.rate)
    sparse = picture.frame_count if media.audio else frames_covering(SPARSE, media.rate)
    before: _Look | None = None
    progress(task, 0, picture.frame_count)
    for frame, pixels in keyframe_pictures(media, APART, SAMPLE_SIZE):
        look = _look(frame, pixels)
        between = 0 if before is None else look.frame - before.frame - 1
        if before is not None and between and (look.fault != before.fault or between > sparse):
            if between <= min(budget, _LONGEST_RUN):
                budget -= between
                span = decode_span(media, before.frame + 1, look.frame, SAMPLE_SIZE)
                for inner, inner_pixels in zip(span.frames, span.pictures, strict=True):
                    yield _look(int(inner), inner_pixels)
            elif before.fault and not look.fault:
                yield replace(look, frame=before.frame + 1)
        yield look
        before = look
        progress(task, min(frame, picture.frame_count - 1), picture.frame_count)
    progress(task, picture.frame_count, picture.frame_count)
