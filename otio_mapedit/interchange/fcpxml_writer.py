"""Timeline -> FCPXML 1.8 to 1.13, for DaVinci Resolve and Final Cut Pro.

The first video track becomes the primary storyline; everything else is connected to it in lanes,
pictures above (1, 2, ...), detached sound below (-1, -2, ...). Neighbours that a transition
joins form a storyline of their own. Sound that is linked to its picture travels in the picture's
clip. Every time that Final Cut checks lies on a frame of the sequence, every clip inside its
asset, and a retimed clip maps its whole asset, start timecode included.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import opentimelineio as otio

from ..otio_values import entries, entry
from ..timing import exact_time, frame_at
from .fcpxml_assets import AssetBook
from .fcpxml_layout import Layout
from .fcpxml_links import travel_together
from .fcpxml_plan import Piece, Plan, TrackPlan, plan_stack, sequence_rate
from .fcpxml_resources import Resources, timecode_format
from .fcpxml_times import format_time
from .fcpxml_words import FOREIGN, NAMESPACE, FcpxmlProfile, attach, fcpxml_profile, plain
from .loss import LossReport
from .xml_safe import clean, serialise

#: Sequences inside sequences, at most; editing programs allow about as many.
MAX_NESTING = 32
_DEFAULT_SIZE = (1920, 1080)


def write_fcpxml(
    timeline: otio.schema.Timeline,
    profile: str | FcpxmlProfile = "resolve",
    version: str = "",
    size: tuple[int, int] | None = None,
) -> tuple[str, LossReport]:
    """``timeline`` as the text of an FCPXML file, and what it could not carry.

    ``profile`` is ``resolve`` or ``finalcut``, ``version`` another FCPXML version than the
    profile's, ``size`` the sequence's width and height in pixels (by default that of the first
    picture whose size is known, else 1920x1080). The timeline is not changed.

    Raises:
        OptionError: unknown profile or version.
    """
    chosen = fcpxml_profile(profile, version)
    report = LossReport(f"fcpxml {chosen.version}", "write", chosen.name)
    return _Writer(timeline, chosen, size, report).text(), report


class _Writer:
    """One project with all that it refers to."""

    def __init__(
        self,
        timeline: Any,
        profile: FcpxmlProfile,
        size: tuple[int, int] | None,
        report: LossReport,
    ) -> None:
        self.timeline = timeline
        self.profile = profile
        self.report = report
        self.resources = Resources(profile)
        self.book = AssetBook(self.resources, timeline)
        self.size = size
        self.nested: dict[int, str] = {}
        self._plans: dict[str, Plan] = {}

    def text(self) -> str:
        """The whole document."""
        timeline = self.timeline
        rate = sequence_rate(timeline.tracks, timeline.global_start_time)
        start = 0
        if timeline.global_start_time is not None:
            start = frame_at(exact_time(timeline.global_start_time), rate)
        plan = plan_stack(timeline.tracks, rate, start, self._drops_frames(), self.report)
        self._prepare(plan, 0)
        self.book.finish()
        if self.size is None:
            known = (asset.size for asset in self.resources.assets.values() if asset.size)
            self.size = next(known, _DEFAULT_SIZE)
        for nested in self._plans.values():
            self._write_nested(nested)
        sequence = self._sequence(plan, timeline.tracks)
        root = Element("fcpxml", {"version": self.profile.version})
        name = timeline.name or "Timeline"
        event = Element("event", {"name": name})
        SubElement(event, "project", {"name": name}).append(sequence)
        root.append(self.resources.element())
        SubElement(root, "library").append(event)
        self._report_timeline(timeline)
        text = serialise(root, "fcpxml")
        if "\ufffd" in text:
            self._report_unwritable()
        return text

    def _drops_frames(self) -> bool:
        for namespace in (NAMESPACE, FOREIGN):
            facts = plain(entry(self.timeline.metadata, namespace))
            if isinstance(facts, dict) and isinstance(facts.get("drop_frame"), bool):
                return bool(facts["drop_frame"])
        return False

    def _prepare(self, plan: Plan, depth: int) -> None:
        """Links, nested plans and assets of a plan and all inside it."""
        travel_together(plan, self.profile.split_edits)
        for track in plan.tracks:
            for piece in track.pieces:
                if piece.is_gap or piece.is_clip:
                    continue
                if depth >= MAX_NESTING:
                    self.report.lost("nested sequence", "nested too deep", **plan.place(piece))
                    piece.item = otio.schema.Gap(name=piece.item.name)
                    continue
                piece.nested = self._nested_plan(plan, piece, depth)
        self.book.collect(plan)

    def _nested_plan(self, parent: Plan, piece: Piece, depth: int) -> Plan:
        """The plan of a nested stack or track; equal ones share one."""
        stack = piece.item
        if isinstance(stack, otio.schema.Track):
            whole = otio.schema.Stack(name=stack.name)
            whole.append(stack.deepcopy())
            whole[0].source_range = None
            stack = whole
        content = otio.schema.Stack(name=stack.name, children=[c.deepcopy() for c in stack])
        key = content.to_json_string()
        if key not in self._plans:
            rate = sequence_rate(content, None, parent.rate)
            plan = plan_stack(content, rate, 0, False, self.report)
            self._prepare(plan, depth + 1)
            self._plans[key] = plan
            self.nested[id(plan)] = self.resources.new_id()
            plan.name = stack.name or "Compound clip"
        return self._plans[key]

    def _write_nested(self, plan: Plan) -> None:
        identity = self.nested[id(plan)]
        media = Element("media", {"id": identity, "name": plan.name})
        media.append(self._sequence(plan, None))
        self.resources.add_nested(identity, media)

    def _sequence(self, plan: Plan, stack: Any) -> Element:
        size = self.size or _DEFAULT_SIZE
        rate = plan.rate
        element = Element(
            "sequence",
            {
                "format": self.resources.format(rate, size),
                "duration": format_time(Fraction(plan.duration) / rate),
                "tcStart": format_time(Fraction(plan.start) / rate),
                "tcFormat": timecode_format(plan.drop_frame, rate),
                "audioLayout": "stereo",
                "audioRate": "48k",
            },
        )
        data = {"tracks": [_track_facts(track) for track in plan.tracks]}
        layout = Layout(plan, self.resources, self.nested)
        element.append(layout.spine(stack, data))
        if stack is not None:
            data |= self._timeline_facts()
        attach(element, data)
        return element

    def _timeline_facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        mine = plain(entry(self.timeline.metadata, NAMESPACE))
        if mine:
            facts["metadata"] = mine
        name = self.timeline.name or ""
        if not name or clean(name) != name:
            facts["name"] = name
        if self.timeline.tracks.name != "tracks":
            facts["stack"] = self.timeline.tracks.name
        return facts

    def _report_timeline(self, timeline: Any) -> None:
        stack = timeline.tracks
        for owner in (stack, *(child for child in stack)):
            name = owner.name if owner is not stack else ""
            for effect in owner.effects:
                self.report.lost("effect", effect.effect_name or effect.name, name)
        for owner in (timeline, stack, *stack):
            namespaces = set(entries(owner.metadata)) - {NAMESPACE, FOREIGN}
            if namespaces:
                self.report.lost("metadata", ", ".join(sorted(namespaces)), owner.name)

    def _report_unwritable(self) -> None:
        for item in self.timeline.find_children():
            if clean(item.name or "") != (item.name or ""):
                self.report.changed(
                    "name", "characters that XML cannot hold were replaced", "", clean(item.name)
                )


def _track_facts(track: TrackPlan) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": "Video" if track.is_video else "Audio"}
    facts["name"] = track.track.name or ""
    if not track.track.enabled:
        facts["enabled"] = False
    mine = plain(entry(track.track.metadata, NAMESPACE))
    return facts | ({"metadata": mine} if mine else {})
