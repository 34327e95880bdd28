"""What the tests of jobs and plugins share: a clock, a folder, and a watcher that is stepped."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from otio_mapedit.assemble import assemble
from otio_mapedit.interchange.registry import write_timeline
from otio_mapedit.jobs.folder import JobFolder, open_folder
from otio_mapedit.jobs.request import roots
from otio_mapedit.jobs.watch import WORKER, Watcher
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.sources import sources_of
from otio_mapedit.timing import FrameRange

#: Longest wait for one step of a worker.
PATIENCE = 0.2
#: Turns after which a test gives up: far more than any job here takes.
MOST_TURNS = 600


class Clock:
    """Seconds since 1970 that pass when a test says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Desk:
    """A folder of jobs, who watches it, and what they answered."""

    def __init__(
        self, place: Path, allowed: Sequence[Path], worker: Sequence[str] = WORKER
    ) -> None:
        self.clock = Clock()
        self.folder: JobFolder = open_folder(place)
        self._allowed, self._worker = list(allowed), worker
        self.watcher: Watcher | None = None

    def open(self) -> Watcher:
        """Begin to watch."""
        allowed = roots(self._allowed, self.folder.path)
        self.watcher = Watcher(self.folder, allowed, self.clock, worker=self._worker)
        self.watcher.turn()
        return self.watcher

    def close(self) -> None:
        if self.watcher is not None:
            self.watcher.close()
            self.watcher = None

    def die(self) -> None:
        """End the watcher as a crash would: its worker with it, nothing tidied up."""
        watcher = self.watcher
        assert watcher is not None
        running = watcher._running
        if running is not None:
            running.process.kill()
            running.process.wait()
            running.errors.close()
        watcher._lock.release()
        self.watcher = None

    def step(self, seconds: float = 0.5) -> None:
        """Let time pass, and the watcher work if there is one."""
        self.clock.pass_by(seconds)
        if self.watcher is not None:
            self.watcher.turn(PATIENCE)

    def until(self, done: Callable[[], Any]) -> None:
        """Step until something is so."""
        for _ in range(MOST_TURNS):
            if done():
                return
            self.step()
        raise AssertionError("it never came about")

    def settle(self) -> None:
        """Step until there is nothing left to do."""
        assert self.watcher is not None
        for _ in range(MOST_TURNS):
            if not self.watcher.turn(PATIENCE):
                return
        raise AssertionError("there is no end to it")

    # Requests -------------------------------------------------------------------------------

    def ask(self, job: str, timeline: str | None = None, **values: Any) -> None:
        """Leave a request, as a plugin that can write JSON does."""
        self.write(f"{job}.request.json", json.dumps({"MAPEDIT_JOB": "Request.1", **values}))
        if timeline is not None:
            self.write(f"{job}.request.otio", timeline)

    def write(self, name: str, text: str) -> Path:
        path = self.folder.path / name
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self.clock.now, self.clock.now))
        return path

    def answer(self, job: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(
            (self.folder.path / f"{job}.answer.json").read_text(encoding="utf-8")
        )
        return found

    def answered(self, job: str) -> bool:
        return (self.folder.path / f"{job}.answer.json").exists()


def loaded(path: Path, name: str) -> Any:
    """A Python file that is in no package, as a module called ``name``."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # plugins/ stays as it is
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def timeline_text(*files: Path, host: str = "resolve") -> str:
    """An exported timeline that plays each of ``files`` whole, one after the other."""
    footage = [probe(path) for path in files]
    sources = sources_of(footage)
    operations = tuple(
        Operation(Kind.KEEP, source.id, FrameRange(0, source.frame_count), id=f"keep-{number}")
        for number, source in enumerate(sources)
    )
    edit = DecisionList("Stringout", footage[0].rate, tuple(sources), operations)
    target = Path(os.environ["MAPEDIT_CACHE"]) / f"stringout-{len(files)}-{files[0].stem}.otio"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_timeline(assemble(edit), target, host, force=True)
    return target.read_text(encoding="utf-8")
