"""Every plugin that can be installed, by the name of its program."""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from ..config import nearest
from ..errors import OptionError
from .copies import Plan
from .machine import Machine


class Installer(Protocol):
    """What the modules of this package provide."""

    NAME: str
    SUMMARY: str

    def plan(self, machine: Machine, all_users: bool = False) -> Plan:
        """Everything that belongs on a machine."""


PLUGINS: tuple[str, ...] = ("resolve", "premiere", "finalcut", "blender")


def installer(name: str) -> Installer:
    """The installer called ``name``.

    Raises:
        OptionError: there is none; the nearest is named.
    """
    if name not in PLUGINS:
        raise OptionError(f"there is no plugin for {name!r}", nearest(name, PLUGINS))
    return cast(Installer, importlib.import_module(f"{__package__}.{name}"))
