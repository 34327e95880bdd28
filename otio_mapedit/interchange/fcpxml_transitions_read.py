"""FCPXML transitions -> OTIO."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from .fcpxml_media import Library
from .fcpxml_words import CROSS_DISSOLVE, EFFECTS, FOREIGN, NAMESPACE, carried


def read_transition(element: Element, library: Library) -> tuple[Any, Any]:
    """The transitions of picture and of sound that one element stands for; None for what it
    leaves alone. An element without any filter is the host's default dissolve of both. Offsets
    are set where the cut is known."""
    data = carried(element)
    video, audio = element.find("filter-video"), element.find("filter-audio")
    effect, uid = CROSS_DISSOLVE, ""
    if video is not None:
        effect, uid = library.effects.get(video.get("ref", ""), ("", ""))
    bare = video is None and audio is None
    seen = heard = None
    if video is not None or bare:
        seen = _transition(element.get("name") or effect, effect, uid, data)
    if audio is not None or bare:
        sound = data.get("sound")
        facts = sound if isinstance(sound, dict) else data
        heard = _transition(element.get("name") or effect, effect, "", facts)
    return seen, heard


def _transition(name: str, effect: str, uid: str, data: dict[str, Any]) -> Any:
    types = otio.schema.TransitionTypes
    dissolve = effect == CROSS_DISSOLVE or uid == EFFECTS[CROSS_DISSOLVE]
    kind = types.SMPTE_Dissolve if dissolve else types.Custom
    if isinstance(data.get("type"), str):
        kind = data["type"]
    said = data.get("name")
    transition = otio.schema.Transition(
        name=said if isinstance(said, str) else name, transition_type=kind
    )
    if isinstance(data.get("metadata"), dict):
        transition.metadata[NAMESPACE] = data["metadata"]
    if uid and EFFECTS.get(effect) != uid:
        transition.metadata[FOREIGN] = {"uid": uid, "effect": effect}
    return transition
