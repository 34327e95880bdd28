"""Blender's add-on: the reading part here, the placing part in a real Blender where one is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from otio_mapedit.cli.app import run as mapedit
from otio_mapedit.installers import blender
from otio_mapedit.timing import exact_rate
from tests.cli_support import EDITED, TALK
from tests.job_support import loaded

ADDON = Path(__file__).resolve().parents[1] / "plugins" / "blender" / "mapedit_vse.py"


@pytest.fixture(scope="module")
def addon() -> Any:
    """The add-on, outside Blender."""
    return loaded(ADDON, "mapedit_vse_here")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Timelines that mapedit wrote: a rough cut, shots with a dissolve, decisions."""
    place = tmp_path_factory.mktemp("timelines")
    made = {
        "talk": place / "talk.otio", "film": place / "film.otio", "text": place / "talk.mapedit"
    }  # fmt: skip
    for name, verb, source in (("talk", "roughcut", TALK), ("text", "roughcut", TALK),
                               ("film", "shots", EDITED)):  # fmt: skip
        assert mapedit([verb, str(source), "-o", str(made[name]), "-q"]) == 0
    return made


def test_it_needs_nothing_but_python_and_blender() -> None:
    for line in ADDON.read_text("utf-8").splitlines():
        if line.lstrip().startswith(("import ", "from ")) and "__future__" not in line:
            name = line.split()[1].partition(".")[0]
            assert name == "bpy" or name in sys.stdlib_module_names, line


def test_it_reads_what_otio_reads(addon: Any, files: dict[str, Path]) -> None:
    for name in ("talk", "film"):
        mine, theirs = addon.read(files[name]), otio.adapters.read_from_file(str(files[name]))
        assert mine.rate == exact_rate(theirs.global_start_time.rate)
        assert [track.kind for track in mine.tracks] == [track.kind for track in theirs.tracks]
        for track, other in zip(mine.tracks, theirs.tracks, strict=True):
            clips = other.find_clips()
            assert len(track.clips) == len(clips)
            for clip, their in zip(track.clips, clips, strict=True):
                span = other.range_of_child(their)
                assert clip.start == round(span.start_time.rescaled_to(float(mine.rate)).value)
                assert clip.length == round(span.duration.rescaled_to(float(mine.rate)).value)
                available = their.media_reference.available_range.start_time
                assert clip.offset == their.source_range.start_time.value - available.value
                assert Path(clip.path) == (TALK if name == "talk" else EDITED)
        joins = [item for item in theirs.tracks[0] if isinstance(item, otio.schema.Transition)]
        assert len(mine.tracks[0].joins) == len(joins)


@pytest.mark.parametrize(
    ("rate", "exactly"),
    [(23.976, "24000/1001"), (23.976023976, "24000/1001"), (29.97, "30000/1001"), (25.0, "25"),
     (24.0, "24"), (59.94, "60000/1001"), (12.5, "25/2"), (48.0, "48")],
)  # fmt: skip
def test_rates_are_exact(addon: Any, rate: float, exactly: str) -> None:
    assert addon.exact(rate) == Fraction(exactly)


@pytest.mark.parametrize(
    ("url", "path"),
    [("file:///a%20b/%C3%86.mov", "/a b/Æ.mov"), ("/a%20b.mov", "/a%20b.mov"),
     ("file:///C:/a.mov", "C:/a.mov"), ("file://server/share/a.mov", "//server/share/a.mov"),
     ("file://localhost/a.mov", "/a.mov")],
)  # fmt: skip
def test_paths(addon: Any, url: str, path: str) -> None:
    assert addon.local_path(url) == path


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"OTIO_SCHEMA": "Clip.2"}', '{"OTIO_SCHEMA": "Timeline.1"}', "[" * 9999],
)
def test_what_is_no_timeline_is_said(addon: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.otio"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(addon.Trouble, match="Export it again"):
        addon.read(path)


def test_without_mapedit_it_says_how_to_get_it(
    addon: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(addon, "COMMAND", [str(tmp_path / "nothing")])
    with pytest.raises(addon.Trouble, match="mapedit plugin install blender"):
        addon.run(["--version"])
    monkeypatch.setattr(addon, "COMMAND", [sys.executable, "-m", "otio_mapedit"])
    with pytest.raises(addon.Trouble, match="no such file"):
        addon.run(["roughcut", str(tmp_path / "gone.mov")])
    assert addon.run(["--version"]).startswith("mapedit")


def test_the_installed_add_on_knows_its_mapedit() -> None:
    text = blender.addon().decode()
    assert 'COMMAND = ["mapedit"]' not in text
    assert json.dumps(sys.executable) in text
    compile(text, "mapedit_vse.py", "exec")


# In Blender ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def placed(
    files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What a real Blender made of some timelines, by name; skips where there is none."""
    program = shutil.which("blender")
    if program is None:
        pytest.skip("blender is not installed: nothing was placed in it")
    place = tmp_path_factory.mktemp("blender")
    moved = place / "moved.otio"
    moved.write_text(
        files["talk"].read_text("utf-8").replace("talk.mp4", "gone.mp4"), encoding="utf-8"
    )
    jobs = {
        "talk": f"read={files['talk']}",
        "film": f"read={files['film']}",
        "text": f"read={files['text']}",
        "moved": f"read={moved}",
        "none": f"read={place / 'nothing.otio'}",
        "roughcut": f"roughcut={TALK}",
        "shots": f"shots={EDITED}",
        "highlights": f"highlights={EDITED}",
        "part": f"part-roughcut={TALK}",
        "empty": "shots=",
    }
    command = json.dumps([sys.executable, "-P", "-m", "otio_mapedit"])
    words = [program, "-b", "--factory-startup", "--python-exit-code", "9", "--python"]
    words += [str(Path(__file__).with_name("blender_place.py")), "--", str(ADDON), command]
    shorter = {**os.environ, "MAPEDIT_HIGHLIGHTS_DURATION": "12s"}
    done = subprocess.run([*words, *jobs.values()], capture_output=True, text=True, env=shorter)
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("ANSWERS")] or [
        pytest.fail(done.stdout + done.stderr)
    ]
    answers = json.loads(line.removeprefix("ANSWERS"))
    return dict(zip(jobs, answers, strict=True))


def movies(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [strip for strip in answer["strips"] if strip["type"] == "MOVIE"]


def test_strips_lie_where_the_timeline_has_them(
    placed: dict[str, dict[str, Any]], addon: Any, files: dict[str, Path]
) -> None:
    for name in ("talk", "text"):
        answer = placed[name]
        assert answer["result"] == ["FINISHED"], answer
        assert answer["fps"] == [25, 1.0]
        wanted = addon.read(files["talk"]).tracks
        for kind, track in (("MOVIE", wanted[0]), ("SOUND", wanted[1])):
            strips = [strip for strip in answer["strips"] if strip["type"] == kind]
            assert [(s["start"], s["end"], s["offset"]) for s in strips] == [
                (1 + clip.start, 1 + clip.start + clip.length, clip.offset) for clip in track.clips
            ]
        assert answer["end"] == max(clip.start + clip.length for clip in wanted[0].clips)


def test_dissolves_overlap_under_an_effect(
    placed: dict[str, dict[str, Any]], files: dict[str, Path]
) -> None:
    answer = placed["film"]
    assert answer["fps"] == [30, 1.001]
    track, wanted = otio.adapters.read_from_file(str(files["film"])).tracks[0], []
    for number, item in enumerate(track):
        between = [type(each) for each in track[max(0, number - 1) : number + 2 : 2]]
        if isinstance(item, otio.schema.Transition) and between == [otio.schema.Clip] * 2:
            at = round(track.range_of_child_at_index(number + 1).start_time.value)
            wanted.append((1 + at - int(item.in_offset.value), 1 + at + int(item.out_offset.value)))
    crosses = [strip for strip in answer["strips"] if strip["type"] == "CROSS"]
    assert len(wanted) >= 2
    assert [(strip["start"], strip["end"]) for strip in crosses] == wanted
    for start, end in wanted:  # both pictures last as long as the dissolve
        over = [m for m in movies(answer) if m["start"] <= start and m["end"] >= end]
        assert len(over) == 2


def test_what_cannot_be_placed_is_left_out_and_said(placed: dict[str, dict[str, Any]]) -> None:
    assert placed["moved"]["result"] == ["FINISHED"]
    assert placed["moved"]["strips"] == []
    assert "Export it again" in placed["none"]["said"]


def test_proposals_come_on_channels_above(placed: dict[str, dict[str, Any]]) -> None:
    for name, count in (("roughcut", 5), ("shots", 10)):
        answer = placed[name]
        assert answer["result"] == ["FINISHED"], answer
        first = [strip for strip in answer["strips"] if strip["channel"] == 1]
        assert [strip["name"] for strip in first] == ["film"], "what was there is as it was"
        assert len(movies(answer)) == count + 1
    assert "Add one, or select some" in placed["empty"]["said"]


def test_highlights_come_on_channels_above_and_are_as_short_as_asked(
    placed: dict[str, dict[str, Any]],
) -> None:
    answer = placed["highlights"]
    assert answer["result"] == ["FINISHED"], answer
    first = [strip for strip in answer["strips"] if strip["channel"] == 1]
    assert [strip["name"] for strip in first] == ["film"], "what was there is as it was"
    proposed = sorted(
        (strip for strip in movies(answer) if strip["channel"] > 1), key=lambda s: s["start"]
    )
    assert 2 <= len(proposed) <= 10
    assert proposed[0]["start"] == 1
    seconds = (max(strip["end"] for strip in proposed) - 1) * 1001 / 30000
    assert 8 < seconds <= 12
    for before, after in pairwise(proposed):
        assert after["start"] <= before["end"], "no hole between them"
        assert after["offset"] >= before["offset"], "in the order of the footage"


def test_only_what_a_strip_plays_is_worked_on(placed: dict[str, dict[str, Any]]) -> None:
    answer = placed["part"]
    assert answer["result"] == ["FINISHED"], answer
    proposed = [strip for strip in movies(answer) if strip["channel"] > 1]
    assert proposed
    for strip in proposed:
        assert strip["offset"] >= 250
        assert strip["offset"] + strip["end"] - strip["start"] <= 550
