"""Where media lies: paths of three systems and URLs of many writers, as one kind of URL.

Editing programs want ``file:///`` URLs that are percent-encoded. Timelines hold those, but also
bare paths, Windows drives (``D:\\clips\\a.mov``), UNC shares, ``file://localhost/D%3a/``, and
URLs that somebody forgot to encode.
"""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

_DRIVE = re.compile(r"^/?[A-Za-z][:|](?=[/\\]|$)")
_SHARE = re.compile(r"^//([A-Za-z0-9_.-]+)(/.+)$", re.DOTALL)
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: What a URL may hold as it is; everything else is percent-encoded.
_SAFE = "/:@!$&'()*+,;=~-._"


@functools.lru_cache(maxsize=4096)
def media_url(text: str) -> str:
    """``text`` (a path or a URL) as a percent-encoded URL.

    Absolute paths become ``file:///`` URLs, relative ones ``./`` references; URLs of other
    schemes only get what must be encoded encoded. Kept, because timelines ask for the same few
    again and again.
    """
    if text.startswith("\\\\"):
        return "file:" + quote(text.replace("\\", "/"), safe=_SAFE)
    if _DRIVE.match(text):
        return "file:///" + quote(text.lstrip("/").replace("\\", "/"), safe=_SAFE)
    if text.lower().startswith("file:"):
        return _file_url(text[5:])
    if _SCHEME.match(text):
        return quote(_STRAY_PERCENT.sub("%25", text), safe=_SAFE + "%?#")
    if text.startswith("/"):
        return "file://" + quote(text, safe=_SAFE)
    relative = quote(_STRAY_PERCENT.sub("%25", text.removeprefix("./")), safe=_SAFE + "%")
    return f"./{relative}"


def _file_url(rest: str) -> str:
    """A ``file:`` URL in the one form that every host reads; ``rest`` follows the colon."""
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, tail = rest[2:].partition("/")
        path = slash + tail
        if _DRIVE.match(host):  # file://D:/..., which misses a slash
            host, path = "", "/" + rest[2:]
    path = unquote(_STRAY_PERCENT.sub("%25", path))
    if host.lower() == "localhost":
        host = ""
    elif not host and (share := _SHARE.match(path)):  # file:////server/share (RFC 8089, E.3.2)
        host, path = share[1], share[2]
    while not host and path.startswith("//"):
        path = path[1:]
    if re.match(r"^/[A-Za-z]\|", path):
        path = path[:2] + ":" + path[3:]
    return f"file://{host}{quote(path, safe=_SAFE)}"


def file_name(text: str) -> str:
    """The last part of a path or URL, decoded: ``b roll #2.mov``."""
    url = media_url(text)
    path = unquote(url if url.startswith("./") else urlsplit(url).path)
    return PurePosixPath(path).name
