"""Gather the freely licensed pictures that training may add to the films.

They ship in Debian packages (``lomiri-wallpapers-16.04``, ``lomiri-wallpapers-20.04``,
``lomiri-wallpapers``, ``openclipart-png``) and wheels (``scikit-image`` 0.26, ``scikit-learn``).
Unpack those into one folder (``dpkg-deb -x``, ``unzip``); :func:`collect` copies what may be used
into another and writes the manifest that ``corpus.build`` reads. Only pictures under CC0, CC BY or
in the public domain are taken.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import MediaError
from ..files import write_text

LICENCES = ("CC-BY-4.0", "CC0-1.0")
"""Licences of Debian's ``copyright`` files whose pictures are taken."""
PACKAGED = {
    "china.jpg": "CC-BY-2.0",
    "flower.jpg": "CC-BY-2.0",
    "astronaut.png": "public domain (NASA)",
    "hubble_deep_field.jpg": "public domain (NASA)",
    "moon.png": "public domain (NASA)",
    "rocket.jpg": "CC0 (SpaceX)",
    "chelsea.png": "CC0",
    "coffee.png": "CC0",
    "camera.png": "CC0",
    "brick.png": "CC0",
    "grass.png": "CC0",
    "gravel.png": "CC0",
}
"""Sample pictures of scikit-learn and scikit-image, and their licences."""
DRAWINGS = 1500
"""About how many drawings are taken from openclipart, evenly over its folders."""
STANZA = re.compile(r"Files: (\S+)\nCopyright: (.*)\nLicense: (\S+)")


def collect(unpacked: Path, out: Path) -> Path:
    """Copy the pictures found below ``unpacked`` into ``out``; returns the manifest written there.

    Raises MediaError when there is none.
    """
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for path, name, licence, origin in (*_packaged(unpacked), *_drawings(unpacked)):
        shutil.copyfile(path, out / name)
        entries.append({"file": name, "licence": licence, "origin": origin, "use": "train"})
    if not entries:
        raise MediaError(f"No usable picture in {unpacked}", "Unpack the packages there first.")
    manifest = out / "MANIFEST.json"
    write_text(manifest, json.dumps(entries, indent=0), force=True)
    return manifest


def _packaged(unpacked: Path) -> Iterator[tuple[Path, str, str, str]]:
    files = {path.name: path for path in unpacked.rglob("*.*") if path.is_file()}
    for notice in sorted(unpacked.rglob("doc/lomiri-wallpapers/copyright")):
        for name, holder, licence in STANZA.findall(notice.read_text(encoding="utf-8")):
            plain = Path(name).name
            if licence in LICENCES and plain in files:
                yield files[plain], plain, licence, f"lomiri-wallpapers: {name} ({holder.strip()})"
    for name, licence in PACKAGED.items():
        if name in files:
            package = "scikit-learn" if name in ("china.jpg", "flower.jpg") else "scikit-image"
            yield files[name], name, licence, f"{package}: {name}"


def _drawings(unpacked: Path) -> Iterator[tuple[Path, str, str, str]]:
    drawings = sorted(unpacked.rglob("openclipart/png/**/*.png"))
    drawings = [path for path in drawings if 3_000 < path.stat().st_size < 300_000]
    for index, path in enumerate(drawings[:: max(1, len(drawings) // DRAWINGS)]):
        origin = f"openclipart-png: {path.as_posix().split('/png/')[-1]}"
        yield path, f"drawing{index:04d}{path.suffix}", "public domain dedication", origin
