"""What both ways of FCPXML share: profiles, effects by name, and what rides along.

FCPXML has no field for some of what a timeline holds (track names and numbers, marker colours,
confidence, ids). It rides along where hosts keep or ignore it:

- in ``metadata`` of a clip, an asset or the sequence, as JSON under the key :data:`KEY`;
- in the ``note`` of elements that have no ``metadata``, after :data:`NOTE_MARK`;
- in the ``note`` of a marker, as a tag at its end: ``[mapedit RED id=m7]``.

What rides along never overrules the edit itself: where a person changed that, the edit wins.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from ..errors import OptionError
from ..otio_values import elements, entries
from .xml_safe import clean

KEY = "org.otio-mapedit"
REEL_KEY = "com.apple.proapps.studio.reel"
NOTE_MARK = "mapedit "
NAMESPACE = "mapedit"
FOREIGN = "fcpxml"  # metadata namespace for what only FCPXML knows
VERSIONS = ("1.8", "1.9", "1.10", "1.11", "1.12", "1.13")

CROSS_DISSOLVE = "Cross Dissolve"
CROSSFADE = "Audio Crossfade"
#: Identifiers of Final Cut's own effects, as its and Resolve's exports show them.
EFFECTS = {
    CROSS_DISSOLVE: "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265",
    CROSSFADE: "FFAudioTransition",
    "Fade To Color": "FxPlug:F779C565-486D-4633-8035-0374B4DB8F5C",
    "Wipe": "FxPlug:857E2FBA-98DB-411B-A88C-CE6ABC1F65D8",
    "Custom": ".../Generators.localized/Solids.localized/Custom.localized/Custom.motn",
    "Basic Title": (
        ".../Titles.localized/Bumper:Opener.localized/Basic Title.localized/Basic Title.moti"
    ),
}
#: Transitions of ours that Final Cut calls otherwise.
TRANSITION_EFFECTS = {"Dip to Black": "Fade To Color"}

_TAG = re.compile(r"\s?\[mapedit(?: ([A-Z]+))?((?: [a-z]+=[^\s\]]+)*)\]\s*$", re.DOTALL)
_DECISION_NOTE = re.compile(r"^\[([^\s\]]+)(?: (\d{1,3})%)?\]\s?(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FcpxmlProfile:
    """What one host wants. ``unit`` follows a gain: Final Cut wants ``-6dB``, Resolve ``-6``;
    ``split_edits``: J and L cuts as one clip with ``audioStart``."""

    name: str
    version: str
    unit: str = "dB"
    split_edits: bool = True
    image_sequences: bool = False

    @property
    def number(self) -> tuple[int, int]:
        """The version, comparable."""
        major, minor = self.version.split(".")
        return int(major), int(minor)


PROFILES = {
    profile.name: profile
    for profile in (
        FcpxmlProfile("resolve", "1.10", unit="", split_edits=False, image_sequences=True),
        FcpxmlProfile("finalcut", "1.13"),
    )
}


def fcpxml_profile(profile: str | FcpxmlProfile, version: str = "") -> FcpxmlProfile:
    """The profile called ``profile``, at another FCPXML version where one is given.

    Raises:
        OptionError: there is no such profile or version.
    """
    if isinstance(profile, str):
        if profile not in PROFILES:
            raise OptionError(
                f"no FCPXML profile is called {profile!r}",
                "Use one of: " + ", ".join(PROFILES) + ".",
            )
        profile = PROFILES[profile]
    if not version:
        return profile
    if version not in VERSIONS:
        raise OptionError(
            f"FCPXML {version} cannot be written", "Use one of: " + ", ".join(VERSIONS) + "."
        )
    return replace(profile, version=version)


def plain(value: Any) -> Any:
    """OTIO metadata as plain JSON values; what JSON cannot hold becomes None."""
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, otio._otio.AnyDictionary | dict):
        return {str(key): plain(item) for key, item in entries(value).items()}
    if isinstance(value, otio._otio.AnyVector | list | tuple):
        return [plain(item) for item in elements(value)]
    return None


def text_of(data: dict[str, Any]) -> str:
    """What rides along, as compact JSON."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if clean(text) == text:
        return text
    return json.dumps(data, separators=(",", ":"), sort_keys=True)


def data_of(text: str | None) -> dict[str, Any]:
    """The inverse of :func:`text_of`; empty where a person or a host has damaged it."""
    try:
        data = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def attach(parent: Element, data: dict[str, Any], reel: str = "") -> None:
    """Give an element ``metadata`` that carries ``data`` and a reel, where there is any."""
    pairs = [(REEL_KEY, reel)] if reel else []
    pairs += [(KEY, text_of(data))] if data else []
    if pairs:
        metadata = SubElement(parent, "metadata")
        for key, value in pairs:
            SubElement(metadata, "md", {"key": key, "value": value})


def carried(element: Element) -> dict[str, Any]:
    """What rides along with an element, in its metadata or its note."""
    for md in element.iterfind("metadata/md"):
        if md.get("key") == KEY:
            return data_of(md.get("value"))
    note = element.findtext("note") or ""
    return data_of(note[len(NOTE_MARK) :]) if note.startswith(NOTE_MARK) else {}


def reel_of(element: Element) -> str:
    """The reel that Final Cut shows of an asset."""
    found = (md for md in element.iterfind("metadata/md") if md.get("key") == REEL_KEY)
    return next((md.get("value", "").strip() for md in found), "")


def decision_note(decision: dict[str, Any]) -> str:
    """An edit's id, confidence and reason for the person who opens the project:
    ``[k12 93%] long pause``. Empty where there is no id."""
    identity = str(decision.get("id") or "")
    if not identity or re.search(r"[\s\]]", identity):
        return ""
    confidence = decision.get("confidence")
    percent = f" {round(confidence * 100)}%" if isinstance(confidence, int | float) else ""
    return f"[{identity}{percent}] {decision.get('reason') or ''}".strip()


def decision_of(note: str) -> dict[str, Any]:
    """Id, confidence and reason of a note that :func:`decision_note` wrote, for hosts that keep
    notes and drop metadata."""
    found = _DECISION_NOTE.match(note)
    if found is None:
        return {}
    decision: dict[str, Any] = {"id": found[1], "reason": found[3]}
    return decision | ({"confidence": int(found[2]) / 100} if found[2] else {})


def tagged(comment: str, colour: str, facts: dict[str, str]) -> str:
    """A marker's note: its comment, then colour and facts as a tag. Blanks in facts are lost."""
    if not colour and not facts and not _TAG.search(comment):
        return comment
    words = ["mapedit", *([colour] if colour else [])]
    words += [f"{key}={value}" for key, value in facts.items() if not re.search(r"[\s\]]", value)]
    return f"{comment} [{' '.join(words)}]" if comment else f"[{' '.join(words)}]"


def untagged(note: str) -> tuple[str, str, dict[str, str]]:
    """Comment, colour and facts of a marker's note."""
    found = _TAG.search(note)
    if found is None:
        return note, "", {}
    pairs = (word.split("=", 1) for word in (found[2] or "").split())
    return note[: found.start()], found[1] or "", {pair[0]: pair[1] for pair in pairs}
