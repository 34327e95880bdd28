"""The Python script for Resolve Studio: types against the published stubs, the whole way against
the same fake as the Lua scripts, grades, LUTs and speeds."""

from __future__ import annotations

import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from otio_mapedit.assemble import assemble
from otio_mapedit.interchange.registry import write_timeline
from otio_mapedit.jobs.folder import usual_folder
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.sources import sources_of
from otio_mapedit.timing import FrameRange
from tests.cli_support import EDITED, SAMPLES, TALK
from tests.fakes.resolve import Item18, Item21, Project, Resolve, TimelineItem, edited
from tests.job_support import Desk, loaded

STUDIO = Path(__file__).resolve().parents[1] / "plugins" / "resolve" / "studio.py"


@pytest.fixture(scope="module")
def studio() -> Any:
    """The script, loaded from where it lies."""
    return loaded(STUDIO, "mapedit_studio")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Resolve's module, which answers with whatever a test puts into ``found``."""
    module = types.ModuleType("DaVinciResolveScript")
    module.found = None  # type: ignore[attr-defined]
    module.scriptapp = lambda name: module.found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "DaVinciResolveScript", module)
    return module


def stepped(desk: Desk) -> types.SimpleNamespace:
    """The clock, where sleeping lets the watcher work."""
    return types.SimpleNamespace(time=desk.clock, monotonic=time.monotonic, sleep=desk.step)


def test_it_fits_resolves_types(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mypy", "--strict", "--config-file="]
    words += ["--cache-dir", str(tmp_path), str(STUDIO)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_it_needs_nothing_but_python() -> None:
    text = STUDIO.read_text("utf-8")
    for line in text.splitlines():
        if line.startswith(("import ", "from ")) and "__future__" not in line:
            assert line.split()[1].partition(".")[0] in sys.stdlib_module_names, line


def graded(path: Path) -> Path:
    """A timeline with a grade and a speed, in Resolve's dialect."""
    media = [probe(TALK)]
    sources = sources_of(media)
    name = sources[0].id
    operations = (
        Operation(Kind.KEEP, name, FrameRange(0, 100), id="one"),
        Operation(
            Kind.GRADE, name, FrameRange(0, 100),
            parameters={"slope": [1.1, 1.0, 0.9], "offset": [0.0, 0.01, 0.0],
                        "power": [1.0, 1.0, 1.0], "saturation": 0.8},
        ),
        Operation(Kind.KEEP, name, FrameRange(200, 100), id="two"),
        Operation(Kind.SPEED, name, FrameRange(200, 100), parameters={"scalar": 2.0}),
    )  # fmt: skip
    edit = DecisionList("Graded", media[0].rate, tuple(sources), operations)
    write_timeline(assemble(edit), path, "resolve", force=True)
    return path


def test_a_pushed_timeline_has_its_grades_and_speeds(
    studio: Any, connected: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = edited("Interview", TALK, item_type=Item21)
    connected.found = Resolve(project)
    lut = tmp_path / "look.cube"
    lut.write_text("LUT_3D_SIZE 2", encoding="utf-8")
    words = ["push", str(graded(tmp_path / "graded.otio")), "--lut", str(lut)]
    assert studio.main(words) == 0, capsys.readouterr()
    one, two = project.named("graded").tracks["video", 1]
    assert one.cdl["Slope"] == "1.1 1 0.9"
    assert one.cdl["Saturation"] == "0.8"
    assert two.cdl == {}
    assert isinstance(two, Item21)
    assert two.speed == 200
    assert one.graph.luts == two.graph.luts == {1: str(lut)}
    assert "look" not in capsys.readouterr().out.replace("look.cube", "")


@pytest.mark.parametrize("kind", [TimelineItem, Item18])
def test_a_clip_that_plays_other_frames_is_named(
    studio: Any, connected: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: Any
) -> None:
    project = edited("Interview", TALK, item_type=kind)
    connected.found = Resolve(project)
    assert studio.main(["push", str(graded(tmp_path / "g.otio"))]) == 0
    assert "plays its media from frame" not in capsys.readouterr().out
    project.pool.slip = 5
    assert studio.main(["push", str(graded(tmp_path / "g.otio"))]) == 0
    told = "V1 clip 1: plays its media from frame 5 instead of 0" in capsys.readouterr().out
    assert told == (kind is TimelineItem), "a version that cannot tell is believed"


def test_what_an_older_version_cannot_do_is_named(
    studio: Any, connected: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = edited("Interview", TALK)
    connected.found = Resolve(project)
    gone = tmp_path / "gone.cube"
    assert studio.main(["push", str(graded(tmp_path / "g.otio")), "--lut", str(gone)]) == 0
    said = capsys.readouterr().out
    assert "V1 clip 2: plays at 200 % speed" in said
    assert "V1 clip 1: the LUT was not applied" in said


def test_a_grade_that_is_refused_is_named(studio: Any) -> None:
    item = TimelineItem(None, 0, 10)
    item.SetCDL = lambda values: False  # type: ignore[method-assign]
    clip = {"metadata": {"cdl": {"asc_sop": {}, "asc_sat": 1.0}}}
    assert "its grade was not applied" in studio.dressed(item, clip, None)[0]


def test_pull_writes_the_open_timeline(studio: Any, connected: Any, tmp_path: Path) -> None:
    connected.found = Resolve(edited("Interview", TALK))
    assert studio.main(["pull", str(tmp_path / "cut.otio")]) == 0
    found = otio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    assert found.find_clips()[0].media_reference.target_url == str(TALK)


def test_pushing_twice_makes_two(studio: Any, connected: Any, tmp_path: Path) -> None:
    project = edited("Interview", TALK)
    project.pool.imports_without_a_word = True
    connected.found = Resolve(project)
    for _ in range(2):
        assert studio.main(["push", str(graded(tmp_path / "g.otio")), "--name", "G"]) == 0
    assert {each.name for each in project.timelines} == {"Interview", "G", "G 2"}


@pytest.mark.parametrize(
    ("found", "words", "says"),
    [
        (None, ["pull", "x.otio"], "External scripting"),
        (Resolve(None), ["pull", "x.otio"], "No project is open"),
        (Resolve(Project()), ["roughcut"], "No timeline is open"),
        (Resolve(Project()), ["push", "/nowhere/x.otio"], "does not exist"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    studio: Any, connected: Any, capsys: pytest.CaptureFixture[str], found: Any,
    words: list[str], says: str,
) -> None:  # fmt: skip
    connected.found = found
    assert studio.main(words) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_without_resolves_module(
    studio: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "DaVinciResolveScript", None)
    assert studio.main(["pull", "x.otio"]) == 1
    assert "RESOLVE_SCRIPT_API" in capsys.readouterr().err


def test_an_import_that_gives_nothing_is_said(
    studio: Any, connected: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = edited("Interview", TALK)
    project.pool.imports_otio = False
    connected.found = Resolve(project)
    assert studio.main(["push", str(graded(tmp_path / "g.otio"))]) == 1
    assert "File > Import > Timeline" in capsys.readouterr().err


def test_a_rough_cut_with_a_watcher_of_its_own(
    studio: Any, connected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Nobody watches; the script starts a watcher that leaves again."""
    project = edited("Interview", TALK)
    connected.found = Resolve(project)
    jobs = tmp_path / "jobs"
    monkeypatch.setenv("MAPEDIT_JOBS", str(jobs))
    usual = subprocess.Popen

    def allowed(words: list[str], **values: Any) -> Any:
        return usual([*words, "--root", str(SAMPLES)], **values)

    monkeypatch.setattr(studio.subprocess, "Popen", allowed)
    assert studio.main(["roughcut", "--option", "pace=tight"]) == 0, capsys.readouterr().err
    made = project.named("Interview - Rough Cut")
    assert len(made.tracks["video", 1]) == 5
    assert not (jobs / "watcher.json").exists()


def test_a_rough_cut_with_a_watcher_that_runs(
    studio: Any, connected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = edited("Film", EDITED)
    connected.found = Resolve(project)
    desk = Desk(tmp_path / "jobs", [SAMPLES])
    monkeypatch.setenv("MAPEDIT_JOBS", str(desk.folder.path))
    desk.open()
    monkeypatch.setattr(studio, "time", stepped(desk))
    assert studio.main(["shots"]) == 0
    assert "Film - Shots" in {each.name for each in project.timelines}
    desk.close()


def test_a_refusal_is_said(
    studio: Any, connected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    connected.found = Resolve(edited("Film", EDITED))
    desk = Desk(tmp_path / "jobs", [tmp_path])  # the samples are not among the folders
    monkeypatch.setenv("MAPEDIT_JOBS", str(desk.folder.path))
    desk.open()
    monkeypatch.setattr(studio, "time", stepped(desk))
    assert studio.main(["shots"]) == 1
    assert "mapedit watch --root" in capsys.readouterr().err
    desk.close()


def test_the_folders_are_those_of_the_package(studio: Any) -> None:
    home = Path("/home/me")
    for platform in ("linux", "darwin", "win32"):
        assert studio.jobs_folder(platform, {}, home) == usual_folder(platform, home)
    assert studio.module_folders("linux", {"RESOLVE_SCRIPT_API": "/x"})[0] == Path("/x/Modules")
