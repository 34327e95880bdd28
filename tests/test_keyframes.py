"""Which keyframes are looked at."""

from __future__ import annotations

from fractions import Fraction

import pytest

from otio_mapedit.keyframes import Chooser


def taken(times: list[float]) -> list[float]:
    chooser = Chooser(Fraction(99, 100))
    return [time for time in times if chooser.takes(Fraction(time))]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([0, 0.5, 1, 1.5, 2, 2.5, 3], [0, 1, 2, 3], id="half a second apart"),
        pytest.param([n / 32 for n in range(97)], [0, 1, 2, 3], id="nothing but keyframes"),
        pytest.param([0, 2, 4, 4.5, 6.5, 8.5], [0, 2, 4, 4.5, 6.5, 8.5], id="one comes early"),
        pytest.param([0, 0.5, 1, 1.25, 1.75, 2.25], [0, 1, 1.25, 2.25], id="a recording begins"),
        pytest.param([0, 0.5, 1, 1.5, 1.9375, 2.5], [0, 1, 2.5], id="a camera is not exact"),
        pytest.param([3], [3], id="one"),
    ],
)
def test_keyframes_are_a_second_apart_but_for_those_that_come_early(
    times: list[float], expected: list[float]
) -> None:
    assert taken(times) == expected
