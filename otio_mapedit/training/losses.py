"""What the shot network is punished for.

The loss is ``w_recon * L_recon + w_edit * L_edit + w_reg * L_reg + w_teach * L_teach``: the
reconstruction of a frame's pooled features from the GRU's state; the cross-entropies of cut,
transition, kind and quality; the squares of all weights; and the cross-entropy of the network's
second pair of heads with a teacher's opinion (distillation as in Hinton, Vinyals and Dean,
"Distilling the knowledge in a neural network", 2015, with heads of its own so that exact truth
stays exact).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ..spec import KINDS
from .network import Answer
from .unedit import Example

if TYPE_CHECKING:
    from .train import TrainConfig

BLIND = 8
"""Frames at either end of a training edit that do not count: their neighbours are not seen."""


@dataclass(frozen=True)
class Losses:
    """The loss of one step and its four parts, not yet weighted."""

    total: float
    recon: float
    edit: float
    reg: float
    teach: float


@dataclass(frozen=True)
class Batch:
    """Edits as tensors ``(B, T, ...)``; see ``unedit.Example``."""

    frames: Tensor
    cut: Tensor
    transition: Tensor
    kind: Tensor
    quality: Tensor
    opinion: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on ``device``."""
        parts = (getattr(self, part.name).to(device) for part in dataclasses.fields(self))
        return Batch(*parts)


def collate(examples: list[Example]) -> Batch:
    """Edits of the same length as one batch."""

    def stacked(name: str) -> Tensor:
        return torch.stack([torch.from_numpy(getattr(one, name).copy()) for one in examples])

    return Batch(*(stacked(part.name) for part in dataclasses.fields(Batch)))


def reconstruction_loss(answer: Answer) -> Tensor:
    """L_recon: mean squared error of the pooled features as the GRU's state remembers them."""
    return functional.mse_loss(answer.reconstructed.float(), answer.pooled.detach().float())


def edit_loss(answer: Answer, batch: Batch, config: TrainConfig) -> Tensor:
    """L_edit: cross-entropies of cut, transition, kind and quality, summed, per frame.

    The frames beside a cut are wanted with the probability ``neighbours``; kinds that are not
    "none" and true cuts and transitions weigh ``positives`` times as much, true technical faults,
    which are rare, ``faults`` times. Where a teacher has spoken, cut and transition are wanted a
    share ``soften`` of the way towards its opinion (see ``softened``).
    """
    seen = slice(BLIND, -BLIND)
    cut, transition = softened(batch, config.soften)
    beside = functional.max_pool1d(cut[:, None], 3, 1, 1)[:, 0] * config.neighbours
    wanted = torch.maximum(cut, beside)[:, seen]
    weight = cut.new_tensor(config.positives)
    cut_loss = functional.binary_cross_entropy_with_logits(
        answer.cut[:, seen], wanted, pos_weight=weight
    )
    transition_loss = functional.binary_cross_entropy_with_logits(
        answer.transition[:, seen], transition[:, seen], pos_weight=weight
    )
    rarity = cut.new_full((len(KINDS),), config.positives)
    rarity[KINDS.index("none")] = 1.0
    kind_loss = functional.cross_entropy(
        answer.kind[:, seen].flatten(0, 1), batch.kind[:, seen].flatten(), weight=rarity
    )
    quality_loss = functional.binary_cross_entropy_with_logits(
        answer.quality[:, seen],
        batch.quality[:, seen].float(),
        pos_weight=cut.new_tensor(config.faults),
    )
    return 4 * cut_loss + 2 * transition_loss + kind_loss + 4 * quality_loss


def softened(batch: Batch, share: float) -> tuple[Tensor, Tensor]:
    """Wanted probabilities of cut and transition: the truth, and a ``share`` of the teacher's word.

    A true cut counts for less where the teacher sees no change within a frame or two, and a change
    that the teacher sees far from any true boundary counts for a little. The teacher marks the last
    frame before a change, the truth the first after it. True transitions count for less where the
    teacher does not see them.
    """
    cut, transition = batch.cut.float(), batch.transition.float()
    if not share:
        return cut, transition
    known = batch.opinion[..., 0] >= 0
    single = functional.pad(batch.opinion[:, :-1, 0].clamp(min=0), (1, 0))
    near = functional.max_pool1d(single[:, None], 5, 1, 2)[:, 0]
    many = batch.opinion[..., 1].clamp(min=0)
    true = functional.max_pool1d(torch.maximum(cut, transition)[:, None], 9, 1, 4)[:, 0]
    says = torch.where(cut > 0, near, single * (1 - true))
    mixed = cut + share * (says - cut)
    believed = transition * (1 + share * (torch.maximum(many, near) - 1))
    return torch.where(known, mixed, cut), torch.where(known, believed, transition)


def teacher_loss(answer: Answer, batch: Batch) -> Tensor:
    """L_teach: cross-entropy with the teacher's opinion, over the frames on which it has one."""
    seen = slice(BLIND, -BLIND)
    opinion, taught = batch.opinion[:, seen], answer.taught[:, seen]
    known = (opinion >= 0).float()
    apart = functional.binary_cross_entropy_with_logits(
        taught, opinion.clamp(min=0), weight=known, reduction="sum"
    )
    return 4 * apart / known.sum().clamp(min=1)
