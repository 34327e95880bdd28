"""What each choice is worth: the same training with one thing changed at a time.

All variants begin from chance, see the same series of edits and are judged on the same generated
edits. A table of a few hundred steps says what learns faster, not what is better in the end; the
number of steps stands above it.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..errors import OptionError
from ..files import write_text
from .network import NetworkConfig, Probabilities, ShotNetwork
from .train import TrainConfig, TrainProgress, train

VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "whole": ("as configured", {}),
    "no-gru": ("without the GRU", {"network.state": 0}),
    "one-scale": ("the last scale alone", {"network.scales": False}),
    "no-band": ("without the similarity band", {"network.lags": 0}),
    "band-4": ("similarity band of 4 frames", {"network.lags": 4}),
    "band-32": ("similarity band of 32 frames", {"network.lags": 32}),
    "no-patches": ("without the patch band", {"network.patches": ()}),
    "short-reach": ("temporal convolutions 1, 2, 4", {"network.reaches": (1, 2, 4)}),
    "short-sight": ("stages look one frame far", {"network.sight": (1, 1, 1)}),
    "small-state": ("description and state of 64", {"network.fused": 64, "network.state": 64}),
    "narrow": ("half as wide", {"network.widths": (8, 16, 32, 48)}),
    "wide": ("half again as wide", {"network.widths": (24, 48, 96, 144)}),
    "short-window": ("edits of 64 frames, twice as many", {"length": 64, "batch": 2.0}),
    "no-recon": ("no reconstruction loss", {"w_recon": 0.0}),
    "more-recon": ("reconstruction loss 0.5", {"w_recon": 0.5}),
    "no-teacher": ("no teacher", {"w_teach": 0.0, "soften": 0.0}),
    "more-teacher": ("teacher's heads weigh 4", {"w_teach": 4.0}),
}
"""Name, description and changed fields of every variant. A changed batch is a factor."""


@dataclass(frozen=True)
class Row:
    """One variant's outcome: ``f1`` of the best validation (tolerance 2) on generated edits, at
    ``step``; ``frames_per_second`` read by torch on one thread; ``minutes`` of training."""

    name: str
    about: str
    parameters: int
    frames_per_second: float
    f1: float
    step: int
    minutes: float


def ablate(
    config: TrainConfig,
    folder: Path,
    steps: int,
    names: Iterable[str] = (),
    progress: Callable[[str, TrainProgress], None] = lambda name, at: None,
) -> list[Row]:
    """Train every named variant (all without ``names``) of ``config`` for ``steps`` steps.

    Checkpoints, ``ablation.md`` and ``ablation.json`` are written to ``folder``; variants that
    stand there already are not trained again. Raises OptionError for a name that is none.
    """
    chosen = list(names) or list(VARIANTS)
    if unknown := [name for name in chosen if name not in VARIANTS]:
        raise OptionError(f"No variant {unknown[0]}", f"There are: {', '.join(VARIANTS)}")
    rows = []
    for name in chosen:
        settings = variant(config, name, folder, steps)
        began = time.monotonic()
        train(settings, partial(progress, name))
        rows.append(_row(name, settings.out, settings, (time.monotonic() - began) / 60))
        write_text(folder / "ablation.md", table(rows, steps), force=True)
        records = [dataclasses.asdict(row) for row in rows]
        text = json.dumps({"steps": steps, "rows": records}, indent=1)
        write_text(folder / "ablation.json", text, force=True)
    return rows


def variant(config: TrainConfig, name: str, folder: Path, steps: int) -> TrainConfig:
    """``config`` from chance, for ``steps`` steps, with the variant's fields changed."""
    changes = dict(VARIANTS[name][1])
    if "batch" in changes:
        changes["batch"] = int(config.batch * changes["batch"])
    network = {
        key.removeprefix("network."): changes.pop(key)
        for key in list(changes)
        if key.startswith("network.")
    }
    return dataclasses.replace(
        config,
        out=folder / f"{name}.pt",
        start=None,
        steps=steps,
        patience=max(config.patience, steps),
        validate_every=max(1, min(config.validate_every, steps // 4)),
        network=dataclasses.replace(config.network, **network),
        **changes,
    )


def _row(name: str, checkpoint: Path, config: TrainConfig, minutes: float) -> Row:
    stored = torch.load(checkpoint, weights_only=True, map_location="cpu")
    network = ShotNetwork(config.network).eval()
    used = {key for key, _ in network.named_parameters() if not key.startswith("reconstruct")}
    parameters = sum(network.get_parameter(key).numel() for key in used)
    return Row(
        name,
        VARIANTS[name][0],
        parameters,
        speed(config.network),
        float(stored["best"]),
        int(stored["step"]),
        minutes,
    )


def speed(config: NetworkConfig, windows: int = 3) -> float:
    """Frames that torch reads in a second of processor time, on one window at a time."""
    network = Probabilities(ShotNetwork(config).eval())
    frames = torch.zeros((1, config.spec.window, *config.spec.frame_shape), dtype=torch.uint8)
    with torch.no_grad():
        network(frames)
        began = time.process_time()
        for _ in range(windows):
            network(frames)
    return windows * config.spec.window / max(time.process_time() - began, 1e-9)


def table(rows: list[Row], steps: int) -> str:
    """The outcome as a Markdown table."""
    lines = [
        f"Variants after {steps} steps from chance, judged on generated edits (tolerance 2).",
        "",
        "| variant | parameters | frames/s (torch) | F1 | minutes |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.about} | {row.parameters:,} | {row.frames_per_second:,.0f} | {row.f1:.3f} "
        f"| {row.minutes:.1f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
