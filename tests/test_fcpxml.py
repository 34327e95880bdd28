"""FCPXML: what is written is valid and reads back, other programs' projects are understood."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.assemble import assemble
from otio_mapedit.disassemble import disassemble
from otio_mapedit.errors import FormatError, OptionError
from otio_mapedit.interchange import fcpxml_media
from otio_mapedit.interchange.fcpxml_reader import read_fcpxml, read_fcpxml_projects
from otio_mapedit.interchange.fcpxml_times import parse_time
from otio_mapedit.interchange.fcpxml_words import VERSIONS, tagged, untagged
from otio_mapedit.interchange.fcpxml_writer import write_fcpxml
from otio_mapedit.interchange.gain import gain_of, set_gain
from otio_mapedit.interchange.loss import LossReport, Severity
from otio_mapedit.interchange.xml_safe import clean, parse, serialise
from otio_mapedit.operations import DecisionList
from otio_mapedit.timing import NTSC_30, exact_time, rational_time
from tests.decision_lists import decision_lists
from tests.fcpxml_count import RawCount, ReadCount
from tests.interchange_strategies import (
    property_test,
    timeline_facts,
    timelines,
)

RT = otio.opentime.RationalTime
TR = otio.opentime.TimeRange
HOSTS = ("resolve", "finalcut")


# ---- properties ----------------------------------------------------------------------------


@property_test
@given(decision_lists(), st.sampled_from(HOSTS))
def test_an_edit_survives(decisions: DecisionList, profile: str) -> None:
    """Ids, confidences, reasons and all parameters come back: the same decision list."""
    text, report = write_fcpxml(assemble(decisions), profile)
    lost = {loss.feature for loss in report.losses if loss.severity is Severity.LOST}
    if lost:
        # Markers of an edit that keeps nothing have nothing to lie on.
        assert lost == {"marker"}
    else:
        assert disassemble(read_fcpxml(text.encode())[0]) == decisions


@pytest.fixture(scope="session")
def checks(shared: Path) -> tuple[ModuleType, ModuleType]:
    """Apple's DTDs, and rules that a DTD cannot express."""
    pytest.importorskip("lxml", reason="lxml validates against Apple's DTDs")
    modules = []
    for name in ("dtdval", "fcpxml_lint"):
        path = shared / "interchange" / "checks" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        modules.append(importlib.util.module_from_spec(spec))
        spec.loader.exec_module(modules[-1])
    return modules[0], modules[1]


def assert_valid(text: str, path: Path, checks: tuple[ModuleType, ModuleType]) -> None:
    """Valid against the DTD of its own version, and without a finding of the linter."""
    path.write_text(text, encoding="utf-8")
    assert checks[0].check(path)[1:] == (True, [])
    assert checks[1].lint(path) == {}


@property_test
@given(timeline=timelines(), profile=st.sampled_from(HOSTS), version=st.sampled_from(VERSIONS))
def test_what_is_written_is_valid(
    timeline: Any,
    profile: str,
    version: str,
    checks: tuple[ModuleType, ModuleType],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "valid.fcpxml"
    assert_valid(write_fcpxml(timeline, profile, version)[0], path, checks)


# ---- real projects -------------------------------------------------------------------------


def real_files(shared: Path) -> list[Path]:
    """Every project and bundle that other people exported, each content once."""
    found = {
        content(path): path
        for folder in ("timelines", "exports")
        for path in sorted((shared / "interchange" / folder).rglob("*.fcpxml*"))
        if path.name != "Info.fcpxml"
    }
    return list(found.values())


def content(path: Path) -> bytes:
    """The XML of a project or bundle."""
    return (path / "Info.fcpxml" if path.is_dir() else path).read_bytes()


def test_real_projects_lose_no_clip_transition_speed_or_marker(shared: Path) -> None:
    files = real_files(shared)
    assert len(files) > 40
    for path in files:
        read = ReadCount(read_fcpxml_projects(path)[0]).found
        assert +read == +RawCount(content(path)).found, path.name


def rounded(facts: Any) -> Any:
    """Facts to the microsecond: a float holds no moment between two frames exactly."""
    if isinstance(facts, Fraction):
        return round(facts, 6)
    if isinstance(facts, dict):
        return {key: rounded(value) for key, value in facts.items()}
    return [rounded(each) for each in facts] if isinstance(facts, list | tuple) else facts


def test_real_projects_are_written_again_the_same_and_valid(
    shared: Path, checks: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    for path in real_files(shared):
        for number, timeline in enumerate(read_fcpxml_projects(path)[0]):
            for profile in HOSTS if not number else HOSTS[number % 2 :][:1]:
                text, report = write_fcpxml(timeline, profile)
                assert_valid(text, tmp_path / "again.fcpxml", checks)
                again, _ = read_fcpxml(text.encode())
                changed = {loss.feature for loss in report.losses}
                if changed & {"cut", "media range"}:
                    # Edges between frames were moved, and reported: from then on nothing moves.
                    timeline = again
                    again, _ = read_fcpxml(write_fcpxml(timeline, profile)[0].encode())
                assert rounded(timeline_facts(again)) == rounded(timeline_facts(timeline))


# ---- hostile and odd files -----------------------------------------------------------------

HEAD = (
    '<fcpxml version="1.10"><resources><format id="f" frameDuration="1/25s"/>'
    '<asset id="a" start="0s" duration="100s" hasVideo="1" format="f">'
    '<media-rep src="file:///a.mov"/></asset>{}</resources><project name="p">'
    '<sequence format="f"><spine>{}</spine></sequence></project></fcpxml>'
)


def project(spine: str, resources: str = "") -> bytes:
    """A small project at 25 frames per second."""
    return HEAD.format(resources, spine).encode()


def nested_media(name: str, uses: str, count: int) -> str:
    """A compound clip that holds another ``count`` times."""
    clips = "".join(f'<ref-clip ref="{uses}" duration="1s"/>' for _ in range(count))
    return f'<media id="{name}"><sequence format="f"><spine>{clips}</spine></sequence></media>'


def test_compound_clips_that_multiply_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcpxml_media, "MOST_CLIPS", 2000)
    resources = "".join(nested_media(f"m{n}", f"m{n + 1}", 10) for n in range(12))
    resources += (
        '<media id="m12"><sequence format="f"><spine>'
        '<asset-clip ref="a" duration="1s"/></spine></sequence></media>'
    )
    with pytest.raises(FormatError, match="unfolds into more than 2000 clips"):
        read_fcpxml(project('<ref-clip ref="m0" duration="1s"/>', resources))


def test_a_compound_clip_that_contains_itself_is_reported() -> None:
    resources = nested_media("m", "m", 1)
    timeline, report = read_fcpxml(project('<ref-clip ref="m" duration="1s"/>', resources))
    assert [loss.feature for loss in report.losses] == ["nested sequence"]
    assert len(timeline.tracks[0]) == 1


def test_clips_connected_without_end_are_cut_off() -> None:
    clip = '<asset-clip ref="a" lane="1" duration="1s">'
    data = project(clip.replace('lane="1" ', "") + clip * 200 + "</asset-clip>" * 201)
    timeline, report = read_fcpxml(data)
    assert "nested too deep" in {loss.message for loss in report.losses}
    assert len(timeline.tracks) > 10


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0" * 100, b"PK\x03\x04", b"<xmeml/>", b"<fcpxml/>", b"<fcpxml><",
        project('<asset-clip ref="a" duration="1/0s"/>'),
        project('<asset-clip ref="a" duration="soon"/>'),
        project('<asset-clip ref="a" duration="' + "9" * 5000 + 's"/>'),
        b'<!DOCTYPE fcpxml [<!ENTITY e "x">]><fcpxml version="1.9">&e;</fcpxml>',
    ],
)  # fmt: skip
def test_what_is_no_project_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(FormatError) as refused:
        read_fcpxml(data)
    assert "\n" not in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize(
    "spine",
    [
        "",
        "<transition duration='1s'/>",
        "<transition/><gap duration='1s'/><transition duration='1s'/>",
        "<asset-clip ref='none' duration='1s'/>",
        "<asset-clip ref='a'/>",
        "<asset-clip ref='a' duration='-1s'/>",
        "<asset-clip ref='a' offset='-5s' duration='1s' lane='x'/>",
        "<asset-clip ref='a' duration='1s'><timeMap/><conform-rate/></asset-clip>",
        "<asset-clip ref='a' duration='1s'><timeMap><timept time='0s' value='0s'/></timeMap>"
        "<asset-clip ref='a' lane='1' offset='-99s' duration='1s'/></asset-clip>",
        "<clip duration='1s'/><sync-clip duration='1s'/><mc-clip ref='a' duration='1s'/>",
        "<audition/><title duration='1s'/><video ref='a' duration='1s'/><caption duration='1s'/>",
        "<audio ref='a' duration='1s'><adjust-volume amount='loud'/></audio>",
        "<asset-clip ref='a' duration='1s' audioStart='5s'><marker start='1s' value=''/>"
        "<metadata><md key='org.otio-mapedit' value='[[['/></metadata></asset-clip>",
        "<asset-clip ref='a' duration='1s'><metadata><md key='org.otio-mapedit' "
        "value='{&quot;warps&quot;:[1],&quot;sounds&quot;:7,&quot;markers&quot;:{},"
        "&quot;available&quot;:3,&quot;rate&quot;:&quot;0&quot;,&quot;metadata&quot;:[]}'/>"
        "</metadata></asset-clip>",
    ],
)
def test_odd_projects_are_read_and_written(spine: str) -> None:
    timeline, _ = read_fcpxml(project(spine))
    again, _ = read_fcpxml(write_fcpxml(timeline)[0].encode())
    assert again.duration() == timeline.duration()


# ---- features, one by one ------------------------------------------------------------------


def media(name: str, rate: Fraction = NTSC_30, start: int = 107892) -> Any:
    """A file of 1,000 frames that begins at ``start``."""
    return otio.schema.ExternalReference(
        f"file:///media/{name}", TR(rational_time(start, rate), rational_time(1000, rate))
    )


def clip(name: str, first: int, frames: int, rate: Fraction = NTSC_30, **facts: Any) -> Any:
    """``frames`` frames of a file, from its frame ``first``."""
    item = otio.schema.Clip(
        name, media(name, rate),
        TR(rational_time(107892 + first, rate), rational_time(frames, NTSC_30)),
    )  # fmt: skip
    if facts:
        item.metadata["mapedit"] = facts
    return item


def timeline_of(**tracks: list[Any]) -> Any:
    """A sequence with tracks by name, starting at 01:00:00;00."""
    timeline = otio.schema.Timeline("Cut 1", global_start_time=rational_time(107892, NTSC_30))
    timeline.metadata["mapedit"] = {"drop_frame": True}
    for name, items in tracks.items():
        kind = "Video" if name.startswith("V") else "Audio"
        timeline.tracks.append(otio.schema.Track(name, items, kind=kind))
    return timeline


def written(timeline: Any, profile: str = "resolve") -> tuple[Any, LossReport]:
    """The document as elements, and the report."""
    text, report = write_fcpxml(timeline, profile)
    return parse(text.encode(), "written"), report


def test_linked_sound_travels_in_the_clip_of_its_picture() -> None:
    root, report = written(
        timeline_of(V1=[clip("a.mov", 0, 50, link=1)], A1=[clip("a.mov", 0, 50, link=1)])
    )
    (element,) = root.iter("asset-clip")
    assert element.get("srcEnable", "all") == "all"
    assert root.find(".//asset").get("audioSources") == "1"
    assert report.clean


def test_sound_of_another_cut_is_detached() -> None:
    sound = clip("a.mov", 3, 50, link=1)
    root, _ = written(timeline_of(V1=[clip("a.mov", 0, 50, link=1)], A1=[sound]))
    first, second = root.iter("asset-clip")
    assert (first.get("srcEnable"), second.get("srcEnable")) == ("video", "audio")
    assert second.get("lane") == "-1"


def test_a_split_edit_stays_one_clip_in_final_cut() -> None:
    gap = otio.schema.Gap(source_range=TR(rational_time(0, NTSC_30), rational_time(5, NTSC_30)))
    timeline = timeline_of(
        V1=[clip("a.mov", 0, 50, link=1)], A1=[gap, clip("a.mov", 5, 60, link=1)]
    )
    root, _ = written(timeline, "finalcut")
    element = next(root.iter("asset-clip"))
    assert parse_time(element.get("audioDuration")) == 60 / NTSC_30
    again, _ = read_fcpxml(write_fcpxml(timeline, "finalcut")[0].encode())
    assert timeline_facts(again)["tracks"][1] == timeline_facts(timeline)["tracks"][1]


@pytest.mark.parametrize("stream", [0, 3])
def test_two_tracks_that_play_the_one_sound_of_a_file_both_come_back(stream: int) -> None:
    """A copy of the sound on a second track, as Final Cut's own exports have it."""
    picture = clip("a.mov", 0, 50)
    picture.media_reference.metadata["mapedit"] = {
        "video": True, "audio": [{"channels": 2, "sample_rate": 48000}]
    }  # fmt: skip
    sounds = [picture.deepcopy(), picture.deepcopy()]
    for each in (picture, *sounds):
        each.metadata["mapedit"] = {"link": "clip-1"}
    if stream:
        sounds[1].metadata["mapedit"]["stream"] = stream
    timeline = timeline_of(V1=[picture], A1=[sounds[0]], A2=[sounds[1]])
    again, _ = read_fcpxml(write_fcpxml(timeline)[0].encode())
    assert [len(track) for track in again.tracks] == [1, 1, 1]
    assert timeline_facts(again) == timeline_facts(timeline)


def test_channels_that_nobody_stated_are_not_invented() -> None:
    """FCPXML must declare some; that these were a guess rides along, and is said."""
    sound = clip("a.wav", 0, 50)
    text, report = write_fcpxml(timeline_of(A1=[sound]))
    assert 'audioChannels="2"' in text
    assert [(loss.severity, loss.feature) for loss in report.losses] == [("note", "sound")]
    again, _ = read_fcpxml(text.encode())
    assert "audio" not in again.find_clips()[0].media_reference.metadata["mapedit"]
    assert write_fcpxml(again)[0] == text


def test_mono_is_not_stereo() -> None:
    timeline = timeline_of(
        V1=[clip("a.mov", 0, 50, link=1, source="s")],
        A1=[clip("a.mov", 0, 50, link=1, source="s", stream=1)],
        A2=[clip("a.mov", 0, 50, link=1, source="s", stream=2)],
    )
    streams = [{"channels": 1}, {"channels": 2}]
    timeline.metadata["mapedit"]["sources"] = [
        {"id": "s", "path": "/media/a.mov", "audio": streams, "width": 1280, "height": 720}
    ]
    root, _ = written(timeline)
    assert [e.get("srcCh") for e in root.iter("audio-channel-source")] == ["1", "2, 3"]
    assert {(f.get("width"), f.get("height")) for f in root.iter("format")} == {("1280", "720")}
    again, _ = read_fcpxml(write_fcpxml(timeline)[0].encode())
    reference = again.tracks[0][0].media_reference
    assert [s["channels"] for s in reference.metadata["mapedit"]["audio"]] == [1, 2]


def test_every_time_that_is_checked_lies_on_a_frame() -> None:
    root, _ = written(timeline_of(V1=[clip("a.mov", 7, 33), clip("b.mov", 900, 100)]))
    frame = 1 / NTSC_30
    for element in root.find(".//spine"):
        for name in ("offset", "start", "duration"):
            assert (parse_time(element.get(name)) / frame).denominator == 1
    assert root.find(".//sequence").get("tcFormat") == "DF"
    assert root.find(".//format").get("frameDuration") == "1001/30000s"


def test_a_retimed_clip_maps_its_whole_asset() -> None:
    item = clip("a.mov", 100, 50)
    item.effects.append(otio.schema.LinearTimeWarp(time_scalar=-2.0))
    root, report = written(timeline_of(V1=[item]))
    begin, end = 107892 / NTSC_30, (107892 + 1000) / NTSC_30
    points = [(parse_time(p.get("time")), parse_time(p.get("value"))) for p in root.iter("timept")]
    assert points == [(begin / 2, end), (end / 2, begin)]
    # The last frame used shows first: 100 frames from frame 100 on, backwards at double speed.
    local = parse_time(root.find(".//asset-clip").get("start"))
    assert begin + end - 2 * local == (107892 + 200) / NTSC_30
    assert report.clean


def test_other_rates_play_in_real_time() -> None:
    timeline = timeline_of(V1=[clip("a.mov", 10, 50, rate=Fraction(25))])
    root, _ = written(timeline)
    conform = root.find(".//conform-rate")
    assert (conform.get("scaleEnabled"), conform.get("srcFrameRate")) == ("0", "25")
    again, _ = read_fcpxml(write_fcpxml(timeline)[0].encode())
    start = again.tracks[0][0].source_range.start_time
    assert (start.value, start.rate) == (107902, 25)


def test_a_scaling_conform_rate_is_a_change_of_speed(shared: Path) -> None:
    path = shared / "interchange/timelines/orchetect__DAWFileKit/24With25Media.fcpxml"
    timeline, _ = read_fcpxml(path)
    items = [item for item in timeline.tracks[0] if isinstance(item, otio.schema.Clip)]
    assert [item.effects[0].time_scalar for item in items] == [24 / 25, 24 / 25]
    for item in items:  # both play to the last frame of their media
        available = item.media_reference.available_range
        end = exact_time(item.source_range.start_time)
        end += exact_time(item.source_range.duration) * Fraction(24, 25)
        assert abs(end - exact_time(available.duration)) < Fraction(1, 25)


def test_one_file_under_two_names_is_one_asset() -> None:
    items = [clip("a b.mov", 0, 20), clip("a b.mov", 50, 20)]
    items[1].media_reference.target_url = "/media/a b.mov"
    items[1].media_reference.name = "Camera B"
    root, _ = written(timeline_of(V1=items))
    (asset,) = root.iter("asset")
    assert asset.find("media-rep").get("src") == "file:///media/a%20b.mov"
    assert asset.get("name") == "a b.mov"


@pytest.mark.parametrize(("profile", "amount"), [("resolve", "-6.5"), ("finalcut", "-6.5dB")])
def test_gain_as_each_host_wants_it(profile: str, amount: str) -> None:
    sound = clip("a.wav", 0, 20)
    set_gain(sound, -6.5)
    timeline = timeline_of(V1=[clip("a.mov", 0, 20)], A1=[sound])
    root, _ = written(timeline, profile)
    assert root.find(".//adjust-volume").get("amount") == amount
    again, _ = read_fcpxml(write_fcpxml(timeline, profile)[0].encode())
    assert gain_of(again.tracks[1][0]) == -6.5


def test_ids_come_back_from_notes_alone() -> None:
    """A host that drops metadata keeps the note."""
    item = clip("a.mov", 0, 20, id="k7", confidence=0.93, reason="long pause")
    text = write_fcpxml(timeline_of(V1=[item]))[0]
    document = parse(text.encode(), "written")
    for parent in list(document.iter()):
        for metadata in parent.findall("metadata"):
            parent.remove(metadata)
    again, _ = read_fcpxml(serialise(document).encode())
    assert dict(again.tracks[0][0].metadata["mapedit"]) == {
        "id": "k7", "confidence": 0.93, "reason": "long pause",
    }  # fmt: skip


def test_a_clip_that_was_cut_in_two_gets_two_links() -> None:
    timeline = timeline_of(V1=[clip("a.mov", 0, 50, link=1)], A1=[clip("a.mov", 0, 50, link=1)])
    text = write_fcpxml(timeline)[0]
    start, end = text.index("<asset-clip"), text.index("</asset-clip>") + len("</asset-clip>")
    again, _ = read_fcpxml((text[:end] + text[start:end] + text[end:]).encode())
    links = [[item.metadata["mapedit"]["link"] for item in track] for track in again.tracks]
    assert links[0] == links[1]
    assert len(set(links[0])) == 2


@given(st.text(max_size=30), st.sampled_from(["", "RED", "BLUE"]), st.sampled_from(["", "m1"]))
def test_marker_tags_do_not_touch_comments(comment: str, colour: str, identity: str) -> None:
    facts = {"id": identity} if identity else {}
    assert untagged(tagged(comment, colour, facts)) == (comment, colour, facts)


def test_markers_of_timeline_and_tracks_return_to_them() -> None:
    timeline = timeline_of(V1=[clip("a.mov", 0, 50)], V2=[clip("b.mov", 0, 50)])
    span = TR(rational_time(30, NTSC_30), rational_time(2, NTSC_30))
    timeline.tracks.markers.append(otio.schema.Marker("here", span, "RED", comment="look"))
    timeline.tracks[1].markers.append(otio.schema.Marker("there", span, "GREEN"))
    again, _ = read_fcpxml(write_fcpxml(timeline)[0].encode())
    assert timeline_facts(again) == timeline_facts(timeline)


def test_what_fcpxml_cannot_hold_is_reported() -> None:
    item = clip("a.mov", 0, 50)
    item.effects.append(otio.schema.Effect("Blur", effect_name="Gaussian"))
    item.metadata["studio"] = {"shot": 7}
    item.name = "bell \x07"
    timeline = timeline_of(V1=[item])
    timeline.tracks.metadata["studio"] = {"x": 1}
    report = write_fcpxml(timeline)[1]
    found = {(loss.severity.value, loss.feature, loss.item) for loss in report.losses}
    assert ("lost", "effect", item.name) in found
    assert ("lost", "metadata", item.name) in found
    assert ("changed", "name", clean(item.name)) in found
    assert {loss.at for loss in report.losses if loss.feature == "effect"} == {"01:00:00;00"}


def test_unknown_profiles_and_versions_are_refused() -> None:
    for profile, version in (("avid", ""), ("resolve", "1.14")):
        with pytest.raises(OptionError, match="Use one of"):
            write_fcpxml(timeline_of(V1=[]), profile, version)


def test_projects_are_chosen_by_name(shared: Path) -> None:
    path = shared / "interchange/timelines/orchetect__DAWFileKit/Structure.fcpxml"
    timeline, report = read_fcpxml(path, "Test Project 2")
    assert timeline.name == "Test Project 2"
    assert [loss.item for loss in report.losses] == ["Test Project", "Test Project 3"]
    with pytest.raises(FormatError, match="'Test Project 3'"):
        read_fcpxml(path, "Nothing")


def test_a_bundle_is_read_with_its_relative_media(tmp_path: Path) -> None:
    bundle = tmp_path / "cut.fcpxmld"
    bundle.mkdir()
    item = clip("a.mov", 0, 20)
    item.media_reference.target_url = "media/a b.mov"
    (bundle / "Info.fcpxml").write_text(write_fcpxml(timeline_of(V1=[item]))[0], "utf-8")
    timeline, _ = read_fcpxml(bundle)
    expected = (bundle.resolve() / "media" / "a b.mov").as_uri()
    assert timeline.tracks[0][0].media_reference.target_url == expected


def test_the_active_angle_of_a_multicam_clip_is_placed(shared: Path) -> None:
    folder = shared / "interchange/timelines/TheAcharya__pipeline-neo"
    timeline, report = read_fcpxml(folder / "MulticamSampleWithCuts.fcpxml")
    assert sum(loss.feature == "multicam" for loss in report.losses) == 7
    clips = [i for i in timeline.tracks[0] if isinstance(i, otio.schema.Clip)]
    assert clips
    assert all(isinstance(i.media_reference, otio.schema.ExternalReference) for i in clips)


def test_secondary_storylines_keep_their_transitions(shared: Path) -> None:
    timeline, _ = read_fcpxml(shared / "interchange/exports/fcp/TimelineSample.fcpxml")
    on_lanes = [
        item
        for track in timeline.tracks[1:]
        for item in track
        if isinstance(item, otio.schema.Transition)
    ]
    assert len(on_lanes) > 10
