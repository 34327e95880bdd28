"""The edit, in words: a decision list of operations on sources.

A :class:`DecisionList` is what a recipe decides and what ``.mapedit`` files hold. Reading it from
top to bottom plays the programme: ``keep`` and ``insert`` place their range at the end of what is
placed so far, everything else speaks about the operation it follows, or (``fade_in``, and the
joins ``cut``, ``dissolve``, ``wipe``) about the one it precedes too. All ranges count frames of
the *source's* grid from the file's first frame (0), never timecode; offsets in ``parameters``
count frames of the *sequence*.

==========  =========================================================================
keep        place this range of the source; ``name``, if given, names its clip
drop        leave this range out; ``mode`` says how: ``extract`` (default) closes the
            hole, ``lift`` leaves a gap of its length, ``disable`` places it as a
            disabled clip, ``mark`` places it enabled, under a red marker
insert      place a range outside the keep/drop partition (a second use)
cut         the join between two placed ranges; ``range`` is empty, at the incoming
            picture
dissolve    the join is a dissolve; ``in_offset``, ``out_offset``: sequence frames
            before and after the cut; ``range``: the source frames of the outgoing clip
            that it covers; ``audio: false`` leaves the sound a straight cut,
            ``picture: false`` the picture: a crossfade
wipe        the same with a wipe; ``pattern`` names it where it is known
fade_in     the next placed range fades in from black over ``length`` sequence frames;
            ``range``: the source frames that it covers
fade_out    the placed range before fades out over ``length`` sequence frames
speed       the placed range before plays at ``scalar`` times its speed, backwards below 0;
            ``range`` is the whole placed range, as for grade
grade       the placed range before gets an ASC CDL: ``slope``, ``offset``, ``power``
            (three numbers each), ``saturation``
mark        a marker over ``range``, with ``name``, ``note``, ``colour``
==========  =========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from .errors import DecisionListError
from .timing import FrameRange

#: What a parameter may hold: plain JSON.
Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

EMPTY: Mapping[str, Value] = MappingProxyType({})


class Kind(StrEnum):
    """The vocabulary of edits."""

    KEEP = "keep"
    DROP = "drop"
    INSERT = "insert"
    CUT = "cut"
    DISSOLVE = "dissolve"
    WIPE = "wipe"
    FADE_IN = "fade_in"
    FADE_OUT = "fade_out"
    SPEED = "speed"
    GRADE = "grade"
    MARK = "mark"


#: Operations that put picture or sound on the timeline.
PLACING = frozenset({Kind.KEEP, Kind.INSERT})
#: Operations between two placed ranges.
JOINS = frozenset({Kind.CUT, Kind.DISSOLVE, Kind.WIPE})
#: How a dropped range leaves the programme.
DROP_MODES = ("extract", "lift", "disable", "mark")


def settled(value: Value) -> Value:
    """A free-form value with its numbers as every format keeps them: nine decimals, or twelve
    digits where a number is large. (OTIO's reader is not exact beyond that.)"""
    if isinstance(value, float):
        small = abs(value) < 1e6
        return float(round(value, 9)) if small else float(f"{value:.12g}")
    if isinstance(value, Mapping):
        return {key: settled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [settled(item) for item in value]
    return value


def _settled(values: Mapping[str, Value]) -> Mapping[str, Value]:
    return {key: settled(value) for key, value in values.items()} if values else EMPTY


@dataclass(frozen=True, slots=True)
class StreamExtent:
    """One stream of a source: where on the source's grid it has content."""

    index: int  # stream index in the file
    extent: FrameRange
    channels: int = 0  # sound only
    layout: str = ""
    sample_rate: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A media file as an edit refers to it."""

    id: str
    path: str  # absolute, or relative to the folder of the .mapedit file
    name: str
    rate: Fraction
    frame_count: int
    start_frame: int = 0  # timecode of frame 0, as a frame count
    drop_frame: bool = False
    reel: str = ""
    width: int = 0  # as shown: after rotation and pixel aspect; 0 without picture
    height: int = 0
    video: StreamExtent | None = None
    audio: tuple[StreamExtent, ...] = ()
    fingerprint: str = ""

    @property
    def available(self) -> FrameRange:
        """The whole file on its grid."""
        return FrameRange(0, self.frame_count)


@dataclass(frozen=True, slots=True)
class Operation:
    """One edit. ``confidence`` is 0 to 1 (six decimals count), ``reason`` a phrase for the editor.
    Numbers in ``parameters`` are :func:`settled`."""

    kind: Kind
    source: str  # Source.id
    range: FrameRange
    id: str = ""
    confidence: float = 1.0
    reason: str = ""
    parameters: Mapping[str, Value] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        object.__setattr__(self, "confidence", float(round(self.confidence, 6)))
        object.__setattr__(self, "parameters", _settled(self.parameters))


@dataclass(frozen=True, slots=True)
class DecisionList:
    """An edit: the sequence's clock, the sources, and the operations in programme order."""

    name: str
    rate: Fraction  # of the sequence
    sources: tuple[Source, ...]
    operations: tuple[Operation, ...]
    start_frame: int = 0  # timecode of the sequence's first frame
    drop_frame: bool = False
    recipe: str = ""
    options: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    generator: str = ""  # program and network versions that decided
    metadata: Mapping[str, Value] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _settled(self.options))
        object.__setattr__(self, "metadata", _settled(self.metadata))

    def source(self, identifier: str) -> Source:
        """The source called ``identifier``.

        Raises:
            DecisionListError: there is none.
        """
        for source in self.sources:
            if source.id == identifier:
                return source
        raise DecisionListError(
            f"no source is called {identifier!r}",
            "Use one of: " + (", ".join(source.id for source in self.sources) or "(none)") + ".",
        )

    def of_source(self, identifier: str) -> tuple[Operation, ...]:
        """The operations on one source, in programme order."""
        return tuple(op for op in self.operations if op.source == identifier)


def partition_faults(decisions: DecisionList) -> list[str]:
    """Where keep and drop ranges overlap, leave a hole, or run outside their source.

    The first invariant of an edit: each source is partitioned, so that no frame is lost silently
    and none is kept twice. A source that no keep or drop names is not used and has no faults.
    """
    faults = []
    for source in decisions.sources:
        ranges = sorted(
            (
                op.range
                for op in decisions.of_source(source.id)
                if op.kind in (Kind.KEEP, Kind.DROP)
            ),
        )
        at = 0
        for span in ranges:
            if span.start < at:
                faults.append(f"{source.name}: frames {span.start} to {at} are decided twice")
            elif span.start > at:
                faults.append(f"{source.name}: frames {at} to {span.start} are not decided")
            at = max(at, span.end)
        if ranges and at < source.frame_count:
            faults.append(f"{source.name}: frames {at} to {source.frame_count} are not decided")
        if at > source.frame_count:
            faults.append(f"{source.name}: frame {at} is after its end ({source.frame_count})")
    return faults
