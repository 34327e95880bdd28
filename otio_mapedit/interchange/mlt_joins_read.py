"""Mixes and fades of MLT as OTIO's transitions, and how far they reach.

A fade of a clip beside a gap or an end is a dissolve from or to nothing; beside another clip it
goes through black, and a fade-out before a fade-in is one such transition.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..timing import rational_time
from .loss import LossReport
from .mlt_tracks import Part
from .mlt_words import DIP, DISSOLVE, NAMESPACE, WIPE, WIPES, note_of, properties_of

_TYPES = otio.schema.TransitionTypes


@dataclass(slots=True, eq=False)
class Joint:
    """A part where it truly begins and ends; without one, what is empty up to the track's end."""

    part: Part | None
    start: int
    end: int
    head: Any = None  # transition before it
    tail: Any = None  # transition after it, where nothing follows at once


def join_parts(parts: list[Part], length: int, rate: Fraction, report: LossReport) -> list[Joint]:
    """The parts of a track with the transitions between them; ``length`` is the track's."""
    joints = [Joint(part, part.start, part.end) for part in parts]
    for index in range(len(joints) + 1):
        left = joints[index - 1] if index else None
        right = joints[index] if index < len(joints) else None
        _join(left, right, rate)
    end = max([length, *(joint.end for joint in joints)])
    if (joints and joints[-1].end < end) or (not joints and end):
        joints.append(Joint(None, end, end))
    return joints


def _join(left: Joint | None, right: Joint | None, rate: Fraction) -> None:
    parts = [side.part for side in (left, right) if side is not None and side.part is not None]
    touching = len(parts) == 2 and parts[0].end == parts[1].start
    if touching and right is not None and right.part is not None and right.part.head is not None:
        tractor, before, after = right.part.head
        right.head = _transition(note_of(properties_of(tractor)), (before, after), rate, tractor)
        return
    out, into = _fade(left, "tail"), _fade(right, "head")
    if touching and left is not None and right is not None:
        if out or into:
            note = _note(left, "tail") or _note(right, "head")
            right.head = _transition(note, (out, into), rate, None, through_black=True)
        return
    if left is not None and out:
        note = _note(left, "tail")
        before, after = _written(note, out) or (out, 0)
        left.end -= after
        left.tail = _transition(note, (before, after), rate, None)
    if right is not None and into:
        note = _note(right, "head")
        before, after = _written(note, into) or (0, into)
        right.start += before
        right.head = _transition(note, (before, after), rate, None)


def _fade(joint: Joint | None, side: str) -> int:
    """Frames of the fade on one side of a part."""
    if joint is None or joint.part is None or joint.part.source is None:
        return 0
    source = joint.part.source
    frames = source.fade_out if side == "tail" else source.fade_in
    return min(frames, joint.part.end - joint.part.start)


def _note(joint: Joint, side: str) -> dict[str, Any]:
    source = joint.part.source if joint.part is not None else None
    note = source.note.get(side) if source is not None else None
    return note if isinstance(note, dict) else {}


def _written(note: dict[str, Any], frames: int) -> tuple[int, int] | None:
    """Frames before and after the cut as they were written, where they come to ``frames``."""
    written = note.get("written")
    if not isinstance(written, list) or len(written) != 2:
        return None
    before, after = written
    if not isinstance(before, int) or not isinstance(after, int) or min(before, after) < 0:
        return None
    return (before, after) if before + after == frames else None


def _transition(
    note: dict[str, Any],
    frames: tuple[int, int],
    rate: Fraction,
    tractor: Element | None,
    through_black: bool = False,
) -> otio.schema.Transition:
    """The transition of ``frames`` before and after its cut; what rides along says the rest."""
    offsets = [rational_time(count, rate) for count in frames]
    if note.get("written") == list(frames):
        try:
            said = [otio.opentime.RationalTime(*map(float, pair)) for pair in note["offsets"]]
            if len(said) == 2 and all(time.rate > 0 and time.value >= 0 for time in said):
                offsets = said
        except (KeyError, TypeError, ValueError):
            pass
        name, kind = str(note.get("name") or ""), str(note.get("type") or _TYPES.Custom)
    elif through_black:
        name, kind = DIP, _TYPES.Custom
    elif tractor is not None and (wipe := _wipe(tractor)) is not None:
        name, kind = WIPE, _TYPES.Custom
        note = {"own": {"pattern": wipe}}
    else:
        name, kind = DISSOLVE, _TYPES.SMPTE_Dissolve
    transition = otio.schema.Transition(name, kind, *offsets)
    if isinstance(note.get("own"), dict) and note["own"]:
        transition.metadata[NAMESPACE] = note["own"]
    return transition


def _wipe(tractor: Element) -> int | None:
    """Pattern of the wipe that a mix is, None for a dissolve."""
    for element in tractor.findall("transition"):
        values = properties_of(element)
        if values.get("mlt_service") == "luma" and values.get("resource"):
            known = {name: number for number, name in WIPES.items()}
            return known.get(values["resource"], 1)
    return None
