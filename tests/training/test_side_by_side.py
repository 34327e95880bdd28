"""Jobs side by side give what they give one after the other."""

from __future__ import annotations

import math
import os

import pytest

from otio_mapedit.training.side_by_side import answers


def _process(_: int) -> int:
    return os.getpid()


def test_answers_come_in_order_whatever_does_the_work() -> None:
    jobs = [9, 4, 1, 0, 16]
    assert list(answers(math.isqrt, jobs, 1)) == [3, 2, 1, 0, 4]
    assert list(answers(math.isqrt, jobs, 2)) == [3, 2, 1, 0, 4]


def test_one_worker_is_this_process_and_more_are_not() -> None:
    assert set(answers(_process, [1, 2], 1)) == {os.getpid()}
    assert os.getpid() not in set(answers(_process, [1, 2], 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_in_a_job_is_raised(workers: int) -> None:
    with pytest.raises(ValueError, match="nonnegative"):
        list(answers(math.isqrt, [1, -1, 4], workers))
