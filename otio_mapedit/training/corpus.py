"""The clean material that the un-edit generator cuts up: shots, pictures and sprites.

A manifest is a JSON list of ``{"file", "licence", "origin", "use"}`` beside the files it names;
only entries with ``"use": "train"`` are read. Films become shots of small RGB frames, pictures
become stills for pans and zooms, pictures with transparency become sprites. Files that are already
edited are split at the boundaries listed in ``CLEAN_SHOTS``, and what cannot be used is left out.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from ..errors import FormatError, MediaError
from .clean_shots import CLEAN_SHOTS

log = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]

SHOT_SIZE = (54, 96)
"""Height and width of a stored film frame: twice the network's, so that crops stay sharp."""
STILL_SIZE = (108, 192)
"""Height and width of a stored picture."""
SPRITE_SIZE = (48, 48)
"""Height and width of a stored sprite (RGBA)."""
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Source:
    """Where a piece of the corpus came from, for the provenance of the weights."""

    file: str
    origin: str
    licence: str
    sha256: str


@dataclass(frozen=True)
class Corpus:
    """Clean material, all uint8.

    ``shots``: one array ``(n, 54, 96, 3)`` per uncut shot; ``stills``: ``(n, 108, 192, 3)``;
    ``sprites``: ``(n, 48, 48, 4)`` with transparency; ``sources`` says where it all came from.
    """

    shots: tuple[Pixels, ...]
    stills: Pixels
    sprites: Pixels
    sources: tuple[Source, ...]


def empty() -> Corpus:
    """A corpus without any file, which leaves the generator with what it makes itself."""
    return Corpus((), np.zeros((0, *STILL_SIZE, 3), np.uint8), no_sprites(), ())


def no_sprites() -> Pixels:
    """An array of no sprites."""
    return np.zeros((0, *SPRITE_SIZE, 4), np.uint8)


def build(manifest: Path, cache: Path, extra: Sequence[Path] = ()) -> Corpus:
    """Read the corpus named by ``manifest`` and by the ``extra`` manifests, or take it from cache.

    ``cache`` is an ``.npz`` file that is used when it was made from the same manifests and written
    otherwise. An ``extra`` manifest that does not exist is left out, with a warning. Raises
    FormatError when a manifest cannot be read and MediaError when none of the named files can be
    used.
    """
    for missing in (path for path in extra if not path.exists()):
        log.warning("%s is not there: training goes on without it", missing)
    manifests = (manifest, *(path for path in extra if path.exists()))
    key = _key(manifests)
    if cache.exists() and (known := _load(cache, key)) is not None:
        return known
    shots: list[Pixels] = []
    stills: list[Pixels] = []
    sprites: list[Pixels] = []
    sources: list[Source] = []
    for path, entry in _entries(manifests):
        try:
            _read(path, shots, stills, sprites)
        except (av.FFmpegError, MediaError) as fault:
            log.warning("%s left out of the corpus: %s", path.name, fault)
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        sources.append(Source(path.name, entry["origin"], entry["licence"], digest))
    if not sources:
        raise MediaError(f"No usable file in {manifest}", "Name a manifest with 'use: train' files")
    corpus = Corpus(
        tuple(shots),
        np.stack(stills) if stills else empty().stills,
        np.stack(sprites) if sprites else no_sprites(),
        tuple(sources),
    )
    _save(cache, key, corpus)
    return corpus


def _entries(manifests: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for manifest in manifests:
        try:
            entries = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise FormatError(
                f"{manifest} is not a manifest: {fault}", "Name a JSON list of files with licences"
            ) from fault
        for entry in entries:
            path = manifest.parent / entry["file"]
            if entry.get("use") == "train" and (entry.get("video") or _is_picture(path)):
                yield path, entry


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _read(path: Path, shots: list[Pixels], stills: list[Pixels], sprites: list[Pixels]) -> None:
    if not _is_picture(path):
        frames = read_frames(path, *SHOT_SIZE)
        ranges = CLEAN_SHOTS.get(path.name, ((0, len(frames) - 1),))
        shots.extend(frames[first : last + 1] for first, last in ranges)
        return
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        if any(component.is_alpha for component in frame.format.components):
            sprites.append(_pixels(frame, SPRITE_SIZE, "rgba"))
        else:
            stills.append(_pixels(frame, STILL_SIZE))


def read_frames(path: Path, height: int, width: int) -> Pixels:
    """Every frame of the first picture stream squeezed to ``(n, height, width, 3)`` RGB uint8.

    Raises MediaError when there is none.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        frames = [_pixels(frame, (height, width)) for frame in container.decode(stream)]
    if not frames:
        raise MediaError(f"{path} has no frame", "Take it out of the manifest")
    return np.stack(frames)


def _pixels(frame: av.VideoFrame, size: tuple[int, int], form: str = "rgb24") -> Pixels:
    squeezed = frame.reformat(size[1], size[0], form, interpolation="AREA")
    return np.asarray(squeezed.to_ndarray(), np.uint8)


def _key(manifests: Sequence[Path]) -> str:
    digest = hashlib.sha256(repr((SHOT_SIZE, STILL_SIZE, SPRITE_SIZE, CLEAN_SHOTS)).encode())
    for path, entry in _entries(manifests):
        digest.update(f"{path.name} {path.stat().st_size} {sorted(entry.items())}".encode())
    return digest.hexdigest()


def _save(cache: Path, key: str, corpus: Corpus) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    frames = np.concatenate(corpus.shots) if corpus.shots else np.zeros((0, *SHOT_SIZE, 3))
    partial = cache.with_suffix(".partial.npz")
    np.savez(
        partial,
        key=np.array(key),
        frames=frames.astype(np.uint8),
        lengths=np.array([len(shot) for shot in corpus.shots], np.int64),
        stills=corpus.stills,
        sprites=corpus.sprites,
        sources=np.array(json.dumps([asdict(source) for source in corpus.sources])),
    )
    partial.replace(cache)


def _load(cache: Path, key: str) -> Corpus | None:
    with np.load(cache, allow_pickle=False) as stored:
        if str(stored["key"]) != key:
            return None
        shots = np.split(stored["frames"], np.cumsum(stored["lengths"])[:-1])
        sources = tuple(Source(**record) for record in json.loads(str(stored["sources"])))
        return Corpus(tuple(shots), stored["stills"], stored["sprites"], sources)
