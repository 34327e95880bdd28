"""The clock of a clip that is read: where its media begins, how fast it runs, what local times
mean. See :mod:`.fcpxml_times` for the clocks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

import opentimelineio as otio

from .fcpxml_times import TimeMap, conform_rate, conform_speeds, parse_time

CONFORM = "conform-rate"
#: How far a speed that rides along may be from the one that the file maps.
_NEAR = Fraction(1, 10_000)


@dataclass(frozen=True, slots=True)
class ClipClock:
    """``local_start`` and ``duration`` as the element says them; ``pace`` is how fast the local
    clock runs for what is connected to the clip."""

    local_start: Fraction
    duration: Fraction
    time_map: TimeMap | None = None
    pace: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)  # from the local clock to that of wrapped media

    @property
    def source_start(self) -> Fraction:
        """Lowest moment of the media that the clip shows."""
        if self.time_map is None:
            return self.local_start + self.shift
        return min(self.media(self.local_start), self.media(self.local_start + self.duration))

    @property
    def speed(self) -> Fraction:
        """Media seconds per second of sequence; the mean where it changes."""
        if self.time_map is None or self.duration <= 0:
            return self.pace
        return self.time_map.speed(self.local_start, self.local_start + self.duration)

    @property
    def is_steady(self) -> bool:
        """Whether one speed holds throughout."""
        if self.time_map is None or self.duration <= 0:
            return True
        return self.time_map.is_steady(self.local_start, self.local_start + self.duration)

    def media(self, local: Fraction) -> Fraction:
        """Media time at a local time."""
        return self.shift + (local if self.time_map is None else self.time_map.at(local))

    def media_range(self, local: Fraction, duration: Fraction) -> tuple[Fraction, Fraction]:
        """A range of local time as start and duration on the media's clock. A frozen clip shows
        one moment throughout, so its markers keep their distance from its beginning."""
        if self.time_map is None:
            return local + self.shift, duration
        if self.speed == 0:
            return self.source_start + local - self.local_start, duration
        ends = sorted((self.media(local), self.media(local + duration)))
        return ends[0], ends[1] - ends[0]

    def record(self, local: Fraction) -> Fraction:
        """Seconds of sequence after the clip's first frame, at a local time."""
        return (local - self.local_start) / self.pace


def read_clock(
    element: Element, start: Fraction, duration: Fraction, rate: Fraction, sequence: Fraction
) -> ClipClock:
    """The clock of a clip element; ``start`` and ``duration`` are the asset's, for elements that
    leave theirs out, ``rate`` the asset's."""
    time_map = _time_map(element)
    if time_map is not None:
        start = time_map.points[0][0]
    local = parse_time(element.get("start"), start)
    length = parse_time(element.get("duration"), duration)
    pace = Fraction(1)
    conform = element.find(CONFORM)
    if time_map is None and conform is not None and conform.get("scaleEnabled") != "0":
        source = conform_rate(conform.get("srcFrameRate")) or rate
        pace = _pace(element, local, conform_speeds(source, sequence), sequence)
    return ClipClock(local, length, time_map, pace)


def _time_map(element: Element) -> TimeMap | None:
    points = [
        (parse_time(point.get("time")), parse_time(point.get("value")))
        for point in element.iterfind("timeMap/timept")
    ]
    return TimeMap.of(points)


def _pace(
    element: Element, local: Fraction, speeds: tuple[Fraction, ...], sequence: Fraction
) -> Fraction:
    """The likeliest speed; where things are connected to the clip, the first one that puts them
    on frames of the sequence."""
    offsets = [parse_time(child.get("offset")) - local for child in element if child.get("lane")]
    for speed in speeds:
        if all((offset / speed * sequence).denominator == 1 for offset in offsets):
            return speed
    return speeds[0]


def set_speed(item: Any, clock: ClipClock, data: dict[str, Any]) -> None:
    """Give an item the time warps that its clock needs, by the names they had before."""
    speed = clock.speed
    warps = _said(data.get("warps"))
    product = Fraction(1)
    for _, scalar, _ in warps:
        product *= Fraction(scalar)
    if warps and abs(product - speed) <= _NEAR * abs(speed):
        for name, scalar, metadata in warps:
            item.effects.append(_warp(scalar, name, metadata))
    elif clock.time_map is not None or speed != 1:
        name = CONFORM if clock.time_map is None else ""
        item.effects.append(_warp(float(speed), name, {}))


def _said(value: Any) -> list[tuple[str, float, dict[str, Any]]]:
    """Time warps that ride along; none where they are damaged."""
    found = []
    for warp in value if isinstance(value, list) else ():
        if not isinstance(warp, list) or len(warp) != 3:
            return []
        name, scalar, metadata = warp
        if not isinstance(scalar, int | float) or not abs(scalar) <= 1e6:
            return []
        found.append((str(name), float(scalar), metadata if isinstance(metadata, dict) else {}))
    return found


def _warp(scalar: float, name: str, metadata: dict[str, Any]) -> Any:
    if scalar == 0:
        return otio.schema.FreezeFrame(name=name, metadata=metadata)
    return otio.schema.LinearTimeWarp(name=name, time_scalar=scalar, metadata=metadata)
