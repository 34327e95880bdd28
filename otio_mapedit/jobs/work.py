"""One job, from its request to its answer. Runs in a process of its own: see ``watch``.

The recipe decides about what the exported timeline uses of its media, each moment once, however
often the timeline uses it; about whole files where the request says so, or names files. The
proposed timeline is a new one, and the exported one is only read.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import opentimelineio as otio

from ..assemble import assemble
from ..cache import Cache, default_folder
from ..config import layered, make_options
from ..errors import FormatError, MapeditError, MediaError, UsageError
from ..interchange.otio_file import timeline_from
from ..interchange.registry import Written, write_timeline
from ..learning.at_hand import used_ranges
from ..media import MediaInfo, probe
from ..operations import DecisionList
from ..pipeline import Tools
from ..programme import programme
from ..progress import Progress
from ..recipes import recipe
from ..referenced import media_paths, referring
from ..timeline_view import view
from ..timing import FrameRange, exact_seconds
from ..within import decide_within
from .answer import Answer, PlacedClip, PlacedMarker, State, refusal, write_both
from .folder import LARGEST_REQUEST, LARGEST_TIMELINE, JobFolder
from .request import LEARN, Request, Roots, from_id, from_text
from .teaching import styled, taught

logger = logging.getLogger(__name__)

#: Seconds between two notes of how far a job is.
_OFTEN = 0.5


class Describe(Protocol):
    """What an edit amounts to: lines for a person and plain facts."""

    def __call__(self, decisions: DecisionList) -> tuple[Sequence[str], dict[str, Any]]: ...


class NotWholeError(FormatError):
    """The timeline cannot be understood; it may still be being written."""


def request_of(folder: JobFolder, job: str) -> Request:
    """The request of a job, from its JSON if it has some, else from its id.

    Raises:
        FormatError: unreadable. OptionError: it asks for what there is not.
    """
    data = folder.read(job, "request.json", LARGEST_REQUEST)
    if data is None:
        return from_id(job)
    try:
        return from_text(job, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FormatError("the request is not text", "Write it as UTF-8.") from None


def carry_out(folder: JobFolder, job: str, roots: Roots, describe: Describe) -> Answer:
    """Do a job; gives its answer, which is not written yet. The result is.

    Raises:
        NotWholeError: the timeline is not whole (yet).
    """
    try:
        request = request_of(folder, job)
        roots.check_options(request.options)
        timeline = None if request.media else _timeline(folder, request)
        progress = _Noted(folder, job)
        if request.verb == LEARN:
            return taught(folder, request, timeline, roots, progress)
        named, offline = (list(request.media), []) if request.media else _media(timeline)
        footage, warnings = _probed([roots.checked(path) for path in named])
        used = [list[FrameRange]() for _ in footage]
        if timeline is not None and not request.whole_files:
            used = used_ranges([(timeline, folder.path)], footage)
        decisions = _decided(folder, request, footage, used, progress)
        return _answered(folder, request, decisions, describe, offline + warnings)
    except NotWholeError:
        raise
    except MapeditError as error:
        return refusal(job, error, State.FAILED if error.exit_code in (1, 5) else State.REFUSED)


def _timeline(folder: JobFolder, request: Request) -> otio.schema.Timeline:
    data = folder.read(request.id, "request.otio", LARGEST_TIMELINE)
    if data is None:
        raise FormatError(
            "the request holds neither a timeline nor media", "Export the timeline with it."
        )
    try:
        return timeline_from(data.decode("utf-8-sig"), "the exported timeline")
    except (UnicodeDecodeError, FormatError) as error:
        if isinstance(error, FormatError):
            raise NotWholeError(error.message, error.remedy) from error
        raise NotWholeError("the exported timeline is not text", "Export it again.") from error


def _media(timeline: otio.schema.Timeline | None) -> tuple[list[str], list[str]]:
    """The media that a timeline uses, and a sentence for each clip that has none.

    Raises:
        UsageError: there is none at all.
    """
    clips = [] if timeline is None else list(timeline.find_clips())
    paths = {} if timeline is None else media_paths(timeline)
    offline = dict.fromkeys(
        clip.name
        for clip in clips
        if isinstance(clip.media_reference, otio.schema.MissingReference) and clip.name
    )
    if not paths:
        what = f": {next(iter(offline))} is offline" if offline else ""
        raise UsageError(
            f"the timeline uses no media file{what}", "Put footage on it, relink it, run again."
        )
    return list(paths), [f"left out: {name} has no media file" for name in offline]


def _probed(paths: Sequence[Path]) -> tuple[list[MediaInfo], list[str]]:
    """What can be read of some files, and a sentence for each that cannot be.

    Raises:
        MediaError: a file is not there, or none can be read.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise MediaError(
            missing[0],
            f"is not there{more}",
            "Relink the clips in the editing program (the media was moved or its disk is not "
            "connected), then run again.",
        )
    footage, warnings, failed = [], list[str](), list[MediaError]()
    for path in paths:
        try:
            footage.append(probe(path))
            warnings += [f"{path.name}: {text}" for text in footage[-1].warnings]
        except MediaError as error:
            failed.append(error)
    if not footage:
        raise failed[0]
    return footage, warnings + [f"left out: {error.what} ({error.path.name})" for error in failed]


def _decided(
    folder: JobFolder,
    request: Request,
    footage: list[MediaInfo],
    used: list[list[FrameRange]],
    progress: Progress,
) -> DecisionList:
    chosen = recipe(request.verb)
    values = layered(request.verb, request.options, folder.path)
    options = make_options(chosen.Options, styled(folder, request, values))
    tools = Tools(Cache(default_folder()), progress)
    decisions = decide_within(footage, used, chosen, options, tools)
    return replace(decisions, name=request.name or decisions.name)


def _answered(
    folder: JobFolder,
    request: Request,
    decisions: DecisionList,
    describe: Describe,
    warnings: list[str],
) -> Answer:
    timeline = assemble(decisions)
    target = folder.file(request.id, request.result)
    folder.remove(request.id, request.result)  # a link that stands there is not followed
    written: Written = write_timeline(timeline, target, request.host, force=True)
    clips = tuple(_clips(timeline))
    summary, facts = describe(decisions)
    return Answer(
        id=request.id,
        state=State.DONE,
        message=" · ".join(summary),
        result=target.name,
        name=decisions.name,
        rate=str(decisions.rate),
        start_frame=decisions.start_frame,
        tracks=len(timeline.tracks),
        duration=max((clip.start + clip.duration for clip in clips), default=0),
        summary=tuple(summary),
        facts=facts,
        warnings=tuple(warnings),
        losses=tuple(report.to_json() for report in written.reports),
        clips=clips,
        markers=tuple(_markers(decisions)),
    )


def _clips(timeline: otio.schema.Timeline) -> list[PlacedClip]:
    """Every clip with its place, track by track."""
    seen = view(timeline)
    _, found = referring(seen)
    placed = [
        PlacedClip(
            track=item.seen.track,
            start=item.seen.record.start,
            duration=item.seen.record.duration,
            path=item.source.path,
            media_start=item.start,
            rate=str(item.source.rate),
            speed=float(item.seen.scalar),
            enabled=bool(item.seen.clip.enabled),
            media_timecode=item.source.start_frame,
        )
        for item in found
    ]
    return sorted(placed, key=lambda clip: (clip.track, clip.start))


def _markers(decisions: DecisionList) -> list[PlacedMarker]:
    """Markers in frames of the sequence."""
    played, made = programme(decisions), []
    for mark in played.marks:
        operation = mark.listed.operation
        rate = decisions.source(operation.source).rate
        length = exact_seconds(operation.range.duration) * decisions.rate / rate
        parameters = operation.parameters
        made.append(
            PlacedMarker(
                at=mark.record,
                duration=max(1, int(length)),
                name=str(parameters.get("name", "")),
                note=str(parameters.get("note", "")),
                colour=str(parameters.get("colour", "RED")).upper(),
            )
        )
    return sorted(made, key=lambda marker: marker.at)


class _Noted:
    """Progress into the folder, now and then; ends the process where nobody watches it any more."""

    def __init__(self, folder: JobFolder, job: str) -> None:
        self._folder, self._job = folder, job
        self._last = 0.0
        self._parent = os.getppid()

    def __call__(self, task: str, done: float, total: float) -> None:
        now = time.monotonic()
        if now - self._last < _OFTEN and done < total:
            return
        self._last = now
        if os.getppid() != self._parent:
            raise SystemExit("the watcher has ended")
        share = min(1.0, done / total) if total > 0 else 0.0
        try:
            write_both(
                self._folder, f"{self._job}.progress", {"task": task, "done": round(share, 3)}
            )
        except MapeditError as error:  # costs the sight of it, not the work
            logger.debug("no progress written: %s", error)
