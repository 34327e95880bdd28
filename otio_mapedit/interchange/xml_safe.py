"""Reading XML from strangers and writing it for hosts: bounded, without entities, exact.

A timeline file may come from anywhere. It is refused, in one line, where it declares entities
(the "billion laughs"), refers to external ones, is larger than :data:`MAX_BYTES`, holds more
than :data:`MAX_ELEMENTS` elements or nests deeper than :data:`MAX_DEPTH`; the parser stops at
the first such sign, so that time and memory stay bounded. A plain ``<!DOCTYPE xmeml>`` is fine;
a DTD that it names is never opened.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..errors import FormatError

#: Largest file that is read. Ten thousand clips take about 10 MB.
MAX_BYTES = 64 * 1024 * 1024
#: Most elements in one file. Ten thousand clips with markers and effects take about 200,000.
MAX_ELEMENTS = 2_000_000
#: Deepest nesting. Real timelines stay below 30.
MAX_DEPTH = 256

#: What XML 1.0 cannot hold, even escaped (section 2.2 of the recommendation).
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ATTRIBUTE = {**_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_TEXT_SPECIAL = re.compile("[&<>\r]")
_ATTRIBUTE_SPECIAL = re.compile('[&<>\r"\n\t]')

_EXPORT_AGAIN = "Export it again from the editing program."


def read_bytes(path: Path, what: str = "") -> bytes:
    """The content of a timeline file, if it is of a sane size.

    ``what`` is how messages call the file; its name by default.

    Raises:
        FormatError: missing, unreadable, or larger than :data:`MAX_BYTES`.
    """
    what = what or path.name
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FormatError(
            f"cannot read {what}: {error.strerror or error}", "Check the path and its permissions."
        ) from error
    _check_size(data, what)
    return data


def parse(data: bytes, what: str, comments: bool = False) -> Element:
    """The root element of an XML document from an untrusted source.

    Comments are left out unless ``comments`` asks for them (as ``xml.etree`` comment nodes,
    whose ``tag`` is not a string); processing instructions are always left out.

    Raises:
        FormatError: not well-formed XML, too large, too deep, or it declares or uses entities.
    """
    _check_size(data, what)
    if not data.strip(b" \t\r\n\0"):
        raise FormatError(f"{what} is empty", _EXPORT_AGAIN)
    reader = _Reader(what, comments)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FormatError(
            f"{what} is not well-formed XML: {expat.ErrorString(error.code)}"
            f" at line {error.lineno}",
            _EXPORT_AGAIN,
        ) from error
    except (LookupError, ValueError) as error:
        raise FormatError(
            f"{what} is in an encoding that is not supported", "Save it as UTF-8."
        ) from error
    return reader.builder.close()


class _Reader:
    """An expat parser that builds elements and stops at the first sign of an attack."""

    def __init__(self, what: str, comments: bool) -> None:
        self.what = what
        self.builder = TreeBuilder(insert_comments=comments)
        self._depth = 0
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.builder.data
        self.parser.EntityDeclHandler = self._refuse_entity
        self.parser.ExternalEntityRefHandler = self._refuse_entity
        self.parser.UnparsedEntityDeclHandler = self._refuse_entity
        self.parser.SkippedEntityHandler = self._refuse_entity
        if comments:
            self.parser.CommentHandler = self._comment

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            raise FormatError(
                f"{self.what} nests elements more than {MAX_DEPTH} deep",
                "No editing program writes that: check where the file comes from.",
            )
        if self._count > MAX_ELEMENTS:
            raise FormatError(
                f"{self.what} holds more than {MAX_ELEMENTS} elements",
                "Export one sequence at a time.",
            )
        self.builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self.builder.end(tag)

    def _comment(self, text: str) -> None:
        if self._depth:
            self.builder.comment(text)

    def _refuse_entity(self, *_: object) -> NoReturn:
        raise FormatError(
            f"{self.what} declares or uses XML entities, which can be used for attacks",
            "No editing program writes them: check where the file comes from.",
        )


def _check_size(data: bytes, what: str) -> None:
    if len(data) > MAX_BYTES:
        raise FormatError(
            f"{what} is larger than {MAX_BYTES // 1024 // 1024} MB",
            "Export one sequence at a time.",
        )


def clean(text: str) -> str:
    """``text`` with every character that XML cannot hold replaced by U+FFFD.

    A writer that must not lose anything silently compares the result with what it gave.
    """
    return _UNWRITABLE.sub("\ufffd", text)


def serialise(root: Element, doctype: str = "") -> str:
    """A document as text: declaration, ``<!DOCTYPE doctype>`` where given, indented by tabs.

    Names and texts survive exactly (line breaks and tabs in attributes are escaped, which
    parsers would otherwise turn into spaces), except characters that XML cannot hold, see
    :func:`clean`. White space is added only inside elements that hold elements and no text.
    """
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    if doctype:
        lines.append(f"<!DOCTYPE {doctype}>")
    _write(root, "", lines)
    return "\n".join(lines) + "\n"


def _write(element: Element, indent: str, lines: list[str]) -> None:
    if _is_comment(element):
        text = clean(element.text or "").replace("--", "- -")
        lines.append(f"{indent}<!--{text}{' ' if text.endswith('-') else ''}-->")
        return
    head = f"{indent}<{element.tag}{_attributes(element)}"
    if not len(element):
        text = element.text or ""
        lines.append(f"{head}>{_escaped(text)}</{element.tag}>" if text else f"{head}/>")
        return
    if _is_mixed(element):
        lines.append(indent + _inline(element))
        return
    lines.append(head + ">")
    for child in element:
        _write(child, indent + "\t", lines)
    lines.append(f"{indent}</{element.tag}>")


def _is_comment(element: Element) -> bool:
    """Comment nodes carry the function that makes them where elements carry a name."""
    return not isinstance(element.tag, str)


def _is_mixed(element: Element) -> bool:
    """Whether text stands beside child elements, so that white space would change it."""
    return bool((element.text or "").strip()) or any((c.tail or "").strip() for c in element)


def _inline(element: Element) -> str:
    parts = [f"<{element.tag}{_attributes(element)}>", _escaped(element.text or "")]
    for child in element:
        if not _is_comment(child):
            parts.append(_inline(child))
        parts.append(_escaped(child.tail or ""))
    parts.append(f"</{element.tag}>")
    return "".join(parts)


def _attributes(element: Element) -> str:
    if not element.attrib:
        return ""
    return "".join(
        f' {name}="{_ATTRIBUTE_SPECIAL.sub(lambda m: _ATTRIBUTE[m[0]], clean(value))}"'
        for name, value in element.attrib.items()
    )


def _escaped(text: str) -> str:
    return _TEXT_SPECIAL.sub(lambda m: _TEXT[m[0]], clean(text))
