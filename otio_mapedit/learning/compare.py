"""What an editor made of an edit: two timelines, compared on the clock of their media.

What counts is what is shown of which media, in which order, at which speed and joined how; where
on the record it lies does not, so that taking a shot out does not move all that follow. Clips may
have been renamed, split and joined again, put on other tracks, nested, or disabled instead of
deleted; the sequence's rate may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import opentimelineio as otio

from ..timing import rescale_round
from .chain import Matching, match
from .kept import Agreement, kept_seconds
from .part_of_reel import is_part
from .same_media import Aligned, Placed, align_media
from .uses import Edge, Span, Use, Uses, uses_of

#: Speeds that differ by less than this are the same: formats round them to a hundredth of a per
#: cent.
_SAME_SPEED = Fraction(1, 2000)


class Change(StrEnum):
    """What became of a passage."""

    ACCEPTED = "accepted"
    TRIMMED = "trimmed"
    REMOVED = "removed"
    DISABLED = "disabled"
    RESTORED = "restored"  # was disabled, is enabled
    MOVED = "moved"
    ADDED = "added"
    RETIMED = "retimed"
    TRANSITION = "transition changed"
    SOUND = "sound changed"
    OUTSIDE = "outside"  # of the part that was exported


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of either edit and what became of it.

    ``head`` and ``tail`` are frames of the media taken off at either end (less than 0: added
    there), ``inside`` frames taken out between; None where an end runs on into the next passage.
    ``proposed`` and ``human`` are where it plays in either edit, in seconds of the record.
    """

    changes: tuple[Change, ...]
    name: str
    media: str
    source: Span
    rate: Fraction
    track: str
    id: str = ""
    head: int | None = 0
    tail: int | None = 0
    inside: int = 0
    pieces: int = 1
    speed: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))
    transitions: tuple[str, ...] = ()
    proposed: Span | None = None
    human: Span | None = None
    known: bool = True  # whether the proposed edit uses this media too
    picture: bool = True

    @property
    def is_accepted(self) -> bool:
        """Whether nothing changed."""
        return self.changes == (Change.ACCEPTED,)


@dataclass(frozen=True)
class Comparison:
    """Every passage of the proposed edit in order, then what the human added."""

    passages: tuple[Passage, ...]
    agreement: Agreement
    proposed: Uses
    human: Uses
    partial: bool = False
    found_out: bool = False  # that it is partial

    def count(self, change: Change) -> int:
        """Passages to which this happened."""
        return sum(change in passage.changes for passage in self.passages)

    @property
    def same(self) -> bool:
        """Whether the edits do not differ."""
        return all(passage.is_accepted for passage in self.passages)


def compare(
    proposed: otio.schema.Timeline, human: otio.schema.Timeline, partial: bool | None = None
) -> Comparison:
    """Compare an edit with what a human made of it.

    ``partial`` says that the human's timeline is a part of the reel: what lies before its first
    and after its last passage is then :attr:`Change.OUTSIDE`, not removed. None finds it out from
    the timecode, where that is certain; see :mod:`.part_of_reel`.
    """
    first, second = uses_of(proposed), uses_of(human)
    aligned = align_media(first, second)
    lanes = []
    for picture in (True, False):
        ours = [placed for placed in aligned.first if placed.use.picture is picture]
        theirs = [placed for placed in aligned.second if placed.use.picture is picture]
        lanes.append(_Lane(ours, theirs, match(ours, theirs), aligned, bool(partial)))
    if partial is None:
        found_out = is_part(
            first, second, [(lane.ours, lane.theirs, lane.matching) for lane in lanes]
        )
        for lane in lanes:
            lane.partial = lane.cut_out = found_out
    passages: list[Passage] = []
    errors: list[int] = []
    for lane in lanes:
        passages += lane.passages()
        errors += lane.errors
    agreement = Agreement(kept_seconds(aligned), tuple(errors))
    part, found_out = lanes[0].partial, lanes[0].cut_out
    return Comparison(tuple(passages), agreement, first, second, part, found_out)


@dataclass
class _Lane:
    """Pictures, or sounds without picture, of both edits."""

    ours: Sequence[Placed]
    theirs: Sequence[Placed]
    matching: Matching
    aligned: Aligned
    partial: bool
    cut_out: bool = False  # whether the part was cut out of the reel at its timecode
    errors: list[int] = field(default_factory=list)

    def passages(self) -> Iterator[Passage]:
        """What became of everything proposed, then what is new."""
        shared = self.matching.of_second()
        matched = sorted(self.matching.partners)
        for one, placed in enumerate(self.ours):
            pieces = [(other, self.theirs[other]) for other in self.matching.partners.get(one, [])]
            outside = self.partial and (not matched or not matched[0] <= one <= matched[-1])
            if pieces:
                yield self._kept(one, placed, pieces, shared)
            elif placed.use.enabled:
                change = Change.OUTSIDE if outside else Change.REMOVED
                yield _told(placed, (change,), self.aligned, proposed=placed.use.record)
            else:
                yield _told(placed, (Change.ACCEPTED,), self.aligned, proposed=placed.use.record)
        for other, placed in enumerate(self.theirs):
            if other not in shared and placed.use.enabled:
                known = placed.media in self.aligned.common
                yield _told(
                    placed, (Change.ADDED,), self.aligned, human=placed.use.record, known=known
                )

    def _kept(
        self,
        one: int,
        placed: Placed,
        pieces: list[tuple[int, Placed]],
        shared: dict[int, list[int]],
    ) -> Passage:
        """A passage of which something is left."""
        use, changes = placed.use, list[Change]()
        by_source = sorted((piece.source, other) for other, piece in pieces)
        head, tail = self._ends(one, placed, by_source, shared)
        if self.cut_out:
            head, tail = self._without_the_cut(one, pieces, head, tail)
        inside = _holes([span for span, _ in by_source], use.rate)
        enabled = [piece.use.enabled for _, piece in pieces]
        if use.enabled and not any(enabled):
            changes.append(Change.DISABLED)
        elif not use.enabled and any(enabled):
            changes.append(Change.RESTORED)
        if head or tail or inside:
            changes.append(Change.TRIMMED)
        if any((one, other) in self.matching.moved for other, _ in pieces):
            changes.append(Change.MOVED)
        speed = (use.speed, pieces[0][1].use.speed)
        if any(abs(piece.use.speed - use.speed) > _SAME_SPEED for _, piece in pieces):
            speed = next(
                (use.speed, piece.use.speed) for _, piece in pieces
                if abs(piece.use.speed - use.speed) > _SAME_SPEED
            )  # fmt: skip
            changes.append(Change.RETIMED)
        transitions = _transitions(use, [piece.use for _, piece in pieces])
        if transitions:
            changes.append(Change.TRANSITION)
        if _sound_changed(placed, [piece for _, piece in pieces]):
            changes.append(Change.SOUND)
        if use.enabled and any(enabled):
            self.errors += [abs(end) for end in (head, tail) if end is not None]
        first = min((piece for _, piece in pieces), key=lambda piece: piece.use.record.start)
        return _told(
            placed,
            tuple(changes) or (Change.ACCEPTED,),
            self.aligned,
            proposed=use.record,
            human=first.use.record,
            head=head,
            tail=tail,
            inside=inside,
            pieces=len(pieces),
            speed=speed,
            transitions=transitions,
        )

    def _without_the_cut(
        self, one: int, pieces: list[tuple[int, Placed]], head: int | None, tail: int | None
    ) -> tuple[int | None, int | None]:
        """What was taken off the ends, but for what the part's own ends cut off."""
        length = max(placed.use.record.end for placed in self.theirs)
        begins = any(piece.use.record.start == 0 for _, piece in pieces)
        ends = any(piece.use.record.end == length for _, piece in pieces)
        more = one < len(self.ours) - 1
        return 0 if begins and head else head, 0 if ends and more and tail else tail

    def _ends(
        self,
        one: int,
        placed: Placed,
        by_source: list[tuple[Span, int]],
        shared: dict[int, list[int]],
    ) -> tuple[int | None, int | None]:
        """Frames taken off at the head and the tail; None where it runs on into a neighbour."""
        rate = placed.use.rate
        (first, first_other), (last, last_other) = (
            by_source[0],
            max(by_source, key=lambda pair: pair[0].end),
        )
        head = _frames(first.start - placed.source.start, rate)
        tail = _frames(placed.source.end - last.end, rate)
        before = any(
            self.ours[other].source.start < placed.source.start
            for other in shared[first_other]
            if other != one
        )
        after = any(
            self.ours[other].source.start > placed.source.start
            for other in shared[last_other]
            if other != one
        )
        return (
            None if before and head <= 0 else head,
            None if after and tail <= 0 else tail,
        )


def _frames(seconds: Fraction, rate: Fraction) -> int:
    return rescale_round(1, 1 / seconds, rate) if seconds else 0


def _holes(spans: list[Span], rate: Fraction) -> int:
    """Frames that are missing between the pieces of a passage."""
    missing, end = Fraction(0), spans[0].end
    for span in spans[1:]:
        missing += max(Fraction(0), span.start - end)
        end = max(end, span.end)
    return _frames(missing, rate)


def _transitions(use: Use, pieces: Sequence[Use]) -> tuple[str, ...]:
    """What changed at the outer ends, in words."""
    said = []
    ends = (("head", use.head, pieces[0].head), ("tail", use.tail, pieces[-1].tail))
    for end, before, after in ends:
        if _differ(before, after, use.rate):
            said.append(f"{end}: {_edge_text(before, use.rate)} to {_edge_text(after, use.rate)}")
    return tuple(said)


def _differ(before: Edge | None, after: Edge | None, rate: Fraction) -> bool:
    if before is None or after is None:
        return before is not after
    near = 1 / rate
    lengths = [edge.before + edge.after for edge in (before, after)]
    return before.kind != after.kind or abs(lengths[0] - lengths[1]) >= near


def _edge_text(edge: Edge | None, rate: Fraction) -> str:
    return "cut" if edge is None else f"{edge.kind} {_frames(edge.before + edge.after, rate)}f"


def _sound_changed(placed: Placed, pieces: Sequence[Placed]) -> bool:
    """Whether the sound of a passage went, came, or now starts or ends apart from its picture."""
    near = 1 / placed.use.rate
    had = placed.use.sound
    for piece in pieces:
        has = piece.use.sound
        if (had is None) is not (has is None):
            return True
    if had is None:
        return False
    before = _overhang(placed.use)
    after = (_overhang(pieces[0].use)[0], _overhang(pieces[-1].use)[1])
    return any(abs(one - other) > near for one, other in zip(before, after, strict=True))


def _overhang(use: Use) -> tuple[Fraction, Fraction]:
    """Seconds by which the sound begins before and ends after its picture."""
    if use.sound is None:
        return Fraction(0), Fraction(0)
    return use.source.start - use.sound.start, use.sound.end - use.source.end


def _told(
    placed: Placed,
    changes: tuple[Change, ...],
    aligned: Aligned,
    *,
    proposed: Span | None = None,
    human: Span | None = None,
    known: bool = True,
    head: int | None = 0,
    tail: int | None = 0,
    inside: int = 0,
    pieces: int = 1,
    speed: tuple[Fraction, Fraction] | None = None,
    transitions: tuple[str, ...] = (),
) -> Passage:
    use = placed.use
    return Passage(
        changes=changes,
        name=use.name,
        media=aligned.names[placed.media],
        source=use.source,
        rate=use.rate,
        track=use.track,
        id=use.id,
        head=head,
        tail=tail,
        inside=inside,
        pieces=pieces,
        speed=speed or (use.speed, use.speed),
        transitions=transitions,
        proposed=proposed,
        human=human,
        known=known,
        picture=use.picture,
    )
