"""Timelines between all formats: the command line, OTIO's console programs, real exports."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import logging
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from otio_mapedit import files
from otio_mapedit.cli.app import run
from otio_mapedit.disassemble import disassemble
from otio_mapedit.errors import FormatError, MapeditError, OptionError, OutputExistsError
from otio_mapedit.interchange.gain import gain_of, set_gain
from otio_mapedit.interchange.loss import LossReport
from otio_mapedit.interchange.media_root import MediaRoot, parse_media_root, relocate
from otio_mapedit.interchange.read_back import verify_edit
from otio_mapedit.interchange.registry import (
    FORMATS,
    HOSTS,
    PROFILES,
    format_of,
    profile_of,
    read_reported,
    read_timeline,
    render,
    write_timeline,
)
from otio_mapedit.interchange.timeline_facts import clip_data
from otio_mapedit.interchange.urls import media_url
from otio_mapedit.timeline_view import own_metadata
from otio_mapedit.timing import rational_time
from otio_mapedit.urls import path_of
from tests.cli_support import EDITED, TALK, Cli, one_line
from tests.interchange_strategies import stack_facts, timeline_facts

PROGRAMS = Path(sys.executable).parent
TR = otio.opentime.TimeRange
#: Suffixes whose files any of the others can become; a bundle holds media and takes its time.
#: AAF and drafts need extras, and have tests of their own.
SUFFIXES = tuple(suffix for suffix in FORMATS if suffix not in (".otioz", ".aaf", ".draft"))


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The rough cut of one sample and the shots of another, in every format."""
    folder = tmp_path_factory.mktemp("edits")
    for verb, media in (("roughcut", TALK), ("shots", EDITED)):
        assert run([verb, str(media), "-o", str(folder / f"{verb}.otio"), "-q"]) == 0
    found = {}
    for name in ("roughcut", "shots"):
        timeline = read_timeline(folder / f"{name}.otio")
        for suffix in SUFFIXES:
            path = folder / f"{name}{suffix}"
            write_timeline(timeline, path, force=True)
            found[path.name] = path
    return found


@pytest.mark.parametrize("name", ["roughcut", "shots"])
@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(SUFFIXES, 2)))
def test_every_format_becomes_every_other(
    cli: Cli, here: Path, edits: dict[str, Path], name: str, source: str, target: str
) -> None:
    done = cli("convert", edits[name + source], "cut" + target, "--json")
    assert done.code == 0, done.err
    losses = [loss for report in done.json["losses"] for loss in report["losses"]]
    severe = {loss["feature"] for loss in losses if loss["severity"] != "note"}
    # MLT counts sequences from 0, and Shotcut has markers on the sequence only.
    assert severe <= ({"timecode", "marker"} if target == ".mlt" else set())
    original, result = read_timeline(edits[f"{name}.otio"]), read_timeline(Path("cut" + target))
    if ".edl" in (source, target):
        # An EDL has no name for the stack, and links what is on one line.
        assert stack_facts(result.tracks)["tracks"] == stack_facts(original.tracks)["tracks"]
    else:
        assert timeline_facts(result) == timeline_facts(original)
    # Whatever decided the edit comes along, through every format.
    assert disassemble(result).operations == disassemble(original).operations
    assert cli("check", "cut" + target).out.endswith("no faults\n")


@pytest.mark.parametrize("suffix", [".fcpxml", ".xml", ".edl"])
def test_recipes_write_them(cli: Cli, here: Path, suffix: str) -> None:
    done = cli("roughcut", TALK, "-o", f"cut{suffix}", "--json", "--strict", "--loss", "loss.json")
    assert done.code == 0, done.err
    assert done.json["losses"][0]["direction"] == "write"
    assert json.loads((here / "loss.json").read_text())["reports"] == done.json["losses"]
    shown = cli("roughcut", TALK, "-q", "-o", "-" + suffix)
    assert shown.code == 0
    assert shown.out == (here / f"cut{suffix}").read_text()


def test_each_host_gets_its_profile(cli: Cli, here: Path) -> None:
    for host, version in (("resolve", "1.10"), ("finalcut", "1.13"), ("plain", "1.10")):
        words = ("roughcut", TALK, "-o", f"{host}.fcpxml", "--for", host)
        assert cli(*words).code == 0
        assert f'<fcpxml version="{version}">' in (here / f"{host}.fcpxml").read_text()
    assert cli("roughcut", TALK, "--for", "finalcut").code == 0
    assert (here / "talk-roughcut.fcpxml").exists(), "what Final Cut does not read is no default"
    words = ("convert", "plain.fcpxml", "old.fcpxml", "--fcpxml-version")
    assert cli(*words, "1.9").code == 0
    assert '<fcpxml version="1.9">' in (here / "old.fcpxml").read_text()
    assert "1.13" in one_line(cli(*words, "2.0", "--force"), 2)
    assert cli("convert", "plain.fcpxml", "premiere.xml").code == 0
    assert "localhost" in (here / "premiere.xml").read_text()
    assert cli("convert", "plain.fcpxml", "resolve.xml", "--for", "resolve").code == 0
    assert "localhost" not in (here / "resolve.xml").read_text()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["cut.otio", "--for", "finalcut"], "Write .fcpxml, or use --for plain, resolve,"),
        (["cut.xml", "--for", "finalcut"], "Write .fcpxml"),
        (["cut.fcpxml", "--for", "premiere"], ".xml, .edl, .otio or .otioz"),
        (["cut.xml", "--fcpxml-version", "1.9"], "Leave --fcpxml-version out"),
        (["cut.fcpxmld"], "cannot write"),
        (["cut.xml", "--loss", "cut.xml"], "another name"),
        (["cut.xml", "--loss", "no/loss.json"], "no/loss.json"),
        (["cut.xml", "--rate", "25"], "Leave --rate out"),
        (["cut.xml", "--media-root", "here"], "FROM=TO"),
        (["cut.xml", "--media-root", "/none=/there"], "no media below /none"),
    ],
)
def test_wrong_use_gets_one_line(
    cli: Cli, here: Path, edits: dict[str, Path], words: list[str], hint: str
) -> None:
    assert hint in one_line(cli("convert", edits["roughcut.fcpxml"], *words), 2)
    assert not list(here.iterdir())


def test_profiles_cover_every_format_and_host() -> None:
    assert set(PROFILES) == set(FORMATS)
    for host in HOSTS:
        served = [suffix for suffix in FORMATS if host in PROFILES[suffix]]
        assert served, host
    with pytest.raises(OptionError, match="no host"):
        profile_of(".edl", "avid")


# What XML is --------------------------------------------------------------------------------


def test_xml_is_what_its_root_says(cli: Cli, here: Path, edits: dict[str, Path]) -> None:
    original = read_timeline(edits["roughcut.otio"])
    for source, name in (("roughcut.fcpxml", "a.xml"), ("roughcut.xml", "b.fcpxml")):
        (here / name).write_bytes(edits[source].read_bytes())
        assert timeline_facts(read_timeline(here / name)) == timeline_facts(original)
    (here / "page.xml").write_text("<?xml version='1.0'?>\n<html><body/></html>")
    said = one_line(cli("convert", "page.xml", "cut.otio"), 4)
    assert "neither FCPXML nor xmeml" in said
    (here / "noise.xml").write_bytes(bytes(range(256)) * 9)
    assert "not well-formed" in one_line(cli("convert", "noise.xml", "cut.otio"), 4)
    (here / "empty.fcpxml").write_text("")
    assert "is empty" in one_line(cli("check", "empty.fcpxml"), 4)


def test_a_bundle_is_read(cli: Cli, here: Path, edits: dict[str, Path]) -> None:
    (here / "cut.fcpxmld").mkdir()
    (here / "cut.fcpxmld" / "Info.fcpxml").write_bytes(edits["shots.fcpxml"].read_bytes())
    assert cli("convert", "cut.fcpxmld", "cut.otio").code == 0
    assert cli("check", "cut.fcpxmld").code == 0
    original = read_timeline(edits["shots.otio"])
    assert timeline_facts(read_timeline(here / "cut.otio")) == timeline_facts(original)


# What is lost -------------------------------------------------------------------------------


def clip(name: str, frames: int) -> otio.schema.Clip:
    whole = TR(rational_time(90000, Fraction(25)), rational_time(1000, Fraction(25)))
    shown = TR(rational_time(90100, Fraction(25)), rational_time(frames, Fraction(25)))
    return otio.schema.Clip(
        name, otio.schema.ExternalReference(f"file:///media/{name}.mov", whole), shown
    )


def stacked(count: int, *effects: otio.schema.Effect) -> otio.schema.Timeline:
    """``count`` picture tracks with a clip each; on the first, further clips with ``effects``."""
    timeline = otio.schema.Timeline("many")
    timeline.global_start_time = rational_time(90000, Fraction(25))
    for number in range(1, count + 1):
        timeline.tracks.append(otio.schema.Track(f"V{number}", [clip(f"shot {number}", 50)]))
    for effect in effects:
        timeline.tracks[0].append(clip("filtered", 10))
        timeline.tracks[0][-1].effects.append(effect)
    return timeline


def blurs(count: int) -> list[otio.schema.Effect]:
    return [otio.schema.Effect("blur", "Gaussian Blur") for _ in range(count)]


@pytest.mark.parametrize("suffix", [".fcpxml", ".xml", ".edl"])
def test_what_is_lost_is_shown_and_counted(cli: Cli, here: Path, suffix: str) -> None:
    otio.adapters.write_to_file(stacked(1, *blurs(25)), "cut.otio")
    done = cli("convert", "cut.otio", f"cut{suffix}")
    assert (done.code, done.out) == (0, f"wrote cut{suffix}\n"), done.err
    assert "25 lost" in done.err
    assert done.err.count("filtered") == 20
    assert "and 5 more" in done.err
    strict = cli("convert", "cut.otio", f"cut{suffix}", "--force", "--strict", "--loss", "l.json")
    assert strict.code == 3
    assert "filtered" not in strict.err
    reports = json.loads((here / "l.json").read_text())["reports"]
    lost = [loss for loss in reports[-1]["losses"] if loss["severity"] == "lost"]
    assert [loss["item"] for loss in lost] == ["filtered"] * 25
    words = ("convert", "cut.otio", "again.otio", "--strict", "--loss", "l.json")
    assert "--force" in one_line(cli(*words), 2), "a report is not overwritten either"
    assert cli("convert", "cut.otio", "again.otio", "--strict").code == 0


def test_no_remedy_names_an_option_that_convert_has_not(cli: Cli, here: Path) -> None:
    otio.adapters.write_to_file(stacked(1), "cut.otio")
    (here / "there.xml").touch()
    targets = ("there.xml", "cut.otio", "none/x.xml", "x" * 300 + ".xml", "cut.otio/x.xml")
    for target in targets:
        said = one_line(cli("convert", "cut.otio", target), 2)
        assert " -o" not in said, said
    (here / "folder.xml").mkdir()
    assert "folder.xml is a folder. Give the name" in one_line(
        cli("convert", "cut.otio", "folder.xml", "--force"), 2
    )
    for target in ("-.aaf", "-.otioz"):
        assert " -o" not in one_line(cli("convert", "cut.otio", "--", target), 2)


def test_folders_that_are_no_bundles_are_called_so(cli: Cli, here: Path) -> None:
    for name in ("none.fcpxmld", "cut.xml", "cut.fcpxml"):
        (here / name).mkdir()
        assert f"{name} is a folder without" in one_line(cli("convert", name, "cut.otio"), 4)
    assert one_line(cli("convert", ".", "cut.otio"), 2).startswith("mapedit: .: a name without")


def test_notes_are_shown_on_request(cli: Cli, here: Path) -> None:
    edit = "001  TAPE V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00"
    text = f"TITLE: one\n{edit}\n>>> SOURCE A B C\n"
    (here / "one.edl").write_text(text)
    quiet = cli("convert", "one.edl", "a.otio", "--rate", "25")
    assert (quiet.code, quiet.err) == (0, "")
    said = cli("convert", "one.edl", "b.otio", "--rate", "25", "-v", "--strict")
    assert said.code == 0
    assert "note" in said.err
    assert "--rate" in one_line(cli("convert", "one.edl", "c.otio"), 4)
    assert "--rate" in one_line(cli("check", "one.edl"), 4)
    assert cli("check", "one.edl", "--rate", "25").code in (0, 3)


def test_what_comes_back_otherwise_is_refused() -> None:
    ours, report = stacked(2), LossReport("edl", "write")
    other = stacked(2)
    verify_edit(ours, other, report, ".edl")
    other.tracks[1][0].source_range = TR(
        rational_time(90101, Fraction(25)), rational_time(50, Fraction(25))
    )
    with pytest.raises(FormatError, match="clip 1 of track 'V2' differs"):
        verify_edit(ours, other, report, ".edl")
    report.note("speed", "nothing", "V2")
    with pytest.raises(FormatError):
        verify_edit(ours, other, report, ".edl")
    report.changed("speed", "rounded", "V2")
    verify_edit(ours, other, report, ".edl")
    del other.tracks[0]
    with pytest.raises(FormatError, match="V1"):
        verify_edit(ours, other, report, ".edl")


@pytest.mark.parametrize("suffix", [".fcpxml", ".xml", ".edl", ".mlt"])
def test_a_transition_between_two_frames_is_named(suffix: str) -> None:
    """Every text format counts its sides in whole frames."""
    timeline = stacked(1)
    timeline.tracks[0].append(clip("next", 50))
    half = otio.opentime.RationalTime(5.5, 25)
    dissolve = otio.schema.Transition("", "SMPTE_Dissolve", half, rational_time(5, Fraction(25)))
    timeline.tracks[0].insert(1, dissolve)
    named = {(x.severity, x.feature) for x in render(timeline, suffix)[1].losses}
    assert ("changed", "transition") in named
    dissolve.in_offset = rational_time(5, Fraction(25))
    named = {(x.severity, x.feature) for x in render(timeline, suffix)[1].losses}
    assert ("changed", "transition") not in named


def dressed_nest(folder: Path) -> otio.schema.Timeline:
    """A nested sequence of sound, and one of pictures, with everything on them and inside."""
    timeline = stacked(1)
    for kind in ("Video", "Audio"):
        inner = clip(f"inside {kind}", 50)
        nest = otio.schema.Stack(f"scene {kind}", [otio.schema.Track("T", [inner], kind=kind)])
        nest.source_range = TR(rational_time(5, Fraction(25)), rational_time(40, Fraction(25)))
        for number, each in enumerate((nest, inner)):
            each.effects.append(otio.schema.Effect("blur", f"Blur {number}"))
            set_gain(each, -4.5)
            each.metadata["mapedit"] = {"id": f"{kind} {number}"}
            at = rational_time(10 + number * 90100, Fraction(25))
            each.markers.append(otio.schema.Marker("m", TR(at, rational_time(1, Fraction(25)))))
        timeline.tracks.append(otio.schema.Track(kind, [nest], kind=kind))
    return timeline


@pytest.mark.parametrize(
    ("suffix", "host"),
    [(suffix, host) for suffix, hosts in PROFILES.items() for host in hosts if suffix != ".otioz"],
)
def test_what_stands_on_a_nested_sequence_comes_along_or_is_named(
    tmp_path: Path, suffix: str, host: str
) -> None:
    if suffix in (".aaf", ".draft"):
        pytest.importorskip({".aaf": "aaf2", ".draft": "pyJianYingDraft"}[suffix])
    timeline = dressed_nest(tmp_path)
    written = write_timeline(timeline, tmp_path / f"cut{suffix}", host)
    named = [loss for report in written.reports for loss in report.losses]
    lost = {(loss.feature, loss.item) for loss in named if loss.severity != "note"}
    texts = [path.read_bytes() for path in written.paths if path.is_file()]
    again = None
    if suffix in SUFFIXES:
        made = format_of(written.paths[0])
        again = made.read_back(texts) if len(texts) > 1 else read_timeline(written.paths[0])
    for kind in ("Video", "Audio"):
        nest, inner = f"scene {kind}", f"inside {kind}"
        whole = {("nested sequence", nest), ("edit", "")}
        found = {} if again is None else {x.name: x for x in again.find_children()}
        for name in (nest, inner):
            if again is None and whole & lost:
                continue
            if suffix == ".mapedit" or (name == inner and name not in found and whole & lost):
                assert whole & lost or any("nested" in loss.message for loss in named)
                continue
            one = found.get(name)
            number = int(name == inner)
            for feature, kept in (
                ("gain", one is not None and gain_of(one) == -4.5),
                ("marker", one is not None and len(one.markers) == 1),
                ("effect", one is not None and f"Blur {number}" in str(list(one.effects))),
                ("id", one is not None and own_metadata(one).get("id") == f"{kind} {number}"),
            ):
                assert kept or (feature, name) in lost, (feature, name)
        if host in ("resolve", "premiere") and suffix == ".otio":
            assert {("gain", nest), ("gain", inner), ("effect", nest)} <= lost


@pytest.mark.parametrize("suffix", [".fcpxml", ".xml", ".edl", ".mlt"])
@pytest.mark.parametrize("named", [True, False])
def test_one_name_under_two_reels(suffix: str, named: bool) -> None:
    """Of a file that nobody knows the place of, the reel is what tells it from another."""
    timeline = stacked(1)
    timeline.tracks[0].append(clip("shot 1", 50))
    for one, reel in zip(timeline.tracks[0], ("A001", "B002"), strict=True):
        if not named:
            one.media_reference = otio.schema.MissingReference("x.mov")
        one.metadata["cmx_3600"] = {"reel": reel}
    texts, report = render(timeline, suffix)
    again = format_of(Path(f"x{suffix}")).read_back([text.encode() for text in texts.values()])
    reels = [clip_data(one).reel for one in again.find_clips()]
    assert reels == ["A001", "B002"] or ("reel", "shot 1") in {
        (loss.feature, loss.item) for loss in report.losses if loss.severity != "note"
    }
    assert named or reels == ["A001", "B002"]


@pytest.mark.parametrize("number", ["1e99999999999", "9" * 200, "1/0", "nan"])
@pytest.mark.parametrize("suffix", [".fcpxml", ".xml", ".edl", ".mlt", ".otio"])
def test_no_number_is_too_large_to_read(tmp_path: Path, suffix: str, number: str) -> None:
    """Every number that rides along as text, made one that takes for ever to work out."""
    timeline = stacked(1)
    one = timeline.tracks[0][0]
    one.source_range = TR(otio.opentime.RationalTime(90100.25, 25), one.source_range.duration)
    one.effects.append(otio.schema.LinearTimeWarp("Speed", time_scalar=1.2345))
    timeline.metadata["mapedit"] = {"rate": "25"}
    write_timeline(timeline, tmp_path / f"cut{suffix}", force=True)
    text = (tmp_path / f"cut{suffix}").read_text()
    wild = re.sub(r"(?<=[\">; ])-?\d+(?:\.\d+)?(?:/\d+)?(?=[\"<&\n])", number, text)
    assert wild != text or suffix == ".otio"
    for broken in (wild, text.replace('"25"', f'"{number}"'), text.replace(": 25", f": {number}")):
        (tmp_path / f"wild{suffix}").write_text(broken)
        with contextlib.suppress(MapeditError):
            read_timeline(tmp_path / f"wild{suffix}", Fraction(25) if suffix == ".edl" else None)


# One EDL per track --------------------------------------------------------------------------


def test_one_edl_per_picture_track(cli: Cli, here: Path) -> None:
    timeline = stacked(3)
    otio.adapters.write_to_file(timeline, "cut.otio")
    done = cli("convert", "cut.otio", "cut.edl")
    assert (done.code, done.out) == (0, "wrote cut.edl\nwrote cut-V2.edl\nwrote cut-V3.edl\n")
    for number, name in enumerate(("cut.edl", "cut-V2.edl", "cut-V3.edl"), 1):
        (track,) = read_timeline(here / name).tracks
        assert [each.name for each in track] == [f"shot {number}"]
    assert "one per picture track" in one_line(cli("convert", "cut.otio", "--", "-.edl"), 2)


def test_several_edls_come_all_or_none(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    otio.adapters.write_to_file(stacked(3), "cut.otio")
    (here / "cut-V2.edl").write_text("mine")
    assert "cut-V2.edl exists" in one_line(cli("convert", "cut.otio", "cut.edl"), 2)
    assert sorted(path.name for path in here.iterdir()) == ["cut-V2.edl", "cut.otio"]

    placed = files._mode

    def full(path: Path) -> int:
        if path.name == "cut.edl":  # the last one that is put into place
            raise OSError(errno.ENOSPC, "No space left on device")
        return placed(path)

    monkeypatch.setattr(files, "_mode", full)
    assert "disk is full" in one_line(cli("convert", "cut.otio", "cut.edl", "--force"), 2)
    assert sorted(path.name for path in here.iterdir()) == ["cut-V2.edl", "cut.otio"]
    assert (here / "cut-V2.edl").read_text() == "mine"
    monkeypatch.undo()
    assert cli("convert", here / "cut.otio", here / "cut.edl", "--force").code == 0
    assert (here / "cut-V2.edl").read_text() != "mine"


@pytest.mark.parametrize("suffix", [".fcpxml", ".xml", ".edl", ".mlt"])
def test_nothing_is_overwritten_or_half_written(
    cli: Cli, here: Path, edits: dict[str, Path], monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    old = here / f"cut{suffix}"
    old.write_text("mine")
    assert "--force" in one_line(cli("convert", edits["shots.otio"], old), 2)

    def differs(*_: Any) -> None:
        raise FormatError("it would differ", "Look.")

    monkeypatch.setattr("otio_mapedit.interchange.registry.verify_edit", differs)
    assert "differ" in one_line(cli("convert", edits["shots.otio"], old, "--force"), 4)
    assert old.read_text() == "mine"
    assert list(here.iterdir()) == [old]


def test_an_empty_timeline_makes_no_edl(tmp_path: Path) -> None:
    empty = otio.schema.Timeline("empty")
    empty.tracks.append(otio.schema.Track("V1"))
    with pytest.raises(FormatError, match="no edit"):
        write_timeline(empty, tmp_path / "empty.edl")
    upper = stacked(1)
    upper.tracks.insert(0, otio.schema.Track("V0"))
    written = write_timeline(upper, tmp_path / "upper.edl")
    assert [path.name for path in written.paths] == ["upper.edl"]
    assert not written.clean
    with pytest.raises(OutputExistsError):
        write_timeline(upper, tmp_path / "upper.edl")


# Where media lies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "path", "moved"),
    [
        ("/Volumes/A=/mnt/a", "/Volumes/A/x/1.mov", "/mnt/a/x/1.mov"),
        ("/Volumes/A=/mnt/a", "/Volumes/AB/1.mov", None),
        ("/Volumes/A/=/", "/Volumes/A/1.mov", "/1.mov"),
        ("/a=D:\\rushes", "/a/x/1.mov", "D:\\rushes/x/1.mov"),
        ("d:\\Rushes=/mnt", "D:/rushes/x/1.mov", "/mnt/x/1.mov"),
        ("D:\\=/mnt", "D:/x/1.mov", "/mnt/x/1.mov"),
        ("D:=/mnt", "E:/x/1.mov", None),
        ("\\\\nas\\media=/mnt", "//nas/media/1.mov", "/mnt/1.mov"),
        ("file:///Volumes/A%20B=/mnt", "/Volumes/A B/1.mov", "/mnt/1.mov"),
        (".=/mnt", "x/1.mov", "/mnt/x/1.mov"),
        ("x=/mnt", "/x/1.mov", None),
    ],
)
def test_media_roots(root: str, path: str, moved: str | None) -> None:
    assert parse_media_root(root).moved(path) == moved


def test_media_is_relocated_everywhere(cli: Cli, here: Path, edits: dict[str, Path]) -> None:
    words = ("--media-root", f"{TALK.parent}=D:\\day one", "--media-root", "D:\\day one=/back")
    assert "no media below" in one_line(
        cli("convert", edits["roughcut.otio"], "a.xml", *words), 2
    ), "each file moves once"
    for suffix in SUFFIXES:
        done = cli("convert", edits["roughcut.otio"], f"a{suffix}", *words[:2])
        assert done.code == 0, done.err
        timeline = read_timeline(here / f"a{suffix}")
        places = {path_of(each.media_reference.target_url) for each in timeline.find_clips()}
        assert places == {"D:/day one/talk.mp4"}, suffix
        back = cli(
            "convert", f"a{suffix}", f"b{suffix}", "--media-root", f"d:/Day One={TALK.parent}"
        )
        assert back.code == 0, back.err
        found = read_timeline(here / f"b{suffix}")
        assert {path_of(each.media_reference.target_url) for each in found.find_clips()} == {
            str(TALK)
        }
    assert "D:" in (here / "a.mapedit").read_text()


def test_image_sequences_and_shares_are_relocated() -> None:
    timeline = stacked(1)
    images = otio.schema.ImageSequenceReference("file:///old/scan/", "a.", ".dpx")
    timeline.tracks[0].append(otio.schema.Clip("scan", images))
    assert relocate(timeline, [MediaRoot("/old", "//nas/new"), MediaRoot("/media", "/m 2")]) == []
    first, second = timeline.find_clips()
    assert first.media_reference.target_url == "file:///m%202/shot%201.mov"
    assert second.media_reference.target_url_base == "file://nas/new/scan/"
    assert relocate(timeline, [MediaRoot("/old", "/x")]) == [MediaRoot("/old", "/x")]


@pytest.mark.parametrize(
    "url",
    [
        "file:///a/b%20c.mov", "file:////server/share/a.mov", "file://server/share/a.mov",
        "file:///D:/a.mov", "file://localhost/D%3a/a.mov", "file://localhost/a/b.mov",
        "file://D:/a b/c.mov", "file:////Z:/a/b.mov",
        "file:///D|/a%20b.mov",
    ],
)  # fmt: skip
def test_both_readings_of_a_url_agree(url: str) -> None:
    """What writers make of a URL is the same file as what everything else takes it for."""
    assert path_of(media_url(url)) == path_of(url)
    assert path_of(url)[1:2] == ":" or not re.search(r"[DZ]", url)


# OTIO's own programs ------------------------------------------------------------------------


def program(name: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAMS / name), *map(str, words)],
        cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("adapter", "suffix", "profile", "word"),
    [
        ("mapedit_fcpxml", ".fcpxml", "finalcut", 'version="1.13"'),
        ("mapedit_xmeml", ".xml", "resolve", '<xmeml version="4">'),
        ("mapedit_edl", ".edl", "cmx3600", "TITLE: talk"),
    ],
)
def test_otioconvert_there_and_back(
    tmp_path: Path, edits: dict[str, Path], adapter: str, suffix: str, profile: str, word: str
) -> None:
    cut, source = f"cut{suffix}", edits["roughcut.otio"]
    words = ("-i", source, "-o", cut, "-O", adapter, "-A", f"profile={profile}")
    done = program("otioconvert", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert word in (tmp_path / cut).read_text()
    rate = ("-a", "rate=25") if suffix == ".edl" else ()
    done = program("otioconvert", "-i", cut, "-I", adapter, *rate, "-o", "b.otio", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = otio.adapters.read_from_file(str(tmp_path / "b.otio"))
    original = read_timeline(source)
    assert stack_facts(again.tracks)["tracks"] == stack_facts(original.tracks)["tracks"]
    wrong = program("otioconvert", *words[:-1], "profile=avid", cwd=tmp_path)
    assert wrong.returncode != 0
    assert "Use one of" in wrong.stderr


def test_the_adapters_in_python(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    timeline = stacked(1, *blurs(30))
    caplog.set_level(logging.WARNING, "otio_mapedit")
    for name in ("mapedit_fcpxml", "mapedit_xmeml", "mapedit_edl"):
        caplog.clear()
        text = otio.adapters.write_to_string(timeline, name)
        assert len(caplog.records) == 21
        assert "Gaussian Blur" in caplog.text
        assert "and 10 more" in caplog.text
        back = otio.adapters.read_from_string(text, name)
        assert len(back.find_clips()) == 31
        path = tmp_path / name
        otio.adapters.write_to_file(timeline, str(path), name)
        with pytest.raises(OutputExistsError):
            otio.adapters.write_to_file(timeline, str(path), name, force=False)
        assert len(otio.adapters.read_from_file(str(path), name).find_clips()) == 31
        with pytest.raises(FormatError, match="not a timeline"):
            otio.adapters.write_to_string(otio.schema.Clip(), name)
    manifest = otio.plugins.ActiveManifest()
    ours = [each for each in manifest.adapters if each.name.startswith("mapedit_")]
    assert {each.name for each in ours} == {"mapedit_fcpxml", "mapedit_xmeml", "mapedit_edl"}
    assert not any(each.suffixes for each in ours)


# Real exports -------------------------------------------------------------------------------

REAL = {
    "24.fcpxml": None, "TimelineSample.fcpxml": None, "premiere_example.xml": None,
    "Final Cut Pro XMEML 2.xml": None,
    "cmx3600_5994.edl": Fraction(60000, 1001), "dissolve_test.edl": None,
    "INS4_R1_010417.edl": Fraction(24), "speed_effects_small.edl": None,
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_exports_become_timelines_and_decisions(
    shared: Path, tmp_path: Path, name: str
) -> None:
    found = sorted((shared / "interchange").rglob(name))
    if not found:
        pytest.skip(f"{name} is not there")
    with_rate = [REAL[name]] if REAL[name] else [None, Fraction(24)]
    timeline, reports = _first(found[0], with_rate)
    assert timeline.find_clips()
    assert reports[0].direction == "read"
    for suffix in (".otio", ".mapedit"):
        write_timeline(timeline, tmp_path / f"cut{suffix}")
        assert read_timeline(tmp_path / f"cut{suffix}").find_clips()


def _first(path: Path, rates: list[Fraction | None]) -> Any:
    for rate in rates:
        try:
            return read_reported(path, rate)
        except FormatError as error:
            said = error
    raise said
