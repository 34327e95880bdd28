"""Which media of one timeline is which of another, however each of them names it.

Media is the same if its fingerprint, path, file name, reel with timecode, or name without suffix
says so, tried in that order: an EDL knows a reel and a clip name, a relinked project other folders,
a proxy another suffix. A weaker sign counts only where it is not ambiguous.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..interchange.timeline_facts import clip_data, data_of, reference_url
from ..referenced import pure
from ..urls import path_of
from .uses import Span, Use, Uses, media_key


@dataclass(frozen=True, slots=True)
class Media:
    """A media as one timeline knows it. ``origin`` is the timecode of its first frame in seconds,
    None where the timeline does not say; ``used`` what is used of it, on the clock of its uses."""

    key: str
    path: str
    name: str
    reel: str
    fingerprint: str
    source: str
    origin: Fraction | None
    used: Span

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def timecode(self) -> Span:
        """What is used of it, by timecode."""
        return self.used.shifted(self.origin or Fraction(0))


@dataclass(frozen=True, slots=True)
class Aligned:
    """Uses of two timelines on common clocks: equal ``Placed.media`` is the same media, and
    positions in it count from the same moment."""

    first: tuple[Placed, ...]
    second: tuple[Placed, ...]
    names: tuple[str, ...]  # of every media
    common: frozenset[int]  # media that both know


@dataclass(frozen=True, slots=True)
class Placed:
    """A use with its media's number and its span of it on the common clock."""

    use: Use
    media: int
    source: Span


def align_media(first: Uses, second: Uses) -> Aligned:
    """Put the uses of two timelines on common clocks."""
    ours, theirs = _media(first.passages), _media(second.passages)
    pairs = _matched(list(ours.values()), list(theirs.values()))
    names, numbers_first, numbers_second = list[str](), dict[str, int](), dict[str, int]()
    shifts_first, shifts_second = dict[str, Fraction](), dict[str, Fraction]()
    for one, other in pairs:
        numbers_first[one.key] = numbers_second[other.key] = len(names)
        names.append(one.name)
        # Without a known beginning only timecode can be compared.
        by_timecode = one.origin is None or other.origin is None
        shifts_first[one.key] = (one.origin or Fraction(0)) if by_timecode else Fraction(0)
        shifts_second[other.key] = (other.origin or Fraction(0)) if by_timecode else Fraction(0)
    common = frozenset(range(len(names)))
    for media, numbers in ((ours, numbers_first), (theirs, numbers_second)):
        for key, unknown in media.items():
            if key not in numbers:
                numbers[key] = len(names)
                names.append(unknown.name)
    return Aligned(
        _placed(first.passages, numbers_first, shifts_first),
        _placed(second.passages, numbers_second, shifts_second),
        tuple(names),
        common,
    )


def _placed(
    passages: Sequence[Use], numbers: dict[str, int], shifts: dict[str, Fraction]
) -> tuple[Placed, ...]:
    result = []
    for use in passages:
        key = media_key(use.media, use.name)
        shift = shifts.get(key, Fraction(0))
        result.append(Placed(use, numbers[key], use.source.shifted(shift) if shift else use.source))
    return tuple(result)


def _media(passages: Sequence[Use]) -> dict[str, Media]:
    """Every media that is used, by its key."""
    found: dict[str, Media] = {}
    for use in passages:
        key = media_key(use.media, use.name)
        known = found.get(key)
        if known is None:
            found[key] = _described(key, use)
        else:
            spans = (known.used, use.source)
            used = Span(min(span.start for span in spans), max(span.end for span in spans))
            origin = known.origin if known.origin is not None else use.origin
            found[key] = _replaced(known, used, origin)
    return found


def _replaced(media: Media, used: Span, origin: Fraction | None) -> Media:
    return Media(
        media.key, media.path, media.name, media.reel, media.fingerprint, media.source, origin, used
    )


def _described(key: str, use: Use) -> Media:
    reference = use.media
    path = path_of(reference_url(reference)) if reference is not None else ""
    named = (reference.name if reference is not None else "") or use.name
    own: Any = data_of(reference, "mapedit")
    holder = otio.schema.Clip(metadata={"mapedit": dict(use.identity)}, media_reference=reference)
    reel = clip_data(holder).reel
    return Media(
        key=key,
        path=_folded(path),
        name=_folded(pure(path).name if path else named),
        reel=_folded(reel),
        fingerprint=str(own.get("fingerprint") or ""),
        source=str(use.identity.get("source") or ""),
        origin=use.origin,
        used=use.source,
    )


def _folded(text: str) -> str:
    """Names as no file system tells them apart: composed, without case."""
    return unicodedata.normalize("NFC", text).casefold().strip()


def _matched(ours: list[Media], theirs: list[Media]) -> list[tuple[Media, Media]]:
    """Pairs of the same media; the strongest sign decides first."""
    signs: list[Callable[[Media], str]] = [
        lambda media: media.fingerprint,
        lambda media: media.path,
        lambda media: media.name,
        lambda media: media.source,
        lambda media: media.reel,
        lambda media: media.stem,
        lambda media: media.name[:8] if media.reel else "",
    ]
    pairs: list[tuple[Media, Media]] = []
    for sign in signs:
        here, there = _by_sign(ours, sign), _by_sign(theirs, sign)
        for value, mine in here.items():
            pair = _one_pair(mine, there.get(value, []))
            if pair is not None:
                pairs.append(pair)
                ours, theirs = _without(ours, pair[0]), _without(theirs, pair[1])
    pairs += _crossed(ours, theirs)
    return pairs


def _crossed(ours: list[Media], theirs: list[Media]) -> list[tuple[Media, Media]]:
    """A reel on one side that is a name on the other, as EDLs shorten them."""
    pairs = []
    for mine in list(ours):
        for its in list(theirs):
            reels = {mine.reel, its.reel} - {""}
            stems = {_letters(mine.stem), _letters(its.stem)}
            if any(_letters(reel) in stems for reel in reels) and its in theirs:
                pairs.append((mine, its))
                theirs = _without(theirs, its)
                break
    return pairs


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _by_sign(media: list[Media], sign: Callable[[Media], str]) -> dict[str, list[Media]]:
    found: dict[str, list[Media]] = {}
    for one in media:
        if value := sign(one):
            found.setdefault(value, []).append(one)
    return found


def _one_pair(mine: list[Media], its: list[Media]) -> tuple[Media, Media] | None:
    """The pair that a sign points at; of several the one that agrees in timecode, if one does."""
    if len(mine) == len(its) == 1:
        return mine[0], its[0]
    fitting = [
        (one, other)
        for one in mine[:20]
        for other in its[:20]
        if one.origin == other.origin and one.timecode.shared(other.timecode) > 0
    ]
    return fitting[0] if len(fitting) == 1 else None


def _without(media: list[Media], one: Media) -> list[Media]:
    return [each for each in media if each is not one]


__all__ = ["Aligned", "Media", "Placed", "align_media"]
