"""Loudness of a clip, as every format here carries it: one effect called ``Gain``, in decibels.

OTIO has no word for it. We use a stock ``Effect`` with ``effect_name`` ``AudioGain`` and the
change in ``metadata["gain_db"]``, so that other programs see an effect they may ignore.
"""

from __future__ import annotations

import math
from typing import Any

import opentimelineio as otio

from ..otio_values import elements, entry

EFFECT = "AudioGain"
KEY = "gain_db"


def is_gain(effect: Any) -> bool:
    """Whether an effect is one of ours."""
    return type(effect) is otio.schema.Effect and effect.effect_name == EFFECT


def gain_of(item: Any) -> float | None:
    """Change of loudness of an item in dB, None where it has none. Several add up."""
    found = [
        float(value)
        for effect in elements(item.effects)
        if is_gain(effect)
        and isinstance(value := entry(effect.metadata, KEY), int | float)
        and math.isfinite(value)
    ]
    return sum(found) if found else None


def set_gain(item: Any, decibels: float) -> None:
    """Give an item this change of loudness."""
    effect = otio.schema.Effect(name="Gain", effect_name=EFFECT)
    effect.metadata[KEY] = float(decibels)
    item.effects.append(effect)
