"""The comments of one event, sorted out: names, files, colour, locators, and ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from .edl_words import hint_data, parse_hint

_NUMBER = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"
_LOC = re.compile(r"^LOC:\s*(\d{1,3}[:;.,]\d{2}[:;.,]\d{2}[:;.,]\d{2,3})\s*(\S*)\s*(.*)$", re.I)
_LEVEL = re.compile(r"^A\d+\s+VOL\s*=\s*([-+]?)\s*(\d+(?:\.\d+)?)\s*DB", re.I)
_REPLACED = re.compile(r"^FINAL CUT PRO REEL:\s*(.*?)\s+REPLACED BY:\s*(.*)$", re.I)
_LABELLED = re.compile(
    r"^(FROM CLIP NAME|TO CLIP NAME|SOURCE FILE|FROM FILE|KEY CLIP NAME)\s*:\s*(.*)$", re.I
)


@dataclass(frozen=True, slots=True)
class Locator:
    """A ``* LOC`` line; ``exact`` is what our own comment adds."""

    label: str
    colour: str
    text: str
    row: int
    exact: dict[str, Any]


@dataclass(slots=True)
class Notes:
    """What the comments of an event say. ``rest`` is kept as it stands."""

    from_name: str = ""
    to_name: str = ""
    files: list[str] = field(default_factory=list)
    reel: str = ""
    sop: tuple[tuple[float, ...], ...] = ()
    saturation: float | None = None
    level: float | None = None
    locators: list[Locator] = field(default_factory=list)
    hints: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def data(self, word: str) -> dict[str, Any]:
        """The JSON of our comment ``word``, empty where there is none."""
        return hint_data(self.hints.get(word, "{}"))


def read_notes(remarks: list[str], row: int = 0) -> Notes:
    """Sort out the comments below line ``row``. Of two names of a kind the first stands."""
    notes = Notes()
    for remark in remarks:
        if not (_own(notes, remark) or _labelled(notes, remark, row) or _graded(notes, remark)):
            notes.rest.append(remark)
    return notes


def _own(notes: Notes, remark: str) -> bool:
    found = parse_hint(remark)
    if found is None:
        return False
    word, value = found
    if word == "MARKER":
        if notes.locators:
            last = notes.locators[-1]
            notes.locators[-1] = replace(last, exact=hint_data(value))
    else:
        notes.hints.setdefault(word, value)
    return True


def _labelled(notes: Notes, remark: str, row: int) -> bool:
    locator = _LOC.match(remark)
    if locator:
        notes.locators.append(Locator(locator[1], locator[2], locator[3].strip(), row, {}))
        return True
    replaced = _REPLACED.match(remark)
    if replaced:
        notes.reel = replaced[1]
        return True
    found = _LABELLED.match(remark)
    if not found:
        return False
    label, value = found[1].upper(), found[2].strip()
    if label == "FROM CLIP NAME":
        notes.from_name = notes.from_name or value
    elif label == "TO CLIP NAME":
        notes.to_name = notes.to_name or value
    elif label == "KEY CLIP NAME":
        return False
    else:
        notes.files.append("" if value.upper() == "(NULL)" else value)
    return True


def _graded(notes: Notes, remark: str) -> bool:
    upper = remark.upper()
    if upper.startswith("ASC_SOP"):
        groups = [
            tuple(map(float, re.findall(_NUMBER, group)))
            for group in re.findall(r"\(([^()]*)\)", remark)
        ]
        if len(groups) == 3 and all(len(group) == 3 for group in groups):
            notes.sop = tuple(groups)
            return True
        return False
    if upper.startswith("ASC_SAT"):
        numbers = re.findall(_NUMBER, remark[7:])
        if len(numbers) == 1:
            notes.saturation = float(numbers[0])
            return True
        return False
    level = _LEVEL.match(remark)
    if level and "PAN" not in upper:
        notes.level = float(level[1] + level[2])
        return True
    return False
