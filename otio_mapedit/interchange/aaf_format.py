"""``.aaf`` files (Avid Media Composer), through OTIO's own adapter: the extra ``aaf``.

What that adapter cannot do is prevented in :mod:`.aaf_prepare`; the timecode that it writes at
other rates than its own four is set right here. Every file is read back and compared.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..errors import FormatError, UsageError
from ..timing import can_drop_frames, exact_rate, exact_time, frame_at, nominal_rate
from .aaf_prepare import prepare
from .fcpxml_plan import plan_stack, sequence_rate
from .loss import LossReport
from .otio_dialects import from_host
from .read_back import verify_edit
from .timeline_facts import CARRIED, data_of, name_in_url, plain_values, reference_url

_ADAPTER = "otio_aaf_adapter.adapters.advanced_authoring_format"
NAMESPACE = "mapedit"
#: What the adapter calls a track that it finds no name for.
_PLACEHOLDERS = ("", "Sequence", "TimelineMobSlot", "OperationGroup")
_EXPORT_AGAIN = "Export it again, or export another format from the editing program."


def read(path: Path, rate: Fraction | None = None) -> tuple[otio.schema.Timeline, LossReport]:
    """The timeline in a file, in plain OTIO, and what of it is worth knowing.

    Raises:
        UsageError: the extra is not installed. FormatError: it cannot be understood.
    """
    adapter = _adapter()
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise FormatError(
            f"cannot read {path.name}: {error.strerror or error}",
            "Check the path and its permissions.",
        ) from error
    try:
        with _quiet():
            found = adapter.read_from_file(str(path))
    except Exception as error:  # the reader is not ours: whatever it says, the file is at fault
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise FormatError(f"{path.name} is not usable AAF: {said}", _EXPORT_AGAIN) from error
    report = LossReport("aaf", "read")
    if isinstance(found, otio.schema.SerializableCollection):
        timelines = [item for item in found if isinstance(item, otio.schema.Timeline)]
        for other in timelines[1:]:
            report.note("sequence", f"another one is not read: {other.name!r}")
        found = timelines[0] if timelines else found
    if not isinstance(found, otio.schema.Timeline):
        raise FormatError(f"{path.name} holds no timeline", "Export a sequence, not a clip.")
    _say_unread(found, report)
    _name_media(found)
    with contextlib.suppress(Exception), _quiet():  # a file of others need not be like ours
        _take_identity(path, found)
    return from_host(found), report


def write(timeline: otio.schema.Timeline, path: Path, host: str) -> LossReport:
    """Write ``timeline`` to ``path`` and read it again; what AAF cannot carry.

    Raises:
        UsageError: the extra is not installed, or there is no clip to write. FormatError: what
        was written does not say the same.
    """
    adapter = _adapter()
    report = LossReport("aaf", "write")
    rate = sequence_rate(timeline.tracks, timeline.global_start_time)
    begin = timeline.global_start_time
    start = frame_at(exact_time(begin), rate) if begin is not None else 0
    drop = bool(data_of(timeline, "mapedit").get("drop_frame")) and can_drop_frames(rate)
    plan = plan_stack(timeline.tracks, rate, start, drop, report)
    prepared = prepare(plan, timeline)
    if not len(prepared.tracks):
        raise FormatError("there is no edit that an AAF could hold", "Write .otio.")
    try:
        with _quiet():
            adapter.write_to_file(prepared, str(path))
            _complete(path, prepared, drop)
    except Exception as error:  # the writer is not ours
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise FormatError(f".aaf cannot carry this timeline: {said}", "Write .otio.") from error
    again, _ = read(path)
    verify_edit(prepared, again, LossReport("aaf", "write"), ".aaf")
    return report


def _adapter() -> Any:
    try:
        return importlib.import_module(_ADAPTER)
    except ImportError as error:
        raise UsageError(
            ".aaf files need OTIO's AAF adapter", "Type: pip install 'otio-mapedit[aaf]'"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the adapter's remarks off the screen: it prints, and logs to the root."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _complete(path: Path, prepared: otio.schema.Timeline, drop: bool) -> None:
    """Count labels of the true rate, drop some only where the timeline does, and have every clip
    carry what identifies it."""
    aaf2: Any = importlib.import_module("aaf2")
    rate = exact_rate(prepared.global_start_time.rate)
    with aaf2.open(str(path), "rw") as file:
        for mob in file.content.mobs:
            for slot in mob.slots:
                segment = slot.segment
                if isinstance(segment, aaf2.components.Timecode):
                    segment.fps = nominal_rate(rate)
                    segment.drop = drop
        (sequence,) = file.content.toplevel()
        segments = [slot.segment for slot in sequence.slots]
        media = [one for one in segments if not isinstance(one, aaf2.components.Timecode)]
        for track, segment in zip(prepared.tracks, media, strict=True):
            if not isinstance(segment, aaf2.components.Sequence):
                segment = segment.segments[0]  # sound stands in an operation group
            parts = [c for c in segment.components if isinstance(c, aaf2.components.SourceClip)]
            for clip, part in zip(track.find_clips(), parts, strict=True):
                _identify(aaf2, part, clip)


def _identify(aaf2: Any, part: Any, clip: otio.schema.Clip) -> None:
    own = plain_values(data_of(clip, NAMESPACE))
    if own:
        values = aaf2.misc.TaggedValueHelper(part["ComponentAttributeList"])
        values[NAMESPACE] = json.dumps(own, sort_keys=True)


def _take_identity(path: Path, timeline: otio.schema.Timeline) -> None:
    """Give clips back what :func:`_identify` wrote; the adapter does not read it."""
    aaf2: Any = importlib.import_module("aaf2")
    with aaf2.open(str(path), "r") as file:
        tops = list(file.content.toplevel())
        codes = [slot.segment for top in tops for slot in top.slots]
        codes = [code for code in codes if isinstance(code, aaf2.components.Timecode)]
        timeline.metadata[NAMESPACE] = {"drop_frame": any(code.drop for code in codes)}
        slots = list(tops[0].slots) if len(tops) == 1 else []
        told = [_identities(aaf2, slot.segment) for slot in slots]
        _name_tracks(aaf2, timeline, slots)
    told = [one for one in told if one]
    tracks = [track for track in timeline.tracks if track.find_clips()]
    if [len(one) for one in told] != [len(track.find_clips()) for track in tracks]:
        return  # another program changed it: whose is whose is not known
    for track, one in zip(tracks, told, strict=True):
        for clip, own in zip(track.find_clips(), one, strict=True):
            if own:
                name = own.pop("name", None)
                clip.name = name if isinstance(name, str) else clip.name
                if own:
                    clip.metadata[NAMESPACE] = own


def _name_tracks(aaf2: Any, timeline: otio.schema.Timeline, slots: list[Any]) -> None:
    """The names of the slots: the adapter calls some tracks as what is in them."""
    named = [slot.name for slot in slots if slot.media_kind in ("Picture", "Sound")]
    if len(named) == len(timeline.tracks):
        for track, name in zip(timeline.tracks, named, strict=True):
            if track.name in _PLACEHOLDERS:
                track.name = name or ""


def _identities(aaf2: Any, segment: Any) -> list[dict[str, Any]]:
    """What identifies each clip of a slot, empty dictionaries where nothing does."""
    if isinstance(segment, aaf2.components.OperationGroup):
        segment = next(iter(segment.segments), None)
    found = []
    for part in segment.components if isinstance(segment, aaf2.components.Sequence) else ():
        if isinstance(part, aaf2.components.SourceClip):
            values = aaf2.misc.TaggedValueHelper(part["ComponentAttributeList"])
            text = dict(values.items()).get(NAMESPACE)
            try:
                own = json.loads(text) if isinstance(text, str) else {}
            except (ValueError, RecursionError):
                own = {}
            own = own if isinstance(own, dict) else {}
            kept = (*CARRIED, "name")
            found.append({key: value for key, value in own.items() if key in kept})
    return found


def _name_media(timeline: otio.schema.Timeline) -> None:
    """Call media as its file: the adapter calls all of it ``Mob``."""
    for clip in timeline.find_clips():
        reference = clip.media_reference
        url = reference_url(reference)
        if url and reference.name in ("", "Mob"):
            reference.name = name_in_url(url)


def _say_unread(timeline: otio.schema.Timeline, report: LossReport) -> None:
    """Name the effects that are in the timeline by name only."""
    for clip in timeline.find_clips():
        parent = clip.parent()
        track = parent.name if isinstance(parent, otio.schema.Track) else ""
        for effect in clip.effects:
            if not isinstance(effect, otio.schema.LinearTimeWarp):
                name = str(effect.effect_name or effect.name or type(effect).__name__)
                report.changed("effect", f"{name}: its settings are not read", track, clip.name)


__all__ = ["read", "write"]
