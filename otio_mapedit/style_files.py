"""A style and the edit network of its own as two files that belong together."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from .errors import ModelError, OptionError, OutputExistsError, UsageError
from .files import replacing, write_text
from .style import (
    NETWORK_SUFFIX,
    SUFFIX,
    Style,
    folder,
    load,
    network_path,
    path_for,
    style_title,
    text_of,
)
from .weights import EditNetwork, open_edit_network_file


def open_own_network(name: str) -> EditNetwork | None:
    """The edit network of the style ``name``; None where it has none of its own.

    Raises:
        OptionError, FormatError: see :func:`load`. ModelError: its file is missing, altered, or
        reads what this version does not compute.
    """
    style, path = load(name), network_path(name)
    if not style.network:
        return None
    try:
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        return _opened(path, changed, str(style.network["sha256"]))
    except ModelError as fault:
        raise ModelError(
            f"the network of the style {style_title(name)} cannot be used: {fault.message}",
            f"Type: mapedit model finetune --style '{style_title(name)}'",
        ) from fault


@functools.lru_cache(maxsize=2)
def _opened(path: Path, changed: int, sha256: str) -> EditNetwork:
    """``changed`` only makes an exchanged file a different one."""
    return open_edit_network_file(path, sha256)


def forget(name: str) -> None:
    """Delete a style and the network of its own.

    Raises:
        OptionError: there is none. UsageError: it cannot be deleted.
    """
    path = path_for(name)
    if not path.is_file():
        raise OptionError(f"there is no style {name!r}", "Type: mapedit style list")
    try:
        network_path(name).unlink(missing_ok=True)
        path.unlink()
    except OSError as error:
        raise UsageError(f"{path} cannot be deleted: {error.strerror}", "Delete it.") from error


def copied(style: Style, network: Path, destination: Path, force: bool) -> None:
    """Write a style to a file, and the network of its own, at ``network``, beside that.

    Raises:
        ModelError: its network is missing or altered. OutputExistsError, OutputError: a file
        cannot be written.
    """
    beside = destination.with_name(destination.name.removesuffix(SUFFIX) + NETWORK_SUFFIX)
    content = b""
    if style.network:
        content = _read_network(network, str(style.network["sha256"]), style.name)
        if not force and beside.exists():
            raise OutputExistsError(beside)
    write_text(destination, text_of(style), force)
    if content:
        with replacing(beside, force=True) as partial:
            partial.write_bytes(content)
    elif destination.parent == folder():
        beside.unlink(missing_ok=True)  # of the style that was replaced


def _read_network(path: Path, sha256: str, name: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(
            f"the network of the style {name} is not beside it, or was altered",
            f"Put {path.name} beside it, or finetune it again.",
        )
    return content
