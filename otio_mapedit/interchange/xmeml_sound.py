"""Sound tracks of xmeml: channels, and Premiere's stereo tracks that come as two."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from .xmeml_values import count_of


class Sound:
    """The sound track that clips are read from: how many channels it plays."""

    def __init__(self, track: Element) -> None:
        count = track.get("totalExplodedTrackCount", "")
        self.channels = int(count) if count.isascii() and count.isdigit() and count != "0" else 0

    def facts(self, element: Element, own: dict[str, Any]) -> dict[str, Any]:
        """Channels of a clip and the first of them in its file, where they are not the usual."""
        found: dict[str, Any] = {}
        if self.channels > 1:
            found["channels"] = min(16, self.channels)
        channel = count_of(element, "sourcetrack/trackindex")
        if channel is not None and channel > 1 and "stream" not in own:
            found["channel"] = channel
        return found


def is_exploded_copy(first: Element, element: Element) -> bool:
    """Whether a track is a further channel of the one before, cut alike."""
    if element.get("currentExplodedTrackIndex", "0") == "0":
        return False

    def cuts(track: Element) -> list[tuple[int | None, ...]]:
        names = ("start", "end", "in", "out")
        return [tuple(count_of(c, name) for name in names) for c in track.findall("clipitem")]

    return cuts(first) == cuts(element)
