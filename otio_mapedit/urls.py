"""Media paths and the URLs that OTIO files hold.

OTIO's own ``url_from_filepath`` leaves ``%``, ``#`` and ``?`` as they are, so that its inverse
finds another file; these two are inverse to each other for every absolute path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urlsplit

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"^/[A-Za-z]:[/\\]|^/[A-Za-z]:$")
#: A drive as it was written before a colon was allowed in a URL.
_OLD_DRIVE = re.compile(r"^([A-Za-z])\|(?=[/\\]|$)")
#: A share of Windows, ``//server/share``; its server is the URL's, not a part of the path.
_SHARE = re.compile(r"^//(?!localhost/)[A-Za-z0-9_.-]+/", re.IGNORECASE)


def is_url(path: str) -> bool:
    """Whether a path is a URL; ``C:`` is a drive."""
    return bool(_SCHEME.match(path))


def is_absolute(path: str) -> bool:
    """Whether a path is absolute, here or on Windows."""
    return Path(path).is_absolute() or PureWindowsPath(path).is_absolute()


def url_of(path: str) -> str:
    """The URL of a media path. Relative paths give relative URLs; URLs stay as they are."""
    if is_url(path):
        return path
    if _SHARE.match(path):
        return "file:" + quote_from_bytes(os.fsencode(Path(path).as_posix()))
    if Path(path).is_absolute():
        return Path(path).as_uri()
    if PureWindowsPath(path).is_absolute():
        return PureWindowsPath(path).as_uri()
    return quote(PurePosixPath(path).as_posix())


def path_of(url: str) -> str:
    """The path behind a URL or a bare path; URLs of other schemes than ``file`` stay as they are.

    ``file:///D%3a/clip.mov`` and ``file://localhost/D:/clip.mov`` give ``D:/clip.mov``.
    """
    if not is_url(url):
        if is_absolute(url):
            return url  # a bare path, as Resolve writes it: nothing in it is escaped
        return _unquoted(url)
    if not url.lower().startswith("file://"):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    path = _unquoted(parts.path)
    if _DRIVE.match(f"/{parts.netloc}"):  # file://D:/..., which misses a slash
        return f"{parts.netloc}{path}"
    bare = _OLD_DRIVE.sub(r"\1:", path.lstrip("/"))
    if _DRIVE.match(f"/{bare}"):
        path = bare
    elif parts.netloc and parts.netloc.lower() != "localhost":
        return f"//{parts.netloc}{path}"
    return path


def _unquoted(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))
