"""What is odd about a file, in plain sentences for the person who edits it."""

from __future__ import annotations

from fractions import Fraction

from .media import AudioStream, VideoStream
from .media_clock import PictureClock
from .media_times import FileTimes
from .timing import rate_text, seconds_at


def file_warnings(
    times: FileTimes, stated: Fraction, duration: Fraction, indexed: int, used: VideoStream | None
) -> list[str]:
    """What is odd about the file as a whole.

    ``stated`` is the header's duration in seconds, ``indexed`` the number of pictures that the
    header promises; 0 where it says nothing.
    """
    odd: list[str] = []
    present = used.picture_count if used else 0
    if stated > duration * 11 / 10 + 1 or (present and indexed > present * 11 / 10 + 2):
        odd.append("The file is cut off or damaged: its header promises more than it holds.")
    elif times.damaged:
        odd.append("The file is damaged: reading stopped before its end.")
    if used and times.first_picture is None:
        odd.append("No picture could be decoded at the beginning of the file.")
    return odd


def stream_warnings(
    video: tuple[VideoStream, ...], audio: tuple[AudioStream, ...], clock: PictureClock | None
) -> list[str]:
    """What is odd about its streams."""
    if not video or clock is None:
        return []
    odd: list[str] = []
    if len(video) > 1:
        odd.append(
            f"There are {len(video)} pictures in the file; "
            f"stream {video[0].index} is used, the others are not."
        )
    if clock.variable_rate:
        odd.append(
            f"The frame rate varies; pictures go to the nearest frame at {rate_text(clock.rate)}. "
            f"Counted, they would be up to {float(clock.worst_deviation):.3f} s off."
        )
    length, frame = seconds_at(clock.frame_count, clock.rate), 1 / clock.rate
    for number, sound in enumerate(audio, 1):
        late, over = sound.start, sound.start + sound.duration - length
        if abs(late) > frame:
            word = "after" if late > 0 else "before"
            odd.append(f"Sound {number} begins {abs(float(late)):.3f} s {word} the picture.")
        if abs(over) > frame:
            word = "after" if over > 0 else "before"
            odd.append(f"Sound {number} ends {abs(float(over)):.3f} s {word} the picture.")
    return odd
