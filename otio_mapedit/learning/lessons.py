"""What a finished timeline teaches about its editor, small enough to be kept in a style.

Of every media that the timeline uses: which moments were kept (see
:mod:`otio_mapedit.recipes.styled` for what describes a moment), how far from speech the cuts lie,
how long what was taken out was and what was left in, how long shots are, and how they are joined.
"""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray

from ..edit_spec import FEATURES
from ..inference import Predictions
from ..media import MediaInfo
from ..recipes.hearing import Heard, hear
from ..recipes.styled import MOMENT, MOMENT_FEATURES, moments, network_of
from ..recipes.takes import lines
from ..solve import holes, runs
from ..sources import source_of
from ..timing import FrameRange, seconds_at
from .at_hand import kept_ranges
from .uses import Use, Uses, media_key, uses_of

#: Seconds from a cut in which the speech that it was made for must begin or end.
_REACH = Fraction(3)
#: Which numbers the edit network reads of a moment, in this version.
READS = hashlib.sha256("\n".join(FEATURES).encode()).hexdigest()[:16]
#: Numbers of a moment are kept as one of 255 levels between these.
_LEAST, _MOST = -4.0, 8.0


@dataclass(frozen=True)
class Lesson:
    """What one timeline teaches. Lists are seconds.

    ``identity`` says which timeline it is, ``digest`` what was in it and in its media: the same
    identity with another digest is a correction. ``moments`` are ``[n, features]`` with ``kept``
    [n], 0 to 1, what part of each is in the programme.
    """

    identity: str
    digest: str
    name: str
    media: tuple[str, ...]
    features: tuple[str, ...]
    moments: str  # uint8, zlib, base64
    kept: str  # the same
    network: str = ""  # the edit network whose answers are among the features
    before: tuple[float, ...] = ()  # speech begins this long after a cut in
    after: tuple[float, ...] = ()  # speech has ended this long before a cut out
    taken_out: tuple[float, ...] = ()  # lengths of what was taken out between two shots
    left_in: tuple[float, ...] = ()  # lengths of pauses in speech that stay inside a shot
    shots: tuple[float, ...] = ()
    dissolves: tuple[float, ...] = ()
    takes: tuple[float, ...] = ()  # a line said several times: 0 the last stays, 1 the first, 2 all
    in_order: tuple[float, ...] = ()  # joins of one media with itself: 1 forwards, 0 back
    cuts: int = 0
    steps: str = ""  # float16, zlib, base64: what the edit network read of each moment
    reads: str = ""  # which numbers those are, see READS
    counts: tuple[int, ...] = ()  # moments of each media

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Lesson:
        """The inverse. Raises ValueError, TypeError or KeyError for what is none."""
        lists = (
            "before",
            "after",
            "taken_out",
            "left_in",
            "shots",
            "dissolves",
            "takes",
            "in_order",
        )
        return cls(
            identity=str(content["identity"]),
            digest=str(content["digest"]),
            name=str(content["name"]),
            media=tuple(str(name) for name in content["media"]),
            features=tuple(str(name) for name in content["features"]),
            moments=str(content["moments"]),
            kept=str(content["kept"]),
            network=str(content.get("network", "")),
            cuts=int(content["cuts"]),
            steps=str(content.get("steps", "")),
            reads=str(content.get("reads", "")),
            counts=tuple(int(value) for value in content.get("counts", ())),
            **{key: tuple(float(value) for value in content.get(key, ())) for key in lists},
        )

    def table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``moments`` and ``kept`` as numbers. Raises ValueError where they do not fit."""
        values = _unpacked(self.moments).reshape(-1, len(self.features))
        kept = _unpacked(self.kept)
        if len(values) != len(kept):
            raise ValueError("the moments of a lesson do not fit together")
        return _LEAST + (_MOST - _LEAST) * values / 255.0, kept / 255.0

    def with_table(self, values: NDArray[Any], network: str) -> Lesson:
        """The same with other ``moments``, of another network."""
        return replace(self, moments=_packed((values - _LEAST) / (_MOST - _LEAST)), network=network)

    def examples(self) -> list[tuple[NDArray[np.float32], NDArray[np.float64]]]:
        """Of each media what the edit network read, ``[n, features]``, and what was kept, [n].

        Empty where that was not kept, or where this version's network reads other numbers. Raises
        ValueError where they do not fit.
        """
        if self.reads != READS or not self.steps:
            return []
        kept = _unpacked(self.kept) / 255.0
        steps = np.frombuffer(_inflated(self.steps, 2 * len(FEATURES)), np.float16)
        steps = steps.reshape(-1, len(FEATURES)).astype(np.float32)
        if not len(steps) == len(kept) == sum(self.counts):
            raise ValueError("the steps of a lesson do not fit together")
        edges = np.cumsum(self.counts)[:-1]
        return list(zip(np.split(steps, edges), np.split(kept, edges), strict=True))


@dataclass
class _Gathered:
    """A lesson while it is made."""

    moments: list[NDArray[Any]] = field(default_factory=list)
    kept: list[NDArray[Any]] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    taken_out: list[float] = field(default_factory=list)
    left_in: list[float] = field(default_factory=list)
    takes: list[float] = field(default_factory=list)
    steps: list[NDArray[Any]] = field(default_factory=list)


def lesson_of(
    timeline: otio.schema.Timeline, path: Path, known: Mapping[str, Predictions]
) -> Lesson:
    """What the ``timeline`` at ``path`` teaches; ``known`` are its media by key, heard and seen.

    The path is remembered as a hash: a style may travel.

    Raises:
        ValueError: none of its media has sound to learn from.
    """
    uses, gathered = uses_of(timeline), _Gathered()
    for key, predictions in known.items():
        if predictions.sound is not None:
            _gather(gathered, predictions, kept_ranges(uses, key, predictions.media))
    if not gathered.moments:
        raise ValueError("none of its media has sound to learn from")
    passages = [use for use in uses.passages if use.picture] or list(uses.passages)
    passages = [use for use in passages if use.enabled]
    tails = [use.tail for use in passages]
    read = len(gathered.steps) == len(gathered.moments)  # of every media
    return Lesson(
        identity=hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32],
        digest=digest_of(uses, known.values()),
        name=path.name,
        media=tuple(sorted(each.media.name for each in known.values())),
        features=MOMENT_FEATURES,
        moments=_packed((np.concatenate(gathered.moments) - _LEAST) / (_MOST - _LEAST)),
        kept=_packed(np.concatenate(gathered.kept)),
        network=next((network_of(each) for each in known.values() if each.sound), ""),
        before=tuple(gathered.before),
        after=tuple(gathered.after),
        taken_out=tuple(gathered.taken_out),
        left_in=tuple(gathered.left_in),
        shots=tuple(_plain(use.record.length) for use in passages),
        dissolves=tuple(_plain(edge.before + edge.after) for edge in tails if edge is not None),
        takes=tuple(gathered.takes),
        in_order=tuple(_orders(passages)),
        cuts=sum(_is_join(*pair) for pair in pairwise(passages)),
        steps=_text_of(np.concatenate(gathered.steps).astype(np.float16).tobytes()) if read else "",
        reads=READS if read else "",
        counts=tuple(len(values) for values in gathered.moments),
    )


def _orders(passages: Sequence[Use]) -> Iterator[float]:
    """Of every join of a media with itself whether it goes forwards."""
    for before, after in pairwise(passages):
        same = media_key(before.media, before.name) == media_key(after.media, after.name)
        if same and _is_join(before, after):
            yield float(after.source.start >= before.source.start)


def _is_join(before: Use, after: Use) -> bool:
    """Whether two passages meet in a cut or transition that somebody made."""
    meet = before.record.end == after.record.start and before.track == after.track
    same = media_key(before.media, before.name) == media_key(after.media, after.name)
    return meet and not (same and before.source.end == after.source.start)


def digest_of(uses: Uses, known: Iterable[Predictions]) -> str:
    """A fingerprint of what a timeline plays and of the media that it plays it from."""
    media = sorted(each.media.fingerprint for each in known)
    played = [
        f"{media_key(use.media, use.name)} {use.record} {use.source} {use.speed} {use.enabled} "
        f"{use.picture} {use.head} {use.tail}"
        for use in uses.passages
    ]
    return hashlib.sha256("\n".join([*media, *played]).encode()).hexdigest()


def _gather(gathered: _Gathered, known: Predictions, kept: list[FrameRange]) -> None:
    """Add one media."""
    media, sound = known.media, known.sound
    if sound is None:
        return
    heard = hear(sound)
    values = moments(known, heard)
    gathered.moments.append(np.clip(values, _LEAST, _MOST))
    gathered.kept.append(_shares(kept, len(values), media.rate))
    if known.edit is not None:
        gathered.steps.append(_fitted(known.edit.steps, len(values)))
    if not heard.has_speech:
        return
    talk = [
        (seconds_at(first, 1 / sound.hop), seconds_at(stop, 1 / sound.hop))
        for first, stop in runs(heard.speech)
    ]
    gathered.takes += _which_takes(known, heard, kept)
    for span in kept:
        _edges(gathered, span, talk, media)
    gathered.left_in += _pauses_inside(kept, talk, media.rate)
    inner = [hole for hole in holes(kept, media.frame_count) if hole.start]
    gathered.taken_out += [
        _plain(seconds_at(hole.duration, media.rate))
        for hole in inner
        if hole.end < media.frame_count
    ]


def _which_takes(known: Predictions, heard: Heard, kept: list[FrameRange]) -> list[float]:
    """Of every line that is said several times: 0 where its last take stays, 1 where its first
    does, 2 where both do; nothing where neither does."""
    if known.edit is None or known.sound is None:
        return []
    source = source_of(known.media, known.media.name)
    found = []
    for line in lines(known.edit, heard, known.sound.hop, source):
        first, last = (_mostly(line.takes[at], kept) for at in (0, -1))
        if first or last:
            found.append(2.0 if first and last else float(first))
    return found


def _mostly(span: FrameRange, kept: list[FrameRange]) -> bool:
    """Whether most of a range is kept."""
    return 2 * sum(span.intersection(each).duration for each in kept) > span.duration


def _edges(
    gathered: _Gathered, span: FrameRange, talk: list[tuple[Fraction, Fraction]], media: MediaInfo
) -> None:
    """How far the cuts of a kept range lie from its speech."""
    start, end = seconds_at(span.start, media.rate), seconds_at(span.end, media.rate)
    inside = [(first, stop) for first, stop in talk if stop > start and first < end]
    if not inside:
        return
    lead, trail = inside[0][0] - start, end - inside[-1][1]
    if span.start and -_REACH / 10 <= lead <= _REACH:
        gathered.before.append(_plain(lead))
    if span.end < media.frame_count and -_REACH / 10 <= trail <= _REACH:
        gathered.after.append(_plain(trail))


def _pauses_inside(
    kept: list[FrameRange], talk: list[tuple[Fraction, Fraction]], rate: Fraction
) -> list[float]:
    """Lengths of the pauses between two runs of speech that lie inside one kept range."""
    found, at = [], 0
    for (_, stop), (first, _) in pairwise(talk):
        while at < len(kept) and seconds_at(kept[at].end, rate) < first:
            at += 1
        if at < len(kept) and seconds_at(kept[at].start, rate) <= stop:
            found.append(_plain(first - stop))
    return found


def _shares(kept: list[FrameRange], count: int, rate: Fraction) -> NDArray[np.float64]:
    """The part of every moment that is kept, [count]."""
    covered = np.zeros(count)
    for span in kept:
        start, end = (seconds_at(at, rate) / MOMENT for at in (span.start, span.end))
        first, last = int(start), min(count - 1, int(end))
        if first >= count:
            continue
        covered[first : last + 1] += 1
        covered[first] -= float(start - first)
        if int(end) < count:
            covered[last] -= float(1 - (end - last))
    return np.clip(covered, 0, 1)


def _plain(seconds: Fraction) -> float:
    return round(seconds.numerator / seconds.denominator, 4)


def _fitted(steps: NDArray[Any], count: int) -> NDArray[Any]:
    """Steps cut or filled up with nothing to ``count``; float16 ends at 65504."""
    fitted = np.zeros((count, steps.shape[1]), np.float32)
    fitted[: min(count, len(steps))] = steps[:count]
    return np.clip(fitted, -6e4, 6e4)


def _packed(shares: NDArray[Any]) -> str:
    """Numbers from 0 to 1 as text."""
    levels = np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return _text_of(levels.tobytes())


def _text_of(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float64]:
    """The inverse, as levels."""
    content = _inflated(text, len(MOMENT_FEATURES) + 1)
    return np.frombuffer(content, np.uint8).astype(np.float64)


def _inflated(text: str, size: int) -> bytes:
    """What was packed, ``size`` bytes for each moment; more than a day of moments is refused."""
    limit = 24 * 3600 * 4 * size
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(text, validate=True), limit)
    except zlib.error as fault:
        raise ValueError(f"a lesson cannot be unpacked: {fault}") from fault
    if not unpacker.eof:
        raise ValueError("a lesson is longer than a day")
    return content
