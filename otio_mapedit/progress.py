"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often: ``task`` is a phrase (``"Listening to talk.mp4"``), ``done`` of ``total`` in
    any one unit. ``done == total`` ends the task."""

    def __call__(self, task: str, done: float, total: float) -> None: ...


def silent(task: str, done: float, total: float) -> None:
    """Nobody listens."""
