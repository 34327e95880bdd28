"""Which sound travels with which picture.

FCPXML has no tracks of sound: the sound of a clip belongs to it until somebody detaches it. A
sound clip is written as part of its picture's ``asset-clip`` where both carry the same link, use
the same media at the same place and speed, and are cut and joined alike; all other sound is
written as a connected clip of its own.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import opentimelineio as otio

from ..otio_values import entry
from .fcpxml_plan import Piece, Plan
from .fcpxml_words import NAMESPACE
from .urls import media_url


def link_of(item: Any) -> str | None:
    """What an item shares with the picture or sound it belongs to; None for a loose one."""
    for namespace, key in ((NAMESPACE, "link"), ("Resolve_OTIO", "Link Group ID")):
        found = entry(item.metadata, namespace)
        if hasattr(found, "get") and isinstance(value := entry(found, key), int | str):
            return f"{namespace}:{value}"
    return None


def travel_together(plan: Plan, split_edits: bool) -> None:
    """Set ``host`` of every sound that is part of a picture's clip, and ``sounds`` of that."""
    pictures: dict[str, list[Piece]] = {}
    for piece in _pieces(plan, video=True):
        link = link_of(piece.item) if piece.is_clip else None
        if link is not None:
            pictures.setdefault(link, []).append(piece)
    for sound in _pieces(plan, video=False):
        _find_host(sound, pictures, plan.rate, split_edits)
        if sound.host is not None:
            sound.host.sounds.append(sound)
    for picture in _pieces(plan, video=True):
        _agree(picture)
    # Each pass can only detach more; what does not settle soon is detached where it is joined.
    for _ in range(4):
        _part_joined(plan)
        if not _part_mixed(plan):
            return
    for sound in _pieces(plan, video=False):
        if sound.head is not None or sound.tail is not None:
            _detach(sound)


def _pieces(plan: Plan, video: bool) -> list[Piece]:
    return [piece for track in plan.tracks if track.is_video is video for piece in track.pieces]


def _detach(sound: Piece) -> None:
    if sound.host is not None:
        sound.host.sounds.remove(sound)
        sound.host = None


def _find_host(
    piece: Piece, pictures: dict[str, list[Piece]], rate: Fraction, split_edits: bool
) -> None:
    link = link_of(piece.item) if piece.is_clip else None
    for picture in pictures.get(link, ()) if link is not None else ():
        if _same_use(piece, picture, rate) and (
            _same_cut(piece, picture) or (split_edits and _is_split(piece, picture))
        ):
            piece.host = picture
            return


def _same_use(sound: Piece, picture: Piece, rate: Fraction) -> bool:
    """Same media, speed and sync, both on or both off."""
    references = [piece.item.media_reference for piece in (sound, picture)]
    if not all(isinstance(each, otio.schema.ExternalReference) for each in references):
        return False
    ahead = Fraction(sound.record.start - picture.record.start) / rate * sound.speed
    return (
        media_url(references[0].target_url) == media_url(references[1].target_url)
        and sound.speed == picture.speed
        and sound.source_start - ahead == picture.source_start
        and sound.item.enabled == picture.item.enabled
    )


def _same_cut(sound: Piece, picture: Piece) -> bool:
    """A sound may stay unjoined where its picture is: the transition is of pictures only then."""
    return sound.record == picture.record and all(
        heard is None or heard.looks_like(seen)
        for heard, seen in ((sound.head, picture.head), (sound.tail, picture.tail))
    )


def _is_split(sound: Piece, picture: Piece) -> bool:
    """A J or L cut: the sound begins earlier or later, or ends so."""
    joined = (sound.head, sound.tail, picture.head, picture.tail)
    return sound.speed == 1 and all(join is None for join in joined)


def _agree(picture: Piece) -> None:
    """All sounds of one clip share one cut (``audioStart`` holds once per clip)."""
    for sound in picture.sounds[1:]:
        if sound.record != picture.sounds[0].record:
            _detach(sound)


def _part_joined(plan: Plan) -> None:
    """A transition needs both its sides in one storyline: a sound that is joined to a detached
    one is detached too."""
    for track in plan.tracks:
        if track.is_video:
            continue
        for left, right in pairwise(track.pieces):
            if left.tail is not None and left.host is None and not left.is_gap:
                _detach(right)
        for right, left in pairwise(track.pieces[::-1]):
            if left.tail is not None and right.host is None and not right.is_gap:
                _detach(left)


def _part_mixed(plan: Plan) -> bool:
    """A transition of pictures takes all sounds of both clips with it or none: where they differ,
    detach those that are joined. Whether there were any."""
    found = False
    for track in plan.tracks:
        pieces: list[Piece | None] = [None, *track.pieces, None] if track.is_video else []
        for left, right in pairwise(pieces):
            ends = [(sound, sound.tail) for sound in left.sounds] if left else []
            ends += [(sound, sound.head) for sound in right.sounds] if right else []
            joined = [sound for sound, join in ends if join is not None]
            if joined and len(joined) < len(ends):
                found = True
                for sound in joined:
                    _detach(sound)
    return found
