"""What a timeline says comes back: exactly what was assembled, and what a person changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otio_mapedit.assemble import NAMESPACE, assemble
from otio_mapedit.disassemble import NOT_UNDERSTOOD, disassemble
from otio_mapedit.operations import (
    DecisionList,
    Kind,
    Operation,
    Source,
    StreamExtent,
    partition_faults,
)
from otio_mapedit.programme import programme
from otio_mapedit.timing import FrameRange, rational_time, time_range
from tests.decision_lists import decision_lists

RATE = Fraction(25)


def talk(**changes: object) -> DecisionList:
    """Keep, drop, keep, drop, keep of one file with picture and one sound."""
    whole = FrameRange(0, 500)
    source = Source(
        "talk", "/media/talk.mov", "talk.mov", RATE, 500, 90000,
        video=StreamExtent(0, whole), audio=(StreamExtent(1, whole, 2, "stereo", 48000),),
    )  # fmt: skip
    spans = [("keep", 0, 100), ("drop", 100, 100), ("keep", 200, 100), ("drop", 300, 100)]
    operations = [
        Operation(Kind(kind), "talk", FrameRange(start, length), f"{kind}{start}", 0.9, "why")
        for kind, start, length in [*spans, ("keep", 400, 100)]
    ]
    base = DecisionList("talk", RATE, (source,), tuple(operations), 90000, recipe="roughcut")
    return replace(base, **changes)  # type: ignore[arg-type]


def words(decisions: DecisionList) -> list[tuple[str, int, int, str]]:
    return [(op.kind.value, op.range.start, op.range.end, op.id) for op in decisions.operations]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists())
def test_inverse(decisions: DecisionList) -> None:
    assert disassemble(assemble(decisions)) == decisions


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists())
def test_without_metadata_the_same_frames_play(decisions: DecisionList) -> None:
    """The structure alone says which frames of which file play when."""
    for source in decisions.sources:
        streams = [source.video, *source.audio] if source.video else list(source.audio)
        if source.rate != decisions.rate or any(
            stream.extent != source.available for stream in streams
        ):
            return
    timeline = assemble(decisions)
    for thing in (timeline, timeline.tracks, *timeline.find_children()):
        thing.metadata.pop(NAMESPACE, None)
    bare = assemble(disassemble(timeline))

    def shown(edit: otio.schema.Timeline) -> list[object]:
        return [
            (clip.source_range, clip.media_reference.target_url, clip.enabled)
            for track in edit.video_tracks()
            for clip in track.find_clips()
            if not clip.effects
        ]

    if not any(op.kind is Kind.SPEED for op in decisions.operations):
        assert [clip for clip in shown(timeline) if clip[2]] == [  # type: ignore[index]
            clip
            for clip in shown(bare)
            if clip[2]  # type: ignore[index]
        ]


def _tracks(timeline: otio.schema.Timeline) -> list[otio.schema.Track]:
    return list(timeline.tracks)


def trim_end(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        track[0].source_range = time_range(FrameRange(90000, 80), RATE)


def swap(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        last = track[2]
        del track[2]
        track.insert(0, last)


def delete(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        del track[1]


def disable(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        track[1].enabled = False


def lift(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        track[1] = otio.schema.Gap(source_range=time_range(FrameRange(0, 100), RATE))


def blade(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        second = track[1].deepcopy()
        track[1].source_range = time_range(FrameRange(90200, 40), RATE)
        second.source_range = time_range(FrameRange(90240, 60), RATE)
        track.insert(2, second)


def copy_to_front(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        track.insert(0, track[2].deepcopy())


def extend(timeline: otio.schema.Timeline) -> None:
    for track in _tracks(timeline):
        track[0].source_range = time_range(FrameRange(90000, 150), RATE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            trim_end,
            [("keep", 0, 80, "keep0"), ("drop", 80, 100, ""), ("drop", 100, 200, "drop100"),
             ("keep", 200, 300, "keep200"), ("drop", 300, 400, "drop300"),
             ("keep", 400, 500, "keep400")],
        ),
        (
            swap,
            [("keep", 400, 500, "keep400"), ("keep", 0, 100, "keep0"),
             ("drop", 100, 200, "drop100"), ("keep", 200, 300, "keep200"),
             ("drop", 300, 400, "drop300")],
        ),
        (
            delete,
            [("keep", 0, 100, "keep0"), ("drop", 100, 200, "drop100"), ("drop", 200, 300, ""),
             ("drop", 300, 400, "drop300"), ("keep", 400, 500, "keep400")],
        ),
        (
            blade,
            [("keep", 0, 100, "keep0"), ("drop", 100, 200, "drop100"),
             ("keep", 200, 240, "keep200"), ("keep", 240, 300, "keep200-2"),
             ("drop", 300, 400, "drop300"), ("keep", 400, 500, "keep400")],
        ),
        (
            copy_to_front,
            [("keep", 400, 500, "keep400"), ("keep", 0, 100, "keep0"),
             ("drop", 100, 200, "drop100"), ("keep", 200, 300, "keep200"),
             ("drop", 300, 400, "drop300"), ("insert", 400, 500, "keep400-2")],
        ),
        (
            extend,
            [("keep", 0, 150, "keep0"), ("drop", 150, 200, "drop100"),
             ("keep", 200, 300, "keep200"), ("drop", 300, 400, "drop300"),
             ("keep", 400, 500, "keep400")],
        ),
    ],
)  # fmt: skip
def test_a_change_by_hand_comes_out(
    change: Callable[[otio.schema.Timeline], None], expected: list[tuple[str, int, int, str]]
) -> None:
    timeline = assemble(talk())
    change(timeline)
    decisions = disassemble(timeline)
    assert words(decisions) == expected
    assert not partition_faults(decisions)
    assert NOT_UNDERSTOOD not in decisions.metadata
    programme(decisions)


def test_a_disabled_clip_is_a_drop() -> None:
    timeline = assemble(talk())
    disable(timeline)
    operation = disassemble(timeline).operations[2]
    assert (operation.kind, operation.id) == (Kind.DROP, "keep200")
    assert operation.parameters == {"mode": "disable"}


def test_a_lifted_clip_is_a_drop_that_leaves_a_gap() -> None:
    timeline = assemble(talk())
    before = timeline.duration()
    lift(timeline)
    decisions = disassemble(timeline)
    assert [op.parameters for op in decisions.operations if op.range.start == 200] == [
        {"mode": "lift"}
    ]
    assert assemble(decisions).duration() == before


def test_reasons_survive_where_frames_are_still_dropped() -> None:
    timeline = assemble(talk())
    extend(timeline)
    dropped = disassemble(timeline).operations[1]
    assert (dropped.reason, dropped.confidence) == ("why", 0.9)


def test_an_enabled_drop_is_kept() -> None:
    decisions = talk()
    operations = list(decisions.operations)
    operations[1] = replace(operations[1], parameters={"mode": "disable"})
    timeline = assemble(replace(decisions, operations=tuple(operations)))
    for track in timeline.tracks:
        track[1].enabled = True
    kept = disassemble(timeline).operations[1]
    assert (kept.kind, kept.id, kept.reason) == (Kind.KEEP, "drop100", "changed by hand")


def test_taking_the_red_marker_away_keeps_the_range() -> None:
    decisions = talk()
    operations = list(decisions.operations)
    operations[1] = replace(operations[1], parameters={"mode": "mark"})
    timeline = assemble(replace(decisions, operations=tuple(operations)))
    assert disassemble(timeline).operations[1].kind is Kind.DROP
    timeline.tracks[0][1].markers.clear()
    assert disassemble(timeline).operations[1].kind is Kind.KEEP


def test_a_transition_is_changed_added_and_removed() -> None:
    timeline = assemble(talk())
    for track in timeline.tracks:
        dissolve = otio.schema.Transition(
            transition_type="SMPTE_Dissolve",
            in_offset=rational_time(5, RATE),
            out_offset=rational_time(7, RATE),
        )
        track.insert(1, dissolve)
    added = disassemble(timeline)
    assert words(added)[2] == ("dissolve", 95, 107, "")
    again = assemble(added)
    for track in again.tracks:
        track[1].in_offset = rational_time(3, RATE)
    changed = disassemble(again).operations[2]
    assert (changed.kind, changed.parameters) == (
        Kind.DISSOLVE, {"in_offset": 3, "out_offset": 7},
    )  # fmt: skip
    for track in again.tracks:
        del track[1]
    assert words(disassemble(again)) == words(talk())


def test_a_marker_is_moved_and_renamed() -> None:
    decisions = talk()
    mark = Operation(Kind.MARK, "talk", FrameRange(210, 5), "m", parameters={"name": "look"})
    decisions = replace(decisions, operations=(*decisions.operations, mark))
    timeline = assemble(decisions)
    assert disassemble(timeline) == decisions
    marker = timeline.tracks[0][1].markers[0]
    assert marker.marked_range == time_range(FrameRange(90210, 5), RATE)
    marker.marked_range = time_range(FrameRange(90220, 0), RATE)
    marker.name = "seen"
    moved = disassemble(timeline).operations[-1]
    assert (moved.id, moved.range, moved.parameters) == ("m", FrameRange(220, 0), {"name": "seen"})


def test_moved_media_is_followed() -> None:
    timeline = assemble(talk())
    for clip in timeline.find_clips():
        clip.media_reference.target_url = "file:///archive/talk.mov"
    decisions = disassemble(timeline)
    assert [(s.id, s.path) for s in decisions.sources] == [("talk", "/archive/talk.mov")]
    assert words(decisions) == words(talk())


def test_sound_cut_apart_from_the_picture_is_named() -> None:
    timeline = assemble(talk())
    timeline.tracks[1][0].source_range = time_range(FrameRange(90010, 100), RATE)
    decisions = disassemble(timeline)
    assert words(decisions) == words(talk())
    assert decisions.metadata[NOT_UNDERSTOOD] == [
        "clips on audio track 1 cut apart from the picture"
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists(), st.randoms(use_true_random=False))
def test_any_change_gives_a_playable_partition(decisions: DecisionList, random: object) -> None:
    timeline = assemble(decisions)
    for track in timeline.tracks:
        for _ in range(3):
            if not len(track):
                break
            number = random.randrange(len(track))  # type: ignore[attr-defined]
            item = track[number]
            change = random.randrange(5)  # type: ignore[attr-defined]
            if change == 0:
                del track[number]
            elif change == 1:
                track.insert(0, item.deepcopy())
            elif change == 2 and not isinstance(item, otio.schema.Transition):
                span = item.source_range
                shorter = otio.opentime.RationalTime(span.duration.value // 2, span.duration.rate)
                item.source_range = otio.opentime.TimeRange(span.start_time, shorter)
            elif change == 3 and not isinstance(item, otio.schema.Transition):
                item.enabled = not item.enabled
            elif change == 4:
                item.metadata.clear()
    changed = disassemble(timeline)
    assert not partition_faults(changed)
    programme(changed)
    assert disassemble(assemble(changed)) == changed


def test_foreign_timelines_are_read(shared: Path) -> None:
    """Real exports: whatever can be said is said, the rest is named, and it plays again."""
    kept = {}
    for path in sorted((shared / "interchange").rglob("*.otio")):
        try:
            timeline = otio.adapters.read_from_file(str(path))
        except otio.exceptions.UnsupportedSchemaError:
            continue  # written for an older OTIO than this one
        decisions = disassemble(timeline)
        assert not partition_faults(decisions)
        assert disassemble(assemble(decisions)) == decisions
        kept[path.name] = sum(op.kind is Kind.KEEP for op in decisions.operations)
    assert kept["simple_cut.otio"] == 4
    assert kept["otio.otio"] == 3
    assert kept["transition_test.otio"] == 3


def test_a_timeline_of_nothing() -> None:
    assert disassemble(otio.schema.Timeline()).operations == ()
