"""Drafts of JianYing and CapCut: a folder of plain JSON, written through the extra ``jianying``.

Drafts are only written: newer JianYing encrypts what it saves. A draft comes into place whole, as
a folder renamed, after its JSON was read again and every segment found where it belongs.
"""

from __future__ import annotations

import importlib
import json
import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..errors import FormatError, OutputError, OutputExistsError, UsageError
from ..files import output_error
from ..timing import can_drop_frames, exact_time, frame_at, nominal_rate, rate_text
from .fcpxml_plan import Plan, plan_stack, sequence_rate
from .jianying_segments import Segment, SegmentTrack, segment_tracks
from .loss import LossReport
from .timeline_facts import data_of, stated_sources

_LIBRARY = "pyJianYingDraft"
_CONTENT = "draft_content.json"
_SIZE = (1920, 1080)


def ensure_draft_writable(path: Path, force: bool) -> None:
    """Refuse early what :func:`write_draft` would refuse late.

    Raises:
        OutputExistsError: something of that name is there, and ``force`` is False.
        OutputError: what is there is no draft, or its folder is missing or cannot be written.
    """
    if path.exists() or path.is_symlink():
        if not force:
            raise OutputExistsError(path)
        if path.is_symlink() or not (path / _CONTENT).is_file():
            raise OutputError(f"{path} is there and is no draft", "Give another name.")
    if not path.absolute().parent.is_dir():
        raise OutputError(
            f"cannot write {path}: the folder does not exist", "Create it, or write elsewhere."
        )
    if not os.access(path.absolute().parent, os.W_OK):
        raise OutputError(f"cannot write {path}: no permission to write there", "Write elsewhere.")


def write_draft(timeline: otio.schema.Timeline, path: Path, force: bool = False) -> LossReport:
    """Write a draft folder at ``path``, its name the draft's; what a draft cannot hold.

    Raises:
        UsageError: the extra is not installed. FormatError: nothing to write, or what was written
        does not say the same. OutputExistsError, OutputError: see :func:`ensure_draft_writable`.
    """
    library = _library()
    ensure_draft_writable(path, force)
    report = LossReport("draft", "write", "jianying")
    plan = _plan(timeline, report)
    tracks = segment_tracks(plan)
    if not tracks:
        raise FormatError("there is no edit that a draft could hold", "Write .otio.")
    path = path.absolute()
    try:
        with tempfile.TemporaryDirectory(prefix=".draft-", dir=path.parent) as aside:
            made = Path(aside) / "new" / path.name
            made.parent.mkdir()
            _write(library, made, plan, tracks, timeline)
            _verify(made / _CONTENT, tracks)
            if path.exists():
                path.rename(Path(aside) / "old")
            made.rename(path)
    except OSError as error:
        raise output_error(path, error) from error
    return report


def _library() -> Any:
    try:
        return importlib.import_module(_LIBRARY)
    except ImportError as error:
        raise UsageError(
            "drafts of JianYing need pyJianYingDraft",
            "Type: pip install 'otio-mapedit[jianying]'",
        ) from error


def _plan(timeline: otio.schema.Timeline, report: LossReport) -> Plan:
    rate = sequence_rate(timeline.tracks, timeline.global_start_time)
    begin = timeline.global_start_time
    start = frame_at(exact_time(begin), rate) if begin is not None else 0
    drop = bool(data_of(timeline, "mapedit").get("drop_frame")) and can_drop_frames(rate)
    plan = plan_stack(timeline.tracks, rate, start, drop, report)
    report.note("id", "drafts are only written: ids of operations stay behind")
    for _ in timeline.tracks.markers:
        report.lost("marker", "a draft gets no markers")
    if start:
        report.changed("timecode", f"the draft counts from 0, not from {plan.at(0)}", at=plan.at(0))
    if rate.denominator != 1:
        report.changed(
            "rate", f"the draft counts {nominal_rate(rate)} frames per second,"
            f" not {rate_text(rate)}; every cut stays where it is",
        )  # fmt: skip
    return plan


def _write(
    library: Any, folder: Path, plan: Plan, tracks: list[SegmentTrack], timeline: Any
) -> None:
    stated = stated_sources(timeline).values()
    sizes = [(source.get("width"), source.get("height")) for source in stated]
    known = [(w, h) for w, h in sizes if isinstance(w, int) and isinstance(h, int) and w and h]
    width, height = max(known, default=_SIZE, key=lambda size: size[0] * size[1])
    drafts = library.DraftFolder(str(folder.parent))
    script = drafts.create_draft(
        folder.name, width, height, fps=nominal_rate(plan.rate), maintrack_adsorb=False
    )
    materials: dict[tuple[str, bool], Any] = {}
    lengths: dict[tuple[str, bool], int] = {}
    for track in tracks:
        for one in track.segments:
            key = (one.path, track.video)
            lengths[key] = max(lengths.get(key, 0), one.media)
    for track in tracks:
        kind = library.TrackType.video if track.video else library.TrackType.audio
        placed = script.append_track(library.TrackSpec(kind, track.name, mute=track.muted))
        for one in track.segments:
            key = (one.path, track.video)
            if key not in materials:
                materials[key] = _material(library, one, track.video, lengths[key], (width, height))
            script.add_segment(_segment(library, one, track.video, materials[key]), placed)
    script.save()


def _material(library: Any, one: Segment, video: bool, length: int, size: tuple[int, int]) -> Any:
    """A material from what the timeline knows of its file. The library's own way opens the file
    and takes its length from MediaInfo, which rounds it to a millisecond."""
    kind = library.VideoMaterial if video else library.AudioMaterial
    material = kind.__new__(kind)
    material.material_id = uuid.uuid4().hex
    material.material_name = Path(one.path).name
    material.path = one.path
    material.duration = length
    if video:
        material.local_material_id = ""
        material.crop_settings = library.CropSettings()
        material.material_type = "photo" if one.still else "video"
        material.width, material.height = size
    return material


def _segment(library: Any, one: Segment, video: bool, material: Any) -> Any:
    kind = library.VideoSegment if video else library.AudioSegment
    segment = kind(
        material,
        library.Timerange(one.start, one.length),
        source_timerange=library.Timerange(one.source, one.taken),
        volume=one.volume,
    )
    segment.speed.speed = one.speed.numerator / one.speed.denominator
    if video and one.transition is not None:
        length, dip = one.transition
        named = library.TransitionType
        segment.add_transition(named.闪黑 if dip else named.叠化, duration=length)
    return segment


def _verify(path: Path, tracks: list[SegmentTrack]) -> None:
    """Find every segment in what was written.

    Raises:
        FormatError: one of them is elsewhere.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    listed = [*content["materials"]["videos"], *content["materials"]["audios"]]
    materials = {one["id"]: one["path"] for one in listed}
    found = [
        [
            (
                materials[one["material_id"]], one["target_timerange"]["start"],
                one["target_timerange"]["duration"], one["source_timerange"]["start"],
                one["source_timerange"]["duration"],
            )
            for one in track["segments"]
        ]
        for track in content["tracks"]
    ]  # fmt: skip
    wanted = [
        [(one.path, one.start, one.length, one.source, one.taken) for one in track.segments]
        for track in tracks
    ]
    if sorted(found) != sorted(wanted):
        raise FormatError("the draft does not hold this edit", "Write .otio, and report it.")


__all__ = ["ensure_draft_writable", "write_draft"]
