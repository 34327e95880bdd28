"""A style that takes an edit network of its own: what must be learned anew with its answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edit_inference import run_edit
from ..recipes.styled import with_answers
from ..style import Style
from ..weights import EditNetwork, open_edit_network_file
from .habits import leaning
from .learn import lessons_of
from .lessons import Lesson

#: How far the leaning is trusted where none was, and the share of moments that must be gained on
#: the timeline that was held out.
_SOME_TRUST, _GAIN = 0.3, 0.01

Example = tuple[NDArray[np.float32], NDArray[np.float64]]


def examples_of(style: Style) -> list[list[Example]]:
    """Of every lesson what the network read and what was kept, for this version's network.

    Raises:
        FormatError: the style holds something that is no lesson.
    """
    return [found for lesson in lessons_of(style) if (found := lesson.examples())]


def with_network(style: Style, path: Path, facts: Mapping[str, Any], gained: float) -> Style:
    """``style`` with the network at ``path`` for its own, and a leaning on that network's answers.

    ``gained`` is the share of moments of a held-out timeline that it tells right beyond the general
    network. Where no leaning was trusted before, it gets some trust only if that is clear.

    Raises:
        ModelError: the file is no such network.
    """
    network = open_edit_network_file(path)
    answered = [_answered(lesson, network) for lesson in lessons_of(style)]
    found = leaning([lesson for lesson in answered if lesson is not None])
    trust = style.leaning.trust if style.leaning is not None else 0.0
    if not trust and gained >= _GAIN:
        trust = _SOME_TRUST
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(
        style,
        leaning=replace(found, trust=trust) if found is not None and trust else None,
        network={"sha256": digest, **facts},
    )


def told_by_leaning(style: Style, network: EditNetwork | None = None) -> float | None:
    """How well what can be learned from all timelines but the last tells what that one keeps.

    The mean logarithm of the probability that the leaning gives to what was done with a moment,
    kept and dropped ones weighing alike; on the answers that the lessons hold, or on those of
    ``network``. None where there is too little to learn from, or to tell.
    """
    lessons = lessons_of(style)
    if network is not None:
        answered = [_answered(lesson, network) for lesson in lessons]
        lessons = [lesson for lesson in answered if lesson is not None]
    found = leaning(lessons[:-1])
    if found is None or lessons[-1].network != found.network:
        return None
    values, kept = lessons[-1].table()
    wanted = kept > 0.5
    if not 0 < wanted.sum() < len(wanted):
        return None
    said = np.clip(found.probability(values), 1e-3, 1 - 1e-3)
    return float((np.log(said[wanted]).mean() + np.log(1 - said[~wanted]).mean()) / 2)


def _answered(lesson: Lesson, network: EditNetwork) -> Lesson | None:
    """A lesson with what another network answers; None where it did not keep what it reads."""
    examples = lesson.examples()
    if not examples:
        return None
    values, _ = lesson.table()
    parts, at = [], 0
    for steps, _kept in examples:
        said = run_edit(network, [steps])
        parts.append(with_answers(values[at : at + len(steps)], said))
        at += len(steps)
    return lesson.with_table(np.concatenate(parts), network.label)
