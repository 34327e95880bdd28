"""The terms of the edit network's loss; see :mod:`otio_mapedit.training.edit_train`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Opinion:
    """What teachers say together of the decoded steps: the means of their probabilities."""

    operation: Tensor
    speed: Tensor
    splice: Tensor
    grade: Tensor


def opinion(answers: Sequence[EditAnswer]) -> Opinion:
    """The mean of some networks' answers."""

    def mean(parts: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(parts)).mean(0)

    return Opinion(
        mean([one.operation.softmax(-1) for one in answers]),
        mean([one.speed.softmax(-1) for one in answers]),
        mean([one.splice.sigmoid() for one in answers]),
        mean([one.grade.sigmoid() for one in answers]),
    )


def teaching_loss(answer: EditAnswer, said: Opinion, batch: Windows) -> Tensor:
    """L_teach: cross-entropies with what the teachers say, weighted as in ``edit_loss`` (Hinton,
    Vinyals and Dean 2015)."""
    flags = functional.binary_cross_entropy_with_logits

    def classes(logits: Tensor, said: Tensor) -> Tensor:
        return -(said * logits.log_softmax(-1)).sum(-1)

    apart = (
        classes(answer.operation, said.operation)
        + 1.5 * classes(answer.speed, said.speed)
        + 2 * flags(answer.splice, said.splice, reduction="none")
        + flags(answer.grade, said.grade, reduction="none")
    )
    return _mean(apart, batch.counts)


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
