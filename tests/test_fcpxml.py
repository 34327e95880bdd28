"""FCPXML: what is written is valid and reads back, other programs' projects are understood."""

from __future__ import annotations

import importlib.util
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interchange_strategies import property_test, timeline_facts, timelines

from otio_mapedit.interchange.fcpxml_reader import read_fcpxml, read_fcpxml_projects
from otio_mapedit.interchange.fcpxml_words import VERSIONS
from otio_mapedit.interchange.fcpxml_writer import write_fcpxml
from otio_mapedit.interchange.loss import LossReport, Severity


@property_test
@given(timelines(), st.sampled_from(["resolve", "finalcut"]))
def test_what_is_written_reads_back(timeline: Any, profile: str) -> None:
    before = timeline.to_json_string()
    text, report = write_fcpxml(timeline, profile)
    assert timeline.to_json_string() == before, "the caller's timeline was changed"
    again, _ = read_fcpxml(text.encode())
    lost = {loss.feature for loss in report.losses if loss.severity is Severity.LOST}
    assert not lost
    assert timeline_facts(again) == timeline_facts(timeline)
