"""From a checkpoint to the ONNX file that ships: traced, described, compared, summed."""

from __future__ import annotations

import datetime
import hashlib
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from .. import __version__
from ..errors import ModelError
from ..files import replacing, write_text
from ..network_files import SUMS
from ..spec import INPUT, LICENCE_KEY, OUTPUTS, PROVENANCE_KEY, SPEC_KEY, ShotSpec
from .network import NetworkConfig, Probabilities, ShotNetwork
from .warm import HALVED

OPSET = 16
"""Understood by every onnxruntime from 1.17 on."""
WORST_DIFFERENCE = 1e-3
"""Largest difference between torch and onnxruntime that an exported network may show."""
LICENCE = "Apache-2.0"
"""Licence of the weights."""
HALVED_FROM = 1024
"""Weights of at least so many numbers are stored in half precision."""


@dataclass(frozen=True)
class ExportReport:
    """What was written: file, its SHA-256 and size in bytes, the number of parameters it holds,
    and ``parity``, the largest difference between torch and onnxruntime over all outputs."""

    path: Path
    sha256: str
    size: int
    parameters: int
    parity: float


def export(
    checkpoint: Path,
    out: Path,
    cut_threshold: float = 0.5,
    transition_threshold: float = 0.5,
    command: str = "mapedit model train",
    teacher_share: float = 0.0,
    sharpness: float = 1.0,
) -> ExportReport:
    """Write the best network of ``checkpoint`` to ``out``, an ONNX file, and note its sum.

    For ``teacher_share`` and ``sharpness`` see ``Probabilities``.

    ``SHA256SUMS`` beside ``out`` gets or changes the file's line. Raises ModelError when the
    checkpoint cannot be used or torch and onnxruntime differ by more than ``WORST_DIFFERENCE``;
    nothing is written then.
    """
    record = stored(checkpoint)
    settings = record["config"]["network"]
    spec = ShotSpec.from_json(
        json.dumps(
            settings["spec"]
            | {"cut_threshold": cut_threshold, "transition_threshold": transition_threshold}
        )
    )
    rows = {key: tuple(value) for key, value in settings.items() if isinstance(value, list)}
    network = ShotNetwork(NetworkConfig(**{**settings, **rows, "spec": spec}))
    network.load_state_dict(record["average"])
    metadata = {
        SPEC_KEY: spec.to_json(),
        PROVENANCE_KEY: json.dumps(
            provenance(record, command) | {"teacher_share": teacher_share, "sharpness": sharpness},
            sort_keys=True,
        ),
        LICENCE_KEY: LICENCE,
    }
    with replacing(out, force=True) as partial:
        parity = write_onnx(Probabilities(network, teacher_share, sharpness), partial, metadata)
        if parity > WORST_DIFFERENCE:
            raise ModelError(
                f"torch and onnxruntime differ by {parity:.2g} on the exported network",
                f"Nothing was written; only up to {WORST_DIFFERENCE:g} is accepted.",
            )
    return summed(out, parity)


def stored(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint holds. Raises ModelError when it is none."""
    try:
        record: dict[str, Any] = torch.load(checkpoint, weights_only=True, map_location="cpu")
    except Exception as fault:  # torch raises what it likes
        raise ModelError(
            f"{checkpoint} is no checkpoint: {fault}", "Train one: mapedit model train"
        ) from fault
    if record.get("kind") == "importance":
        raise ModelError(
            f"{checkpoint} holds scorers of importance, which have no ONNX form",
            "Name a checkpoint that came from a training configuration.",
        )
    return record


def write_onnx(model: Probabilities, out: Path, metadata: dict[str, str]) -> float:
    """Trace ``model`` into the ONNX file ``out`` with ``metadata_props``; returns the parity."""
    model = model.eval()
    spec = model.network.config.spec
    rng = np.random.default_rng(0)
    shape = (1, spec.window, *spec.frame_shape)
    sample = torch.from_numpy(rng.integers(0, 256, shape, np.uint8))
    free = {name: {0: "batch", 1: "time"} for name in (INPUT, *OUTPUTS)}
    with warnings.catch_warnings():
        # The tracer notes every size it fixes; parity at other sizes is tested below instead.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (sample,),
            str(out),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
    graph = onnx.load(str(out))
    _store_in_half(graph.graph)
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(out))
    return parity(model, out, spec)


def _store_in_half(graph: onnx.GraphProto) -> None:
    """Keep the larger weights as 16-bit floats, which onnxruntime turns back once, on loading.

    All arithmetic stays in single precision; the file is little more than half as large.
    """
    casts = []
    for weight in graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and np.prod(weight.dims) >= HALVED_FROM:
            name = weight.name
            halved = onnx.numpy_helper.to_array(weight).astype(np.float16)
            weight.CopyFrom(onnx.numpy_helper.from_array(halved, name + HALVED))
            casts.append(
                onnx.helper.make_node("Cast", [name + HALVED], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def parity(model: torch.nn.Module, path: Path, spec: ShotSpec) -> float:
    """Largest difference between ``model`` and the file over all outputs, at three lengths."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng, worst = np.random.default_rng(1), 0.0
    for batch, length in ((1, spec.window), (2, 40), (3, 7)):
        noise = rng.integers(0, 256, (batch, length, *spec.frame_shape), np.uint8)
        still = np.repeat(noise[:, :1], length, axis=1)
        frames = np.where(np.arange(length)[None, :, None, None, None] < length // 2, still, noise)
        theirs = session.run(list(OUTPUTS), {INPUT: frames})
        with torch.no_grad():
            ours = [part.numpy() for part in model(torch.from_numpy(frames))]
        differences = [np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)]
        worst = max(worst, *(float(difference) for difference in differences))
    return worst


def provenance(record: dict[str, Any], command: str) -> dict[str, Any]:
    """The training record that an exported network carries."""
    config = record["config"]
    return {
        "command": command,
        "config": {key: value for key, value in config.items() if key != "network"},
        "seed": config["seed"],
        "steps": record["step"],
        "sources": record["sources"],
        "generator": f"otio-mapedit {__version__}",
        "torch": torch.__version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def summed(out: Path, difference: float) -> ExportReport:
    """Note the sum of the file ``out`` beside it, and report."""
    content = out.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    sums = out.parent / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    kept = [line for line in lines if line.split("  ", 1)[-1] != out.name]
    text = "\n".join(sorted([*kept, f"{digest}  {out.name}"], key=lambda line: line[66:])) + "\n"
    write_text(sums, text, force=True)
    graph = onnx.load_from_string(content)
    parameters = sum(int(np.prod(weight.dims)) for weight in graph.graph.initializer)
    return ExportReport(out, digest, len(content), parameters, difference)
