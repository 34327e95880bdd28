"""Pictures of edits and of mistakes, for looking at."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from ..spec import QUALITIES
from . import camera
from .corpus import Corpus, Pixels
from .evaluate import Matching
from .unedit import example

TINTS = np.array(
    [[40, 40, 40], [255, 60, 60], [60, 160, 255], [60, 220, 90], [230, 60, 230], [250, 220, 60]],
    np.uint8,
)
"""Colour of each of ``KINDS`` on a contact sheet."""


def contact_sheet(corpus: Corpus, seed: int, rows: int = 12, out: Path | None = None) -> Pixels:
    """``rows`` edits of the series ``seed`` as one picture, frame by frame, for looking at.

    Under each frame a bar shows its kind (red cut, blue dissolve, green wipe, violet fade out,
    yellow fade in) and over it a white dot for each technical fault. ``out`` is a PNG to write.
    """
    bands = []
    for index in range(rows):
        made_ = example(corpus, seed, index)
        cells = np.zeros((len(made_), camera.HEIGHT + 6, camera.WIDTH + 1, 3), np.uint8)
        cells[:, 2:-4, :-1] = made_.frames
        cells[:, -3:, :-1] = TINTS[made_.kind][:, None, None]
        for fault in range(len(QUALITIES)):
            cells[made_.quality[:, fault], 0:2, 1 + 8 * fault : 6 + 8 * fault] = 255
        cells = cells[: len(cells) // 32 * 32]
        bands.append(cells.reshape(-1, 32, *cells.shape[1:]).swapaxes(1, 2))
        bands[-1] = bands[-1].reshape(-1, 32 * cells.shape[2], 3)
        bands.append(np.full((3, 32 * cells.shape[2], 3), 90, np.uint8))
    sheet = np.concatenate(bands)
    if out is not None:
        write_png(sheet, out)
    return sheet


FALSE, MISSED = (230, 50, 50), (60, 140, 255)
"""Colours of the bar before a strip of frames: a boundary found in vain, and one not found."""


def fault_strips(frames: Pixels, matched: Matching, around: int = 10) -> Pixels:
    """One strip for every fault in a video of ``frames`` ``(n, h, w, 3)``, ``around`` to each side.

    A red bar marks a boundary that was found in vain, a blue one a boundary that was missed; the
    boundary lies in the middle, where a white line stands.
    """
    rows = []
    faults = [(each, FALSE) for each in matched.false] + [(each, MISSED) for each in matched.missed]
    for (low, high), ink in sorted(faults):
        middle = int((low + high) / 2 + 0.5)
        at = np.clip(np.arange(middle - around, middle + around), 0, len(frames) - 1)
        cells = np.zeros((len(at), frames.shape[1] + 2, frames.shape[2] + 1, 3), np.uint8)
        cells[:, 1:-1, 1:] = frames[at]
        cells[around, :, 0] = 255
        row = cells.swapaxes(0, 1).reshape(cells.shape[1], -1, 3)
        bar = np.broadcast_to(np.array(ink, np.uint8), (len(row), 6, 3))
        rows.append(np.concatenate([bar, row], axis=1))
    width = 6 + 2 * around * (frames.shape[2] + 1)
    return np.concatenate(rows) if rows else np.zeros((1, width, 3), np.uint8)


def write_png(picture: Pixels, out: Path) -> None:
    """Write ``(h, w, 3)`` RGB as a PNG file."""
    with av.open(str(out), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
