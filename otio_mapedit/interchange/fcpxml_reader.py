"""FCPXML 1.8 to 1.13 (and what is like them) -> timelines, also from ``.fcpxmld`` bundles.

The primary storyline becomes the first video track, each lane a track of its own; the sound of a
clip becomes linked clips on audio tracks. What a file of ours carries along comes back exactly;
what is not understood is in the loss report.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from ..errors import FormatError
from ..timing import can_drop_frames
from .fcpxml_containers import Containers
from .fcpxml_details import is_timeline
from .fcpxml_media import Library
from .fcpxml_placed import CLIPS, Clock
from .fcpxml_story import StoryReader
from .fcpxml_times import parse_time, seconds_time
from .fcpxml_words import FOREIGN, NAMESPACE, VERSIONS, carried
from .loss import LossReport
from .xml_safe import parse, read_bytes

_FALLBACK_RATE = Fraction(24)


def read_fcpxml(source: bytes | Path, project: str = "") -> tuple[otio.schema.Timeline, LossReport]:
    """One timeline of an FCPXML file: the project called ``project``, else the first one; where
    there is no project, the loose clips of the first event one after the other.

    ``source`` is the file's content, the file, or an ``.fcpxmld`` bundle. Media paths that are
    relative are resolved against the file's folder where that is known.

    Raises:
        FormatError: not FCPXML, hostile, without any timeline, or no project of that name.
    """
    reader = _Reader(source)
    found = reader.projects()
    if project:
        found = [each for each in found if each[0] == project]
    if not found:
        names = ", ".join(repr(name) for name, _ in reader.projects()) or "(none)"
        raise FormatError(
            f"{reader.what} holds no project{f' called {project!r}' if project else ''}",
            f"Choose one of: {names}." if project else "Export a project, not only media.",
        )
    chosen = found[0]
    for name, element in reader.projects():
        if element is not chosen[1]:
            reader.report.lost("project", "not read: name it to read it", "", name)
    return reader.timeline(*chosen), reader.finish()


def read_fcpxml_projects(source: bytes | Path) -> tuple[list[otio.schema.Timeline], LossReport]:
    """Every timeline of an FCPXML file: its projects, and the loose clips of each event.

    Raises:
        FormatError: see :func:`read_fcpxml`.
    """
    reader = _Reader(source)
    timelines = [reader.timeline(name, element) for name, element in reader.projects()]
    return timelines, reader.finish()


class _Reader:
    """One file."""

    def __init__(self, source: bytes | Path) -> None:
        base = ""
        self.what = "the FCPXML data"
        if isinstance(source, Path):
            self.what = source.name
            if source.is_dir():
                bundle, source = source, source / "Info.fcpxml"
                if not source.exists():
                    raise FormatError(
                        f"{bundle} is a folder without an Info.fcpxml",
                        "Name a timeline's file, or a bundle .fcpxmld.",
                    )
            base = source.resolve().parent.as_uri() + "/"
            source = read_bytes(source, self.what)
        self.root = parse(source, self.what)
        if self.root.tag != "fcpxml":
            raise FormatError(
                f"{self.what} is not FCPXML: its root is <{self.root.tag[:40]}>",
                "Export the timeline as FCPXML, or read it as what it is.",
            )
        version = self.root.get("version", "")
        self.report = LossReport(f"fcpxml {version}".strip(), "read")
        if version not in VERSIONS:
            self.report.note("version", f"FCPXML {version or 'of unknown version'} read as 1.13")
        self.library = Library(self.root, self.report, base)
        self.containers = Containers(self.library, self._stack)

    def projects(self) -> list[tuple[str, Element]]:
        """Names and elements of everything that makes a timeline: projects in document order,
        then events with loose clips."""
        named = [(each.get("name", ""), each) for each in self.root.iter("project")]
        events = [
            (each.get("name", ""), each)
            for each in (*self.root.iter("event"), self.root)
            if any(child.tag in CLIPS or child.tag == "audition" for child in each)
        ]
        return named + events

    def finish(self) -> LossReport:
        """The loss report, with what is counted once per file."""
        for what, count in self.library.tally.items():
            self.report.note("details", f"{count} {what} are not part of the timeline")
        return self.report

    def timeline(self, name: str, element: Element) -> Any:
        """A project, or an event's loose clips."""
        sequence = element.find("sequence") if element.tag == "project" else None
        if sequence is None:
            return self._loose(name, element)
        rate = self._rate(sequence.get("format"), sequence.iter())
        zero = parse_time(sequence.get("tcStart"))
        drop_frame = sequence.get("tcFormat") == "DF" and can_drop_frames(rate)
        facts = carried(sequence)
        timeline = otio.schema.Timeline(name=_text(facts.get("name"), name))
        timeline.global_start_time = seconds_time(zero, rate)
        clock = Clock(rate, int(zero * rate), drop_frame)
        spine = sequence.find("spine")
        children = [] if spine is None else list(spine)
        stack = self._stack(children, zero, clock, facts)
        stack.name = _text(facts.get("stack"), "tracks")
        timeline.tracks = stack
        mine = facts.get("metadata")
        mine = mine if isinstance(mine, dict) else {}
        timeline.metadata[NAMESPACE] = {**mine, "drop_frame": drop_frame}
        foreign = {key: sequence.get(key) for key in ("audioLayout", "audioRate")}
        timeline.metadata[FOREIGN] = {key: value for key, value in foreign.items() if value}
        return timeline

    def _loose(self, name: str, event: Element) -> Any:
        """Clips that lie in an event: one after the other, as nobody has cut them yet."""
        clips = [child for child in event if child.tag in CLIPS or child.tag == "audition"]
        rate = self._rate(None, clips)
        self.report.note("event", "loose clips placed one after the other", "", name)
        timeline = otio.schema.Timeline(name=name)
        timeline.global_start_time = seconds_time(Fraction(0), rate)
        timeline.tracks = self._stack(clips, Fraction(0), Clock(rate), {})
        timeline.metadata[NAMESPACE] = {"drop_frame": False}
        return timeline

    def _stack(
        self, children: list[Element], zero: Fraction, clock: Clock, facts: dict[str, Any]
    ) -> Any:
        """The tracks of a sequence."""
        plan = facts.get("tracks")
        plan = [each for each in plan if isinstance(each, dict)] if isinstance(plan, list) else []
        plan = [{**each} for each in plan[:1000]]
        places = [n for n, each in enumerate(plan) if each.get("kind") == "Audio"]
        reader = StoryReader(self.library, clock, places, self.containers)
        reader.read(children, zero)
        stack = reader.stack(plan, facts.get("gaps"))
        for on, marker, _, tag in reader.details.loose:
            reader.details.restore(marker, tag, facts.get("markers"))
            owner = stack
            number = on.removeprefix("track:")
            if not is_timeline(on) and number.isdecimal() and int(number) < len(stack):
                owner = stack[int(number)]
            owner.markers.append(marker)
        return stack

    def _rate(self, identity: str | None, elements: Any) -> Fraction:
        """The rate of a sequence; where its format has none, of the first media in it."""
        found = self.library.formats.get(identity or "")
        if found is not None and found.rate is not None:
            return found.rate
        for element in elements:
            asset = self.library.asset(element.get("ref"))
            own = self.library.formats.get(element.get("format", ""))
            for known in (own, asset.format if asset else None):
                if known is not None and known.rate is not None:
                    return known.rate
        self.report.note("rate", "the sequence has no frame rate: 24 is assumed")
        return _FALLBACK_RATE


def _text(value: Any, default: str) -> str:
    return value if isinstance(value, str) else default
