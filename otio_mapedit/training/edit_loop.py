"""The edit network's decoder as an ONNX ``Scan``: one node whose body is a step.

The body takes the step's share of the gates and of the attention's bias, cuts the step's slots out
of the memory, and hands the state and the operation's probabilities on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from torch import nn

from .edit_network import EditNetwork
from .export import OPSET

LOOPED = ("states", "contexts", "operation", "attention")
"""What the loop says of every step, time first."""
_FLOAT, _INT = TensorProto.FLOAT, TensorProto.INT64


def scan(network: EditNetwork, count: int, ir_version: int) -> onnx.ModelProto:
    """A model that is the loop over ``count`` steps: prepared parts to what each step said, time
    first."""
    spec, config = network.config.spec, network.config
    state, kinds = config.state, len(spec.operations)
    shapes = {
        "given_in": [count, "batch", 3 * state],
        "straight_in": [count, "batch", kinds],
        "slots_in": ["batch", None, config.memory],
        "keys_in": ["batch", None, config.attended],
        "bias_in": [count, "batch", spec.reach],
    }
    sizes = (state, config.memory, kinds, spec.reach)
    lows = (np.arange(count) // spec.slot)[:, None].astype(np.int64)
    whole = {"zero": 0, "one": 1, "state_size": state, "kinds_size": kinds}
    graph = helper.make_graph(
        _loop_nodes(_body(network)),
        "decoder",
        [helper.make_tensor_value_info(name, _FLOAT, shape) for name, shape in shapes.items()],
        [
            helper.make_tensor_value_info(f"{name}_raw", _FLOAT, [count, "batch", size])
            for name, size in zip(LOOPED, sizes, strict=True)
        ],
        [
            numpy_helper.from_array(lows, "lows"),
            *(
                numpy_helper.from_array(np.array([value], np.int64), name)
                for name, value in whole.items()
            ),
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=ir_version
    )


def _loop_nodes(body: onnx.GraphProto) -> list[onnx.NodeProto]:
    """State and operation of nought, and the loop that begins with them."""
    return [
        helper.make_node("Shape", ["slots_in"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one"], ["batch"]),
        helper.make_node("Concat", ["batch", "state_size"], ["state_shape"], axis=0),
        helper.make_node("Concat", ["batch", "kinds_size"], ["kinds_shape"], axis=0),
        helper.make_node("ConstantOfShape", ["state_shape"], ["state_0"]),
        helper.make_node("ConstantOfShape", ["kinds_shape"], ["before_0"]),
        helper.make_node(
            "Scan",
            ["state_0", "before_0", "given_in", "straight_in", "bias_in", "lows"],
            ["state_end", "before_end", *(f"{name}_raw" for name in LOOPED)],
            body=body,
            num_scan_inputs=4,
        ),
    ]


def _body(network: EditNetwork) -> onnx.GraphProto:
    """A step of the loop."""
    spec, config = network.config.spec, network.config
    state, kinds = config.state, len(spec.operations)
    read = {
        "state_in": state,
        "before": kinds,
        "given_t": 3 * state,
        "straight_t": kinds,
        "bias_t": spec.reach,
    }
    said = {
        "state_out": state,
        "chosen": kinds,
        "state_said": state,
        "context": config.memory,
        "chosen_said": kinds,
        "alpha": spec.reach,
    }
    return helper.make_graph(
        _body_nodes(config.attention),
        "step",
        [
            *(
                helper.make_tensor_value_info(name, _FLOAT, [None, size])
                for name, size in read.items()
            ),
            helper.make_tensor_value_info("low", _INT, [1]),
        ],
        [helper.make_tensor_value_info(name, _FLOAT, [None, size]) for name, size in said.items()],
        _weights(network),
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


def joined(first: onnx.ModelProto, loop: onnx.ModelProto, last: onnx.ModelProto) -> onnx.ModelProto:
    """The three models as one: what comes before the loop, the loop, and what comes after it."""
    first = compose.add_prefix(first, "a/", rename_inputs=False, rename_outputs=False)
    last = compose.add_prefix(last, "b/", rename_inputs=False, rename_outputs=False)
    scanned = ("given", "straight", "slots", "keys", "bias")
    whole = compose.merge_models(
        first,
        loop,
        io_map=[(name, f"{name}_in") for name in scanned],
        outputs=["decoded", *(f"{name}_raw" for name in LOOPED)],
    )
    return compose.merge_models(
        whole,
        last,
        io_map=[("decoded", "decoded_in"), *((f"{name}_raw", f"{name}_said") for name in LOOPED)],
    )
