"""Every file format that holds a timeline, in one table, chosen by suffix.

Timelines travel between formats in plain OTIO. A format is a module of this package: of OTIO's
own family (``read(path)`` and ``write(timeline, path, host)``, nothing is lost), AAF (the same,
with losses), or of text with losses (``read(path, rate)``, ``render(timeline, profile, version)``,
``read_back(contents)``). Every file is written beside its destination, read again and compared,
and only then renamed into place.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..config import nearest
from ..errors import OptionError, OutputError, UsageError
from ..files import ensure_writable, replacing, replacing_all
from .fcpxml_words import fcpxml_profile
from .loss import LossReport
from .mapedit_losses import not_decided
from .media_root import MediaRoot, relocate, settle
from .otio_losses import unread
from .read_back import verify_edit

#: What `--for` may say.
HOSTS = ("plain", "resolve", "premiere", "finalcut", "kdenlive", "shotcut", "jianying")

#: Folders that are only written; what --for jianying writes is one, whatever its name.
DRAFT = ".draft"

#: Module by suffix, of what can be written.
FORMATS = {
    ".fcpxml": "fcpxml_format",
    ".xml": "xmeml_format",
    ".edl": "edl_format",
    ".mlt": "mlt_format",
    ".aaf": "aaf_format",
    DRAFT: "jianying_format",
    ".otio": "otio_file",
    ".otioz": "otio_bundle",
    ".mapedit": "mapedit_format",
}
#: Module by suffix, of what is only read.
READ_ONLY = {".fcpxmld": "fcpxml_format"}

#: Suffix -> host -> profile of the format that the host gets.
PROFILES = {
    ".fcpxml": {"plain": "resolve", "resolve": "resolve", "finalcut": "finalcut"},
    ".xml": {"plain": "premiere", "resolve": "resolve", "premiere": "premiere"},
    ".edl": {"plain": "file32", "resolve": "resolve", "premiere": "premiere"},
    ".mlt": {"plain": "shotcut", "shotcut": "shotcut", "kdenlive": "kdenlive"},
    ".aaf": {"plain": "plain"},
    DRAFT: {"plain": "jianying", "jianying": "jianying"},
    ".otio": {
        "plain": "plain",
        "resolve": "resolve",
        "premiere": "premiere",
        "kdenlive": "kdenlive",
    },
    ".otioz": {"plain": "plain", "resolve": "resolve", "premiere": "premiere"},
    ".mapedit": {"plain": "plain"},
}

#: What refers to media by its whole path: the programs that read it know no other.
_ABSOLUTE = (".xml", ".aaf", DRAFT)

_TEXTS = ("fcpxml_format", "xmeml_format", "edl_format", "mlt_format")


@dataclass(frozen=True)
class Written:
    """Files that are in place, and what was lost on the way to them, reading first."""

    paths: tuple[Path, ...]
    reports: tuple[LossReport, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was lost or changed."""
        return all(report.clean for report in self.reports)


def format_of(path: Path, reading: bool = False) -> Any:
    """The module of a file's format, by its suffix.

    Raises:
        UsageError: a suffix that is not known.
    """
    known = {**FORMATS, **READ_ONLY} if reading else FORMATS
    if reading:
        known.pop(DRAFT)
    name = known.get(path.suffix.lower())
    if name is None:
        ending = path.suffix or "a name without suffix"
        raise UsageError(
            f"{path.name or path}: {ending} is not a timeline format"
            + (" that can be written" if path.suffix.lower() in READ_ONLY else ""),
            f"Use one of: {', '.join(known)}.",
        )
    return importlib.import_module(f"{__package__}.{name}")


def kind_of(path: Path, host: str = "plain") -> str:
    """The suffix that stands for the format of ``path``: a draft's name need not have one."""
    suffix = path.suffix.lower()
    return DRAFT if host == "jianying" and suffix not in FORMATS else suffix


def profile_of(suffix: str, host: str, version: str = "") -> str:
    """The profile of a format that ``host`` gets; ``version`` is one of FCPXML.

    Raises:
        OptionError: no such host or version, or one that does not go with the format.
    """
    if host not in HOSTS:
        raise OptionError(f"there is no host {host!r}", nearest(host, HOSTS))
    served = PROFILES[suffix]
    if host not in served:
        other = [name for name, hosts in PROFILES.items() if host in hosts]
        raise OptionError(
            f"{suffix} is not written for {host}",
            f"Write {_either(other)}, or use --for {_either(list(served))}.",
        )
    if version:
        if suffix != ".fcpxml":
            raise OptionError(f"{suffix} has no FCPXML version", "Leave --fcpxml-version out.")
        fcpxml_profile(served[host], version)
    return served[host]


def read_reported(
    path: Path, rate: Fraction | None = None
) -> tuple[otio.schema.Timeline, tuple[LossReport, ...]]:
    """The timeline in a file, in plain OTIO, and what of the file is not in it.

    ``rate`` is the frame rate of an EDL, which need not state it.

    Raises:
        UsageError: a suffix that is not known, or a rate for another format. FormatError: the
        file cannot be understood.
    """
    chosen = format_of(path, reading=True)
    if rate is not None and path.suffix.lower() != ".edl":
        raise OptionError(
            f"{path.name} states its own frame rate", "Leave --rate out; it is for EDLs."
        )
    if not (_is_text(path) or path.suffix.lower() == ".aaf"):
        return chosen.read(path), ()
    timeline, report = chosen.read(path, rate)
    return timeline, (report,)


def read_timeline(path: Path, rate: Fraction | None = None) -> otio.schema.Timeline:
    """The timeline in a file, in plain OTIO whatever program wrote it.

    Raises:
        As :func:`read_reported`.
    """
    return read_reported(path, rate)[0]


def render(
    timeline: otio.schema.Timeline, suffix: str, host: str = "plain", version: str = ""
) -> tuple[dict[str, str], LossReport]:
    """The texts of a text format by what follows the file's name, and what it cannot carry.

    Raises:
        UsageError, FormatError: the format cannot carry the timeline; OptionError: see
        :func:`profile_of`.
    """
    made: tuple[dict[str, str], LossReport] = format_of(Path(f"x{suffix}")).render(
        timeline, profile_of(suffix, host, version), version
    )
    return made


def write_timeline(
    timeline: otio.schema.Timeline,
    path: Path,
    host: str = "plain",
    force: bool = False,
    version: str = "",
) -> Written:
    """Write ``timeline`` for ``host``, one of :data:`HOSTS`; ``version`` is one of FCPXML.

    Several EDLs, one per video track, are written where there are several: all or none.

    Raises:
        UsageError: an unknown suffix, host or version; FormatError: the format cannot carry the
        timeline; MediaError: media to be bundled is missing; OutputExistsError, OutputError: see
        :func:`otio_mapedit.files.replacing`.
    """
    suffix = kind_of(path, host)
    chosen = format_of(Path(f"x{suffix}"))
    profile_of(suffix, host, version)
    if suffix == DRAFT:
        return Written((path,), (chosen.write_draft(timeline, path, force),))
    if _is_text(path):
        texts, report = render(timeline, suffix, host, version)
        return place_texts(timeline, path, suffix, texts, report, force)
    with replacing(path, force) as temporary:
        report = chosen.write(timeline, temporary, host)
    if isinstance(report, LossReport):
        return Written((path,), (report,))
    return Written((path,), _reports(timeline, suffix, host))


def convert(
    source: Path,
    target: Path,
    host: str = "plain",
    force: bool = False,
    version: str = "",
    rate: Fraction | None = None,
    media_roots: Sequence[MediaRoot] = (),
) -> Written:
    """Turn one timeline file into another, by their suffixes.

    Relative references to media count from the folder of ``source`` and stay right in another,
    and in formats that want whole paths.
    Media that exists only in an ``.otioz`` is unpacked to a folder beside ``target``.

    Raises:
        As :func:`read_reported` and :func:`write_timeline`.
    """
    kind = kind_of(target, host)
    chosen = format_of(target.with_name(f"x{kind}"))
    profile_of(kind, host, version)
    (chosen.ensure_draft_writable if kind == DRAFT else ensure_writable)(target, force)
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target} is the file to read", "Give the result another name.")
    timeline, reports = read_relocated(source, rate, media_roots)
    if source.suffix.lower() == ".otioz":
        from .otio_bundle import unpack

        unpack(source, timeline, target.parent / f"{target.stem} media", force)
    elif kind in _ABSOLUTE or source.absolute().parent != target.absolute().parent:
        settle(timeline, source.parent)
    written = write_timeline(timeline, target, host, force, version)
    return Written(written.paths, reports + written.reports)


def read_relocated(
    source: Path, rate: Fraction | None, media_roots: Sequence[MediaRoot]
) -> tuple[otio.schema.Timeline, tuple[LossReport, ...]]:
    """As :func:`read_reported`, with the media where ``media_roots`` say.

    Raises:
        As :func:`read_reported`; UsageError: no media lies below one of the roots.
    """
    timeline, reports = read_reported(source, rate)
    for root in relocate(timeline, media_roots):
        raise UsageError(
            f"--media-root: {source.name} has no media below {root.old}",
            f"Type: mapedit check {source}",
        )
    return timeline, reports


def place_texts(
    timeline: otio.schema.Timeline,
    path: Path,
    suffix: str,
    texts: dict[str, str],
    report: LossReport,
    force: bool,
) -> Written:
    """Put the ``texts`` of the format ``suffix`` that say ``timeline`` where ``path`` says, once
    they were read back; a further one has its mark after the name.

    Raises:
        FormatError: they do not say the same; OutputExistsError, OutputError: see
        :func:`otio_mapedit.files.replacing`.
    """
    paths = [path.with_name(f"{path.stem}{mark}{path.suffix}") for mark in texts]
    with replacing_all(paths, force) as temporaries:
        for temporary, text in zip(temporaries, texts.values(), strict=True):
            temporary.write_bytes(_encoded(text, path))
        contents = [temporary.read_bytes() for temporary in temporaries]
        again = format_of(Path(f"x{suffix}")).read_back(contents)
        verify_edit(timeline, again, report, suffix)
    return Written(tuple(paths), (report,))


def _encoded(text: str, path: Path) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise OutputError(
            f"cannot write {path}: it would hold a name that is not text", "Rename the media file."
        ) from error


def _is_text(path: Path) -> bool:
    return {**FORMATS, **READ_ONLY}.get(path.suffix.lower()) in _TEXTS


def _reports(timeline: otio.schema.Timeline, suffix: str, host: str) -> tuple[LossReport, ...]:
    """What a file of OTIO's own family does not hold, or its host does not read."""
    if suffix == ".mapedit":
        return (not_decided(timeline),)
    reports = (unread(timeline, host),) if host != "plain" else ()
    if suffix == ".otioz":
        from .otio_bundle import not_bundled

        reports = (*reports, not_bundled(timeline))
    return reports


def _either(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


__all__ = [
    "DRAFT",
    "FORMATS",
    "HOSTS",
    "PROFILES",
    "Written",
    "convert",
    "format_of",
    "kind_of",
    "place_texts",
    "profile_of",
    "read_relocated",
    "read_reported",
    "read_timeline",
    "render",
    "write_timeline",
]
