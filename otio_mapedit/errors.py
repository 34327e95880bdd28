"""Everything that can go wrong, in words for the person at the desk.

::

    MapeditError                      exit code 1
    ├── UsageError                    exit code 2   an option, argument or combination is wrong
    │   ├── OptionError                             an option's value or name
    │   ├── OutputExistsError                       would overwrite; --force not given
    │   └── OutputError                             cannot be written (full, read-only)
    ├── FaultsFoundError              exit code 3   faults found, or the result needs review
    ├── MediaError                    exit code 4   footage cannot be read
    ├── FormatError                   exit code 4   a timeline or decision list cannot be read
    │   └── DecisionListError                       .mapedit: carries line, field and remedy
    └── ModelError                    exit code 5   network file missing, altered or unsuitable

A message is one line and ends with what to do next. Only :mod:`otio_mapedit.cli` turns an
error into an exit code; everything else raises and carries the data as attributes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar


class MapeditError(Exception):
    """Root of every error that this package raises on purpose.

    ``message`` says what happened, ``remedy`` what to do next; ``str()`` joins them on one line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = " ".join(message.split())
        self.remedy = " ".join(remedy.split())
        super().__init__(self.message, self.remedy)

    def __str__(self) -> str:
        if not self.remedy:
            return self.message
        return f"{self.message.rstrip('.')}. {self.remedy}"


class UsageError(MapeditError):
    """The command, an option or their combination cannot be carried out."""

    exit_code = 2


class OptionError(UsageError):
    """An option's name or value is not valid."""


class OutputExistsError(UsageError):
    """The output is there already and may not be overwritten."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} exists already", "Give another name, or --force to replace it.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path,)


class OutputError(UsageError):
    """The output cannot be written."""


class FaultsFoundError(MapeditError):
    """A check found faults."""

    exit_code = 3


class MediaError(MapeditError):
    """Footage cannot be read. ``path`` names the file."""

    exit_code = 4

    def __init__(self, path: Path | str, message: str, remedy: str = "") -> None:
        self.path = Path(path)
        self.what = message
        super().__init__(f"{path}: {message}", remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.what, self.remedy)


class FormatError(MapeditError):
    """A timeline, decision list or settings file cannot be understood."""

    exit_code = 4


class DecisionListError(FormatError):
    """A decision list is malformed. ``line`` is 1-based or None, ``field`` a path such as
    ``operations[3].range.start``."""

    def __init__(self, message: str, remedy: str, line: int | None = None, field: str = "") -> None:
        self.what = message
        self.line = line
        self.field = field
        where = ", ".join(
            part for part in (f"line {line}" if line is not None else "", field) if part
        )
        super().__init__(f"{where}: {message}" if where else message, remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.remedy, self.line, self.field)


class ModelError(MapeditError):
    """A network file is missing, altered, or does not fit this version."""

    exit_code = 5
