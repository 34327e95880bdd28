"""Jobs: from a request in the folder to its answer, whatever happens on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import opentimelineio as otio
import pytest

import otio_mapedit.jobs
from otio_mapedit import style
from otio_mapedit.errors import UsageError
from otio_mapedit.interchange.registry import FORMATS, HOSTS
from otio_mapedit.jobs import watch as watching
from otio_mapedit.jobs.answer import State
from otio_mapedit.jobs.folder import open_folder, usual_folder
from otio_mapedit.jobs.request import RESULTS
from otio_mapedit.jobs.watch import Watcher
from otio_mapedit.jobs.work import _Noted
from otio_mapedit.mapedit_file import read as read_decisions
from otio_mapedit.media import probe
from otio_mapedit.operations import partition_faults
from otio_mapedit.recipes import RECIPES
from otio_mapedit.within import NOT_USED
from tests.cli_support import EDITED, SAMPLES, TALK, Cli, one_line
from tests.job_support import MOST_TURNS, Desk, timeline_text

PLACE = Path(otio_mapedit.jobs.__file__).parent
REQUEST, ANSWER = (
    json.loads((PLACE / f"{name}.schema.json").read_text("utf-8")) for name in ("request", "answer")
)


def worker(program: str) -> list[str]:
    """A worker that is a line of Python: ``folder`` and ``job`` are given."""
    start = "import sys, os, pathlib; folder, job = pathlib.Path(sys.argv[1]), sys.argv[2]; "
    return [sys.executable, "-c", start + program]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A watched folder with real workers."""
    made = Desk(tmp_path / "jobs", [SAMPLES, tmp_path])
    made.open()
    yield made
    made.close()


# The way through -----------------------------------------------------------------------------


def test_a_timeline_goes_in_and_a_rough_cut_comes_out(desk: Desk) -> None:
    text = timeline_text(TALK)
    asked = {"verb": "roughcut", "host": "resolve", "options": {"pace": "tight"}, "name": "Talk 2"}
    jsonschema.validate({"MAPEDIT_JOB": "Request.1", **asked}, REQUEST)
    desk.ask("one", text, **asked)
    desk.settle()
    answer = desk.answer("one")
    jsonschema.validate(answer, ANSWER)
    assert answer["state"] == "done", answer
    assert answer["facts"]["options"]["pace"] == "tight"
    result = desk.folder.path / answer["result"]
    timeline = otio.adapters.read_from_file(str(result))
    assert timeline.name == answer["name"] == "Talk 2"
    # What is listed for reading back is what the file holds, in frames.
    clips = [clip for clip in answer["clips"] if clip["track"] == 0]
    found = list(timeline.video_tracks()[0].find_clips())
    assert [clip["duration"] for clip in clips] == [clip.duration().value for clip in found]
    assert {clip.media_reference.target_url for clip in found} == {str(TALK)}
    starts = [clip.source_range.start_time.value - 90000 for clip in found]
    assert [clip["media_start"] for clip in clips] == starts
    assert not desk.folder.file("one", "progress.json").exists()


def part_of_talk(*parts: tuple[int, int]) -> str:
    """An exported timeline that plays some ranges of the sample."""
    made = otio.schema.Timeline("part")
    track = otio.schema.Track("V1", kind="Video")
    info = probe(TALK)
    RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
    whole = TR(RT(info.start_frame, 25), RT(info.frame_count, 25))
    for start, stop in parts:
        span = TR(RT(info.start_frame + start, 25), RT(stop - start, 25))
        reference = otio.schema.ExternalReference(str(TALK), whole)
        track.append(otio.schema.Clip("talk", reference, span))
    made.tracks.append(track)
    return str(made.to_json_string())


@pytest.mark.parametrize("verb", ["roughcut", "shots", "highlights"])
def test_only_what_the_timeline_uses_is_worked_on(desk: Desk, verb: str) -> None:
    text = part_of_talk((250, 500), (300, 550), (700, 800))
    desk.ask("part", text, verb=verb, result=".mapedit")
    whole = {"verb": verb, "whole_files": True, "result": ".mapedit"}
    jsonschema.validate({"MAPEDIT_JOB": "Request.1", **whole}, REQUEST)
    desk.ask("whole", text, **whole)
    desk.settle()
    answers = [desk.answer(name) for name in ("part", "whole")]
    assert [answer["state"] for answer in answers] == ["done", "done"], answers
    used = {frame for span in ((250, 550), (700, 800)) for frame in range(*span)}
    kept = [
        {
            frame
            for clip in answer["clips"]
            if not clip["track"]
            for frame in range(clip["media_start"], clip["media_start"] + clip["duration"])
        }
        for answer in answers
    ]
    assert kept[0]
    assert kept[0] <= used
    assert not kept[1] <= used
    decisions = read_decisions(desk.folder.path / answers[0]["result"])
    assert partition_faults(decisions) == []
    assert [source.frame_count for source in decisions.sources] == [990]
    unused = [op.range for op in decisions.operations if op.reason == NOT_USED]
    assert [(span.start, span.end) for span in unused] == [(0, 250), (550, 700), (800, 990)]
    if verb == "shots":
        assert kept[0] == used, "every frame that is used has its shot"


def test_an_id_alone_can_say_what_is_wanted(desk: Desk) -> None:
    """Lua in the free version of Resolve can write nothing but an exported timeline."""
    desk.write("mapedit.toml", '[shots]\nmin_shot = "6f"\n')
    desk.write("shots-1764113000-12.request.otio", timeline_text(EDITED))
    desk.settle()
    answer = desk.answer("shots-1764113000-12")
    assert answer["state"] == "done"
    assert answer["facts"]["options"]["min_shot"] == "6f"
    assert answer["facts"]["clips"] - answer["facts"]["black"] == 9


def test_media_can_be_named_and_the_result_be_fcpxml(desk: Desk) -> None:
    desk.ask("fc", verb="shots", host="finalcut", media=[str(EDITED)])
    desk.settle()
    answer = desk.answer("fc")
    assert answer["result"] == "fc.result.fcpxml"
    assert (desk.folder.path / answer["result"]).read_text("utf-8").startswith("<?xml")
    assert isinstance(answer["lost"], list)


def test_progress_is_told(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "jobs")
    _Noted(folder, "slow")("Listening", 3, 12)
    told = json.loads(folder.file("slow", "progress.json").read_text("utf-8"))
    assert told == {"task": "Listening", "done": 0.25}
    assert "done=0.25" in folder.file("slow", "progress.lua").read_text("utf-8")


def test_the_verbs_are_the_recipes_and_learn(desk: Desk) -> None:
    said = json.loads((desk.folder.path / "watcher.json").read_text("utf-8"))
    assert set(said["verbs"]) == {*RECIPES, "learn"}
    assert said["pid"] == os.getpid()
    desk.close()
    assert not (desk.folder.path / "watcher.json").exists()


def test_everything_that_the_program_takes_fits_the_schema() -> None:
    for host in HOSTS:
        for suffix in RESULTS:
            assert suffix in FORMATS
            asked = {"MAPEDIT_JOB": "Request.1", "verb": "shots", "host": host, "result": suffix}
            jsonschema.validate(asked, REQUEST)
    assert set(ANSWER["properties"]["state"]["enum"]) == set(State)


# What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_text", "says"),
    [
        ('{"MAPEDIT_JOB": "Request.1", "verb": "ruffcut"}', "there is no verb 'ruffcut'"),
        ('{"MAPEDIT_JOB": "Request.9", "verb": "shots"}', "Request.9"),
        ('{"verb": "shots"}', "MAPEDIT_JOB is missing"),
        ('{"MAPEDIT_JOB": "Request.1"}', "verb is missing"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "host": "avid"}', "avid"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "result": ".sh"}', ".sh"),
        (
            '{"MAPEDIT_JOB": "Request.1", "verb": "shots", "host": "finalcut", "result": ".edl"}',
            ".edl is not written for finalcut",
        ),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "options": {"a": []}}', "options.a"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "options": {"A-b": 1}}', "options.A-b"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "media": "/x"}', "media"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "run": "rm"}', "there is no 'run' here"),
        ("[1]", "this is a list"),
        ("not json", "this is not JSON"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "media": ["relative.mov"]}', "absolute"),
        ('{"MAPEDIT_JOB": "Request.1", "verb": "shots", "media": ["http://x/y.mov"]}', "absolute"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_answered_with_what_to_do(
    desk: Desk, request_text: str, says: str
) -> None:
    desk.write("wrong.request.json", request_text)
    desk.settle()
    answer = desk.answer("wrong")
    assert answer["state"] == "refused"
    assert says in answer["message"]
    assert answer["remedy"]


def test_an_option_that_there_is_not_is_named(desk: Desk) -> None:
    desk.ask("x", verb="shots", media=[str(EDITED)], options={"sensitivty": 1})
    desk.settle()
    assert desk.answer("x")["remedy"] == "Did you mean sensitivity?"


def test_media_that_was_moved_is_named(desk: Desk, tmp_path: Path) -> None:
    text = timeline_text(TALK).replace(str(TALK), str(tmp_path / "gone.mp4"))
    desk.ask("moved", text, verb="roughcut", host="resolve")
    desk.settle()
    answer = desk.answer("moved")
    assert answer["state"] == "refused"
    assert "gone.mp4" in answer["message"]
    assert "Relink" in answer["remedy"]


def test_what_is_no_media_is_left_out_and_said(desk: Desk, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    desk.ask("mixed", verb="shots", media=[str(EDITED), str(logo)])
    desk.ask("alone", verb="shots", media=[str(logo)])
    desk.settle()
    assert any("logo.png" in text for text in desk.answer("mixed")["warnings"])
    assert desk.answer("mixed")["state"] == "done"
    assert desk.answer("alone")["state"] == "refused"


def test_a_timeline_without_media_is_refused(desk: Desk) -> None:
    empty = otio.schema.Timeline("Empty")
    titles = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    titles.append(otio.schema.Clip("Lower third", otio.schema.MissingReference()))
    empty.tracks.append(titles)
    desk.ask("empty", empty.to_json_string(), verb="shots")
    desk.settle()
    assert "Lower third is offline" in desk.answer("empty")["message"]


def test_learning_goes_into_a_style_that_rough_cuts_follow(desk: Desk, cli: Cli) -> None:
    finished = desk.folder.path.parent / "final.otio"
    assert cli("roughcut", TALK, "-o", finished, "--pace", "jump", "--for", "resolve").code == 0
    for number in (1, 2):
        desk.write(f"learn-1-{number}.request.otio", finished.read_text("utf-8"))
    desk.settle()
    first, again = (desk.answer(f"learn-1-{number}") for number in (1, 2))
    assert first["state"] == "done", first
    assert "style mine now knows 1" in first["message"]
    assert not first["result"]
    assert "known already" in again["message"], "its job has another name, the timeline has not"
    assert style.load("mine").lessons
    desk.write("roughcut-1-1.request.otio", finished.read_text("utf-8"))
    desk.ask("plain", finished.read_text("utf-8"), verb="roughcut", options={"style": ""})
    desk.settle()
    assert desk.answer("roughcut-1-1")["facts"]["options"]["style"] == "mine"
    assert not desk.answer("plain")["facts"]["options"].get("style")


def test_learning_takes_no_other_options_and_no_file(desk: Desk) -> None:
    text = timeline_text(TALK)
    desk.ask("odd", text, verb="learn", options={"stile": "x"})
    desk.ask("file", text, verb="learn", options={"style": "x.style.json"})
    desk.ask("none", verb="learn", media=[str(TALK)])
    desk.ask("like", text, verb="roughcut", options={"like": "final.otio"})
    desk.settle()
    assert "Did you mean style" in desk.answer("odd")["remedy"]
    assert "may not name a file" in desk.answer("file")["message"]
    assert "no timeline" in desk.answer("none")["message"]
    assert "may not name a timeline" in desk.answer("like")["message"]


def test_a_job_fetches_nothing_from_the_internet(desk: Desk) -> None:
    options = {"transcribe": "tiny", "download_model": True}
    desk.ask("fetch", timeline_text(TALK), verb="roughcut", options=options)
    desk.settle()
    assert "may not fetch a model" in desk.answer("fetch")["message"]
    assert "--download-model" in desk.answer("fetch")["remedy"]


# While it is being written -------------------------------------------------------------------


def test_an_export_is_waited_for_until_it_is_whole(desk: Desk) -> None:
    text = timeline_text(EDITED)
    desk.write("shots-1-1.request.otio", text[: len(text) // 2])
    desk.until(lambda: desk.watcher and desk.watcher._not_whole)
    assert not desk.answered("shots-1-1")
    desk.write("shots-1-1.request.otio", text)
    desk.until(lambda: desk.answered("shots-1-1"))
    assert desk.answer("shots-1-1")["state"] == "done"


def test_half_an_export_is_refused_in_the_end(desk: Desk) -> None:
    text = timeline_text(EDITED)
    changed = desk.write("shots-1-1.request.otio", text[:-3]).stat().st_mtime
    desk.until(lambda: desk.answered("shots-1-1"))
    assert desk.answer("shots-1-1")["message"] == "the exported timeline is not usable OTIO."
    assert desk.clock.now > changed + 10


def test_a_request_whose_timeline_never_comes_is_refused(desk: Desk) -> None:
    desk.ask("lonely", verb="shots")
    desk.settle()
    assert not desk.answered("lonely")
    desk.clock.pass_by(watching.COMPLETE_WITHIN + 1)
    desk.settle()
    assert "did not come" in desk.answer("lonely")["message"]


# Ends that nobody planned --------------------------------------------------------------------


def test_a_job_that_crashes_its_worker_is_answered_and_set_aside(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "jobs", [], worker("sys.stderr.write('boom\\n'); os.abort()"))
    desk.open()
    desk.ask("bad", verb="shots", media=["/x"])
    desk.ask("next", verb="shots", media=["/x"])
    desk.settle()
    for job in ("bad", "next"):
        answer = desk.answer(job)
        assert answer["state"] == "failed"
        assert "signal 6 (boom)" in answer["message"]
    assert (desk.folder.path / "set-aside" / "bad.request.json").exists()
    assert not desk.folder.file("bad", "request.json").exists()
    desk.close()


def test_a_watcher_that_dies_loses_nothing(tmp_path: Path) -> None:
    """The next watcher takes up the job that was being worked on and those that waited."""
    desk = Desk(tmp_path / "jobs", [SAMPLES])
    desk.open()
    for number in (1, 2):
        desk.write(f"shots-1-{number}.request.otio", timeline_text(EDITED))
    desk.until(lambda: desk.watcher and desk.watcher._running)
    desk.die()
    assert (desk.folder.path / "watcher.json").exists(), "a crash tidies nothing up"
    assert not desk.answered("shots-1-1")
    desk.open()
    desk.settle()
    assert [desk.answer(f"shots-1-{number}")["state"] for number in (1, 2)] == ["done"] * 2
    desk.close()


def test_a_job_that_ends_every_watcher_is_given_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "jobs", [], worker("sys.stdin.read(); import time; time.sleep(99)"))
    for _ in range(watching.MOST_STARTS):
        desk.open()
        desk.ask("endless", verb="shots", media=["/x"])
        desk.until(lambda: desk.watcher and desk.watcher._running)
        desk.die()
    desk.open()
    desk.settle()
    assert "begun 3 times" in desk.answer("endless")["message"]
    assert (desk.folder.path / "set-aside" / "endless.request.json").exists()
    desk.close()


@pytest.mark.parametrize("flag", ["cancel", "cancel.otio"])
@pytest.mark.parametrize("running", [True, False])
def test_a_job_can_be_cancelled(tmp_path: Path, flag: str, running: bool) -> None:
    desk = Desk(tmp_path / "jobs", [], worker("import time; time.sleep(99)"))
    desk.open()
    desk.ask("long", verb="shots", media=["/x"])
    if running:
        desk.until(lambda: desk.watcher and desk.watcher._running)
        process = desk.watcher._running.process  # type: ignore[union-attr]
    desk.write(f"long.{flag}", "")
    desk.settle()
    assert desk.answer("long")["state"] == "cancelled"
    assert not desk.folder.file("long", flag).exists()
    if running:
        assert process.poll() is not None
    desk.close()


def test_an_answer_that_nobody_can_read_is_replaced(tmp_path: Path) -> None:
    program = "(folder / f'{job}.answer.json').write_text('[]')"
    desk = Desk(tmp_path / "jobs", [], worker(program))
    desk.open()
    desk.ask("odd", verb="shots", media=["/x"])
    desk.settle()
    assert desk.answer("odd")["state"] == "failed"
    desk.close()


def test_a_worker_that_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path / "jobs", [], [str(tmp_path / "nothing")])
    watcher = desk.open()
    desk.ask("later", verb="shots", media=["/x"])
    assert not watcher.turn()
    assert "cannot begin later" in caplog.text
    assert not desk.answered("later")
    assert not desk.folder.file("later", "started").exists()
    desk.close()


def test_closing_ends_the_worker_and_keeps_the_request(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "jobs", [], worker("import time; time.sleep(99)"))
    watcher = desk.open()
    desk.ask("long", verb="shots", media=["/x"])
    desk.until(lambda: watcher._running)
    process = watcher._running.process  # type: ignore[union-attr]
    desk.close()
    assert process.poll() is not None
    assert desk.folder.file("long", "request.json").exists()
    assert not desk.answered("long")


def test_one_watcher_per_folder(desk: Desk) -> None:
    with pytest.raises(UsageError, match="watched already"):
        Watcher(desk.folder, None)  # type: ignore[arg-type]
    desk.close()
    desk.open()


def test_a_full_disk_does_not_end_the_watcher(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    desk.write("nothing-1.request.otio", "{}")
    with monkeypatch.context() as patched:
        patched.setattr("otio_mapedit.jobs.folder.tempfile.mkstemp", full)
        desk.settle()
    assert "the disk is full" in caplog.text
    assert not desk.answered("nothing-1")
    desk.settle()
    assert desk.answer("nothing-1")["state"] == "refused"


def test_old_jobs_are_removed_and_new_ones_kept(desk: Desk) -> None:
    week = watching.KEPT
    for job, age in (("old", week + 60), ("new", week - 7200)):
        for what in ("request.otio", "answer.json", "answer.lua", "result.otio"):
            path = desk.write(f"{job}.{what}", "{}")
            os.utime(path, (desk.clock.now - age,) * 2)
    kept = desk.write("notes.txt", "mine")
    os.utime(kept, (1, 1))
    desk.step(3601)
    left = {path.name for path in desk.folder.path.iterdir()}
    assert not {name for name in left if name.startswith("old.")}
    assert {"new.request.otio", "new.answer.json", "notes.txt"} <= left


# The command ---------------------------------------------------------------------------------


def test_once_does_what_waits_and_leaves(cli: Cli, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "jobs", [])
    desk.ask("now", verb="shots", media=[str(EDITED)])
    desk.ask("wrong", verb="nothing")
    done = cli("watch", "--once", "--json", "--jobs", tmp_path / "jobs", "--root", SAMPLES)
    assert done.code == 0, done
    states = {item["id"]: item["state"] for item in done.json["answered"]}
    assert states == {"now": "done", "wrong": "refused"}


def test_the_command_says_what_is_wrong(cli: Cli, tmp_path: Path, desk: Desk) -> None:
    said = one_line(cli("watch", "--once", "--jobs", desk.folder.path), 2)
    assert "watched already" in said
    assert "exclude each other" in one_line(cli("watch", "--once", "--install"), 2)
    gone = cli("watch", "--once", "--jobs", tmp_path / "x", "--root", tmp_path / "gone")
    assert "is not a folder" in one_line(gone, 2)


def test_the_watcher_stops_cleanly_when_it_is_told_to(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    words = [sys.executable, "-P", "-m", "otio_mapedit", "watch", "--jobs", str(jobs)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "watching" in process.stderr.readline()
        process.terminate()
        assert process.wait(timeout=30) != 0
    assert not (jobs / "watcher.json").exists()
    Watcher(open_folder(jobs), None).close()  # type: ignore[arg-type]


def test_a_killed_watcher_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    """Real processes: SIGKILL while a worker is at work, then another watcher."""
    desk = Desk(tmp_path / "jobs", [])
    words = [sys.executable, "-P", "-m", "otio_mapedit", "watch", "--json"]
    words += ["--jobs", str(desk.folder.path), "--root", str(SAMPLES)]
    desk.ask("one", verb="shots", media=[str(EDITED)])
    begun = desk.folder.file("one", "started")
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as first:
        while not begun.exists():
            assert first.poll() is None
            threading.Event().wait(0.02)
        first.kill()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as second:
        # A worker that had all but finished may answer before it notices that it is alone; then
        # the second watcher has nothing to do, and nothing to say.
        for _ in range(MOST_TURNS):
            if desk.answered("one"):
                break
            assert second.poll() is None
            threading.Event().wait(0.2)
        second.terminate()
    assert desk.answer("one")["facts"]["clips"] == 10


def test_a_worker_whose_watcher_is_gone_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _Noted(open_folder(tmp_path / "jobs"), "orphan")
    monkeypatch.setattr("otio_mapedit.jobs.work.os.getppid", lambda: 1)
    with pytest.raises(SystemExit, match="the watcher has ended"):
        told("Listening", 1, 1)


def test_where_jobs_lie() -> None:
    home = Path("/Users/Ægir Ö")
    assert usual_folder("darwin", home) == home / "Library/Application Support/otio-mapedit/jobs"
    assert usual_folder("linux", home) == home / ".local/share/otio-mapedit/jobs"
    assert usual_folder("win32", home, "/local") == Path("/local/otio-mapedit/jobs")
