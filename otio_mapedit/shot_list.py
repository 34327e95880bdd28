"""Shots, what lies between them, and what is doubtful about them: plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Boundary:
    """Where one shot ends and the next begins.

    ``first`` is the first picture that is not purely the shot before, ``stop`` the first that is
    purely what follows; for a cut both are the first picture of the new shot. ``kind`` is "cut" or
    one of :data:`otio_mapedit.shot_curves.GRADUAL`; a fade leads to, or comes from, black.
    ``plain`` marks a dissolve that dips through a plain colour on its way.
    """

    first: int
    stop: int
    kind: str
    confidence: float
    plain: bool = False

    @property
    def at(self) -> int:
        """First picture counted to the following shot: the middle of a dissolve or wipe; a fade
        belongs to its shot."""
        if self.kind == "fade_out":
            return self.stop
        if self.kind == "fade_in":
            return self.first
        return (self.first + self.stop) // 2


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """Pictures that a person should look at, and why: "flash", "short shot", "black" (inside a
    shot), "cut" or "transition" (the last two were not counted). ``probability`` is that of the
    named thing."""

    first: int
    stop: int
    about: str
    probability: float


@dataclass(frozen=True, slots=True)
class Shot:
    """Pictures ``first`` up to and excluding ``stop``, all of one shot, or black."""

    first: int
    stop: int
    black: bool = False
    opening: Boundary | None = None  # None at the start of the file
    closing: Boundary | None = None  # None at its end


@dataclass(frozen=True, slots=True)
class ShotList:
    """The shots of a file in order, without hole or overlap, and what is doubtful about them."""

    shots: tuple[Shot, ...]
    doubts: tuple[Doubt, ...] = ()

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """Every boundary once, in order; also a fade at either end of the file."""
        found = {shot.opening for shot in self.shots} | {shot.closing for shot in self.shots}
        return tuple(sorted(boundary for boundary in found if boundary))
