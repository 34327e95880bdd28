"""What a format could not carry, said clip by clip. Nothing is lost silently.

Writers and readers collect a :class:`LossReport` as they go. ``lost`` means it is not in the
result; ``changed`` means it is there in another form (a wipe that became a dissolve); ``note`` is
for the person who opens the file and costs nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad a loss is."""

    LOST = "lost"
    CHANGED = "changed"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that did not cross over as it was.

    ``feature`` is a row of the feature matrix ("speed", "dissolve", "marker", ...), ``track`` and
    ``item`` are names as the timeline has them, ``at`` is record timecode where it is known.
    """

    severity: Severity
    feature: str
    message: str
    track: str = ""
    item: str = ""
    at: str = ""


@dataclass
class LossReport:
    """Everything that one conversion lost, changed or noted, in timeline order."""

    format: str
    direction: str  # "write" or "read"
    profile: str = ""
    losses: list[Loss] = field(default_factory=list)

    def lost(
        self, feature: str, message: str, track: str = "", item: str = "", at: str = ""
    ) -> None:
        """Note something that is not in the result."""
        self.losses.append(Loss(Severity.LOST, feature, message, track, item, at))

    def changed(
        self, feature: str, message: str, track: str = "", item: str = "", at: str = ""
    ) -> None:
        """Note something that is in the result in another form."""
        self.losses.append(Loss(Severity.CHANGED, feature, message, track, item, at))

    def note(
        self, feature: str, message: str, track: str = "", item: str = "", at: str = ""
    ) -> None:
        """Note something worth knowing that costs nothing."""
        self.losses.append(Loss(Severity.NOTE, feature, message, track, item, at))

    @property
    def clean(self) -> bool:
        """Whether everything crossed over exactly."""
        return all(loss.severity is Severity.NOTE for loss in self.losses)

    def to_json(self) -> dict[str, object]:
        """Plain data for ``--loss report.json``."""
        return {
            "format": self.format,
            "direction": self.direction,
            "profile": self.profile,
            "losses": [asdict(loss) for loss in self.losses],
        }
