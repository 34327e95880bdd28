"""Start timecode and reel of a file, from whatever its container says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .errors import OptionError
from .quicktime import TimecodeTrack
from .timing import can_drop_frames, frame_at, frame_of_timecode, nominal_rate, rate_text

#: Tags that hold the reel (tape, card) name, most trusted first.
_REEL_TAGS = (
    "reel_name", "com.apple.proapps.reel", "com.apple.quicktime.reel", "reel", "tape",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StartTimecode:
    """Timecode of grid frame 0; fields as in :class:`otio_mapedit.media.MediaInfo`."""

    start_frame: int = 0
    has_timecode: bool = False
    source: str = ""
    drop_frame: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tags:
    """The metadata of a file that may hold a timecode, keys in lower case."""

    container: Mapping[str, str]
    picture: Mapping[str, str]
    others: Sequence[Mapping[str, str]]  # of the remaining streams
    tracks: Sequence[TimecodeTrack] = ()


def start_timecode(tags: Tags, rate: Fraction, sample_rate: int) -> StartTimecode:
    """The first source that can be understood, on a grid of ``rate``.

    ``sample_rate`` is of the first sound stream, for the time reference of a Broadcast Wave file
    (EBU Tech 3285: samples since midnight); 0 where there is no sound.
    """
    warnings: list[str] = []
    for text, source in _texts(tags):
        try:
            start, drop_frame, odd = _start_frame(text, rate, tags.tracks)
        except OptionError as error:
            warnings.append(f"The {source} is not understood: {error.message}.")
            continue
        return StartTimecode(start, True, source, drop_frame, (*warnings, *odd))
    reference = tags.container.get("time_reference", "")
    # Every Broadcast Wave file has the field; zero with no date is a recorder without a clock.
    if reference.isdecimal() and sample_rate > 0 and (int(reference) or _dated(tags.container)):
        start = frame_at(Fraction(int(reference), sample_rate), rate)
        return StartTimecode(start, True, "BWF time reference", False, tuple(warnings))
    return StartTimecode(warnings=tuple(warnings))


def reel_name(tags: Tags) -> str:
    """The reel that the file says it comes from, or an empty string."""
    for tag in _REEL_TAGS:
        for place in (tags.picture, *tags.others, tags.container):
            if name := place.get(tag, "").strip():
                return name
    # Sound recorders write lines such as "sTAPE=20240102" into the Broadcast Wave description.
    for line in tags.container.get("comment", "").splitlines():
        key, _, value = line.partition("=")
        if key.strip().lower() in ("stape", "tape") and value.strip():
            return value.strip()
    return ""


def _texts(tags: Tags) -> list[tuple[str, str]]:
    """Timecodes as text with where they stand, the picture's own first."""
    own = "tmcd track" if tags.tracks else "stream tag"
    found = [(tags.picture.get("timecode", ""), own)]
    found += [(other.get("timecode", ""), own) for other in tags.others]
    found.append((tags.container.get("timecode", ""), own if tags.tracks else "container tag"))
    return [(text, source) for text, source in found if text]


def _start_frame(
    text: str, rate: Fraction, tracks: Sequence[TimecodeTrack]
) -> tuple[int, bool, list[str]]:
    """Frame count from midnight on a grid of ``rate``, drop flag, and what is odd about it."""
    text = text.strip()
    counted = nominal_rate(rate)
    labels = tracks[0].labels if tracks else counted
    drop_frame = ";" in text or "," in text
    if labels == counted and (can_drop_frames(rate) or not drop_frame):
        return frame_of_timecode(text, rate, drop_frame), drop_frame, []
    if counted % labels == 0 and (can_drop_frames(rate / (counted // labels)) or not drop_frame):
        # 60 pictures a second whose timecode counts pairs, as SMPTE ST 12-1 does it.
        pairs = counted // labels
        return frame_of_timecode(text, rate / pairs, drop_frame) * pairs, drop_frame, []
    # Keep hours, minutes and seconds as written; only the last two digits are converted.
    seconds, frames = divmod(frame_of_timecode(text, Fraction(labels), False), labels)
    odd = (
        f"The timecode counts {labels} frames per second, the picture has {rate_text(rate)}: "
        "its frames are approximate."
    )
    return seconds * counted + frames * counted // labels, False, [odd]


def _dated(container: Mapping[str, str]) -> bool:
    return bool(container.get("origination_time") or container.get("origination_date"))
