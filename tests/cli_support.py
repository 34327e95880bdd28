"""What the tests of the command line share; the fixtures are in conftest.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
TALK, EDITED = SAMPLES / "talk.mp4", SAMPLES / "edited.mp4"


@dataclass(frozen=True)
class Outcome:
    """Exit code and what was said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Cli = Callable[..., Outcome]


def one_line(outcome: Outcome, code: int) -> str:
    """The error line, after checking that it is one, on stderr, and no traceback."""
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.startswith("mapedit: ")
    return outcome.err
