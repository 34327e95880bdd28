"""JianYing drafts: every clip where it belongs to the microsecond, every loss named."""

from __future__ import annotations

import contextlib
import json
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings

from otio_mapedit.errors import FormatError, OutputError, OutputExistsError
from otio_mapedit.interchange.gain import set_gain
from otio_mapedit.interchange.jianying_format import write_draft
from otio_mapedit.interchange.registry import write_timeline
from otio_mapedit.timing import NTSC_30, rational_time
from tests.cli_support import TALK, Cli, one_line
from tests.interchange_strategies import timelines

TR = otio.opentime.TimeRange


@pytest.fixture(autouse=True)
def _extra() -> None:
    pytest.importorskip("pyJianYingDraft", reason="the extra jianying is not installed")


def shot(name: str, first: int, frames: int, rate: Fraction, link: int = 0) -> Any:
    hour = round(rate) * 3600
    whole = TR(rational_time(hour, rate), rational_time(3000, rate))
    span = TR(rational_time(hour + first, rate), rational_time(frames, rate))
    clip = otio.schema.Clip(name, otio.schema.ExternalReference(f"file:///m/{name}", whole), span)
    if link:
        clip.metadata["mapedit"] = {"link": link}
    return clip


def joined(name: str, before: int, after: int, rate: Fraction) -> otio.schema.Transition:
    kind = "SMPTE_Dissolve" if name == "Cross Dissolve" else "Custom_Transition"
    return otio.schema.Transition(
        name, kind, rational_time(before, rate), rational_time(after, rate)
    )


def sequence(rate: Fraction, *tracks: tuple[str, list[Any]]) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline("cut", global_start_time=rational_time(0, rate))
    for number, (kind, items) in enumerate(tracks):
        timeline.tracks.append(otio.schema.Track(f"{kind[0]}{number}", items, kind=kind))
    return timeline


def content(folder: Path) -> Any:
    return json.loads((folder / "draft_content.json").read_text(encoding="utf-8"))


def times(track: Any) -> list[tuple[int, ...]]:
    return [
        tuple(one[side][key] for side in ("target_timerange", "source_timerange")
              for key in ("start", "duration"))
        for one in track["segments"]
    ]  # fmt: skip


def test_microseconds_from_exact_frames(tmp_path: Path) -> None:
    """Media counts from 0 though its timecode begins at one hour; clips that meet still do."""
    rate = NTSC_30
    clips = [shot("a.mov", 100 + 7 * n, 7, rate) for n in range(40)]
    report = write_draft(sequence(rate, ("Video", clips)), tmp_path / "cut 会")
    draft = content(tmp_path / "cut 会")
    (track,) = draft["tracks"]
    placed = times(track)
    for number, (start, length, source, taken) in enumerate(placed):
        assert abs(Fraction(start, 10**6) - 7 * number / rate) <= Fraction(1, 2 * 10**6)
        assert abs(Fraction(source, 10**6) - (100 + 7 * number) / rate) <= Fraction(1, 2 * 10**6)
        assert taken == length
    assert all(one[0] + one[1] == other[0] for one, other in pairwise(placed))
    assert [video["path"] for video in draft["materials"]["videos"]] == ["/m/a.mov"]
    assert {loss.feature for loss in report.losses if loss.severity != "note"} == {"rate"}
    assert (tmp_path / "cut 会" / "draft_meta_info.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["cut 会"]


def test_speeds_transitions_and_sound(tmp_path: Path) -> None:
    rate = Fraction(25)
    fast = shot("b.mov", 50, 50, rate)
    fast.effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))
    heard = shot("a.mov", 0, 50, rate, 1)
    set_gain(heard, -6.0)
    timeline = sequence(
        rate,
        (
            "Video",
            [
                shot("a.mov", 0, 50, rate, 1), joined("Cross Dissolve", 5, 5, rate), fast,
                joined("Dip to Black", 4, 4, rate), shot("a.mov", 200, 50, rate),
            ],
        ),
        ("Audio", [heard]),
        ("Audio", [shot("music.wav", 0, 150, rate)]),
    )  # fmt: skip
    report = write_draft(timeline, tmp_path / "cut")
    assert report.clean, report.losses
    draft = content(tmp_path / "cut")
    picture, music = draft["tracks"]
    assert (picture["type"], music["type"]) == ("video", "audio")
    assert times(picture)[1] == (2_000_000, 2_000_000, 2_000_000, 4_000_000)
    assert [round(one["volume"], 3) for one in picture["segments"]] == [0.501, 0, 0]
    assert [one["speed"] for one in draft["materials"]["speeds"]].count(2.0) == 1
    named = [(one["name"], one["duration"]) for one in draft["materials"]["transitions"]]
    assert named == [("叠化", 400_000), ("闪黑", 320_000)]


def test_what_a_draft_cannot_hold_is_named(tmp_path: Path) -> None:
    rate = Fraction(25)
    off, back, cold = (shot(name, 50, 20, rate) for name in ("off", "back", "cold"))
    off.enabled = False
    back.effects.append(otio.schema.LinearTimeWarp(time_scalar=-1.0))
    cold.effects.append(otio.schema.FreezeFrame())
    gone = otio.schema.Clip("gone", otio.schema.MissingReference(), off.source_range)
    back.markers.append(otio.schema.Marker("look", back.source_range))
    timeline = sequence(
        rate,
        ("Video", [joined("Cross Dissolve", 0, 3, rate), back, off, gone, cold]),
        ("Audio", [shot("film.mov", 0, 20, rate)]),
    )
    timeline.global_start_time = rational_time(90000, rate)
    (report,) = write_timeline(timeline, tmp_path / "cut", "jianying").reports
    named = {(loss.feature, loss.item) for loss in report.losses if loss.severity != "note"}
    assert named == {
        ("speed", "back"), ("marker", "back"), ("transition", "back"), ("disabled", "off"),
        ("missing media", "gone"), ("speed", "cold"), ("sound", "film.mov"), ("timecode", ""),
    }  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(timelines())
def test_any_timeline_is_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, timeline: otio.schema.Timeline
) -> None:
    before = timeline.to_json_string()
    held = any(
        isinstance(clip.media_reference, otio.schema.ExternalReference) and clip.enabled
        for track in timeline.video_tracks()
        for clip in track.find_clips(shallow_search=True)
    )
    # It compares by itself what it wrote.
    with contextlib.nullcontext() if held else pytest.raises(FormatError, match="no edit"):
        write_draft(timeline, tmp_path_factory.mktemp("drafts") / "cut")
    assert timeline.to_json_string() == before


def test_a_draft_is_not_overwritten(tmp_path: Path) -> None:
    timeline = sequence(Fraction(25), ("Video", [shot("a.mov", 0, 20, Fraction(25))]))
    write_draft(timeline, tmp_path / "cut")
    with pytest.raises(OutputExistsError):
        write_draft(timeline, tmp_path / "cut")
    (tmp_path / "cut" / "mine").write_text("x")
    write_draft(timeline, tmp_path / "cut", force=True)
    assert not (tmp_path / "cut" / "mine").exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine").write_text("x")
    with pytest.raises(OutputError, match="no draft"):
        write_draft(timeline, tmp_path / "photos", force=True)
    assert (tmp_path / "photos" / "mine").exists()


def test_the_command_line(cli: Cli, here: Path) -> None:
    assert cli("roughcut", TALK, "-o", "cut", "--for", "jianying", "-q").code == 0
    assert content(here / "cut")["tracks"]
    assert cli("roughcut", TALK, "-o", "cut.otio", "-q").code == 0
    assert "--force" in one_line(cli("convert", "cut.otio", "cut", "--for", "jianying"), 2)
    assert cli("convert", "cut.otio", "cut", "--for", "jianying", "--force", "-q").code == 0
    assert cli("convert", "cut.otio", "b.draft", "--loss", "loss.json").code == 0
    assert "not a timeline format" in one_line(cli("convert", "b.draft", "c.otio"), 2)
    assert "standard output" in one_line(cli("convert", "cut.otio", "--", "-.draft"), 2)
    assert "does not exist" in one_line(cli("convert", "cut.otio", "no/b", "--for", "jianying"), 2)


def test_without_the_extra(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = sequence(Fraction(25), ("Video", [shot("a.mov", 0, 20, Fraction(25))]))
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    monkeypatch.setitem(sys.modules, "pyJianYingDraft", None)
    said = one_line(cli("convert", tmp_path / "cut.otio", tmp_path / "d", "--for", "jianying"), 2)
    assert "pip install 'otio-mapedit[jianying]'" in said
