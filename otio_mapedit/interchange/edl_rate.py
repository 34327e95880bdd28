"""Which frame rate an EDL counts at, and its timecodes as frames.

An EDL does not state its rate. It is given, stands in a comment of ours, or follows from the
file: drop-frame means 29.97 or 59.94, and an edit whose source and record lengths cross a
different number of seconds has equal lengths at one count of frames per second only. What
remains open (23.976 or 24) is asked for, never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import FormatError, OptionError
from ..timing import (
    NTSC_30,
    NTSC_60,
    STANDARD_RATES,
    can_drop_frames,
    fraction_of,
    frame_of_timecode,
    nominal_rate,
    rate_text,
)
from .edl_parse import EditLine, EdlText
from .edl_words import BLACK, hint_data, parse_hint

_SEPARATOR = re.compile(r"[:;.,]")
#: Rates that an EDL is commonly written at; an EDL has two digits for frames.
_USUAL = tuple(
    rate for rate in STANDARD_RATES if nominal_rate(rate) <= 60 and nominal_rate(rate) != 48
)
#: A count whose top frames would be missing from the file with less than this chance is out.
_UNLIKELY = 0.001
#: Edits that must contradict a given rate before it is called wrong.
_ENOUGH = 3


@dataclass
class EdlClock:
    """Reads timecodes of one EDL. ``explicit``: its separators tell drop-frame from non-drop.

    ``undropped``: the list says drop-frame, which its rate has not. ``moved`` collects rows whose
    drop-frame label does not exist and was read as the next one.
    """

    rate: Fraction
    drop: bool
    explicit: bool
    undropped: bool = False
    moved: list[int] = field(default_factory=list)

    def record(self, text: str, row: int) -> int:
        """Frame of a record timecode.

        Raises:
            FormatError: no such timecode.
        """
        return self._frame(text, row, self.rate, self._is_drop(text, self.drop))

    def source(self, text: str, edit: EditLine, rate: Fraction) -> int:
        """Frame of a source timecode of media at ``rate``.

        Raises:
            FormatError: no such timecode.
        """
        drop = self._is_drop(text, edit.source_drop)
        return self._frame(text, edit.row, rate, drop)

    def source_drop(self, edit: EditLine) -> bool:
        """Whether the source side of a line counts drop-frame."""
        return self._is_drop(edit.times[0], edit.source_drop)

    def _is_drop(self, text: str, mode: bool) -> bool:
        return is_semicolon(text) if self.explicit else mode

    def _frame(self, text: str, row: int, rate: Fraction, drop: bool) -> int:
        hours, minutes, seconds, frames = fields_of(text)
        drop = drop and can_drop_frames(rate)
        skipped = nominal_rate(rate) // 15
        if drop and seconds == 0 and minutes % 10 and frames < skipped:
            self.moved.append(row)
            frames = skipped
        label = f"{hours:02d}:{minutes:02d}:{seconds:02d}:{frames:02d}"
        try:
            return frame_of_timecode(label, rate, drop)
        except OptionError as error:
            raise FormatError(
                f"line {row}: timecode {text} does not exist at {rate_text(rate)} frames per"
                " second",
                "Correct the line, or give the EDL's own rate with --rate.",
            ) from error


def fields_of(text: str) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and frames as they stand, unchecked."""
    hours, minutes, seconds, frames = (int(part) for part in _SEPARATOR.split(text))
    return hours, minutes, seconds, frames


def is_semicolon(text: str) -> bool:
    """Whether a timecode is marked as drop-frame."""
    return ";" in text or "," in text


def edl_clock(parsed: EdlText, rate: Fraction | None) -> EdlClock:
    """The clock of an EDL; ``rate`` is what the user said.

    Raises:
        FormatError: the rate is needed, or the given one cannot be right.
    """
    times = [time for line in _edit_lines(parsed) for time in line.times]
    explicit = any(map(is_semicolon, times))
    # Record timecodes are where the mark counts: a drop-frame source may sit in any EDL.
    marked = any(is_semicolon(time) for line in _edit_lines(parsed) for time in line.times[2:])
    drop = marked if explicit else bool(parsed.drop)
    highest = max((fields_of(time)[3] for time in times), default=0)
    votes = _votes(parsed)
    stated = _stated_rate(parsed)
    if rate is None:
        rate = stated or _implied_rate(drop, highest, votes, len(times))
    elif stated is not None and stated != rate:
        raise FormatError(
            f"the EDL states {rate_text(stated)} frames per second, not {rate_text(rate)}",
            f"Read it with --rate {rate_text(stated)}, or without --rate.",
        )
    if stated is None:
        _check_rate(parsed, rate, drop, highest, votes)
    possible = can_drop_frames(rate)
    return EdlClock(rate, drop and possible, explicit, undropped=drop and not possible)


def _edit_lines(parsed: EdlText) -> Iterator[EditLine]:
    for event in parsed.events:
        if event.outgoing is not None:
            yield event.outgoing
        yield event.edit


def _stated_rate(parsed: EdlText) -> Fraction | None:
    for remark in parsed.header:
        found = parse_hint(remark)
        if found and found[0] == "RATE":
            rate = fraction_of(found[1])
            return rate if rate is not None and 0 < rate <= 100 else None
    return None


def _votes(parsed: EdlText) -> Counter[int]:
    """Frames per second at which single edits have source and record lengths that agree.

    With s seconds and f frames between the labels, s1 * n + f1 = s2 * n + f2 has one solution n
    where s1 and s2 differ.
    """
    votes: Counter[int] = Counter()
    hints = filter(
        None, (parse_hint(remark) for event in parsed.events for remark in event.remarks)
    )
    clocks = {hint_data(value).get("clock") for word, value in hints if word == "MEDIA"}
    if len(clocks) > 1:
        return votes  # media of several rates: their lengths differ by right
    for event in parsed.events:
        if event.motions or event.edit.reel.upper() == BLACK:
            continue
        source, record = (_span(event.edit.times[at : at + 2]) for at in (0, 2))
        if source == (0, 0) or source[0] == record[0]:
            continue
        frames, seconds = record[1] - source[1], source[0] - record[0]
        if frames % seconds == 0 and frames // seconds > 0:
            votes[frames // seconds] += 1
    return votes


def _span(times: tuple[str, ...]) -> tuple[int, int]:
    first, last = (fields_of(time) for time in times)
    hours, minutes, seconds, frames = (b - a for a, b in zip(first, last, strict=True))
    return (hours * 60 + minutes) * 60 + seconds, frames


def _favourite(votes: Counter[int]) -> int:
    """The count that four of five votes agree on, else 0."""
    if not votes:
        return 0
    best, count = votes.most_common(1)[0]
    return best if count * 5 >= votes.total() * 4 else 0


def _implied_rate(drop: bool, highest: int, votes: Counter[int], count: int) -> Fraction:
    """The only rate that fits ``count`` timecodes whose frames go up to ``highest``."""
    favourite = _favourite(votes)
    if drop and highest < 60:
        return NTSC_60 if highest >= 30 or favourite == 60 else NTSC_30
    fitting = [
        rate
        for rate in _USUAL
        if nominal_rate(rate) > highest
        and ((highest + 1) / nominal_rate(rate)) ** count > _UNLIKELY
    ]
    if favourite > highest:
        voted = [rate for rate in fitting if nominal_rate(rate) == favourite]
        fitting = voted or fitting
    if len(fitting) == 1:
        return fitting[0]
    raise FormatError(
        "an EDL does not state its frame rate, and this one "
        + (f"fits {_listed(fitting)}" if fitting else f"counts up to frame {highest}"),
        _request(fitting),
    )


def _check_rate(
    parsed: EdlText, rate: Fraction, drop: bool, highest: int, votes: Counter[int]
) -> None:
    """Refuse a rate that the file contradicts."""
    labels = nominal_rate(rate)
    fitting = [other for other in _USUAL if nominal_rate(other) > highest]
    if highest >= labels:
        line, text = next(
            (line, time)
            for line in _edit_lines(parsed)
            for time in line.times
            if fields_of(time)[3] >= labels
        )
        raise FormatError(
            f"line {line.row}: timecode {text} does not exist at {rate_text(rate)} frames per"
            " second",
            _request(fitting),
        )
    favourite = _favourite(votes)
    if favourite > highest and votes[favourite] >= _ENOUGH and not votes[labels]:
        fitting = [other for other in _USUAL if nominal_rate(other) == favourite]
        if fitting:
            raise FormatError(
                f"at {rate_text(rate)} frames per second the source and record lengths of"
                f" {votes.total()} edits differ; they agree at {_listed(fitting)}",
                _request(fitting),
            )
    ntsc = {30: NTSC_30, 60: NTSC_60}.get(labels)
    if drop and ntsc and not can_drop_frames(rate):
        raise FormatError(
            f"the EDL counts drop-frame, which {rate_text(rate)} frames per second has not",
            _request([ntsc]),
        )


def _listed(rates: list[Fraction]) -> str:
    names = [rate_text(rate) for rate in rates]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _request(rates: list[Fraction]) -> str:
    if not rates:
        return "Check the file; give its rate with --rate."
    shown = rates[:3]
    return "Give its rate: " + " or ".join(f"--rate {rate_text(rate)}" for rate in shown) + "."
