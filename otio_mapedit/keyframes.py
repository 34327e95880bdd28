"""Which keyframes are looked at."""

from __future__ import annotations

from fractions import Fraction

#: Keyframes that come more closely than this, as in files of keyframes only, say nothing by that.
_CLOSE = Fraction(1, 5)
#: A keyframe is early where it comes within this part of the time that the one before took.
_EARLY = Fraction(3, 4)


class Chooser:
    """Takes keyframes that are ``apart`` seconds from the last one taken, and those that come
    early: encoders put one where the picture changes, and a recorder begins with one."""

    def __init__(self, apart: Fraction) -> None:
        self._apart = apart
        self._last: Fraction | None = None
        self._before: Fraction | None = None
        self._usual = Fraction(0)

    def takes(self, time: Fraction) -> bool:
        """Whether to look at the keyframe at ``time`` seconds; told of every one, in order."""
        since = None if self._before is None else time - self._before
        early = since is not None and self._usual >= _CLOSE and 0 < since < self._usual * _EARLY
        if since is not None:
            self._usual = since
        self._before = time
        if self._last is None or early or time - self._last >= self._apart:
            self._last = time
            return True
        return False
