"""``.otioz`` bundles: a timeline and its media in one zip file.

Written by OTIO's own adapter. Read with care, because a zip file may come from anywhere: nothing
is unpacked on reading, and :func:`unpack` writes only the referenced media, each directly into
the folder that it is given.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

import opentimelineio as otio
from opentimelineio.adapters.file_bundle_utils import MediaReferencePolicy

from ..errors import FormatError, MediaError
from ..files import replacing
from ..urls import is_url, path_of, url_of
from .loss import LossReport
from .otio_dialects import expected, from_host, to_host
from .otio_file import LARGEST_FILE, timeline_from, verify

_CONTENT = "content.otio"
_MEDIA = "media"
#: Where a reference remembers its media outside the bundle.
_ORIGIN = "mapedit_bundled_from"
_MOST_MEMBERS = 100_000
#: Media hardly compress; what unpacks to more than this many times its size is a trap.
_LARGEST_RATIO = 200
_REMEDY = "Bundle it again."


def read(path: Path) -> otio.schema.Timeline:
    """The timeline in a bundle, in plain OTIO.

    A reference leads to where the media lay when it was bundled, where it still is there;
    otherwise into the bundle (``media/name``).

    Raises:
        FormatError: not a bundle, or one that reaches outside itself.
    """
    with _opened(path) as bundle:
        timeline = timeline_from(_content(bundle, path), str(path))
    for clip in timeline.find_clips():
        reference = clip.media_reference
        origin = reference.metadata.get(_ORIGIN) if reference else None
        if not isinstance(origin, str):
            continue
        del reference.metadata[_ORIGIN]
        if Path(path_of(origin)).is_file():
            reference.target_url = origin
    return timeline


def write(timeline: otio.schema.Timeline, path: Path, host: str) -> None:
    """Bundle ``timeline`` and its media.

    Raises:
        MediaError: media is missing. FormatError: media that cannot lie in one bundle.
    """
    _check_media(timeline)
    path.unlink(missing_ok=True)  # OTIO's writer refuses a file that is there
    marked = to_host(timeline, host)
    for clip, origin in zip(marked.find_clips(), from_host(timeline).find_clips(), strict=True):
        if isinstance(clip.media_reference, otio.schema.ExternalReference):
            url = origin.media_reference.target_url
            clip.media_reference.metadata[_ORIGIN] = url
            clip.media_reference.target_url = url_of(path_of(url))
    try:
        otio.adapters.write_to_file(
            marked, str(path), "otioz", media_policy=MediaReferencePolicy.ErrorIfNotFile
        )
    except otio.exceptions.OTIOError as error:
        raise FormatError(f"cannot bundle: {error}", "Check the media.") from error
    verify(expected(timeline, host), read(path), str(path))


def not_bundled(timeline: otio.schema.Timeline) -> LossReport:
    """What a bundle of ``timeline`` does not hold: the images of sequences."""
    report = LossReport("otioz", "write")
    for clip in timeline.find_clips():
        if isinstance(clip.media_reference, otio.schema.ImageSequenceReference):
            text = "its images stay where they are, a bundle holds single files"
            report.changed("image sequence", text, clip.parent().name, clip.name)
    return report


def unpack(path: Path, timeline: otio.schema.Timeline, folder: Path, force: bool) -> None:
    """Write the media that ``timeline`` (read from ``path``) still has in the bundle to
    ``folder``, and refer to them there.

    Raises:
        FormatError: media that is not in the bundle. OutputExistsError, OutputError: see
            :func:`otio_mapedit.files.replacing`.
    """
    written: set[str] = set()
    with _opened(path) as bundle:
        for clip in timeline.find_clips():
            member = bundled(clip)
            if member is None:
                continue
            target = folder / PurePosixPath(member).name
            if member not in written:
                folder.mkdir(exist_ok=True)
                _extract(bundle, member, target, force)
                written.add(member)
            clip.media_reference.target_url = target.absolute().as_uri()


def bundled(clip: otio.schema.Clip) -> str | None:
    """The member of its bundle that a clip refers to, if it does."""
    if not isinstance(clip.media_reference, otio.schema.ExternalReference):
        return None
    path = PurePosixPath(path_of(clip.media_reference.target_url or ""))
    inside = len(path.parts) == 2 and path.parts[0] == _MEDIA and path.name not in ("", "..")
    return str(path) if inside else None


def members(path: Path) -> set[str]:
    """The names of what a bundle holds.

    Raises:
        FormatError: not a bundle.
    """
    with _opened(path) as bundle:
        return set(bundle.namelist())


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        bundle = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "Check the name.") from None
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise FormatError(f"{path} is not a bundle: {error}", _REMEDY) from error
    names = bundle.namelist()
    fault = ""
    if len(names) > _MOST_MEMBERS:
        fault = f"{len(names)} members are too many"
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
            fault = f"{name!r} reaches outside the bundle"
    if _CONTENT not in names:
        fault = f"it holds no {_CONTENT}"
    if fault:
        bundle.close()
        raise FormatError(f"{path} is not a usable bundle: {fault}", _REMEDY)
    return bundle


def _content(bundle: zipfile.ZipFile, path: Path) -> str:
    try:
        with bundle.open(_CONTENT) as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) <= LARGEST_FILE:
            return data.decode("utf-8-sig")
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, ValueError) as error:
        raise FormatError(f"{path}: {_CONTENT} cannot be read: {error}", _REMEDY) from error
    except Exception as error:  # zlib.error and its like have no common root
        raise FormatError(f"{path}: {_CONTENT} is damaged: {error}", _REMEDY) from error
    raise FormatError(f"{path}: {_CONTENT} is too large to be an edit", _REMEDY)


def _extract(bundle: zipfile.ZipFile, member: str, target: Path, force: bool) -> None:
    try:
        info = bundle.getinfo(member)
    except KeyError:
        raise FormatError(f"the bundle does not hold {member}", _REMEDY) from None
    if info.file_size > _LARGEST_RATIO * max(1, info.compress_size):
        raise FormatError(f"{member} in the bundle is not media", _REMEDY)
    with (
        replacing(target, force) as temporary,
        bundle.open(info) as packed,
        temporary.open("wb") as file,
    ):
        shutil.copyfileobj(packed, file, 1024 * 1024)


def _check_media(timeline: otio.schema.Timeline) -> None:
    names: dict[str, str] = {}
    for clip in timeline.find_clips():
        if not isinstance(clip.media_reference, otio.schema.ExternalReference):
            continue
        path = path_of(clip.media_reference.target_url or "")
        if is_url(path) or not Path(path).is_file():
            raise MediaError(path, "the media is not there", "Bring it back, or write .otio.")
        name = Path(path).name
        if path_of(name) != name:
            raise FormatError(
                f"{path}: the % in the name means something else in a bundle", "Rename the file."
            )
        if names.setdefault(name, path) != path:
            raise FormatError(
                f"a bundle cannot hold two files called {name}", f"Rename {path}, or write .otio."
            )
