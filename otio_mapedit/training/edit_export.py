"""From a checkpoint of the edit network to the ONNX file that ships.

What does not wait for the decoder is traced by torch. The decoder's loop is an ONNX ``Scan`` that
is written here, so that the steps run inside onnxruntime: its body takes the step's share of the
gates and of the attention's bias, cuts the step's slots out of the memory, and hands the state and
the operation's probabilities on.
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
from onnx import TensorProto, compose, helper, numpy_helper
from torch import Tensor, nn

from ..edit_spec import EDIT_INPUT, EDIT_OUTPUTS, EditSpec
from ..errors import ModelError
from ..files import replacing
from ..spec import LICENCE_KEY, PROVENANCE_KEY, SPEC_KEY
from .edit_network import EditAnswer, EditNetwork, EditNetworkConfig
from .export import LICENCE, OPSET, WORST_DIFFERENCE, ExportReport, provenance, stored, summed

_PREPARED = ("decoded", "given", "straight", "slots", "keys", "bias")
_SCANNED = ("given", "straight", "bias")
_LOOPED = ("states", "contexts", "operation", "attention")
_FLOAT, _INT = TensorProto.FLOAT, TensorProto.INT64


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
            ("decoded_in", *_LOOPED),
            EDIT_OUTPUTS,
            Path(folder) / "last.onnx",
        )
    graph = _joined(first, _scan(network, count, first.ir_version), last)
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
    given = [f"{name}_said" if name in _LOOPED else name for name in names]
    late = {f"{name}_said" for name in _LOOPED} | ({*outputs} & {*_SCANNED})
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


def _scan(network: EditNetwork, count: int, ir_version: int) -> onnx.ModelProto:
    """A model that is the loop: prepared parts to what each step said, time first."""
    spec, config = network.config.spec, network.config
    state, kinds = config.state, len(spec.operations)
    body = helper.make_graph(
        _body_nodes(config.attention),
        "step",
        [
            helper.make_tensor_value_info("state_in", _FLOAT, [None, state]),
            helper.make_tensor_value_info("before", _FLOAT, [None, kinds]),
            helper.make_tensor_value_info("given_t", _FLOAT, [None, 3 * state]),
            helper.make_tensor_value_info("straight_t", _FLOAT, [None, kinds]),
            helper.make_tensor_value_info("bias_t", _FLOAT, [None, spec.reach]),
            helper.make_tensor_value_info("low", _INT, [1]),
        ],
        [
            helper.make_tensor_value_info(name, _FLOAT, [None, size])
            for name, size in (
                ("state_out", state),
                ("chosen", kinds),
                ("state_said", state),
                ("context", config.memory),
                ("chosen_said", kinds),
                ("alpha", spec.reach),
            )
        ],
        _weights(network),
    )
    lows = (np.arange(count) // spec.slot)[:, None].astype(np.int64)
    nodes = [
        helper.make_node("Shape", ["slots_in"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one"], ["batch"]),
        helper.make_node("Concat", ["batch", "state_size"], ["state_shape"], axis=0),
        helper.make_node("Concat", ["batch", "kinds_size"], ["kinds_shape"], axis=0),
        helper.make_node("ConstantOfShape", ["state_shape"], ["state_0"]),
        helper.make_node("ConstantOfShape", ["kinds_shape"], ["before_0"]),
        helper.make_node(
            "Scan",
            ["state_0", "before_0", "given_in", "straight_in", "bias_in", "lows"],
            ["state_end", "before_end", *(f"{name}_raw" for name in _LOOPED)],
            body=body,
            num_scan_inputs=4,
        ),
    ]
    shapes = {
        "given_in": [count, "batch", 3 * state],
        "straight_in": [count, "batch", kinds],
        "slots_in": ["batch", None, config.memory],
        "keys_in": ["batch", None, config.attended],
        "bias_in": [count, "batch", spec.reach],
    }
    sizes = (state, config.memory, kinds, spec.reach)
    graph = helper.make_graph(
        nodes,
        "decoder",
        [helper.make_tensor_value_info(name, _FLOAT, shape) for name, shape in shapes.items()],
        [
            helper.make_tensor_value_info(f"{name}_raw", _FLOAT, [count, "batch", size])
            for name, size in zip(_LOOPED, sizes, strict=True)
        ],
        [
            numpy_helper.from_array(lows, "lows"),
            *(
                numpy_helper.from_array(np.array([value], np.int64), name)
                for name, value in (
                    ("zero", 0),
                    ("one", 1),
                    ("state_size", state),
                    ("kinds_size", kinds),
                )
            ),
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=ir_version
    )


def _body_nodes(attention: bool) -> list[onnx.NodeProto]:
    """``EditNetwork.step``; ``keys_in`` and ``slots_in`` come from outside the body."""

    def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)

    looking = [
        node("Add", "low reach_size", "high"),
        node("Slice", "slots_in low high axis_one", "seen_slots"),
        node("Slice", "keys_in low high axis_one", "seen_keys"),
        node("MatMul", "state_in query", "asked"),
        node("Unsqueeze", "asked axis_one", "asked_wide"),
        node("Add", "seen_keys asked_wide", "sum"),
        node("Tanh", "sum", "bent"),
        node("MatMul", "bent energy", "energies_wide"),
        node("Squeeze", "energies_wide axis_two", "energies"),
        node("Add", "energies bias_t", "scores"),
        node("Softmax", "scores", "alpha", axis=-1),
        node("Unsqueeze", "alpha axis_one", "alpha_wide"),
        node("MatMul", "alpha_wide seen_slots", "context_wide"),
        node("Squeeze", "context_wide axis_one", "context"),
    ]
    if not attention:
        looking = [
            node("Mul", "bias_t nought", "flat"),
            node("Softmax", "flat", "alpha", axis=-1),
            node("Gather", "slots_in first_place", "first_slot", axis=1),
            node("Mul", "first_slot nought", "context"),
        ]
    return [
        *looking,
        node("MatMul", "before before_w", "from_before"),
        node("MatMul", "context context_w", "from_context"),
        node("Add", "given_t from_before", "some"),
        node("Add", "some from_context", "gates"),
        node("MatMul", "state_in held_w", "held_product"),
        node("Add", "held_product held_b", "held"),
        node("Split", "gates", "gate_z gate_r gate_n", axis=1),
        node("Split", "held", "held_z held_r held_n", axis=1),
        node("Add", "gate_z held_z", "z_sum"),
        node("Sigmoid", "z_sum", "z"),
        node("Add", "gate_r held_r", "r_sum"),
        node("Sigmoid", "r_sum", "r"),
        node("Mul", "r held_n", "r_held"),
        node("Add", "gate_n r_held", "n_sum"),
        node("Tanh", "n_sum", "n"),
        node("Sub", "state_in n", "difference"),
        node("Mul", "z difference", "kept"),
        node("Add", "n kept", "state_out"),
        node("Concat", "state_out context", "both", axis=-1),
        node("MatMul", "both operate_w", "operate_product"),
        node("Add", "operate_product operate_b", "operate"),
        node("Add", "straight_t operate", "logits"),
        node("Softmax", "logits", "chosen", axis=-1),
        node("Identity", "chosen", "chosen_said"),
        node("Identity", "state_out", "state_said"),
    ]


def _weights(network: EditNetwork) -> list[onnx.TensorProto]:
    """The body's constants."""

    def matrix(layer: nn.Module) -> np.ndarray:
        return np.ascontiguousarray(layer.weight.detach().numpy().T)

    arrays: dict[str, np.ndarray] = {
        "query": matrix(network.query),
        "energy": matrix(network.energy),
        "before_w": matrix(network.before),
        "context_w": matrix(network.context),
        "held_w": matrix(network.held),
        "held_b": network.held.bias.detach().numpy(),
        "operate_w": matrix(network.operate),
        "operate_b": network.operate.bias.detach().numpy(),
        "axis_one": np.array([1], np.int64),
        "axis_two": np.array([2], np.int64),
        "reach_size": np.array([network.config.spec.reach], np.int64),
        "nought": np.array(0, np.float32),
        "first_place": np.array(0, np.int64),
    }
    used = {name for node in _body_nodes(network.config.attention) for name in node.input}
    return [numpy_helper.from_array(a, n) for n, a in arrays.items() if n in used]


def _joined(
    first: onnx.ModelProto, loop: onnx.ModelProto, last: onnx.ModelProto
) -> onnx.ModelProto:
    """The three models as one."""
    first = compose.add_prefix(first, "a/", rename_inputs=False, rename_outputs=False)
    last = compose.add_prefix(last, "b/", rename_inputs=False, rename_outputs=False)
    scanned = ("given", "straight", "slots", "keys", "bias")
    whole = compose.merge_models(
        first,
        loop,
        io_map=[(name, f"{name}_in") for name in scanned],
        outputs=["decoded", *(f"{name}_raw" for name in _LOOPED)],
    )
    return compose.merge_models(
        whole,
        last,
        io_map=[("decoded", "decoded_in"), *((f"{name}_raw", f"{name}_said") for name in _LOOPED)],
    )
