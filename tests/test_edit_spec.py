"""The edit network's contract: windows partition a file, and what they see is the file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.edit_spec import FEATURES, EditSpec
from otio_mapedit.errors import ModelError

SPEC = EditSpec(stride=8, run_up=4, slot=2, past=3, future=5)


@given(st.integers(0, 100))
def test_windows_partition_a_file(count: int) -> None:
    answered = [
        step
        for window in SPEC.windows(count)
        for step in range(window.keep_first, window.keep_stop)
    ]
    assert answered == list(range(count))


@given(st.integers(1, 60), st.integers(0, 6))
def test_a_window_sees_the_file_and_nothing_beyond(count: int, index: int) -> None:
    steps = np.tile(np.arange(1, count + 1, dtype=np.float32)[:, None], (1, len(FEATURES)))
    window = SPEC.window_at(index)
    seen = SPEC.gather(steps, window)
    assert seen.shape == (SPEC.window, len(FEATURES))
    wanted = np.arange(window.first, window.stop)
    expected = np.where((wanted >= 0) & (wanted < count), wanted + 1, 0)
    assert np.array_equal(seen[:, 0], expected)
    held = SPEC.gather(steps[1:], window, 1)
    assert np.array_equal(held[wanted != 0], seen[wanted != 0])


def test_the_attention_of_every_answered_step_lies_in_the_window() -> None:
    first = SPEC.before - SPEC.run_up
    for step in range(SPEC.run_up + SPEC.stride):
        slot = (first + step) // SPEC.slot
        assert slot - SPEC.past >= 0
        assert (slot + SPEC.future + 1) * SPEC.slot <= SPEC.window


def test_a_spec_comes_back_from_its_json() -> None:
    assert EditSpec.from_json(SPEC.to_json()) == SPEC
    with pytest.raises(ModelError, match="fields"):
        EditSpec.from_json("{}")
    other = json.loads(SPEC.to_json()) | {"features": ["level"]}
    with pytest.raises(ModelError, match="other features"):
        EditSpec.from_json(json.dumps(other))
    with pytest.raises(ModelError, match="slots"):
        EditSpec(stride=9, slot=2)
