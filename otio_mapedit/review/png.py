"""PNG pictures from arrays: 8-bit RGB, no filter (W3C, "Portable Network Graphics", ed. 3)."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def png(picture: NDArray[np.uint8]) -> bytes:
    """The file of a picture, uint8 ``[height, width, 3]``, neither of which is 0."""
    height, width, _ = picture.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def data_url(picture: NDArray[np.uint8]) -> str:
    """The picture as a URL that holds it."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def heat(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values from 0 to 1 ``[height, width]`` as colours from the page's background over blue and
    amber to white, each step lighter than the one before."""
    stops = np.array([0.0, 0.15, 0.5, 0.8, 1.0])
    colours = np.array(
        [[24, 27, 33], [38, 52, 92], [150, 90, 80], [240, 165, 60], [255, 244, 214]], float
    )
    channels = [np.interp(np.clip(values, 0, 1), stops, column) for column in colours.T]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
