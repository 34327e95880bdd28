"""The .mapedit file: readable, exactly reversible, and helpful about every mistake."""

from __future__ import annotations

import contextlib
import json
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otio_mapedit
from otio_mapedit import mapedit_file
from otio_mapedit.document import to_document
from otio_mapedit.errors import (
    DecisionListError,
    FormatError,
    MapeditError,
    OutputExistsError,
)
from otio_mapedit.json_text import line_of
from otio_mapedit.operations import DecisionList, Kind, Operation, Source, StreamExtent
from otio_mapedit.timing import FrameRange
from tests.decision_lists import decision_lists
from tests.interchange_strategies import property_test

SCHEMA = json.loads(
    (Path(otio_mapedit.__file__).parent / "decision_list.schema.json").read_text("utf-8")
)

TEXT = """{
  "MAPEDIT_SCHEMA": "DecisionList.1",
  "name": "talk",
  "rate": "30000/1001",
  "start_frame": 107892,
  "drop_frame": true,
  "sources": [
    {"id": "talk", "path": "clips/talk.mp4", "name": "talk.mp4", "rate": "30000/1001",
     "frame_count": 300, "start_frame": 107892, "drop_frame": true, "comment": "camera A",
     "video": {"index": 0, "extent": {"start": 0, "duration": 300}}}
  ],
  "operations": [
    {"kind": "keep", "source": "talk", "range": {"start": 0, "duration": 100}, "id": "k1"},
    {"kind": "drop", "source": "talk", "range": {"start": 100, "duration": 100}, "id": "d1"},
    {"kind": "keep", "source": "talk", "range": {"start": 200, "duration": 100}, "id": "k2"}
  ]
}
"""


@property_test
@given(decision_lists(), st.sampled_from([None, "/media", "/media/s0", "/elsewhere"]))
def test_inverse(decisions: DecisionList, folder: str | None) -> None:
    place = Path(folder) if folder else None
    text = mapedit_file.dumps(decisions, place)
    assert mapedit_file.loads(text, place) == decisions
    jsonschema.validate(json.loads(text), SCHEMA)


def test_a_file_by_hand() -> None:
    decisions = mapedit_file.loads(TEXT, Path("/jobs/today"))
    assert decisions.sources[0].path == "/jobs/today/clips/talk.mp4"
    assert decisions.rate == Fraction(30000, 1001)
    assert decisions.operations[1] == Operation(Kind.DROP, "talk", FrameRange(100, 100), "d1")
    jsonschema.validate(json.loads(TEXT), SCHEMA)


def test_written_for_people(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "cut.mapedit"
    decisions = mapedit_file.loads(TEXT, tmp_path / "a")
    mapedit_file.write(path, decisions)
    text = path.read_text("utf-8")
    assert '"path": "clips/talk.mp4"' in text
    rows = [line for line in text.splitlines() if '"kind"' in line]
    assert len(rows) == 3
    # 01:00:00;00 at 29.97 drop-frame is frame 107892.
    assert '"at": "01:00:03;10 - 01:00:06;20"' in rows[1]
    assert mapedit_file.read(path) == decisions
    with pytest.raises(OutputExistsError):
        mapedit_file.write(path, decisions)
    mapedit_file.write(path, decisions, force=True)
    path.rename(tmp_path / "cut.mapedit")
    moved = mapedit_file.read(tmp_path / "cut.mapedit")
    assert moved.sources[0].path == str(tmp_path / "clips" / "talk.mp4")


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ('"name": "talk",\n', '"name": "talk"\n', 4, "", "not JSON"),
        ("DecisionList.1", "DecisionList.7", 2, "MAPEDIT_SCHEMA", "newer"),
        ("DecisionList.1", "Timeline.1", 2, "MAPEDIT_SCHEMA", "not a schema"),
        ('"rate": "30000/1001",\n  "start', '"rate": "30/0",\n  "start', 4, "rate", "frame rate"),
        ('"rate": "30000/1001",\n  "start', '"rate": 29.97,\n  "start', 4, "rate", "30000/1001"),
        ('"kind": "drop"', '"kind": "dorp"', 14, "operations[1].kind", "Did you mean drop"),
        ('"start": 200', '"start": -1', 15, "operations[2].range.start", "out of bounds"),
        ('"start": 200', '"start": 2.5', 15, "operations[2].range.start", "whole number"),
        ('"start": 200', '"start": true', 15, "operations[2].range.start", "whole number"),
        ('"start": 200', '"start": 1e999', 15, "operations[2].range.start", "whole number"),
        ('"start": 200', '"start": ' + "9" * 30, 15, "operations[2].range.start", "bounds"),
        ('"start": 200', '"start": ' + "9" * 5000, None, "", ""),
        ('"start": 200', '"start": NaN', None, "", "NaN"),
        ('"start": 200, ', '"strat": 200, ', 15, "operations[2].range", "start is missing"),
        ('"duration": 100}, "id": "k2"', '"duration": 101}, "id": "k2"', 15,
         "operations[2].range", "after the end"),
        ('"duration": 100}, "id": "k2"', '"duration": 0}, "id": "k2"', 15,
         "operations[2].range", "empty"),
        ('"id": "k2"', '"id": "k1"', 15, "operations[2].id", "two operations"),
        ('"id": "k2"', '"idd": "k2"', 15, "operations[2].idd", "Did you mean id"),
        ('"id": "k2"', '"id": 7', 15, "operations[2].id", "text"),
        ('"id": "k2"', '"confidence": 2', 15, "operations[2].confidence", "0 to 1"),
        ('"id": "k2"', '"confidence": "high"', 15, "operations[2].confidence", "not a number"),
        ('"id": "k2"', '"id": "a", "id": "b"', 15, "operations[2].id", "twice"),
        ('"id": "k2"', '"parameters": [1]', 15, "operations[2].parameters", "object"),
        ('"id": "k2"', '"parameters": {"x": 1e300}', 15, "operations[2].parameters", "large"),
        ('"id": "k2"', '"reason": "\\ud800"', 15, "operations[2].reason", "Unicode"),
        ('"kind": "keep", "source": "talk", "range": {"start": 200',
         '"kind": "keep", "source": "tlak", "range": {"start": 200', 15,
         "operations[2].source", "no source"),
        ('"path": "clips/talk.mp4", ', "", 8, "sources[0]", "path is missing"),
        ('"frame_count": 300', '"frame_count": 200', 10, "sources[0].video.extent", "200"),
        ('"drop_frame": true,\n  "sources"', '"drop_frame": "yes",\n  "sources"', 6,
         "drop_frame", "true"),
        ('"operations": [', '"operation": [', 1, "", "operations is missing"),
        ('"operations": [', '"operations": {', 15, "", "not JSON"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, line: int | None, field: str, says: str) -> None:
    assert TEXT.count(old) >= 1
    head, _, tail = TEXT.rpartition(old) if "30000" not in old else TEXT.partition(old)
    with pytest.raises(DecisionListError) as caught:
        mapedit_file.loads(head + new + tail)
    error = caught.value
    if "not JSON" not in says:
        assert error.line == line
    assert error.field == field
    assert says in str(error)
    assert error.remedy
    assert "\n" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.field) == (str(error), error.line, error.field)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "null", '"x"', "{}", "[" * 100_000, '{"a":' * 100_000, "\ufeff{}", "{\0}"],
)
def test_not_a_decision_list(text: str) -> None:
    with pytest.raises(DecisionListError):
        mapedit_file.loads(text)


def test_unreadable_files(tmp_path: Path) -> None:
    huge = tmp_path / "huge.mapedit"
    with huge.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    binary = tmp_path / "binary.mapedit"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    for path in (huge, binary, tmp_path, tmp_path / "none.mapedit", Path("/dev/zero")):
        with pytest.raises(FormatError):
            mapedit_file.read(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gives_a_traceback(data: st.DataObject) -> None:
    """Any value anywhere, any cut in the text: our errors or a decision list."""
    document: Any = json.loads(TEXT)
    value: Any = document
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key: Any = data.draw(st.sampled_from(list(keys)))
        parent, value = value, value[key]
        if data.draw(st.booleans()):
            parent[key] = data.draw(
                st.one_of(
                    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
                    st.just([]), st.just({}), st.just([[]]), st.just(10**400),
                )
            )  # fmt: skip
            value = None
    text = json.dumps(document, indent=data.draw(st.sampled_from([None, 1])))
    text = text[: data.draw(st.integers(0, len(text)))] if data.draw(st.booleans()) else text
    with contextlib.suppress(MapeditError):
        assert isinstance(mapedit_file.loads(text), DecisionList)


def test_lines_of_fields() -> None:
    text = '{\n"a": [1,\n{"b": {}, "c":\n "x\\"}{"},\n[]], "d":\n2}'
    assert [line_of(text, path) for path in ("a", "a[1].b", "a[1].c", "a[2]", "d", "e.f")] == [
        2, 3, 4, 5, 6, 1,
    ]  # fmt: skip


def test_what_cannot_be_read_back_is_not_written() -> None:
    whole = FrameRange(0, 10)
    source = Source("s", "/a\udcff.mov", "a", Fraction(25), 10, video=StreamExtent(0, whole))
    decisions = DecisionList("x", Fraction(25), (source,), (Operation(Kind.KEEP, "s", whole),))
    with pytest.raises(DecisionListError, match="Unicode"):
        mapedit_file.dumps(decisions)


def test_numbers_are_settled() -> None:
    operation = Operation(
        Kind.KEEP, "s", FrameRange(0, 1), confidence=1 / 3, parameters={"x": [2 / 3, (1e-320,)]}
    )
    assert operation.confidence == 0.333333
    assert operation.parameters == {"x": [0.666666667, [0.0]]}


def test_the_document_leaves_defaults_out() -> None:
    document = to_document(mapedit_file.loads(TEXT))
    assert set(document["operations"][0]) == {"kind", "source", "range", "id"}
