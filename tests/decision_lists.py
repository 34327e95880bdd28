"""Hypothesis strategies for valid decision lists: the whole vocabulary, mixed rates, many files."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st

from otio_mapedit.errors import DecisionListError
from otio_mapedit.operations import (
    PLACING,
    DecisionList,
    Kind,
    Operation,
    Source,
    StreamExtent,
)
from otio_mapedit.placements import covered_at_head, covered_at_tail, scalar_of
from otio_mapedit.programme import COLOURS, programme
from otio_mapedit.timing import FrameRange, can_drop_frames

RATES = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(50),
    Fraction(60000, 1001),
)
SCALARS = (0.5, 2, 2.0, 0.3333, -1, -1.5, 1.25, 0.01, 100)

ATTACHED = (
    Kind.DISSOLVE, Kind.WIPE, Kind.DISSOLVE, Kind.FADE_IN, Kind.FADE_OUT,
    Kind.CUT, Kind.SPEED, Kind.GRADE, Kind.MARK,
)  # fmt: skip

#: Text that every format can carry: no NUL, no half characters.
texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=0, max_size=8
)
names = st.text(st.characters(exclude_characters="\0/", exclude_categories=("Cs",)), max_size=8)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
numbers = st.one_of(whole, st.floats(-(2.0**53) + 1, 2.0**53 - 1))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=3,
)
mappings = st.dictionaries(texts, values, max_size=2)


@st.composite
def extents(draw: st.DrawFn, frame_count: int) -> FrameRange:
    start = draw(st.integers(0, frame_count))
    return FrameRange.between(start, draw(st.integers(start, frame_count)))


@st.composite
def sources(draw: st.DrawFn, identifier: str, rate: Fraction | None = None) -> Source:
    """A source of which at least one stream covers all of it."""
    rate = rate or draw(st.sampled_from(RATES))
    frame_count = draw(st.integers(1, 300))
    pictured, sounds = draw(st.sampled_from([(True, 0), (True, 1), (True, 2), (False, 2)]))
    spans = [
        draw(st.one_of(st.just(FrameRange(0, frame_count)), extents(frame_count)))
        for _ in range(pictured + sounds)
    ]
    spans[draw(st.integers(0, len(spans) - 1))] = FrameRange(0, frame_count)
    streams = [
        StreamExtent(
            number, span, *((2, "stereo", 48000, draw(texts)) if number >= pictured else ())
        )
        for number, span in enumerate(spans)
    ]
    stem = draw(names.filter(lambda name: name not in (".", "..")))
    return Source(
        id=identifier,
        path=f"/media/{identifier}/{stem}.mov",
        name=f"{stem}.mov",
        rate=rate,
        frame_count=frame_count,
        start_frame=draw(st.one_of(st.just(0), st.integers(0, 24 * 3600 * 30))),
        drop_frame=draw(st.booleans()) and can_drop_frames(rate),
        reel=draw(texts),
        width=draw(st.sampled_from((0, 1920))),
        height=draw(st.sampled_from((0, 1080))),
        video=streams[0] if pictured else None,
        audio=tuple(streams[pictured:]),
        fingerprint=draw(st.sampled_from(("", "ab12"))),
    )


def playable(decisions: DecisionList) -> bool:
    try:
        programme(decisions)
    except DecisionListError:
        return False
    return True


@st.composite
def _base(draw: st.DrawFn, source: Source) -> list[Operation]:
    """Keeps and drops that partition a source, or nothing but inserts."""
    length = source.frame_count
    if draw(st.integers(0, 5)) == 0:
        return [Operation(Kind.INSERT, source.id, FrameRange(0, length))]
    cuts = sorted(draw(st.sets(st.integers(1, length), max_size=5)) | {0, length})
    result = []
    for start, end in pairwise(cuts):
        span = FrameRange.between(start, end)
        if draw(st.booleans()):
            result.append(Operation(Kind.KEEP, source.id, span))
            continue
        mode = draw(st.sampled_from((None, "extract", "lift", "disable", "mark")))
        result.append(
            Operation(Kind.DROP, source.id, span, parameters={"mode": mode} if mode else {})
        )
    if draw(st.integers(0, 3)) == 0:
        start = draw(st.integers(0, length - 1))
        span = FrameRange.between(start, draw(st.integers(start + 1, length)))
        result.append(Operation(Kind.INSERT, source.id, span))
    return result


@st.composite
def _attachment(draw: st.DrawFn, decisions: DecisionList) -> tuple[int, Operation]:
    """An operation that may fit somewhere, and where it goes."""
    operations = decisions.operations
    placed = [n for n, op in enumerate(operations) if op.kind in PLACING]
    kind = draw(st.sampled_from(ATTACHED))
    if kind is Kind.MARK or not placed:
        source = draw(st.sampled_from(decisions.sources))
        parameters = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": texts,
                    "note": texts,
                    "colour": st.sampled_from([*COLOURS, "red", "Blue"]),
                    "more": values,
                },
            )
        )
        span = draw(extents(source.frame_count))
        at = draw(st.integers(0, len(operations)))
        return at, Operation(Kind.MARK, source.id, span, parameters=parameters)
    number = draw(st.integers(0, len(placed) - 1))
    here = operations[placed[number]]
    source = decisions.source(here.source)
    behind = placed[number + 1] if number + 1 < len(placed) else len(operations)
    after = draw(st.integers(placed[number] + 1, behind))
    before = draw(st.integers(placed[number - 1] + 1 if number else 0, placed[number]))
    if kind is Kind.SPEED:
        parameters = {"scalar": draw(st.sampled_from(SCALARS))}
        return after, Operation(kind, source.id, here.range, parameters=parameters)
    if kind is Kind.GRADE:
        triple = st.lists(st.floats(0, 4), min_size=3, max_size=3)
        parameters = draw(
            st.fixed_dictionaries(
                {"slope": triple}, optional={"power": triple, "saturation": st.floats(0, 2)}
            )
        )
        return after, Operation(kind, source.id, here.range, parameters=parameters)
    if kind is Kind.CUT:
        return before, Operation(kind, source.id, FrameRange(here.range.start, 0))
    clock = (here.range, source, _scalar(operations, placed[number], behind), decisions.rate)
    length = draw(st.integers(1, 6))
    sound = draw(st.sampled_from(({}, {}, {"audio": False}, {"audio": True})))
    if kind is Kind.FADE_IN:
        span = covered_at_head(*clock, length)
        return before, Operation(kind, source.id, span, parameters={"length": length, **sound})
    if kind is Kind.FADE_OUT:
        span = covered_at_tail(*clock, length, 0)
        return after, Operation(kind, source.id, span, parameters={"length": length, **sound})
    other = draw(st.integers(0, 6))
    span = covered_at_tail(*clock, length, other)
    parameters = {"in_offset": length, "out_offset": other, **sound}
    if kind is Kind.DISSOLVE and source.audio and not sound and draw(st.booleans()):
        parameters["picture"] = False
    if kind is Kind.WIPE and draw(st.booleans()):
        parameters["pattern"] = draw(texts)
    return behind, Operation(kind, source.id, span, parameters=parameters)


def _scalar(operations: tuple[Operation, ...], start: int, end: int) -> Fraction:
    for operation in operations[start:end]:
        if operation.kind is Kind.SPEED:
            return scalar_of(operation)
    return Fraction(1)


@st.composite
def decision_lists(draw: st.DrawFn) -> DecisionList:
    """Any valid decision list whose keeps and drops partition its sources."""
    rate = draw(st.sampled_from(RATES))
    same = draw(st.booleans())
    used = [
        draw(sources(f"s{number}", rate if same else None))
        for number in range(draw(st.integers(1, 3)))
    ]
    base = [op for source in used for op in draw(_base(source))]
    if draw(st.booleans()):
        base = draw(st.permutations(base))
    decisions = DecisionList(
        name=draw(texts),
        rate=rate,
        sources=tuple(used),
        operations=(),
        start_frame=draw(st.sampled_from((0, 86400, 107892))),
        drop_frame=draw(st.booleans()) and can_drop_frames(rate),
        recipe=draw(st.sampled_from(("", "roughcut"))),
        options=draw(mappings),
        generator=draw(texts),
        metadata=draw(mappings),
    )
    if playable(whole := replace(decisions, operations=tuple(base))):
        decisions, base = whole, []
    for operation in base:
        longer = replace(decisions, operations=(*decisions.operations, operation))
        if not playable(longer):  # shorter than a frame of the sequence
            dropped = replace(operation, kind=Kind.DROP)
            longer = replace(decisions, operations=(*decisions.operations, dropped))
            if operation.kind is Kind.INSERT:
                longer = decisions
        decisions = longer
    for _ in range(draw(st.integers(0, 12))):
        at, operation = draw(_attachment(decisions))
        rest = decisions.operations
        longer = replace(decisions, operations=(*rest[:at], operation, *rest[at:]))
        if playable(longer):
            decisions = longer
    return replace(decisions, operations=tuple(draw(_named(decisions.operations))))


@st.composite
def _named(draw: st.DrawFn, operations: tuple[Operation, ...]) -> list[Operation]:
    """With ids, confidences and reasons."""
    with_ids = draw(st.booleans())
    return [
        replace(
            operation,
            id=f"op{number}" if with_ids else "",
            confidence=draw(st.one_of(st.just(1.0), st.floats(0, 1))),
            reason=draw(st.one_of(st.just(""), texts)),
        )
        for number, operation in enumerate(operations)
    ]
