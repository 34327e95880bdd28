"""What a plugin asks for: read from a request's files and checked against what is allowed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ..config import nearest
from ..errors import FormatError, OptionError, UsageError
from ..fields import Fields
from ..interchange.registry import HOSTS, profile_of
from ..json_text import parse
from ..recipes import RECIPES
from ..urls import is_absolute, is_url, path_of

SCHEMA = "Request.1"
SCHEMA_KEY = "MAPEDIT_JOB"
#: What may be asked for besides the recipes.
LEARN = "learn"
#: Kinds of result: one file each, of text, that copies no media into the folder.
RESULTS = (".otio", ".fcpxml", ".xml", ".edl", ".mlt", ".mapedit")
#: What a program gets that says nothing else.
_USUAL = {"finalcut": ".fcpxml", "shotcut": ".mlt"}
#: Most files that one request may name, and most options.
MOST_FILES, MOST_OPTIONS = 2000, 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

Given: TypeAlias = "str | int | float | bool"


@dataclass(frozen=True)
class Request:
    """A job that may be begun. ``media`` is empty where the request's own timeline says it."""

    id: str
    verb: str  # one of VERBS
    host: str  # one of HOSTS: who opens the result
    suffix: str  # one of RESULTS
    options: Mapping[str, Given] = field(default_factory=dict)
    media: tuple[str, ...] = ()
    name: str = ""  # of the resulting timeline; empty: as the recipe calls it
    whole_files: bool = False  # not only what the timeline uses of its media

    @property
    def result(self) -> str:
        """What the result is among the job's files, such as ``result.otio``."""
        return f"result{self.suffix}"


def verbs() -> tuple[str, ...]:
    """Everything that a job may ask for."""
    return (*RECIPES, LEARN)


def from_id(job: str) -> Request:
    """The request of a plugin that can write nothing but a timeline: its id begins with the verb,
    as in ``roughcut-1764113000-4711``.

    Raises:
        OptionError: there is no such verb.
    """
    return Request(job, _verb(re.split("[-_]", job)[0]), "resolve", ".otio")


def from_text(job: str, text: str) -> Request:
    """The request in the text of a ``.request.json``.

    Raises:
        FormatError: malformed. OptionError: an unknown verb, program or kind of result.
    """
    fields = Fields(parse(text), "")
    schema = fields.text(SCHEMA_KEY, required=True)
    if schema != SCHEMA:
        raise FormatError(f"the request is of kind {schema!r}, not {SCHEMA}", "Update the plugin.")
    host = fields.text("host", "plain")
    if host not in HOSTS:
        raise OptionError(f"host: {host!r} is not known", nearest(host, HOSTS))
    suffix = fields.text("result", _USUAL.get(host, ".otio"))
    if suffix not in RESULTS:
        raise OptionError(f"result: {suffix!r} is not known", nearest(suffix, RESULTS))
    profile_of(suffix, host)  # before hours of work, whether the two go together
    request = Request(
        id=job,
        verb=_verb(fields.text("verb", required=True)),
        host=host,
        suffix=suffix,
        options=_options(fields),
        media=_media(fields),
        name=fields.text("name", "")[:200],
        whole_files=fields.flag("whole_files", False),
    )
    fields.finish()
    return request


def _verb(name: str) -> str:
    if name not in verbs():
        raise OptionError(f"there is no verb {name!r}", nearest(name, verbs()))
    return name


def _options(fields: Fields) -> dict[str, Given]:
    value = fields.take("options", {})
    if not isinstance(value, dict) or len(value) > MOST_OPTIONS:
        raise fields.wrong("options", "these are no options", 'Write {"name": value, ...}.')
    for name, given in value.items():
        plain = isinstance(given, bool | int | float) or (
            isinstance(given, str) and len(given) <= 1000 and "\0" not in given
        )
        if not _NAME.fullmatch(name) or not plain:
            raise fields.wrong(
                f"options.{name[:40]}", "this is not an option's value", "Write a text or a number."
            )
    return value


def _media(fields: Fields) -> tuple[str, ...]:
    items = fields.items("media", ())
    if len(items) > MOST_FILES:
        raise fields.wrong("media", f"{len(items)} files are too many", f"Name {MOST_FILES}.")
    for value, path in items:
        if not isinstance(value, str) or "\0" in value:
            raise fields.wrong(path, "this is not a path", "Write a text.")
    return tuple(value for value, _ in items)


# Where media may lie ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Roots:
    """Folders below which a job may name files."""

    folders: tuple[Path, ...]

    def checked(self, named: str) -> Path:
        """The path that a job names, if it lies below one of the folders, links followed.

        Raises:
            UsageError: a URL or relative path, or a path outside; also where a link leads outside.
        """
        text = path_of(named)
        if is_url(text) or not is_absolute(text):
            raise UsageError(f"{named!r} is not an absolute path", "Relink the clip, then export.")
        path = Path(text)
        if not path.is_absolute():
            raise UsageError(f"{text} is a path of another system", "Relink the clip, then export.")
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageError(f"{text!r} cannot be followed", "Relink the clip.") from error
        if not any(real.is_relative_to(folder) for folder in self.folders):
            raise UsageError(
                f"{text} is outside the folders that jobs may read",
                f"Allow it: mapedit watch --root {_quoted(real.parent)}",
            )
        return path

    def check_options(self, options: Mapping[str, Given]) -> None:
        """No option may lead outside either, nor into the internet.

        Raises:
            UsageError: one of them holds a path that does, or asks for a model to be fetched.
        """
        if options.get("download_model"):
            raise UsageError(
                "a job may not fetch a model from the internet",
                "Fetch it once in a terminal: mapedit roughcut FILE --transcribe MODEL "
                "--download-model",
            )
        for value in options.values():
            if isinstance(value, str) and (
                is_absolute(value) or is_url(value) or value.startswith("~") or ".." in value
            ):
                self.checked(value)


def roots(given: Sequence[Path], jobs: Path) -> Roots:
    """The folders that are allowed: those given, else the user's home folder and other disks;
    always that of the jobs itself."""
    chosen = list(given) or usual_roots(sys.platform, Path.home())
    found = []
    for folder in [*chosen, jobs]:
        try:
            found.append(folder.absolute().resolve())
        except (OSError, RuntimeError):
            continue
    return Roots(tuple(found))


def usual_roots(platform: str, home: Path) -> list[Path]:
    """Where footage lies: the home folder and mounted disks, but not the system."""
    if platform == "win32":
        system = os.environ.get("SYSTEMDRIVE", "C:").upper()
        drives = [f"{letter}:" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        other = [Path(f"{drive}\\") for drive in drives if drive != system]
        return [home, Path(f"{system}\\Users\\Public"), *filter(Path.exists, other)]
    if platform == "darwin":
        return [home, Path("/Users/Shared"), Path("/Volumes")]
    return [home, Path("/media"), Path("/mnt"), Path("/run/media")]


def _quoted(path: Path) -> str:
    text = str(path)
    return f'"{text}"' if " " in text else text
