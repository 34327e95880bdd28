"""The edits that training learns from, kept on the device where it learns.

Making an edit costs a processor more than learning from it costs a graphics card, so each is seen
several times: mirrored, with its colours exchanged and bent, beside others. The oldest give way.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from .losses import Batch

OF_MEMORY = 0.5
"""The share of a graphics card's free memory that the pool may take."""


class Pool:
    """Up to ``room`` edits on ``device``, fewer where its memory does not hold them; what is drawn
    is fixed by ``seed`` and what was added."""

    def __init__(self, room: int, device: torch.device, seed: int) -> None:
        self.room, self.device = room, device
        self.dice = torch.Generator(device="cpu").manual_seed(seed)
        self.kept: Batch | None = None
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.room)

    def add(self, fresh: Batch) -> None:
        """Take in the edits of ``fresh``, in the place of the oldest when there is no room."""
        fresh = fresh.to(self.device)
        if self.kept is None:
            self.kept = self._empty(fresh)
        count = len(fresh.cut)
        places = (torch.arange(count) + self.added) % self.room
        for each in dataclasses.fields(fresh):
            getattr(self.kept, each.name)[places.to(self.device)] = getattr(fresh, each.name)
        self.added += count

    def _empty(self, like: Batch) -> Batch:
        parts = [getattr(like, each.name) for each in dataclasses.fields(like)]
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            size = sum(part[0].numel() * part.element_size() for part in parts)
            self.room = max(len(like.cut), min(self.room, int(OF_MEMORY * free / size)))
        return Batch(*(part.new_empty((self.room, *part.shape[1:])) for part in parts))

    def draw(self, count: int) -> Batch:
        """``count`` edits at random, each varied (see ``varied``). At least one must be there."""
        if self.kept is None:
            raise ValueError("nothing was added to the pool")
        chosen = torch.randint(len(self), (count,), generator=self.dice).to(self.device)
        drawn = Batch(
            *(getattr(self.kept, each.name)[chosen] for each in dataclasses.fields(Batch))
        )
        return dataclasses.replace(drawn, frames=varied(drawn.frames, self.dice))


def varied(frames: Tensor, dice: torch.Generator) -> Tensor:
    """``frames`` ``(B, T, h, w, 3)`` uint8 mirrored, their colours exchanged and bent.

    One way for each of the ``B`` edits, one in four of which stays as it is; the truth about them
    stays as it is.
    """
    count, device = len(frames), frames.device
    plain = torch.rand(count, generator=dice) < 0.25
    bend = torch.exp(0.25 * torch.randn(count, generator=dice)).masked_fill(plain, 1.0)
    gain = (0.75 + 0.25 * torch.rand(count, generator=dice)).masked_fill(plain, 1.0)
    steps = torch.arange(256) / 255
    tones = (255 * steps[None] ** bend[:, None] * gain[:, None]).to(torch.uint8).to(device)
    made = torch.empty_like(frames)
    for index in range(count):
        one = frames[index]
        flips = [
            axis for axis in (1, 2) if torch.rand(1, generator=dice) < 0.5 and not plain[index]
        ]
        channels = torch.randperm(3, generator=dice)
        if flips:
            one = one.flip(flips)
        if not plain[index]:
            one = tones[index][one[..., channels.to(device)].long()]
        made[index] = one
    return made
