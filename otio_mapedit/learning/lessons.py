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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray

from ..inference import Predictions
from ..interchange.timeline_facts import reference_url
from ..media import MediaInfo
from ..recipes.hearing import Heard, hear
from ..recipes.styled import MOMENT, MOMENT_FEATURES, moments, network_of
from ..recipes.takes import lines
from ..solve import holes, runs, union
from ..sources import source_of
from ..timing import FrameRange, frame_at, seconds_at
from ..urls import path_of
from .uses import Use, Uses, media_key, uses_of

#: Seconds from a cut in which the speech that it was made for must begin or end.
_REACH = Fraction(3)
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
    cuts: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Lesson:
        """The inverse. Raises ValueError, TypeError or KeyError for what is none."""
        lists = ("before", "after", "taken_out", "left_in", "shots", "dissolves", "takes")
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
            **{key: tuple(float(value) for value in content.get(key, ())) for key in lists},
        )

    def table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``moments`` and ``kept`` as numbers. Raises ValueError where they do not fit."""
        values = _unpacked(self.moments).reshape(-1, len(self.features))
        kept = _unpacked(self.kept)
        if len(values) != len(kept):
            raise ValueError("the moments of a lesson do not fit together")
        return _LEAST + (_MOST - _LEAST) * values / 255.0, kept / 255.0


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


def media_paths(uses: Uses, folder: Path, also: Sequence[Path] = ()) -> dict[str, Path | None]:
    """Where each media of a timeline lies, by its key; None where it is not to be found.

    A media that is not at its path is looked for by name beside the timeline and in ``also``.
    """
    found: dict[str, Path | None] = {}
    for use in uses.passages:
        key = media_key(use.media, use.name)
        if key not in found:
            found[key] = _located(use, [folder, *also])
    return found


def _located(use: Use, folders: Sequence[Path]) -> Path | None:
    text = path_of(reference_url(use.media)) if use.media is not None else ""
    name = Path(text.replace("\\", "/")).name or (use.media.name if use.media else "") or use.name
    places = [Path(text)] if text else []
    places += [place / part for place in folders for part in dict.fromkeys((text, name)) if part]
    for place in places:
        try:
            if place.is_file():
                return place
        except (OSError, ValueError):
            continue
    return None


def kept_ranges(uses: Uses, key: str, media: MediaInfo) -> list[FrameRange]:
    """What the timeline shows of a media (or plays, where it has no picture), in its frames."""
    origin = seconds_at(media.start_frame, media.rate)
    spans = []
    for use in uses.passages:
        if not use.enabled or media_key(use.media, use.name) != key:
            continue
        if media.picture is not None and not use.picture:
            continue
        start, end = use.source.start, use.source.end
        if use.origin is None and start >= origin:
            start, end = start - origin, end - origin
        first, stop = (frame_at(at, media.rate) for at in (start, end))
        span = FrameRange.between(max(0, first), max(0, first, stop))
        span = span.intersection(media.available)
        if span.duration:
            spans.append(span)
    return union(spans)


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
        cuts=sum(_is_join(*pair) for pair in pairwise(passages)),
    )


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


def _packed(shares: NDArray[Any]) -> str:
    """Numbers from 0 to 1 as text."""
    levels = np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float64]:
    """The inverse, as levels; what unpacks to more than a day of moments is refused."""
    limit = 24 * 3600 * 4 * (len(MOMENT_FEATURES) + 1)
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(text, validate=True), limit)
    except zlib.error as fault:
        raise ValueError(f"a lesson cannot be unpacked: {fault}") from fault
    if not unpacker.eof:
        raise ValueError("a lesson is longer than a day")
    return np.frombuffer(content, np.uint8).astype(np.float64)


__all__ = ["Heard", "Lesson", "kept_ranges", "lesson_of", "media_paths"]
