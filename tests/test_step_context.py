"""What steps are against their surroundings, of spectra and pictures made here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from otio_mapedit.edit_spec import ALIKE_FEATURES, CONTEXT_FEATURES, LAGS, MEL_BANDS
from otio_mapedit.step_context import alike_context, sound_context, warp


def sound(bands: NDArray[Any], **others: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The context of spectra in which somebody speaks all the time unless told otherwise."""
    count = len(bands)
    given = {"speech": np.ones(count), "voicing": np.ones(count), "pitch": np.ones(count)}
    given |= {"level": np.zeros(count), "pace": np.zeros(count)}
    given |= {"changes": np.full((count, len(LAGS)), -2.0)} | others
    columns = sound_context(bands.astype(np.float32), **given)
    return dict(zip(CONTEXT_FEATURES, columns.T, strict=True))


def voice(count: int, seed: int) -> NDArray[Any]:
    """Log spectra with resonances that stay on average."""
    rng = np.random.default_rng(seed)
    usual = np.convolve(rng.normal(0, 1, MEL_BANDS + 4), np.ones(3) / 3, "valid")[:MEL_BANDS]
    return usual + rng.normal(0, 0.3, (count, MEL_BANDS))


@pytest.mark.parametrize(("factor", "name"), [(0.6, "slower"), (1.65, "faster")])
def test_another_speed_shifts_the_spectrum(factor: float, name: str) -> None:
    bands = voice(400, 1)
    bands[200:240] = bands[200:240] @ warp(factor)
    found = sound(bands)
    other = {"slower": "faster", "faster": "slower"}[name]
    assert np.median(found[f"{name} likeness"][206:234]) > 0.2
    assert (found[f"{name} likeness"][:190] < 0.1).all()
    assert (found[f"{other} likeness"][206:234] < found[f"{name} likeness"][206:234]).all()
    assert np.sign(np.median(found["speed likeness"][206:234])) == np.sign(np.log(factor))


def test_another_room_is_heard_where_it_begins() -> None:
    rng = np.random.default_rng(2)
    bands = rng.normal(-5, 0.1, (200, MEL_BANDS))
    bands[120:] += np.linspace(0, 1.5, MEL_BANDS)
    change = sound(bands, speech=np.zeros(200))["room change"]
    assert change[120] > 0.9 * change.max()
    assert change[:90].max() < 0.3 * change.max()


def test_another_voice_and_level() -> None:
    bands = np.concatenate([voice(100, 3), voice(100, 4)])
    found = sound(bands, level=np.where(np.arange(200) < 100, -1.0, -0.5))
    assert abs(int(found["voice change"].argmax()) - 100) <= 2
    assert found["level change"][100] == pytest.approx(0.5, abs=0.01)
    assert abs(found["level change"][50]) < 0.01


def looks(pictures: NDArray[Any]) -> NDArray[Any]:
    return np.stack(
        [pictures.mean(axis=(1, 2)), pictures.std(axis=(1, 2)), *np.zeros((4, len(pictures)))], 1
    )


def places(*counts: int) -> NDArray[Any]:
    """So many pictures of one place, then of another, ...; almost alike."""
    rng = np.random.default_rng(5)
    parts = [rng.random((1, 9, 16)) + rng.normal(0, 0.01, (n, 9, 16)) for n in counts]
    return np.concatenate(parts)


def test_a_place_changes_once_and_not_for_a_faulty_passage() -> None:
    pictures = places(30, 30)
    pictures[12:16] = np.random.default_rng(6).random((4, 9, 16))  # shaken
    pictures[20:24] = 0.01  # black
    context = alike_context(pictures, looks(pictures), np.arange(60.0))
    change = context[:, ALIKE_FEATURES.index("place change")]
    assert change.argmax() == 30
    assert change[30] > 0.5
    assert np.delete(change, 30).max() < 0.1


def test_another_look_of_the_same_place_stands_out() -> None:
    pictures = places(60)
    pictures[40:55] = 0.6 * pictures[40:55] + 0.3
    context = alike_context(pictures, looks(pictures), np.arange(60.0))
    apart = context[:, ALIKE_FEATURES.index("look against alike")]
    brightness = context[:, ALIKE_FEATURES.index("brightness against alike")]
    assert apart[40:55].min() > 3 * np.delete(apart, range(40, 55)).max()
    assert (brightness[40:55] > 0.05).all()


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_little_is_no_trouble(count: int) -> None:
    wide = [np.zeros((count, size)) for size in (MEL_BANDS, len(LAGS))]
    assert np.isfinite(sound_context(*wide, *[np.zeros(count)] * 5)).all()
    if count:
        context = alike_context(np.zeros((count, 9, 16)), np.zeros((count, 6)), np.arange(count))
        assert np.isfinite(context).all()
