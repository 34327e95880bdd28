"""Questions that every writer asks of a timeline, answered for any stock OTIO timeline.

Nothing is assumed: ranges, rates and metadata may be missing or of another shape than ours. Our
own timelines keep their facts in ``metadata["mapedit"]``: of the timeline ``drop_frame`` and
``sources`` (by id: ``drop_frame``, ``audio`` streams with ``channels``, ``width``, ``height``,
``reel``), of a clip ``id``, ``confidence``, ``reason``, ``source``, ``link``, ``channels``, of a
transition ``pattern`` of a wipe.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import opentimelineio as otio

from ..otio_values import elements, entries
from ..timing import exact_rate
from .gain import gain_of
from .urls import file_name

#: Keys of ``metadata["mapedit"]`` that every format shows to people where it has a place for it.
CARRIED = ("id", "confidence", "reason", "source", "link")
#: Deepest metadata that is followed.
_DEEPEST = 30

#: What is written of a clip at a place of its own.
_SHOWN = frozenset({*CARRIED, "stream"})

_REAL_TIME = Fraction(1)
_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ClipData:
    """Metadata of a clip and of its media, fetched once: every look into OTIO's own
    dictionaries is slow. ``own`` is ``mapedit``, ``tape`` is ``cmx_3600``, ``label`` xmeml's."""

    own: Mapping[str, Any]
    tape: Mapping[str, Any]
    cdl: Mapping[str, Any]
    media_own: Mapping[str, Any]
    media_tape: Mapping[str, Any]
    gain: float | None
    effects: tuple[Any, ...]
    label: str = ""

    def fact(self, key: str, sources: Mapping[str, Mapping[str, Any]] = _EMPTY) -> Any:
        """What the media, the clip or its source states under ``key``, else None."""
        for data in (self.media_own, self.media_tape, self.own, self.tape):
            if data.get(key) is not None:
                return data[key]
        return sources.get(str(self.own.get("source")), _EMPTY).get(key)

    @property
    def reel(self) -> str:
        """The reel that the metadata names, else nothing."""
        found = self.fact("reel")
        return found.strip() if isinstance(found, str) else ""

    @property
    def carried(self) -> dict[str, Any]:
        """Identity of the clip: what every format carries."""
        return {key: value for key, value in plain_values(self.own).items() if key in CARRIED}

    @property
    def rest(self) -> dict[str, Any]:
        """The other facts that are ours: what decided the clip."""
        return {k: json_value(v) for k, v in self.own.items() if k not in _SHOWN}


def clip_data(clip: otio.core.Item) -> ClipData:
    """Fetch the metadata of a clip or a nested sequence."""
    found = _dictionary(clip.metadata)
    reference = getattr(clip, "media_reference", None)
    media = _dictionary(reference.metadata) if reference is not None else _EMPTY
    effects = tuple(elements(clip.effects))
    return ClipData(
        _dictionary(found.get("mapedit")),
        _dictionary(found.get("cmx_3600")),
        _dictionary(found.get("cdl")),
        _dictionary(media.get("mapedit")),
        _dictionary(media.get("cmx_3600")),
        gain_of(clip) if effects else None,
        effects,
        str(_dictionary(found.get("xmeml")).get("label2", "")),
    )


def _dictionary(value: Any) -> Mapping[str, Any]:
    return entries(value) if hasattr(value, "items") and len(value) else _EMPTY


def data_of(holder: Any, key: str) -> Mapping[str, Any]:
    """``holder.metadata[key]`` where it is a dictionary, else an empty one."""
    if holder is None or not len(holder.metadata):
        return _EMPTY
    return _dictionary(_dictionary(holder.metadata).get(key))


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON scalars of a metadata dictionary; everything else is left out."""
    return {
        str(key): value
        for key, value in values.items()
        if value is None or isinstance(value, (str, int, float, bool))
    }


def carried(item: Any) -> dict[str, Any]:
    """What rides along of an item's ``mapedit`` metadata: its identity, the rest under ``own``."""
    data = data_of(item, "mapedit")
    values = plain_values(data)
    found = {key: value for key, value in values.items() if key in CARRIED}
    rest = {key: json_value(value) for key, value in data.items() if key not in found}
    return found | {"own": rest} if rest else found


def taken_back(data: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that :func:`carried` gave, from what rode along."""
    own = data.get("own")
    found = dict(own) if isinstance(own, dict) else {}
    return found | {key: data[key] for key in CARRIED if key in data}


def own_facts(holder: Any) -> dict[str, Any]:
    """All of an item's own metadata, as JSON has it."""
    return {key: json_value(value) for key, value in data_of(holder, "mapedit").items()}


def json_value(value: Any, depth: int = 0) -> Any:
    """A metadata value as JSON has it; None for what it has not, or nested too deeply."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if depth < _DEEPEST and hasattr(value, "items"):
        return {str(key): json_value(one, depth + 1) for key, one in value.items()}
    if depth < _DEEPEST and hasattr(value, "__iter__"):
        return [json_value(one, depth + 1) for one in value]
    return None


def sequence_rate(timeline: otio.schema.Timeline) -> Fraction:
    """The rate that a timeline counts at: its start's, else that of its first item, else 24."""
    if timeline.global_start_time is not None:
        return exact_rate(timeline.global_start_time.rate)
    return composition_rate(timeline.tracks) or Fraction(24)


def composition_rate(composition: otio.core.Composition) -> Fraction | None:
    """The rate of the first item of a composition that states one."""
    for item in composition:
        if isinstance(item, otio.core.Composition) and item.source_range is None:
            found = composition_rate(item)
            if found is not None:
                return found
        elif isinstance(item, otio.core.Item):
            span = span_of(item)
            if span is not None and span.duration.rate > 0:
                return exact_rate(span.duration.rate)
    return None


def span_of(item: otio.core.Item) -> otio.opentime.TimeRange | None:
    """The trimmed range of an item, None where neither it nor its media has one."""
    if item.source_range is not None:
        return item.source_range
    try:
        return item.trimmed_range()
    except (otio.exceptions.OTIOError, ValueError):
        return None


def media_rate(clip: otio.schema.Clip) -> Fraction:
    """Rate of a clip's media: of its available range, else of its source range's start, else 24."""
    available = getattr(clip.media_reference, "available_range", None)
    for span in (available, clip.source_range):
        if span is not None and span.start_time.rate > 0:
            return exact_rate(span.start_time.rate)
    return Fraction(24)


def speed_of(clip: otio.schema.Clip) -> Fraction:
    """Constant speed of a clip: 1 where it has no time warp, 0 for a freeze frame."""
    scalar = _REAL_TIME
    for effect in elements(clip.effects):
        if isinstance(effect, otio.schema.LinearTimeWarp):
            # A freeze frame is one of scalar 0.
            scalar *= Fraction(effect.time_scalar).limit_denominator(1_000_000)
    return scalar


def wipe_pattern(transition: otio.schema.Transition) -> int | str | None:
    """Pattern of a wipe (SMPTE number or name, 1 where none is stated), None for a dissolve."""
    pattern = data_of(transition, "mapedit").get("pattern")
    if isinstance(pattern, (int, str)) and not isinstance(pattern, bool):
        return pattern
    return 1 if "wipe" in transition.name.lower() else None


def stated_sources(timeline: otio.schema.Timeline) -> dict[str, Mapping[str, Any]]:
    """``timeline.metadata["mapedit"]["sources"]`` by id, whether it is a list or a mapping."""
    sources: Any = data_of(timeline, "mapedit").get("sources")
    if hasattr(sources, "items"):
        return {str(key): value for key, value in sources.items() if hasattr(value, "items")}
    if isinstance(sources, str) or not hasattr(sources, "__iter__"):
        return {}
    return {
        str(source["id"]): source
        for source in sources
        if hasattr(source, "items") and "id" in source
    }


def channel_count(data: ClipData, sources: Mapping[str, Mapping[str, Any]], index: int) -> int:
    """Channels that a sound clip plays, 0 where nothing says so.

    It plays the stream that its metadata names (from 1), else that of its track: ``index``
    counts sound tracks from 0.
    """
    stated = data.own.get("channels", data.media_own.get("channels"))
    if isinstance(stated, int):
        return max(0, stated)
    streams: Any = sources.get(str(data.own.get("source")), _EMPTY).get("audio")
    streams = streams or data.media_own.get("audio")
    if not streams or isinstance(streams, (str, int, float)):
        return 0
    number = data.own.get("stream")
    at = number - 1 if isinstance(number, int) and number > 0 else index
    stream: Any = streams[min(at, len(streams) - 1)]
    count = stream.get("channels") if hasattr(stream, "items") else None
    return max(0, count) if isinstance(count, int) else 0


@functools.lru_cache(maxsize=4096)
def name_in_url(url: str) -> str:
    """The file's name at the end of a URL; timelines ask for the same few again and again."""
    return file_name(url)


def reference_url(reference: otio.core.MediaReference | None) -> str:
    """Where the media is, as the timeline says it; ``%04d`` stands for an image's number."""
    if isinstance(reference, otio.schema.ExternalReference):
        return str(reference.target_url or "")
    if isinstance(reference, otio.schema.ImageSequenceReference):
        base = reference.target_url_base or ""
        slash = "" if not base or base.endswith("/") else "/"
        number = f"%0{max(1, reference.frame_zero_padding)}d"
        return f"{base}{slash}{reference.name_prefix}{number}{reference.name_suffix}"
    return ""
