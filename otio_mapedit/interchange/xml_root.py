"""Which of the two XML formats of editing programs a file holds; the suffix does not tell."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from ..errors import FormatError

FCPXML = "fcpxml"
XMEML = "xmeml"
#: The root stands within the first bytes of every real file.
_HEAD = 64 * 1024


class _Found(Exception):
    """The root's name."""


def root_of(path: Path) -> str:
    """The name of a file's root element; empty where its head shows none.

    Raises:
        FormatError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise FormatError(
            f"cannot read {path}: {error.strerror or error}", "Check the path and its permissions."
        ) from error

    def start(tag: str, attributes: dict[str, str]) -> None:
        raise _Found(tag)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(head, False)
    except _Found as found:
        return str(found)
    except (expat.ExpatError, LookupError, ValueError):
        return ""  # the reader says what is wrong, and where
    return ""


def refuse(path: Path, root: str) -> None:
    """Refuse a file whose root belongs to another kind of XML.

    Raises:
        FormatError: it is XML, but no timeline.
    """
    if root not in ("", FCPXML, XMEML):
        raise FormatError(
            f"{path} is XML, but neither FCPXML nor xmeml: its root is <{root[:40]}>",
            "Export a timeline as FCPXML or Final Cut Pro 7 XML.",
        )
