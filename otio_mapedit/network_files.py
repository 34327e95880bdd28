"""The network files: where they are, and what their hashes should be. Nothing is ever downloaded.

``MAPEDIT_NETWORKS``
    a folder to take the networks from instead of the installed one
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .errors import ModelError

SUMS = "SHA256SUMS"
"""File of hashes beside the networks, in the format of ``sha256sum``."""
REINSTALL = "Reinstall otio-mapedit, then run: mapedit doctor"
"""What to do about a network file that is not as it should be."""

_PACKAGE = Path(__file__).resolve().parent


def networks_folder() -> Path:
    """The folder of the networks: ``MAPEDIT_NETWORKS``, else the installed package's, else the
    ``onnx`` folder beside the package in a source tree.

    Raises ModelError when there is none.
    """
    if chosen := os.environ.get("MAPEDIT_NETWORKS"):
        if not Path(chosen).is_dir():
            raise ModelError(
                f"MAPEDIT_NETWORKS names {chosen}, which is not a folder", "Correct or unset it."
            )
        return Path(chosen).absolute()
    for folder in (_PACKAGE / "_networks", _PACKAGE.parent / "onnx"):
        if (folder / SUMS).is_file():
            return folder
    raise ModelError("The networks are not installed with otio-mapedit", REINSTALL)


def installed(name: str) -> tuple[Path, int]:
    """An installed network's file and when it was changed, in nanoseconds.

    Raises ModelError when there is none.
    """
    path = networks_folder() / f"{name}.onnx"
    try:
        return path, path.stat().st_mtime_ns
    except OSError as fault:
        raise ModelError(f"The network {path} is not there", REINSTALL) from fault


def recorded_hash(path: Path) -> str:
    """The sha256 that a network's file should have.

    Raises ModelError when none is recorded beside it.
    """
    expected = recorded_hashes(path.parent).get(path.name)
    if expected is None:
        raise ModelError(f"{path.name} is not listed in {path.parent / SUMS}", REINSTALL)
    return expected


def hash_of(name: str) -> str:
    """The sha256 that an installed network should have, without opening it.

    Raises ModelError: it is missing, or no hash is recorded.
    """
    path, _ = installed(name)
    return recorded_hash(path)


def recorded_hashes(folder: Path) -> Mapping[str, str]:
    """The sha256 of each file named in ``folder``'s ``SHA256SUMS``.

    Raises ModelError when the file of hashes is missing or not one.
    """
    path = folder / SUMS
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ModelError(f"{path} cannot be read", REINSTALL) from fault
    hashes = {}
    for line in filter(None, lines):
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or not name.strip(" *"):
            raise ModelError(f"{path} is not a list of hashes", REINSTALL)
        hashes[name.strip(" *")] = digest.lower()
    return hashes
