"""What the shot network says of sampled pictures, which it is shown as one film.

Keyframes lie about a second apart, so its word on cuts means here that little of the picture is
where it was a second ago; its embeddings tell what a picture looks like. It runs on the processor,
on one thread and one window at a time, so that the same pictures get the same answer everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .edit_spec import WATCHED_FEATURES
from .network_files import hash_of
from .spec import Frames
from .watching import windows_of
from .weights import open_shots_on_processor

#: Pieces of pictures that are put together.
_PIECES = 64


def version() -> str:
    """The head of the network's hash, for caches.

    Raises ModelError when the network is missing.
    """
    return hash_of("shots")[:16]


def watch_samples(pictures: Iterable[Frames]) -> NDArray[np.float16]:
    """The columns :data:`WATCHED_FEATURES` of n sampled pictures, float16 ``[n, columns]``.

    ``pictures`` are uint8 ``[k, 27, 48, 3]`` in order, in pieces of any size, of which no more are
    held than a window sees.

    Raises ModelError when the network is missing, altered or cannot run.
    """
    network = open_shots_on_processor()
    spec = network.spec
    answers = [np.zeros((0, len(WATCHED_FEATURES)), np.float16)]
    batches = ((np.zeros(len(piece), np.int64), piece) for piece in _gathered(pictures))
    for window, _, seen in windows_of(batches, spec):
        said = network.run(seen[None])
        columns = [said["cut"][..., None], said["transition"][..., None]]
        whole = np.concatenate([*columns, said["quality"], said["embedding"]], axis=2)
        answers.append(whole[0, window.kept].astype(np.float16))
    return np.concatenate(answers)


def _gathered(pictures: Iterable[Frames]) -> Iterator[Frames]:
    """The same in larger pieces: each one that comes has a window's pictures copied."""
    held: list[Frames] = []
    for piece in pictures:
        held.append(piece)
        if len(held) == _PIECES:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)
