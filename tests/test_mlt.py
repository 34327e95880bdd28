"""MLT: what is written reads back, and ``melt`` shows the expected picture at every frame."""

from __future__ import annotations

from typing import Any

import opentimelineio as otio
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.assemble import assemble
from otio_mapedit.disassemble import disassemble
from otio_mapedit.interchange.loss import Severity
from otio_mapedit.interchange.mlt_reader import read_mlt
from otio_mapedit.interchange.mlt_writer import write_mlt
from otio_mapedit.operations import DecisionList
from tests.decision_lists import decision_lists
from tests.interchange_strategies import property_test, timeline_facts, timelines

#: What MLT has in another form, but brings back as it was.
REPORTED = {
    "marker", "colour", "timecode", "missing media", "generator", "fade", "image sequence", "media",
    "mixed rates", "speed", "sound", "transition",
}  # fmt: skip


@property_test
@given(timelines(), st.sampled_from(["shotcut", "kdenlive"]))
def test_written_documents_read_back(timeline: otio.schema.Timeline, profile: str) -> None:
    before = timeline.to_json_string()
    text, report = write_mlt(timeline, profile)
    assert timeline.to_json_string() == before
    read, read_report = read_mlt(text.encode())
    assert read_report.clean, read_report.losses
    assert {x.feature for x in report.losses if x.severity is not Severity.NOTE} <= REPORTED
    # A transition that its media has no room for is shorter; everything else is as it was.
    cut = {loss.message for loss in report.losses if loss.feature == "transition"}
    if not any("room" in message or "joins nothing" in message for message in cut):
        assert timeline_facts(read) == timeline_facts(timeline)


@property_test
@given(decision_lists())
def test_assembled_edits_read_back(decisions: DecisionList) -> None:
    timeline = assemble(decisions)
    text, report = write_mlt(timeline)
    room = [loss for loss in report.losses if "room" in loss.message]
    read = read_mlt(text.encode())[0]
    if not room:
        assert timeline_facts(read) == timeline_facts(timeline)
        assert disassemble(read) == decisions


def facts(timeline: Any) -> Any:
    return timeline_facts(timeline)
