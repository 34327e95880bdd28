"""Jobs done by several processes; the answers come in the order of the jobs."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")


def answers(work: Callable[[Job], Answer], jobs: Sequence[Job], workers: int) -> Iterator[Answer]:
    """``work(job)`` for each of the ``jobs``; with one of the ``workers`` in this process.

    What ``work`` raises is raised here. When it is stopped, the jobs that have begun are ended, the
    others left.
    """
    if workers <= 1 or len(jobs) <= 1:
        yield from map(work, jobs)
        return
    # Started anew, not forked: a fork inherits locks of threads that it does not inherit.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), fresh, _unmoved) as pool:
        try:
            yield from pool.map(work, jobs)
        finally:
            pool.shutdown(cancel_futures=True)


def _unmoved() -> None:
    """Ctrl-C is for the process that asked: it leaves the jobs that have not begun."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
