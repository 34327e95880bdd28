"""What a plugin is told: how far a job is, how it ended, and what to do where it failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from ..errors import FormatError, MapeditError
from .folder import JobFolder
from .lua_text import chunk

SCHEMA = "Answer.1"
#: Clips that the Lua answer lists for reading back; a Lua function holds only so many tables.
MOST_LISTED = 2000
#: Largest answer that is read, in bytes.
LARGEST_ANSWER = 64 * 1024 * 1024


class State(StrEnum):
    """How a job ended."""

    DONE = "done"
    REFUSED = "refused"  # the request itself, or its media, cannot be used: change it
    FAILED = "failed"  # not the request's fault
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class PlacedClip:
    """A clip as the result has it, for reading back in the program. ``track`` 0 is the picture,
    1 the first sound; ``start`` and ``duration`` are frames of the sequence from its first one,
    ``media_start`` is the media's frame from its first one, ``media_timecode`` the frame number of
    that first one's timecode, ``rate`` the media's own."""

    track: int
    start: int
    duration: int
    path: str
    media_start: int
    rate: str
    speed: float
    enabled: bool
    media_timecode: int = 0


@dataclass(frozen=True)
class PlacedMarker:
    """A marker of the result: ``at`` and ``duration`` in frames of the sequence."""

    at: int
    duration: int
    name: str
    note: str
    colour: str


@dataclass(frozen=True)
class Answer:
    """How a job ended. ``message`` says what happened, ``remedy`` what to do next; both are one
    line. Everything else is there only where the state is ``done``."""

    id: str
    state: State
    message: str
    remedy: str = ""
    result: str = ""  # name of the file in the folder
    name: str = ""  # of the timeline
    rate: str = ""  # of the sequence, exact
    start_frame: int = 0
    tracks: int = 0
    duration: int = 0
    summary: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    losses: tuple[Mapping[str, Any], ...] = ()
    clips: tuple[PlacedClip, ...] = ()
    markers: tuple[PlacedMarker, ...] = ()

    def document(self) -> dict[str, Any]:
        """Plain JSON, see ``answer.schema.json``."""
        values = {"MAPEDIT_JOB": SCHEMA, **asdict(self), "state": str(self.state)}
        return {**values, "lost": lost_lines(self.losses)}


def refusal(job: str, error: MapeditError, state: State = State.REFUSED) -> Answer:
    """The answer that says an error."""
    return Answer(job, state, error.message.rstrip(".") + ".", error.remedy)


def lost_lines(losses: Sequence[Mapping[str, Any]], most: int = 20) -> list[str]:
    """What a result does not carry, a line each, for a person; notes cost nothing."""
    rows = []
    for report in losses:
        for loss in report.get("losses", ()):
            if loss["severity"] != "note":
                where = " ".join(filter(None, (loss["track"], loss["item"], loss["at"])))
                rows.append(
                    f"{loss['severity']}: {loss['feature']}"
                    + (f" ({where})" if where else "")
                    + f": {loss['message']}"
                )
    more = [f"and {len(rows) - most} more"] if len(rows) > most else []
    return rows[:most] + more


def write_answer(folder: JobFolder, answer: Answer) -> None:
    """Put an answer into the folder; the JSON comes last and ends the job.

    Raises:
        OutputError: it cannot be written.
    """
    document = answer.document()
    short = {name: value for name, value in document.items() if name not in ("facts", "losses")}
    short["clips"] = document["clips"][:MOST_LISTED]
    short["markers"] = document["markers"][:MOST_LISTED]
    short["listed_all"] = len(document["clips"]) <= MOST_LISTED
    folder.write(f"{answer.id}.answer.lua", chunk(short))
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    folder.write(f"{answer.id}.answer.json", text.encode("utf-8", "replace").decode())
    folder.remove(answer.id, "started", "progress.json", "progress.lua")


def read_answer(folder: JobFolder, job: str) -> Answer:
    """How a job ended, without the details.

    Raises:
        FormatError: there is no answer, or it is none of ours.
    """
    data = folder.read(job, "answer.json", LARGEST_ANSWER)
    try:
        found = json.loads(data or b"")
        state, message, remedy = State(found["state"]), found["message"], found["remedy"]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{job} has no answer that can be read", "Run it again.") from error
    return Answer(job, state, str(message), str(remedy), result=str(found.get("result", "")))


def write_both(folder: JobFolder, stem: str, values: Mapping[str, Any]) -> None:
    """The same values as ``stem.json`` and ``stem.lua``.

    Raises:
        OutputError: they cannot be written.
    """
    folder.write(f"{stem}.lua", chunk(values))
    folder.write(f"{stem}.json", json.dumps(values) + "\n")
