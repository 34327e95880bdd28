"""Final Cut Pro's Quick Actions: from selected files to an XML that imports without a question,
with an osascript that only remembers, and Apple's DTD where it is at hand."""

from __future__ import annotations

import os
import plistlib
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from lxml import etree

from otio_mapedit.errors import UsageError
from otio_mapedit.installers import finalcut
from otio_mapedit.installers.copies import install, uninstall
from otio_mapedit.installers.machine import Machine, plugins_folder
from otio_mapedit.interchange.footage import footage_of
from tests.cli_support import EDITED, TALK, Cli, one_line
from tests.job_support import loaded

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Final Cut Pro is a program of the Mac")

#: Remembers what it was asked; FAKE_LIBRARY, FAKE_CODE and FAKE_SAYS say how it answers.
OSASCRIPT = """#!/bin/sh
printf '%s\\n' "$(basename "$1")" "$2" >> "$FAKE_LOG"
case "$1" in
  *library.applescript) printf '%s' "$FAKE_LIBRARY" ;;
  *push.applescript) printf '%s' "$FAKE_SAYS" >&2; exit "${FAKE_CODE:-0}" ;;
esac
"""


class Mac:
    """A made-up home with the Quick Actions in it, and a Final Cut that only remembers."""

    def __init__(self, place: Path, user: str = "Ægir O'Hara") -> None:
        self.home = place / "Users" / user
        self.home.mkdir(parents=True)
        self.machine = Machine("darwin", self.home, root=place)
        install(finalcut.plan(self.machine))
        (place / "bin").mkdir()
        program = place / "bin" / "osascript"
        program.write_text(OSASCRIPT, encoding="utf-8")
        program.chmod(0o755)
        self.log = place / "log"
        self.environment = {
            **os.environ, "HOME": str(self.home), "FAKE_LOG": str(self.log),
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "FAKE_LIBRARY": f"{self.home}/Movies/My Film.fcpbundle/\n",
        }  # fmt: skip

    def action(self, title: str, *files: Path, **fake: str) -> subprocess.CompletedProcess[str]:
        """Run a Quick Action as the Finder does: its command, the files as arguments."""
        workflow = self.home / "Library" / "Services" / f"{title}.workflow" / "Contents"
        with (workflow / "document.wflow").open("rb") as file:
            (action,) = plistlib.load(file)["actions"]
        values = action["action"]["ActionParameters"]
        assert values["inputMethod"] == 1  # as arguments
        return subprocess.run(
            [values["shell"], "-c", values["COMMAND_STRING"], "-", *map(str, files)],
            env={**self.environment, **fake}, capture_output=True, text=True,
        )  # fmt: skip

    @property
    def asked(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []

    @property
    def made(self) -> list[Path]:
        return sorted((self.home / "Movies" / "MapEdit").glob("*.fcpxml"))


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    return Mac(tmp_path)


def test_a_clip_becomes_a_project_in_the_open_library(mac: Mac, shared_dtd: Path | None) -> None:
    done = mac.action("MapEdit Rough Cut", TALK)
    assert done.returncode == 0, done.stderr
    (path,) = mac.made
    assert path.name == "talk - Rough Cut.fcpxml"
    assert mac.asked == ["library.applescript", "", "push.applescript", str(path)]
    root = ElementTree.parse(path).getroot()
    assert root[0].tag == "import-options", "before everything else"
    options = {option.get("key"): option.get("value") for option in root[0]}
    assert options == {
        "library location": f"file://{str(mac.home).replace(' ', '%20').replace('Æ', '%C3%86')}"
        "/Movies/My%20Film.fcpbundle/".replace("'", "%27"),
        "copy assets": "0",
        "suppress warnings": "1",
    }
    assert len(root.findall(".//spine/asset-clip")) == 5
    if shared_dtd is not None:
        dtd = etree.DTD(str(shared_dtd / f"FCPXMLv{root.get('version', '').replace('.', '_')}.dtd"))
        assert dtd.validate(etree.parse(str(path))), dtd.error_log


@pytest.fixture
def shared_dtd() -> Path | None:
    """Apple's DTDs, which may not be in the repository; None where they are not at hand."""
    here = Path(__file__).resolve().parents[1].parent / "shared"
    folder = Path(os.environ.get("MAPEDIT_SHARED", here)) / "interchange" / "dtd"
    return folder if folder.is_dir() else None


def test_highlights_become_a_project_too(mac: Mac, shared_dtd: Path | None) -> None:
    done = mac.action("MapEdit Highlights", EDITED, MAPEDIT_HIGHLIGHTS_DURATION="12s")
    assert done.returncode == 0, done.stderr + str(mac.asked)
    (path,) = mac.made
    assert path.name == "edited - Highlights.fcpxml"
    assert mac.asked == ["library.applescript", "", "push.applescript", str(path)]
    root = ElementTree.parse(path).getroot()
    clips = root.findall(".//spine/asset-clip")
    assert 2 <= len(clips) <= 10
    length = root.find(".//sequence").get("duration")  # type: ignore[union-attr]
    assert length is not None
    over, _, under = length.removesuffix("s").partition("/")
    assert 8 < int(over) / int(under or 1) <= 12, "as short as asked for, and not much shorter"
    if shared_dtd is not None:
        dtd = etree.DTD(str(shared_dtd / f"FCPXMLv{root.get('version', '').replace('.', '_')}.dtd"))
        assert dtd.validate(etree.parse(str(path))), dtd.error_log


def test_an_exported_project_stands_for_its_media(mac: Mac, cli: Cli, tmp_path: Path) -> None:
    project = tmp_path / "My Project.fcpxmld"
    project.mkdir()
    assert cli("shots", EDITED, "-o", project / "Info.fcpxml", "--for", "finalcut").code == 0
    done = mac.action("MapEdit Find Shots", project)
    assert done.returncode == 0, done.stderr + str(mac.asked)
    (path,) = mac.made
    assert path.name == "My Project - Shots.fcpxml"
    assert path.read_text("utf-8").count("<media-rep") == 1


def test_only_what_an_exported_project_uses_is_worked_on(
    mac: Mac, cli: Cli, tmp_path: Path
) -> None:
    part = tmp_path / "part.otio"
    part.write_text(used_part(), encoding="utf-8")
    project = tmp_path / "Part.fcpxmld"
    project.mkdir()
    made = cli("convert", part, project / "Info.fcpxml", "--for", "finalcut")
    assert made.code == 0, made
    done = mac.action("MapEdit Rough Cut", project)
    assert done.returncode == 0, done.stderr + str(mac.asked)
    root = ElementTree.parse(mac.made[0]).getroot()
    clips = root.findall(".//spine/asset-clip")
    assert clips
    for clip in clips:
        times = []
        for name in ("start", "duration"):
            over, _, under = str(clip.get(name)).removesuffix("s").partition("/")
            times.append(int(over) / int(under or 1))
        assert times[0] >= 3610 - 0.01 and sum(times) <= 3622 + 0.01  # noqa: PT018  # timecode 1 h


def used_part() -> str:
    """A timeline that uses seconds 10 to 22 of the sample."""
    RT, TR = otio.opentime.RationalTime, otio.opentime.TimeRange
    made, track = otio.schema.Timeline("part"), otio.schema.Track("V1", kind="Video")
    reference = otio.schema.ExternalReference(TALK.as_uri(), TR(RT(90000, 25), RT(990, 25)))
    track.append(otio.schema.Clip("talk", reference, TR(RT(90250, 25), RT(300, 25))))
    made.tracks.append(track)
    return str(made.to_json_string())


@pytest.fixture(scope="module")
def push() -> Any:
    """The script behind the Quick Actions."""
    return loaded(plugins_folder() / "finalcut" / "push.py", "mapedit_push")


def test_nothing_is_overwritten(push: Any, tmp_path: Path) -> None:
    for name in ("edited - Shots.fcpxml", "edited - Shots 2.fcpxml", "edited - Shots 3.fcpxml"):
        assert push.unused(tmp_path, "edited - Shots") == tmp_path / name
        (tmp_path / name).touch()


def test_a_library_that_is_not_known_is_left_to_final_cut(
    push: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '<?xml version="1.0"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.13"><resources/></fcpxml>'
    for said in ("", "missing value", "/Users/x/Film.txt"):
        monkeypatch.setattr(push, "script", lambda *words, said=said: (0, said))
        root = ElementTree.fromstring(push.with_options(text, push.open_library()))
        assert [option.get("key") for option in root[0]] == ["copy assets", "suppress warnings"]
    monkeypatch.setattr(push, "script", lambda *words: (1, "no such thing"))
    assert push.open_library() == ""


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("execution error: Not authorised to send Apple events (-1743)", "Privacy & Security"),
        ("Application isn't running. (-600)", "File > Import > XML"),
    ],
)
def test_what_final_cut_refuses_ends_in_a_dialog(mac: Mac, says: str, told: str) -> None:
    done = mac.action("MapEdit Find Shots", EDITED, FAKE_CODE="1", FAKE_SAYS=says)
    assert done.returncode == 1
    assert mac.asked[-2] == "tell.applescript"
    assert told in mac.asked[-1]
    assert str(mac.made[0]) in mac.asked[-1]


def test_what_mapedit_refuses_ends_in_a_dialog(mac: Mac, tmp_path: Path) -> None:
    odd = tmp_path / 'x" & do shell script "touch y.mov'
    odd.write_bytes(b"no media")
    assert mac.action("MapEdit Rough Cut", odd).returncode == 1
    assert mac.asked[0] == "tell.applescript"
    assert "mapedit could not do this" in mac.asked[1]
    assert mac.made == []
    assert mac.action("MapEdit Rough Cut").returncode == 1
    assert "Select clips" in mac.asked[-1]


def test_without_osascript_it_is_said_in_the_terminal(mac: Mac) -> None:
    done = mac.action("MapEdit Rough Cut", PATH="/bin")
    assert "Select clips" in done.stderr


def test_the_bundles_are_what_automator_makes(mac: Mac) -> None:
    for title, verb in finalcut.ACTIONS.items():
        contents = mac.home / "Library" / "Services" / f"{title}.workflow" / "Contents"
        with (contents / "Info.plist").open("rb") as file:
            (service,) = plistlib.load(file)["NSServices"]
        assert service["NSMenuItem"]["default"] == title
        assert service["NSMessage"] == "runWorkflowAsService"
        with (contents / "document.wflow").open("rb") as file:
            flow = plistlib.load(file)
        kind = flow["workflowMetaData"]["workflowTypeIdentifier"]
        assert kind == "com.apple.Automator.servicesMenu"
        command = flow["actions"][0]["action"]["ActionParameters"]["COMMAND_STRING"]
        words = shlex.split(command)
        assert words[0] == sys.executable
        assert words[-2:] == [verb, "$@"]
        assert Path(words[2]).exists()


def test_uninstalling_leaves_no_empty_bundle(mac: Mac) -> None:
    uninstall(finalcut.plan(mac.machine))
    assert list((mac.home / "Library" / "Services").iterdir()) == []
    assert not (mac.home / "Library" / "Application Support" / "otio-mapedit").exists()


def test_elsewhere_it_says_that_it_is_for_the_mac(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="program of the Mac"):
        finalcut.plan(Machine("linux", tmp_path))


def test_no_text_is_ever_made_into_script() -> None:
    for path in (plugins_folder() / "finalcut").glob("*.applescript"):
        text = path.read_text("utf-8")
        assert "do shell script" not in text
        assert "run script" not in text


# Timelines among the footage -----------------------------------------------------------------


def test_a_timeline_stands_for_the_media_that_it_uses(cli: Cli, tmp_path: Path) -> None:
    for name in ("cut.otio", "cut.fcpxml", "cut.mapedit", "cut.xml"):
        target = tmp_path / name
        assert cli("roughcut", TALK, "-o", target).code == 0
        assert footage_of([target, TALK]) == [TALK]
        assert footage_of([EDITED, target]) == [EDITED, TALK]
    made = cli("roughcut", tmp_path / "cut.otio", "-o", tmp_path / "again.otio", "--json")
    assert made.json["sources"] == ["talk.mp4"]


def test_a_timeline_without_media_is_refused(cli: Cli, tmp_path: Path) -> None:
    empty = tmp_path / "empty.otio"
    empty.write_text(
        '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": []}}',
        encoding="utf-8",
    )
    assert "uses no media file" in one_line(cli("shots", empty), 2)
    same = tmp_path / "same.otio"
    assert cli("shots", EDITED, "-o", same).code == 0
    assert "one of the inputs" in one_line(cli("shots", same, "-o", same, "--force"), 2)
