"""Jobs side by side give what they give one after the other."""

from __future__ import annotations

import math
import os
from pathlib import Path

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


def _counted(path: Path) -> None:
    path.write_text(str(sum(range(2_000_000))), encoding="utf-8")


def test_what_is_stopped_leaves_the_jobs_that_have_not_begun(tmp_path: Path) -> None:
    made = answers(_counted, [tmp_path / f"{number}" for number in range(120)], 2)
    next(made)
    with pytest.raises(KeyboardInterrupt):
        made.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    written = list(tmp_path.iterdir())
    assert 1 <= len(written) < 120
    assert {path.read_text(encoding="utf-8") for path in written} == {"1999999000000"}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_in_a_job_is_raised(workers: int) -> None:
    with pytest.raises(ValueError, match="nonnegative"):
        list(answers(math.isqrt, [1, -1, 4], workers))
