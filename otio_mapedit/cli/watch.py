"""``watch``: works for the plugins of editing programs."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from . import output
from .common import JsonOption, QuietOption, Verb, VerboseOption, loudness, new_app

if TYPE_CHECKING:
    from ..jobs.answer import Answer
    from ..jobs.watch import Watcher

app = new_app()

#: Seconds between two looks at the folder, and the longest wait for a running job.
_PAUSE = 0.5


@app.command(cls=Verb)
def watch(
    jobs: Annotated[
        Path | None,
        typer.Option(
            "--jobs", metavar="FOLDER", help="The folder of jobs. [default: your own, as shown]"
        ),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="FOLDER",
            help="A folder that jobs may read media from; may be given several times. "
            "[default: your home folder and mounted disks]",
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is waiting, then leave.")] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Start at every login, and now.")
    ] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Start at login no longer.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Work for the plugins of editing programs.

    \b
      mapedit watch                  until Ctrl-C
      mapedit watch --install        from now on, at every login
      mapedit watch --once           what is waiting, for scripts

    The scripts inside DaVinci Resolve and the panel in Premiere Pro leave their requests in a
    folder that only you can enter; this answers them. Nothing in a request is executed, and only
    media below the allowed folders is read.
    """  # fmt: skip
    from ..jobs.folder import default_folder, open_folder
    from ..jobs.request import roots
    from ..jobs.watch import Watcher

    output.listen(loudness(quiet, verbose))
    if once + install + uninstall > 1:
        raise UsageError("--once, --install and --uninstall exclude each other", "Give one.")
    place = jobs.absolute() if jobs else default_folder()
    if install or uninstall:
        _at_login(place, [allowed.absolute() for allowed in root or ()], install, as_json)
        return
    for allowed in root or ():
        if not allowed.is_dir():
            raise UsageError(f"--root: {allowed} is not a folder", "Name one that exists.")
    report, watchers = _Report(as_json, quiet, once), list[Watcher]()
    try:
        for folder in map(open_folder, [place] if jobs else _default_places(place)):
            watchers.append(Watcher(folder, roots(root or (), folder.path), said=report))
            if not quiet:
                ends = "" if once else "; Ctrl-C to stop"
                output.say(f"mapedit: watching {folder.path}{ends}")
        _run(watchers, once)
    finally:
        for watcher in watchers:
            watcher.close()
    if once and as_json:
        output.data_json({"jobs": str(place), "answered": report.answered})


def _default_places(usual: Path) -> list[Path]:
    """The usual folder; with builds of Resolve that may not enter it, also theirs."""
    from ..installers.machine import this_machine
    from ..installers.resolve import contained_jobs, containers

    machine = this_machine()
    return [usual, contained_jobs(machine)] if containers(machine) else [usual]


def _run(watchers: list[Watcher], once: bool) -> None:
    pause = threading.Event()
    while True:
        turns = [watcher.turn(_PAUSE) for watcher in watchers]
        if any(turns):
            continue
        if once:
            return
        pause.wait(_PAUSE)


class _Report:
    """Says how each job ended."""

    def __init__(self, as_json: bool, quiet: bool, once: bool) -> None:
        self._as_json, self._quiet, self._once = as_json, quiet, once
        self.answered: list[dict[str, str]] = []

    def __call__(self, answer: Answer) -> None:
        facts = {"id": answer.id, "state": str(answer.state), "message": answer.message}
        if self._once:
            self.answered.append(facts)
        if self._as_json and not self._once:  # a line each: there is no end to wait for
            output.data(json.dumps(facts, ensure_ascii=False))
        elif not (self._quiet or self._as_json):
            output.data(f"{answer.id}: {answer.state}: {answer.message} {answer.remedy}".rstrip())


def _at_login(jobs: Path, roots: list[Path], wanted: bool, as_json: bool) -> None:
    from ..jobs import login
    from ..jobs.folder import open_folder

    if wanted:
        open_folder(jobs)
        done = login.install(login.watch_command(jobs, roots), sys.platform, Path.home())
        says = f"wrote {done.path}; " + (
            "it is running" if done.running else f"it starts at the next login ({done.said})"
        )
        facts = {"path": str(done.path), "installed": True, "running": done.running}
    else:
        gone = login.uninstall(sys.platform, Path.home())
        says = f"removed {gone.path}" if gone else "it was not installed"
        facts = {"path": str(gone.path) if gone else "", "installed": False, "running": False}
    if as_json:
        output.data_json(facts)
    else:
        output.data(says)
