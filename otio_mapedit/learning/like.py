"""``--like TIMELINE``: learn from one finished timeline and cut like it, without naming a style."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cache import Cache, default_folder
from ..errors import OptionError
from ..files import write_text
from ..interchange.registry import read_timeline
from ..pipeline import Tools
from ..progress import Progress, silent
from ..style import SUFFIX, Style, chosen, text_of, with_style


def chosen_like(
    section: str, given: Mapping[str, Any], progress: Progress = silent
) -> dict[str, Any]:
    """Options of a recipe by precedence, with what ``like`` teaches behind them.

    What was learned is kept as a style in the cache folder, so that the edit can name it.

    Raises:
        OptionError: both a style and a timeline to cut like; FormatError, ModelError: see
        :func:`otio_mapedit.learning.learn.taught_by`.
    """
    values = chosen(section, given)
    if not values.get("like"):
        return values
    if values.get("style"):
        raise OptionError("--like and --style do not go together", "Leave one of them out.")
    # Every edit comes by here, and few are cut like another: all of learning takes a while to load.
    from .learn import learn, taught_by

    path = Path(str(values["like"]))
    tools = Tools(Cache(default_folder()), progress)
    taught = taught_by(read_timeline(path), path, (), tools)
    style = learn(Style(f"like {path.name}"), [taught]).style
    mark = hashlib.sha256(text_of(style).encode()).hexdigest()[:10]
    place = default_folder() / "styles" / f"like {path.stem} {mark}{SUFFIX}"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_text(place, text_of(style), force=True)
    return with_style(str(place), {**values, "style": str(place)})
