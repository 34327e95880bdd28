"""Events of a CMX 3600 EDL as text: columns, numbers, order, merged channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..timing import timecode
from .edl_words import PREFIX, EdlProfile, channel_code, channel_order, folded

_NO_TIME = "00:00:00:00"


@dataclass(frozen=True, slots=True)
class Side:
    """A reel and the text of its source timecodes."""

    reel: str
    start: str = _NO_TIME
    end: str = _NO_TIME


@dataclass(frozen=True, slots=True)
class EdlEvent:
    """One event; record frames count from midnight. ``kind`` is C, D or W and a pattern.

    ``outgoing`` is the side that a dissolve or wipe comes from. ``motions`` are reel, speed and
    entry timecode of M2 lines.
    """

    channels: frozenset[str]
    side: Side
    start: int
    end: int
    kind: str = "C"
    frames: int = 0
    outgoing: Side | None = None
    motions: tuple[tuple[str, str, str], ...] = ()
    effect: str = ""
    remarks: tuple[str, ...] = ()
    enabled: bool = True
    linked: bool = False


def merged(events: Iterable[EdlEvent]) -> list[EdlEvent]:
    """Events in record order; linked ones that differ in channels only become one."""
    groups: dict[EdlEvent, list[EdlEvent]] = {}
    apart: list[EdlEvent] = []
    for event in events:
        if event.linked:
            groups.setdefault(replace(event, channels=frozenset()), []).append(event)
        else:
            apart.append(event)
    for group in groups.values():
        apart += _combined(group)
    return sorted(apart, key=lambda e: (e.start, e.end, min(map(channel_order, e.channels))))


def _combined(group: list[EdlEvent]) -> list[EdlEvent]:
    """As few events as codes allow: V, A1 and A2 in one, every other channel on its own."""
    core = frozenset({"V", "A1", "A2"})
    together = [event for event in group if event.channels <= core]
    rest = [event for event in group if not event.channels <= core]
    if len(together) < 2:
        return together + rest
    channels = frozenset().union(*(event.channels for event in together))
    return [replace(together[0], channels=channels), *rest]


class EdlText:
    """Builds the text of one EDL, line by line."""

    def __init__(self, profile: EdlProfile, rate: Fraction, drop: bool) -> None:
        self.profile, self.rate, self.drop = profile, rate, drop
        self.lines: list[str] = []
        self.number = 0

    def header(self, title: str, remarks: Sequence[str]) -> None:
        """Title, frame code mode and the comments for the whole list."""
        self.lines.append(f"TITLE: {title}".rstrip())
        self.lines.append("FCM: DROP FRAME" if self.drop else "FCM: NON-DROP FRAME")
        self.lines += [line for remark in remarks for line in folded(remark)]

    def event(self, event: EdlEvent) -> None:
        """One event with everything that belongs to it."""
        code = channel_code(event.channels)
        if code is None:
            for channel in sorted(event.channels, key=channel_order):
                self.event(replace(event, channels=frozenset({channel})))
            return
        if event.enabled:
            self.number += 1
        number = f"{self.number if event.enabled else 0:0{self.profile.digits}d}"
        lines = []
        if event.outgoing is not None:
            lines.append(
                self._edit(number, event.outgoing, code, "C", "", event.start, event.start)
            )
        frames = f"{event.frames:03d}" if event.kind != "C" else ""
        lines.append(
            self._edit(number, event.side, code, event.kind, frames, event.start, event.end)
        )
        lines += [self._motion(*motion) for motion in event.motions]
        if event.effect:
            lines.append(f"EFFECTS NAME IS {event.effect}")
        lines += [line for remark in event.remarks for line in folded(remark)]
        self.lines += lines if event.enabled else [f"* {PREFIX} DISABLED: {x}" for x in lines]

    def text(self) -> str:
        """The whole list."""
        return self.profile.newline.join([*self.lines, ""])

    def _edit(
        self, number: str, side: Side, code: str, kind: str, frames: str, start: int, end: int
    ) -> str:
        reel = side.reel.ljust(self._width)
        record = f"{self._timecode(start)} {self._timecode(end)}"
        return f"{number}  {reel} {code:<4}  {kind:<4} {frames:>3} {side.start} {side.end} {record}"

    def _motion(self, reel: str, speed: str, entry: str) -> str:
        if self.profile.digits > 3:
            return f"M2      {reel:<{self._width}}         {speed:>6} {entry}"
        return f"M2   {reel:<{self._width}}      {speed:>6}                {entry}"

    @property
    def _width(self) -> int:
        """Reel columns: eight, or as many as the profile's longest reel has."""
        return self.profile.reel_length

    def _timecode(self, frame: int) -> str:
        return timecode(frame, self.rate, self.drop)
