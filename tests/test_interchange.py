"""Timelines in files: every dialect comes back as it was, and a hostile file does no harm."""

from __future__ import annotations

import contextlib
import json
import random
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given

from otio_mapedit import mapedit_file
from otio_mapedit.assemble import assemble
from otio_mapedit.disassemble import disassemble
from otio_mapedit.errors import (
    FormatError,
    MapeditError,
    MediaError,
    OptionError,
    OutputExistsError,
    UsageError,
)
from otio_mapedit.interchange import otio_bundle
from otio_mapedit.interchange.otio_dialects import HOSTS
from otio_mapedit.interchange.otio_file import text_of, timeline_from, verify
from otio_mapedit.interchange.registry import convert, read_timeline, write_timeline
from otio_mapedit.operations import DecisionList, Kind, Operation, Source, StreamExtent
from otio_mapedit.timing import FrameRange, exact_time, rational_time
from otio_mapedit.urls import path_of, url_of
from tests.decision_lists import decision_lists
from tests.interchange_strategies import property_test

RATE = Fraction(24)
FIRST = 86400  # 01:00:00:00


def decisions(folder: Path, name: str = "b roll #2.mov") -> DecisionList:
    whole = FrameRange(0, 240)
    source = Source(
        "a", str(folder / name), name, RATE, 240, FIRST, width=1920, height=1080,
        video=StreamExtent(0, whole),
        audio=(StreamExtent(1, whole, 2, "", 48000), StreamExtent(2, whole, 1, "mono", 48000)),
    )  # fmt: skip

    def op(kind: str, start: int, duration: int, **parameters: Any) -> Operation:
        return Operation(Kind(kind), "a", FrameRange(start, duration), parameters=parameters)

    operations = (
        op("keep", 10, 60), op("speed", 10, 60, scalar=0.7), op("drop", 0, 10),
        op("drop", 70, 30), op("mark", 20, 4, name="look", note="why"),
        op("dissolve", 67, 5, in_offset=4, out_offset=2), op("keep", 100, 140),
    )  # fmt: skip
    return DecisionList("cut", RATE, (source,), operations, FIRST)


@property_test
@given(decision_lists())
def test_every_dialect_is_reversible(edit: DecisionList) -> None:
    timeline = assemble(edit)
    for host in HOSTS:
        back = timeline_from(text_of(timeline, host), "cut.otio")
        verify(timeline, back, "cut.otio")
        assert disassemble(back) == edit


def test_premiere_keeps_where_media_begins_that_only_the_clip_states() -> None:
    """A timeline of another program, without our list of sources."""
    reference = otio.schema.ExternalReference(
        "file://server/share/day%201.mov",
        otio.opentime.TimeRange(
            otio.opentime.RationalTime(90000, 25), otio.opentime.RationalTime(5000, 25)
        ),
    )
    span = otio.opentime.TimeRange(
        otio.opentime.RationalTime(90100, 25), otio.opentime.RationalTime(50, 25)
    )
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.append(otio.schema.Track("V1", kind="Video"))
    timeline.tracks[0].append(otio.schema.Clip("a", reference, span))
    for host, start in (("plain", 90100), ("resolve", 90100), ("premiere", 100)):
        text = text_of(timeline, host)
        (raw,) = timeline_raw(text).find_clips()
        assert raw.source_range.start_time.value == start
        (clip,) = timeline_from(text, "cut.otio").find_clips()
        assert clip.source_range == span
        assert clip.media_reference.available_range == reference.available_range
        assert clip.media_reference.target_url == reference.target_url
        assert not clip.metadata


def test_resolve() -> None:
    text = text_of(assemble(decisions(Path("/media/a b"))), "resolve")
    clips = list(timeline_raw(text).find_clips())
    assert {clip.media_reference.target_url for clip in clips} == {"/media/a b/b roll #2.mov"}
    assert [clip.source_range.start_time.value for clip in clips[:2]] == [FIRST + 10, FIRST + 100]
    # 60 frames at 0.7 of the speed last 85 on the timeline.
    assert clips[0].source_range.duration.value == 85
    groups = [clip.metadata["Resolve_OTIO"]["Link Group ID"] for clip in clips]
    assert groups == [1, 2, 1, 2, 1, 2]
    assert clips[0].markers[0].metadata["Resolve_OTIO"]["Note"] == "why"


def test_premiere() -> None:
    timeline = timeline_raw(text_of(assemble(decisions(Path("/media/a b"))), "premiere"))
    clips = list(timeline.find_clips())
    assert {clip.media_reference.target_url for clip in clips} == {
        "file:///media/a%20b/b%20roll%20%232.mov"
    }
    assert {clip.media_reference.available_range.start_time.value for clip in clips} == {0}
    assert [clip.source_range.start_time.value for clip in clips[:2]] == [10, 100]
    # Premiere shows duration / speed: 59.5 / 0.7 = 85 frames.
    assert clips[0].source_range.duration.value == 59.5
    assert [clip.metadata["PremierePro_OTIO"]["LinkID"] for clip in clips] == list("121212")
    channels = clips[4].metadata["PremierePro_OTIO"]["AudioChannels"]["ChannelType"]
    assert channels == "Mono"
    assert not any(effect.time_scalar == 1.0 for clip in clips for effect in clip.effects)
    size = timeline.tracks.metadata["PremierePro_OTIO"]["VideoResolution"]
    assert (size["width"], size["height"]) == (1920, 1080)


def test_a_retimed_length_near_a_whole_frame_comes_back(tmp_path: Path) -> None:
    timeline = foreign("file:///a.mov", 0)
    (clip,) = timeline.find_clips()
    clip.source_range = otio.opentime.TimeRange(
        clip.source_range.start_time, otio.opentime.RationalTime(18, 24)
    )
    clip.effects.append(otio.schema.LinearTimeWarp("", time_scalar=0.3333))
    write_timeline(timeline, tmp_path / "cut.otio", "premiere")
    (again,) = read_timeline(tmp_path / "cut.otio").find_clips()
    assert again.source_range == clip.source_range


@pytest.mark.parametrize(
    ("rate", "clock", "start", "value"),
    [
        (30.0, 15.0, 900.0, 451.0),  # OTIO's sum would count at 30
        (24000 / 1001, 25.0, 107892.0, 112510.0),
        (24000 / 1001, 48000.0, 86399.0, 173000001.0),
        (30000 / 1001, 30000 / 1001, 107892.0, 107902.1),  # sound between two frames
        (25.0, 30000 / 1001, 90000.0, 107933.123456789),
    ],
)
def test_premiere_counts_from_zero_and_back_exactly(
    tmp_path: Path, rate: float, clock: float, start: float, value: float
) -> None:
    """Media at one rate, what is shown of it said at another, or between two frames."""
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    timeline = foreign("file:///a.mov", 0)
    (clip,) = timeline.find_clips()
    clip.media_reference.available_range = span(time(start, rate), time(9000, rate))
    clip.source_range = span(time(value, clock), time(48, clock))
    clip.markers[0].marked_range = span(time(value + 1, clock), time(0, clock))
    write_timeline(timeline, tmp_path / "cut.otio", "premiere")
    read = read_timeline(tmp_path / "cut.otio")
    assert read.to_json_string() == timeline.to_json_string()
    (raw,) = timeline_raw((tmp_path / "cut.otio").read_text()).find_clips()
    first = exact_time(time(value, clock)) - exact_time(time(start, rate))
    assert abs(exact_time(raw.source_range.start_time) - first) < Fraction(1, 10**8)
    assert raw.source_range.start_time.rate == clock


def test_premiere_takes_a_moved_clip_where_it_was_moved_to(tmp_path: Path) -> None:
    """What we kept of a number counts only for that number."""
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    timeline = foreign("file:///a.mov", 90000)
    (clip,) = timeline.find_clips()
    clip.source_range = span(time(90010.1, 24), time(48, 24))
    write_timeline(timeline, tmp_path / "cut.otio", "premiere")
    moved = otio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    (clip,) = moved.find_clips()
    clip.source_range = span(time(20, 24), time(48, 24))
    otio.adapters.write_to_file(moved, str(tmp_path / "cut.otio"))
    (clip,) = read_timeline(tmp_path / "cut.otio").find_clips()
    assert clip.source_range.start_time == time(90020, 24)
    assert not clip.media_reference.metadata


def test_kdenlive_leaves_out_what_is_said(tmp_path: Path) -> None:
    """After its importer: files and their place, and nothing else."""
    timeline = assemble(decisions(tmp_path))
    clip = timeline.tracks[0][0]
    clip.enabled = False
    clip.effects.append(otio.schema.Effect("Gain", "AudioGain", {"gain_db": -3.0}))
    timeline.tracks[0].append(otio.schema.Stack("scene", [otio.schema.Track("V", [clip.clone()])]))
    written = write_timeline(timeline, tmp_path / "cut.otio", "kdenlive")
    (report,) = written.reports
    lost = {loss.feature for loss in report.losses if loss.severity == "lost"}
    assert lost >= {"transition", "speed", "disabled", "gain", "nested sequence", "marker", "sound"}
    assert {loss.feature for loss in report.losses if loss.severity == "changed"} == {"timecode"}
    assert read_timeline(tmp_path / "cut.otio").is_equivalent_to(timeline)
    assert not write_timeline(timeline, tmp_path / "plain.otio").reports


def test_kdenlive_counts_timecode_at_the_rate_of_the_sequence(tmp_path: Path) -> None:
    """01:00:00:00 at 23.976 is 90090 frames of 25, which it takes for 90000."""
    rate, media = Fraction(25), Fraction(24000, 1001)
    whole = otio.opentime.TimeRange(rational_time(86400, media), rational_time(240, media))
    span = otio.opentime.TimeRange(rational_time(86400, media), rational_time(50, rate))
    clip = otio.schema.Clip("a", otio.schema.ExternalReference("file:///a.mov", whole), span)
    timeline = otio.schema.Timeline("cut", global_start_time=rational_time(0, rate))
    timeline.tracks.append(otio.schema.Track("V1", [clip]))
    (report,) = write_timeline(timeline, tmp_path / "cut.otio", "kdenlive").reports
    assert [loss.message for loss in report.losses if loss.severity == "changed"] == [
        "Kdenlive counts 01:00:00:00 at the sequence's rate: it begins 90 frames late in its media"
    ]


def test_premiere_gets_no_speed_of_exactly_one(tmp_path: Path) -> None:
    """With one it drops a clip's motion; a timeline that has one is written all the same."""
    timeline = assemble(decisions(tmp_path))
    timeline.tracks[0][-1].effects.append(otio.schema.LinearTimeWarp("", time_scalar=1.0))
    (report,) = write_timeline(timeline, tmp_path / "cut.otio", "premiere").reports
    assert [(loss.severity, loss.feature) for loss in report.losses] == [("note", "speed")]
    clip = timeline_raw((tmp_path / "cut.otio").read_text()).tracks[0][-1]
    assert not clip.effects


def timeline_raw(text: str) -> otio.schema.Timeline:
    return otio.adapters.read_from_string(text, "otio_json")


@pytest.mark.parametrize("host", HOSTS)
def test_touched_by_a_person(host: str, tmp_path: Path) -> None:
    """A clip deleted in the program, which also forgot everything that we wrote."""
    path = tmp_path / "cut.otio"
    write_timeline(assemble(decisions(tmp_path)), path, host)
    timeline = otio.adapters.read_from_file(str(path))
    for track in timeline.tracks:
        del track[0], track[0]
    for thing in (timeline, timeline.tracks, *timeline.find_children()):
        thing.metadata.pop("mapedit", None)
    otio.adapters.write_to_file(timeline, str(path))
    edit = disassemble(read_timeline(path))
    kept = [op.range for op in edit.operations if op.kind is Kind.KEEP]
    assert kept == [FrameRange(100, 140)]
    assert edit.sources[0].path == str(tmp_path / "b roll #2.mov")


def test_files(tmp_path: Path) -> None:
    edit = decisions(tmp_path)
    first = tmp_path / "cut.mapedit"
    mapedit_file.write(first, edit)
    for number, suffix in enumerate((".otio", ".mapedit", ".otio", ".MAPEDIT")):
        second = tmp_path / f"{number}{suffix}"
        host = HOSTS[number % 3] if suffix == ".otio" else "plain"
        assert convert(first, second, host).clean
        first = second
    assert mapedit_file.read(first) == edit
    with pytest.raises(OutputExistsError):
        convert(tmp_path / "cut.mapedit", first)
    with pytest.raises(UsageError):
        convert(first, first, force=True)
    with pytest.raises(OptionError, match="resolve"):
        write_timeline(assemble(edit), tmp_path / "x.otio", "resolv")
    with pytest.raises(UsageError, match=r"\.otioz"):
        write_timeline(assemble(edit), tmp_path / "x.xyz")
    assert {path.name for path in tmp_path.iterdir()} == {
        "cut.mapedit", "0.otio", "1.mapedit", "2.otio", "3.MAPEDIT",
    }  # fmt: skip


def test_what_a_decision_list_cannot_say_is_named(tmp_path: Path) -> None:
    timeline = assemble(decisions(tmp_path))
    timeline.tracks.insert(1, timeline.tracks[0].deepcopy())
    (lost,) = write_timeline(timeline, tmp_path / "cut.mapedit").reports
    assert [loss.message for loss in lost.losses] == [
        "clips on video track 'V1', above the first (2 times)"
    ]


def test_names_of_tracks_that_a_decision_list_has_no_place_for_are_named(tmp_path: Path) -> None:
    timeline = assemble(decisions(tmp_path))
    assert write_timeline(timeline, tmp_path / "ours.mapedit").reports[0].clean
    timeline.tracks[0].name = "Picture & grade"
    (lost,) = write_timeline(timeline, tmp_path / "cut.mapedit").reports
    assert [(loss.feature, loss.track, loss.message) for loss in lost.losses] == [
        ("track", "Picture & grade", "it is called 'V1'")
    ]


def test_a_marker_that_becomes_red_is_named(tmp_path: Path) -> None:
    timeline = assemble(decisions(tmp_path))
    assert write_timeline(timeline, tmp_path / "red.mapedit").reports[0].clean
    for colour, severity in (("", "note"), ("TEAL", "changed")):
        timeline.tracks[0][0].markers[0].color = colour
        (lost,) = write_timeline(timeline, tmp_path / "cut.mapedit", force=True).reports
        assert [(x.severity, x.feature) for x in lost.losses] == [(severity, "marker")]


def foreign(url: str, start: int) -> otio.schema.Timeline:
    """A timeline that we did not assemble."""
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    media = otio.schema.ExternalReference(url, span(time(start, 24), time(240, 24)))
    clip = otio.schema.Clip("a", media, span(time(start + 10, 24), time(48, 24)))
    clip.markers.append(otio.schema.Marker("m", span(time(start + 12, 24), time(0, 24)), "GREEN"))
    timeline = otio.schema.Timeline("cut", global_start_time=time(0, 24))
    timeline.tracks.append(otio.schema.Track("V1", [clip]))
    return timeline


@pytest.mark.parametrize(
    "url",
    [
        "file:///a/Test%20Video%20(29.97%20fps).mp4",
        "file:///C:/a/%5Bx%5D+1.mov",
        "file://localhost/D%3a/a.mov",
        "file://server/share/a%2520b.mov",
        "file:////server/share/a.mov",
        "media/a b.mov",
        "file:///a/%E4%BC%9A.mov",
    ],
)
@pytest.mark.parametrize("start", [0, 100, 86400])
@pytest.mark.parametrize("host", HOSTS)
def test_media_of_others_keeps_its_url_and_timecode(
    host: str, start: int, url: str, tmp_path: Path
) -> None:
    timeline = foreign(url, start)
    written = write_timeline(timeline, tmp_path / "cut.otio", host)
    # Kdenlive puts its marker elsewhere, and says so.
    assert written.clean is (host != "kdenlive")
    assert read_timeline(tmp_path / "cut.otio").is_equivalent_to(timeline)
    (clip,) = timeline_raw((tmp_path / "cut.otio").read_text()).find_clips()
    if host == "premiere":
        assert clip.media_reference.available_range.start_time.value == 0
    if host == "resolve" and url.startswith("file:///a"):
        assert clip.media_reference.target_url.startswith("/a/")


def test_otio_of_a_newer_library_and_of_another_json(tmp_path: Path) -> None:
    timeline = foreign("file:///a.mov", 0)
    timeline.tracks[0][0].metadata["facts"] = {"least": 1.0, "text": 'Inf and "Inf"', "big": 2.0}
    value = json.loads(timeline.to_json_string())
    marker = value["tracks"]["children"][0]["children"][0]["markers"][0]
    marker["OTIO_SCHEMA"] = "Marker.3"
    marker["color"] = {
        "OTIO_SCHEMA": "Color.1", "name": "Teal", "r": 0.1, "g": 0.9, "b": 0.9, "a": 1.0
    }  # fmt: skip
    text = json.dumps(value).replace('"least": 1.0', '"least": -Inf')
    text = text.replace('"big": 2.0', f'"big": {2**130}, "none": NaN')
    (tmp_path / "new.otio").write_text(text)
    found = read_timeline(tmp_path / "new.otio")
    (clip,) = found.find_clips()
    assert clip.markers[0].color == "CYAN"
    assert clip.markers[0].metadata["otio"]["color"]["name"] == "Teal"
    assert clip.metadata["facts"]["least"] == float("-inf")
    assert clip.metadata["facts"]["text"] == 'Inf and "Inf"'
    assert clip.metadata["facts"]["big"] == pytest.approx(2.0**130)
    write_timeline(found, tmp_path / "again.otio")
    for colour in ("plain", None, [], {"name": 3}):
        marker["color"] = colour
        (tmp_path / "odd.otio").write_text(json.dumps(value))
        with contextlib.suppress(FormatError):
            read_timeline(tmp_path / "odd.otio")


def test_relative_media_is_found_from_another_folder(tmp_path: Path) -> None:
    timeline = foreign("media/a%20b%25.mov", 0)
    (tmp_path / "out").mkdir()
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    for suffix in (".otio", ".xml", ".edl", ".fcpxml", ".mapedit"):
        for folder in (tmp_path, tmp_path / "out"):
            convert(tmp_path / "cut.otio", folder / f"there{suffix}", force=True)
            convert(folder / f"there{suffix}", tmp_path / "back.mapedit", force=True)
            (source,) = mapedit_file.read(tmp_path / "back.mapedit").sources
            assert Path(source.path) == tmp_path / "media" / "a b%.mov", (suffix, folder.name)


def test_programs_that_know_whole_paths_only_get_them(tmp_path: Path) -> None:
    """Beside its media too: Premiere and Media Composer do not look where a file lies."""
    timeline = foreign("media/a%20b%25.mov", 0)
    images = otio.schema.ImageSequenceReference("", "plate.", ".exr", 1, 1, 24.0, 4)
    clip = timeline.tracks[0][0].clone()
    clip.media_reference = images
    clip.source_range = otio.opentime.TimeRange(rational_time(0, RATE), rational_time(24, RATE))
    timeline.tracks[0].append(clip)
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    convert(tmp_path / "cut.otio", tmp_path / "cut.xml")
    found = read_timeline(tmp_path / "cut.xml").find_clips()
    assert path_of(found[0].media_reference.target_url) == str(tmp_path / "media" / "a b%.mov")
    assert path_of(found[1].media_reference.target_url_base) == f"{tmp_path}/"
    text = (tmp_path / "cut.xml").read_text()
    assert url_of(str(tmp_path)).removeprefix("file://") in text
    assert f"{tmp_path.name}/plate.0001.exr" in text


def test_a_new_source_keeps_reel_and_drop_frame(tmp_path: Path) -> None:
    timeline = foreign("file:///a.mov", 0)
    rate = 30000 / 1001
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    timeline.global_start_time = time(0, rate)
    (clip,) = timeline.find_clips()
    clip.media_reference.available_range = span(time(0, rate), time(240, rate))
    clip.source_range = span(time(10, rate), time(48, rate))
    clip.media_reference.metadata["mapedit"] = {"drop_frame": True, "reel": "A001"}
    for suffix in (".xml", ".edl", ".fcpxml", ".otio"):
        write_timeline(timeline, tmp_path / f"cut{suffix}", force=True)
        convert(tmp_path / f"cut{suffix}", tmp_path / "cut.mapedit", force=True)
        (source,) = mapedit_file.read(tmp_path / "cut.mapedit").sources
        assert (suffix, source.drop_frame, source.reel) == (suffix, True, "A001")


def test_bundle(tmp_path: Path) -> None:
    media = tmp_path / "media here"
    media.mkdir()
    edit = decisions(media, "b roll #2 50%.mov")
    path = tmp_path / "cut.otioz"
    with pytest.raises(MediaError, match="not there"):
        write_timeline(assemble(edit), path)
    assert not path.exists()
    (media / "b roll #2 50%.mov").write_bytes(b"frames" * 100)
    write_timeline(assemble(edit), path)
    assert disassemble(read_timeline(path)) == edit
    (media / "b roll #2 50%.mov").unlink()
    away = tmp_path / "away"
    away.mkdir()
    convert(path, away / "cut.otio", "resolve")
    moved = disassemble(read_timeline(away / "cut.otio"))
    assert moved.operations == edit.operations
    assert Path(moved.sources[0].path) == away / "cut media" / "b roll #2 50%.mov"
    assert Path(moved.sources[0].path).read_bytes() == b"frames" * 100


def test_bundle_of_equal_names(tmp_path: Path) -> None:
    edit = decisions(tmp_path)
    other = replace(edit.sources[0], id="b", path=str(tmp_path / "x" / "b roll #2.mov"))
    (tmp_path / "x").mkdir()
    for source in (edit.sources[0], other):
        Path(source.path).write_bytes(b"x")
    both = (*edit.operations, Operation(Kind.KEEP, "b", FrameRange(0, 240)))
    edit = replace(edit, sources=(edit.sources[0], other), operations=both)
    with pytest.raises(FormatError, match="two files called"):
        write_timeline(assemble(edit), tmp_path / "cut.otioz")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "C:/evil", "..\\evil"])
def test_bundle_that_reaches_outside(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.otioz"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("content.otio", text_of(assemble(decisions(tmp_path)), "plain"))
        bundle.writestr(name, "x")
    with pytest.raises(FormatError, match="outside"):
        read_timeline(path)


def test_bundle_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otio_bundle, "LARGEST_FILE", 1_000_000)
    path = tmp_path / "bomb.otioz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("content.otio", b" " * (2_000_000))
    with pytest.raises(FormatError, match="too large"):
        read_timeline(path)
    media = tmp_path / "big.mov"
    media.write_bytes(b"x")
    timeline = assemble(decisions(tmp_path, "big.mov"))
    for clip in timeline.find_clips():
        clip.media_reference.target_url = "media/big.mov"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("content.otio", otio.adapters.write_to_string(timeline, "otio_json"))
        bundle.writestr("media/big.mov", b"\0" * 10_000_000)
    with pytest.raises(FormatError, match="not media"):
        convert(path, tmp_path / "out.otio")
    assert not (tmp_path / "out.otio").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"nonsense", b"\xff\xfe", b"null",
        b'{"OTIO_SCHEMA": 7}', b'{"OTIO_SCHEMA": "Clip.2"}', b'{"OTIO_SCHEMA": "Timeline.1"}',
        b'{"OTIO_SCHEMA": "Timeline.99", "tracks": null}',
        b'{"OTIO_SCHEMA": "Timeline.1", "tracks": null, "metadata": {}, "name": ""}',
        b"[" * 1_000_000,
        b'{"OTIO_SCHEMA": "Timeline.1", "metadata": ' + b'{"a":' * 100_000 + b"}" * 100_001,
    ],
)  # fmt: skip
def test_what_is_not_a_timeline(content: bytes, tmp_path: Path) -> None:
    for suffix in (".otio", ".otioz"):
        path = tmp_path / f"bad{suffix}"
        path.write_bytes(content)
        with pytest.raises(FormatError) as caught:
            read_timeline(path)
        assert caught.value.remedy
        assert "\n" not in str(caught.value)


def test_damaged_timelines_are_refused_or_read() -> None:
    """Any value of a real timeline replaced by another: our errors, or a decision list."""
    text = text_of(assemble(decisions(Path("/media"))), "premiere")
    dice = random.Random(7)
    strange = (
        None, True, -1, 0, 1e308, "", "x", [], {}, [None], {"OTIO_SCHEMA": "Gap.1"},
        {"OTIO_SCHEMA": "RationalTime.1", "rate": 0.0, "value": 1.0},
        {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": -1e300},
        {"OTIO_SCHEMA": "Unheard.1"},
    )  # fmt: skip
    read = 0
    for _ in range(500):
        document = json.loads(text)
        value: Any = document
        for _ in range(dice.randrange(1, 10)):
            if not isinstance(value, dict | list) or not value:
                break
            keys = list(value) if isinstance(value, dict) else list(range(len(value)))
            key = dice.choice(keys)
            parent, value = value, value[key]
        parent[key] = dice.choice(strange)
        with contextlib.suppress(MapeditError):
            timeline = timeline_from(json.dumps(document), "x.otio")
            assemble(disassemble(timeline))
            for host in HOSTS:
                verify(timeline, timeline_from(text_of(timeline, host), "x.otio"), "x.otio")
            read += 1
    assert read > 30
