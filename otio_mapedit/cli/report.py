"""What an edit amounts to, in numbers and in a few lines for the person at the desk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..operations import PLACING, DecisionList, Kind, Operation
from ..timing import rate_text, seconds_at, timecode
from .common import plural

#: Colour of the markers that ask for a look.
REVIEW_COLOUR = "ORANGE"

#: What joins clips, in an editor's words.
_JOIN_WORDS = {
    Kind.CUT: "cut", Kind.DISSOLVE: "dissolve", Kind.WIPE: "wipe", Kind.FADE_IN: "fade-in",
    Kind.FADE_OUT: "fade-out",
}  # fmt: skip

#: Where a program opens a timeline.
OPEN_WITH = {
    "resolve": "open in DaVinci Resolve: File > Import > Timeline",
    "premiere": "open in Premiere Pro 25.6 or later: File > Import",
    "finalcut": "open in Final Cut Pro: File > Import > XML",
    "kdenlive": "open in Kdenlive 25.04 or later: File > OpenTimelineIO Import",
    "shotcut": "open in Shotcut: File > Open File",
    "jianying": "put the folder among JianYing's drafts, then open it there",
    "plain": "for DaVinci Resolve or Premiere Pro, add --for resolve or --for premiere",
}
#: The same for kinds of file that some program opens without a dialect of its own.
OPEN_PLAIN = {
    ".fcpxml": "open in DaVinci Resolve; for Final Cut Pro, add --for finalcut",
    ".xml": "open in Premiere Pro: File > Import; for DaVinci Resolve, add --for resolve",
    ".mlt": "open in Shotcut: File > Open File; add it to Kdenlive as a clip; or play it with melt",
    ".aaf": "open in Avid Media Composer: drop it on a bin, then relink the media",
    ".edl": "open in any program that imports an EDL; it will ask for the media",
}


@dataclass(frozen=True)
class Report:
    """The numbers of one edit. Times are seconds of source material."""

    name: str
    recipe: str
    rate: Fraction
    start: str  # timecode of the sequence's first frame
    sources: tuple[str, ...]
    source_seconds: Fraction
    clips: int
    black: int  # clips of black between shots
    kept_seconds: Fraction
    dropped: int
    dropped_seconds: Fraction
    joins: dict[str, int]  # cut, dissolve, wipe, fade_in, fade_out: how many
    markers: int
    review: int  # markers that ask for a look
    options: dict[str, Any]  # what the recipe was told
    generator: str  # program and networks
    note: str = ""  # what is particular about this edit


def report(decisions: DecisionList) -> Report:
    """Count what a decision list holds."""
    operations = decisions.operations
    placed = [op for op in operations if op.kind in PLACING]
    dropped = [op for op in operations if op.kind is Kind.DROP]
    return Report(
        name=decisions.name,
        recipe=decisions.recipe,
        rate=decisions.rate,
        start=timecode(decisions.start_frame, decisions.rate, decisions.drop_frame),
        sources=tuple(source.name for source in decisions.sources),
        source_seconds=sum(
            (seconds_at(source.frame_count, source.rate) for source in decisions.sources),
            Fraction(0),
        ),
        clips=len(placed),
        black=sum(op.reason == "black" for op in placed),
        kept_seconds=_seconds(decisions, placed),
        dropped=len(dropped),
        dropped_seconds=_seconds(decisions, dropped),
        joins=_joins(operations),
        markers=sum(op.kind is Kind.MARK for op in operations),
        review=sum(for_review(op) for op in operations),
        options=dict(decisions.options),
        generator=decisions.generator,
        note=str(decisions.metadata.get("note", "")),
    )


def for_review(operation: Operation) -> bool:
    """Whether an operation is a marker that asks for a look."""
    colour = str(operation.parameters.get("colour", ""))
    return operation.kind is Kind.MARK and colour.upper() == REVIEW_COLOUR


def facts(found: Report) -> dict[str, Any]:
    """The numbers as plain JSON."""
    return {
        "name": found.name,
        "recipe": found.recipe,
        "rate": str(found.rate),
        "start": found.start,
        "sources": list(found.sources),
        "source_seconds": float(found.source_seconds),
        "clips": found.clips,
        "black": found.black,
        "kept_seconds": float(found.kept_seconds),
        "dropped": found.dropped,
        "dropped_seconds": float(found.dropped_seconds),
        "joins": found.joins,
        "markers": found.markers,
        "review": found.review,
        "options": found.options,
        "generator": found.generator,
        "note": found.note,
    }


def lines(found: Report, destination: Path | None, program: str) -> list[str]:
    """The summary: what went in, what was decided, where it is and where to open it."""
    made = [f"{_sources(found)}   {rate_text(found.rate)} fps   start {found.start}"]
    if found.recipe == "shots":
        made.append(" · ".join(_shot_counts(found)))
    else:
        kept = f"kept {length(found.kept_seconds)} of {length(found.source_seconds)}"
        dropped = f"dropped {plural(found.dropped, 'passage')}, {length(found.dropped_seconds)}"
        made.append(
            f"{kept} in {plural(found.clips, 'clip')} · "
            f"{dropped if found.dropped else 'nothing dropped'}"
        )
    if found.note:
        made.append(found.note)
    if found.review:
        made.append(f"{found.review} to review (orange markers)")
    if destination is not None:
        made.append(f"wrote {destination}")
        suffix = destination.suffix.lower()
        if suffix != ".mapedit":
            made.append(
                (OPEN_PLAIN.get(suffix) if program == "plain" or suffix == ".mlt" else "")
                or OPEN_WITH[program]
            )
    return made


def length(seconds: Fraction) -> str:
    """A duration for people: ``8.4 s``, ``14 min 02 s``, ``1 h 05 min``."""
    if seconds < 60:
        return f"{float(seconds):.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _sources(found: Report) -> str:
    name = found.sources[0] if len(found.sources) == 1 else plural(len(found.sources), "file")
    return f"{name}   {length(found.source_seconds)}"


def _joins(operations: Iterable[Operation]) -> dict[str, int]:
    """How many of each. A fade beside a clip of black is a dissolve with it; the reason says so."""
    counts = {str(kind): 0 for kind in _JOIN_WORDS}
    for operation in operations:
        name = operation.reason.partition(",")[0].replace("-", "_")
        if name in (Kind.FADE_IN, Kind.FADE_OUT):
            counts[name] += 1
        elif operation.kind in _JOIN_WORDS:
            counts[operation.kind] += 1
    return counts


def _shot_counts(found: Report) -> list[str]:
    counts = [
        plural(found.joins[kind], word) for kind, word in _JOIN_WORDS.items() if found.joins[kind]
    ]
    return [plural(found.clips - found.black, "shot"), *counts]


def _seconds(decisions: DecisionList, operations: Iterable[Operation]) -> Fraction:
    rates = {source.id: source.rate for source in decisions.sources}
    return sum((seconds_at(op.range.duration, rates[op.source]) for op in operations), Fraction(0))
