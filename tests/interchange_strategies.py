"""Hypothesis strategies for stock OTIO timelines, and what two timelines must agree on.

The timelines look like those of an editing room rather than like noise: media with start
timecode, several tracks of picture and sound, linked sound, transitions and fades that fit their
clips, constant speeds, markers, nested sequences, generators, missing media.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import opentimelineio as otio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from otio_mapedit.interchange.gain import gain_of, set_gain
from otio_mapedit.interchange.urls import media_url
from otio_mapedit.timing import (
    NTSC_24,
    NTSC_30,
    NTSC_60,
    can_drop_frames,
    exact_rate,
    exact_time,
    rational_time,
)

#: Random timelines per format (and profile of FCPXML) that are written and read back.
EXAMPLES = int(os.environ.get("MAPEDIT_EXAMPLES", "2000"))
RATES = (NTSC_24, Fraction(24), Fraction(25), NTSC_30, Fraction(50), NTSC_60)
SPEEDS = (2.0, 0.5, -1.0, 1 / 3, 1.25, -0.75, 0.0, 1.2345, 100.0, 0.01)
COLOURS = ("RED", "GREEN", "BLUE", "")

round_trip = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
#: For what holds of the same code as a round trip, seen from another side.
property_test = settings(
    parent=round_trip,
    max_examples=max(40, EXAMPLES // 10),
    suppress_health_check=list(HealthCheck),
)

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
names = words | st.sampled_from(
    ["Talk & 100%.mov", "b roll #2 <cut>.mp4", 'séance "会议".mxf', "A001C002_0101", " "]
)
TR = otio.opentime.TimeRange


@st.composite
def media(draw: st.DrawFn, rate: Fraction, number: int) -> Any:
    """A media file of 20,000 frames, or something in place of one."""
    clock = draw(st.sampled_from([rate, rate, rate, *RATES]))
    start = draw(st.sampled_from([0, 90000, 107892, 86399]))
    available = TR(rational_time(start, clock), rational_time(20_000, clock))
    kind = draw(st.sampled_from(["file"] * 8 + ["still", "missing", "generator", "images", "bare"]))
    if kind == "missing":
        return otio.schema.MissingReference(f"lost {number}", available)
    if kind == "generator":
        return otio.schema.GeneratorReference("Bars", "SMPTEBars", available, {"level": 75})
    if kind == "images":
        return otio.schema.ImageSequenceReference(
            "file:///plates/", f"shot{number}.", ".exr", 1001, 1, float(clock), 4,
            available_range=available,
        )  # fmt: skip
    folder = draw(st.sampled_from(["/media", "/media/day%201", "//server/share"]))
    stem = draw(st.sampled_from(["talk", "b%20roll%20%232", "%E4%BC%9A", "100%25"]))
    suffix = ".png" if kind == "still" else ".mov"
    url = f"file:{'' if folder.startswith('//') else '//'}{folder}/{stem}_{number}{suffix}"
    reference = otio.schema.ExternalReference(url, None if kind == "bare" else available)
    reference.name = draw(st.sampled_from(["", f"{stem}_{number}{suffix}", "Camera A"]))
    return reference


def is_file(reference: Any) -> bool:
    """Whether sound can come from it."""
    return isinstance(reference, otio.schema.ExternalReference) and not (
        reference.target_url.endswith(".png")
    )


@st.composite
def markers(draw: st.DrawFn, start: Fraction, length: int, clock: Fraction) -> Any:
    """A marker within ``length`` frames of ``clock`` from ``start`` seconds."""
    at = start * clock + draw(st.integers(0, max(0, length - 1)))
    marker = otio.schema.Marker(
        name=draw(words),
        color=draw(st.sampled_from(COLOURS)),
        comment=draw(names),
        marked_range=TR(
            otio.opentime.RationalTime(float(at), float(clock)),
            rational_time(draw(st.integers(0, 3)), clock),
        ),
    )
    if draw(st.booleans()):
        marker.metadata["mapedit"] = {"id": f"m{draw(st.integers(0, 99))}"}
    return marker


@st.composite
def clips(draw: st.DrawFn, rate: Fraction, reference: Any, frames: int) -> Any:
    """A clip of ``frames`` sequence frames, inside its media at whatever speed."""
    span = reference.available_range
    clock = exact_rate(span.start_time.rate) if span else rate
    first = int(span.start_time.value) if span else 1000
    clip = otio.schema.Clip(
        draw(names),
        reference.deepcopy(),
        TR(
            rational_time(first + draw(st.integers(0, 2000)), clock),
            rational_time(frames, rate),
        ),
    )
    clip.enabled = draw(st.sampled_from([True, True, True, False]))
    if draw(st.integers(0, 3)) == 0 and not isinstance(reference, otio.schema.GeneratorReference):
        speed = draw(st.sampled_from(SPEEDS))
        if abs(speed) * frames / float(rate) < 15_000 / float(clock):
            if speed == 0:
                clip.effects.append(otio.schema.FreezeFrame(name="Hold"))
            else:
                clip.effects.append(otio.schema.LinearTimeWarp("Speed", time_scalar=speed))
    begin = exact_time(clip.source_range.start_time)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        clip.markers.append(draw(markers(begin, frames, clock)))
    if draw(st.booleans()):
        identity = f"k{draw(st.integers(0, 999))}"
        clip.metadata["mapedit"] = {"id": identity, "confidence": 0.5, "reason": draw(words)}
    if draw(st.integers(0, 9)) == 0:
        clip.metadata["cdl"] = {
            "asc_sop": {"slope": [1.1, 1.0, 0.9], "offset": [0, 0, 0.01], "power": [1, 1, 1]},
            "asc_sat": 0.8,
        }
    return clip


def _gap(rate: Fraction, frames: int) -> Any:
    return otio.schema.Gap(source_range=TR(rational_time(0, rate), rational_time(frames, rate)))


@st.composite
def transitions(draw: st.DrawFn, rate: Fraction, before: int, after: int) -> Any:
    """A transition of up to that many frames on each side."""
    lengths = [draw(st.integers(0, before)), draw(st.integers(0, after))]
    if not sum(lengths):
        lengths = [min(1, before), min(1, after)]
    kind = draw(st.sampled_from(["Cross Dissolve", "Cross Dissolve", "Wipe", "Dip to Black"]))
    types = otio.schema.TransitionTypes
    return otio.schema.Transition(
        kind,
        types.SMPTE_Dissolve if kind == "Cross Dissolve" else types.Custom,
        *(rational_time(length, rate) for length in lengths),
    )


@st.composite
def tracks(draw: st.DrawFn, rate: Fraction, pool: list[Any], kind: str) -> Any:
    """A track with gaps, and transitions where clips meet or end."""
    track = otio.schema.Track(draw(words), kind=kind)
    if kind == "Audio":
        pool = [reference for reference in pool if is_file(reference)]
    last = 0  # frames of the clip before; 0 for a gap
    for number in range(draw(st.integers(1, 5))):
        frames = draw(st.integers(8, 120))
        filled = bool(pool) and draw(st.integers(0, 4)) > 0
        joined = (last or filled) and draw(st.integers(0, 3)) == 0
        if joined and (number or filled):
            track.append(draw(transitions(rate, min(4, last), 4 if filled else 0)))
        if filled:
            clip = draw(clips(rate, draw(st.sampled_from(pool)), frames))
            if kind == "Audio" and draw(st.integers(0, 4)) == 0:
                set_gain(clip, draw(st.sampled_from([-6.0, -12.5, 3.25])))
            track.append(clip)
        else:
            track.append(_gap(rate, frames))
        last = frames if filled else 0
    if last and draw(st.integers(0, 3)) == 0:
        track.append(draw(transitions(rate, 4, 0)))
    return track


def _linked_sound(picture: Any, number: int) -> Any:
    """The sound of a picture track: linked clips where it has media with sound."""
    track = otio.schema.Track(f"A{number}", kind="Audio")
    for index, item in enumerate(picture):
        copy = item.deepcopy()
        if isinstance(item, otio.schema.Clip):
            if not is_file(item.media_reference):
                copy = _gap(exact_rate(item.source_range.duration.rate), 0)
                copy.source_range = TR(copy.source_range.start_time, item.source_range.duration)
            else:
                for each in (item, copy):
                    mine = dict(each.metadata.get("mapedit", {}))
                    each.metadata["mapedit"] = mine | {"link": f"{id(picture)}-{index}"}
                del copy.markers[:]
                copy.metadata.pop("cdl", None)
        track.append(copy)
    return _without_hollow(track)


def _without_hollow(track: Any) -> Any:
    """A track without the transitions that no clip is beside."""
    items = [None, *track, None]
    for before, item, after in zip(items, items[1:], items[2:], strict=False):
        if isinstance(item, otio.schema.Transition) and not any(
            isinstance(side, otio.schema.Clip) for side in (before, after)
        ):
            track.remove(item)
    return track


@st.composite
def timelines(draw: st.DrawFn, nested: bool = True) -> otio.schema.Timeline:
    """A sequence of one to three video and up to three audio tracks."""
    rate = draw(st.sampled_from(RATES))
    pool = [draw(media(rate, number)) for number in range(draw(st.integers(1, 4)))]
    timeline = otio.schema.Timeline(draw(words))
    timeline.global_start_time = rational_time(draw(st.sampled_from([0, 1, 90000, 107892])), rate)
    drop_frame = can_drop_frames(rate) and draw(st.booleans())
    timeline.metadata["mapedit"] = {"drop_frame": drop_frame}
    pictures = [
        draw(tracks(rate, pool, "Video")) for _ in range(draw(st.sampled_from([1, 1, 2, 3])))
    ]
    sounds = []
    if draw(st.booleans()):
        sounds = [_linked_sound(pictures[0], n) for n in range(1, draw(st.integers(1, 2)) + 1)]
    sounds += [draw(tracks(rate, pool, "Audio")) for _ in range(draw(st.integers(0, 1)))]
    timeline.tracks.extend(pictures + sounds)
    if nested and draw(st.integers(0, 4)) == 0:
        inside = otio.schema.Stack("Scene")
        inside.append(draw(tracks(rate, pool, "Video")))
        length = int(inside.duration().value)
        inside.source_range = TR(rational_time(0, rate), rational_time(length, rate))
        pictures[-1].append(inside)
    for _ in range(draw(st.sampled_from([0, 0, 1]))):
        length = int(timeline.duration().value)
        timeline.tracks.markers.append(draw(markers(Fraction(0), length, rate)))
    return timeline


# ---- what two timelines must agree on ------------------------------------------------------


def seconds(span: Any) -> tuple[Fraction, Fraction]:
    """Start and duration, exact."""
    return exact_time(span.start_time), exact_time(span.duration)


def marker_facts(markers: Any) -> list[Any]:
    """Markers in order of time."""
    return sorted(
        (
            *seconds(marker.marked_range), marker.name, marker.color or "", marker.comment,
            marker.metadata.get("mapedit", {}).get("id", ""),
        )
        for marker in markers
    )  # fmt: skip


def reference_facts(reference: Any) -> tuple[Any, ...]:
    """Which media, and how much of it."""
    available = reference.available_range and seconds(reference.available_range)
    if isinstance(reference, otio.schema.ExternalReference):
        return "file", media_url(reference.target_url), reference.name, available
    if isinstance(reference, otio.schema.GeneratorReference):
        parameters = {key: value for key, value in reference.parameters.items() if value != ""}
        return "generator", reference.generator_kind, parameters, available
    if isinstance(reference, otio.schema.ImageSequenceReference):
        return (
            "images", reference.target_url_base, reference.name_prefix, reference.name_suffix,
            reference.start_frame, reference.frame_zero_padding, reference.rate, available,
        )  # fmt: skip
    return ("missing", available)


def item_facts(item: Any, start: Fraction, links: dict[Any, list[Any]], place: Any) -> Any:
    """An item at ``start`` seconds, as a dictionary that reads well where it differs."""
    mine = item.metadata.get("mapedit", {})
    facts: dict[str, Any] = {
        "at": start,
        "name": item.name,
        "enabled": item.enabled,
        "range": seconds(item.source_range),
        "speeds": [e.time_scalar for e in item.effects if hasattr(e, "time_scalar")],
        "gain": gain_of(item),
        "markers": marker_facts(item.markers),
        "id": (mine.get("id"), mine.get("confidence"), mine.get("reason")),
    }
    if isinstance(item, otio.schema.Clip):
        facts["media"] = reference_facts(item.media_reference)
        cdl = item.metadata.get("cdl")
        facts["cdl"] = cdl and (list(cdl["asc_sop"]["slope"]), cdl["asc_sat"])
        if mine.get("link") is not None:
            links.setdefault(str(mine["link"]), []).append(place)
    else:
        facts["nested"] = stack_facts(item)
    return facts


def track_facts(track: Any, links: dict[Any, list[Any]], number: int) -> list[Any]:
    """Everything on a track but plain gaps, with its place in seconds."""
    found: list[Any] = []
    clock = Fraction(0)
    for index, item in enumerate(track):
        if isinstance(item, otio.schema.Transition):
            offsets = exact_time(item.in_offset), exact_time(item.out_offset)
            found.append(("transition", clock, *offsets, item.transition_type, item.name))
            continue
        if not isinstance(item, otio.schema.Gap):
            found.append(item_facts(item, clock, links, (number, clock)))
        elif item.markers:
            found.append(("gap", clock, marker_facts(item.markers)))
        span = item.source_range or item.media_reference.available_range
        clock += exact_time(span.duration)
        assert index >= 0
    return found


def stack_facts(stack: Any) -> dict[str, Any]:
    """All tracks of a sequence."""
    links: dict[Any, list[Any]] = {}
    return {
        "tracks": [
            (track.kind, track.name, track.enabled, track_facts(track, links, number),
             marker_facts(track.markers))
            for number, track in enumerate(stack)
        ],
        "links": sorted(places for places in links.values() if len(places) > 1),
        "markers": marker_facts(stack.markers),
    }  # fmt: skip


def timeline_facts(timeline: Any) -> dict[str, Any]:
    """Everything that a format must bring back or report."""
    start = timeline.global_start_time
    return {
        "name": timeline.name,
        "start": exact_time(start) if start is not None else Fraction(0),
        "drop_frame": bool(timeline.metadata.get("mapedit", {}).get("drop_frame")),
        **stack_facts(timeline.tracks),
    }
