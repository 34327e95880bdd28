"""Media references -> assets: what a clip refers to, as far as FCPXML can say it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

import opentimelineio as otio

from ..otio_values import entries, entry
from ..timing import exact_rate, exact_time
from .fcpxml_plan import Piece, Plan, item_range
from .fcpxml_resources import Asset, Resources
from .fcpxml_times import format_time
from .fcpxml_words import FOREIGN, NAMESPACE, plain
from .timeline_facts import clip_data
from .urls import file_name, media_url
from .xml_safe import clean

#: Files that hold one picture; Final Cut shows them for as long as asked.
STILLS = frozenset(
    f".{suffix}"
    for suffix in (
        "jpg", "jpeg", "png", "tif", "tiff", "bmp", "gif", "heic", "webp", "psd", "tga", "exr",
        "dpx", "hdr", "cin",
    )
)  # fmt: skip
_FASTEST = 1000
#: What a clip or its reference may say of a file although the timeline lists its sources.
_STATED = ("reel", "drop_frame", "channels")
#: Where an EDL's reader keeps the reel of an event.
TAPE = "cmx_3600"


class AssetBook:
    """Finds or makes the asset of each clip; see :class:`.fcpxml_resources.Asset`."""

    def __init__(self, resources: Resources, timeline: Any) -> None:
        self.resources = resources
        self._by_id: dict[str, dict[str, Any]] = {}
        self._by_url: dict[str, dict[str, Any]] = {}
        facts = plain(entry(timeline.metadata, NAMESPACE))
        sources = facts.get("sources") if isinstance(facts, dict) else None
        for source in sources if isinstance(sources, list) else ():
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                self._by_id[str(source.get("id"))] = source
                self._by_url[_key(media_url(source["path"]))] = source

    def collect(self, plan: Plan) -> None:
        """Give every clip of a plan its asset, and note what each uses of it."""
        for track in plan.tracks:
            for piece in track.pieces:
                if piece.is_clip and not isinstance(
                    piece.item.media_reference, otio.schema.GeneratorReference
                ):
                    piece.asset = self._use(plan, piece, track.is_video)

    def _use(self, plan: Plan, piece: Piece, picture: bool) -> Asset:
        reference = piece.item.media_reference
        if len(piece.item.media_references()) > 1:
            plan.report.lost(
                "media", "only the active one of several media references", **plan.place(piece)
            )
        asset = self._find(plan, piece, reference)
        asset.has_video |= picture
        asset.has_audio |= not picture or bool(piece.sounds)
        available = getattr(reference, "available_range", None)
        span = (piece.source_start, plan.upper(piece))
        if piece.speed == 0:
            span = (span[0], span[0] + 1 / asset.rate)
        asset.use(*span)
        if available is not None:
            start = exact_time(available.start_time)
            end = start + exact_time(available.duration)
            asset.declare(start, end)
            if not asset.still and not start <= span[0] <= span[1] <= end:
                plan.report.changed(
                    "media range",
                    "the clip runs outside its media; the asset is declared longer",
                    **plan.place(piece),
                )
        self._count_streams(plan, asset, piece, picture)
        return asset

    def _find(self, plan: Plan, piece: Piece, reference: Any) -> Asset:
        key, name, src, extra = self._identity(plan, piece, reference)
        known = self.resources.assets.get(key)
        if known is not None:
            reel = clip_data(piece.item).reel
            if reel and clean(reel) != known.reel:
                why = f"{reel} becomes {known.reel or 'none'}, as its file has one reel"
                plan.report.changed("reel", why, **plan.place(piece))
            return known
        asset = Asset(self.resources.new_id(), name, src, _rate(plan, piece), extra=extra)
        asset.still = not extra and PurePosixPath(name).suffix.lower() in STILLS
        if reference.name and reference.name != clean(name):
            asset.extra["name"] = reference.name
        elif not reference.name:
            asset.extra["name"] = ""
        self._describe(asset, self._facts(piece, reference, src))
        self.resources.assets[key] = asset
        return asset

    def _identity(
        self, plan: Plan, piece: Piece, reference: Any
    ) -> tuple[str, str, str, dict[str, Any]]:
        """Key, name, URL and what else is needed to get a reference back."""
        if isinstance(reference, otio.schema.ExternalReference) and reference.target_url:
            src = media_url(reference.target_url)
            return _key(src), file_name(src), src, {}
        if isinstance(reference, otio.schema.ImageSequenceReference):
            return self._image_sequence(plan, piece, reference)
        name = piece.item.name or reference.name or "missing"
        plan.report.changed(
            "missing media", "written as an offline asset of that name", **plan.place(piece)
        )
        key = f"missing:{clip_data(piece.item).reel}:{name}"
        return key, name, "file:///missing/" + quote(name), {"missing": True}

    def _image_sequence(
        self, plan: Plan, piece: Piece, reference: Any
    ) -> tuple[str, str, str, dict[str, Any]]:
        step = max(1, reference.frame_step)
        first = reference.start_frame
        count = 1
        if reference.available_range is not None:
            seconds = exact_time(reference.available_range.duration)
            count = max(1, int(seconds * exact_rate(reference.rate or 24)))
        width = reference.frame_zero_padding
        numbers = f"[{first:0{width}d}-{first + (count - 1) * step:0{width}d}]"
        prefix, suffix = reference.name_prefix, reference.name_suffix
        base = media_url(reference.target_url_base or "")
        src = base.rstrip("/") + "/" + quote(f"{prefix}{numbers}{suffix}")
        if not self.resources.profile.image_sequences:
            plan.report.changed(
                "image sequence",
                "Final Cut Pro has none: render it to a movie, or relink the offline asset",
                **plan.place(piece),
            )
        facts = {
            "base": reference.target_url_base, "prefix": prefix, "suffix": suffix,
            "first": first, "step": step, "rate": reference.rate, "padding": width,
            "missing": reference.missing_frame_policy.name,
        }  # fmt: skip
        return _key(src), unquote(src.rsplit("/", 1)[-1]), src, {"sequence": facts}

    def _facts(self, piece: Piece, reference: Any, src: str) -> dict[str, Any]:
        """What is known of a file's streams: from the timeline's list of sources, or as a reader
        noted it at the reference."""
        mine = plain(entry(piece.item.metadata, NAMESPACE))
        identity = str(mine.get("source")) if isinstance(mine, dict) else ""
        found = self._by_id.get(identity) or self._by_url.get(_key(src))
        noted = plain(entry(reference.metadata, NAMESPACE))
        noted = noted if isinstance(noted, dict) else {}
        for holder in (piece.item, reference):
            tape = plain(entry(holder.metadata, TAPE))
            noted = (tape if isinstance(tape, dict) else {}) | noted
        if isinstance(mine, dict) and "channels" in mine:
            noted = {"channels": mine["channels"]} | noted
        stated = {key: noted[key] for key in _STATED if key in noted}
        return (found or noted) | stated

    def _describe(self, asset: Asset, facts: dict[str, Any]) -> None:
        width, height = facts.get("width"), facts.get("height")
        if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
            asset.size = (width, height)
        asset.has_video = bool(facts.get("video"))
        streams = facts.get("audio")
        if isinstance(streams, list) and streams:
            sounds = [stream for stream in streams if isinstance(stream, dict)]
            asset.channels = tuple(_positive(s.get("channels")) or 2 for s in sounds)
            asset.sample_rate = next((_positive(s.get("sample_rate")) for s in sounds), 0)
            asset.has_audio = bool(sounds)
            if len(set(asset.channels)) > 1:
                asset.extra["channels"] = list(asset.channels)
        elif _positive(facts.get("channels")):
            asset.channels = (_positive(facts["channels"]),)
        if isinstance(facts.get("drop_frame"), bool):
            asset.drop_frame = asset.extra["drop_frame"] = facts["drop_frame"]
        if isinstance(facts.get("reel"), str):
            asset.reel = clean(facts["reel"])
            if asset.reel != facts["reel"]:
                asset.extra["reel"] = facts["reel"]

    def _count_streams(self, plan: Plan, asset: Asset, piece: Piece, picture: bool) -> None:
        """Streams of a file that nobody described: as many as its clips use, mono where there
        are several, stereo where there is one."""
        if asset.channels and not asset.guessed:
            return
        sounds = piece.sounds if picture else [piece]
        count = max([len(sounds), len(asset.channels), *(stream_of(s) or 0 for s in sounds)])
        if count:
            if not asset.guessed:
                plan.report.note(
                    "sound", "nothing says how many channels its file has", **plan.place(piece)
                )
            asset.guessed = asset.extra["guessed"] = True
            asset.channels = (2,) if count == 1 else (1,) * count

    def finish(self) -> None:
        """Note on each asset what its range does not say. Once all is collected."""
        for asset in self.resources.assets.values():
            if asset.declared is None:
                asset.extra["available"] = None
            elif asset.declared != asset.span or asset.still:
                start, end = asset.declared
                asset.extra["available"] = [format_time(start), format_time(end - start)]
            if not asset.has_video or asset.still:
                asset.extra["rate"] = str(asset.rate)


def own_facts(piece: Piece) -> dict[str, Any]:
    """What a clip's reference says otherwise than its asset, once all is collected."""
    asset, reference = piece.asset, piece.item.media_reference
    if asset is None:
        return {}
    facts: dict[str, Any] = {}
    available = getattr(reference, "available_range", None)
    mine = None
    if available is not None:
        start = exact_time(available.start_time)
        mine = (start, start + exact_time(available.duration))
    if mine != asset.declared:
        facts["available"] = mine and [format_time(mine[0]), format_time(mine[1] - mine[0])]
    if (reference.name or "") != asset.extra.get("name", clean(asset.name)):
        facts["media_name"] = reference.name or ""
    span = piece.item.source_range or available
    if span is not None and exact_rate(span.start_time.rate) != asset.rate:
        facts["rate"] = str(exact_rate(span.start_time.rate))
    return facts


def stream_of(sound: Piece) -> int | None:
    """Which audio stream of its file a sound clip plays, counted from 1; None where unsaid."""
    mine = entry(sound.item.metadata, NAMESPACE)
    value = entry(mine, "stream") if hasattr(mine, "get") else None
    return value if isinstance(value, int) and 0 < value <= 64 else None


def foreign_metadata(item: Any) -> list[str]:
    """Namespaces of metadata that FCPXML does not carry."""
    carried = {NAMESPACE, FOREIGN, "cdl"}
    tape = plain(entry(item.metadata, TAPE))
    if isinstance(tape, dict) and set(tape) <= {"reel", "drop_frame"}:
        carried.add(TAPE)
    return sorted(set(entries(item.metadata)) - carried)


def _positive(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _key(src: str) -> str:
    """What two URLs of one file share."""
    return unquote(src)


def _rate(plan: Plan, piece: Piece) -> Fraction:
    """The rate of a file's clock: of its available range, else of the clip's start."""
    available = getattr(piece.item.media_reference, "available_range", None)
    for span in (available, item_range(piece.item)):
        if span is not None and 0 < span.start_time.rate <= _FASTEST:
            return exact_rate(span.start_time.rate)
    return plan.rate
