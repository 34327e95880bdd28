"""The terms of the edit network's loss; see :mod:`otio_mapedit.training.edit_train`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .edit_network import EditAnswer
from .edit_windows import Windows

#: How many times a step counts in which another recording begins, as there are few.
_SPLICE = 4.0


def reconstruction_loss(answer: EditAnswer, batch: Windows) -> Tensor:
    """L_recon: mean squared error of the features as the decoder remembers them."""
    apart = (answer.reconstruction - answer.read.detach()).square().mean(-1)
    return _mean(apart, batch.counts)


def operation_loss(logits: Tensor, batch: Windows) -> Tensor:
    """Cross-entropy of the operation."""
    apart = functional.cross_entropy(logits.transpose(1, 2), batch.operation, reduction="none")
    return _mean(apart, batch.counts)


def edit_loss(answer: EditAnswer, batch: Windows) -> Tensor:
    """L_edit: what the editor decides, per step.

    Splices, of which there are few, count more where they are; most films have no graded passage
    and run at one speed, which those terms make up for.
    """
    flags = functional.binary_cross_entropy_with_logits
    splice = flags(
        answer.splice, batch.splice, pos_weight=answer.splice.new_tensor(_SPLICE), reduction="none"
    )
    speed = functional.cross_entropy(answer.speed.transpose(1, 2), batch.speed, reduction="none")
    grade = flags(answer.grade, batch.grade, reduction="none")
    quality = flags(answer.quality, batch.quality, reduction="none").mean(-1)
    importance = (answer.importance.sigmoid() - batch.importance).square()
    others = 2 * splice + 1.5 * speed + grade + 0.3 * quality + importance
    return operation_loss(answer.operation, batch) + _mean(others, batch.counts)


def attention_loss(answer: EditAnswer, batch: Windows) -> Tensor:
    """Cross-entropy of the attention where a line is said again."""
    there = batch.target >= 0
    if not there.any():
        return torch.zeros((), device=answer.attention.device)
    looked = answer.attention[there]
    target = batch.target[there]
    near = [
        looked.gather(1, (target + by).clamp(0, looked.shape[1] - 1)[:, None]) for by in (-1, 0, 1)
    ]
    return -(torch.cat(near, 1).sum(1) + 1e-6).log().mean()


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    return (values * counts).sum() / counts.sum().clamp(min=1)
