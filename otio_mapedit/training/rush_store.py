"""Generated rushes on disk: made once, learned from many times.

Each rush is one ``.npz`` of some hundred kilobytes, named by its number. What they are made from is
decided by a seed and the purpose, so that a folder can be filled up, and thrown away, at any time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import sample_watching
from ..edit_spec import FEATURES
from ..errors import UsageError
from ..weights import open_shots_on_processor
from . import corpus as corpora
from .corpus import Source
from .rushes import Bank, Rush, rush
from .side_by_side import answers
from .speakers import Voice
from .voices import (
    TESTING,
    TRAINING,
    Line,
    recorded_lines,
    spoken_apart,
    spoken_lines,
    trainable_recordings,
)

log = logging.getLogger(__name__)

#: Raised whenever the generator or the features change what a number stands for.
VERSION = 5
#: Raised whenever other lines would be said for the same seed.
LINES = 4
VALIDATION_FROM = 1_000_000
"""Numbers of rushes that training never sees."""
_TEST_LINES = 525
"""Lines of synthesised voices that test, whatever a configuration has for training."""


@dataclass(frozen=True)
class RushSet:
    """Rushes to make or read: ``count`` of them from number ``first``.

    ``manifest`` and ``cache`` are the corpus of pictures and recordings (see ``corpus``), ``extra``
    more manifests of pictures, ``folder`` where the rushes lie, ``lines`` how many lines are
    spoken for them, ``styles`` the folder of Kokoro's voices, if it is to speak. ``workers``
    processes make them; how many there are changes nothing in what they make.
    """

    manifest: Path
    cache: Path
    folder: Path
    extra: tuple[Path, ...] = ()
    seed: int = 1
    lines: int = 900
    styles: Path | None = None
    workers: int = 1

    def path(self, number: int) -> Path:
        """Where a rush lies."""
        return self.folder / f"{number:07d}.npz"


def make(
    wanted: RushSet, numbers: range, progress: Callable[[int, int], None] | None = None
) -> list[Rush]:
    """The rushes with these numbers; what is not there yet is made.

    ``progress`` is told how many of how many are: lines first, if they are missing, then rushes.

    Raises MediaError, FormatError: see ``corpus.build`` and ``voices.spoken_lines``.
    """
    key = set_key(wanted)
    missing = [number for number in numbers if _stored(wanted.path(number), key) is None]
    if missing:
        training_bank(wanted, progress)  # what it keeps on disk, each of the workers reads
    for done, _ in enumerate(answers(_make, [(wanted, one) for one in missing], wanted.workers)):
        if progress is not None:
            progress(done + 1, len(missing))
    _bank.cache_clear()
    return [one for one in (_stored(wanted.path(number), key) for number in numbers) if one]


def _make(job: tuple[RushSet, int]) -> None:
    """Make and keep the rush with a number."""
    wanted, number = job
    made, _ = rush(np.random.default_rng([wanted.seed, number]), _bank(wanted))
    _save(wanted.path(number), set_key(wanted), made)


@functools.lru_cache(maxsize=1)
def _bank(wanted: RushSet) -> Bank:
    """The bank, which stays in memory while rushes are made."""
    return training_bank(wanted)


def training_bank(wanted: RushSet, progress: Callable[[int, int], None] | None = None) -> Bank:
    """Voices and pictures that may teach; what was said is kept, as saying it takes minutes.

    Raises MediaError, FormatError: see ``corpus.build``; UsageError: see ``voices.spoken_lines``.
    """
    rng = np.random.default_rng([wanted.seed, 7])
    pictures = corpora.build(wanted.manifest, wanted.cache, wanted.extra)
    path = wanted.folder / f"lines-{_lines_key(wanted)}.npz"
    lines = _stored_lines(path)
    if not lines:
        lines = [
            *spoken_apart(
                [wanted.seed, 7],
                TRAINING,
                wanted.lines,
                styles=wanted.styles,
                workers=wanted.workers,
                progress=progress,
            ),
            *recorded_lines(rng, trainable_recordings(wanted.manifest)),
        ]
        _save_lines(path, lines)
    return Bank(tuple(lines), pictures, varied=True)


@dataclass(frozen=True)
class Material:
    """What test rushes are made of: ``voices`` speak, ``recordings`` are people by the files they
    speak in, ``films`` are shown."""

    voices: tuple[Voice, ...]
    recordings: Mapping[Path, str]
    films: tuple[Path, ...]

    @property
    def key(self) -> str:
        """Changes with the files."""
        files = [*self.recordings.items(), *((film, "") for film in self.films)]
        text = repr((self.voices, [(path.name, path.stat().st_size, who) for path, who in files]))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_bank(wanted: RushSet, material: Material) -> Bank:
    """Voices, recordings and films that never teach.

    Raises UsageError: there is nobody to hear among them.
    """
    rng = np.random.default_rng([wanted.seed, 11])
    path = wanted.folder / f"lines-{test_key(wanted)}-{material.key}.npz"
    lines = _stored_lines(path)
    if not lines:
        if material.voices:
            lines += spoken_lines(rng, material.voices, _TEST_LINES)
        people = material.recordings
        lines += recorded_lines(rng, list(people), speakers=people)
        if not lines:
            raise UsageError(
                "nobody speaks in the recordings", "Give a folder with recordings of speech"
            )
        _save_lines(path, lines)
    shots = []
    for film in material.films:
        try:
            shots.append(corpora.read_frames(film, *corpora.SHOT_SIZE))
        except Exception as fault:
            log.warning("%s left out: %s", film.name, fault)
    pictures = corpora.Corpus(tuple(shots), corpora.empty().stills, corpora.no_sprites(), ())
    return Bank(tuple(lines), pictures)


def sources(wanted: RushSet) -> Iterator[dict[str, str]]:
    """What the rushes were made from, for the provenance of the weights."""
    for source in corpora.build(wanted.manifest, wanted.cache, wanted.extra).sources:
        yield asdict(source)
    entries = json.loads(wanted.manifest.read_text(encoding="utf-8"))
    for path in trainable_recordings(wanted.manifest):
        entry = next(entry for entry in entries if entry["file"] == path.name)
        if not entry.get("video"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            yield asdict(Source(path.name, entry["origin"], entry["licence"], digest))
    for label in sorted({voice.label for voice in TRAINING}):
        yield {"file": label, "origin": "synthesised voice", "licence": "made here", "sha256": ""}
    shots = open_shots_on_processor()
    digest, licence = shots.sha256, shots.licence
    yield {"file": shots.path.name, "origin": "made here", "licence": licence, "sha256": digest}


def set_key(wanted: RushSet) -> str:
    """Changes whenever the same number would be another rush."""
    features = (*FEATURES, sample_watching.version())
    text = repr((VERSION, features, wanted.seed, wanted.lines, wanted.manifest.name))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_key(wanted: RushSet) -> str:
    """Changes whenever the same number would be another test rush; training has no part in it."""
    features = (*FEATURES, sample_watching.version())
    text = repr((VERSION, features, LINES, TESTING, _TEST_LINES, wanted.seed))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lines_key(wanted: RushSet) -> str:
    """Changes whenever other lines would be said: features have no part in it."""
    text = repr((LINES, TRAINING, TESTING, wanted.seed, wanted.lines, wanted.manifest.name))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _save(path: Path, key: str, made: Rush) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, key=np.array(key), **{f.name: getattr(made, f.name) for f in fields(made)})
    partial.replace(path)


def _save_lines(path: Path, lines: list[Line]) -> None:
    """Takes as 16-bit samples, one array a take."""
    arrays = {}
    for number, line in enumerate(lines):
        takes = [*line.takes, *([] if line.sibling is None else [line.sibling])]
        for place, take in enumerate(takes):
            arrays[f"{number}/{place}"] = np.round(take * 32767).astype(np.int16)
    names = [[line.speaker, len(line.takes), line.sibling is not None] for line in lines]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    content: dict[str, Any] = {"names": np.array(json.dumps(names)), **arrays}
    np.savez(partial, **content)
    partial.replace(path)


def _stored_lines(path: Path) -> list[Line]:
    if not path.exists():
        return []
    with np.load(path, allow_pickle=False) as stored:

        def take(number: int, place: int) -> npt.NDArray[np.float32]:
            return stored[f"{number}/{place}"].astype(np.float32) / 32767

        return [
            Line(
                speaker,
                tuple(take(number, place) for place in range(takes)),
                take(number, takes) if sibling else None,
            )
            for number, (speaker, takes, sibling) in enumerate(json.loads(str(stored["names"])))
        ]


def _stored(path: Path, key: str) -> Rush | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["key"]) != key:
            return None
        values = {f.name: stored[f.name] for f in fields(Rush)}
    return Rush(**{**values, "condition": str(values["condition"])})
