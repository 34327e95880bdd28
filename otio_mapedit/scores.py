"""How much each moment matters, as somebody else says: scores by file, from JSON.

``{"talk": [0.1, 0.5, ...]}`` has for each file, by its name with or without suffix, any number of
scores that are spread evenly over it. That is what ``mapedit model train --data`` writes for the
videos of a data set, and what any other model of importance can be brought into.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import FormatError, UsageError
from .media import MediaInfo
from .step_features import step_count

#: Largest file that is read.
LARGEST_FILE = 256 * 2**20

Array = NDArray[Any]


def read_scores(path: Path, footage: Sequence[MediaInfo]) -> list[Array | None]:
    """Scores of each file by step [steps], None for a file without any. The lowest score of all
    counts 0, the highest 1.

    Raises:
        FormatError: not readable, or not scores. UsageError: none of the files has any.
    """
    given = _given(path)
    found = [given.get(media.name, given.get(media.path.stem)) for media in footage]
    if len(footage) == len(given) == 1:
        found = list(given.values())
    known = [each for each in found if each is not None]
    if not known:
        raise UsageError(
            f"{path} has no scores of {footage[0].name}", f"Call them {footage[0].path.stem!r}."
        )
    low, high = min(each.min() for each in known), max(each.max() for each in known)
    return [
        None if each is None else _by_step((each - low) / ((high - low) or 1.0), media)
        for each, media in zip(found, footage, strict=True)
    ]


def _given(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1)
        if len(text) > LARGEST_FILE:
            raise ValueError("it is too large")
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("it is no object")
        made = {str(name): np.asarray(values, float) for name, values in content.items()}
        for name, values in made.items():
            if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
                raise ValueError(f"{name[:60]!r} has no list of numbers")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise FormatError(
            f"cannot read scores from {path}: {error}", 'Write them like {"talk": [0.1, 0.5]}.'
        ) from error
    return made


def _by_step(scores: Array, media: MediaInfo) -> Array:
    count = step_count(media)
    return np.asarray(scores[np.arange(count) * len(scores) // max(1, count)])
