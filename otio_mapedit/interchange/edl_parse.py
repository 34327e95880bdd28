"""The text of a CMX 3600 EDL as edit lines and what stands with them. No arithmetic here.

Read leniently, as the field writes it: reels of 8, 32 or 128 characters or with spaces, channel
codes of every make, a blank transition column, any spacing, Windows line ends, UTF-8 with or
without mark, UTF-16 and Latin-1. A line that is not understood is kept for the loss report.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import FormatError
from .edl_words import CONTINUED, PREFIX, parse_channels
from .xml_safe import read_bytes

#: A feature film's EDL has about a megabyte; ten thousand of our own events have two.
MAX_BYTES = 16 * 1024 * 1024
MAX_LINES = 1_000_000
#: Longest line that is looked into.
_MAX_LINE = 4000
_MORE = f"{PREFIX} {CONTINUED}:"

_TC = r"(\d{1,3}[:;.,]\d{1,2}[:;.,]\d{1,2}[:;.,]\d{1,3})"
_EVENT = re.compile(rf"^(\d{{1,6}})\s+(\S.*?)\s+{_TC}\s+{_TC}\s+{_TC}\s+{_TC}(?:\s.*)?$")
_CHANNELS = r"(?:NONE|B|(?:A\d{0,2}|V\d{0,2}|/)+)"
_MIDDLE = re.compile(
    rf"^(\S.*?)\s+({_CHANNELS})(?:\s+(C|D|W\d{{0,3}}|KB?|K\s+B|KO|K\s+O))?(?:\s+\(?F?\)?(\d{{1,4}}))?$",
    re.IGNORECASE,
)
_MOTION = re.compile(rf"^M2\s+(?:(\S.*?)\s+)?([+-]?\s?\d{{1,4}}(?:\.\d+)?)(?:\s+{_TC})?\s*$")
#: Not str.splitlines: that also splits at Latin-1's 0x85, an ellipsis in Windows' code page.
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|$)")
_CHECK = "Check that it is an EDL; split it if it is."
_NAMED_EFFECT = re.compile(r"^EFFECTS? NAME IS\s*(.*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EditLine:
    """One line with four timecodes. ``kind`` is C, D, W, K, KB or KO; ``row`` counts from 1."""

    number: int
    reel: str
    channels: frozenset[str]
    kind: str
    wipe: int
    frames: int
    times: tuple[str, str, str, str]  # source in, out, record in, out
    row: int
    source_drop: bool = False  # the FCM line in force


@dataclass(frozen=True, slots=True)
class Motion:
    """An M2 line: the source runs at ``fps`` from timecode ``entry``."""

    reel: str
    fps: str
    entry: str
    row: int


@dataclass(slots=True)
class Event:
    """An edit with all that stands below it up to the next.

    ``outgoing`` is the line of no length that states where a dissolve comes from.
    """

    edit: EditLine
    outgoing: EditLine | None = None
    motions: list[Motion] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    effect: str = ""
    extra_channels: frozenset[str] = frozenset()
    enabled: bool = True

    @property
    def channels(self) -> frozenset[str]:
        """Channels of the edit line and of an ``AUD`` line."""
        return self.edit.channels | self.extra_channels


@dataclass(slots=True)
class EdlText:
    """A whole EDL. ``unknown`` holds row and text of lines that are not understood."""

    title: str = ""
    drop: bool | None = None  # the first FCM line
    header: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    unknown: list[tuple[int, str]] = field(default_factory=list)


def decode_edl(data: bytes | str | Path) -> str:
    """The text of an EDL in whatever encoding it was written.

    Raises:
        FormatError: binary, too large, or cannot be opened.
    """
    if isinstance(data, Path):
        data = read_bytes(data)
    if isinstance(data, str):
        return data
    if len(data) > MAX_BYTES:
        raise _too_large()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise _not_edl("it holds binary data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse_edl(text: str) -> EdlText:
    """Edit lines, motion, comments and format code mode of an EDL.

    Raises:
        FormatError: nothing in it looks like an EDL.
    """
    parsed = EdlText()
    # A disabled clip's lines come in comments and build events of their own.
    reader, disabled = _LineReader(parsed), _LineReader(parsed, enabled=False)
    mark = f"{PREFIX} DISABLED:"
    titled = False
    for row, raw in enumerate(_LINE.finditer(text), 1):
        if row > MAX_LINES:
            raise FormatError(f"an EDL of more than {MAX_LINES} lines is not read", _CHECK)
        line = raw[1].strip()
        titled = titled or line.upper().startswith(("TITLE:", "FCM:"))
        remark = line[1:].strip() if line.startswith("*") else ""
        if remark.startswith(mark):
            disabled.take(row, remark[len(mark) :].strip())
        else:
            reader.take(row, line)
    reader.join()
    disabled.join()
    if not parsed.events and not titled:
        raise _not_edl("no line of it is an edit")
    parsed.events.sort(key=lambda event: event.edit.row)
    return parsed


class _LineReader:
    """Takes lines one by one and hangs each on the event it belongs to."""

    def __init__(self, parsed: EdlText, enabled: bool = True) -> None:
        self.parsed = parsed
        self.enabled = enabled
        self.event: Event | None = None
        self.drop = False
        self.more: list[str] = []
        self.home: list[str] = []

    def take(self, row: int, line: str) -> None:
        if not line or len(line) > _MAX_LINE:
            if line:
                self.parsed.unknown.append((row, line[:60]))
            return
        if not line.startswith("*"):
            # Columns by words: runs of spaces would make the patterns below slow.
            line = " ".join(line.split())
        upper = line.upper()
        if line.startswith("*"):
            self._remark(line[1:].strip())
        elif line[0].isdigit():
            self._edit(row, line)
        elif upper.startswith("TITLE:"):
            self.parsed.title = self.parsed.title or line[6:].strip()
        elif upper.startswith("FCM:"):
            self._mode(upper)
        else:
            self._rest(row, line, upper)

    def _remark(self, remark: str) -> None:
        remarks = self.parsed.header if self.event is None else self.event.remarks
        if self.home is not remarks:
            self.join()
        if remark.startswith(_MORE) and remarks and remarks[-1].startswith(PREFIX):
            self.more = self.more or [remarks[-1]]
            self.more.append(remark[len(_MORE) :].strip())
            self.home = remarks
            return
        self.join()
        remarks.append(remark)

    def join(self) -> None:
        """Put the lines of one comment together, once its last one was taken."""
        if self.more:
            self.home[-1] = "".join(self.more)
            self.more = []

    def _mode(self, upper: str) -> None:
        self.drop = "NON" not in upper and "DROP" in upper
        if self.parsed.drop is None and self.event is None:
            self.parsed.drop = self.drop

    def _rest(self, row: int, line: str, upper: str) -> None:
        motion = _MOTION.match(line)
        effect = _NAMED_EFFECT.match(line)
        if self.event is None or not (motion or effect or upper.startswith("AUD")):
            self.parsed.unknown.append((row, line))
        elif motion:
            fps = motion[2].replace(" ", "")
            self.event.motions.append(Motion((motion[1] or "").strip(), fps, motion[3] or "", row))
        elif effect:
            self.event.effect = effect[1].strip()
        else:
            numbers = re.findall(r"\d{1,2}", line[3:])
            self.event.extra_channels |= {f"A{int(number)}" for number in numbers}

    def _edit(self, row: int, line: str) -> None:
        found = _EVENT.match(line)
        middle = _MIDDLE.match(found[2].strip()) if found else None
        if not found or not middle:
            self.parsed.unknown.append((row, line))
            return
        frames = int(middle[4] or 0)
        # Some exports leave the transition's letter out and keep its length: a dissolve.
        kind = "".join((middle[3] or ("D" if frames else "C")).upper().split())
        edit = EditLine(
            number=int(found[1]),
            reel=middle[1].strip(),
            channels=parse_channels(middle[2]),
            kind="W" if kind.startswith("W") else kind,
            wipe=int(kind[1:] or 1) if kind.startswith("W") else 0,
            frames=frames,
            times=(found[3], found[4], found[5], found[6]),
            row=row,
            source_drop=self.drop,
        )
        previous = self.event
        if previous is not None and _is_outgoing(previous, edit):
            if self.parsed.events[-1] is previous:
                self.parsed.events.pop()
            else:
                self.parsed.events.remove(previous)
            self.event = Event(edit, previous.edit, previous.motions, previous.remarks)
        else:
            self.event = Event(edit)
        self.event.enabled = self.enabled
        self.parsed.events.append(self.event)


def _is_outgoing(previous: Event, edit: EditLine) -> bool:
    """Whether the line before a transition only says where it comes from."""
    first = previous.edit
    return (
        previous.outgoing is None
        and edit.kind in ("D", "W")
        and first.kind == "C"
        and first.number == edit.number
        and first.channels == edit.channels
        and first.times[2] == first.times[3]
    )


def _not_edl(why: str) -> FormatError:
    return FormatError(
        f"this is not a CMX 3600 EDL: {why}", "Export it again as CMX 3600 (or File32) text."
    )


def _too_large() -> FormatError:
    return FormatError(f"an EDL of more than {MAX_BYTES // 1024 // 1024} MB is not read", _CHECK)
