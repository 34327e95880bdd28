"""The edit network's input contract, shared by training and inference.

The network reads *steps* of a quarter of a second. Everything it reads of a step is a number that
this page names (:data:`FEATURES`); the sound part is computed by :mod:`otio_mapedit.step_sound`,
what it finds repeated by :mod:`otio_mapedit.repeats`, the picture part by
:mod:`otio_mapedit.step_features`, what it is against its surroundings by
:mod:`otio_mapedit.step_context`. Pictures are statistics of sampled pictures and what the shot
network says of them (:mod:`otio_mapedit.sample_watching`), so that the network goes with the
``shots.onnx`` that it learned with.

Steps are read in windows that are anchored to step 0 of the file, as the shot network's are to its
frame 0: window ``i`` answers for ``[i * stride, (i + 1) * stride)``. Its encoder sees ``before``
steps before and ``after`` steps behind them, its decoder begins ``run_up`` steps early, and its
attention reaches from ``past`` slots before to ``future`` slots after a step, a slot being the mean
of ``slot`` steps. The answer for a step is therefore a matter of the step's number alone, however
the steps were fed, and what one window costs does not depend on the file's length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ModelError
from .spec import QUALITIES, ShotSpec, Window

STEP = Fraction(1, 4)
"""Seconds of a step."""

EDIT_INPUT = "steps"
"""The one input: float32 ``[B, window, len(FEATURES)]``; B is free, outside the file all zero."""
EDIT_OUTPUTS = (
    "operation",
    "splice",
    "speed",
    "grade",
    "importance",
    "reconstruction",
    "quality",
    "attention",
)
"""The outputs, all float32, for the steps that a window answers for; see :class:`EditSpec`."""

OPERATIONS = (
    "keep",
    "dead air",
    "retake",
    "false start",
    "covered",
    "unsteady",
    "frozen",
    "noise",
    "slate",
    "chatter",
)
"""What becomes of a step: kept, or dropped for a reason. ``covered`` is black too, ``unsteady``
shaken, bumped or out of focus, ``noise`` a cough or handling, ``chatter`` talk off the microphone.
"""
SPEEDS = ("normal", "slower", "faster")
"""How the recorded speed differs from life."""
EDIT_QUALITIES = ("noise", "music", "blur", "shake")
"""Technical properties of a step's sound and picture."""

MEL_BANDS = 24
"""Mel bands of the sound features."""
LOOK = ShotSpec.embedding
"""Numbers with which the shot network says what a picture looks like."""

LAGS = (1, 2, 4, 8, 16)
"""Frames of 10 ms over which the change of a spectrum is taken."""
_CHANGES = tuple(f"spectral change in {10 * lag} ms" for lag in LAGS)

CONTEXT_FEATURES = (
    "room change",
    "voice change",
    "pitch change",
    "level change",
    "pitch against around",
    "pace against around",
    "level against around",
    "slower likeness",
    "faster likeness",
    "speed likeness",
    *(f"{name} here" for name in _CHANGES),
    *(f"{name} against around" for name in _CHANGES),
)
"""Sound of a step against that of its surroundings."""
SOUND_FEATURES = (
    *(f"mel {band}" for band in range(MEL_BANDS)),
    *(f"mel change {part}" for part in range(4)),
    "flux",
    "flux peak",
    "centroid",
    "flatness",
    "voicing",
    "pitch",
    *_CHANGES,
    "room step",
    "room step for good",
    "level",
    "level least",
    "level most",
    "silence",
    "speech",
    "speech most",
    "speech pace",
    "rise",
    *CONTEXT_FEATURES,
)
REPEAT_FEATURES = (
    "again score",
    "again distance",
    "again lag",
    "again steady",
    "next score",
    "next lag",
    "next steady",
    "before score",
    "before lag",
    "before steady",
)
ALIKE_FEATURES = (
    "likeness before",
    "place change",
    "brightness against alike",
    "contrast against alike",
    "red against alike",
    "blue against alike",
    "saturation against alike",
    "detail against alike",
    "look against alike",
)
"""Pictures against those of the same place."""
WATCHED_FEATURES = (
    "watched cut",
    "watched transition",
    *(f"watched {quality}" for quality in QUALITIES),
    *(f"look {number}" for number in range(LOOK)),
)
"""What the shot network says of the sampled pictures; see :mod:`otio_mapedit.sample_watching`."""
LOOK_SPANS = (1, 4, 16, 64)
"""Seconds before and after a step of which the mean looks are compared."""
LOOK_FEATURES = tuple(f"look change over {span} s" for span in LOOK_SPANS)
SHOT_NETWORK_FEATURES = (*WATCHED_FEATURES, *LOOK_FEATURES)
"""All that comes from the shot network."""
PICTURE_FEATURES = (
    "brightness",
    "contrast",
    "detail",
    "edge",
    "change",
    "detail against around",
    "brightness against around",
    "difference before",
    "difference after",
    "difference ahead",
    "colour difference before",
    "red",
    "blue",
    "saturation",
    "black",
    "covered picture",
    "plain",
    "still",
    "picture age",
    *ALIKE_FEATURES,
    *SHOT_NETWORK_FEATURES,
)
PRESENCE = ("inside", "has sound", "has picture")
FEATURES = (*SOUND_FEATURES, *REPEAT_FEATURES, *PICTURE_FEATURES, *PRESENCE)
"""Names of the numbers of a step, in order."""

Steps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EditSpec:
    """What an edit network reads and says.

    For every step t that a window answers for:

    - ``operation [B, T, len(operations)]``: probabilities, summing to 1;
    - ``splice [B, T]``: probability that another recording begins within a step of t;
    - ``speed [B, T, len(speeds)]``: probabilities, summing to 1;
    - ``grade [B, T]``: probability that the picture's colours want correcting;
    - ``importance [B, T]``: how much an editor would miss it, 0 to 1;
    - ``reconstruction [B, T, len(features)]``: the features as the decoder remembers them, in
      units of their spread over the training material;
    - ``quality [B, T, len(quality)]``: independent probabilities;
    - ``attention [B, T, past + 1 + future]``: how much the decoder looked at each slot, from
      ``past`` slots before t's own to ``future`` after it; sums to 1.

    ``retake_threshold`` is the mean probability of retake and false start from which a phrase is
    taken out without being asked about; below it and above ``doubt_threshold`` it is marked.
    ``splice_threshold`` is what a splice must reach to be one.
    """

    name: str = "edit"
    version: str = "2"
    step: str = "1/4"
    stride: int = 384
    run_up: int = 64
    slot: int = 4
    past: int = 32
    future: int = 96
    features: tuple[str, ...] = FEATURES
    operations: tuple[str, ...] = OPERATIONS
    speeds: tuple[str, ...] = SPEEDS
    quality: tuple[str, ...] = EDIT_QUALITIES
    retake_threshold: float = 0.6
    doubt_threshold: float = 0.35
    splice_threshold: float = 0.85

    def __post_init__(self) -> None:
        sizes = (self.stride, self.run_up, self.slot, self.past, self.future)
        if min(sizes) < 1 or self.stride % self.slot or self.run_up % self.slot:
            raise _broken(f"windows of {self.stride} steps in slots of {self.slot}")

    @property
    def before(self) -> int:
        """Steps that a window sees before those it answers for."""
        return self.run_up + self.past * self.slot

    @property
    def after(self) -> int:
        """Steps that a window sees behind those it answers for."""
        return self.future * self.slot

    @property
    def window(self) -> int:
        """Steps of a window."""
        return self.before + self.stride + self.after

    @property
    def reach(self) -> int:
        """Slots that the attention of a step reaches over."""
        return self.past + 1 + self.future

    def window_at(self, index: int, step_count: int | None = None) -> Window:
        """Window number ``index``, in steps; it answers up to the file's end once that is known."""
        first = index * self.stride
        stop = first + self.stride
        if step_count is not None:
            stop = min(stop, step_count)
        return Window(index, first - self.before, first + self.stride + self.after, first, stop)

    def windows(self, step_count: int) -> Iterator[Window]:
        """The windows of a file of ``step_count`` steps; what they answer for partitions it."""
        for index in range(-(-step_count // self.stride)):
            yield self.window_at(index, step_count)

    def gather(self, steps: Steps, window: Window, first_step: int = 0) -> Steps:
        """What the network sees through ``window``: ``(window, len(features))``.

        ``steps`` is ``(n, len(features))`` and begins with the file's step ``first_step``; beyond
        its ends everything is zero, "inside" too.
        """
        seen = np.zeros((self.window, len(self.features)), np.float32)
        low = max(window.first, first_step)
        high = min(window.stop, first_step + len(steps))
        if low < high:
            seen[low - window.first : high - window.first] = steps[
                low - first_step : high - first_step
            ]
        return seen

    def to_json(self) -> str:
        """The spec as one line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EditSpec:
        """Read what :meth:`to_json` wrote.

        Raises ModelError when the text is not a spec that this version can feed.
        """
        try:
            record: Any = json.loads(text)
        except json.JSONDecodeError as fault:
            raise _broken(str(fault)) from fault
        if not isinstance(record, dict) or set(record) != {field.name for field in fields(cls)}:
            raise _broken("its fields are not the ones this version knows")
        for name in ("features", "operations", "speeds", "quality"):
            if not isinstance(record[name], list):
                raise _broken(f"{name} is not a list")
            record[name] = tuple(record[name])
        spec = cls(**record)
        if spec.features != FEATURES or Fraction(spec.step) != STEP:
            raise _broken("it reads other features than this version computes")
        return spec


def _broken(reason: str) -> ModelError:
    return ModelError(
        f"The edit network's spec does not hold together: {reason}",
        "Reinstall otio-mapedit, or export the network again: mapedit model export",
    )
