"""What both ways of a CMX 3600 edit decision list share: profiles, channels, our own comments.

An EDL has no field for most of what a timeline holds. What it lacks is written as comments that
other programs skip and :mod:`.edl_reader` takes back, each as ``* MAPEDIT WORD: value``:

===========  ===================================================================================
RATE         exact rate of the record side, ``24000/1001``
SEQUENCE     JSON: start and end frame of the track, name of the video track, channels of each
             audio track (``{"A1": [1, 2]}``), what decided the edit as a whole
MEDIA        JSON: what a reel stands for; holds from its event on
CLIP         JSON: id, confidence, reason, source and link of the decision behind the clip, the
             rest of it under ``own``
SOURCE       JSON: exact source range, where whole frames of timecode cannot say it
SPEED        exact speed, where M2's tenth of a frame cannot say it
TRANSITION   JSON: where inside the dissolve the cut lies, and its name
MARKER       JSON: what the ``* LOC`` line before it leaves out
+            more of the comment before it
DISABLED     a line of a disabled clip's event, which other programs must not conform
===========  ===================================================================================

A comment of ours never overrules the event line: where a person changed the line, the line wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import OptionError

PREFIX = "MAPEDIT"
BLACK = "BL"
AUXILIARY = "AX"
#: A clip's stream where it has the number of its track.
AS_TRACK = "track"
#: Word of a line that continues the comment before it.
CONTINUED = "+"
_LONGEST_LINE = 1000
_LONGEST_TEXT = 900
#: Longest effect that the three columns hold, in frames.
LONGEST_EFFECT = 999


@dataclass(frozen=True, slots=True)
class EdlProfile:
    """How one kind of EDL is laid out. ``reel_length`` in characters, ``digits`` of an event
    number (more where there are more events)."""

    name: str
    reel_length: int = 8
    digits: int = 3
    newline: str = "\n"


PROFILES = {
    profile.name: profile
    for profile in (
        EdlProfile("cmx3600"),
        EdlProfile("file32", reel_length=32, digits=6),
        EdlProfile("resolve", reel_length=32),
        EdlProfile("premiere", newline="\r\n"),
    )
}


def edl_profile(profile: str | EdlProfile) -> EdlProfile:
    """The profile called ``profile``.

    Raises:
        OptionError: there is none.
    """
    if isinstance(profile, EdlProfile):
        return profile
    if profile not in PROFILES:
        raise OptionError(
            f"no EDL profile is called {profile!r}", "Use one of: " + ", ".join(PROFILES) + "."
        )
    return PROFILES[profile]


def one_line(text: str) -> str:
    """``text`` as one line of a file: control characters and breaks become single spaces, and
    what would make the line too long to be read is left out."""
    text = text[: 4 * _LONGEST_TEXT]
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_LONGEST_TEXT].rstrip()


def hint(word: str, value: Any) -> str:
    """One comment of ours. Anything but text is written as ASCII JSON."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if len(text) > _LONGEST_LINE // 2 and not isinstance(value, str):
        # It may be folded, and white space at the end of a line is not kept.
        text = json.dumps(value, sort_keys=True, separators=(",", ":")).replace(" ", "\\u0020")
    return f"* {PREFIX} {word}: {text}"


def folded(line: str) -> list[str]:
    """A comment of ours in lines that programs read whole; the others stay as they are."""
    if len(line) <= _LONGEST_LINE or not line.startswith(f"* {PREFIX} "):
        return [line]
    parts = [line[at : at + _LONGEST_LINE] for at in range(0, len(line), _LONGEST_LINE)]
    return [parts[0], *(f"* {PREFIX} {CONTINUED}: {part}" for part in parts[1:])]


def parse_hint(remark: str) -> tuple[str, str] | None:
    """Word and value of a comment of ours (without its asterisk), None for any other."""
    head, colon, value = remark.partition(":")
    words = head.split()
    if not colon or len(words) != 2 or words[0] != PREFIX:
        return None
    return words[1], value.strip()


def hint_data(text: str) -> dict[str, Any]:
    """The JSON object of a comment of ours; empty where a person has damaged it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def channel_code(channels: Iterable[str]) -> str | None:
    """The channel column for these channels, None where no single code says it.

    ``V``, ``A`` (channel 1), ``A2``..., ``AA``, ``B`` (V and A), ``AA/V``, ``A2/V`` as CMX has
    them.
    """
    found = frozenset(channels)
    if found in _CODES:
        return _CODES[found]
    if len(found) == 1:
        (only,) = found
        return only if only != "A1" else "A"
    return None


_CODES = {
    frozenset({"V"}): "V",
    frozenset({"A1"}): "A",
    frozenset({"A1", "A2"}): "AA",
    frozenset({"V", "A1"}): "B",
    frozenset({"V", "A1", "A2"}): "AA/V",
    frozenset({"V", "A2"}): "A2/V",
}


def parse_channels(code: str) -> frozenset[str]:
    """Channels that a channel column names: ``A1A2``, ``AA/V``, ``B``, ``A12``, ``NONE``."""
    code = code.upper()
    if code == "NONE":
        return frozenset()
    if code == "B":
        return frozenset({"V", "A1"})
    if code.startswith("AA"):
        return frozenset({"A1", "A2"}) | parse_channels(code[2:].lstrip("/"))
    found: set[str] = set()
    for part in code.replace("/", "").replace("A", " A").replace("V", " V").split():
        number = part[1:] or "1"
        found.add("V" if part[0] == "V" else f"A{int(number)}" if number.isdigit() else part)
    return frozenset(found)


def channel_order(channel: str) -> tuple[int, int]:
    """Sorting key: picture first, then sound by number."""
    return (0, 0) if channel == "V" else (1, int(channel[1:]))
