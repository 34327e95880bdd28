"""Is the media of an edit where it should be, and is it still the same?"""

from __future__ import annotations

from pathlib import Path

from .errors import MediaError
from .media import MediaInfo, probe
from .operations import Source
from .timing import rate_text, timecode
from .urls import is_absolute, is_url


def media_faults(source: Source, folder: Path) -> tuple[list[str], list[str]]:
    """Faults and remarks about the media of ``source``; relative paths are in ``folder``."""
    if is_url(source.path):
        return [], [f"{source.name}: media at {source.path} is not looked at"]
    path = Path(source.path) if is_absolute(source.path) else folder / source.path
    name = source.name or path.name
    try:
        if not path.exists():
            return [f"{name}: media is offline, there is no {path}"], []
        found = probe(path, audio_rate=source.rate)
    except MediaError as error:
        return [f"{name}: media cannot be read: {error.what}"], []
    except OSError as error:
        return [f"{name}: media cannot be read: {error.strerror or error}"], []
    return _differences(source, found, name), list(found.warnings)


def _differences(source: Source, found: MediaInfo, name: str) -> list[str]:
    """What is no longer as the edit has it."""
    faults = []
    if source.fingerprint and found.fingerprint != source.fingerprint:
        faults.append(f"{name}: the media file has changed since it was edited")
    if found.rate != source.rate:
        faults.append(
            f"{name}: plays at {rate_text(found.rate)} frames per second, "
            f"the edit has {rate_text(source.rate)}"
        )
    elif found.frame_count < source.frame_count:
        faults.append(f"{name}: has {found.frame_count} frames, the edit has {source.frame_count}")
    if found.start_frame != source.start_frame and found.rate == source.rate:
        faults.append(
            f"{name}: starts at {timecode(found.start_frame, found.rate, found.drop_frame)}, "
            f"the edit has {timecode(source.start_frame, source.rate, source.drop_frame)}"
        )
    for number, stream in enumerate(source.audio, start=1):
        if number > len(found.audio):
            faults.append(f"{name}: has no sound stream {number} ({stream.name or 'A'}{number})")
    if source.video is not None and found.picture is None:
        faults.append(f"{name}: has no picture")
    return faults
