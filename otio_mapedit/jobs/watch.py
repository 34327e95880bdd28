"""The watcher: one process that waits for requests and has each worked on in a process of its own.

Nothing is remembered outside the folder. A request without an answer is work to do, so a watcher
that was stopped, killed or lost with the machine takes up what was left; a request whose worker
ended without an answer is answered by the watcher and set aside, so that it cannot end the next
one too.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .. import __version__
from ..errors import FormatError, MapeditError, UsageError
from .answer import Answer, State, read_answer, refusal, write_answer, write_both
from .folder import LARGEST_TIMELINE, JobFolder, Lock
from .request import Roots, verbs
from .work import request_of

logger = logging.getLogger(__name__)

#: Exit code of a worker whose request is not whole (yet).
NOT_WHOLE = 75
#: Seconds: how often the watcher says that it is there; how long an unchanged request may be no
#: timeline before it is refused; how long a request without its timeline may wait for it.
BEAT, WHOLE_WITHIN, COMPLETE_WITHIN = 2.0, 10.0, 120.0
#: Answered jobs are kept for a week, so that a result can still be imported by hand.
KEPT = 7 * 24 * 3600.0
_CLEAN_EVERY = 3600.0
#: Most requests that wait; later ones are refused at once.
MOST_WAITING = 200
#: How often a request is begun whose watcher ended every time.
MOST_STARTS = 3

#: What is started for each job. ``-P``: no module is ever taken from the folder of jobs.
WORKER = (sys.executable, "-P", "-m", "otio_mapedit.cli.work")

Clock = Callable[[], float]
Said = Callable[[Answer], None]


@dataclass
class _Running:
    """A job that is being worked on. ``errors`` is what its process says."""

    job: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]


class Watcher:
    """Watches one folder. Holds its lock until :meth:`close`.

    Raises:
        UsageError: the folder is being watched already.
    """

    def __init__(
        self,
        folder: JobFolder,
        roots: Roots,
        clock: Clock = time.time,
        said: Said = lambda answer: None,
        worker: Sequence[str] = WORKER,
    ) -> None:
        self.folder, self._roots, self._clock, self._said = folder, roots, clock, said
        self._worker = tuple(worker)
        self._lock = Lock(folder)
        self._running: _Running | None = None
        self._beaten = self._cleaned = float("-inf")
        self._not_whole: dict[str, float] = {}  # job -> when its timeline last changed

    def turn(self, patience: float = 0.0) -> bool:
        """One look at the folder; waits up to ``patience`` seconds for a running job. True if
        anything was begun, ended or is running."""
        self._beat()
        if self._running is not None:
            self._attend(patience)
            return True
        return self._begin_next()

    def close(self) -> None:
        """Stop: a running job is ended, to be begun again by the next watcher."""
        if self._running is not None:
            self._end_process()
            self._running = None
        for name in ("watcher.json", "watcher.lua"):
            with contextlib.suppress(OSError):
                (self.folder.path / name).unlink(missing_ok=True)
        self._lock.release()

    def _beat(self) -> None:
        """Say that somebody is here; clean up now and then."""
        now = self._clock()
        if now - self._beaten >= BEAT or now < self._beaten:
            self._beaten = now
            facts = {
                "MAPEDIT_JOB": "Watcher.1", "version": __version__, "pid": os.getpid(),
                "beat": int(now), "verbs": list(verbs()),
                "job": self._running.job if self._running else "",
            }  # fmt: skip
            with _tolerated("cannot say that the folder is watched"):
                write_both(self.folder, "watcher", facts)
        if now - self._cleaned >= _CLEAN_EVERY:
            self._cleaned = now
            self.folder.clean(now - KEPT)

    # A running job --------------------------------------------------------------------------

    def _attend(self, patience: float) -> None:
        running = self._running
        assert running is not None
        if self._cancelled(running.job):
            self._end_process()
            self._running = None
            self._cancel(running.job)
            return
        try:
            code = running.process.wait(timeout=patience or 0.001)
        except subprocess.TimeoutExpired:
            return
        self._running = None
        if code == NOT_WHOLE:
            self._wait_for_rest(running.job)
        elif not self.folder.file(running.job, "answer.json").exists():
            self._give_up(running, code)
        else:
            self._ended(running.job)
        running.errors.close()

    def _end_process(self) -> None:
        assert self._running is not None
        process = self._running.process
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._running.errors.close()

    def _give_up(self, running: _Running, code: int) -> None:
        """The worker ended without an answer: whatever it was, it must not happen twice."""
        running.errors.seek(0)
        lines = running.errors.read(64 * 1024).decode("utf-8", "replace").strip().splitlines()
        last = f" ({lines[-1][:300]})" if lines else ""
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        answer = Answer(
            running.job,
            State.FAILED,
            f"The work on this timeline ended unexpectedly: {how}{last}.",
            "Run mapedit check on the clips, update otio-mapedit, or report it.",
        )
        self.folder.set_aside(running.job)
        self._answer(answer)

    def _ended(self, job: str) -> None:
        """The worker wrote the answer itself."""
        self._not_whole.pop(job, None)
        try:
            self._said(read_answer(self.folder, job))
        except MapeditError as error:
            self._answer(refusal(job, error, State.FAILED))

    def _wait_for_rest(self, job: str) -> None:
        """The timeline is not whole: wait until it changes, unless it was given up long ago."""
        path = self.folder.file(job, "request.otio")
        changed = _changed(path)
        if changed is None or self._clock() - changed < WHOLE_WITHIN:
            self._not_whole[job] = changed or 0.0
            self.folder.remove(job, "started")
            return
        error = FormatError(
            "the exported timeline is not usable OTIO", "Export it again, or update the plugin."
        )
        self._answer(refusal(job, error))

    # The next one ---------------------------------------------------------------------------

    def _begin_next(self) -> bool:
        """Begin the oldest request that is ready; answer those that need no work."""
        waiting = self._waiting()
        for job in waiting[MOST_WAITING:]:
            error = UsageError(
                f"{MOST_WAITING} jobs are waiting already", "Wait until they are done."
            )
            self._answer(refusal(job, error))
        for job in waiting[:MOST_WAITING]:
            try:
                if self._cancelled(job):
                    self._cancel(job)
                elif self._ready(job):
                    return self._begin(job)
                else:
                    continue
            except MapeditError as error:
                self._answer(refusal(job, error))
        return False

    def _waiting(self) -> list[str]:
        """Requests without an answer, oldest first."""
        asked: dict[str, float] = {}
        answered = set()
        for entry in self.folder.entries():
            if entry.what.startswith("request."):
                asked[entry.id] = min(entry.changed, asked.get(entry.id, entry.changed))
            elif entry.what == "answer.json":
                answered.add(entry.id)
        return sorted(asked.keys() - answered, key=lambda job: (asked[job], job))

    def _ready(self, job: str) -> bool:
        """Whether a request can be begun.

        Raises:
            MapeditError: it never can.
        """
        request = request_of(self.folder, job)
        if request.media:
            return True
        path = self.folder.file(job, "request.otio")
        changed = _changed(path)
        if changed is None:
            asked = _changed(self.folder.file(job, "request.json"))
            if asked is not None and self._clock() - asked > COMPLETE_WITHIN:
                raise FormatError("the timeline of the request did not come", "Run it again.")
            return False
        if path.lstat().st_size > LARGEST_TIMELINE:
            self.folder.read(job, "request.otio", LARGEST_TIMELINE)  # says so
        unfinished = self._not_whole.get(job) == changed
        return not unfinished or self._clock() - changed >= WHOLE_WITHIN

    def _begin(self, job: str) -> bool:
        started = self.folder.read(job, "started", 100) or b"0"
        times = int(started) + 1 if started.isdigit() else 1
        if times > MOST_STARTS:
            self.folder.set_aside(job)
            message = f"The work on this timeline was begun {MOST_STARTS} times and never ended."
            self._answer(Answer(job, State.FAILED, message, "Try with fewer clips, or report it."))
            return True
        self.folder.write(f"{job}.started", str(times))
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed when the job ends
        words = [*self._worker, str(self.folder.path), job, *map(str, self._roots.folders)]
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=self.folder.path,
                start_new_session=True,
            )
        except OSError as error:  # no memory or no process to be had: later, perhaps
            logger.warning("cannot begin %s: %s", job, error.strerror)
            errors.close()
            self.folder.remove(job, "started")
            return False
        self._running = _Running(job, process, errors)
        logger.info("working on %s", job)
        return True

    def _cancelled(self, job: str) -> bool:
        return any(os.path.lexists(self.folder.file(job, what)) for what in _CANCEL)

    def _cancel(self, job: str) -> None:
        self._answer(Answer(job, State.CANCELLED, "Cancelled."))
        self.folder.remove(job, *_CANCEL, "request.otio", "request.json")

    def _answer(self, answer: Answer) -> None:
        self._not_whole.pop(answer.id, None)
        with _tolerated(f"cannot answer {answer.id}"):
            write_answer(self.folder, answer)
        self._said(answer)


_CANCEL = ("cancel", "cancel.otio")


@contextlib.contextmanager
def _tolerated(what: str) -> Iterator[None]:
    """A full disk must not end the watcher: it says so and tries again."""
    try:
        yield
    except MapeditError as error:
        logger.warning("%s: %s", what, error)


def _changed(path: Path) -> float | None:
    try:
        return path.lstat().st_mtime
    except OSError:
        return None
