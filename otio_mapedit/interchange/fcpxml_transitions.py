"""Transitions -> FCPXML. One element stands for picture and sound of both clips."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from ..otio_values import entry
from .fcpxml_plan import Join, Piece, Plan
from .fcpxml_resources import Resources
from .fcpxml_times import format_time
from .fcpxml_words import (
    CROSS_DISSOLVE,
    CROSSFADE,
    EFFECTS,
    FOREIGN,
    NAMESPACE,
    TRANSITION_EFFECTS,
    attach,
    plain,
)


class TransitionWriter:
    """Writes the transitions of one sequence."""

    def __init__(self, plan: Plan, resources: Resources) -> None:
        self.plan = plan
        self.resources = resources

    def element(
        self,
        join: Join,
        sides: tuple[Piece | None, Piece | None],
        cut: Fraction,
        edge: int,
        picture: bool,
    ) -> Element:
        """The ``transition`` over the ``cut``, a moment in the parent's clock at record frame
        ``edge``."""
        transition = join.transition
        effect, uid = self._effect(transition, edge) if picture else (CROSSFADE, "")
        offset = cut - Fraction(join.before) / self.plan.rate
        length = Fraction(join.before + join.after) / self.plan.rate
        element = Element(
            "transition",
            {
                "name": transition.name or effect,
                "offset": format_time(offset),
                "duration": format_time(length),
            },
        )
        heard = _heard(sides)
        if picture:
            ref = self.resources.effect(effect, uid)
            SubElement(element, "filter-video", {"ref": ref, "name": effect})
        if heard is not None or not picture:
            ref = self.resources.effect(CROSSFADE)
            SubElement(element, "filter-audio", {"ref": ref, "name": CROSSFADE})
        attach(element, self._data(transition, heard, effect))
        return element

    def _effect(self, transition: Any, edge: int) -> tuple[str, str]:
        """Name and identifier of the host's effect that comes nearest."""
        foreign = plain(entry(transition.metadata, FOREIGN))
        if isinstance(foreign, dict) and isinstance(foreign.get("uid"), str):
            return str(foreign.get("effect") or transition.name), foreign["uid"]
        if transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve:
            return CROSS_DISSOLVE, ""
        name = TRANSITION_EFFECTS.get(transition.name, transition.name)
        if name in EFFECTS:
            return name, ""
        kind = "wipe" if "wipe" in (transition.name or "").lower() else "transition"
        nearest = "Wipe" if kind == "wipe" else CROSS_DISSOLVE
        self.plan.report.changed(
            kind, f"the host plays it as {nearest!r}", "", transition.name, self.plan.at(edge)
        )
        return nearest, ""

    def _data(self, transition: Any, heard: Any, effect: str) -> dict[str, Any]:
        data = _facts(transition, effect)
        if heard is not None:
            sound = _facts(heard, effect)
            if (sound, heard.name) != (data, transition.name):
                data = data | {"sound": sound | {"name": heard.name}}
        return data


def _facts(transition: Any, effect: str) -> dict[str, Any]:
    """What the element itself does not say of a transition."""
    facts: dict[str, Any] = {}
    if not transition.name:
        facts["name"] = ""
    dissolve = transition.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve
    if dissolve != (effect in (CROSS_DISSOLVE, CROSSFADE)):
        facts["type"] = transition.transition_type
    mine = plain(entry(transition.metadata, NAMESPACE))
    if mine:
        facts["metadata"] = mine
    return facts


def _heard(sides: tuple[Piece | None, Piece | None]) -> Any:
    """The transition of the sounds that travel with the clips on both sides, if they have one."""
    left, right = sides
    for sound in left.sounds if left else ():
        if sound.tail is not None:
            return sound.tail.transition
    for sound in right.sounds if right else ():
        if sound.head is not None:
            return sound.head.transition
    return None
