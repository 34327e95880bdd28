"""Learning from the timeline that is open, and cutting in the style that was learned so.

A menu has no place to name a style, so that everything learned there goes into one, ``mine``, and
rough cuts asked for there follow it as soon as it is there. ``mapedit.toml`` in the folder of jobs
names another one, or none::

    [learn]
    style = "anna"

    [roughcut]
    style = ""
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import opentimelineio as otio

from ..cache import Cache, default_folder
from ..config import layered, nearest
from ..errors import FormatError, OptionError, UsageError
from ..learning.learn import learn, taught_by
from ..learning.like import chosen_like
from ..pipeline import Tools
from ..progress import Progress
from ..recipes import roughcut
from ..referenced import media_paths
from ..style import SUFFIX, Style, load, path_for, save, with_style
from .answer import Answer, State
from .folder import JobFolder
from .request import LEARN, Request, Roots

#: The style that is meant where none is named.
USUAL = "mine"


def taught(
    folder: JobFolder,
    request: Request,
    timeline: otio.schema.Timeline | None,
    roots: Roots,
    progress: Progress,
) -> Answer:
    """Learn from a timeline; gives the answer that says so.

    Raises:
        UsageError: no timeline, or media that a job may not read. FormatError, OptionError: see
        :mod:`otio_mapedit.learning.learn`.
    """
    if timeline is None:
        raise UsageError("there is no timeline to learn from", "Export one with the request.")
    for path in media_paths(timeline):
        roots.checked(path)
    _without_paths(timeline)
    name = _name(folder, request)
    style = load(name) if path_for(name).is_file() else Style(name)
    # Which timeline it is, is told by where it lies: one of this name, whatever its job is called.
    title = "".join(c if c.isalnum() or c in " -_." else "_" for c in timeline.name or "timeline")
    place = folder.path / "learned" / f"{title[:100]}.otio"
    try:
        lesson = taught_by(timeline, place, (), Tools(Cache(default_folder()), progress))
    except FormatError as error:
        raise FormatError(
            error.message.replace(str(place), "this timeline"),
            "Relink its clips in the editing program, then run it again.",
        ) from error
    found = learn(style, [lesson])
    save(found.style)
    said = f"Learned from {title}: the style {name} now knows {len(found.style.lessons)} timelines"
    if found.unchanged:
        said = f"{title} is known already: the style {name} is as it was"
    for copy, other in found.copies:
        said = f"{copy.removesuffix('.otio')} is the same edit as {other}: it counts once"
    gone = [f"not found, it teaches nothing: {each}" for each in lesson.offline]
    gone += [f"not what it was cut from, it teaches nothing: {each}" for each in lesson.changed]
    return Answer(
        request.id,
        State.DONE,
        f"{said}. Rough cuts follow it; mapedit style forget {name} undoes that.",
        warnings=tuple(gone),
        facts={"style": name, "timelines": len(found.style.lessons)},
    )


def styled(folder: JobFolder, request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a recipe in the style that they name, else in the one learned from the menu.

    Raises:
        OptionError, FormatError: there is no such style, or it cannot be read; the request itself
        names a timeline to cut like, whose media nobody has looked at.
    """
    found = dict(values)
    if request.verb != roughcut.NAME:
        name = str(found.get("style", ""))
        return with_style(name, found, request.verb) if name else found
    if request.options.get("like"):
        raise OptionError("like: a job may not name a timeline", "Learn from it, or name a style.")
    if found.get("like"):
        return chosen_like(request.verb, found)
    if "style" not in found:
        name = str(layered(LEARN, {}, folder.path).get("style", USUAL))
        found["style"] = name if path_for(name).is_file() else ""
    return with_style(str(found["style"]), found) if found["style"] else found


def _name(folder: JobFolder, request: Request) -> str:
    options = layered(LEARN, request.options, folder.path)
    name = str(options.pop("style", USUAL))
    if options:
        stray = next(iter(options))
        raise OptionError(f"learning has no option {stray!r}", nearest(stray, ["style"]))
    if name.endswith(SUFFIX):
        raise OptionError("style: a job may not name a file", "Give the style's name.")
    return name


def _without_paths(timeline: otio.schema.Timeline) -> None:
    """Media that is looked for by name must not be found elsewhere by a name that is a path."""
    for clip in timeline.find_clips():
        reference = clip.media_reference
        for thing in (clip, reference):
            if thing is not None and not isinstance(reference, otio.schema.ExternalReference):
                thing.name = (thing.name or "").replace("/", "_").replace("\\", "_")
