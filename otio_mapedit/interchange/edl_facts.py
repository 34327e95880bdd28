"""What the comments of an EDL say about a clip and about the whole sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..timing import FrameRange
from .edl_notes import Notes
from .gap_facts import read_gaps
from .timeline_facts import taken_back


@dataclass(slots=True)
class Sequence:
    """What our header comment says, defaults where it is not there."""

    start: int | None = None
    ends: tuple[int, ...] = ()
    video: str | None = None
    audio: tuple[tuple[str, tuple[str, ...]], ...] = ()
    name: str | None = None
    own: dict[str, Any] = field(default_factory=dict)
    gaps: tuple[list[tuple[FrameRange, dict[str, Any]]], ...] = ()


def gain_stated(notes: Notes) -> float | None:
    """Level in decibels: ours, else Avid's comment."""
    told = notes.data("CLIP").get("gain_db")
    return float(told) if isinstance(told, (int, float)) else notes.level


def clip_metadata(reel: str, notes: Notes, drop: bool | None) -> dict[str, Any]:
    """A clip's metadata; ``drop`` where its source counts unlike the record side."""
    found: dict[str, Any] = {"cmx_3600": {"reel": reel}}
    if notes.rest:
        found["cmx_3600"]["comments"] = list(notes.rest)
    if drop is not None:
        found["cmx_3600"]["drop_frame"] = drop
    told = notes.data("CLIP")
    own = taken_back(told)
    if "stream" in told:
        own["stream"] = told["stream"]
    if own:
        found["mapedit"] = own
    cdl: dict[str, Any] = {}
    if notes.sop:
        names = ("slope", "offset", "power")
        cdl["asc_sop"] = {n: list(v) for n, v in zip(names, notes.sop, strict=True)}
    if notes.saturation is not None:
        cdl["asc_sat"] = notes.saturation
    if cdl:
        found["cdl"] = cdl
    return found


def read_sequence(data: dict[str, Any]) -> Sequence:
    """The header comment SEQUENCE; what is damaged in it counts as missing."""
    found = Sequence()
    start, ends, audio = data.get("start"), data.get("ends"), data.get("audio")
    if isinstance(start, int):
        found.start = start
    if isinstance(ends, list) and all(isinstance(end, int) for end in ends):
        found.ends = tuple(ends)
    if isinstance(data.get("video"), str):
        found.video = data["video"]
    if isinstance(data.get("name"), str):
        found.name = data["name"]
    found.own = taken_back(data)
    gaps = data.get("gaps")
    found.gaps = tuple(read_gaps(one) for one in gaps) if isinstance(gaps, list) else ()
    try:
        found.audio = tuple(
            (str(name), tuple(f"A{int(number)}" for number in numbers))
            for name, numbers in audio or ()
            if numbers
        )
    except (TypeError, ValueError):
        found.audio = ()
    return found
