"""The input contract: windows partition a file, and what leaves comes back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otio_mapedit.errors import ModelError
from otio_mapedit.spec import (
    INPUT,
    LICENCE_KEY,
    OUTPUTS,
    PROVENANCE_KEY,
    SPEC_KEY,
    ShotSpec,
)

ONNX = Path(__file__).parents[1] / "onnx" / "shots.onnx"


@given(st.integers(0, 3000), st.integers(1, 200), st.integers(0, 60))
def test_kept_ranges_partition_the_file(count: int, stride: int, context: int) -> None:
    spec = ShotSpec(window=stride + 2 * context, context=context)
    kept = [
        frame
        for window in spec.windows(count)
        for frame in range(window.keep_first, window.keep_stop)
    ]
    assert kept == list(range(count))


@given(st.integers(1, 700))
def test_a_window_answers_for_frames_that_it_sees_with_context(count: int) -> None:
    spec = ShotSpec()
    for window in spec.windows(count):
        assert window.stop - window.first == spec.window
        assert window.kept.start == spec.context
        assert window.kept.stop <= spec.window - spec.context
        assert window == spec.window_at(window.index, count)


@given(st.integers(1, 120), st.integers(0, 3))
@settings(max_examples=30)
def test_gather_repeats_the_first_and_last_frame(count: int, index: int) -> None:
    spec = ShotSpec(window=24, context=7, width=2, height=1)
    frames = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 3), np.uint8)
    window = spec.window_at(index)
    seen = spec.gather(frames, window)
    expected = np.clip(np.arange(window.first, window.stop), 0, count - 1)
    assert seen.shape == (24, 1, 2, 3)
    assert (seen[:, 0, 0, 0] == expected).all()


def test_gather_from_a_part_of_the_file() -> None:
    spec = ShotSpec(window=24, context=7, width=2, height=1)
    frames = np.arange(200, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 3), np.uint8)
    window = spec.window_at(5)
    part = spec.gather(frames[40:90], window, first_frame=40)
    assert (part == spec.gather(frames, window)).all()


def test_json_there_and_back() -> None:
    spec = ShotSpec(version="7", cut_threshold=0.25)
    assert ShotSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"window": 3}', ShotSpec().to_json()[:-3]])
def test_broken_json_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        ShotSpec.from_json(text)


def test_a_window_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ModelError):
        ShotSpec(window=64, context=32)


def _session():  # type: ignore[no-untyped-def]
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(ONNX), sess_options=options, providers=["CPUExecutionProvider"]
    )


def test_the_shipped_network_is_the_summed_one() -> None:
    lines = (ONNX.parent / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert hashlib.sha256(ONNX.read_bytes()).hexdigest() == sums["shots.onnx"]
    assert ONNX.stat().st_size < 4_000_000


def test_the_shipped_network_says_what_it_is() -> None:
    metadata = _session().get_modelmeta().custom_metadata_map
    spec = ShotSpec.from_json(metadata[SPEC_KEY])
    provenance = json.loads(metadata[PROVENANCE_KEY])
    assert spec.name == "shots"
    assert metadata[LICENCE_KEY] == "Apache-2.0"
    assert {"command", "seed", "steps", "sources", "generator", "torch", "date"} <= set(provenance)
    for source in provenance["sources"]:
        assert set(source) == {"file", "origin", "licence", "sha256"}
        assert source["licence"]
        assert len(source["sha256"]) == 64


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (1, 17), (2, 256)])
def test_the_shipped_network_answers_for_every_frame(batch: int, length: int) -> None:
    spec = ShotSpec()
    frames = np.random.default_rng(3).integers(0, 256, (batch, length, *spec.frame_shape), np.uint8)
    said = dict(zip(OUTPUTS, _session().run(list(OUTPUTS), {INPUT: frames}), strict=True))
    assert said["cut"].shape == said["transition"].shape == (batch, length)
    assert said["kind"].shape == (batch, length, len(spec.kinds))
    assert said["embedding"].shape == (batch, length, spec.embedding)
    assert said["quality"].shape == (batch, length, len(spec.quality))
    assert np.allclose(said["kind"].sum(-1), 1, atol=1e-4)
    assert np.allclose((said["embedding"] ** 2).sum(-1), 1, atol=1e-3)
    for name in ("cut", "transition", "kind", "quality"):
        assert ((said[name] >= 0) & (said[name] <= 1)).all()


def _two_shots(count: int, cut: int) -> np.ndarray:
    """Two textured pictures, each drifting by a pixel now and then, with a hard cut."""
    rng = np.random.default_rng(11)
    plates = rng.integers(0, 256, (2, 9, 16, 3)).repeat(3, 1).repeat(3, 2).astype(np.uint8)
    frames = np.stack([np.roll(plates[int(index >= cut)], index // 9, 1) for index in range(count)])
    return frames.astype(np.uint8)


def test_the_shipped_network_finds_a_plain_cut() -> None:
    spec = ShotSpec()
    frames = _two_shots(spec.window, 131)
    cut = _session().run(["cut"], {INPUT: frames[None]})[0][0]
    inner = cut[spec.context : -spec.context]
    assert int(inner.argmax()) + spec.context == 131
    assert inner.max() > 0.5


def test_the_answer_does_not_move_with_the_window() -> None:
    spec = ShotSpec()
    frames = _two_shots(spec.window + 40, 150)
    session = _session()
    here = session.run(["cut"], {INPUT: frames[None, : spec.window]})[0][0]
    there = session.run(["cut"], {INPUT: frames[None, 40 : 40 + spec.window]})[0][0]
    both = slice(40 + spec.context, spec.window - spec.context)
    moved = slice(both.start - 40, both.stop - 40)
    assert np.abs(here[both] - there[moved]).max() < 0.1
