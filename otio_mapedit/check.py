"""Is an edit sound, and will it be online? Reads, changes nothing.

Faults are what makes an edit wrong or offline: media missing or changed, ranges outside their
media (the handles of transitions included), edges between two frames, overlapping transitions,
frames decided twice or not at all. Remarks are worth a look. A timeline that we assembled must
also have equally long tracks and its picture and sound together; in other timelines those are
remarks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import opentimelineio as otio

from .assemble import assemble
from .check_media import media_faults
from .disassemble import NOT_UNDERSTOOD, disassemble
from .errors import DecisionListError
from .operations import DecisionList, partition_faults
from .placed import Found, placed_ranges
from .placements import contents_of, frames_for
from .referenced import Referring, origin_of, referring
from .timeline_view import SeenClip, View, frames_at, view
from .timing import can_drop_frames, timecode


@dataclass(frozen=True)
class Report:
    """What was found; every entry is one plain sentence."""

    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


@dataclass
class _Findings:
    """Collects sentences; each is said once."""

    clock: tuple[Fraction, int, bool]
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        if text not in self.faults:
            self.faults.append(text)

    def remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

    def at(self, frame: int, track: int) -> str:
        """A place on the timeline, in words."""
        rate, start, drop_frame = self.clock
        name = f"A{track}" if track else "V1"
        return f"{name} {timecode(start + frame, rate, drop_frame)}"


def check(
    edit: otio.schema.Timeline | DecisionList, folder: Path | None = None, media: bool = True
) -> Report:
    """Check an edit. Relative media paths are looked up in ``folder`` (default: the current one).

    With ``media=False`` the media files are not looked at.
    """
    if isinstance(edit, DecisionList):
        try:
            timeline, decisions = assemble(edit), edit
        except DecisionListError as error:
            return Report((str(error),), ())
    else:
        timeline, decisions = edit, disassemble(edit)
    seen = view(timeline)
    drop_frame = decisions.drop_frame and can_drop_frames(seen.rate)
    findings = _Findings((seen.rate, decisions.start_frame, drop_frame))
    for text in partition_faults(decisions):
        findings.fault(text)
    sources, clips = referring(seen)
    _check_frames(timeline, seen, findings)
    _check_ranges(seen, clips, findings)
    _check_transitions(timeline, seen, findings)
    _check_together(timeline, seen, clips, findings)
    if media:
        used = {clip.source.id for clip in clips}
        for source in sources:
            if source.id in used or source.id in {op.source for op in decisions.operations}:
                found, odd = media_faults(source, folder or Path.cwd())
                findings.faults += found
                findings.remarks += odd
    notes = decisions.metadata.get(NOT_UNDERSTOOD, [])
    for note in notes if isinstance(notes, list) else []:
        findings.remark(f"not understood: {note}")
    return Report(tuple(findings.faults), tuple(findings.remarks))


def check_file(path: Path, rate: Fraction | None = None) -> Report:
    """Check a timeline file of any format; ``rate`` is that of an EDL, which need not state it.

    Raises:
        UsageError: an unknown suffix. FormatError: the file cannot be understood.
    """
    from .interchange.otio_bundle import bundled, members
    from .interchange.registry import read_timeline
    from .mapedit_file import SUFFIX, read

    folder = path.absolute().parent
    if path.suffix.lower() == SUFFIX:
        return check(read(path), folder)
    timeline = read_timeline(path, rate)
    if path.suffix.lower() != ".otioz":
        return check(timeline, folder)
    inside = {bundled(clip) for clip in timeline.find_clips()} - {None}
    missing = sorted(str(name) for name in inside - members(path))
    report = check(timeline, folder, media=not inside)
    lost = tuple(f"{name} is not in the bundle" for name in missing)
    return Report((*report.faults, *lost), report.remarks)


def _check_frames(timeline: otio.schema.Timeline, seen: View, findings: _Findings) -> None:
    """Every edge lies on a frame of the sequence."""
    for track in timeline.tracks:
        if not isinstance(track, otio.schema.Track):
            continue
        for item in track:
            span = getattr(item, "source_range", None)
            length = frames_at(span.duration, seen.rate) if span else None
            if span and (length is None or length.denominator != 1):
                findings.fault(f"{track.name} {item.name!r} does not end on a frame")


def _check_ranges(seen: View, clips: list[Referring], findings: _Findings) -> None:
    """Every clip lies inside its media, with what transitions need beyond its edges."""
    handles = dict(_handles(seen))
    for clip in clips:
        reference = clip.seen.clip.media_reference
        if reference is None or reference.available_range is None:
            continue
        source, record = clip.source, clip.seen.record
        start = frames_at(clip.seen.start, source.rate)
        if start is not None and start.denominator != 1:
            findings.fault(f"{_where(clip.seen, findings)} does not start on a frame of its media")
        before, after = handles.get(id(clip.seen), (0, 0))
        rate = source.rate * abs(clip.seen.scalar)
        first = clip.start - frames_for(before, rate, seen.rate)
        last = clip.start + frames_for(record.duration + after, rate, seen.rate)
        if clip.seen.scalar < 0:  # handles of a reversed clip lie the other way round
            before = after = 0
            first, last = clip.start, clip.start + frames_for(record.duration, rate, seen.rate)
        counted = origin_of(clip.seen.clip, source)
        if start is not None and start < counted:
            findings.fault(f"{_where(clip.seen, findings)} starts before its media")
        elif first < 0 and before:
            findings.fault(f"{_where(clip.seen, findings)} lacks frames before it for a transition")
        elif last > source.frame_count:
            what = "lacks frames after it for a transition" if after else "runs past its media"
            findings.fault(f"{_where(clip.seen, findings)} {what}")


def _handles(seen: View) -> Iterator[tuple[int, tuple[int, int]]]:
    """Sequence frames that each clip must have before and after it, by the clip's identity."""
    starts = {(clip.track, clip.record.start): clip for clip in seen.clips}
    ends = {(clip.track, clip.record.end): clip for clip in seen.clips}
    needs: dict[int, tuple[int, int]] = {}
    for item in seen.transitions:
        before, after = ends.get((item.track, item.at)), starts.get((item.track, item.at))
        if before is None or after is None or item.kind == "dip":
            continue
        head, _ = needs.get(id(before), (0, 0))
        needs[id(before)] = (head, item.out_offset)
        _, tail = needs.get(id(after), (0, 0))
        needs[id(after)] = (item.in_offset, tail)
    yield from needs.items()


def _check_transitions(timeline: otio.schema.Timeline, seen: View, findings: _Findings) -> None:
    """No transition is longer than its clips, and none overlaps another."""
    for track in timeline.tracks:
        if isinstance(track, otio.schema.Track):
            kinds = [isinstance(item, otio.schema.Transition) for item in track]
            if any(first and second for first, second in pairwise(kinds)):
                findings.fault(f"{track.name}: two transitions follow each other")
    over = {(item.track, item.at): item for item in seen.transitions}
    for clip in seen.clips:
        head = over.get((clip.track, clip.record.start))
        tail = over.get((clip.track, clip.record.end))
        taken = (head.out_offset if head else 0) + (tail.in_offset if tail else 0)
        if taken > clip.record.duration:
            findings.fault(f"{_where(clip, findings)} is shorter than its transitions")


def _check_together(
    timeline: otio.schema.Timeline, seen: View, clips: list[Referring], findings: _Findings
) -> None:
    """Tracks are equally long, and each placed range has all its picture and sound."""
    say = findings.fault if seen.own else findings.remark
    lengths: dict[int, int] = {}
    spans = [(clip.track, clip.record.end) for clip in seen.clips]
    for track, end in spans + [(gap.track, gap.record.end) for gap in seen.gaps]:
        lengths[track] = max(lengths.get(track, 0), end)
    if len(set(lengths.values())) > 1:
        say("the tracks are not equally long")
    there = {(c.seen.track, c.seen.record.start, c.start, c.source.id) for c in clips}
    scratch = View(seen.rate, seen.own)
    for found in placed_ranges(scratch, clips):
        for track in _missing(found, there, seen.rate):
            place = findings.at(found.record.start, track)
            say(f"{place}: {'sound' if track else 'picture'} of {found.source.name} is missing")


def _missing(
    found: Found, there: set[tuple[int, int, int, str]], sequence: Fraction
) -> Iterator[int]:
    if not found.believed:
        return
    parts = contents_of(found.span, found.source, found.scalar, sequence)
    for track, part in enumerate(parts):
        if part is None:
            continue
        if (track, found.record.start + part.head, part.start, found.source.id) not in there:
            yield track


def _where(clip: SeenClip, findings: _Findings) -> str:
    return f"{findings.at(clip.record.start, clip.track)} {clip.clip.name!r}"
