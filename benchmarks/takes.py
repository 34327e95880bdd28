"""What a rough cut makes of rushes with repeated takes whose truth is known.

    python benchmarks/takes.py --config onnx/edit.toml --recordings FOLDER [--count 12]

Rushes with sound are made from what never teaches (see ``mapedit model evaluate-rushes``) and cut
as audio files through the whole product, with and without the edit network's word. Steps of a
quarter second; speech is what the generator placed.

- keep, drop: F1 of what stays and what goes;
- takes gone: earlier takes and false starts that are left out;
- speech lost: kept lines that are left out, of all kept lines.

Needs the ``train`` extra, flite and espeak-ng.
"""

from __future__ import annotations

import argparse
import tempfile
import wave
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.edit_inference import predict_edit
from otio_mapedit.features import sound_features
from otio_mapedit.inference import Predictions
from otio_mapedit.media import probe
from otio_mapedit.operations import Kind
from otio_mapedit.recipes import roughcut
from otio_mapedit.training.edit_evaluate import kept_for_testing
from otio_mapedit.training.edit_train import EditTrainConfig
from otio_mapedit.training.rush_script import FALSE_START, KEEP, RATE, RETAKE
from otio_mapedit.training.rush_store import test_bank
from otio_mapedit.training.rushes import Rush, rush

FIRST = 10_000
"""Number of the first rush: the evaluation's own are others."""


def predictions(samples: NDArray[np.float32], folder: Path) -> Predictions:
    """What the product knows about some samples."""
    path = folder / "rush.wav"
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    media = probe(path, Fraction(100))
    heard = sound_features(media, Cache(None))
    return Predictions(media, heard, edit=predict_edit(media, heard, None))


def kept(known: Predictions, count: int) -> NDArray[np.bool_]:
    """Steps of which most stays."""
    decisions = roughcut.decide([known], make_options(roughcut.Options, {}))
    mask = np.zeros(count * 25, bool)
    for op in decisions.operations:
        if op.kind is Kind.KEEP:
            mask[op.range.start : op.range.end] = True
    return mask.reshape(count, 25).mean(axis=1) >= 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("onnx/edit.toml"))
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--count", type=int, default=12)
    chosen = parser.parse_args()
    wanted = EditTrainConfig.from_toml(chosen.config).rush_set
    bank = test_bank(wanted, kept_for_testing(wanted.manifest, chosen.recordings))
    totals = {name: np.zeros(8) for name in ("with the network", "without")}
    done, number = 0, FIRST
    with tempfile.TemporaryDirectory() as folder:
        while done < chosen.count:
            made, samples = rush(np.random.default_rng([wanted.seed, 5, number]), bank)
            number += 1
            if samples is None or made.importance.max() < 1:
                continue
            done += 1
            known = predictions(samples, Path(folder))
            for name, said in (("with the network", known), ("without", replace(known, edit=None))):
                totals[name] += counts(made, kept(said, len(made.steps)))
    print(f"{done} rushes{'':16}keep   drop   takes gone   speech lost")
    for name, (hit, wrong, missed, right, gone, takes, lost, spoken) in totals.items():
        keep = 2 * hit / (2 * hit + wrong + missed)
        drop = 2 * right / (2 * right + wrong + missed)
        shares = f"{gone / takes:10.3f}   {lost / spoken:11.4f}"
        print(f"{name:24} {keep:.3f}  {drop:.3f}  {shares}")


def counts(made: Rush, stays: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What adds up over rushes; what a picture would say counts for nothing here."""
    heard = np.isin(made.operation, (4, 5, 6), invert=True)
    keep = (made.operation == KEEP) & heard
    drop = (made.operation != KEEP) & heard
    takes = np.isin(made.operation, (RETAKE, FALSE_START))
    return np.array(
        [
            (keep & stays).sum(), (drop & stays).sum(), (keep & ~stays).sum(),
            (drop & ~stays).sum(), (takes & ~stays).sum(), takes.sum(),
            (keep & (made.importance == 1) & ~stays).sum(), (keep & (made.importance == 1)).sum(),
        ],
        float,
    )  # fmt: skip


if __name__ == "__main__":
    main()
