"""The table of verbs, and what happens around each of them."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import MapeditError
from . import output

#: Verb -> module, one line of help; in the order of a day's work. A module is imported when one
#: of its verbs is used, so that ``mapedit --help`` stays quick.
VERBS: dict[str, tuple[str, str]] = {
    "roughcut": ("edit", "Make a rough cut: dead air, black and unusable passages go."),
    "shots": ("edit", "Find the shots of an edited file: cuts, dissolves, wipes, fades."),
    "probe": ("inspect", "Show what is in media files: rate, timecode, picture, sound."),
    "check": ("inspect", "Check a timeline: nothing offline, nothing outside its media."),
    "convert": ("convert", "Turn a timeline into another kind of file: FCPXML, XML, EDL, OTIO."),
    "compare": ("compare", "Say what a human changed in an edit: two timelines of any kinds."),
    "watch": ("watch", "Work for the plugins of editing programs: Resolve, Premiere Pro."),
