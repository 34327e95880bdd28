"""The edit network on test rushes, beside two baselines that cut by sound alone.

Test rushes are un-edited from voices, recordings and films that never teach: entries of the
manifest that are not marked for training, a folder of recordings, and synthesised voices and
languages of their own. The answer is that of the ONNX file, through the product's own windows.

Baselines keep what is above a level (auto-editor's way: peaks of 1/30 s above -30 dBFS, 0.2 s wider
on both sides), or where the voice detector says 0.5 (0.2 s wider).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..edit_inference import run_edit
from ..errors import UsageError
from ..solve import runs
from ..weights import EditNetwork
from .edit_score import EditScores, Said, compare
from .rush_script import RATE
from .rush_store import Material, RushSet, test_bank, test_key
from .rushes import CONDITIONS, PER_STEP, Rush, listened, rush
from .speakers import Samples
from .voices import TESTING

SEED = 5
"""What sets test rushes apart from all others; the condition of talk goes round by number."""
_RECORDINGS = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus")
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """A test rush and the steps that each baseline keeps of it."""

    rush: Rush
    level: Mask
    voice: Mask


def trials(
    wanted: RushSet,
    material: Material,
    count: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Trial]:
    """``count`` test rushes, made where they are not in ``wanted.folder`` yet.

    Raises UsageError: see ``rush_store.test_bank``.
    """
    key = f"{test_key(wanted)}-{material.key}"
    folder = wanted.folder / f"test-{material.key}"
    paths = [folder / f"{number:04d}.npz" for number in range(count)]
    found = [_read(path, key) for path in paths]
    missing = [number for number, one in enumerate(found) if one is None]
    bank = test_bank(wanted, material) if missing else None
    for done, number in enumerate(missing):
        assert bank is not None
        rng = np.random.default_rng([wanted.seed, SEED, number])
        made, samples = rush(rng, bank, condition=CONDITIONS[number % len(CONDITIONS)])
        one = Trial(made, *_baselines(samples, len(made.steps)))
        found[number] = one
        _write(paths[number], key, one)
        if progress is not None:
            progress(done + 1, len(missing))
    return [one for one in found if one is not None]


def kept_for_testing(manifest: Path, recordings: Path | None) -> Material:
    """What the manifest does not allow for training, voices and languages of their own, and
    perhaps a folder of recordings beside them.

    Raises UsageError: the folder is none.
    """
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    tests = [entry for entry in entries if entry.get("use") != "train"]
    sounds = [manifest.parent / entry["file"] for entry in tests if entry.get("audio")]
    films = [manifest.parent / entry["file"] for entry in tests if entry.get("video")]
    people = {path: path.name for path in sounds}
    if recordings is not None:
        people |= _people(recordings)
    return Material(TESTING, people, tuple(films))


def own_material(recordings: Path, films: Path | None) -> Material:
    """Only the files in two folders; those in a folder within ``recordings`` are one person's.

    Raises UsageError: a folder is none.
    """
    shown = [path for path in _within(films) if path.parent == films] if films else []
    return Material((), _people(recordings), tuple(shown))


def _within(folder: Path) -> list[Path]:
    """All files in a folder and the folders in it."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "Give a folder of recordings or films")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def answer(network: EditNetwork, one: Rush) -> Said:
    """What the product says about a rush."""
    said = run_edit(network, [one.steps])
    return Said(
        said.operation.argmax(-1),
        said.speed.argmax(-1),
        said.splice,
        said.grade,
        said.attention,
    )


def measure(network: EditNetwork, tests: Sequence[Trial]) -> Mapping[str, Mapping[str, EditScores]]:
    """Scores by method ("network", "level", "voice") and condition, "all" among them."""
    table: dict[str, dict[str, EditScores]] = {}
    nothing = np.zeros((0,), np.float32)

    def cut(mask: Mask) -> Said:
        return Said(np.where(mask, 0, 1), nothing, nothing, nothing, nothing)

    for one in tests:
        said = {
            "network": answer(network, one.rush),
            "level": cut(one.level),
            "voice": cut(one.voice),
        }
        for method, what in said.items():
            scores = compare(one.rush, what, network.spec)
            rows = table.setdefault(method, {})
            for condition in ("all", one.rush.condition):
                rows[condition] = rows.get(condition, EditScores({})) + scores
    return table


def _people(folder: Path) -> dict[Path, str]:
    """Recordings in a folder and who speaks in them."""
    files = [path for path in _within(folder) if path.suffix.lower() in _RECORDINGS]
    return {
        path: path.name if path.parent == folder else path.relative_to(folder).parts[0]
        for path in files
    }


def _baselines(samples: Samples | None, count: int) -> tuple[Mask, Mask]:
    """What level and voice detector keep, by step; everything where there is no sound."""
    if samples is None:
        return np.ones(count, bool), np.ones(count, bool)
    tick = RATE // 30
    padded = np.pad(np.abs(samples), (0, -len(samples) % tick))
    loud = padded.reshape(-1, tick).max(axis=1) >= 10 ** (-30 / 20)
    level = np.repeat(_wider(loud, 6), tick)[:: RATE // 100]
    voice = _wider(listened(samples).speech >= 0.5, 20)
    return _by_step(level, count), _by_step(voice, count)


def _wider(mask: Mask, by: int) -> Mask:
    wide = mask.copy()
    for first, stop in runs(mask):
        wide[max(0, first - by) : stop + by] = True
    return wide


def _by_step(mask: Mask, count: int) -> Mask:
    whole = np.zeros(count * PER_STEP, bool)
    whole[: min(len(mask), len(whole))] = mask[: len(whole)]
    return whole.reshape(count, PER_STEP).mean(axis=1) >= 0.5


def _write(path: Path, key: str, one: Trial) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    values = {field.name: getattr(one.rush, field.name) for field in fields(Rush)}
    np.savez(partial, key=np.array(key), level=one.level, voice=one.voice, **values)
    partial.replace(path)


def _read(path: Path, key: str) -> Trial | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["key"]) != key:
            return None
        values = {field.name: stored[field.name] for field in fields(Rush)}
        made = Rush(**{**values, "condition": str(values["condition"])})
        return Trial(made, stored["level"], stored["voice"])
