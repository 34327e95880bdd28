"""What every recipe says the same way: the sequence's clock and name, options, versions."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .. import __version__
from ..inference import Predictions
from ..media import MediaInfo
from ..operations import Kind, Operation, Source, Value
from ..timing import FrameRange, can_drop_frames, frame_of_timecode

#: Help for the options with which recipes have a transcript made.
TRANSCRIBE = (
    "make the transcript of files that have none with faster-whisper (extra speech): a model on "
    "this computer, by name (tiny, base, small, medium, large-v3, turbo, ...) or as a folder"
)
LANGUAGE = "language that --transcribe hears: en, zh, ...; found out if not given"
DOWNLOAD = "let --transcribe fetch a model that is not on this computer from the internet"


@dataclasses.dataclass(frozen=True, slots=True)
class SequenceClock:
    """The rate of a sequence and the timecode of its first frame, as a frame count."""

    rate: Fraction
    start_frame: int
    drop_frame: bool


def sequence_clock(footage: Sequence[MediaInfo]) -> SequenceClock:
    """The clock of a sequence made of ``footage``.

    The first file with picture gives the rate. One file keeps its own timecode; several begin at
    01:00:00:00, as editing programs let new sequences do, drop-frame if the first file is.
    """
    first = next((media for media in footage if media.picture), footage[0])
    if len(footage) == 1:
        return SequenceClock(first.rate, first.start_frame, first.drop_frame)
    drop_frame = first.drop_frame and can_drop_frames(first.rate)
    start = frame_of_timecode("01:00:00:00", first.rate, drop_frame)
    return SequenceClock(first.rate, start, drop_frame)


@dataclasses.dataclass(frozen=True)
class Material:
    """A source, and what the ids of the operations on it are made from."""

    source: Source
    seed: str

    def operation(self, kind: Kind, span: FrameRange, **details: object) -> Operation:
        """An operation whose id is the same for the same decision on the same content."""
        text = f"{self.seed}/{kind}/{span.start}/{span.duration}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        made = Operation(kind, self.source.id, span, id=f"{kind}-{digest}")
        return dataclasses.replace(made, **details)  # type: ignore[arg-type]


def seed_of(footage: Sequence[MediaInfo], number: int) -> str:
    """What tells a file's operations from those of all others, wherever the file lies."""
    mark = footage[number].fingerprint
    return f"{mark}/{sum(media.fingerprint == mark for media in footage[:number])}"


def option_values(options: Any) -> dict[str, Value]:
    """A recipe's options as plain JSON, for the decision list."""
    values = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {
        name: value if isinstance(value, bool | int | float) else str(value)
        for name, value in values.items()
    }


def generator(networks: Sequence[str] = ()) -> str:
    """This program and the networks that took part, with their versions."""
    return ", ".join([f"otio-mapedit {__version__}", *dict.fromkeys(networks)])


def heard_by(predictions: Sequence[Predictions]) -> list[str]:
    """The networks that transcribed the files, where that was done here."""
    said = (known.transcript for known in predictions)
    return [transcript.network for transcript in said if transcript and transcript.network]


def title(footage: Sequence[MediaInfo]) -> str:
    """A name for the sequence."""
    first = footage[0].path.stem
    return first if len(footage) == 1 else f"{first} and {len(footage) - 1} more"
