"""Reels: eight or 32 characters that stand for a media file, and the way back.

Two files never share a reel unless their own metadata says so (a tape). What a reel stands for
is written once, as a comment, at the first event that uses it.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..timing import exact_rate
from .edl_words import AUXILIARY, BLACK
from .timeline_facts import ClipData, json_value, name_in_url, plain_values, reference_url

_UNFIT = re.compile(r"[^A-Z0-9_.\-]+")
_RESERVED = frozenset({BLACK, AUXILIARY})


class ReelNames:
    """Gives each media file a reel that fits, always the same, never another file's."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._given: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set(_RESERVED)

    def of(self, clip: otio.schema.Clip, data: ClipData) -> str:
        """The reel of a clip's media. Generators come from the auxiliary source, and what a list
        has had from there."""
        reference = clip.media_reference
        if isinstance(reference, otio.schema.GeneratorReference) or data.reel == AUXILIARY:
            return AUXILIARY
        key, wish = self._identity(clip, data.reel)
        if key not in self._given:
            self._given[key] = self._unique(wish)
        return self._given[key]

    @staticmethod
    def _identity(clip: otio.schema.Clip, reel: str) -> tuple[tuple[str, str], str]:
        if reel:
            return ("reel", reel), reel
        reference = clip.media_reference
        url = reference_url(reference)
        if url:
            stem = name_in_url(url)
            return ("url", url), stem.rpartition(".")[0] or stem
        name = (reference.name if reference is not None else "") or clip.name
        return ("name", name), name

    def _unique(self, wish: str) -> str:
        plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode().upper()
        base = _UNFIT.sub("_", plain).strip("_.-")[: self._length] or "REEL"
        # A reel of digits alone reads as an event number in some programs.
        base = f"R{base}"[: self._length] if base.isdigit() else base
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = base[: self._length - len(str(count)) - 1] + f"_{count}"
        self._taken.add(name)
        return name


def media_data(
    clip: otio.schema.Clip, facts: ClipData, reel: str, clock: Fraction
) -> dict[str, Any]:
    """What the comment says a reel stands for; plain JSON, times as ``[value, rate]``.

    ``clock`` is the rate of the source timecode.
    """
    tape = facts.reel
    reference = clip.media_reference
    data: dict[str, Any] = {"reel": reel, "clock": str(clock)}
    if reference is None:
        return data
    data["kind"] = reference.schema_name()
    if reference.name:
        data["name"] = reference.name
    if tape and tape != reel:
        data["tape"] = tape
    if facts.media_own:
        data["own"] = json_value(facts.media_own)
    span = reference.available_range
    if span is not None:
        data["available"] = [_plain(span.start_time), _plain(span.duration)]
    if isinstance(reference, otio.schema.ExternalReference):
        data["url"] = reference.target_url
    elif isinstance(reference, otio.schema.ImageSequenceReference):
        data["sequence"] = {name: getattr(reference, name) for name in _SEQUENCE}
    elif isinstance(reference, otio.schema.GeneratorReference):
        data["generator"] = reference.generator_kind
        data["parameters"] = plain_values(reference.parameters)
    return data


_SEQUENCE = (
    "target_url_base",
    "name_prefix",
    "name_suffix",
    "start_frame",
    "frame_step",
    "rate",
    "frame_zero_padding",
)


def media_reference(data: dict[str, Any]) -> otio.core.MediaReference:
    """The media reference that :func:`media_data` described; a missing one where it is damaged."""
    kind, name = data.get("kind"), str(data.get("name", ""))
    available = _range(data.get("available"))
    try:
        if kind == "ExternalReference":
            found = otio.schema.ExternalReference(str(data["url"]), available)
        elif kind == "ImageSequenceReference":
            numbering = {key: data["sequence"][key] for key in _SEQUENCE}
            found = otio.schema.ImageSequenceReference(**numbering)
            found.available_range = available
        elif kind == "GeneratorReference":
            found = otio.schema.GeneratorReference(
                name, str(data["generator"]), available, dict(data.get("parameters", {}))
            )
        else:
            found = otio.schema.MissingReference(available_range=available)
    except (KeyError, TypeError, ValueError):
        found = otio.schema.MissingReference(available_range=available)
    found.name = name
    if isinstance(data.get("own"), dict) and data["own"]:
        found.metadata["mapedit"] = data["own"]
    return found


def _plain(time: otio.opentime.RationalTime) -> list[float]:
    return [time.value, time.rate]


def _range(values: Any) -> otio.opentime.TimeRange | None:
    try:
        start, duration = (otio.opentime.RationalTime(*map(float, pair)) for pair in values)
        exact_rate(start.rate)
    except (TypeError, ValueError):
        return None
    return otio.opentime.TimeRange(start, duration)
