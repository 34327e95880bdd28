"""How fast the shot network answers beside TransNetV2, in onnxruntime on one thread.

    python benchmarks/shot_network.py PEER.onnx [--network onnx/shots.onnx] [--runs 5] [--json]

PEER.onnx is an export of TransNetV2 whose input is called ``frames``. Both networks get the same
frames, each the windows that it is used with: 256 of which 192 count, and 100 of which 50 count.
Figures are frames answered for in a second of processor time, medians of runs taken in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PASSES = 4
"""Windows in a run of our network; TransNetV2 gets one."""


def session(path: Path) -> Any:
    """An onnxruntime session on one thread of the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def rate(run: Callable[[], Any], passes: int, answered: int) -> float:
    """Frames answered for in a second of processor time."""
    began = time.process_time()
    for _ in range(passes):
        run()
    return passes * answered / (time.process_time() - began)


def measure(peer: Path, network: Path, runs: int, frames: Any) -> dict[str, float]:
    """Median rates of both, and the median of their ratios, on ``frames`` [1, 256, 27, 48, 3]."""
    ours, theirs = session(network), session(peer)

    def run_ours() -> Any:
        return ours.run(None, {"frames": frames})

    def run_theirs() -> Any:
        return theirs.run(None, {"frames": frames[:, :100]})

    run_ours(), run_theirs()
    pairs = [(rate(run_ours, PASSES, 192), rate(run_theirs, 1, 50)) for _ in range(runs)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / two for one, two in pairs)
    return {"shots": mine, "transnetv2": other, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", type=Path)
    parser.add_argument("--network", type=Path, default=Path("onnx/shots.onnx"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    frames = np.random.default_rng(0).integers(0, 256, (1, 256, 27, 48, 3), np.uint8)
    found = measure(given.peer, given.network, given.runs, frames)
    if given.json:
        print(json.dumps(found))
    else:
        words = (
            "shots {shots:,.0f} frames/s, TransNetV2 {transnetv2:,.1f} frames/s, {ratio:.0f} times"
        )
        print(words.format(**found))


if __name__ == "__main__":
    main()
