"""How well a rough cut keeps what was said: meeting clips with human speech truth.

    python benchmarks/speech.py ../shared/data/speech

Compared with a level threshold (auto-editor's way: peaks of 1/30 s above -30 dBFS, 0.2 s added on
both sides) and with the voice detector alone (probability 0.5, with and without 0.2 s margins).
Truth is merged over speakers. Steps last 10 ms.

- F1, precision, recall: of kept steps against steps in which somebody speaks.
- clipped: truth segments have two edges; one is clipped where the step 50 ms inside of it is
  dropped although part of the segment is kept. Segments below 0.2 s and edges at the ends of a
  clip do not count.
- lost: truth segments of which nothing is kept.

The thresholds in otio_mapedit/recipes/hearing.py were chosen on DEVELOPMENT; the other clips were
only measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from otio_mapedit.audio import sound
from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.edit_inference import EditPredictions, predict_edit
from otio_mapedit.features import SoundFeatures, sound_features
from otio_mapedit.inference import Predictions
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.operations import Kind
from otio_mapedit.recipes import roughcut
from otio_mapedit.solve import runs

DEVELOPMENT = ("dev00", "trn01", "trn02", "trn03", "trn04")
TRUTH = ("debug.development.rttm", "debug.train.rttm", "sample.rttm")

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Clip:
    """A clip and who speaks when, in steps of 10 ms."""

    name: str
    media: MediaInfo
    sound: SoundFeatures
    edit: EditPredictions
    samples: NDArray[Any]  # mono, 16 kHz
    truth: Mask


@dataclass(frozen=True)
class Score:
    """Counts that add up over clips."""

    hit: int = 0
    wrong: int = 0
    missed: int = 0
    edges: int = 0
    clipped: int = 0
    segments: int = 0
    lost: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(a + b for a, b in zip(self.counts(), other.counts(), strict=True)))

    def counts(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)

    def row(self) -> str:
        precision = self.hit / max(1, self.hit + self.wrong)
        recall = self.hit / max(1, self.hit + self.missed)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return (
            f"{f1:6.3f} {precision:9.3f} {recall:7.3f}   "
            f"{self.clipped:3d} of {self.edges:3d} {self.lost:6d} of {self.segments}"
        )


def clips(folder: Path) -> list[Clip]:
    """Every clip with truth that is there."""
    spoken: dict[str, list[tuple[float, float]]] = {}
    for name in TRUTH:
        for line in (folder / name).read_text().splitlines():
            fields = line.split()
            start = float(fields[3])
            spoken.setdefault(fields[1], []).append((start, start + float(fields[4])))
    found = []
    for name, segments in sorted(spoken.items()):
        path = folder / f"{name}.wav"
        if path.is_file():
            media = probe(path, Fraction(100))
            truth = np.zeros(media.frame_count, bool)
            for start, end in segments:
                truth[round(start * 100) : round(end * 100)] = True
            samples = np.concatenate([block.samples for block in sound(media)])
            heard = sound_features(media, Cache(None))
            edit = predict_edit(media, heard, None)
            found.append(Clip(name, media, heard, edit, samples, truth))
    return found


def rough_cut(pace: str) -> Callable[[Clip], Mask]:
    """What a rough cut keeps."""

    def kept(clip: Clip) -> Mask:
        options = make_options(roughcut.Options, {"pace": pace})
        known = Predictions(clip.media, clip.sound, edit=clip.edit)
        decisions = roughcut.decide([known], options)
        mask = np.zeros(len(clip.truth), bool)
        for op in decisions.operations:
            if op.kind is Kind.KEEP:
                mask[op.range.start : op.range.end] = True
        return mask

    return kept


def level_threshold(clip: Clip) -> Mask:
    """Peaks above -30 dBFS, 0.2 s wider on both sides."""
    tick = 16000 // 30
    count = -(-len(clip.samples) // tick)
    padded = np.pad(np.abs(clip.samples), (0, count * tick - len(clip.samples)))
    loud = padded.reshape(count, tick).max(axis=1) >= 10 ** (-30 / 20)
    return fitted(np.repeat(widened(loud, 6), tick)[::160], len(clip.truth))


def detector(margin: int) -> Callable[[Clip], Mask]:
    """The voice detector at 0.5, ``margin`` steps wider on both sides."""
    return lambda clip: fitted(widened(clip.sound.speech >= 0.5, margin), len(clip.truth))


def widened(mask: Mask, by: int) -> Mask:
    wide = mask.copy()
    for first, stop in runs(mask):
        wide[max(0, first - by) : stop + by] = True
    return wide


def fitted(mask: Mask, length: int) -> Mask:
    return np.pad(mask, (0, max(0, length - len(mask))))[:length]


def score(kept: Mask, truth: Mask) -> Score:
    edges = clipped = lost = 0
    segments = runs(truth)
    for first, stop in segments:
        if not kept[first:stop].any():
            lost += 1
        elif stop - first >= 20:
            inside = [step for step in (first + 5, stop - 6) if 10 < step < len(truth) - 10]
            edges += len(inside)
            clipped += sum(not kept[step] for step in inside)
    return Score(
        int((kept & truth).sum()),
        int((kept & ~truth).sum()),
        int((~kept & truth).sum()),
        edges,
        clipped,
        len(segments),
        lost,
    )


METHODS: Sequence[tuple[str, Callable[[Clip], Mask]]] = (
    ("level above -30 dBFS, 0.2 s", level_threshold),
    ("voice detector alone", detector(0)),
    ("voice detector, 0.2 s", detector(20)),
    *((f"mapedit roughcut, {pace}", rough_cut(pace)) for pace in roughcut.PACES),
)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/speech.py FOLDER-WITH-RTTM-CLIPS")
    found = clips(Path(sys.argv[1]))
    parts = {
        "development": [clip for clip in found if clip.name in DEVELOPMENT],
        "other": [clip for clip in found if clip.name not in DEVELOPMENT],
    }
    for part, chosen in parts.items():
        print(f"{part}: {', '.join(clip.name for clip in chosen)}")
        print(f"{'':30}    F1 precision  recall    clipped     lost segments")
        for name, method in METHODS:
            total = sum((score(method(clip), clip.truth) for clip in chosen), Score())
            print(f"{name:30}{total.row()}")


if __name__ == "__main__":
    main()
