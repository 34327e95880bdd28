"""What the OTIO adapters ``mapedit_fcpxml``, ``mapedit_xmeml`` and ``mapedit_edl`` share.

::

    otioconvert -i cut.otio -o cut.fcpxml -O mapedit_fcpxml -A profile=finalcut
    otioconvert -i in.edl -I mapedit_edl -a rate=25 -o out.otio

What a format cannot carry is logged as warnings, which a console program shows.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..errors import FormatError, OptionError, UsageError
from ..timing import parse_rate
from .loss import LossReport, Severity
from .otio_dialects import from_host
from .registry import PROFILES, format_of, place_texts

_LOG = logging.getLogger(__name__)
#: Losses that are logged one by one.
_MOST_LINES = 20


def take(
    read: tuple[otio.schema.Timeline, LossReport],
) -> otio.schema.Timeline:
    """The timeline that was read, after logging what was lost."""
    timeline, report = read
    log_losses(report)
    return timeline


def rate_of(rate: Any) -> Fraction | None:
    """A frame rate as an adapter's argument: a number, text, or nothing.

    Raises:
        OptionError: not a frame rate.
    """
    return None if rate in (None, "") else parse_rate(str(rate))


def texts_of(
    timeline: Any, suffix: str, profile: str, version: str = ""
) -> tuple[dict[str, str], LossReport]:
    """The texts of a format by the mark in their files' names; losses are logged.

    ``profile`` is a host (``resolve``) or one of the format's own profiles (``cmx3600``).

    Raises:
        FormatError: not a timeline. UsageError: what the format cannot say.
    """
    plain = _timeline(timeline)
    chosen = PROFILES[suffix].get(profile, profile)
    if version and suffix != ".fcpxml":
        raise OptionError(f"{suffix} has no version", "Leave it out.")
    texts, report = format_of(Path(f"x{suffix}")).render(plain, chosen, str(version))
    log_losses(report)
    return texts, report


def text_of(timeline: Any, suffix: str, profile: str, version: str = "") -> str:
    """The one text of a format.

    Raises:
        As :func:`texts_of`; UsageError: there are several, one per picture track.
    """
    texts, _ = texts_of(timeline, suffix, profile, version)
    if len(texts) > 1:
        raise UsageError(
            f"this makes {len(texts)} EDLs, one per picture track", "Write them to a file."
        )
    return texts[""]


def write(
    timeline: Any,
    filepath: str,
    suffix: str,
    profile: str,
    version: str = "",
    force: bool = True,
) -> None:
    """Write a format's files, read back before they are put in place.

    Raises:
        As :func:`texts_of`; OutputExistsError, OutputError: see
        :func:`otio_mapedit.files.replacing`.
    """
    texts, report = texts_of(timeline, suffix, profile, version)
    place_texts(_timeline(timeline), Path(filepath), suffix, texts, report, force)


def log_losses(report: LossReport) -> None:
    """One warning per loss, up to a number that a person reads; notes as information."""
    lost = [loss for loss in report.losses if loss.severity is not Severity.NOTE]
    for loss in lost[:_MOST_LINES]:
        where = " ".join(filter(None, (loss.track, repr(loss.item) if loss.item else "", loss.at)))
        _LOG.warning(
            "%s %s: %s%s", loss.severity, loss.feature, f"{where}: " if where else "", loss.message
        )
    if len(lost) > _MOST_LINES:
        _LOG.warning("and %d more", len(lost) - _MOST_LINES)


def _timeline(timeline: Any) -> otio.schema.Timeline:
    if isinstance(timeline, otio.schema.SerializableCollection):
        found: Sequence[Any] = [x for x in timeline if isinstance(x, otio.schema.Timeline)]
        timeline = found[0] if len(found) == 1 else timeline
    if not isinstance(timeline, otio.schema.Timeline):
        kind = type(timeline).__name__
        raise FormatError(f"this is a {kind}, not a timeline", "Give a timeline.")
    return from_host(timeline)
