"""Resolve's menu scripts, run by LuaJIT in the sandbox of the free version since 21.1, against a
Resolve that behaves as badly as reported and a real watcher on a real clip."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from otio_mapedit.installers.resolve import SCRIPTS, script
from otio_mapedit.jobs.lua_text import chunk, literal
from otio_mapedit.recipes import RECIPES
from tests.cli_support import EDITED, SAMPLES, TALK
from tests.fakes.lua_host import LuaHost
from tests.fakes.resolve import Item18, Project, Resolve, Timeline, TimelineItem, edited
from tests.job_support import Desk

#: Seconds that pass while a script waits once; the scripts ask for half a second.
QUICK, SLOW = 0.5, 20.0


class Menu:
    """Resolve's Workspace > Scripts."""

    def __init__(self, desk: Desk, project: Project | None, sandbox: bool = True) -> None:
        self.desk, self.project = desk, project
        self.resolve = Resolve(project)
        self.waits = 0
        self.pace = QUICK
        self.meanwhile: Callable[[int], None] = lambda count: None
        self.host = LuaHost(self.resolve, self._wait, desk.clock, sandbox)

    def _wait(self, seconds: float) -> None:
        self.waits += 1
        self.meanwhile(self.waits)
        self.desk.step(max(seconds, self.pace))

    def run(self, name: str) -> str:
        return self.host.run(script(name, literal(str(self.desk.folder.path))).decode())

    @property
    def said(self) -> str:
        return "\n".join(self.host.printed)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "jobs", [SAMPLES, tmp_path])
    made.open()
    yield made
    made.close()


def forged(desk: Desk, **values: Any) -> Callable[[int], None]:
    """Answers the only request with what a test wants, as if a watcher had."""

    def answer(count: int) -> None:
        for entry in list(desk.folder.entries()):
            if entry.what == "request.otio":
                made = {
                    "MAPEDIT_JOB": "Answer.1", "id": entry.id, "state": "done", "message": "",
                    "remedy": "", "result": f"{entry.id}.result.otio", "listed_all": True, **values,
                }  # fmt: skip
                desk.write(f"{entry.id}.answer.lua", chunk(made))
                desk.write(f"{entry.id}.answer.json", "{}")

    return answer


def only_answer(desk: Desk) -> Mapping[str, Any]:
    """The answer of the one job; its worker may still be leaving."""
    desk.settle()
    (job,) = {entry.id for entry in desk.folder.entries()}
    return desk.answer(job)


def red(timeline: Timeline | None) -> str:
    """The text of the one red marker that says what to do."""
    assert timeline is not None
    (note,) = [m["note"] for m in timeline.markers.values() if m["color"] == "Red"]
    return str(note)


# The way through -----------------------------------------------------------------------------


@pytest.mark.parametrize("sandbox", [True, False], ids=["sandbox", "older"])
def test_a_rough_cut_from_menu_to_imported_timeline(desk: Desk, sandbox: bool) -> None:
    project = edited("Interview", TALK)
    menu = Menu(desk, project, sandbox)
    assert menu.run("rough_cut") == ""
    assert project.current is project.named("Interview - Rough Cut")
    made = project.current
    # Every clip lies where the file says, at its media, online.
    answer = only_answer(desk)
    placed = [(clip["start"], clip["duration"]) for clip in answer["clips"] if not clip["track"]]
    items = made.tracks["video", 1]
    assert [(item.start - made.start, item.length) for item in items] == placed
    assert {item.media.path for item in items if item.media} == {TALK}
    assert None not in {item.media for item in [*items, *made.tracks["audio", 1]]}
    # What happened stands on the new timeline; the old one is as it was.
    (said,) = [marker for marker in made.markers.values() if marker["color"] == "Green"]
    assert "kept 23.0 s of 39.6 s in 5 clips" in said["name"]
    assert project.named("Interview").markers == {}
    assert "made the timeline Interview - Rough Cut" in menu.said


def test_shots_with_their_markers(desk: Desk) -> None:
    project = edited("Film", EDITED)
    assert Menu(desk, project).run("find_shots") == ""
    made = project.named("Film - Shots")
    assert len(made.tracks["video", 1]) == 10  # nine shots and the black between two
    wanted = {marker["name"] for marker in only_answer(desk)["markers"]}
    assert wanted <= {marker["name"] for marker in made.markers.values()}


def test_progress_stands_on_the_timeline_while_it_works(desk: Desk) -> None:
    project = edited("Interview", TALK)
    menu, seen = Menu(desk, project), set[str]()
    menu.pace = 3.0

    def look(count: int) -> None:
        timeline = project.named("Interview")
        seen.update(m["name"] for m in timeline.markers.values() if m["color"] == "Blue")

    menu.meanwhile = look
    assert menu.run("rough_cut") == ""
    assert any(name.startswith("MapEdit Rough Cut: ") for name in seen)
    assert project.named("Interview").markers == {}


def test_a_name_that_is_taken_is_not_used_again(desk: Desk) -> None:
    project = edited("Interview", TALK)
    for _ in range(2):
        project.current = project.named("Interview")
        assert Menu(desk, project).run("find_shots") == ""
        desk.clock.pass_by(1)
    names = {each.name for each in project.timelines}
    assert names == {"Interview", "Interview - Shots", "Interview - Shots 2"}


def test_selected_clips_alone_are_worked_on(desk: Desk) -> None:
    project = edited("Both", TALK, EDITED)
    timeline = project.named("Both")
    timeline.chosen = [timeline.tracks["video", 1][1]]
    assert Menu(desk, project).run("find_shots") == ""
    assert len(project.timelines) == 2, "the timeline of the selection is gone again"
    assert {item.media.path for item in project.timelines[1].tracks["video", 1] if item.media} == {
        EDITED
    }


@pytest.mark.parametrize("kind", [TimelineItem, Item18])
def test_only_the_selected_part_of_a_long_file_is_worked_on(
    desk: Desk, kind: type[TimelineItem]
) -> None:
    project = edited("Interview", TALK, item_type=kind)
    timeline = project.named("Interview")
    item = timeline.tracks["video", 1][0]
    item.source, item.length = 250, 300
    timeline.chosen = [item]
    assert Menu(desk, project).run("rough_cut") == ""
    clips = [clip for clip in only_answer(desk)["clips"] if not clip["track"]]
    ends = [clip["media_start"] + clip["duration"] for clip in clips]
    if kind is TimelineItem:
        assert min(clip["media_start"] for clip in clips) >= 250
        assert max(ends) <= 550
    else:
        assert max(ends) > 550, "a version that cannot tell hands over the whole file"


def test_on_the_media_page_clips_of_the_bin_are(desk: Desk) -> None:
    project = edited("Both", TALK, EDITED)
    project.current = None
    project.pool.chosen = [project.pool.items[1]]
    menu = Menu(desk, project)
    menu.resolve.page = "media"
    assert menu.run("find_shots") == ""
    assert f"{EDITED.name} - Shots" in {each.name for each in project.timelines}


def test_learning_imports_nothing(desk: Desk) -> None:
    project = edited("Interview", TALK)
    menu = Menu(desk, project)
    menu.meanwhile = forged(desk, result="", message="Learned from 3 cuts.")
    assert menu.run("learn_from_this_timeline") == ""
    assert len(project.timelines) == 1
    assert "Learned from 3 cuts." in str(project.named("Interview").markers)


@pytest.mark.parametrize("name", SCRIPTS.values())
def test_every_script_ends_in_something_to_see(desk: Desk, name: str) -> None:
    """Whatever this version can and cannot do."""
    project = edited("Interview", EDITED)
    menu = Menu(desk, project)
    error = menu.run(name)
    assert menu.said
    made = len(project.timelines) > 1
    assert made or error or project.named("Interview").markers
    if name not in ("learn_from_this_timeline", "highlights") or "highlights" in RECIPES:
        assert made or name == "learn_from_this_timeline", error


# What Resolve does badly -----------------------------------------------------------------------


def test_an_import_that_says_nothing_but_happened_is_found(desk: Desk) -> None:
    project = edited("Interview", EDITED)
    project.pool.imports_without_a_word = True
    assert Menu(desk, project).run("find_shots") == ""
    assert {each.name for each in project.timelines} == {"Interview", "Interview - Shots"}


@pytest.mark.parametrize("end_is_last", [False, True], ids=["as measured", "as documented"])
def test_where_it_does_not_import_clips_are_placed_one_by_one(
    desk: Desk, end_is_last: bool
) -> None:
    project = edited("Interview", TALK)
    project.pool.imports_otio = False
    project.pool.end_is_last = end_is_last
    assert Menu(desk, project).run("rough_cut") == ""
    made = project.named("Interview - Rough Cut")
    clips = only_answer(desk)["clips"]
    for track, kind in ((0, ("video", 1)), (1, ("audio", 1))):
        wanted = [(clip["start"], clip["duration"]) for clip in clips if clip["track"] == track]
        assert [(item.start - made.start, item.length) for item in made.tracks[kind]] == wanted
    assert [marker["color"] for marker in made.markers.values()] == ["Green"]


def test_frames_of_another_rate_are_not_placed_by_hand(desk: Desk) -> None:
    """Resolve would floor them; so it says how to import the file instead."""
    project = edited("Interview", TALK)
    project.pool.imports_otio = False
    menu = Menu(desk, project)
    clip = {"track": 0, "start": 0, "duration": 10, "path": str(TALK), "media_start": 0,
            "rate": "30", "speed": 1.0, "enabled": True}  # fmt: skip
    menu.meanwhile = forged(desk, rate="25", clips=[clip])
    assert "File > Import > Timeline" in menu.run("rough_cut")
    assert "File > Import > Timeline" in red(project.named("Interview"))
    assert len(project.timelines) == 1


def test_clips_that_were_dropped_are_noticed(desk: Desk) -> None:
    """Placing overlapping clips loses one silently; reading back says so."""
    project = edited("Interview", TALK)
    project.pool.imports_otio = False
    menu = Menu(desk, project)
    clips = [
        {"track": 0, "start": start, "duration": 10, "path": str(TALK), "media_start": 0,
         "rate": "25", "speed": 1.0, "enabled": True} for start in (0, 5, 20)
    ]  # fmt: skip
    menu.meanwhile = forged(desk, rate="25", clips=clips)
    assert menu.run("rough_cut") == ""
    assert "V1 holds 2 clips instead of 3" in red(project.current)


def test_an_import_one_frame_off_is_noticed(desk: Desk) -> None:
    project = edited("Interview", EDITED)
    project.pool.shift = 1
    assert Menu(desk, project).run("find_shots") == ""
    assert "V1 clip 1 lies at frame 1 instead of 0" in red(project.named("Interview - Shots"))


@pytest.mark.parametrize("from_timecode", [False, True])
def test_clips_that_play_other_frames_of_their_media_are_noticed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, from_timecode: bool
) -> None:
    """Everything lies where it should, and shows something else."""
    project = edited("Interview", TALK)
    usual = TimelineItem.__init__

    def made(item: TimelineItem, *facts: Any) -> None:
        usual(item, *facts)
        item.counts_from_timecode = from_timecode

    monkeypatch.setattr(TimelineItem, "__init__", made)
    assert Menu(desk, project).run("rough_cut") == ""
    assert [m["color"] for m in project.current.markers.values()] == ["Green"]  # type: ignore[union-attr]
    project.pool.slip = 3
    project.current = project.named("Interview")
    desk.clock.pass_by(1)
    assert Menu(desk, project).run("rough_cut") == ""
    assert "V1 clip 1 plays its media from frame" in red(project.current)


def test_a_version_that_cannot_tell_what_it_plays_is_believed(desk: Desk) -> None:
    project = edited("Interview", TALK, item_type=Item18)
    project.pool.slip = 3
    assert Menu(desk, project).run("rough_cut") == ""
    assert [m["color"] for m in project.current.markers.values()] == ["Green"]  # type: ignore[union-attr]


def test_an_item_that_plays_too_little_of_its_media_is_noticed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        TimelineItem, "GetSourceEndFrame", lambda item: item.GetSourceStartFrame() + 4
    )
    project = edited("Interview", TALK)
    assert Menu(desk, project).run("rough_cut") == ""
    assert "V1 clip 1 plays 4 frames of its media instead of" in red(project.current)


def test_offline_clips_are_noticed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that ignores importSourceClips."""
    project = edited("Interview", EDITED)
    usual = project.pool.ImportTimelineFromFile
    monkeypatch.setattr(
        project.pool, "ImportTimelineFromFile", lambda path, options: usual(path, {
            **options, "importSourceClips": False})
    )  # fmt: skip
    assert Menu(desk, project).run("find_shots") == ""
    assert "V1 clip 1 is offline" in red(project.named("Interview - Shots"))


@pytest.mark.parametrize("relinks", [True, False])
def test_offline_media_is_linked_again(desk: Desk, relinks: bool) -> None:
    project = edited("Interview", EDITED)
    project.pool.imports_offline, project.pool.relinks = True, relinks
    assert Menu(desk, project).run("find_shots") == ""
    made = project.named("Interview - Shots")
    if relinks:
        assert all(item.media and item.media.online for item in made.tracks["video", 1])
        assert "Red" not in {marker["color"] for marker in made.markers.values()}
    else:
        assert "V1 clip 1 is offline" in red(made)


@pytest.mark.parametrize("lies", [True, False])
def test_an_export_that_fails_silently_is_said(desk: Desk, lies: bool) -> None:
    project = edited("Interview", EDITED)
    project.named("Interview").exports = lambda path: lies
    assert "did not export" in Menu(desk, project).run("find_shots")
    assert "did not export" in red(project.named("Interview"))


def test_a_marker_already_there_is_not_in_the_way(desk: Desk) -> None:
    project = edited("Interview", EDITED)
    project.named("Interview").AddMarker(0, "Blue", "mine", "", 1, "")
    desk.close()
    assert Menu(desk, project).run("find_shots")
    assert "mapedit watch" in red(project.named("Interview"))
    assert project.named("Interview").markers[0]["name"] == "mine"


def test_old_messages_go_when_it_is_run_again(desk: Desk) -> None:
    project = edited("Interview", EDITED)
    desk.close()
    assert Menu(desk, project).run("find_shots")
    desk.open()
    assert Menu(desk, project).run("find_shots") == ""
    assert project.named("Interview").markers == {}


# Refusals and dead ends ------------------------------------------------------------------------


def test_without_a_watcher_it_says_how_to_start_one(desk: Desk) -> None:
    project = edited("Interview", EDITED)
    desk.close()
    menu = Menu(desk, project)
    assert "mapedit watch --install" in menu.run("find_shots")
    assert "mapedit watch --install" in red(project.named("Interview"))
    assert menu.waits == 0
    assert not list(desk.folder.path.glob("*.otio")), "nothing is left for nobody"


def test_a_watcher_that_crashed_earlier_counts_as_none(desk: Desk) -> None:
    desk.die()
    desk.clock.pass_by(60)
    assert "mapedit watch is not running" in Menu(desk, edited("X", EDITED)).run("find_shots")


def test_a_watcher_that_dies_half_way_and_stays_away(desk: Desk) -> None:
    project = edited("Interview", TALK)
    menu = Menu(desk, project)
    menu.pace = 5.0
    menu.meanwhile = lambda count: desk.die() if count == 2 else None
    error = menu.run("rough_cut")
    assert "mapedit watch stopped while it worked" in error
    assert ".result.otio: import it with File > Import > Timeline" in red(
        project.named("Interview")
    )


def test_a_watcher_that_dies_half_way_and_comes_back(desk: Desk) -> None:
    """The work goes on, and the script does not notice."""
    project = edited("Interview", EDITED)
    menu = Menu(desk, project)

    def meanwhile(count: int) -> None:
        if count == 2:
            desk.die()
        elif count == 6:
            desk.open()

    menu.meanwhile = meanwhile
    assert menu.run("find_shots") == ""
    assert "Interview - Shots" in {each.name for each in project.timelines}


def test_work_that_gets_nowhere_is_cancelled(desk: Desk, tmp_path: Path) -> None:
    import sys

    stuck = Desk(tmp_path / "stuck", [], [sys.executable, "-c", "import time; time.sleep(99)"])
    stuck.open()
    project = edited("Interview", EDITED)
    menu = Menu(stuck, project)
    menu.pace = 100.0
    assert "was cancelled" in menu.run("find_shots")
    assert "mapedit doctor" in red(project.named("Interview"))
    stuck.settle()
    (answer,) = stuck.folder.path.glob("*.answer.json")
    assert '"cancelled"' in answer.read_text("utf-8")
    stuck.close()


def test_a_refusal_is_shown_with_its_remedy(desk: Desk, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    shutil.copy(EDITED, clip)
    project = edited("Interview", clip)
    clip.unlink()
    assert "clip.mp4: is not there" in Menu(desk, project).run("find_shots")
    assert "Relink the clips" in red(project.named("Interview"))


def test_media_that_moves_before_the_import(desk: Desk, tmp_path: Path) -> None:
    """Resolve then gives nothing at all; the script says what to do with the file."""
    clip = tmp_path / "clip.mp4"
    shutil.copy(EDITED, clip)
    project = edited("Interview", clip)
    menu = Menu(desk, project)

    def move(count: int) -> None:
        if list(desk.folder.path.glob("*.answer.lua")) and clip.exists():
            project.pool.items.clear()
            clip.rename(tmp_path / "moved.mp4")

    menu.meanwhile = move
    desk_step = desk.step

    def step(seconds: float) -> None:
        desk_step(seconds)
        move(0)

    desk.step = step  # type: ignore[method-assign]
    assert "Resolve did not import the result" in menu.run("find_shots")
    assert "result.otio" in red(project.named("Interview"))


def test_no_project_no_timeline_no_otio(desk: Desk) -> None:
    assert "No project is open" in Menu(desk, None).run("find_shots")
    empty = Project()
    assert "No timeline is open" in Menu(desk, empty).run("find_shots")
    assert empty.timelines[0].name.startswith("MapEdit: No timeline is open"), (
        "seen without console"
    )
    old = Menu(desk, edited("X", EDITED))
    old.resolve.EXPORT_OTIO = None  # type: ignore[assignment]
    assert "Update to 18.5" in old.run("find_shots")


# Answers from someone who means harm -----------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"result": "../../evil.otio"},
        {"result": "/etc/passwd"},
        {"result": "other.result.otio"},
        {"id": "shots-1-1"},
        {"MAPEDIT_JOB": "Answer.9"},
        {"state": 3},
    ],
)
def test_an_answer_that_is_not_ours_is_not_followed(desk: Desk, values: dict[str, Any]) -> None:
    project = edited("Interview", EDITED)
    menu = Menu(desk, project)
    menu.meanwhile = forged(desk, **values)
    assert "not one of mapedit watch" in menu.run("find_shots")
    assert len(project.timelines) == 1


@pytest.mark.parametrize(
    "text",
    [
        "resolve:GetProjectManager()",
        "error('x')",
        "return 3",
        "return {MAPEDIT_JOB = print}",
        "os.exit()",
        "while",
        "\x1bLJ\x02 bytecode",
        "setmetatable({}, {})",
        "return setmetatable({}, {__index = function() return 1 end})",
    ],
)
def test_code_in_an_answer_does_nothing(desk: Desk, text: str) -> None:
    project = edited("Interview", EDITED)
    menu = Menu(desk, project)
    calls = len(menu.host.printed)

    def answer(count: int) -> None:
        for entry in list(desk.folder.entries()):
            if entry.what == "request.otio" and count == 1:
                desk.write(f"{entry.id}.answer.lua", text)

    menu.meanwhile = answer
    # What is no answer is waited past; the watcher's own then replaces it.
    assert menu.run("find_shots") == "" or "not one of mapedit watch" in menu.said
    assert calls == 0


def test_an_answer_of_wrong_kinds_ends_no_script(desk: Desk) -> None:
    project = edited("Interview", EDITED)
    menu = Menu(desk, project)
    strange = {"clips": 3, "markers": "x", "summary": {"a": 1}, "warnings": 2, "lost": True}
    menu.meanwhile = forged(desk, message=7, **strange)
    assert menu.run("find_shots")
    assert len(project.timelines) == 1
    assert "did not import" in red(project.named("Interview"))


def test_a_script_uses_nothing_that_the_sandbox_lacks(desk: Desk) -> None:
    for name in SCRIPTS.values():
        text = script(name, '"x"').decode()
        for word in ("io.", "os.execute", "os.remove", "os.rename", "require", "ffi.", "debug."):
            used = [line for line in text.splitlines() if word in line.partition("--")[0]]
            assert not used, (name, word)


def test_the_fake_is_as_bad_as_reported(tmp_path: Path) -> None:
    """The tests above rest on it."""
    project = edited("Interview", TALK)
    pool = project.pool
    assert pool.CreateEmptyTimeline("Interview") is None
    item = pool.items[0]
    info = {"mediaPoolItem": item, "mediaType": 1, "trackIndex": 2, "startFrame": 0, "endFrame": 9,
            "recordFrame": 90000}  # fmt: skip
    (placed,) = pool.AppendToTimeline([info])
    assert placed.length == 9
    assert pool.AppendToTimeline([info]) == []
    timeline = project.named("Interview")
    assert timeline.otio is not None
    clip: otio.schema.Clip = timeline.otio.find_clips()[0]
    clip.source_range = otio.opentime.TimeRange(
        otio.opentime.RationalTime(0, 25), clip.source_range.duration
    )
    path = tmp_path / "zero.otio"
    otio.adapters.write_to_file(timeline.otio, str(path))
    assert pool.ImportTimelineFromFile(str(path), {"timelineName": "zero"}) is None
    assert isinstance(placed, TimelineItem)
    assert placed.SetSpeed is None
