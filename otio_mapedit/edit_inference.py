"""What the edit network says about a file, step by step.

Steps pass through windows that are anchored to the file's first step (see
:mod:`otio_mapedit.edit_spec`) and are answered one at a time, so that the answer depends on the
file alone, however its steps were fed. What is held back is what the next windows still see: some
four minutes of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_spec import EDIT_OUTPUTS, FEATURES, STEP, EditSpec, Steps
from .features import PictureSamples, SoundFeatures
from .media import MediaInfo
from .progress import Progress, silent
from .spec import Window
from .step_features import step_count, step_features
from .weights import Answers, EditNetwork, open_edit_network

#: Steps on either side of one that is asked for its take, over which attention is averaged.
_AROUND = 2


@dataclass(frozen=True)
class EditPredictions:
    """The edit network's answer for every step of a file, n steps of ``STEP`` seconds.

    All float32; ``spec`` says what the columns mean.
    """

    steps: NDArray[Any]  # [n, features], what the network read
    operation: NDArray[Any]  # [n, operations], probabilities
    splice: NDArray[Any]  # [n], probability that another recording begins within a step
    speed: NDArray[Any]  # [n, speeds], probabilities
    grade: NDArray[Any]  # [n], probability that the colours want correcting
    importance: NDArray[Any]  # [n], 0 to 1
    reconstruction: NDArray[Any]  # [n, features], as the decoder remembers them
    quality: NDArray[Any]  # [n, qualities], probabilities
    attention: NDArray[Any]  # [n, reach], how much the decoder looked at each slot around
    spec: EditSpec
    network: str  # name and version, for the decision list

    def __len__(self) -> int:
        return len(self.operation)

    @property
    def step(self) -> Fraction:
        """Seconds of a step."""
        return STEP

    def probability(self, *operations: str) -> NDArray[Any]:
        """Of any of these operations, [n]."""
        columns = [self.spec.operations.index(name) for name in operations]
        return np.asarray(self.operation[:, columns].sum(axis=1))

    def column(self, feature: str) -> NDArray[Any]:
        """One of the features that the network read, [n]."""
        return np.asarray(self.steps[:, FEATURES.index(feature)])

    def looked_at(self, step: int) -> float:
        """Seconds from a step to what the decoder looked at most there, to about a second."""
        low, high = max(0, step - _AROUND), step + _AROUND + 1
        slot = int(self.attention[low:high].mean(axis=0).argmax())
        within = (step % self.spec.slot) / self.spec.slot
        return (slot - self.spec.past - within + 0.5) * self.spec.slot * float(STEP)


def peaks(probability: NDArray[Any], least: float) -> list[int]:
    """Steps at which ``probability`` [n] reaches ``least`` and is highest within two steps."""
    around = np.pad(probability, 2, constant_values=-1)
    best = np.max([around[shift : shift + len(probability)] for shift in range(5)], axis=0)
    found: list[int] = []
    for step in np.flatnonzero((probability >= least) & (probability >= best)):
        if not found or step - found[-1] > 2:
            found.append(int(step))
    return found


class EditStream:
    """The network over steps that arrive in pieces of any size; what it carries are steps."""

    def __init__(self, network: EditNetwork) -> None:
        self._network = network
        self._held: Steps = np.zeros((0, len(FEATURES)), np.float32)
        self._first = 0  # number of the first step held
        self._index = 0  # of the next window

    def feed(self, steps: Steps) -> Iterator[Answers]:
        """Take the next steps ``[n, features]``; give the answers that they complete."""
        self._held = np.concatenate([self._held, steps])
        spec = self._network.spec
        while self._first + len(self._held) >= spec.window_at(self._index).stop:
            yield self._answer(spec.window_at(self._index))

    def finish(self) -> Iterator[Answers]:
        """Give the rest; no step comes any more."""
        count = self._first + len(self._held)
        while count > self._index * self._network.spec.stride:
            yield self._answer(self._network.spec.window_at(self._index, count))

    def _answer(self, window: Window) -> Answers:
        spec = self._network.spec
        said = self._network.run(spec.gather(self._held, window, self._first)[None])
        count = window.keep_stop - window.keep_first
        self._index += 1
        seen = max(0, spec.window_at(self._index).first - self._first)
        self._held, self._first = self._held[seen:], self._first + seen
        return {name: values[0, :count] for name, values in said.items()}


def predict_edit(
    media: MediaInfo,
    sound: SoundFeatures | None,
    samples: PictureSamples | None,
    progress: Progress = silent,
    network: EditNetwork | None = None,
) -> EditPredictions:
    """Run the edit network, the installed one if no other is given, over what was heard and seen of
    a file.

    Raises:
        ModelError: the network is missing, altered or cannot run. OptionError: see
            :func:`otio_mapedit.weights.open_network`.
    """
    network = network or open_edit_network()
    task = f"Judging {media.name}"
    progress(task, 0, 1)
    steps = step_features(step_count(media), media.rate, sound, samples)
    said = run_edit(network, [steps])
    progress(task, 1, 1)
    return said


def run_edit(network: EditNetwork, pieces: Iterable[Steps]) -> EditPredictions:
    """The answer for steps in memory, given in pieces of any size."""
    stream = EditStream(network)
    read, answers = [np.zeros((0, len(FEATURES)), np.float32)], []
    for piece in pieces:
        read.append(piece)
        answers += list(stream.feed(piece))
    answers += list(stream.finish())
    empty = _nothing(network.spec)
    whole = {
        name: np.concatenate([empty[name], *(answer[name] for answer in answers)])
        for name in EDIT_OUTPUTS
    }
    return EditPredictions(
        steps=np.concatenate(read), **whole, spec=network.spec, network=network.label
    )


def _nothing(spec: EditSpec) -> Answers:
    """The answer for no step."""
    sizes: dict[str, tuple[int, ...]] = {
        "operation": (len(spec.operations),),
        "speed": (len(spec.speeds),),
        "reconstruction": (len(spec.features),),
        "quality": (len(spec.quality),),
        "attention": (spec.reach,),
    }
    return {name: np.zeros((0, *sizes.get(name, ())), np.float32) for name in EDIT_OUTPUTS}
