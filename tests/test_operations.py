"""The vocabulary: what a decision list is, whatever it is written in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otio_mapedit.errors import DecisionListError
from otio_mapedit.media import AudioStream, MediaInfo, VideoStream
from otio_mapedit.operations import (
    PLACING,
    DecisionList,
    Kind,
    Operation,
    Source,
    StreamExtent,
    partition_faults,
    settled,
)
from otio_mapedit.placements import Hole, contents, streams
from otio_mapedit.programme import programme
from otio_mapedit.sources import source_of, sources_of
from otio_mapedit.timing import FrameRange
from otio_mapedit.urls import path_of, url_of
from tests.decision_lists import decision_lists

SOURCE = Source("a", "/a.mov", "a.mov", Fraction(25), 100)


def listed(*spans: tuple[str, int, int]) -> DecisionList:
    operations = tuple(
        Operation(Kind(kind), "a", FrameRange.between(start, end)) for kind, start, end in spans
    )
    return DecisionList("x", Fraction(25), (SOURCE,), operations)


@pytest.mark.parametrize(
    ("spans", "fault"),
    [
        ((("keep", 0, 50), ("drop", 50, 100)), None),
        ((), None),
        ((("insert", 10, 20),), None),
        ((("keep", 0, 50),), "frames 50 to 100 are not decided"),
        ((("keep", 0, 60), ("drop", 50, 100)), "frames 50 to 60 are decided twice"),
        ((("keep", 0, 40), ("drop", 50, 100)), "frames 40 to 50 are not decided"),
        ((("keep", 0, 101),), "frame 101 is after its end"),
    ],
)
def test_partition(spans: tuple[tuple[str, int, int], ...], fault: str | None) -> None:
    faults = partition_faults(listed(*spans))
    assert (not faults) if fault is None else (fault in faults[0])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists())
def test_the_programme_has_no_hole_and_stays_inside_its_media(decisions: DecisionList) -> None:
    assert not partition_faults(decisions)
    played = programme(decisions)
    at = 0
    for item in played.items:
        assert item.record.start == at
        assert item.record.duration > 0
        at = item.record.end
        if isinstance(item, Hole):
            continue
        parts = contents(item, decisions.rate)
        assert any(parts)
        for part, extent in zip(parts, streams(item.source), strict=True):
            if part is None:
                continue
            assert extent is not None
            assert part.length > 0
            assert part.head + part.length <= item.record.duration
            consumed = part.length * item.rate / decisions.rate
            assert item.range.start <= part.start
            assert part.start + consumed <= item.range.end
    placed = sum(op.kind in PLACING for op in decisions.operations)
    assert placed <= len(played.items)


def test_an_unknown_source() -> None:
    with pytest.raises(DecisionListError, match="Use one of: a"):
        listed().source("b")


@given(st.floats(-1e15, 1e15))
def test_settled_numbers_stay_settled(value: float) -> None:
    once = settled(value)
    assert settled(once) == once
    assert isinstance(once, float)
    assert once == pytest.approx(value, rel=1e-9, abs=1e-9)


def media(name: str = "a.mov", **changes: object) -> MediaInfo:
    picture = VideoStream(
        0, "h264", 720, 576, Fraction(64, 45), 90, 8, "yuv420p", Fraction(25), 90, 90, False,
        Fraction(0), False,
    )  # fmt: skip
    sound = AudioStream(
        1, "aac", 2, "stereo", 48000, Fraction(-1, 50), Fraction(401, 100), "eng", "mix"
    )
    info = MediaInfo(
        Path("/m") / name, "mov", 1, Fraction(25), 100, Fraction(0), Fraction(4), 90000, True,
        "tmcd track", False, "A001", (picture,), (sound,), "f", (),
    )  # fmt: skip
    return replace(info, **changes)  # type: ignore[arg-type]


def test_a_source_of_media() -> None:
    source = source_of(media(), "a")
    assert source.video == StreamExtent(0, FrameRange(0, 90))
    assert source.audio == (StreamExtent(1, FrameRange(0, 100), 2, "stereo", 48000, "mix"),)
    assert (source.width, source.height) == (576, 1024)  # anamorphic, turned
    assert (source.start_frame, source.reel, source.path) == (90000, "A001", "/m/a.mov")


def test_partial_frames_of_sound_count() -> None:
    sound = replace(media().audio[0], start=Fraction(31, 100), duration=Fraction(1))
    extent = source_of(media(audio=(sound,)), "a").audio[0].extent
    assert extent == FrameRange.between(7, 33)  # 0.31 s to 1.31 s are frames 7.75 to 32.75
    late = replace(sound, start=Fraction(9))
    assert source_of(media(audio=(late,)), "a").audio[0].extent == FrameRange(100, 0)


def test_sources_have_an_id_each() -> None:
    names = ["a.mov", "a.wav", "b.mov", "a.mp4"]
    assert [s.id for s in sources_of([media(name) for name in names])] == ["a", "a-2", "b", "a-3"]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
def test_urls_lead_back(text: str) -> None:
    path = str(Path("/media") / text.strip("/")) if text.strip("/") else "/media"
    assert path_of(url_of(path)) == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a%20b/c%23.mov", "/a b/c#.mov"),
        ("file://localhost/a/b.mov", "/a/b.mov"),
        ("file://localhost/D%3a/clips/b.mov", "D:/clips/b.mov"),
        ("file:///D:/clips/b.mov", "D:/clips/b.mov"),
        ("file://server/share/b.mov", "//server/share/b.mov"),
        ("/a b/100%.mov", "/a b/100%.mov"),
        ("media/a%20b.mov", "media/a b.mov"),
        ("https://x.org/a%20b.mov", "https://x.org/a%20b.mov"),
    ],
)
def test_urls_of_others(url: str, path: str) -> None:
    assert path_of(url) == path
