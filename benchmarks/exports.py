"""Every real export in every format: python benchmarks/exports.py FOLDER...

Each timeline below the folders (FCPXML, xmeml, EDL, OTIO, AAF, as programs have exported them) is
written in every format and host profile, read again where there is a reader, and compared clip by
clip: place, source, speed, name, media, enabled, gain, markers, colour, reel, effects, links,
transitions, tracks. A pair is

    exact    everything came back and the report is clean
    named    the loss report says something; everything that differs has an entry there
             of its own kind, on its own track
    refused  one clear line with what to do next (media for a bundle that is not there)
    fault    anything else, and more than --slow seconds of processor time

Prints a line a format and a line a fault; exit code 1 if there is a fault. The extras aaf and
jianying are needed for their columns.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import opentimelineio as otio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from otio_mapedit.errors import MapeditError
from otio_mapedit.interchange.fcpxml_plan import item_range, speed_of
from otio_mapedit.interchange.gain import gain_of, is_gain
from otio_mapedit.interchange.loss import Loss, Severity
from otio_mapedit.interchange.registry import (
    DRAFT,
    FORMATS,
    PROFILES,
    READ_ONLY,
    format_of,
    read_reported,
    read_timeline,
    write_timeline,
)
from otio_mapedit.interchange.timeline_facts import clip_data, data_of, reference_url
from otio_mapedit.timing import exact_time
from otio_mapedit.urls import is_absolute, path_of

#: Rates that an EDL may have, in the order in which they are tried.
RATES = (24, Fraction(24000, 1001), 25, Fraction(30000, 1001), 30, 50, Fraction(60000, 1001))
VERBOSE = False
#: Times that are this close are the same: some formats hold decimals.
SAME = Fraction(1, 10_000)
#: Host by format and profile.
COLUMNS = {
    (suffix, profile): host
    for suffix, hosts in PROFILES.items()
    for host, profile in reversed(hosts.items())
}
#: What a loss must be about to explain a fact that differs.
EXPLAINS = {
    "tracks": {"track", "nested sequence", "clip", "sound", "disabled", "generator"},
    "track": {"track", "nested sequence", "enabled"},
    "clips": {"clip", "nested sequence", "track", "disabled", "missing media", "generator",
              "sound"},
    "transition": {"transition", "fade", "nested sequence", "cut"},
    "at": {"cut", "clip", "nested sequence", "mixed rates", "speed"},
    "length": {"cut", "clip", "nested sequence", "mixed rates", "speed"},
    "start": {"cut", "mixed rates", "speed", "timecode", "nested sequence", "media range"},
    "speed": {"speed", "nested sequence"},
    "name": {"clip name", "name", "nested sequence"},
    "media": {"media", "missing media", "generator", "image sequence", "media name", "sound"},
    "available": {"media", "media range", "missing media", "generator", "image sequence", "sound",
                  "mixed rates"},
    "enabled": {"enabled", "disabled", "track"},
    "gain": {"gain"},
    "markers": {"marker"},
    "colour": {"colour", "grade"},
    "effects": {"effect", "adjustment"},
    "id": {"id"},
    "reel": {"reel"},
    "clock": {"timecode", "drop-frame", "rate"},
    "title": {"name"},
}  # fmt: skip


# What a timeline says ------------------------------------------------------------------------


def seconds(span: Any) -> tuple[Fraction, Fraction]:
    """Start and length of a range, exact; nothing of none."""
    if span is None:
        return Fraction(0), Fraction(0)
    return exact_time(span.start_time), exact_time(span.duration)


def markers(holder: Any) -> list[Any]:
    """Markers in order of time."""
    return sorted(
        (*seconds(one.marked_range), one.name, str(one.color or ""), str(one.comment))
        for one in holder.markers
    )


def media(reference: Any) -> Any:
    """Which media."""
    if isinstance(reference, otio.schema.GeneratorReference):
        return "generator", reference.generator_kind
    # Doubled slashes are one.
    url = reference_url(reference)
    path = re.sub("(?<=.)//+", "/", path_of(url))
    return ("file", Path(path).name, path) if url else ()


def facts(item: Any, at: Fraction) -> dict[str, Any]:
    """What an item says, by what a loss must be about to explain a difference."""
    start, length = seconds(item_range(item))
    data = clip_data(item)
    found = {
        "at": at, "start": start, "length": length, "speed": speed_of(item), "name": item.name,
        "enabled": item.enabled, "gain": gain_of(item), "markers": markers(item),
        "id": data.own.get("id"), "reel": data.reel, "colour": str(dict(data.cdl)),
        "effects": [
            one.effect_name or one.name for one in data.effects
            if not (isinstance(one, otio.schema.TimeEffect) or is_gain(one))
        ],
    }  # fmt: skip
    if isinstance(item, otio.schema.Clip):
        found["media"] = media(item.media_reference)
        span = getattr(item.media_reference, "available_range", None)
        found["available"] = span and seconds(span)
    else:
        found["inside"] = item
    return found


def tracked(track: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The clips, nested sequences and transitions of a track, each with its place."""
    clock = Fraction(0)
    for item in track if isinstance(track, otio.schema.Track) else [track]:
        if isinstance(item, otio.schema.Transition):
            sides = exact_time(item.in_offset), exact_time(item.out_offset)
            dissolve = item.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve
            name = "" if dissolve else item.name
            yield "transition", {"transition": (clock, *sides, item.transition_type, name)}
            continue
        if not isinstance(item, otio.schema.Gap):
            yield "clip", facts(item, clock)
        elif item.markers:
            yield "gap", {"markers": (clock, markers(item))}
        clock += seconds(item_range(item))[1]


# Comparing -----------------------------------------------------------------------------------


def close(one: Any, other: Any) -> bool:
    """Equal, or times that are as good as equal."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) < SAME
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and one[:1] == ("file",) and isinstance(other, tuple):
        # A relative path may have become an absolute one.
        there = one[2] if is_absolute(one[2]) else other[2:3] and other[2]
        return one[1:2] == other[1:2] and there == other[2]
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(close, one, other))
    return bool(one == other)


def differing(made: Any, again: Any) -> Iterator[tuple[str, str, str]]:
    """Fact, track and item of everything that is not as it was."""
    if not close(exact_start(made), exact_start(again)):
        yield "clock", "", ""
    if made.name != again.name:
        yield "title", "", ""
    if not close(markers(made.tracks), markers(again.tracks)):
        yield "markers", "", ""
    yield from stack_differs(made.tracks, again.tracks)


def stack_differs(made: Any, again: Any) -> Iterator[tuple[str, str, str]]:
    """The same of the tracks of one sequence, which may be a nested one."""
    for kind in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio):
        ours, theirs = (
            [t for t in one if _kind(t) == kind and (list(tracked(t)) or len(t.markers))]
            for one in (made, again)
        )
        if len(ours) != len(theirs):
            yield "tracks", "", f"{len(ours)} became {len(theirs)} of {kind}"
            continue
        for mine, its in zip(ours, theirs, strict=True):
            yield from track_differs(mine, its)


def track_differs(mine: Any, its: Any) -> Iterator[tuple[str, str, str]]:
    """The same of one track."""
    if isinstance(mine, otio.schema.Track) and (
        mine.enabled != its.enabled or its.name != mine.name != ""
    ):
        yield "track", mine.name, f"now {its.name}" if its.name != mine.name else "enabled"
    if not close(markers(mine), markers(its)):
        yield "markers", mine.name, ""
    pairs = [[[v for k, v in tracked(t) if k == kind] for t in (mine, its)]
             for kind in ("clip", "gap", "transition")]  # fmt: skip
    kinds = ("clips", "markers", "transition")
    for kind, (one, other) in zip(kinds, pairs, strict=True):
        if len(one) != len(other):
            yield kind, mine.name, f"{len(one)} became {len(other)}"
            continue
        for a, b in zip_longest(one, other):
            inside = a.pop("inside", None), b.pop("inside", None)
            if all(one is not None for one in inside):
                yield from stack_differs(*inside)
            elif inside != (None, None):
                yield "clips", mine.name, str(a.get("name", ""))
                continue
            for key in a.keys() | b.keys():
                if key == "reel" and not a[key]:
                    continue  # an EDL gives every file a reel
                if not close(a.get(key), b.get(key)):
                    yield key, mine.name, str(a.get("name", ""))
                    if VERBOSE:
                        print(f"   {key}: {a.get(key)}\n     now {b.get(key)}", file=sys.stderr)


def exact_start(timeline: Any) -> tuple[Fraction, bool]:
    """Seconds from midnight, and whether it counts drop-frame."""
    begin = timeline.global_start_time
    drop = bool(data_of(timeline, "mapedit").get("drop_frame"))
    return (exact_time(begin) if begin is not None else Fraction(0)), drop


def _kind(track: Any) -> str:
    return str(getattr(track, "kind", otio.schema.TrackKind.Video))


def explained(fact: str, track: str, item: str, losses: list[Loss]) -> bool:
    """Whether an entry of the report is about this."""
    about = EXPLAINS[fact] | ({"edit"} if losses and losses[0].feature == "edit" else set())
    return any(
        loss.feature in about
        and (fact == "tracks" or loss.track in (track, "") or loss.item == item)
        for loss in losses
    )


# Every pair ----------------------------------------------------------------------------------


def read(path: Path) -> Any | None:
    """A timeline at the first rate that fits, None where there is none in the file."""
    for rate in RATES if path.suffix.lower() == ".edl" else (None,):
        try:
            return read_timeline(path, None if rate is None else Fraction(rate))
        except MapeditError:
            continue
    return None


def pair(made: Any, suffix: str, host: str, folder: Path) -> tuple[str, list[str]]:
    """What becomes of a timeline in one format, and what of it nobody names.

    Raises:
        MapeditError: it is refused.
    """
    path = folder / f"x{suffix}"
    before = made.to_json_string()
    written = write_timeline(made, path, host, True)
    found = [] if made.to_json_string() == before else ["the timeline was changed"]
    reports = list(written.reports)
    if suffix != DRAFT:
        again, said = read_reported(written.paths[0])
        reports += said
        if len(written.paths) > 1:
            again = format_of(path).read_back([each.read_bytes() for each in written.paths])
    noted = [loss for report in reports for loss in report.losses]
    losses = [loss for loss in noted if loss.severity is not Severity.NOTE]
    # What nobody sees or hears is only noted: rounded ends of media, a marker without a colour.
    noted = [loss for loss in noted if loss.feature in ("media range", "marker")]
    if suffix != DRAFT:
        for fact, track, item in differing(made, again):
            if not explained(fact, track, item, [*losses, *noted]):
                found.append(f"{fact} of {item!r} on {track!r}")
    return ("named" if losses else "exact"), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--slow", type=float, default=30, help="seconds that are a fault")
    parser.add_argument("--only", default="", help="files with this in their path")
    parser.add_argument("-v", "--verbose", action="store_true", help="what differs, named or not")
    options = parser.parse_args()
    global VERBOSE
    VERBOSE = options.verbose
    endings = {*FORMATS, *READ_ONLY}
    paths = sorted(
        path for folder in options.folders for path in folder.rglob("*")
        if path.suffix.lower() in endings and options.only in str(path)
        and path.parent.suffix != ".fcpxmld"
    )  # fmt: skip
    counts: dict[tuple[str, str], Counter[str]] = {column: Counter() for column in COLUMNS}
    faults: list[str] = []
    timelines = unread = 0
    for path in paths:
        made = read(path)
        if made is None:
            unread += 1
            continue
        timelines += 1
        with tempfile.TemporaryDirectory() as folder:
            for (suffix, profile), host in COLUMNS.items():
                began, said = time.process_time(), list[str]()
                try:
                    outcome, said = pair(made, suffix, host, Path(folder))
                except MapeditError as error:
                    outcome = "refused"
                    said = ["an error of several lines"] if "\n" in str(error) else []
                    if suffix != ".otioz":
                        print(f"refused {path.name} {suffix} {profile}: {error}", file=sys.stderr)
                except Exception as error:
                    said = [f"{type(error).__name__}: {error}"[:200]]
                if (took := time.process_time() - began) > options.slow:
                    said.append(f"{took:.0f} s")
                counts[suffix, profile]["fault" if said else outcome] += 1
                faults += [f"{path.name} {suffix} {profile}: {one}" for one in said[:4]]
    print(f"{timelines} timelines of {len(paths)} files, {unread} without one\n")
    print(f"{'format':10} {'profile':10} exact named refused fault")
    for (suffix, profile), count in [
        *counts.items(),
        (("all", ""), sum(counts.values(), Counter())),
    ]:
        row = " ".join(f"{count[key]:5}" for key in ("exact", "named", "refused", "fault"))
        print(f"{suffix:10} {profile:10} {row}")
    for one in faults:
        print(f"  {one}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
