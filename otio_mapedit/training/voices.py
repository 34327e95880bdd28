"""Voices for rushes: lines that somebody says, each in several takes.

Lines are spoken by synthesisers (:mod:`~otio_mapedit.training.speakers`), which speak another take
with another tempo, pitch and another pause, as people do; or they are phrases of recordings, of
which another take is made by changing tempo and pitch. The texts are drawn from lists of common
words.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
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
from .side_by_side import answers
from .speakers import INSTALL, RATE, Samples, Voice, installed, resampled, speak, trimmed

log = logging.getLogger(__name__)

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
    "it": (
        "noi voi loro nessuno ognuno il la un questa nuovo piccola grande lunga pellicola immagine "
        "camera luce finestra giardino fiume inverno mattina domanda risposta colore musica voce "
        "città gente mostra trova tiene porta apre segue cerca e ma perché quando mai sempre "
        "ancora domani con senza sotto dopo durante venti cento ponte macchina lettera"
    ),
    "ru": (
        "мы вы они никто каждый этот новый старый большой маленький длинный фильм картина камера "
        "свет окно сад река зима лето утро вопрос ответ цвет музыка голос город люди дети учитель "
        "показывает находит берёт несёт ищет и но потому когда никогда всегда часто медленно снова "
        "сегодня завтра вчера без после между двадцать сто мост машина письмо"
    ),
    "pt": (
        "nós vocês ela ninguém cada o a um esta novo pequena grande longa filme imagem câmera luz "
        "janela jardim rio inverno manhã pergunta resposta cor música voz cidade gente mostra "
        "encontra guarda traz abre segue procura e mas porque quando nunca sempre devagar ainda "
        "amanhã com sem sob entre depois vinte cem ponte máquina carta"
    ),
    "hi": (
        "हम तुम वे कोई हर यह वह नया पुराना छोटी बड़ा लंबी फ़िल्म तस्वीर कैमरा रोशनी खिड़की बगीचा नदी "
        "सर्दी गर्मी सुबह शाम सवाल जवाब रंग संगीत आवाज़ शहर लोग बच्चे शिक्षक दिखाता ढूँढता लाता खोलता "
        "और लेकिन क्योंकि जब कभी हमेशा अक्सर धीरे फिर आज कल के साथ बिना बीच बाद बीस सौ पुल मशीन चिट्ठी"
    ),
    "sv": (
        "vi ni hon ingen alla den en ny gammal liten lång film bild kamera ljus fönster trädgård "
        "flod vinter sommar morgon fråga svar färg musik röst stad folk visar hittar bär öppnar "
        "följer söker och men därför när aldrig alltid ofta långsamt igen idag imorgon igår med "
        "utan under efter mellan tjugo hundra bro maskin brev"
    ),
}


_NATURAL = 6
"""Lines by each of Kokoro's voices, which takes longer to speak than to listen."""
_KOKORO = {
    "en-us": (
        *("af_heart", "af_bella", "af_nicole", "af_kore", "af_alloy", "af_aoede", "af_jessica"),
        *("af_nova", "af_river", "af_sarah", "af_sky", "am_michael", "am_fenrir", "am_puck"),
        *("am_onyx", "am_adam", "am_echo", "am_eric", "am_liam", "am_santa"),
    ),
    "en-gb": (
        *("bf_emma", "bf_lily", "bf_alice", "bf_isabella"),
        *("bm_george", "bm_fable", "bm_daniel", "bm_lewis"),
    ),
    "fr": ("ff_siwis",),
    "it": ("if_sara", "im_nicola"),
    "pt": ("pm_alex", "pf_dora", "pm_santa"),
    "hi": ("hf_alpha", "hf_beta", "hm_omega", "hm_psi"),
    "cmn": (
        *("zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi"),
        *("zm_yunjian", "zm_yunxi", "zm_yunyang"),
    ),
}
TRAINING = (
    Voice("flite", "slt", "en"),
    Voice("flite", "kal16", "en"),
    *(
        Voice("espeak-ng", name, name.split("+")[0].split("-")[0])
        for name in (
            *("en-us+m3", "en-gb+f2", "en-us+f4", "en-gb+m7", "en-us+klatt2", "en-gb+klatt4"),
            *("cmn", "cmn+f4", "cmn+m2", "cmn+f1", "cmn+m8", "de+m1", "de+f1", "fr+f3", "fr+m4"),
            *("it+f2", "it+m6", "ru+m1", "ru+f4", "pt+m3", "pt+f1", "sv+f3", "sv+m8"),
        )
    ),
    Voice("festival", "ked_diphone", "en", 20),
    Voice("festival", "msu_ru_nsh_clunits", "ru", 15),
    *(
        Voice("pico", name, name.split("-")[0])
        for name in ("en-US", "en-GB", "de-DE", "fr-FR", "it-IT")
    ),
    *(
        Voice("kokoro", name, language, _NATURAL)
        for language, names in _KOKORO.items()
        for name in names
    ),
)
"""Voices that may teach. None is a voice, language or variant of those that test."""
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
    rng: np.random.Generator,
    voices: Sequence[Voice],
    count: int,
    takes: int = 3,
    styles: Path | None = None,
) -> list[Line]:
    """``count`` lines by synthesised voices, those whose program is installed; the others are named
    in a warning. ``styles`` is the folder of Kokoro's voices.

    Raises UsageError when there is none.
    """
    turns = _turns(voices, count, styles)
    return [line for voice in turns for line in _line(rng, voice, takes, styles)]


def spoken_apart(
    seed: Sequence[int],
    voices: Sequence[Voice],
    count: int,
    takes: int = 3,
    styles: Path | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Line]:
    """The same with a seed of its own for every line, so that ``workers`` processes say the same
    lines as one.

    Raises UsageError: see ``spoken_lines``.
    """
    turns = _turns(voices, count, styles)
    jobs = [([*seed, number], voice, takes, styles) for number, voice in enumerate(turns)]
    lines: list[Line] = []
    for done, said in enumerate(answers(_said_apart, jobs, workers)):
        lines += said
        if progress is not None:
            progress(done + 1, len(jobs))
    return lines


def _said_apart(job: tuple[list[int], Voice, int, Path | None]) -> list[Line]:
    seed, voice, takes, styles = job
    return _line(np.random.default_rng(seed), voice, takes, styles)


def _turns(voices: Sequence[Voice], count: int, styles: Path | None) -> list[Voice]:
    """Who of those that are installed says which line; the others are named in a warning."""
    there = [voice for voice in voices if installed(voice, styles)]
    if not there:
        raise UsageError("no voice to make rushes with", "Type: apt install flite espeak-ng")
    programs = sorted({voice.program for voice in voices if voice not in there})
    if programs:
        ways = "; ".join(f"{program} ({INSTALL[program]})" for program in programs)
        log.warning("fewer voices than there could be, not installed: %s", ways)
    turns: list[Voice] = []
    said = dict.fromkeys(there, 0)
    for turn in range(count):
        voice = there[turn % len(there)]
        if not voice.most or said[voice] < voice.most:
            said[voice] += 1
            turns.append(voice)
    return turns


def _line(rng: np.random.Generator, voice: Voice, takes: int, styles: Path | None) -> list[Line]:
    """One line, or none where a take is too short."""
    words = WORDS[voice.language.split("-")[0]].split()
    text = [str(word) for word in rng.choice(words, rng.integers(4, 13))]
    base = rng.uniform(0.88, 1.15), rng.uniform(0.85, 1.2)
    slow = voice.program == "kokoro"
    spoken = [speak(rng, voice, text, base, styles) for _ in range(2 if slow else takes)]
    sibling = None
    if not slow and rng.random() < 0.15:
        other = [*text[: rng.integers(1, 4)], *rng.choice(words, rng.integers(4, 9))]
        sibling = speak(rng, voice, [str(word) for word in other], base, styles)
    if any(len(take) <= RATE // 2 for take in spoken):
        return []
    spoken += [another_take(rng, spoken[0]) for _ in range(takes - len(spoken))]
    return [Line(voice.label, tuple(spoken), sibling)]


def recorded_lines(
    rng: np.random.Generator,
    files: Sequence[Path],
    takes: int = 3,
    most: int = 40,
    speakers: Mapping[Path, str] | None = None,
) -> list[Line]:
    """Phrases of recordings, found by the voice detector; at most ``most`` of each file.

    Every file is another speaker, unless ``speakers`` says who speaks in it."""
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
            speaker = (speakers or {}).get(path, path.name)
            lines.append(Line(speaker, (phrase, *others)))
    return lines


def trainable_recordings(manifest: Path) -> list[Path]:
    """Files with sound that the manifest allows for training."""
    entries: list[dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))
    return [
        manifest.parent / entry["file"]
        for entry in entries
        if entry.get("use") == "train" and entry.get("audio")
    ]


def another_take(rng: np.random.Generator, samples: Samples) -> Samples:
    """The same phrase a little faster or slower, higher or lower, brighter or duller."""
    pitch = float(np.exp(rng.normal(0, 0.03)))
    tempo = float(np.exp(rng.normal(0, 0.07))) / pitch
    changed = resampled(stretched(rng, samples, np.clip(tempo, 0.8, 1.25)), pitch)
    tilt = rng.normal(0, 0.2)
    changed = changed - np.float32(tilt) * np.concatenate([changed[:1] * 0, changed[:-1]])
    return trimmed(np.asarray(changed, np.float32))


def stretched(rng: np.random.Generator, samples: Samples, tempo: float) -> Samples:
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
