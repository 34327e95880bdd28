"""Faults and remarks: what would be wrong or offline in an editing program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings

from otio_mapedit.assemble import assemble
from otio_mapedit.check import check, check_file
from otio_mapedit.interchange.registry import write_timeline
from otio_mapedit.mapedit_file import write
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.sources import source_of
from otio_mapedit.timing import FrameRange, rational_time, time_range
from tests.decision_lists import decision_lists

RATE = Fraction(25)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames at 25 frames per second, with as much sound."""
    path = tmp_path_factory.mktemp("media") / "talk 1.mov"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=48000)
        for number in range(100):
            frame = av.VideoFrame.from_ndarray(
                np.full((48, 64, 3), number * 2, np.uint8), format="rgb24"
            )
            container.mux(picture.encode(frame))
            samples = av.AudioFrame.from_ndarray(
                np.zeros((1, 1920), np.int16), format="s16", layout="mono"
            )
            samples.sample_rate, samples.pts = 48000, number * 1920
            container.mux(sound.encode(samples))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    return path


def cut(media: Path) -> DecisionList:
    source = source_of(probe(media), "talk")
    assert (source.frame_count, len(source.audio)) == (100, 1)
    operations = tuple(
        Operation(kind, "talk", FrameRange(start, length), f"o{start}")
        for kind, start, length in (
            (Kind.KEEP, 0, 40), (Kind.DROP, 40, 20), (Kind.KEEP, 60, 40),
        )
    )  # fmt: skip
    return DecisionList("talk", RATE, (source,), operations, 90000)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists())
def test_what_we_assemble_is_sound(decisions: DecisionList) -> None:
    for edit in (decisions, assemble(decisions)):
        report = check(edit, media=False)
        assert report.faults == ()


def test_sound(media: Path, tmp_path: Path) -> None:
    decisions = cut(media)
    assert check(decisions).sound
    write(tmp_path / "cut.mapedit", decisions)
    for suffix, host in ((".otio", "resolve"), (".otio", "premiere"), (".otioz", "plain")):
        path = tmp_path / f"{host}{suffix}"
        write_timeline(assemble(decisions), path, host)
        assert check_file(path).faults == ()
    assert check_file(tmp_path / "cut.mapedit").faults == ()


def test_media_offline_and_changed(media: Path, tmp_path: Path) -> None:
    decisions = cut(media)
    gone = replace(decisions.sources[0], path=str(tmp_path / "gone.mov"))
    (fault,) = check(replace(decisions, sources=(gone,))).faults
    assert "offline" in fault
    text = tmp_path / "text.mov"
    text.write_text("not media")
    (fault,) = check(replace(decisions, sources=(replace(gone, path=str(text)),))).faults
    assert "cannot be read" in fault
    other = tmp_path / "talk 1.mov"
    other.write_bytes(media.read_bytes() + b"\0" * 64)
    changed = replace(decisions.sources[0], path=str(other), start_frame=90000)
    faults = check(replace(decisions, sources=(changed,))).faults
    assert [part in " ".join(faults) for part in ("changed since", "01:00:00:00")] == [True, True]


def test_relative_media_is_found_beside_the_file(media: Path) -> None:
    source = replace(cut(media).sources[0], path=media.name)
    decisions = replace(cut(media), sources=(source,))
    assert check(decisions, media.parent).sound
    assert not check(decisions, media.parent.parent).sound


def _half_a_frame(timeline: otio.schema.Timeline) -> None:
    clip = timeline.tracks[0][0]
    clip.source_range = otio.opentime.TimeRange(
        clip.source_range.start_time, otio.opentime.RationalTime(39.5, 25)
    )


def _past_the_end(timeline: otio.schema.Timeline) -> None:
    for track in timeline.tracks:
        track[1].source_range = time_range(FrameRange(60, 41), RATE)


def _before_the_start(timeline: otio.schema.Timeline) -> None:
    for track in timeline.tracks:
        track[0].source_range = time_range(FrameRange(-5, 40), RATE)


def _without_handles(timeline: otio.schema.Timeline) -> None:
    for track in timeline.tracks:
        track[0].source_range = time_range(FrameRange(0, 98), RATE)
        offset = rational_time(4, RATE)
        track.insert(1, otio.schema.Transition("", "SMPTE_Dissolve", offset, offset))


def _too_long(timeline: otio.schema.Timeline) -> None:
    for track in timeline.tracks:
        offset = rational_time(45, RATE)
        none = rational_time(0, RATE)
        track.insert(1, otio.schema.Transition("", "SMPTE_Dissolve", none, offset))


def _sound_gone(timeline: otio.schema.Timeline) -> None:
    gap = otio.schema.Gap(source_range=time_range(FrameRange(0, 40), RATE))
    timeline.tracks[1][0] = gap


def _shorter_track(timeline: otio.schema.Timeline) -> None:
    del timeline.tracks[1][1]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_half_a_frame, "does not end on a frame"),
        (_past_the_end, "runs past its media"),
        (_before_the_start, "starts before its media"),
        (_without_handles, "lacks frames after it"),
        (_too_long, "shorter than its transitions"),
        (_sound_gone, "A1 01:00:00:00: sound of talk 1.mov is missing"),
        (_shorter_track, "not equally long"),
    ],
)
def test_faults(media: Path, damage: Callable[[otio.schema.Timeline], None], says: str) -> None:
    timeline = assemble(cut(media))
    damage(timeline)
    assert any(says in fault for fault in check(timeline).faults)


def test_faults_of_a_decision_list(media: Path) -> None:
    decisions = cut(media)
    longer = replace(decisions.operations[0], range=FrameRange(0, 45))
    report = check(replace(decisions, operations=(longer, *decisions.operations[1:])))
    assert report.faults == ("talk 1.mov: frames 40 to 45 are decided twice",)
    outside = replace(decisions.operations[0], range=FrameRange(0, 450))
    (fault,) = check(replace(decisions, operations=(outside,))).faults
    assert "after the end" in fault


def test_foreign_exports_are_checked(shared: Path) -> None:
    for path in sorted((shared / "interchange" / "timelines").rglob("simple_cut.otio")):
        report = check_file(path)
        assert any("offline" in fault for fault in report.faults)
