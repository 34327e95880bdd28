"""Links of xmeml: what belongs together moves together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from .xmeml_words import add


@dataclass(slots=True)
class WrittenItem:
    """An item that was written, as links refer to it."""

    element: Element
    id: str
    video: bool
    track: int
    clip: int


@dataclass(slots=True)
class Links:
    """Items of one sequence by what they share."""

    groups: dict[str, list[WrittenItem]] = field(default_factory=lambda: defaultdict(list))

    def write(self) -> None:
        """Give every item a link to every item of its group, itself included."""
        for group in self.groups.values():
            for item in group:
                for other in group:
                    link = add(item.element, "link")
                    add(link, "linkclipref", other.id)
                    add(link, "mediatype", "video" if other.video else "audio")
                    add(link, "trackindex", other.track)
                    add(link, "clipindex", other.clip)
                    if not other.video:
                        add(link, "groupindex", 1)
