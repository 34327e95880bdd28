"""Decision lists as OTIO timelines: exact clocks, stock schemas, nothing changed in passing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings

from otio_mapedit.assemble import assemble
from otio_mapedit.disassemble import disassemble
from otio_mapedit.errors import DecisionListError
from otio_mapedit.operations import DecisionList, Kind, Operation, Source, StreamExtent
from otio_mapedit.timing import FrameRange, rational_time
from tests.decision_lists import decision_lists

NTSC = Fraction(30000, 1001)
STOCK = {
    "Timeline.1", "Stack.1", "Track.1", "Clip.2", "Gap.1", "Transition.1", "ExternalReference.1",
    "LinearTimeWarp.1", "Marker.2", "RationalTime.1", "TimeRange.1",
}  # fmt: skip


def source(name: str = "a", rate: Fraction = NTSC, count: int = 300, sounds: int = 1) -> Source:
    whole = FrameRange(0, count)
    return Source(
        name, f"/m e/{name} 100%#?é.mov", f"{name}.mov", rate, count, 107892,
        video=StreamExtent(0, whole),
        audio=tuple(StreamExtent(n, whole, 2) for n in range(1, sounds + 1)),
    )  # fmt: skip


def edit(
    *operations: Operation, sources: Iterable[Source] = (), rate: Fraction = NTSC
) -> DecisionList:
    return DecisionList("cut", rate, tuple(sources) or (source(),), operations, 107892, True)


def op(kind: str, start: int, duration: int, of: str = "a", **parameters: Any) -> Operation:
    return Operation(Kind(kind), of, FrameRange(start, duration), parameters=parameters)


def layout(track: otio.schema.Track) -> list[object]:
    """Gaps as lengths, clips as (start, length, enabled), transitions as offsets."""
    result: list[object] = []
    for item in track:
        if isinstance(item, otio.schema.Transition):
            result.append(
                (item.transition_type, item.name, item.in_offset.value, item.out_offset.value)
            )
        elif isinstance(item, otio.schema.Gap):
            result.append(item.source_range.duration.value)
        else:
            span = item.source_range
            result.append((span.start_time.value, span.duration.value, item.enabled))
    return result


def test_one_cut() -> None:
    decisions = edit(op("keep", 0, 100), op("drop", 100, 100), op("keep", 200, 100))
    timeline = assemble(decisions)
    assert [track.name for track in timeline.tracks] == ["V1", "A1"]
    for track in timeline.tracks:
        assert layout(track) == [(107892, 100, True), (108092, 100, True)]
    clip = timeline.tracks[0][0]
    assert clip.source_range.start_time == rational_time(107892, NTSC)
    reference = clip.media_reference
    assert reference.target_url == "file:///m%20e/a%20100%25%23%3F%C3%A9.mov"
    assert reference.available_range.start_time.value == 107892
    assert reference.available_range.duration.value == 300
    assert (clip.name, reference.name) == ("a.mov", "a.mov")
    assert timeline.global_start_time == rational_time(107892, NTSC)
    assert timeline.metadata["mapedit"]["drop_frame"] is True
    links = [clip.metadata["mapedit"]["link"] for clip in timeline.find_clips()]
    assert links == [0, 1, 0, 1]


def test_ways_to_drop() -> None:
    modes = ["extract", "lift", "disable", "mark"]
    drops = [op("drop", 50 * n, 50, mode=mode) for n, mode in enumerate(modes)]
    timeline = assemble(edit(*drops, op("keep", 200, 100)))
    assert layout(timeline.tracks[0]) == [
        50, (107992, 50, False), (108042, 50, True), (108092, 100, True),
    ]  # fmt: skip
    assert [marker.color for marker in timeline.tracks[0][2].markers] == ["RED"]
    assert not timeline.tracks[1][2].markers


def test_rates_that_differ() -> None:
    """50 frames per second in a 29.97 sequence: whole frames of each, nothing in between."""
    other = source("b", Fraction(50), 1000)
    timeline = assemble(
        edit(op("keep", 0, 10), op("keep", 101, 501, "b"), sources=(source(), other))
    )
    clip = timeline.tracks[0][1]
    # 501 / 50 s * 30000 / 1001 = 300.29... frames
    assert clip.source_range.duration == rational_time(300, NTSC)
    assert clip.source_range.start_time == rational_time(107892 + 101, Fraction(50))
    assert timeline.duration() == rational_time(310, NTSC)


def test_sound_that_ends_early_leaves_a_gap() -> None:
    late = StreamExtent(2, FrameRange(30, 40), 1)
    short = replace(source(), audio=(StreamExtent(1, FrameRange(0, 80), 2), late))
    other = source("b", sounds=1)
    timeline = assemble(edit(op("keep", 0, 100), op("keep", 0, 10, "b"), sources=(short, other)))
    assert layout(timeline.tracks[0])[0] == (107892, 100, True)
    assert layout(timeline.tracks[1]) == [(107892, 80, True), 20, (107892, 10, True)]
    assert layout(timeline.tracks[2]) == [30, (107922, 40, True), 30, 10]


def test_transitions() -> None:
    timeline = assemble(
        edit(
            op("fade_in", 10, 8, length=8),
            op("keep", 10, 90),
            op("dissolve", 95, 12, in_offset=5, out_offset=7, audio=False),
            op("keep", 120, 50),
            op("fade_out", 160, 10, length=10),
            op("fade_in", 200, 4, length=4),
            op("keep", 200, 50),
            op("wipe", 248, 4, in_offset=2, out_offset=2, pattern="clock"),
            op("keep", 260, 20),
            op("fade_out", 274, 6, length=6),
        )
    )
    smpte, custom = "SMPTE_Dissolve", "Custom_Transition"
    picture = layout(timeline.tracks[0])
    assert [item for item in picture if isinstance(item, tuple) and isinstance(item[0], str)] == [
        (smpte, "Fade", 0, 8),
        (smpte, "Cross Dissolve", 5, 7),
        (custom, "Dip to Black", 10, 4),
        (custom, "Wipe", 2, 2),
        (smpte, "Fade", 6, 0),
    ]
    assert sum(isinstance(item, otio.schema.Transition) for item in timeline.tracks[1]) == 4


def test_a_crossfade_of_sound_alone() -> None:
    edited = edit(
        op("keep", 10, 90),
        op("dissolve", 95, 12, in_offset=5, out_offset=7, picture=False),
        op("keep", 120, 50),
    )
    timeline = assemble(edited)
    joined = [
        sum(isinstance(item, otio.schema.Transition) for item in track) for track in timeline.tracks
    ]
    assert joined[0] == 0
    assert set(joined[1:]) == {1}
    played = [each for each in disassemble(timeline).operations if each.kind is not Kind.DROP]
    assert played == list(edited.operations)
    # The same from a program that keeps nothing of ours.
    for track in timeline.tracks:
        for item in track:
            item.metadata.clear()
    (join,) = [each for each in disassemble(timeline).operations if each.kind is Kind.DISSOLVE]
    assert join.parameters == {"in_offset": 5, "out_offset": 7, "picture": False}


def test_speed_and_grade() -> None:
    slope = [1.1, 1.0, 0.9]
    timeline = assemble(
        edit(
            op("keep", 0, 100),
            op("speed", 0, 100, scalar=2.0),
            op("grade", 0, 100, slope=slope, saturation=0.8),
            op("keep", 100, 50),
            op("speed", 100, 50, scalar=0.5),
        )
    )
    first, second = timeline.tracks[0]
    assert (first.source_range.duration.value, second.source_range.duration.value) == (50, 100)
    assert [effect.time_scalar for effect in first.effects] == [2.0]
    assert first.metadata["cdl"]["asc_sat"] == 0.8
    assert list(first.metadata["cdl"]["asc_sop"]["slope"]) == slope
    assert "cdl" not in timeline.tracks[1][0].metadata


@pytest.mark.parametrize(
    ("operations", "field", "says"),
    [
        ([op("keep", 0, 100), op("dissolve", 95, 10, in_offset=5, out_offset=5)], 1, "follows"),
        ([op("dissolve", 0, 0), op("keep", 0, 10)], 0, "before it"),
        ([op("keep", 0, 300), op("dissolve", 295, 5, in_offset=5, out_offset=5), op("keep", 0, 50)],
         1, "after frame 300"),
        ([op("keep", 0, 100), op("dissolve", 95, 10, in_offset=5, out_offset=5), op("keep", 0, 50)],
         1, "before frame 0"),
        ([op("keep", 0, 100), op("dissolve", 9, 2, in_offset=5, out_offset=5), op("keep", 200, 50)],
         1, '"start": 95'),
        ([op("keep", 0, 100), op("drop", 100, 10, mode="lift"),
          op("dissolve", 95, 10, in_offset=5, out_offset=5), op("keep", 200, 50)], 2, "between"),
        ([op("keep", 50, 4), op("dissolve", 49, 8, in_offset=5, out_offset=3), op("keep", 200, 50)],
         1, "4 frames take 5"),
        ([op("keep", 50, 40), op("dissolve", 89, 2, in_offset=1, out_offset="x"),
          op("keep", 200, 50)], 1, "number of frames"),
        ([op("speed", 0, 10, scalar=2), op("keep", 0, 10)], 0, "before it"),
        ([op("keep", 0, 10), op("speed", 0, 10, scalar=1)], 1, "not a speed"),
        ([op("keep", 0, 10), op("speed", 0, 10, scalar=100)], 0, "shorter than a frame"),
        ([op("keep", 0, 10), op("speed", 0, 9, scalar=2)], 1, '"duration": 10'),
        ([op("keep", 0, 10), op("fade_out", 0, 10, length=11)], 1, "longer than"),
        ([op("keep", 0, 10), op("grade", 0, 10, slope=[1, 2])], 1, "three numbers"),
        ([op("mark", 0, 10, colour="beige")], 0, "colour"),
        ([op("drop", 0, 10, mode="ripple")], 0, "way to drop"),
        ([op("keep", 0, 10), op("cut", 10, 5), op("keep", 20, 10)], 1, '"start": 20'),
        ([op("keep", 290, 20)], 0, "after the end"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out(operations: list[Operation], field: int, says: str) -> None:
    with pytest.raises(DecisionListError) as caught:
        assemble(edit(*operations))
    assert caught.value.field.startswith(f"operations[{field}]")
    assert says in str(caught.value)
    assert caught.value.remedy


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists())
def test_invariants(decisions: DecisionList) -> None:
    before = copy.copy(decisions)
    timeline = assemble(decisions)
    assert decisions == before
    text = otio.adapters.write_to_string(timeline, "otio_json")
    assert _schemas(json.loads(text)) <= STOCK
    lengths = {
        sum(item.duration().value for item in track if not isinstance(item, otio.schema.Transition))
        for track in timeline.tracks
    }
    assert len(lengths) <= 1
    for clip in timeline.find_clips():
        span, available = clip.source_range, clip.media_reference.available_range
        assert span.start_time.value == int(span.start_time.value)
        assert span.duration.value == int(span.duration.value) > 0
        assert span.start_time.rate == available.start_time.rate
        speed = abs(clip.effects[0].time_scalar) if clip.effects else 1
        consumed = span.duration.to_seconds() * speed
        assert span.start_time >= available.start_time
        end = span.start_time.to_seconds() + consumed
        assert end <= available.end_time_exclusive().to_seconds() + 1e-6


def _schemas(value: object) -> set[str]:
    found: set[str] = set()
    if isinstance(value, dict):
        found = {str(value["OTIO_SCHEMA"])} if "OTIO_SCHEMA" in value else set()
        value = list(value.values())
    if isinstance(value, list):
        found = found.union(*map(_schemas, value))
    return found
