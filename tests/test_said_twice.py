"""A sentence that is really said twice, through the shipped network: the last take stays."""

from __future__ import annotations

import shutil
import subprocess
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.edit_inference import EditPredictions, predict_edit
from otio_mapedit.edit_spec import EDIT_OUTPUTS
from otio_mapedit.features import sound_features
from otio_mapedit.inference import Predictions
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind
from otio_mapedit.recipes import roughcut

RATE = 16000
LINES = (
    "Today we look at how a film is put together from many takes.",
    "The weather was fine and the children played in the garden all day.",
    "In the second part you will hear what the editor makes of it.",
    "Nobody had expected that the train would arrive an hour early.",
)

pytestmark = pytest.mark.skipif(
    shutil.which("flite") is None, reason="needs the voices of flite (apt install flite)"
)


def say(folder: Path, text: str, tempo: float = 1.0, pitch: float = 170) -> NDArray[np.float32]:
    path = folder / "said.wav"
    subprocess.run(
        ["flite", "-voice", "slt", "--setf", f"duration_stretch={1 / tempo}", "--setf",
         f"int_f0_target_mean={pitch}", "-t", text, "-o", str(path)],
        check=True,
    )  # fmt: skip
    with wave.open(str(path)) as opened:
        samples = np.frombuffer(opened.readframes(1 << 26), np.int16).astype(np.float32) / 32768
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return np.asarray(samples[loud[0] : loud[-1]] * 0.5, np.float32)


def recorded(path: Path, parts: list[NDArray[np.float32] | float]) -> list[tuple[float, float]]:
    """Write parts, seconds of pause among them, over room tone; when each is said."""
    rng, at, places, whole = np.random.default_rng(2), 0, [], []
    for part in parts:
        samples = np.zeros(round(part * RATE), np.float32) if isinstance(part, float) else part
        if not isinstance(part, float):
            places.append((at / RATE, (at + len(samples)) / RATE))
        whole.append(samples)
        at += len(samples)
    mixed = np.concatenate(whole) + rng.normal(0, 4e-4, at)
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes((np.clip(mixed, -1, 1) * 32767).astype("<i2").tobytes())
    return places


def cut(path: Path) -> tuple[DecisionList, EditPredictions]:
    media = probe(path, Fraction(25))
    heard = sound_features(media, Cache(None))
    edit = predict_edit(media, heard, None)
    options = make_options(roughcut.Options, {})
    return roughcut.decide([Predictions(media, heard, edit=edit)], options), edit


def kept(decisions: DecisionList, place: tuple[float, float]) -> float:
    """Share of a stretch that stays."""
    low, high = place[0] * 25, place[1] * 25
    inside = sum(
        max(0.0, min(high, op.range.end) - max(low, op.range.start))
        for op in decisions.operations
        if op.kind is Kind.KEEP
    )
    return inside / (high - low)


def test_the_earlier_take_goes_and_everything_else_stays(tmp_path: Path) -> None:
    film = tmp_path / "twice.wav"
    first, other, third, last = (say(tmp_path, line) for line in LINES)
    again = say(tmp_path, LINES[0], tempo=0.93, pitch=160)
    places = recorded(film, [1.5, other, 0.4, first, 1.4, again, 0.5, third, 0.3, last, 1.0])
    decisions, edit = cut(film)
    shares = [kept(decisions, place) for place in places]
    assert shares[1] == 0, "the earlier take"
    assert min(shares[0], *shares[2:]) > 0.97, "no word of any other line is lost"
    drop = next(op for op in decisions.operations if op.kind is Kind.DROP and "retake" in op.reason)
    said = (
        float(drop.reason.split("retake of ")[1][6:8])
        + int(drop.reason.split("retake of ")[1][9:11]) / 25
    )
    assert said == pytest.approx(places[2][0], abs=0.6), "names the take that stays"
    middle = int((places[1][0] + places[1][1]) * 2)
    pointed = middle / 4 + edit.looked_at(middle)
    assert places[2][0] - 1 < pointed < places[2][1] + 1, "looks at the take that stays"


def test_lines_that_only_begin_alike_stay(tmp_path: Path) -> None:
    film = tmp_path / "alike.wav"
    lines = (
        "The first reason is that nobody had looked at the pictures before.",
        "The second reason is a letter which came from the other side of the river.",
        "The third reason has to do with music and with the colour of the light.",
    )
    parts: list[NDArray[np.float32] | float] = [1.0]
    for line in lines:
        parts += [say(tmp_path, line), 0.6]
    places = recorded(film, parts)
    decisions, _ = cut(film)
    assert min(kept(decisions, place) for place in places) > 0.97


def test_the_same_sound_gets_the_same_answer(tmp_path: Path) -> None:
    film = tmp_path / "same.wav"
    recorded(film, [0.5, say(tmp_path, LINES[1]), 1.0, say(tmp_path, LINES[2]), 0.5])
    one, other = cut(film), cut(film)
    assert one[0] == other[0]
    for name in EDIT_OUTPUTS:
        assert np.array_equal(getattr(one[1], name), getattr(other[1], name))
