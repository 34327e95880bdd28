"""otio-mapedit from outside DaVinci Resolve Studio, in Python.

    python studio.py roughcut                      a proposal beside the open timeline
    python studio.py roughcut --option pace=tight
    python studio.py shots | highlights | learn
    python studio.py pull cut.otio                 the open timeline into a file
    python studio.py push cut.otio --lut look.cube a file into Resolve, with grades and speeds

Needs DaVinci Resolve Studio, running, with Preferences > System > General > External scripting
using: Local; nothing but Python's own library. The work is done by otio-mapedit through its folder
of jobs (plugins/protocol.md); where nobody watches it, `mapedit watch --once` is started.

Besides what the menu scripts do, grades (an ASC CDL per clip, a LUT) are applied to the clips, and
speeds are set where Resolve has a call for it (21.1) and named where it has none.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusionscript import MediaPool, Project, Resolve, Timeline, TimelineItem

VERBS = ("roughcut", "shots", "highlights", "learn")
TITLES = {"roughcut": "Rough Cut", "shots": "Shots", "highlights": "Highlights", "learn": "Learn"}
#: Seconds: a silent watcher counts as gone; nothing moved.
GONE_AFTER, STUCK_AFTER = 15.0, 1800.0
_PAUSE = 0.5


class Trouble(Exception):
    """What went wrong and what to do about it, on one line."""


# Reaching Resolve -----------------------------------------------------------------------------


def module_folders(platform: str, environment: dict[str, str]) -> list[Path]:
    """Where Resolve keeps its Python module, best first."""
    chosen = environment.get("RESOLVE_SCRIPT_API")
    if platform == "win32":
        usual = Path(environment.get("PROGRAMDATA", "C:\\ProgramData")) / "Blackmagic Design"
        usual = usual / "DaVinci Resolve" / "Support" / "Developer" / "Scripting"
    elif platform == "darwin":
        usual = Path("/Library/Application Support/Blackmagic Design/DaVinci Resolve")
        usual = usual / "Developer" / "Scripting"
    else:
        usual = Path("/opt/resolve/Developer/Scripting")
    return [Path(folder) / "Modules" for folder in ([chosen] if chosen else []) + [usual]]


def connect() -> Resolve:
    """The running Resolve.

    Raises:
        Trouble: there is none that lets scripts in.
    """
    for folder in module_folders(sys.platform, dict(os.environ)):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    try:
        module: Any = importlib.import_module("DaVinciResolveScript")
    except ImportError as error:
        raise Trouble(
            f"Resolve's Python module was not found ({error}). Set RESOLVE_SCRIPT_API to its "
            "folder Developer/Scripting."
        ) from error
    found: Resolve | None = module.scriptapp("Resolve")
    if found is None:
        raise Trouble(
            "Resolve does not answer. Start DaVinci Resolve Studio (the free version lets no "
            "external script in) and set Preferences > System > General > External scripting "
            "using: Local."
        )
    return found


def project_of(resolve: Resolve) -> Project:
    """The open project.

    Raises:
        Trouble: none is open.
    """
    project: Project | None = resolve.GetProjectManager().GetCurrentProject()
    if project is None:
        raise Trouble("No project is open. Open one, then run this again.")
    return project


def timeline_of(project: Project) -> Timeline:
    """The open timeline.

    Raises:
        Trouble: none is open.
    """
    timeline: Timeline | None = project.GetCurrentTimeline()
    if timeline is None:
        raise Trouble("No timeline is open. Open one, then run this again.")
    return timeline


# Pull and push --------------------------------------------------------------------------------


def pull(resolve: Resolve, path: Path) -> None:
    """Export the open timeline to ``path``.

    Raises:
        Trouble: Resolve did not write it.
    """
    timeline = timeline_of(project_of(resolve))
    done = timeline.Export(str(path), resolve.EXPORT_OTIO, resolve.EXPORT_NONE)
    if not done or not path.exists():
        raise Trouble(f"Resolve did not export to {path}. Check that its folder exists.")


def push(resolve: Resolve, path: Path, name: str, lut: Path | None) -> list[str]:
    """Import a timeline with its grades and speeds; gives what a person must look at.

    Raises:
        Trouble: Resolve did not import it.
    """
    if not path.exists():
        raise Trouble(f"{path} does not exist. Check the name.")
    project = project_of(resolve)
    pool = project.GetMediaPool()
    timeline = imported(project, pool, path, unique(project, name or path.stem))
    project.SetCurrentTimeline(timeline)
    clips = list(video_clips(json.loads(path.read_text(encoding="utf-8-sig"))))
    items: list[TimelineItem] = list(timeline.GetItemListInTrack("video", 1) or [])
    notes = []
    if len(items) != len(clips):
        notes.append(f"V1 holds {len(items)} clips instead of {len(clips)}")
    for number, (item, clip) in enumerate(zip(items, clips, strict=False), start=1):
        notes += [
            f"V1 clip {number}: {note}"
            for note in [*slipped(item, clip), *dressed(item, clip, lut)]
        ]
    return notes


def imported(project: Project, pool: MediaPool, path: Path, name: str) -> Timeline:
    """The timeline in a file. Resolve may say nothing and have imported it all the same.

    Raises:
        Trouble: it is not there.
    """
    found: Timeline | None = pool.ImportTimelineFromFile(
        str(path),
        {"timelineName": name, "importSourceClips": True},  # type: ignore[typeddict-item]
    )
    found = found or named(project).get(name)
    if found is None:
        raise Trouble(
            f"Resolve did not import {path}. Import it yourself: File > Import > Timeline (it says "
            "there what it misses)."
        )
    return found


def named(project: Project) -> dict[str, Timeline]:
    """Every timeline of a project by its name."""
    count = project.GetTimelineCount()
    timelines = [project.GetTimelineByIndex(index + 1) for index in range(count)]
    return {timeline.GetName(): timeline for timeline in timelines}


def unique(project: Project, wanted: str) -> str:
    """A name that is not taken: Resolve makes no second timeline of a name, and says nothing."""
    taken, name, count = named(project), wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted} {count}"
    return name


# Grades and speeds ----------------------------------------------------------------------------


def video_clips(timeline: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The clips of the first video track of an OTIO document that has any, in order."""
    for track in timeline.get("tracks", {}).get("children", []):
        children = track.get("children", []) if track.get("kind") == "Video" else []
        found = [item for item in children if str(item.get("OTIO_SCHEMA")).startswith("Clip.")]
        if found:
            return found
    return []


def slipped(item: TimelineItem, clip: dict[str, Any]) -> list[str]:
    """What is wrong with the frame of its media that an item begins with, as far as this version
    tells it: some count from the media's first frame, others from its timecode."""
    read = getattr(item, "GetSourceStartFrame", None)
    at = read() if callable(read) else None
    references = clip.get("media_references") or {}
    reference = references.get(clip.get("active_media_reference_key")) or {}
    available, span = reference.get("available_range"), clip.get("source_range")
    speeds = [effect for effect in clip.get("effects", []) if "time_scalar" in effect]
    if not isinstance(at, int) or not available or not span or speeds:
        return []
    wanted = round(span["start_time"]["value"])
    first = round(available["start_time"]["value"])
    if at in (wanted, wanted - first):
        return []
    return [f"plays its media from frame {at} instead of {wanted - first}"]


def dressed(item: TimelineItem, clip: dict[str, Any], lut: Path | None) -> list[str]:
    """Apply a clip's grade and LUT to an item and see to its speed; gives what did not work."""
    notes = []
    cdl = clip.get("metadata", {}).get("cdl")
    if isinstance(cdl, dict) and not graded(item, cdl):
        notes.append(f"its grade was not applied: set it by hand, {json.dumps(cdl)}")
    graph = item.GetNodeGraph()  # type: ignore[call-arg]  # the layer is optional
    if lut is not None and not graph.SetLUT(1, str(lut)):
        notes.append(
            "the LUT was not applied: copy it into Resolve's LUT folder, then Update Lists"
        )
    for effect in clip.get("effects", []):
        if str(effect.get("OTIO_SCHEMA")).startswith("LinearTimeWarp."):
            notes += retimed(item, float(effect.get("time_scalar", 1.0)))
    return notes


def graded(item: TimelineItem, cdl: dict[str, Any]) -> bool:
    """Apply an ASC CDL, as OTIO's metadata holds it, to the first node."""
    sop = cdl.get("asc_sop", {})
    for node in ("1", 1):  # documented as a number; the example in the documents is a text
        values: Any = {
            "NodeIndex": node,
            "Slope": triple(sop.get("slope", [1, 1, 1])),
            "Offset": triple(sop.get("offset", [0, 0, 0])),
            "Power": triple(sop.get("power", [1, 1, 1])),
            "Saturation": "{:g}".format(float(cdl.get("asc_sat", 1))),
        }
        if item.SetCDL(values):
            return True
    return False


def triple(values: Iterable[Any]) -> str:
    """Red, green and blue as Resolve reads them."""
    return " ".join(f"{float(value):g}" for value in values)


def retimed(item: TimelineItem, scalar: float) -> list[str]:
    """See that an item plays at ``scalar`` times its speed, with the call that 21.1 has.

    Asked by looking at what the call is: every name that is looked up on an item exists.
    """
    read, write = (getattr(item, name, None) for name in ("GetSpeed", "SetSpeed"))
    if not callable(read) or not callable(write):
        return ["plays at %g %% speed: look whether Resolve took that over" % (scalar * 100)]
    found = read()
    now = found.get("Percentage") if isinstance(found, dict) else None
    if isinstance(now, (int, float)) and abs(now - scalar * 100) < 0.01:
        return []
    wanted = {
        "Percentage": scalar * 100,
        "PitchCorrection": True,
        "StretchKeyframesToFit": False,
        "RippleTimeline": False,
    }
    return [] if write(wanted) else ["its speed was not set: set it to %g %%" % (scalar * 100)]


# Jobs -----------------------------------------------------------------------------------------


def jobs_folder(platform: str, environment: dict[str, str], home: Path) -> Path:
    """The folder of jobs, as `mapedit watch` has it."""
    if environment.get("MAPEDIT_JOBS"):
        return Path(environment["MAPEDIT_JOBS"])
    if platform == "win32":
        local = environment.get("LOCALAPPDATA") or str(home / "AppData" / "Local")
        return Path(local) / "otio-mapedit" / "jobs"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "otio-mapedit" / "jobs"
    return home / ".local" / "share" / "otio-mapedit" / "jobs"


def propose(
    resolve: Resolve, jobs: Path, verb: str, options: dict[str, str], lut: Path | None
) -> tuple[str, list[str]]:
    """Have the open timeline worked on and the result imported; gives what happened and notes.

    Raises:
        Trouble: anything on the way.
    """
    timeline = timeline_of(project_of(resolve))
    jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    job = f"{verb}-{int(time.time())}-{random.randrange(100000, 1000000)}"
    request = {"MAPEDIT_JOB": "Request.1", "verb": verb, "host": "resolve", "options": options}
    temporary = jobs / (".tmp-" + job)
    temporary.write_text(json.dumps(request), encoding="utf-8")
    temporary.replace(jobs / (job + ".request.json"))
    pull(resolve, jobs / (job + ".request.otio"))
    answer = waited(jobs, job)
    if answer["state"] != "done":
        raise Trouble(("{} {}".format(answer["message"], answer["remedy"])).strip())
    notes = list(answer.get("warnings", [])) + list(answer.get("lost", []))
    if answer["result"]:
        name = f"{timeline.GetName()} - {TITLES[verb]}"
        notes += push(resolve, jobs / Path(answer["result"]).name, name, lut)
    return str(answer["message"]), notes


def waited(jobs: Path, job: str) -> dict[str, Any]:
    """The answer to a job; starts a watcher where there is none.

    Raises:
        Trouble: there is none and none can be started, or nothing moves.
    """
    helper: subprocess.Popen[bytes] | None = None
    moved, before = time.monotonic(), ""
    while True:
        answer = read(jobs / (job + ".answer.json"))
        if answer is not None:
            if helper is not None:
                helper.wait()
            return answer
        if helper is None and not watched(jobs):
            helper = started(jobs)
        elif helper is not None and helper.poll() is not None and not watched(jobs):
            raise Trouble("mapedit watch ended without an answer. Type: mapedit watch --once")
        told = read(jobs / (job + ".progress.json")) or {}
        now = f"{told.get('task', 'waiting')} {int(told.get('done', 0) * 100)} %"
        if now != before:
            moved, before = time.monotonic(), now
            print("MapEdit: " + now, file=sys.stderr)
        if time.monotonic() - moved > STUCK_AFTER:
            (jobs / (job + ".cancel")).touch()
            raise Trouble("Nothing moved for half an hour. Type: mapedit doctor")
        time.sleep(_PAUSE)


def read(path: Path) -> dict[str, Any] | None:
    """A JSON file of the watcher, None where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def watched(jobs: Path) -> bool:
    """Whether somebody answers."""
    told = read(jobs / "watcher.json") or {}
    return bool(time.time() - told.get("beat", 0) < GONE_AFTER)


def started(jobs: Path) -> subprocess.Popen[bytes]:
    """A watcher that does what is waiting and leaves.

    Raises:
        Trouble: otio-mapedit is not installed.
    """
    found = shutil.which("mapedit")
    words = [found] if found else [sys.executable, "-m", "otio_mapedit"]
    try:
        return subprocess.Popen([*words, "watch", "--once", "--quiet", "--jobs", str(jobs)])
    except OSError as error:
        raise Trouble("mapedit was not found. Type: pip install otio-mapedit") from error


# The command line -----------------------------------------------------------------------------


def main(words: list[str] | None = None) -> int:
    """Carry out a command line; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=(*VERBS, "pull", "push"), help="what to do")
    parser.add_argument("file", nargs="?", type=Path, help="for pull and push: the .otio file")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="", help="of the timeline to make")
    parser.add_argument("--lut", type=Path, help="a LUT for every clip, in Resolve's LUT folder")
    given = parser.parse_args(words)
    if (given.verb in ("pull", "push")) != (given.file is not None):
        parser.error("pull and push take a file, the other verbs none")
    options = dict(pair.partition("=")[::2] for pair in given.option)
    try:
        resolve = connect()
        said, notes = "done", []
        if given.verb == "pull":
            pull(resolve, given.file.absolute())
        elif given.verb == "push":
            notes = push(resolve, given.file.absolute(), given.name, given.lut)
        else:
            jobs = jobs_folder(sys.platform, dict(os.environ), Path.home())
            said, notes = propose(resolve, jobs, given.verb, options, given.lut)
    except Trouble as trouble:
        print(f"MapEdit: {trouble}", file=sys.stderr)
        return 1
    print("MapEdit: " + said)
    for note in notes:
        print("MapEdit: look: " + note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
