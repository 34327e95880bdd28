"""Plain values as a Lua chunk that returns them, for scripts that can read no JSON.

The reader loads it with an empty environment, so that it could do nothing even if it held more
than a table. It never does: texts are written byte by byte where they are not plain ASCII, and
nothing from outside is ever written as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

#: Lua's own words and everything else that is no name must stand in brackets.
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORDS = (
    "and break do else elseif end false for function goto if in local nil not or repeat return "
    "then true until while"
)


def chunk(value: Any) -> str:
    """``return {...}``.

    Raises:
        ValueError: a value that Lua has no literal for.
    """
    return f"return {literal(value)}\n"


def literal(value: Any) -> str:
    """A value as a Lua expression; None as ``nil``."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(key)}={literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "{" + ",".join(literal(item) for item in value) + "}"
    raise ValueError(f"Lua has no literal for {value!r}")


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key not in _WORDS.split() else f"[{_text(key)}]"


def _text(text: str) -> str:
    """A text in quotes; three digits each, so that a digit may follow."""
    data = text.encode("utf-8", "surrogateescape")
    plain = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in data
    )
    return '"' + "".join(plain) + '"'
