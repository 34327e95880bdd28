"""A style: how one editor cuts, learned from their timelines, in a file that travels.

A style is one JSON file. It holds options of the rough cut in an editor's words, a *leaning* (a
logistic regression that says from what is heard and seen of a moment how likely this editor keeps
it), and what both were learned from, so that it can be learned further without the media. It is
data and nothing else: it is read with every number checked, and nothing in it is ever executed.
Where the edit network was trained further for a style (``mapedit model finetune``), that network
lies beside it as ``NAME.edit.onnx``, and the style holds its sum.

Styles live in ``MAPEDIT_STYLES``, else in the user's data folder: ``~/.local/share/otio-mapedit/
styles`` (``XDG_DATA_HOME``), ``~/Library/Application Support/otio-mapedit/styles`` on macOS,
``%APPDATA%\\otio-mapedit\\styles`` on Windows.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import layered, nearest
from .errors import FormatError, OptionError, UsageError
from .files import write_text

SCHEMA = "Style.1"
SUFFIX = ".style.json"
#: Ending of the file of a style's own edit network.
NETWORK_SUFFIX = ".edit.onnx"
#: Options of the rough cut that a style may set.
LEARNED_OPTIONS = (
    "margin_before",
    "margin_after",
    "min_pause",
    "min_shot",
    "min_sound",
    "sound_level",
    "sounds",
    "takes",
    "dissolve",
)

#: Options of the other recipes that a style may set.
RECIPE_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "highlights": ("min_shot", "dissolve", "order"),
    "shots": ("min_shot", "transitions"),
}

#: Options of the rough cut that a pace stands for.
PACED = ("margin_before", "margin_after", "min_pause")

_NAME = re.compile(r"^[\w][\w. -]{0,63}$")
#: Spreads from the mean within which most of what was learned from lies.
_SEEN = 3.0
#: Largest file that is read: years of timelines.
_LARGEST = 64 * 2**20


@dataclass(frozen=True)
class Leaning:
    """A logistic regression over the numbers that describe a moment.

    The probability that the editor keeps it is ``1 / (1 + exp(-(bias + weights . x)))`` with
    ``x = (values - mean) / spread``; ``trust`` is how much of the decision it gets, 0 to 1;
    ``network`` the edit network whose answers are among the values.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    trust: float
    network: str = ""

    def probability(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Of being kept, [n], for values ``[n, features]``."""
        scaled = (values - np.array(self.mean)) / np.array(self.spread)
        logit = self.bias + np.clip(scaled, -5, 5) @ np.array(self.weights)
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), np.float64)

    def familiar(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """How far each moment is like those that were learned from, [n], 1 where it is: what a
        regression says beyond what it has seen is a guess, the bolder the further away."""
        scaled = np.abs((values - np.array(self.mean)) / np.array(self.spread))
        beyond = np.clip(scaled - _SEEN, 0, _SEEN) @ np.abs(self.weights)
        return np.asarray(np.exp(-beyond), np.float64)


@dataclass(frozen=True)
class Style:
    """How somebody cuts. ``options`` of the rough cut are texts as on the command line, by name,
    ``recipes`` those of the other recipes; ``lessons`` what it was learned from (see
    :mod:`otio_mapedit.learning.lessons`); ``validation`` what leaving one timeline out showed;
    ``network``, where there is an edit network of its own, that file's sum (``sha256``) and what
    training it showed."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    leaning: Leaning | None = None
    lessons: Sequence[Mapping[str, Any]] = ()
    validation: Mapping[str, Any] = field(default_factory=dict)
    generator: str = ""
    network: Mapping[str, Any] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def options_of(self, recipe: str) -> Mapping[str, str]:
        """The options of a recipe that this style sets."""
        return self.options if recipe == "roughcut" else self.recipes.get(recipe, {})


def folder() -> Path:
    """Where styles live."""
    if chosen := os.environ.get("MAPEDIT_STYLES"):
        return Path(chosen)
    if os.name == "nt":
        base = Path(os.environ.get("APPDATA", Path.home()))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "otio-mapedit" / "styles"


def path_for(name: str) -> Path:
    """The file of the style ``name``; a name that ends in ``.style.json`` is a path itself.

    Raises:
        OptionError: not a name that a file may have.
    """
    if name.endswith(SUFFIX):
        return Path(name)
    if not _NAME.match(name) or name.endswith((".", " ")):
        raise OptionError(
            f"{name!r} cannot name a style", "Use letters, digits, spaces, dots, - and _."
        )
    return folder() / f"{name}{SUFFIX}"


def network_path(name: str) -> Path:
    """Where the edit network of the style ``name`` lies, if it has one of its own."""
    path = path_for(name)
    return path.with_name(path.name.removesuffix(SUFFIX) + NETWORK_SUFFIX)


def style_title(name: str) -> str:
    """A style's name for people, whether it was given by name or by path."""
    return Path(name).name.removesuffix(SUFFIX)


def names() -> list[str]:
    """Every style that is there."""
    place = folder()
    if not place.is_dir():
        return []
    return sorted(path.name.removesuffix(SUFFIX) for path in place.glob(f"*{SUFFIX}"))


def load(name: str) -> Style:
    """The style called ``name``, or in the file that ``name`` is the path of.

    Raises:
        OptionError: there is none; FormatError: the file is no style.
    """
    path = path_for(name)
    if not path.is_file():
        raise OptionError(f"there is no style {name!r}", _known(name))
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is larger than any style")
        return style_from(json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as fault:
        raise FormatError(
            f"{path} is not a style: {fault}", f"Type: mapedit style forget {name}"
        ) from fault


def _known(name: str) -> str:
    known = names()
    return nearest(name, known) if known else "Type: mapedit learn --style NAME TIMELINE"


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def save(style: Style, force: bool = True) -> Path:
    """Write a style to its place, whole or not at all.

    Raises:
        OptionError: see :func:`path_for`. OutputExistsError, OutputError: it cannot be written.
    """
    path = path_for(style.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be made: {error.strerror}", "Set MAPEDIT_STYLES to a folder."
        ) from error
    write_text(path, text_of(style), force)
    if not style.network:
        network_path(style.name).unlink(missing_ok=True)
    return path


def text_of(style: Style) -> str:
    """A style as JSON."""
    leaning = style.leaning
    content = {
        "MAPEDIT_STYLE": SCHEMA,
        "name": style.name,
        "generator": style.generator,
        "options": dict(style.options),
        "recipes": {name: dict(options) for name, options in style.recipes.items()},
        "leaning": None
        if leaning is None
        else {
            "features": list(leaning.features),
            "mean": list(leaning.mean),
            "spread": list(leaning.spread),
            "weights": list(leaning.weights),
            "bias": leaning.bias,
            "trust": leaning.trust,
            "network": leaning.network,
        },
        "validation": dict(style.validation),
        "network": dict(style.network),
        "lessons": [dict(lesson) for lesson in style.lessons],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def style_from(content: Any) -> Style:
    """A style from plain JSON.

    Raises:
        ValueError: something in it is not as it must be.
    """
    if not isinstance(content, dict) or content.get("MAPEDIT_STYLE") != SCHEMA:
        raise ValueError(f"it does not say MAPEDIT_STYLE: {SCHEMA}")
    options = _options(content, "options", LEARNED_OPTIONS)
    recipes = _mapping(content, "recipes")
    if stray := [name for name in recipes if name not in RECIPE_OPTIONS]:
        raise ValueError(f"the recipe {stray[0]!r} is none that a style knows")
    lessons = content.get("lessons", [])
    if not isinstance(lessons, list) or not all(isinstance(one, dict) for one in lessons):
        raise ValueError("lessons is not a list")
    leaning = content.get("leaning")
    name = content.get("name")
    return Style(
        name=name if isinstance(name, str) else "",
        options=options,
        leaning=None if leaning is None else _leaning(leaning),
        lessons=lessons,
        validation=_mapping(content, "validation"),
        generator=str(content.get("generator", "")),
        network=_network(content),
        recipes={name: _options(recipes, name, RECIPE_OPTIONS[name]) for name in recipes},
    )


def _options(content: Mapping[str, Any], key: str, known: tuple[str, ...]) -> dict[str, str]:
    options = _mapping(content, key)
    if stray := [name for name in options if name not in known]:
        raise ValueError(f"the option {stray[0]!r} is none that a style sets")
    return {name: str(value) for name, value in options.items()}


def _network(content: Mapping[str, Any]) -> Mapping[str, Any]:
    network = _mapping(content, "network")
    if network and not re.fullmatch(r"[0-9a-f]{64}", str(network.get("sha256"))):
        raise ValueError("the sum of its network is none")
    return network


def _mapping(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"{key} is not an object")
    return value


def _leaning(content: Any) -> Leaning:
    if not isinstance(content, dict):
        raise ValueError("leaning is not an object")
    features = tuple(str(name) for name in content["features"])
    rows = [_numbers(content[key], len(features)) for key in ("mean", "spread", "weights")]
    if any(value <= 0 for value in rows[1]):
        raise ValueError("a spread is not above 0")
    bias, trust = _numbers([content["bias"], content["trust"]], 2)
    trust, network = min(1.0, max(0.0, trust)), str(content.get("network", ""))
    return Leaning(features, rows[0], rows[1], rows[2], bias, trust, network)


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    found = tuple(float(value) for value in values)
    if len(found) != count or not all(math.isfinite(value) for value in found):
        raise ValueError("the leaning's numbers do not fit together")
    return found


def chosen(section: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a recipe by precedence, with those of the style that they name behind them.

    Raises:
        As :func:`otio_mapedit.config.layered` and :func:`load`.
    """
    values = layered(section, given)
    return with_style(str(values["style"]), values, section) if values.get("style") else values


def with_style(name: str, given: Mapping[str, Any], recipe: str = "roughcut") -> dict[str, Any]:
    """Options of a recipe with those of the style ``name`` behind what was given.

    A pace that is given counts more than the style's margins and pause, which are what a pace
    stands for.

    Raises:
        As :func:`load`.
    """
    learned = dict(load(name).options_of(recipe))
    given_names = {key.replace("-", "_") for key, value in given.items() if value is not None}
    if "pace" in given_names:
        learned = {key: value for key, value in learned.items() if key not in PACED}
    return {key: value for key, value in learned.items() if key not in given_names} | dict(given)
