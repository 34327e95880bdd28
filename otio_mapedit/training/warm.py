"""Beginning from an exported network instead of from chance.

What an ONNX file holds is put back into a network of the same or a larger shape: convolutions get
back the normalisation that the export had folded into them (measured on some generated edits),
and what the file does not know begins so that it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from ..errors import ModelError
from .network import ShotNetwork

Arrays = Mapping[str, npt.NDArray[np.float32]]

HALVED = ".half"
"""Follows the name of a weight that a file stores in half precision."""


def begin(network: ShotNetwork, exported: Path, frames: Tensor) -> None:
    """Give ``network`` the weights of the file ``exported``.

    ``frames`` ``(B, T, 27, 48, 3)`` are edits on which normalisation is measured. Raises ModelError
    when the file holds another kind of network.
    """
    try:
        graph = onnx.load(str(exported)).graph
        stored = {
            each.name.removesuffix(HALVED): onnx.numpy_helper.to_array(each).astype(np.float32)
            for each in graph.initializer
            if each.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
        }
        inputs = {node.name: list(node.input) for node in graph.node}
        with torch.no_grad():
            _copy(network, stored, inputs)
    except (OSError, KeyError, RuntimeError) as fault:
        raise ModelError(
            f"{exported} cannot be trained on: {fault}", "Name a file that `model export` wrote"
        ) from fault
    _normalised(network, frames)


def _copy(network: ShotNetwork, stored: Arrays, inputs: Mapping[str, list[str]]) -> None:
    def weights(node: str) -> list[Tensor]:
        names = inputs[f"/network/{node}"][1:]
        return [torch.from_numpy(stored[name].copy()) for name in names if name in stored]

    for index, stage in enumerate(network.stages):
        stage_: Any = stage
        _folded(stage_.spatial, stage_.norm, *weights(f"stages.{index}/spatial/Conv"))
        if stage_.temporal is not None:
            _linear(stage_.temporal, *weights(f"stages.{index}/temporal/Conv"))
    for index, block in enumerate(network.blocks):
        block_: Any = block
        if f"/network/blocks/blocks.{index}/mix/Conv" in inputs:
            _folded(block_.mix, block_.norm, *weights(f"blocks/blocks.{index}/mix/Conv"))
        else:
            block_.norm.weight.zero_()
    for name in ("pooled_norm.weight", "pooled_norm.bias"):
        network.get_parameter(name).copy_(torch.from_numpy(stored[f"network.{name}"].copy()))
    for name in ("fuse", "embed", "read_band", "hidden", "heads"):
        bias = torch.from_numpy(stored[f"network.{name}.bias"].copy())
        _linear(network.get_submodule(name), weights(f"{name}/MatMul")[0].T, bias)
    if network.gru is not None:
        _gates(network.gru, *weights("gru/GRU")[:3])


def _linear(layer: Any, weight: Tensor, bias: Tensor) -> None:
    """Copy into a layer that may have more inputs or outputs; further inputs count for nothing."""
    rows, columns = weight.shape[:2]
    if columns < layer.weight.shape[1]:
        layer.weight[:, columns:] = 0
    layer.weight[:rows, :columns] = weight
    layer.bias[:rows] = bias


def _folded(layer: Any, norm: Any, weight: Tensor, bias: Tensor) -> None:
    """A convolution whose normalisation was folded in; ``norm`` only adds ``bias`` for now."""
    layer.weight.copy_(weight)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    norm.bias.copy_(bias)


def _gates(gru: nn.GRU, inward: Tensor, across: Tensor, biases: Tensor) -> None:
    """ONNX keeps the gates in the order update, reset, new; torch begins with reset."""
    size = gru.hidden_size
    order = torch.cat(
        [torch.arange(size, 2 * size), torch.arange(size), torch.arange(2 * size, 3 * size)]
    )
    for direction, suffix in enumerate(("l0", "l0_reverse")):
        gru.get_parameter(f"weight_ih_{suffix}").copy_(inward[direction][order])
        gru.get_parameter(f"weight_hh_{suffix}").copy_(across[direction][order])
        gru.get_parameter(f"bias_ih_{suffix}").copy_(biases[direction][: 3 * size][order])
        gru.get_parameter(f"bias_hh_{suffix}").copy_(biases[direction][3 * size :][order])


def _normalised(network: ShotNetwork, frames: Tensor) -> None:
    """Measure what every normalisation sees and set it so that its answer stays the same."""
    norms = [
        part for part in network.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)
    ]

    def measure(norm: Any, seen: tuple[Tensor, ...]) -> None:
        axes = [axis for axis in range(seen[0].ndim) if axis != 1]
        norm.measured = (seen[0].mean(axes), seen[0].var(axes))

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    network.eval()
    with torch.no_grad():
        network(frames)
        for norm, hook in zip(norms, hooks, strict=True):
            hook.remove()
            mean, variance = norm.measured
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            scale = norm.weight * (variance + norm.eps).sqrt()
            norm.bias.add_(norm.weight * mean)
            norm.weight.copy_(scale)
            del norm.measured
