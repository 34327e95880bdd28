"""What both ways of xmeml (Final Cut Pro 7 XML, versions 4 and 5) share.

Clocks. A clipitem's ``start`` and ``end`` count frames of the sequence; ``-1`` stands for an edge
inside a transition. ``in`` and ``out`` count frames of the clipitem's own ``rate`` from the
media's first frame (never timecode), after its speed: a clip at 200 % whose picture begins 100
frames into the media has ``in`` 50, and a reversed one counts from the media's end. We write the
sequence's rate into every clipitem, as Premiere's and Resolve's own exports do also for media of
another rate; where a media frame lies between two of those, ``pproTicksIn`` is exact. A file's
``timecode`` and ``duration`` are on the file's rate. Markers of a clip count frames of the
clipitem's rate from the media's first frame, before its speed.

What xmeml has no field for rides along as JSON after :data:`MARK`: ids, confidence and reason in
``logginginfo/lognote`` (a column that editors see and programs keep), the rest in
``comments/clipcommentb``. It never overrules what a person changed in the edit itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ..errors import OptionError
from ..timing import can_drop_frames, nominal_rate, timecode

#: Premiere's clock: ticks per second.
TICKS = 254_016_000_000
MARK = "mapedit "
NAMESPACE = "mapedit"
FOREIGN = "xmeml"  # metadata namespace for what only xmeml knows
DISSOLVE = "Cross Dissolve"
SOUND_DISSOLVE = "KGAudioTransCrossFade"
MAX_NESTING = 20


@dataclass(frozen=True, slots=True)
class XmemlProfile:
    """What one host wants. ``localhost``: URLs as Premiere writes them
    (``file://localhost/D%3a/``); ``exploded``: a stereo track as two tracks of one channel that
    say so in attributes; ``cut_point``: it reads ``cutPointTicks``."""

    name: str
    localhost: bool
    exploded: bool
    cut_point: bool


PROFILES = {
    "premiere": XmemlProfile("premiere", localhost=True, exploded=True, cut_point=True),
    "resolve": XmemlProfile("resolve", localhost=False, exploded=False, cut_point=False),
}


def xmeml_profile(profile: str | XmemlProfile) -> XmemlProfile:
    """The profile called ``profile``.

    Raises:
        OptionError: there is none.
    """
    if isinstance(profile, XmemlProfile):
        return profile
    if profile not in PROFILES:
        raise OptionError(
            f"no xmeml profile is called {profile!r}", "Use one of: " + ", ".join(PROFILES) + "."
        )
    return PROFILES[profile]


def add(parent: Element, tag: str, text: Any = None, **attributes: str) -> Element:
    """A child element with this text. Truth values are written as xmeml has them."""
    child = SubElement(parent, tag, attributes)
    if text is not None:
        child.text = ("TRUE" if text else "FALSE") if isinstance(text, bool) else str(text)
    return child


def add_rate(parent: Element, rate: Fraction) -> None:
    """``rate``: the count of frames per second of timecode, and whether it is an NTSC rate."""
    element = add(parent, "rate")
    add(element, "timebase", nominal_rate(rate))
    add(element, "ntsc", rate.denominator != 1)


def is_writable_rate(rate: Fraction) -> bool:
    """Whether ``timebase`` and ``ntsc`` can say this rate exactly."""
    return rate in (nominal_rate(rate), Fraction(nominal_rate(rate) * 1000, 1001))


def add_timecode(parent: Element, frame: int, rate: Fraction, drop: bool, reel: str = "") -> None:
    """``timecode`` of a first frame; ``reel`` only where it is not empty."""
    drop = drop and can_drop_frames(rate)
    element = add(parent, "timecode")
    add_rate(element, rate)
    add(element, "string", timecode(frame, rate, drop))
    add(element, "frame", frame)
    add(element, "displayformat", "DF" if drop else "NDF")
    if reel:
        add(add(element, "reel"), "name", reel)


def note_text(data: dict[str, Any]) -> str:
    """Data that rides along, as ASCII so that no host mangles it."""
    return MARK + json.dumps(data, sort_keys=True)


def note_data(text: str | None) -> dict[str, Any]:
    """What :func:`note_text` wrote; empty for anything else."""
    if not text or not text.startswith(MARK):
        return {}
    try:
        data = json.loads(text[len(MARK) :])
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
