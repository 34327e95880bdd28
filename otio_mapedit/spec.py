"""The shot network's input contract, shared by training and inference.

A frame reaches the network as an RGB thumbnail of 48 x 27 pixels, the whole picture squeezed into
it whatever its shape. Frames are read in windows that are anchored to frame 0 of the file: window
``i`` answers for the frames ``[i * stride, (i + 1) * stride)`` and sees ``context`` more on each
side. Which window answers for a frame is therefore a property of the frame's number alone, and the
answer cannot depend on how the frames were fed. Before the first and after the last frame of a file
the nearest frame is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ModelError

SPEC_KEY = "mapedit.spec"
"""Key of the spec's JSON in an ONNX file's ``metadata_props``."""
PROVENANCE_KEY = "mapedit.provenance"
"""Key of the training record (command, seed, sources, versions, date) in ``metadata_props``."""
LICENCE_KEY = "mapedit.licence"
"""Key of the weights' SPDX licence expression in ``metadata_props``."""

INPUT = "frames"
"""The one input: uint8 ``[B, T, height, width, 3]``, B and T free."""
OUTPUTS = ("cut", "transition", "kind", "embedding", "quality")
"""The outputs, all float32; see :class:`ShotSpec`."""

KINDS = ("none", "cut", "dissolve", "wipe", "fade_out", "fade_in")
QUALITIES = ("black", "flash", "blur", "shake", "covered")

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """One pass of the network over a run of frames, in frame numbers of the file.

    ``first`` and ``stop`` bound what the network sees (they may lie outside the file, where the
    nearest frame stands in); ``keep_first`` and ``keep_stop`` bound the frames it answers for.
    """

    index: int
    first: int
    stop: int
    keep_first: int
    keep_stop: int

    @property
    def kept(self) -> slice:
        """The answered frames as a slice of the window's own outputs."""
        return slice(self.keep_first - self.first, self.keep_stop - self.first)


@dataclass(frozen=True)
class ShotSpec:
    """What a shot network reads and says.

    The network answers for every frame t of a window:

    - ``cut [B, T]``: probability that t is the first frame of a new shot after a hard cut;
    - ``transition [B, T]``: probability that t mixes two shots, or a shot and a plain colour;
    - ``kind [B, T, len(kinds)]``: probabilities over ``kinds``, summing to 1;
    - ``embedding [B, T, embedding]``: what the frame looks like, of unit length;
    - ``quality [B, T, len(quality)]``: independent probabilities of technical faults.

    ``cut_threshold`` and ``transition_threshold`` are the probabilities at which the two first
    are taken for true; they were chosen on generated validation material.
    """

    name: str = "shots"
    version: str = "1"
    width: int = 48
    height: int = 27
    window: int = 256
    context: int = 32
    kinds: tuple[str, ...] = KINDS
    quality: tuple[str, ...] = QUALITIES
    embedding: int = 32
    cut_threshold: float = 0.5
    transition_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or self.context < 0 or self.stride < 1:
            raise _broken(f"window {self.window} with context {self.context} keeps no frame")

    @property
    def stride(self) -> int:
        """Frames that each window answers for, and the distance between windows."""
        return self.window - 2 * self.context

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Shape of one thumbnail: height, width, RGB."""
        return (self.height, self.width, 3)

    def window_at(self, index: int, frame_count: int | None = None) -> Window:
        """Window number ``index``; its kept range ends with the file once its length is known."""
        keep_first = index * self.stride
        keep_stop = keep_first + self.stride
        if frame_count is not None:
            keep_stop = min(keep_stop, frame_count)
        first = keep_first - self.context
        return Window(index, first, first + self.window, keep_first, keep_stop)

    def windows(self, frame_count: int) -> Iterator[Window]:
        """The windows of a file of ``frame_count`` frames; their kept ranges partition it."""
        for index in range(-(-frame_count // self.stride)):
            yield self.window_at(index, frame_count)

    def gather(self, frames: Frames, window: Window, first_frame: int = 0) -> Frames:
        """What the network sees through ``window``: ``(window, height, width, 3)``.

        ``frames`` is ``(n, height, width, 3)`` and begins with the file's frame ``first_frame``;
        where the window reaches beyond either end, the nearest frame is repeated.
        """
        wanted = np.arange(window.first, window.stop) - first_frame
        return frames[np.clip(wanted, 0, len(frames) - 1)]

    def to_json(self) -> str:
        """The spec as one line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ShotSpec:
        """Read what :meth:`to_json` wrote.

        Raises ModelError when the text is not a spec that this version understands.
        """
        try:
            record: Any = json.loads(text)
        except json.JSONDecodeError as fault:
            raise _broken(str(fault)) from fault
        if not isinstance(record, dict) or set(record) != {field.name for field in fields(cls)}:
            raise _broken("its fields are not the ones this version knows")
        for field in ("kinds", "quality"):
            if not isinstance(record[field], list):
                raise _broken(f"{field} is not a list")
            record[field] = tuple(record[field])
        return cls(**record)


def _broken(reason: str) -> ModelError:
    return ModelError(
        f"The network's spec does not hold together: {reason}",
        "Reinstall otio-mapedit, or export the network again: mapedit model export",
    )
