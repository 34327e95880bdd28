"""What was computed once is not computed again.

One ``.npz`` file per media file (by content fingerprint), kind of result and version of whatever
computed it. The cache may be deleted at any time; an entry that cannot be read counts as absent.
No pickle: arrays of numbers only.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Arrays = dict[str, NDArray[Any]]


def default_folder() -> Path:
    """``MAPEDIT_CACHE``, else the user's cache folder of the platform."""
    if chosen := os.environ.get("MAPEDIT_CACHE"):
        return Path(chosen)
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "otio-mapedit" / "Cache"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "otio-mapedit"


class Cache:
    """A folder of results; ``Cache(None)`` remembers nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, fingerprint: str, what: str, version: str) -> Arrays | None:
        """The arrays of an entry, or None."""
        path = self._path(fingerprint, what, version)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            logger.info("cache entry %s is unusable: %s", path, error)
            return None

    def put(self, fingerprint: str, what: str, version: str, arrays: Mapping[str, Any]) -> None:
        """Store an entry. A cache that cannot be written costs time, never the result."""
        path = self._path(fingerprint, what, version)
        if path is None:
            return
        temporary: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".npz", dir=path.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                content: dict[str, Any] = {name: np.asarray(arrays[name]) for name in arrays}
                np.savez(file, allow_pickle=False, **content)
            temporary.replace(path)
        except OSError as error:
            logger.warning("cannot write the cache in %s: %s", path.parent, error.strerror)
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def _path(self, fingerprint: str, what: str, version: str) -> Path | None:
        """Where an entry lives. Names from outside never become path parts as they are."""
        if self.folder is None:
            return None
        key = hashlib.sha256(f"{fingerprint}\0{what}\0{version}".encode()).hexdigest()[:32]
        return self.folder / key[:2] / f"{re.sub(r'[^a-z0-9-]', '-', what.lower())}-{key}.npz"
