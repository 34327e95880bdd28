"""Media files for people (a card each) and for scripts (plain JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..media import AudioStream, MediaInfo, VideoStream
from ..timing import rate_text, timecode
from .common import plural
from .report import length


def facts(info: MediaInfo) -> dict[str, Any]:
    """Everything about a file as plain JSON. Rates are exact fractions, times are seconds."""
    return {
        "path": str(info.path),
        "container": info.container,
        "size": info.size,
        "rate": str(info.rate),
        "frame_count": info.frame_count,
        "duration": float(info.duration),
        "origin": float(info.origin),
        "start_frame": info.start_frame,
        "start_timecode": start_timecode(info),
        "has_timecode": info.has_timecode,
        "timecode_source": info.timecode_source,
        "drop_frame": info.drop_frame,
        "reel": info.reel,
        "fingerprint": info.fingerprint,
        "video": [_video_facts(stream) for stream in info.video],
        "audio": [_audio_facts(stream) for stream in info.audio],
        "warnings": list(info.warnings),
    }


def start_timecode(info: MediaInfo) -> str:
    """Timecode of the file's first frame."""
    return timecode(info.start_frame, info.rate, info.drop_frame)


def cards(files: Sequence[MediaInfo]) -> list[str]:
    """One block of lines per file, an empty line between two."""
    made: list[str] = []
    for info in files:
        if made:
            made.append("")
        made.append(str(info.name))
        made.extend(f"  {label:<8}  {value}" for label, value in _rows(info))
    return made


def _rows(info: MediaInfo) -> list[tuple[str, str]]:
    rows = [
        (
            "length",
            f"{length(info.duration)}, {plural(info.frame_count, 'frame')} at {_rate(info)}",
        ),
        ("start", _start(info)),
    ]
    if info.reel:
        rows.append(("reel", info.reel))
    rows += [("picture", _video(stream)) for stream in info.video]
    rows += [("sound", _audio(stream, info)) for stream in info.audio]
    rows.append(("file", f"{info.container}, {_size(info.size)}"))
    rows += [("note", warning) for warning in info.warnings]
    return rows


def _rate(info: MediaInfo) -> str:
    text = f"{rate_text(info.rate)} fps"
    return f"{text} ({info.rate})" if info.rate.denominator != 1 else text


def _start(info: MediaInfo) -> str:
    if not info.has_timecode:
        return f"{start_timecode(info)} (the file has no timecode)"
    kind = ", drop-frame" if info.drop_frame else ""
    return f"{start_timecode(info)} (from the {info.timecode_source}{kind})"


def _video(stream: VideoStream) -> str:
    parts = [f"{stream.codec} {stream.width} × {stream.height}", f"{stream.bit_depth}-bit"]
    if stream.pixel_aspect != 1:
        parts.append(
            f"pixel aspect {stream.pixel_aspect.numerator}:{stream.pixel_aspect.denominator}"
        )
    if stream.rotation:
        parts.append(f"turned {stream.rotation}°")
    if stream.all_keyframes:
        parts.append("intra-only")
    if stream.variable_rate:
        parts.append(
            f"variable rate: {plural(stream.picture_count, 'picture')}, "
            f"up to {float(stream.worst_deviation) * 1000:.0f} ms off the grid"
        )
    return ", ".join(parts)


def _audio(stream: AudioStream, info: MediaInfo) -> str:
    parts = [
        f"{stream.codec} {stream.layout or plural(stream.channels, 'channel')}",
        f"{stream.sample_rate / 1000:g} kHz",
    ]
    if stream.title:
        parts.append(stream.title)
    if stream.language and stream.language != "und":
        parts.append(stream.language)
    if stream.start:
        parts.append(f"starts {float(stream.start):+.3f} s")
    if abs(stream.start + stream.duration - info.duration) * info.rate > 1:
        parts.append(f"lasts {length(stream.duration)}")
    return ", ".join(parts)


def _size(size: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def _video_facts(stream: VideoStream) -> dict[str, Any]:
    return {
        "index": stream.index,
        "codec": stream.codec,
        "width": stream.width,
        "height": stream.height,
        "pixel_aspect": str(stream.pixel_aspect),
        "rotation": stream.rotation,
        "bit_depth": stream.bit_depth,
        "pixel_format": stream.pixel_format,
        "rate": str(stream.rate),
        "frame_count": stream.frame_count,
        "picture_count": stream.picture_count,
        "variable_rate": stream.variable_rate,
        "worst_deviation": float(stream.worst_deviation),
        "all_keyframes": stream.all_keyframes,
    }


def _audio_facts(stream: AudioStream) -> dict[str, Any]:
    return {
        "index": stream.index,
        "codec": stream.codec,
        "channels": stream.channels,
        "layout": stream.layout,
        "sample_rate": stream.sample_rate,
        "start": float(stream.start),
        "duration": float(stream.duration),
        "language": stream.language,
        "title": stream.title,
    }
