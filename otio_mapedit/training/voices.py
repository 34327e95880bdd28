"""Voices for rushes: lines that somebody says, each in several takes.

Lines are spoken by the synthesisers ``flite`` and ``espeak-ng``, which speak another take with
another tempo, pitch and another pause, as people do; or they are phrases of recordings, of which
another take is made by changing tempo and pitch. The texts are drawn from lists of common words.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import speech
from ..audio import sound
from ..errors import UsageError
from ..media import probe
from ..solve import runs

log = logging.getLogger(__name__)

Samples = npt.NDArray[Any]
RATE = 16000

WORDS = {
    "en": (
        "we you they she nobody everyone the a this that every another first second last new old "
        "small great quiet long film picture camera editor story light window garden river winter "
        "summer morning evening question answer number colour music voice sound cut scene take "
        "city train people child mother teacher doctor water mountain weather table paper machine "
        "makes takes shows finds keeps loses brings opens closes follows needs likes watches wants "
        "starts ends and but because when then there here never always often slowly again today "
        "tomorrow yesterday with without under over about between after before through from into "
        "seven eleven twenty hundred kitchen market bridge letter engine signal pocket orange"
    ),
    "de": (
        "wir ihr sie niemand jeder der die das ein neue alte kleine lange Film Bild Kamera Licht "
        "Fenster Garten Fluss Winter Sommer Morgen Frage Antwort Farbe Musik Stimme Stadt Leute "
        "macht zeigt findet bringt braucht und aber weil dann dort hier nie immer oft langsam "
        "heute gestern mit ohne unter zwischen nach durch zwanzig hundert Brücke Maschine"
    ),
    "fr": (
        "nous vous elle personne chacun le la un cette nouveau petite grande longue film image "
        "caméra lumière fenêtre jardin rivière hiver matin question réponse couleur musique voix "
        "ville enfants montre trouve garde apporte ouvre suit cherche et mais parce quand jamais "
        "toujours souvent lentement encore demain avec sans sous entre après pendant vingt cent"
    ),
    "es": (
        "nosotros ella nadie cada el la una esta nuevo pequeña grande larga película imagen cámara "
        "luz ventana jardín río invierno mañana pregunta respuesta color música voz ciudad gente "
        "muestra encuentra guarda trae abre sigue busca y pero porque cuando nunca siempre "
        "despacio otra vez ayer con sin bajo entre después durante veinte cien puente máquina carta"
    ),
    "cmn": (
        "我们 你们 他们 大家 今天 明天 昨天 电影 画面 镜头 声音 音乐 故事 颜色 灯光 窗户 花园 河流 "
        "冬天 早上 问题 回答 城市 孩子 老师 医生 开始 结束 需要 喜欢 看见 找到 打开 关上 跟着 因为 "
        "但是 所以 然后 这里 那里 从来 常常 慢慢 再来 一次 之前 之后 二十 一百 桥梁 机器 信件 剪辑"
    ),
    "ja": (
        "わたしたち あなた だれも みんな きょう あした えいが がめん カメラ こえ おんがく "
        "はなし いろ ひかり まど にわ かわ ふゆ あさ しつもん こたえ まち こども せんせい "
        "はじまる おわる ひつよう すきです みつける あける しめる でも だから そして ここ そこ "
        "いつも ゆっくり もういちど"
    ),
}


@dataclass(frozen=True)
class Voice:
    """A synthesiser's voice, and what it is called in the record of the training."""

    program: str
    name: str
    language: str

    @property
    def label(self) -> str:
        """``flite slt`` and the like."""
        return f"{self.program} {self.name}"


TRAINING = (
    Voice("flite", "slt", "en"),
    Voice("flite", "kal16", "en"),
    Voice("flite", "slt", "en"),
    Voice("espeak-ng", "en-us+m3", "en"),
    Voice("espeak-ng", "en-gb+f2", "en"),
    Voice("espeak-ng", "cmn", "cmn"),
    Voice("espeak-ng", "cmn+f4", "cmn"),
    Voice("espeak-ng", "de+m1", "de"),
    Voice("espeak-ng", "fr+f3", "fr"),
    Voice("espeak-ng", "en-us+f4", "en"),
    Voice("espeak-ng", "en-gb+m7", "en"),
    Voice("espeak-ng", "cmn+m2", "cmn"),
    Voice("espeak-ng", "de+f1", "de"),
    Voice("espeak-ng", "fr+m4", "fr"),
)
"""Voices that may teach."""
TESTING = (
    Voice("flite", "rms", "en"),
    Voice("flite", "awb", "en"),
    Voice("espeak-ng", "es+f5", "es"),
    Voice("espeak-ng", "ja+m5", "ja"),
)
"""Voices and languages that only test."""


@dataclass(frozen=True)
class Line:
    """One line in several takes, float32 at 16 kHz, without silence at their ends.

    ``sibling`` is another line that begins with the same words and is just as good.
    """

    speaker: str
    takes: tuple[Samples, ...]
    sibling: Samples | None = None


def spoken_lines(
    rng: np.random.Generator, voices: Sequence[Voice], count: int, takes: int = 3
) -> list[Line]:
    """``count`` lines by synthesised voices, those whose program is installed.

    Raises UsageError when none is.
    """
    there = [voice for voice in voices if shutil.which(voice.program)]
    if not there:
        raise UsageError("no voice to make rushes with", "Type: apt install flite espeak-ng")
    lines = []
    for number in range(count):
        voice = there[number % len(there)]
        words = WORDS[voice.language].split()
        text = [str(word) for word in rng.choice(words, rng.integers(4, 13))]
        base = rng.uniform(0.88, 1.15), rng.uniform(0.85, 1.2)
        spoken = tuple(_say(rng, voice, text, base) for _ in range(takes))
        sibling = None
        if rng.random() < 0.15:
            other = [*text[: rng.integers(1, 4)], *rng.choice(words, rng.integers(4, 9))]
            sibling = _say(rng, voice, [str(word) for word in other], base)
        if all(len(take) > RATE // 2 for take in spoken):
            lines.append(Line(voice.label, spoken, sibling))
    return lines


def recorded_lines(
    rng: np.random.Generator, files: Sequence[Path], takes: int = 3, most: int = 40
) -> list[Line]:
    """Phrases of recordings, found by the voice detector; at most ``most`` of each file."""
    lines = []
    for path in files:
        samples = _heard(path)
        probability = speech.listen(samples)
        spans = [
            (first * speech.STEP, stop * speech.STEP)
            for first, stop in _phrases(probability)
            if 1.0 <= (stop - first) * speech.STEP / RATE <= 8
        ]
        for first, stop in spans[:most]:
            phrase = trimmed(samples[max(0, first - 800) : stop + 800])
            if len(phrase) < RATE:
                continue
            others = tuple(another_take(rng, phrase) for _ in range(takes - 1))
            lines.append(Line(path.name, (phrase, *others)))
    return lines


def trainable_recordings(manifest: Path) -> list[Path]:
    """Files with sound that the manifest allows for training."""
    entries: list[dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))
    return [
        manifest.parent / entry["file"]
        for entry in entries
        if entry.get("use") == "train" and entry.get("audio")
    ]


def trimmed(samples: Samples) -> Samples:
    """Without what is 35 dB below the loudest 20 ms, at both ends; peaks at 0.5."""
    size = RATE // 50
    power = np.square(samples[: len(samples) // size * size]).reshape(-1, size).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0) * 10**-3.5)
    if not len(loud):
        return samples[:0]
    part = samples[loud[0] * size : (loud[-1] + 1) * size]
    return np.asarray(part * (0.5 / np.abs(part).max()), np.float32)


def another_take(rng: np.random.Generator, samples: Samples) -> Samples:
    """The same phrase a little faster or slower, higher or lower, brighter or duller."""
    pitch = float(np.exp(rng.normal(0, 0.03)))
    tempo = float(np.exp(rng.normal(0, 0.07))) / pitch
    changed = resampled(_stretched(rng, samples, np.clip(tempo, 0.8, 1.25)), pitch)
    tilt = rng.normal(0, 0.2)
    changed = changed - np.float32(tilt) * np.concatenate([changed[:1] * 0, changed[:-1]])
    return trimmed(np.asarray(changed, np.float32))


def resampled(samples: Samples, factor: float) -> Samples:
    """``factor`` times faster and higher."""
    count = max(1, int(len(samples) / factor))
    at = np.linspace(0, len(samples) - 1, count)
    if factor > 1.1:  # what would fold back is taken out first
        width = int(np.ceil(factor))
        samples = np.convolve(samples, np.full(width, 1 / width), "same").astype(np.float32)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def _stretched(rng: np.random.Generator, samples: Samples, tempo: float) -> Samples:
    """``tempo`` times faster at the same pitch, unevenly, by overlapping waves where they fit best
    (Verhelst and Roelands 1993, WSOLA)."""
    size, hop, search = 640, 320, 160
    if len(samples) < 4 * size:
        return samples
    window = np.hanning(size).astype(np.float32)
    out = np.zeros(int(len(samples) / tempo * 1.3) + 2 * size, np.float32)
    read, write, drift = 0.0, 0, 0.0
    follow = samples[:size]
    while int(read) + size + search < len(samples) and write + size < len(out):
        low = max(0, int(read) - search)
        around = samples[low : int(read) + search + size]
        fit = np.correlate(around[::2], follow[: size // 2 * 2][::2], "valid")
        at = low + 2 * int(np.argmax(fit))
        out[write : write + size] += samples[at : at + size] * window
        follow = samples[at + hop : at + hop + size]
        if len(follow) < size:
            break
        drift = 0.9 * drift + rng.normal(0, 0.03)
        read += hop * tempo * float(np.exp(np.clip(drift, -0.15, 0.15)))
        write += hop
    return out[: write + hop]


def _say(
    rng: np.random.Generator, voice: Voice, words: Sequence[str], base: tuple[float, float]
) -> Samples:
    """A take of some words; ``base`` is the speaker's usual tempo and pitch, as factors."""
    tempo = base[0] * float(np.exp(rng.normal(0, 0.06)))
    pitch = base[1] * float(np.exp(rng.normal(0, 0.05)))
    text = list(words)
    if len(text) > 5 and rng.random() < 0.4:
        at = int(rng.integers(2, len(text) - 1))
        text[at] += ","
    if voice.program == "flite":
        mean = {"slt": 170.0, "kal16": 105.0, "rms": 105.0, "awb": 120.0}[voice.name]
        command = ["flite", "-voice", voice.name, "--setf", f"duration_stretch={1 / tempo:.3f}"]
        command += ["--setf", f"int_f0_target_mean={mean * pitch:.1f}"]
        command += ["-t", " ".join(text), "-o", "/dev/stdout"]
    else:
        command = ["espeak-ng", "-v", voice.name, "-s", f"{160 * tempo:.0f}"]
        command += ["-p", f"{np.clip(50 * pitch, 10, 90):.0f}", "--stdout", " ".join(text)]
    made = subprocess.run(command, capture_output=True, check=True, timeout=900).stdout
    return trimmed(_from_wave(made))


def _from_wave(content: bytes) -> Samples:
    with wave.open(io.BytesIO(content)) as opened:
        rate = opened.getframerate()
        raw = opened.readframes(1 << 28)
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    return samples if rate == RATE else resampled(samples, rate / RATE)


def _heard(path: Path) -> Samples:
    """The first sound track of a file."""
    media = probe(path, Fraction(100))
    blocks = [block.samples for block in sound(media, RATE) if block.track == 0]
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def _phrases(probability: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    """Runs of speech, those less than a quarter of a second apart joined up to six seconds."""
    joined: list[tuple[int, int]] = []
    for first, stop in runs(probability > 0.5):
        if joined and first - joined[-1][1] < 8 and stop - joined[-1][0] < 190:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((first, stop))
    return joined
