"""The OTIO plugin as its users meet it: through OTIO's own console programs."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
from numpy.typing import NDArray

import otio_mapedit
from otio_mapedit import mapedit_file
from otio_mapedit.disassemble import disassemble
from otio_mapedit.errors import (
    DecisionListError,
    FormatError,
    OptionError,
    OutputExistsError,
    UsageError,
)
from otio_mapedit.media import MEDIA_SUFFIXES
from otio_mapedit.operations import DecisionList, Kind
from otio_mapedit.recipes import RECIPES, recipe
from tests.mediamaker import Picture, Sound, movie

PROGRAMS = Path(sys.executable).parent


def run(program: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAMS / program), *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def burst(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sound in the first and the last of six seconds, silence between them."""
    loud = (seconds < 1.5) | (seconds > 4.5)
    return np.where(loud, 0.5 * np.sin(2 * np.pi * 300 * seconds), 0.0)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of six seconds with a pause each, in a folder with a space."""
    folder = tmp_path_factory.mktemp("my footage")
    for name in ("talk 1.mov", "talk 2.mov"):
        movie(folder / name, Picture(frames=150), [Sound(duration=6.0, channels=(burst,))])
    return folder


def decisions_in(path: Path) -> DecisionList:
    return disassemble(otio.adapters.read_from_file(str(path)))


def test_footage_becomes_a_timeline(footage: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.otio"
    done = run("otioconvert", "-i", footage / "talk 1.mov", "-o", cut, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    edit = decisions_in(cut)
    assert edit.recipe == "roughcut"
    assert edit.sources[0].path == str(footage / "talk 1.mov")
    assert sum(op.range.duration for op in edit.operations if op.kind is Kind.KEEP) > 0

    done = run("otioconvert", "-i", cut, "-o", tmp_path / "cut.mapedit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert mapedit_file.read(tmp_path / "cut.mapedit") == edit

    done = run("otioconvert", "-i", "cut.mapedit", "-o", "again.otio", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert decisions_in(tmp_path / "again.otio") == edit


def test_recipes_options_and_more_files(footage: Path, tmp_path: Path) -> None:
    more = f"extra=[{str(footage / 'talk 2.mov')!r}]"
    done = run(
        "otioconvert", "-i", footage / "talk 1.mov", "-o", "cut.otio",
        "-a", more, "-a", "min_shot=0.2", "-a", "keep_markers=disabled", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    edit = decisions_in(tmp_path / "cut.otio")
    assert [source.name for source in edit.sources] == ["talk 1.mov", "talk 2.mov"]
    assert edit.options["keep_markers"] == "disabled"

    done = run(
        "otioconvert", "-i", footage / "talk 1.mov", "-o", "shots.otio", "-a", "recipe=shots",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert decisions_in(tmp_path / "shots.otio").recipe == "shots"


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("paec=tight", "Did you mean pace?"),
        ("recpie=shots", "Did you mean recipe?"),
        ("recipe=roughcutt", "Did you mean roughcut?"),
        ("pace=hectic", "pace: 'hectic' is not known"),
        ("extra=7", "names no files"),
    ],
)
def test_a_slip_is_named(argument: str, says: str, footage: Path, tmp_path: Path) -> None:
    done = run(
        "otioconvert", "-i", footage / "talk 1.mov", "-o", "x.otio", "-a", argument, cwd=tmp_path
    )
    assert done.returncode != 0
    assert says in done.stderr
    assert not (tmp_path / "x.otio").exists()


def test_otiocat(footage: Path, tmp_path: Path) -> None:
    done = run("otiocat", footage / "talk 1.mov", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["OTIO_SCHEMA"] == "Timeline.1"


def test_otiopluginfo_lists_every_option(tmp_path: Path) -> None:
    done = run("otiopluginfo", "mapedit", "-l", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in RECIPES:
        assert f"recipe={name}" in done.stdout
        for field in dataclasses.fields(recipe(name).Options):
            assert f"    {field.name}" in done.stdout


def test_the_manifest_names_every_suffix() -> None:
    manifest = otio.plugins.ActiveManifest()
    for suffix in ("mapedit", *MEDIA_SUFFIXES):
        assert manifest.from_filepath(suffix).name == "mapedit"
    path = Path(otio_mapedit.__file__).parent / "plugin_manifest.json"
    adapter, *others = json.loads(path.read_text())["adapters"]
    assert adapter["suffixes"] == ["mapedit", *MEDIA_SUFFIXES]
    # Published adapters claim the suffixes of the other formats; -I and -O choose ours.
    assert not any(other["suffixes"] for other in others)


TEXT = """{"MAPEDIT_SCHEMA": "DecisionList.1", "rate": "25", "sources": [
 {"id": "a", "path": "a.mov", "rate": "25", "frame_count": 10,
  "video": {"index": 0, "extent": {"start": 0, "duration": 10}}}], "operations": [
 {"kind": "keep", "source": "a", "range": {"start": 0, "duration": 10}}]}"""


def test_text_and_files_in_python(tmp_path: Path) -> None:
    timeline = otio.adapters.read_from_string(TEXT, "mapedit")
    text = otio.adapters.write_to_string(timeline, "mapedit")
    assert mapedit_file.loads(text) == mapedit_file.loads(TEXT)
    path = tmp_path / "a.mapedit"
    otio.adapters.write_to_file(timeline, str(path))
    with pytest.raises(OutputExistsError):
        otio.adapters.write_to_file(timeline, str(path), force=False)
    otio.adapters.write_to_file(timeline, str(path))
    assert otio.adapters.read_from_file(str(path)).duration().value == 10
    with pytest.raises(OptionError, match="for footage"):
        otio.adapters.read_from_file(str(path), pace="tight")
    with pytest.raises(UsageError, match="no media"):
        otio.adapters.write_to_file(timeline, str(tmp_path / "a.mp4"))
    with pytest.raises(FormatError, match="not a timeline"):
        otio.adapters.write_to_string(otio.schema.Clip(), "mapedit")
    with pytest.raises(DecisionListError, match="line 4"):
        otio.adapters.read_from_string(TEXT.replace("keep", "kepe"), "mapedit")


def test_a_programs_dialect_is_understood(tmp_path: Path) -> None:
    """What Premiere would export is put right before it becomes a decision list."""
    from otio_mapedit.interchange.otio_dialects import to_host

    timeline = otio.adapters.read_from_string(TEXT, "mapedit")
    for host in ("resolve", "premiere"):
        text: Any = otio.adapters.write_to_string(to_host(timeline, host), "mapedit")
        assert mapedit_file.loads(text) == mapedit_file.loads(TEXT)
