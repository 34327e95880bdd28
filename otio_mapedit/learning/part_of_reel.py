"""Whether a human's timeline is a part that was cut out of a reel, told by its timecode.

A part that is exported between an in and an out point keeps the timecode of its record: it begins
later than the reel, and what it shows at each timecode is what the reel shows there. Whoever takes
out the first clips instead closes the gap, or leaves it, but does not begin later by exactly that
much. So where the two agree it is certain; where they do not, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .chain import Matching
from .same_media import Placed
from .uses import Uses

Lane = tuple[Sequence[Placed], Sequence[Placed], Matching]


def is_part(reel: Uses, part: Uses, lanes: Sequence[Lane]) -> bool:
    """Whether ``part`` was certainly cut out of ``reel``; ``lanes`` are the passages of both, and
    which are the same."""
    later = part.start - reel.start
    near = 1 / reel.rate
    if later < near or later >= reel.length:
        return False
    # What comes first: behind it, the human may have edited the part.
    agreeing = [
        abs(_apart(ours[one], theirs[other]) - later) <= near
        for ours, theirs, matching in lanes
        for one, others in matching.partners.items()
        for other in others
        if theirs[other].use.record.start <= near
    ]
    return bool(agreeing) and all(agreeing)


def _apart(ours: Placed, theirs: Placed) -> Fraction:
    """How much earlier on its own record the part shows what the reel shows."""
    speed = ours.use.speed or Fraction(1)
    within = (theirs.source.start - ours.source.start) / speed
    return ours.use.record.start + within - theirs.use.record.start
