"""A recipe's options dataclass as options of a verb."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import CallbackParam

from ..errors import UsageError
from ..timing import Length, parse_length, parse_rate, rate_text
from .common import GROUPS

#: What stands for a value in the help, by its parser or else by its type.
_WORDS: dict[Any, str] = {
    parse_length: "LENGTH", parse_rate: "RATE", Path: "FILE",
    Length: "LENGTH", Fraction: "RATE", int: "NUMBER", float: "NUMBER",
}  # fmt: skip


def with_options(
    function: Callable[..., None], shared: Callable[..., None], options: type[Any]
) -> Callable[..., None]:
    """``function(**given)`` with the signature of ``shared`` plus one option per field.

    The values of the fields arrive as texts (or None where not given), so that one parser serves
    the command line, the environment, ``mapedit.toml`` and ``otioconvert -a``.
    """
    import inspect

    parameters = list(inspect.signature(shared, eval_str=True).parameters.values())
    taken = {parameter.name for parameter in parameters}
    for field in dataclasses.fields(options):
        if field.name in taken:
            raise ValueError(f"{field.name!r} is the name of an option that every recipe has")
        parameters.append(_parameter(field))
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {}
    return function


def option_help(field: dataclasses.Field[Any]) -> str:
    """What the option does, its choices and its default, in one line."""
    text = str(field.metadata.get("help", ""))
    choices = field.metadata.get("choices", ())
    if choices and not all(str(choice) in text for choice in choices):
        text = f"{text.rstrip('.')}: {_listed(choices)}"
    text = text[:1].upper() + text[1:].rstrip(".") + "."
    default = default_text(field)
    return f"{text} [default: {default}]" if default else text


def default_text(field: dataclasses.Field[Any]) -> str:
    """A default as a person would type it; empty where there is none."""
    value = field.default
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction):
        return rate_text(value)
    return "" if value is None else str(value)


def value_word(field: dataclasses.Field[Any]) -> str:
    """What stands for the option's value in the help: ``CHOICE``, ``LENGTH``, ...."""
    if field.metadata.get("choices"):
        return "CHOICE"
    return _WORDS.get(field.metadata.get("parse")) or _WORDS.get(type(field.default), "TEXT")


def flag_of(name: str) -> str:
    """``min_shot`` as it is typed: ``--min-shot``."""
    return "--" + name.replace("_", "-")


def _parameter(field: dataclasses.Field[Any]) -> Parameter:
    flag = flag_of(field.name)
    switch = isinstance(field.default, bool)
    choices = tuple(str(choice) for choice in field.metadata.get("choices", ()))
    short = field.metadata.get("short", "")
    made: Any = typer.Option(
        f"{flag}/--no-{flag[2:]}" if switch else flag,
        *([short] if short else []),
        help=option_help(field),
        metavar=None if switch else value_word(field),
        rich_help_panel=GROUPS[0],
        autocompletion=(lambda: list(choices)) if choices else None,
        callback=None if switch else _says_something,
        show_default=False,
    )
    kind: Any = Annotated[bool | None if switch else str | None, made]
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _says_something(context: typer.Context, parameter: CallbackParam, value: Any) -> Any:
    """Refuse the next option as a value: in ``--transcribe -o cut.otio`` a model is missing, and
    ``cut.otio`` would be taken for footage."""
    known = context.command.params
    if any(value in (*other.opts, *other.secondary_opts) for other in known):
        flag = flag_of(str(parameter.name))
        raise UsageError(
            f"{flag} says nothing: {value} follows it", f"Give it a value, or leave {flag} out."
        )
    return value


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(choices[:-1]) + (" or " if len(choices) > 1 else "") + choices[-1]
