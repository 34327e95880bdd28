"""How many clips a document plays when every nested sequence counts each time that it is used.

A few lines can say that a sequence plays another ten times, which plays a third ten times: what
they unfold to has to be known before anything is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from ..errors import FormatError

#: Most clips that all sequences together may play, unless the document itself holds more.
MOST_CLIPS = 300_000


def check_unfolded(
    root: Element,
    top: Element,
    plays: Callable[[Element], Iterable[Element | None]],
    deepest: int,
    what: str,
) -> None:
    """Refuse a document whose sequence ``top`` unfolds into more than :data:`MOST_CLIPS` clips.

    ``plays`` gives what each item in a sequence plays: another sequence, or something that
    plays nothing more; None is an item as well. What lies deeper than ``deepest`` or plays itself
    counts nothing.

    Raises:
        FormatError: there are more.
    """
    known: dict[tuple[int, int], int] = {}
    above: list[Element] = []

    def clips(element: Element) -> int:
        key = (id(element), len(above))
        if element in above or len(above) > deepest:
            return 0
        if key not in known:
            above.append(element)
            known[key] = sum(1 + (clips(one) if one is not None else 0) for one in plays(element))
            above.pop()
        return known[key]

    if clips(top) > max(MOST_CLIPS, sum(1 for _ in root.iter())):
        raise FormatError(
            f"{what} unfolds into more than {MOST_CLIPS} clips",
            "Export one sequence at a time, without nested ones.",
        )
