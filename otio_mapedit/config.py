"""Options: one frozen dataclass per recipe, filled from text, whatever the text came from.

The command line, ``MAPEDIT_*`` variables, ``mapedit.toml`` and ``otioconvert -a key=value`` all
end here, so that a value means the same everywhere and an unknown name gets the same answer.

A field of an options dataclass is declared with :func:`option`, which carries the help text and,
where the type alone does not say it, the choices or the parser.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from .errors import FormatError, OptionError
from .timing import Length, parse_length, parse_rate

Options = TypeVar("Options")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def option(
    default: Any,
    help: str,
    choices: Iterable[str] = (),
    parse: Callable[[str], Any] | None = None,
    short: str = "",
) -> Any:
    """A field of an options dataclass.

    Without ``parse`` the default's type decides: bool, int, float, str, ``Length`` or
    ``Fraction`` (a frame rate). ``choices`` restricts a str. ``short`` is another flag for the
    command line, such as ``-d``.
    """
    return dataclasses.field(
        default=default,
        metadata={"help": help, "choices": tuple(choices), "parse": parse, "short": short},
    )


def option_names(kind: type[Any]) -> tuple[str, ...]:
    """The option names of an options dataclass, in order."""
    return tuple(field.name for field in dataclasses.fields(kind))


def make_options(kind: type[Options], values: Mapping[str, Any]) -> Options:
    """An options dataclass from names and texts (or values of the right type already).

    Names may be written with dashes. ``None`` means: not given.

    Raises:
        OptionError: an unknown name (the nearest valid one is named) or an unusable value.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    chosen = {}
    for name, value in values.items():
        field = fields.get(name.replace("-", "_"))
        if field is None:
            raise OptionError(f"there is no option {name!r}", nearest(name, fields))
        if value is not None:
            chosen[field.name] = _value(field, value)
    return kind(**chosen)


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for a misspelt name: the nearest known one, else all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name.replace("-", "_"), known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    return "Known: " + (", ".join(known) or "none") + "."


def layered(section: str, given: Mapping[str, Any], folder: Path | None = None) -> dict[str, Any]:
    """Options of ``section`` by precedence: ``mapedit.toml`` < ``MAPEDIT_*`` < ``given``.

    ``mapedit.toml`` is looked for in ``folder`` (default: the current one) and its parents. In
    it, ``[roughcut]`` holds the options of that recipe. A variable is called
    ``MAPEDIT_ROUGHCUT_MIN_SHOT``.

    Raises:
        FormatError: ``mapedit.toml`` cannot be read.
    """
    values = dict(settings(folder).get(section, {}))
    prefix = f"MAPEDIT_{section.upper()}_"
    for name, text in os.environ.items():
        if name.startswith(prefix):
            values[name[len(prefix) :].lower()] = text
    values.update({name: value for name, value in given.items() if value is not None})
    return values


def settings(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The sections of the nearest ``mapedit.toml``; empty without one.

    Raises:
        FormatError: it is not TOML, or holds something other than sections.
    """
    path = settings_file(folder)
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: {error}", "Correct it, or move it away.") from error
    if stray := [name for name, value in content.items() if not isinstance(value, dict)]:
        raise FormatError(
            f"{path}: {stray[0]} stands outside a section",
            "Put it under [roughcut] or [shots].",
        )
    return content


def settings_file(folder: Path | None = None) -> Path | None:
    """The ``mapedit.toml`` that counts for ``folder`` (default: the current one), if any."""
    folder = (folder or Path.cwd()).absolute()
    for place in (folder, *folder.parents):
        path = place / "mapedit.toml"
        if path.is_file():
            return path
    return None


def _value(field: dataclasses.Field[Any], value: Any) -> Any:
    parse = field.metadata.get("parse")
    choices = field.metadata.get("choices", ())
    try:
        parsed = parse(str(value)) if parse else _typed(type(field.default), value)
    except OptionError as error:
        raise OptionError(f"{field.name}: {error.message}", error.remedy) from None
    if choices and parsed not in choices:
        raise OptionError(
            f"{field.name}: {parsed!r} is not known", "Choose one of: " + ", ".join(choices) + "."
        )
    return parsed


def _typed(kind: type[Any], value: Any) -> Any:
    """``value`` as ``kind``."""
    if kind is bool:
        return _flag(value)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    if kind is Length:
        return parse_length(value)
    if kind is Fraction:
        return parse_rate(str(value))
    if kind in (int, float):
        try:
            return kind(str(value))
        except ValueError:
            raise OptionError(f"{value!r} is not a number", "Write it like 3.") from None
    return str(value)


def _flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise OptionError(f"{value!r} is neither yes nor no", "Write true or false.")
