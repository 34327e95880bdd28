"""Any timeline, written in each format that can hold it and read back: the same edit.

Drawing a timeline takes longer than writing and reading it, so each that is drawn goes through
several formats. EDLs hold less, and draw their own in ``test_edl.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import opentimelineio as otio
from hypothesis import given, note
from hypothesis import strategies as st

from otio_mapedit.interchange.fcpxml_reader import read_fcpxml
from otio_mapedit.interchange.fcpxml_words import VERSIONS
from otio_mapedit.interchange.fcpxml_writer import write_fcpxml
from otio_mapedit.interchange.loss import Severity
from otio_mapedit.interchange.mlt_reader import read_mlt
from otio_mapedit.interchange.mlt_writer import write_mlt
from otio_mapedit.interchange.otio_dialects import HOSTS
from otio_mapedit.interchange.otio_file import text_of, timeline_from, verify
from otio_mapedit.interchange.xmeml_reader import read_xmeml
from otio_mapedit.interchange.xmeml_writer import write_xmeml
from tests.interchange_strategies import round_trip, timeline_facts, timelines

#: What MLT has in another form, but brings back as it was.
REPORTED_IN_MLT = {
    "marker", "colour", "timecode", "missing media", "generator", "fade", "image sequence", "media",
    "mixed rates", "speed", "sound", "transition",
}  # fmt: skip


def through_fcpxml(timeline: otio.schema.Timeline, host: str, version: str) -> Any:
    text, report = write_fcpxml(timeline, host, version)
    assert not [loss for loss in report.losses if loss.severity is Severity.LOST]
    return read_fcpxml(text.encode())[0]


def through_xmeml(timeline: otio.schema.Timeline, profile: str) -> Any:
    text, report = write_xmeml(timeline, profile)
    read, read_report = read_xmeml(text.encode())
    assert read_report.clean, read_report.losses
    assert {loss.feature for loss in report.losses} <= {"mixed rates", "transition"}
    return read


def through_mlt(timeline: otio.schema.Timeline, profile: str) -> Any:
    text, report = write_mlt(timeline, profile)
    read, read_report = read_mlt(text.encode())
    assert read_report.clean, read_report.losses
    known = {loss.feature for loss in report.losses if loss.severity is not Severity.NOTE}
    assert known <= REPORTED_IN_MLT
    # A transition that its media has no room for is shorter; everything else is as it was.
    cut = {loss.message for loss in report.losses if loss.feature == "transition"}
    shorter = any("room" in message or "joins nothing" in message for message in cut)
    return None if shorter else read


def through_otio(timeline: otio.schema.Timeline, host: str) -> Any:
    read = timeline_from(text_of(timeline, host), "cut.otio")
    verify(timeline, read, "cut.otio")
    return read


def check(timeline: otio.schema.Timeline, through: Callable[..., Any], *choices: str) -> None:
    """That it comes back as it was, and that nobody touched it."""
    before, facts = timeline.to_json_string(), timeline_facts(timeline)
    note(f"{through.__name__} {choices}")
    read = through(timeline, *choices)
    assert timeline.to_json_string() == before, "the caller's timeline was changed"
    assert read is None or timeline_facts(read) == facts


@round_trip
@given(timelines(), st.sampled_from(VERSIONS))
def test_fcpxml_reads_back(timeline: otio.schema.Timeline, version: str) -> None:
    for host in ("finalcut", "resolve"):
        check(timeline, through_fcpxml, host, version)


@round_trip
@given(
    timelines(),
    st.sampled_from(["premiere", "resolve"]),
    st.sampled_from(["shotcut", "kdenlive"]),
    st.sampled_from(HOSTS),
)
def test_xmeml_mlt_and_otio_read_back(
    timeline: otio.schema.Timeline, editor: str, player: str, host: str
) -> None:
    check(timeline, through_xmeml, editor)
    check(timeline, through_mlt, player)
    check(timeline, through_otio, host)
