"""Recipes: predictions and an editor's options become a decision list.

A recipe is a module with ``NAME``, ``SUMMARY``, ``Options`` (a frozen dataclass made of
:func:`otio_mapedit.config.option` fields), ``needs(media, options) -> frozenset[Need]`` and
``decide(predictions, options) -> DecisionList``. The table below is the only registry.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..config import nearest
from ..errors import OptionError

if TYPE_CHECKING:
    from ..inference import Predictions
    from ..media import MediaInfo
    from ..operations import DecisionList


class Need(Enum):
    """What a recipe must know about a file before it can decide."""

    SOUND = "sound"  # level and speech probability of every audio track
    SAMPLES = "samples"  # a picture every second or so, from keyframes
    SHOTS = "shots"  # the shot network's answer for every frame
    FAST_SHOTS = "fast shots"  # the same, decoding only where shots can change
    EDIT = "edit"  # the edit network's answer for every step, from whatever of the first two


class Recipe(Protocol):
    """What the modules of this package provide."""

    NAME: str
    SUMMARY: str
    Options: type[Any]

    def needs(self, media: MediaInfo, options: Any) -> frozenset[Need]:
        """What to compute for one file."""

    def decide(self, predictions: Sequence[Predictions], options: Any) -> DecisionList:
        """The edit of all files, in programme order."""


#: Every recipe, by the name it has on the command line and in ``-a recipe=NAME``.
RECIPES: tuple[str, ...] = ("roughcut", "highlights", "shots")


def recipe(name: str) -> Recipe:
    """The recipe called ``name``.

    Raises:
        OptionError: there is none; the nearest is named.
    """
    if name not in RECIPES:
        raise OptionError(f"there is no recipe {name!r}", nearest(name, RECIPES))
    return cast(Recipe, importlib.import_module(f"{__name__}.{name}"))
