"""AAF through OTIO's adapter: what it cannot do is prevented and named, the rest reads back."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from otio_mapedit.interchange.aaf_format import read, write
from otio_mapedit.interchange.gain import set_gain
from otio_mapedit.interchange.registry import read_timeline, write_timeline
from otio_mapedit.timing import NTSC_24, NTSC_30, rational_time
from tests.cli_support import TALK, Cli, one_line
from tests.interchange_strategies import timelines

TR = otio.opentime.TimeRange


@pytest.fixture(autouse=True)
def _extra() -> None:
    pytest.importorskip("otio_aaf_adapter", reason="the extra aaf is not installed")


def shot(name: str, first: int, frames: int, rate: Fraction, start: int = 90000) -> Any:
    whole = TR(rational_time(start, rate), rational_time(500, rate))
    span = TR(rational_time(start + first, rate), rational_time(frames, rate))
    return otio.schema.Clip(
        name, otio.schema.ExternalReference(f"file:///m/{name}%20%C3%A9.mov", whole), span
    )


def dissolve(before: int, after: int, rate: Fraction) -> otio.schema.Transition:
    return otio.schema.Transition(
        "Cross Dissolve", "SMPTE_Dissolve", rational_time(before, rate), rational_time(after, rate)
    )


def sequence(rate: Fraction, *items: Any, kind: str = "Video") -> otio.schema.Timeline:
    timeline = otio.schema.Timeline("Cut & 50%", global_start_time=rational_time(90000, rate))
    timeline.tracks.append(otio.schema.Track("V1", items, kind=kind))
    return timeline


def cuts(timeline: otio.schema.Timeline) -> list[list[Any]]:
    return [
        [
            (item.in_offset, item.out_offset)
            if isinstance(item, otio.schema.Transition)
            else (isinstance(item, otio.schema.Clip) and item.name, item.source_range)
            for item in track
        ]
        for track in timeline.tracks
    ]


@pytest.mark.parametrize(
    ("rate", "before", "after"),
    [(Fraction(25), 4, 4), (NTSC_24, 2, 7), (NTSC_30, 0, 5), (Fraction(50), 6, 0)],
)
def test_cuts_and_dissolves_come_back(
    tmp_path: Path, rate: Fraction, before: int, after: int
) -> None:
    one, two = shot("a", 100, 50, rate), shot("b", 60, 40, rate)
    one.metadata["mapedit"] = {"id": "k1", "confidence": 0.5, "reason": "会 & so", "link": 3}
    gap = otio.schema.Gap(source_range=TR(rational_time(0, rate), rational_time(9, rate)))
    items = (gap, one, dissolve(before, after, rate), two, shot("a", 7, 20, rate))
    timeline = sequence(rate, *items)
    timeline.tracks.append(otio.schema.Track("A1", [shot("a", 3, 30, rate)], kind="Audio"))
    before_writing = timeline.to_json_string()
    report = write(timeline, tmp_path / "cut.aaf", "plain")
    assert timeline.to_json_string() == before_writing
    assert report.clean, report.losses
    found, _ = read(tmp_path / "cut.aaf")
    assert cuts(found) == cuts(timeline)
    assert found.global_start_time == timeline.global_start_time
    clip = found.find_clips()[0]
    assert clip.media_reference.target_url == "file:///m/a%20%C3%A9.mov"
    assert clip.media_reference.available_range.start_time == rational_time(90000, rate)
    assert dict(clip.metadata["mapedit"]) == dict(one.metadata["mapedit"])


def test_names_of_tracks_and_of_clips_of_one_file(tmp_path: Path) -> None:
    """AAF calls all clips of a file alike; ours come back with their own names."""
    rate = Fraction(25)
    clips = [shot("a", 10 * number, 9, rate) for number in range(3)]
    for number, one in enumerate(clips):
        one.name = f"take {number}"
    timeline = sequence(rate, *clips)
    timeline.tracks[0].name = "Picture & grade"
    sounds = [("Dialogue 50%", shot("b", 0, 30, rate)), ("", shot("c", 0, 30, rate))]
    for name, one in sounds:
        timeline.tracks.append(otio.schema.Track(name, [one], kind="Audio"))
    report = write(timeline, tmp_path / "cut.aaf", "plain")
    assert {(x.severity, x.feature, x.item) for x in report.losses} == {
        ("changed", "clip name", "take 1"), ("changed", "clip name", "take 2")
    }  # fmt: skip
    found, _ = read(tmp_path / "cut.aaf")
    assert [track.name for track in found.tracks] == ["Picture & grade", "Dialogue 50%", ""]
    assert cuts(found) == cuts(timeline)
    assert not any("mapedit" in one.metadata for one in found.find_clips())


def test_a_clip_between_two_frames_of_its_media_is_named(tmp_path: Path) -> None:
    one = shot("a", 0, 20, Fraction(25))
    begin = otio.opentime.RationalTime(90010.4, 25)
    one.source_range = TR(begin, one.source_range.duration)
    report = write(sequence(Fraction(25), one), tmp_path / "cut.aaf", "plain")
    assert [(x.severity, x.feature, x.item) for x in report.losses] == [("changed", "cut", "a")]


def test_media_of_the_network_is_named(tmp_path: Path) -> None:
    one = shot("a", 0, 20, Fraction(25))
    one.media_reference.target_url = "http://example.org/a.mov?x=1"
    report = write(sequence(Fraction(25), one), tmp_path / "cut.aaf", "plain")
    assert [(x.severity, x.feature, x.item) for x in report.losses] == [("changed", "media", "a")]


def test_relative_media_is_written_with_its_whole_path(cli: Cli, here: Path) -> None:
    one = shot("a", 0, 20, Fraction(25))
    one.media_reference.target_url = "media/a.mov"
    otio.adapters.write_to_file(sequence(Fraction(25), one), "cut.otio")
    assert cli("convert", "cut.otio", "cut.aaf").code == 0
    (clip,) = read_timeline(Path("cut.aaf")).find_clips()
    assert clip.media_reference.target_url == (here / "media" / "a.mov").as_uri()


def test_media_of_unknown_length_used_twice(tmp_path: Path) -> None:
    """The adapter writes a file once; both clips must count from the same beginning."""
    rate = Fraction(25)
    one, two = shot("a", 900, 20, rate, 0), shot("a", 100, 20, rate, 0)
    for clip in (one, two):
        clip.media_reference.available_range = None
    timeline = sequence(rate, one, two)
    empty = shot("b", 0, 9, rate)
    empty.enabled = False
    timeline.tracks.append(otio.schema.Track("V2", [empty]))
    report = write(timeline, tmp_path / "cut.aaf", "plain")
    assert {loss.feature for loss in report.losses} == {"disabled", "track", "media range"}
    assert cuts(read(tmp_path / "cut.aaf")[0]) == cuts(timeline)[:1]


def test_what_it_would_get_wrong_is_named(tmp_path: Path) -> None:
    rate = Fraction(25)
    fast, off, loud, odd = (shot(name, 50, 20, rate) for name in ("fast", "off", "loud", "odd"))
    fast.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    off.enabled = False
    set_gain(loud, -6.0)
    odd.effects.append(otio.schema.Effect("blur", "Gaussian Blur"))
    odd.markers.append(otio.schema.Marker("look", odd.source_range))
    scene = otio.schema.Stack("scene", [otio.schema.Track("x", [shot("in", 0, 20, rate)])])
    scene.source_range = TR(rational_time(5, rate), rational_time(10, rate))
    bars = otio.schema.Clip(
        "bars", otio.schema.GeneratorReference("", "SMPTEBars"), off.source_range
    )
    other = shot("film", 24, 24, Fraction(24), 86400)
    other.source_range = TR(other.source_range.start_time, rational_time(25, rate))
    fade = dissolve(0, 5, rate)
    wipe = otio.schema.Transition(
        "Wipe", "Custom_Transition", rational_time(3, rate), rational_time(3, rate)
    )
    timeline = sequence(rate, fade, fast, off, loud, wipe, odd, scene, bars, other)
    (report,) = write_timeline(timeline, tmp_path / "cut.aaf").reports
    named = {(loss.feature, loss.item, loss.severity.value) for loss in report.losses}
    assert named == {
        ("transition", "fast", "lost"), ("speed", "fast", "lost"), ("disabled", "off", "lost"),
        ("gain", "loud", "lost"), ("transition", "odd", "changed"), ("effect", "odd", "lost"),
        ("marker", "odd", "lost"), ("nested sequence", "scene", "lost"),
        ("generator", "bars", "lost"), ("mixed rates", "film", "changed"),
    }  # fmt: skip
    found = read_timeline(tmp_path / "cut.aaf")
    places = [(clip.name, clip.range_in_parent().start_time.value) for clip in found.find_clips()]
    assert places == [("fast", 0), ("loud", 40), ("odd", 60), ("film", 110)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip
@given(timelines())
def test_any_timeline_is_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, timeline: otio.schema.Timeline
) -> None:
    """Whatever it holds: every clip that is not named as lost stands where it stood."""
    path = tmp_path_factory.mktemp("aaf") / "cut.aaf"
    has_clips = any(
        clip.enabled and not isinstance(clip.media_reference, otio.schema.GeneratorReference)
        for track in timeline.tracks
        for clip in track.find_clips(shallow_search=True)
        if clip.parent() is track
    )
    if has_clips:
        write(timeline, path, "plain")  # it reads back and compares


def test_real_files_are_read(shared: Path, tmp_path: Path) -> None:
    paths = sorted((shared / "interchange").rglob("*.aaf"))
    assert paths
    for path in paths:
        if path.name != "multiple-markers-over-transitions.aaf":  # the adapter takes 20 seconds
            timeline, _ = read(path)
            assert timeline.find_clips(), path
            write_timeline(timeline, tmp_path / f"{path.parent.name} {path.stem}.otio")


# aaf2 leaves a file open that it cannot read.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("content", [b"", b"no", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 999])
def test_what_is_no_aaf_gets_one_line(cli: Cli, here: Path, content: bytes) -> None:
    (here / "bad.aaf").write_bytes(content)
    assert "not usable AAF" in one_line(cli("convert", "bad.aaf", "cut.otio"), 4)
    assert "No such file" in one_line(cli("convert", "none.aaf", "cut.otio"), 4)


def test_the_command_line(cli: Cli, here: Path) -> None:
    assert cli("roughcut", TALK, "-o", "cut.aaf", "-q").code == 0
    assert cli("convert", "cut.aaf", "cut.otio").code == 0
    assert "standard output" in one_line(cli("convert", "cut.otio", "--", "-.aaf"), 2)
    assert "not written for resolve" in one_line(
        cli("convert", "cut.otio", "b.aaf", "--for", "resolve"), 2
    )


def test_without_the_extra(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "otio_aaf_adapter.adapters.advanced_authoring_format"
    monkeypatch.setitem(sys.modules, name, None)
    (here / "cut.aaf").write_bytes(b"x")
    assert "pip install 'otio-mapedit[aaf]'" in one_line(cli("convert", "cut.aaf", "b.otio"), 2)
