"""Which sound is worth transcribing, and that sound: pieces of speech between pauses.

A piece lasts at most half a minute, the window of Whisper's network, in which its times are best.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import speech
from .features import HOP
from .media import MediaInfo
from .solve import runs

#: Seconds of the longest piece, and of a pause that always divides two pieces.
LONGEST, APART = 28, 2
#: Seconds of sound around a piece, where the pause is long enough.
_AROUND = Fraction(3, 10)
#: Seconds of speech in the shortest piece that is worth a try.
_LEAST = Fraction(1, 10)

Samples = NDArray[np.float32]


@dataclass
class Piece:
    """A piece of sound to transcribe. ``start`` and ``stop`` count samples at 16 kHz from frame 0
    of the file, and so does ``spoken``, from where to where there is speech; ``samples`` is
    ``[stop - start]``, the mix of all tracks, once it was heard."""

    start: int
    stop: int
    spoken: tuple[int, int]
    samples: Samples | None = field(default=None, repr=False)


def pieces_of(probability: NDArray[Any]) -> list[Piece]:
    """Where to transcribe, rising, from the probability of speech [steps] of every :data:`HOP`."""
    groups = list(_groups(probability))
    pieces = []
    for number, (first, stop) in enumerate(groups):
        before = groups[number - 1][1] if number else 0
        after = groups[number + 1][0] if number + 1 < len(groups) else len(probability)
        pieces.append(
            Piece(
                _sample(first * HOP - min(_AROUND, (first - before) * HOP / 2)),
                _sample(stop * HOP + min(_AROUND, (after - stop) * HOP / 2)),
                (_sample(first * HOP), _sample(stop * HOP)),
            )
        )
    return pieces


def _sample(seconds: Fraction) -> int:
    return int(seconds * speech.SAMPLE_RATE)


def _groups(probability: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """First and last step of what belongs into one piece: divided at long pauses, then, what is
    still too long, at the longest pause of its second half."""
    longest, apart, least = (int(Fraction(each) / HOP) for each in (LONGEST, APART, _LEAST))
    spoken = list(_undivided(probability, longest))
    while spoken:
        count = 1
        while (
            count < len(spoken)
            and spoken[count][0] - spoken[count - 1][1] < apart
            and spoken[count][1] - spoken[0][0] <= longest
        ):
            count += 1
        full = count < len(spoken) and spoken[count][0] - spoken[count - 1][1] < apart
        if full:
            pauses = [
                (after[0] - before[1], number)
                for number, (before, after) in enumerate(pairwise(spoken[: count + 1]), start=1)
                if number == count or 2 * (before[1] - spoken[0][0]) >= longest
            ]
            count = max(pauses)[1]
        group, spoken = spoken[:count], spoken[count:]
        if sum(stop - first for first, stop in group) >= least:
            yield group[0][0], group[-1][1]


def _undivided(probability: NDArray[Any], longest: int) -> Iterator[tuple[int, int]]:
    """Runs of speech, those longer than a piece divided where speech is least likely."""
    for first, stop in runs(probability >= 0.5):
        while stop - first > longest:
            half = first + longest // 2
            at = half + int(np.argmin(probability[half : first + longest]))
            yield first, at
            first = at
        yield first, stop


def with_sound(media: MediaInfo, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces, rising, each as soon as all tracks were heard up to its end; only pieces under
    way are held in memory.

    Raises:
        MediaError: the file cannot be read any more.
    """
    from .audio import sound

    if not pieces:
        return
    waiting = list(pieces)
    ends = [_sample(stream.start + stream.duration) for stream in media.audio]
    at = [_sample(stream.start) for stream in media.audio]
    for block in sound(media, speech.SAMPLE_RATE):
        stop = block.start + len(block.samples)
        for piece in waiting:
            if piece.start >= stop:
                break
            _add(piece, block.start, block.samples)
        at[block.track] = stop
        heard = [here for here, end in zip(at, ends, strict=True) if here < end]
        while waiting and (not heard or waiting[0].stop <= min(heard)):
            yield _with_silence(waiting.pop(0))
    for piece in waiting:
        yield _with_silence(piece)


def _with_silence(piece: Piece) -> Piece:
    """A piece that has sound, if only silence."""
    if piece.samples is None:
        piece.samples = np.zeros(piece.stop - piece.start, np.float32)
    return piece


def _add(piece: Piece, start: int, samples: Samples) -> None:
    """Mix into a piece what of ``samples``, which begin at ``start``, belongs into it."""
    first, stop = max(start, piece.start), min(start + len(samples), piece.stop)
    if first < stop:
        held = _with_silence(piece).samples
        assert held is not None
        held[first - piece.start : stop - piece.start] += samples[first - start : stop - start]
