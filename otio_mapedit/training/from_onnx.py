"""The edit network's weights back out of its ONNX file, so that training can go on from what ships.

Exporting folds the batch normalisations into the convolutions and packs the GRU in ONNX's order of
gates. Both are undone exactly; whether the network that comes out says the same as the file is
checked, because nothing else would notice a weight in the wrong place.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from ..edit_spec import EditSpec
from ..errors import ModelError
from ..spec import SPEC_KEY
from .edit_encoder import EditNetworkConfig
from .edit_export import edit_parity
from .edit_network import EditNetwork

Weights = dict[str, npt.NDArray[np.float32]]

#: Largest difference between the file and the network that came out of it.
SAME = 1e-3
_LOOP = ("query", "energy", "before", "context", "held", "operate")


def network_from(path: Path) -> EditNetwork:
    """The network in an ONNX file that :mod:`.edit_export` wrote, ready to be trained further.

    Raises:
        ModelError: the file is none, or was exported from a network of another shape.
    """
    try:
        model = onnx.load(str(path))
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        found = _weights(model)
        network = _shaped(found, EditSpec.from_json(metadata[SPEC_KEY]))
        network.load_state_dict(_state(found, network))
    except (OSError, KeyError, ValueError, RuntimeError) as fault:
        raise _other(path, str(fault).splitlines()[0] if str(fault) else "") from fault
    difference = edit_parity(network.eval(), path)
    if difference > SAME:
        raise _other(path, f"it differs by {difference:.2g} from what comes out of it")
    return network


def normalised(network: EditNetwork, steps: torch.Tensor) -> None:
    """Let the batch normalisations of a network from a file, which are nothing, take the mean and
    spread of ``steps`` (B, window, F) away and give them back: it says the same as before, and
    training by batches begins from there."""
    seen: list[torch.Tensor] = []
    network.eval()
    for block in network.encoder.blocks:
        watch = block.mix.register_forward_hook(lambda *parts: seen.append(parts[2]))
        with torch.no_grad():
            network.encoder(network.reader(steps))
        watch.remove()
        mean, spread = seen[-1].mean((0, 2)), seen[-1].var((0, 2)).clamp(min=1e-6)
        block.norm.running_mean.copy_(mean)
        block.norm.running_var.copy_(spread)
        with torch.no_grad():
            block.norm.weight.copy_((spread + block.norm.eps).sqrt())
            block.norm.bias.copy_(mean)


def _other(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path.name} cannot be trained further: {why}",
        "Give the checkpoint that it was exported from: --checkpoint FILE",
    )


def _weights(model: onnx.ModelProto) -> Weights:
    """Weights by the name of what they belong to, as the graph uses them."""
    held = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    found: Weights = {
        name.split("network.", 1)[1]: value for name, value in held.items() if "network." in name
    }
    made = {output: node for node in model.graph.node for output in node.output}
    convolutions = 0
    for node in model.graph.node:
        if node.op_type == "Add":
            _linear(node, made, held, found)
        elif node.op_type == "Conv" and node.input[1] in held:
            found[f"encoder.blocks.{convolutions}.mix.weight"] = held[node.input[1]]
            found[f"encoder.blocks.{convolutions}.mix.bias"] = held[node.input[2]]
            convolutions += 1
        elif node.op_type == "GRU":
            given, kept, bias = (held[name][0] for name in node.input[1:4])
            found["encoder.gru.weight_ih_l0"] = _gates(given)
            found["encoder.gru.weight_hh_l0"] = _gates(kept)
            found["encoder.gru.bias_ih_l0"] = _gates(bias[: len(bias) // 2])
            found["encoder.gru.bias_hh_l0"] = _gates(bias[len(bias) // 2 :])
        elif node.op_type == "Scan":
            body = next(part.g for part in node.attribute if part.name == "body")
            inner = {item.name: numpy_helper.to_array(item) for item in body.initializer}
            for name in _LOOP:
                key = name if name in inner else f"{name}_w"
                found[f"{name}.weight"] = inner[key].T
                if f"{name}_b" in inner:
                    found[f"{name}.bias"] = inner[f"{name}_b"]
    return found


def _linear(
    node: onnx.NodeProto,
    made: dict[str, onnx.NodeProto],
    held: dict[str, npt.NDArray[np.float32]],
    found: Weights,
) -> None:
    """A product with a matrix to which a named bias is added: a linear layer."""
    bias = next((name for name in node.input if name.endswith(".bias") and name in held), None)
    product = next((made[name] for name in node.input if name in made), None)
    if bias is None or product is None or product.op_type != "MatMul":
        return
    if product.input[1] in held:
        layer = bias.split("network.", 1)[1].removesuffix(".bias")
        found[f"{layer}.weight"] = held[product.input[1]].T


def _gates(packed: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """ONNX packs update, reset, new; torch reset, update, new."""
    update, reset, new = np.split(packed, 3)
    return np.concatenate([reset, update, new])


def _shaped(found: Weights, spec: EditSpec) -> EditNetwork:
    """A network of the sizes that the weights have."""
    width, encoded = (len(found[f"encoder.{name}.bias"]) for name in ("project", "fuse"))
    scales = found["encoder.fuse.weight"].shape[1] > width + len(spec.features)
    return EditNetwork(
        EditNetworkConfig(
            width=width,
            encoded=encoded,
            memory=len(found["remember.bias"]),
            attended=len(found["keys.bias"]),
            state=len(found["held.bias"]) // 3,
            recurrent="encoder.gru.weight_ih_l0" in found,
            scales=scales,
            spec=spec,
        )
    )


def _state(found: Weights, network: EditNetwork) -> dict[str, torch.Tensor]:
    """The state of the network; what was folded into the convolutions counts as nothing."""
    state = network.state_dict()
    for name, value in state.items():
        if ".norm." in name:
            eps = network.encoder.blocks[int(name.split(".")[2])].norm.eps
            whole = {"weight": 1.0, "running_var": 1.0 - eps}
            state[name] = torch.full_like(value, whole.get(name.rsplit(".", 1)[1], 0.0))
        else:
            state[name] = torch.from_numpy(np.array(found[name], np.float32)).reshape(value.shape)
    return state
