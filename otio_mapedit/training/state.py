"""What a training run has come to: network, running average, optimiser, the best answer so far.

A checkpoint holds all of it, so that a run that was stopped goes on where it stood, and nothing but
tensors, numbers and text, so that it can be read without running code from it. Beside it a CSV file
of the same name keeps the curves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Network = TypeVar("Network", bound=nn.Module)


class TrainState(Generic[Network]):
    """See the module. Begins where the checkpoint ``out`` stands, if there is one.

    ``best_average`` are the running averages at the best validation so far, ``idle`` the number of
    validations since.
    """

    def __init__(self, network: Network, out: Path, rate: float, stays: float, device: str) -> None:
        self.network = network.to(device)
        self.device = torch.device(device)
        self.out = out
        self.average = AveragedModel(self.network, avg_fn=running(stays), use_buffers=True)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=rate)
        self.step, self.best, self.idle = 0, -1.0, 0
        self.best_average: dict[str, Tensor] = {}
        if out.exists():
            stored = torch.load(out, weights_only=True, map_location=self.device)
            self.network.load_state_dict(stored["network"])
            self.average.load_state_dict(stored["running"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.best_average = stored["average"]
            self.step, self.best, self.idle = stored["step"], stored["best"], stored["idle"]

    def descend(self, loss: Tensor, rate: float, clip: float) -> None:
        """One step of the optimiser down the gradient of ``loss``, which is cut off at ``clip``."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), clip)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.step += 1

    def squares(self) -> Tensor:
        """L_reg: the squares of all weights."""
        return torch.stack([weight.square().sum() for weight in self.network.parameters()]).sum()

    def judge(self, f1: float) -> None:
        """Take the running average for the answer when it is the best."""
        self.idle += 1
        if f1 > self.best:
            self.best, self.idle = f1, 0
            self.best_average = {
                name: value.clone() for name, value in self.average.module.state_dict().items()
            }

    def write(self, config: Any, sources: Sequence[Mapping[str, str]]) -> None:
        """Write the checkpoint, with the configuration (a dataclass) and what was learned from."""
        stored = {
            "network": self.network.state_dict(),
            "running": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.best_average,
            "step": self.step,
            "best": self.best,
            "idle": self.idle,
            "config": _plain(dataclasses.asdict(config)),
            "sources": [dict(source) for source in sources],
        }
        self.out.parent.mkdir(parents=True, exist_ok=True)
        partial = self.out.with_suffix(".partial")
        torch.save(stored, partial)
        partial.replace(self.out)

    def note(self, **numbers: float | None) -> None:
        """Add a row to the curves; what a stopped run did after its checkpoint stands twice."""
        curves = self.out.with_suffix(".csv")
        fresh = not curves.exists()
        curves.parent.mkdir(parents=True, exist_ok=True)
        with curves.open("a", encoding="utf-8") as out:
            if fresh:
                out.write(",".join(["step", *numbers]) + "\n")
            cells = ["" if value is None else f"{value:.6g}" for value in numbers.values()]
            out.write(",".join([str(self.step), *cells]) + "\n")


def running(stays: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Exponential average of which ``stays`` stays at a step, over fewer at the beginning."""

    def averaged(average: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
        keep = min(stays, (1 + int(count)) / (10 + int(count)))
        return average + ((now - average) * (1 - keep)).to(average.dtype)

    return averaged


def _plain(value: Any) -> Any:
    """``value`` with paths as names, so that a checkpoint holds no code."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else value
