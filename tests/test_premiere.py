"""The panel for Premiere Pro: its logic in node against a host that misbehaves, its types against
Adobe's, its package and its options, and the dialect that goes in and comes out."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from otio_mapedit import __version__
from otio_mapedit.installers.premiere import package
from otio_mapedit.recipes import RECIPES, recipe
from tests.cli_support import SAMPLES, TALK
from tests.job_support import Desk, timeline_text

REPOSITORY = Path(__file__).resolve().parents[1]
PREMIERE = REPOSITORY / "plugins" / "premiere"
#: Where `make test-plugins` puts Adobe's types and TypeScript.
TOOLS = REPOSITORY / "build" / "premiere"


@pytest.fixture(scope="module")
def node() -> str:
    """The node program; skips, saying so, where there is none that can test."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: the panel's logic is not tested")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    if int(version.lstrip("v").partition(".")[0] or 0) < 18:
        pytest.skip(f"node {version.strip()} has no test runner: 18 or later is needed")
    return found


def test_the_panels_logic(node: str) -> None:
    done = subprocess.run(
        [node, "--test", "tests/premiere/"], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout or "fail 0" in done.stdout


def test_it_fits_adobes_types_and_what_is_shipped_is_what_is_built(
    node: str, tmp_path: Path
) -> None:
    compiler = TOOLS / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        pytest.skip("TypeScript and Adobe's types are not there: make test-plugins fetches them")
    for name in ("src", "tsconfig.json"):
        place = TOOLS / name
        if place.is_dir():
            shutil.rmtree(place)
        copy = shutil.copytree if (PREMIERE / name).is_dir() else shutil.copy
        copy(PREMIERE / name, place)  # type: ignore[operator]
    done = subprocess.run(
        [node, str(compiler), "--project", str(TOOLS), "--outDir", str(tmp_path)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    for built in tmp_path.glob("*.js"):
        shipped = (PREMIERE / "panel" / built.name).read_text("utf-8")
        assert shipped == built.read_text("utf-8"), f"build {built.name} again: make plugins"


def test_no_lock_file_names_a_registry() -> None:
    lock = json.loads((PREMIERE / "package-lock.json").read_text("utf-8"))
    assert all("resolved" not in entry for entry in lock["packages"].values())
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


# The package ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive() -> Iterator[zipfile.ZipFile]:
    jobs = Path('/Users/Ægir "Ö"/otio-mapedit/jobs')
    with zipfile.ZipFile(io.BytesIO(package(jobs))) as opened:
        assert opened.testzip() is None
        yield opened


def test_the_manifest_says_what_premiere_wants(archive: zipfile.ZipFile) -> None:
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["manifestVersion"] == 5
    assert manifest["host"] == {"app": "premierepro", "minVersion": "26.2.0"}
    assert manifest["requiredPermissions"] == {"localFileSystem": "fullAccess"}
    assert manifest["version"] == __version__
    names = set(archive.namelist())
    assert manifest["main"] in names
    (entry,) = manifest["entrypoints"]
    assert entry["type"] == "panel"
    for icon in [*manifest["icons"], *entry["icons"]]:
        stem = icon["path"].removesuffix(".png")
        for scale in icon["scale"]:
            name = icon["path"] if scale == 1 else f"{stem}@{scale}x.png"
            data = archive.read(name)
            assert data.startswith(b"\x89PNG")
            size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
            assert size == (icon["width"] * scale, icon["height"] * scale)


def test_the_package_holds_every_script_that_it_loads(archive: zipfile.ZipFile) -> None:
    import re

    names = set(archive.namelist())
    page = archive.read("index.html").decode()
    assert set(re.findall(r'src="([^"]+)"', page)) <= names
    for name in names:
        if name.endswith(".js"):
            for loaded in re.findall(r'require\("\./([^"]+)"\)', archive.read(name).decode()):
                assert loaded in names
    assert not any(name.startswith(("/", "..")) or "node_modules" in name for name in names)


def test_the_folder_of_jobs_is_stamped_in(archive: zipfile.ZipFile, node: str) -> None:
    script = archive.read("settings.js").decode() + "\nconsole.log(module.exports.jobs);"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.strip() == '/Users/Ægir "Ö"/otio-mapedit/jobs'


def test_the_same_panel_gives_the_same_file() -> None:
    assert package(Path("/jobs")) == package(Path("/jobs"))


def test_the_panel_offers_what_the_recipes_have(node: str) -> None:
    script = "console.log(JSON.stringify(require(process.argv[1]).VERBS))"
    done = subprocess.run(
        [node, "-e", script, str(PREMIERE / "panel" / "protocol.js")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    verbs: list[dict[str, Any]] = json.loads(done.stdout)
    assert {*RECIPES, "learn"} <= {verb["verb"] for verb in verbs}
    for verb in verbs:
        if verb["verb"] not in RECIPES:
            continue
        fields = {field.name: field for field in dataclasses.fields(recipe(verb["verb"]).Options)}
        for option in verb["options"]:
            field = fields[option["name"]]
            choices = field.metadata["choices"]
            assert tuple(option.get("choices", ())) == tuple(choices), option
            assert str(option["value"]) == str(field.default), option


# The dialect ---------------------------------------------------------------------------------


def test_premieres_own_dialect_goes_in_and_comes_out(tmp_path: Path) -> None:
    """Media counted from 0, as Premiere writes it; the result is in the same words."""
    desk = Desk(tmp_path / "jobs", [SAMPLES])
    desk.open()
    text = timeline_text(TALK, host="premiere")
    desk.ask("one", text, verb="roughcut", host="premiere", name="Talk - Rough Cut")
    desk.settle()
    answer = desk.answer("one")
    desk.close()
    assert answer["state"] == "done"
    made = otio.adapters.read_from_file(str(desk.folder.path / answer["result"]))
    assert made.name == "Talk - Rough Cut"
    assert "PremierePro_OTIO" in made.metadata
    clips = [clip for clip in answer["clips"] if clip["track"] == 0]
    found = made.video_tracks()[0].find_clips()
    assert [clip["media_start"] for clip in clips] == [
        clip.source_range.start_time.value for clip in found
    ]
    assert all(clip.media_reference.target_url.startswith("file://") for clip in found)
