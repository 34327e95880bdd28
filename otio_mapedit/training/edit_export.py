"""From a checkpoint of the edit network to the ONNX file that ships.

What does not wait for the decoder is traced by torch. The decoder's loop is an ONNX ``Scan`` (see
``edit_loop``), so that the steps run inside onnxruntime.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper
from torch import Tensor, nn

from ..edit_spec import EDIT_INPUT, EDIT_OUTPUTS, EditSpec
from ..errors import ModelError
from ..files import replacing
from ..spec import LICENCE_KEY, PROVENANCE_KEY, SPEC_KEY
from .edit_encoder import EditNetworkConfig
from .edit_loop import LOOPED, joined, scan
from .edit_network import EditAnswer, EditNetwork
from .export import LICENCE, OPSET, WORST_DIFFERENCE, ExportReport, provenance, stored, summed

_PREPARED = ("decoded", "given", "straight", "slots", "keys", "bias")
_SCANNED = ("given", "straight", "bias")


class _Preparing(nn.Module):
    def __init__(self, network: EditNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, steps: Tensor) -> tuple[Tensor, ...]:
        """What the loop works on, the time of what is scanned first."""
        parts = self.network.prepare(steps)
        return (
            parts.decoded,
            parts.given.transpose(0, 1),
            parts.straight.transpose(0, 1),
            parts.slots,
            parts.keys,
            parts.bias.transpose(0, 1),
        )


class _Finishing(nn.Module):
    def __init__(self, network: EditNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, decoded: Tensor, states: Tensor, contexts: Tensor, operation: Tensor, alpha: Tensor
    ) -> tuple[Tensor, ...]:
        """The outputs, for the steps that a window answers for; the scanned parts time first."""
        states, contexts, operation, alpha = (
            part.transpose(0, 1) for part in (states, contexts, operation, alpha)
        )
        parts = _Decoded(decoded)
        said = self.network.finish(parts, states, contexts, operation, alpha)  # type: ignore[arg-type]
        first = self.network.config.spec.run_up
        return tuple(part[:, first:] for part in (said.operation, *_without_operation(said)))


class _Decoded:
    """The parts that ``finish`` reads."""

    def __init__(self, decoded: Tensor) -> None:
        self.decoded = self.read = decoded


def export_edit(
    checkpoint: Path,
    out: Path,
    retake_threshold: float | None = None,
    doubt_threshold: float | None = None,
    command: str = "mapedit model train --config onnx/edit.toml",
) -> ExportReport:
    """Write the best network of ``checkpoint`` to ``out``, an ONNX file, and note its sum.

    Raises ModelError when the checkpoint cannot be used, or torch and onnxruntime differ by more
    than ``WORST_DIFFERENCE``; nothing is written then.
    """
    record = stored(checkpoint)
    network = restored(record, retake_threshold, doubt_threshold)
    metadata = {
        SPEC_KEY: network.config.spec.to_json(),
        PROVENANCE_KEY: json.dumps(provenance(record, command), sort_keys=True),
        LICENCE_KEY: LICENCE,
    }
    with replacing(out, force=True) as partial:
        write_edit_onnx(network, partial, metadata)
        difference = edit_parity(network, partial)
        if difference > WORST_DIFFERENCE:
            raise ModelError(
                f"torch and onnxruntime differ by {difference:.2g} on the exported network",
                f"Nothing was written; only up to {WORST_DIFFERENCE:g} is accepted.",
            )
    return summed(out, difference)


def is_edit(checkpoint: Path) -> bool:
    """Whether a checkpoint is one of the edit network. Raises ModelError when it is none at all."""
    return "attended" in stored(checkpoint)["config"]["network"]


def restored(
    record: dict[str, Any],
    retake_threshold: float | None = None,
    doubt_threshold: float | None = None,
) -> EditNetwork:
    """The best network of a checkpoint."""
    settings = dict(record["config"]["network"])
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.pop("spec").items()
    }
    chosen = {"retake_threshold": retake_threshold, "doubt_threshold": doubt_threshold}
    values |= {name: value for name, value in chosen.items() if value is not None}
    network = EditNetwork(EditNetworkConfig(**settings, spec=EditSpec(**values)))
    network.load_state_dict(record["average"])
    return network.eval()


def write_edit_onnx(network: EditNetwork, out: Path, metadata: dict[str, str]) -> None:
    """The network as one ONNX file with ``metadata_props``."""
    network.eval()
    spec = network.config.spec
    count = spec.run_up + spec.stride
    rng = np.random.default_rng(0)
    steps = torch.from_numpy(
        rng.normal(0, 1, (2, spec.window, len(spec.features))).astype(np.float32)
    )
    with torch.no_grad():
        prepared = _Preparing(network)(steps)
    sizes = (network.config.state, network.config.memory, len(spec.operations), spec.reach)
    looped = tuple(torch.zeros(count, 2, size) for size in sizes)
    with tempfile.TemporaryDirectory() as folder:
        first = _traced(
            _Preparing(network), (steps,), (EDIT_INPUT,), _PREPARED, Path(folder) / "first.onnx"
        )
        last = _traced(
            _Finishing(network),
            (prepared[0], *looped),
            ("decoded_in", *LOOPED),
            EDIT_OUTPUTS,
            Path(folder) / "last.onnx",
        )
    graph = joined(first, scan(network, count, first.ir_version), last)
    helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(out))


def edit_parity(network: EditNetwork, path: Path) -> float:
    """Largest difference between torch and the file over all outputs, at two batch sizes."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    spec, worst = network.config.spec, 0.0
    rng = np.random.default_rng(1)
    for batch in (1, 3):
        steps = rng.normal(0, 1, (batch, spec.window, len(spec.features))).astype(np.float32)
        steps[..., spec.features.index("inside")] = 1
        theirs = session.run(list(EDIT_OUTPUTS), {EDIT_INPUT: steps})
        with torch.no_grad():
            said = network(torch.from_numpy(steps))
        ours = _probabilities(network, said)
        worst = max(
            worst,
            *(float(np.abs(a.numpy() - b).max()) for a, b in zip(ours, theirs, strict=True)),
        )
    return worst


def _probabilities(network: EditNetwork, said: EditAnswer) -> tuple[Tensor, ...]:
    """The outputs, for the steps that a window answers for."""
    first = network.config.spec.run_up
    whole = (said.operation.softmax(-1), *_without_operation(said))
    return tuple(part[:, first:] for part in whole)


def _without_operation(said: EditAnswer) -> tuple[Tensor, ...]:
    return (
        said.splice.sigmoid(),
        said.speed.softmax(-1),
        said.grade.sigmoid(),
        said.importance.sigmoid(),
        said.reconstruction,
        said.quality.sigmoid(),
        said.attention,
    )


def _traced(
    model: nn.Module,
    inputs: tuple[Tensor, ...],
    names: tuple[str, ...],
    outputs: tuple[str, ...],
    path: Path,
) -> onnx.ModelProto:
    given = [f"{name}_said" if name in LOOPED else name for name in names]
    late = {f"{name}_said" for name in LOOPED} | ({*outputs} & {*_SCANNED})
    free = {name: {1 if name in late else 0: "batch"} for name in (*given, *outputs)}
    with warnings.catch_warnings():
        # The tracer notes every size that it fixes; parity at other sizes is tested instead.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            inputs,
            str(path),
            input_names=given,
            output_names=list(outputs),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load(str(path))
