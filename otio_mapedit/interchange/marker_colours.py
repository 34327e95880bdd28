"""OTIO's marker colours by name, and their channels (0 to 255) as programs show them."""

from __future__ import annotations

COLOURS = {
    "RED": (255, 0, 0),
    "GREEN": (0, 255, 0),
    "BLUE": (0, 0, 255),
    "YELLOW": (255, 255, 0),
    "CYAN": (0, 255, 255),
    "MAGENTA": (255, 0, 255),
    "ORANGE": (255, 127, 0),
    "PINK": (255, 127, 191),
    "PURPLE": (127, 0, 255),
    "BLACK": (0, 0, 0),
    "WHITE": (255, 255, 255),
}


def colour_channels(name: str) -> tuple[int, int, int] | None:
    """Red, green and blue of a colour, None for a name that is none."""
    return COLOURS.get(name.upper())


def nearest_colour(red: int, green: int, blue: int) -> str:
    """The colour whose channels are nearest to these."""

    def distance(name: str) -> int:
        pairs = zip(COLOURS[name], (red, green, blue), strict=True)
        return sum((a - b) ** 2 for a, b in pairs)

    return min(COLOURS, key=distance)
