"""Decision lists as plain JSON values, strictly read.

:func:`to_document` and :func:`from_document` are inverse to each other. The same values travel in
``.mapedit`` files (:mod:`otio_mapedit.mapedit_file`) and in the metadata of assembled timelines.
Everything that is read is checked: types, names, bounds. What a value *means* on a timeline is
checked by :mod:`otio_mapedit.programme`.

``decision_list.schema.json`` beside this module says the same as a JSON Schema.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from .errors import DecisionListError
from .fields import Fields, join, kind_name, show
from .operations import DecisionList, Operation, Source, StreamExtent
from .timing import FrameRange

#: Name and version of the document, after OTIO's own style.
SCHEMA = "DecisionList.1"


def to_document(decisions: DecisionList) -> dict[str, Any]:
    """The decision list as JSON values; defaults are left out."""
    document: dict[str, Any] = {
        "MAPEDIT_SCHEMA": SCHEMA,
        "name": decisions.name,
        "rate": exact_rate_text(decisions.rate),
        "start_frame": decisions.start_frame,
        "drop_frame": decisions.drop_frame,
    }
    for key in ("recipe", "generator"):
        if value := getattr(decisions, key):
            document[key] = value
    for key in ("options", "metadata"):
        if value := getattr(decisions, key):
            document[key] = dict(value)
    document["sources"] = [source_document(source) for source in decisions.sources]
    document["operations"] = [operation_document(op) for op in decisions.operations]
    return document


def source_document(source: Source) -> dict[str, Any]:
    """A source as JSON values."""
    document: dict[str, Any] = {
        "id": source.id,
        "path": source.path,
        "name": source.name,
        "rate": exact_rate_text(source.rate),
        "frame_count": source.frame_count,
        "start_frame": source.start_frame,
        "drop_frame": source.drop_frame,
    }
    for key in ("reel", "width", "height", "fingerprint"):
        if value := getattr(source, key):
            document[key] = value
    if source.video is not None:
        document["video"] = _stream_document(source.video)
    if source.audio:
        document["audio"] = [_stream_document(stream) for stream in source.audio]
    return document


def operation_document(operation: Operation) -> dict[str, Any]:
    """An operation as JSON values."""
    document: dict[str, Any] = {
        "kind": operation.kind.value,
        "source": operation.source,
        "range": range_document(operation.range),
    }
    if operation.id:
        document["id"] = operation.id
    if operation.confidence != 1.0:
        document["confidence"] = operation.confidence
    if operation.reason:
        document["reason"] = operation.reason
    if operation.parameters:
        document["parameters"] = dict(operation.parameters)
    return document


def range_document(span: FrameRange) -> dict[str, int]:
    """A range as JSON values."""
    return {"start": span.start, "duration": span.duration}


def exact_rate_text(rate: Fraction) -> str:
    """A rate without loss: ``25`` or ``30000/1001``."""
    return str(rate)


def from_document(value: Any) -> DecisionList:
    """The decision list that JSON values describe.

    Raises:
        DecisionListError: anything missing, unknown, of the wrong type or out of bounds;
            ``field`` says where.
    """
    if not isinstance(value, dict):
        raise DecisionListError(
            f"a decision list is an object, not {kind_name(value)}", "Start it with {."
        )
    check_schema(value.get("MAPEDIT_SCHEMA"))
    fields = Fields(value, "")
    fields.take("MAPEDIT_SCHEMA", None)
    rate = fields.rate("rate")
    decisions = DecisionList(
        name=fields.text("name", ""),
        rate=rate,
        start_frame=fields.integer("start_frame", 0, default=0),
        drop_frame=fields.drop_frame(rate),
        recipe=fields.text("recipe", ""),
        options=fields.mapping("options"),
        generator=fields.text("generator", ""),
        metadata=fields.mapping("metadata"),
        sources=tuple(source_from(item, at) for item, at in fields.items("sources")),
        operations=tuple(operation_from(item, at) for item, at in fields.items("operations")),
    )
    fields.finish()
    return decisions


def check_schema(schema: Any) -> None:
    """Refuse what is not a decision list of this version.

    Raises:
        DecisionListError: unknown, or newer than this program.
    """
    if schema == SCHEMA:
        return
    found = re.fullmatch(r"DecisionList\.([0-9]{1,6})", schema) if isinstance(schema, str) else None
    if found and int(found[1]) > 1:
        raise DecisionListError(
            f"this is {schema}, written by a newer version; this one reads {SCHEMA}",
            "Update with: pip install -U otio-mapedit",
            field="MAPEDIT_SCHEMA",
        )
    raise DecisionListError(
        "this is not a decision list" if schema is None else f"{show(schema)} is not a schema",
        f'It must hold "MAPEDIT_SCHEMA": "{SCHEMA}".',
        field="MAPEDIT_SCHEMA",
    )


def source_from(value: Any, field: str) -> Source:
    """A source from JSON values, found at ``field``.

    Raises:
        DecisionListError: see :func:`from_document`.
    """
    fields = Fields(value, field)
    rate = fields.rate("rate")
    frame_count = fields.integer("frame_count", 0)
    source = Source(
        id=fields.text("id", required=True),
        path=fields.text("path", required=True),
        name=fields.text("name", ""),
        rate=rate,
        frame_count=frame_count,
        start_frame=fields.integer("start_frame", 0, default=0),
        drop_frame=fields.drop_frame(rate),
        reel=fields.text("reel", ""),
        width=fields.integer("width", 0, default=0),
        height=fields.integer("height", 0, default=0),
        video=_optional_stream(fields, frame_count),
        audio=tuple(_stream_from(item, at, frame_count) for item, at in fields.items("audio", ())),
        fingerprint=fields.text("fingerprint", ""),
    )
    fields.finish()
    return source


def operation_from(value: Any, field: str) -> Operation:
    """An operation from JSON values, found at ``field``.

    Raises:
        DecisionListError: see :func:`from_document`.
    """
    fields = Fields(value, field)
    operation = Operation(
        kind=fields.kind(),
        source=fields.text("source", required=True),
        range=fields.range("range"),
        id=fields.text("id", ""),
        confidence=fields.number("confidence", 0.0, 1.0, default=1.0),
        reason=fields.text("reason", ""),
        parameters=fields.mapping("parameters"),
    )
    fields.finish()
    return operation


def _stream_document(stream: StreamExtent) -> dict[str, Any]:
    document: dict[str, Any] = {"index": stream.index, "extent": range_document(stream.extent)}
    for key in ("channels", "layout", "sample_rate", "name"):
        if value := getattr(stream, key):
            document[key] = value
    return document


def _optional_stream(fields: Fields, frame_count: int) -> StreamExtent | None:
    value = fields.take("video", None)
    return None if value is None else _stream_from(value, fields.at("video"), frame_count)


def _stream_from(value: Any, field: str, frame_count: int) -> StreamExtent:
    fields = Fields(value, field)
    stream = StreamExtent(
        index=fields.integer("index", 0),
        extent=fields.range("extent"),
        channels=fields.integer("channels", 0, default=0),
        layout=fields.text("layout", ""),
        sample_rate=fields.integer("sample_rate", 0, default=0),
        name=fields.text("name", ""),
    )
    fields.finish()
    if stream.extent.end > frame_count:
        raise DecisionListError(
            f"the stream ends at frame {stream.extent.end}, the file at {frame_count}",
            "Shorten the extent.",
            field=join(field, "extent"),
        )
    return stream
