"""Transcripts made here: what is given to faster-whisper, on which clock, and what is remembered.

A stand-in takes the place of the package. Where the package is installed, what the stand-in was
given is held against the real functions' parameters.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.cache import Cache
from otio_mapedit.errors import ModelError
from otio_mapedit.features import HOP, SoundFeatures, sound_features
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.speech import SAMPLE_RATE
from otio_mapedit.transcribe import Transcriber
from otio_mapedit.transcribe_pieces import LONGEST, pieces_of, with_sound
from otio_mapedit.transcript import Transcript, tokens
from tests.cli_support import TALK, Cli, one_line
from tests.mediamaker import Picture, Sound, movie, silence

#: Whether the real package is here.
INSTALLED = importlib.util.find_spec("faster_whisper") is not None

Said = list[SimpleNamespace]
Hear = Callable[[np.ndarray[Any, Any]], Said]


def segment(*words: tuple[str, float, float]) -> SimpleNamespace:
    """A segment as faster-whisper gives it, with its words."""
    made = [SimpleNamespace(word=text, start=start, end=end) for text, start, end in words]
    text = "".join(word.word for word in made)
    return SimpleNamespace(text=text, start=made[0].start, end=made[-1].end, words=made)


def clicks_in(samples: np.ndarray[Any, Any]) -> Said:
    """A word at every click."""
    loud = np.flatnonzero(np.abs(samples) > 0.4)
    starts = loud[np.diff(loud, prepend=-SAMPLE_RATE) > SAMPLE_RATE // 10] / SAMPLE_RATE
    return [segment((" tick", at, at + 0.1)) for at in starts]


@dataclass
class StandIn:
    """What the stand-in hears, and what it was given."""

    hear: Hear = clicks_in
    here: dict[str, Path] = field(default_factory=dict)  # models on this computer, by name
    language: tuple[str, float] = ("en", 0.9)
    broken_on: str = ""  # a device that does not work
    opened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, bool]] = field(default_factory=list)


def package(stand_in: StandIn) -> ModuleType:
    """A module like faster_whisper."""

    class WhisperModel:
        supported_languages = ("en", "zh")

        def __init__(self, model_size_or_path: str, **options: Any) -> None:
            stand_in.opened.append((model_size_or_path, options))
            self.device = options["device"]

        def transcribe(self, audio: Any, **options: Any) -> tuple[Iterator[Any], Any]:
            stand_in.heard.append({"audio": audio.copy(), **options})

            def segments() -> Iterator[Any]:
                if self.device == stand_in.broken_on:
                    raise RuntimeError("Library libcublas.so.12 is not found")
                yield from stand_in.hear(audio)

            name, sure = stand_in.language
            info = SimpleNamespace(language=options["language"] or name, language_probability=sure)
            return segments(), info

    def download_model(size_or_id: str, local_files_only: bool = False) -> str:
        stand_in.asked.append((size_or_id, local_files_only))
        if size_or_id not in stand_in.here:
            raise FileNotFoundError("outgoing traffic has been disabled")
        return str(stand_in.here[size_or_id])

    made = ModuleType("faster_whisper")
    made.__dict__.update(
        WhisperModel=WhisperModel,
        download_model=download_model,
        available_models=lambda: ["tiny", "small"],
        __version__="1.2.1",
    )
    return made


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn()
    monkeypatch.setitem(sys.modules, "faster_whisper", package(made))
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the files of a model."""
    folder = tmp_path / "models" / "little"
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_text(name)
    return folder


def talking(seconds: float, *spoken: tuple[float, float]) -> SoundFeatures:
    """Sound in which the voice detector is sure of speech at some times, and of none at others."""
    speech = np.full(round(seconds / float(HOP)), 0.02, np.float32)
    for start, stop in spoken:
        speech[round(start / float(HOP)) : round(stop / float(HOP))] = 0.98
    return SoundFeatures(HOP, np.full(len(speech), -20, np.float32), speech)


def seconds_of(transcript: Transcript) -> list[float]:
    """When each word begins."""
    return [
        round(float(word.start), 2)
        for sentence in transcript.sentences
        for word in sentence.words or (sentence,)
    ]


def click_track(path: Path, start: float = 0.0, timecode: str = "") -> MediaInfo:
    """20 s of picture, with clicks at every full second of the picture's clock from ``start``."""
    picture = Picture(frames=500, timecode=timecode)
    return probe(movie(path, picture, [Sound(duration=20 - start, start=start)]))


# The clock ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "timecode"), [(0.0, ""), (3.25, ""), (3.25, "10:11:12:13")])
def test_words_are_timed_from_the_first_picture(
    tmp_path: Path, stand_in: StandIn, model: Path, start: float, timecode: str
) -> None:
    media = click_track(tmp_path / "a.mov", start, timecode)
    sound = talking(20, (4.6, 7.4), (12.5, 15.5))
    transcript = Transcriber(str(model)).transcript(media, sound, Cache(None))
    assert seconds_of(transcript) == [5, 6, 7, 13, 14, 15]
    assert transcript.network.startswith("faster-whisper 1.2.1 little ")


def test_all_tracks_are_heard(tmp_path: Path, stand_in: StandIn, model: Path) -> None:
    def later(seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        near = np.abs(seconds - 9.5)
        return np.where(near < 0.002, 1.0, 0.0)

    sounds = [
        Sound(duration=7.8),
        Sound(duration=20, channels=(later,)),
        Sound(duration=12, start=6, channels=(silence,)),
    ]
    media = probe(movie(tmp_path / "a.mov", Picture(frames=500), sounds))
    sound = talking(20, (6.6, 7.4), (9.2, 9.8), (18, 19))
    transcript = Transcriber(str(model)).transcript(media, sound, Cache(None))
    assert seconds_of(transcript) == [7, 9.5]
    assert len(stand_in.heard) == 2


def test_only_what_is_needed_is_held(tmp_path: Path) -> None:
    media = click_track(tmp_path / "a.mov")
    pieces = pieces_of(talking(20, (1, 2), (8, 9), (16, 17)).speech)
    heard = with_sound(media, pieces)
    assert next(heard).samples is not None
    assert [piece.samples is None for piece in pieces] == [False, True, True]
    assert len(list(heard)) == 2


def test_no_word_reaches_beyond_speech(tmp_path: Path, stand_in: StandIn, model: Path) -> None:
    """Whisper begins its first word with the sound, and hears silence up to half a minute."""
    stand_in.hear = lambda samples: [segment((" So", 0.0, 0.9), (" on.", 1.5, 29.0))]
    media = click_track(tmp_path / "a.mov")
    (said,) = Transcriber(str(model)).transcript(media, talking(20, (5, 7)), Cache(None)).sentences
    assert [(float(word.start), float(word.end)) for word in said.words] == [(4.9, 5.6), (6.2, 7.1)]


# Which sound --------------------------------------------------------------------------------------


def spans(*spoken: tuple[float, float], seconds: float = 120) -> list[tuple[float, float]]:
    return [
        (piece.spoken[0] / SAMPLE_RATE, piece.spoken[1] / SAMPLE_RATE)
        for piece in pieces_of(talking(seconds, *spoken).speech)
    ]


def test_pieces_begin_and_end_in_pauses() -> None:
    assert spans((3, 5), (6, 9), (20, 24)) == [(3, 9), (20, 24)]
    assert spans() == []
    assert spans((5, 5.05)) == []
    # Too long for one: divided at the longest pause of the second half.
    assert spans((0, 10), (10.2, 18), (19.5, 25), (25.3, 33), (33.2, 40)) == [(0, 18), (19.5, 40)]
    pieces = pieces_of(talking(20, (5, 7), (9.2, 10)).speech)
    assert [(piece.start, piece.stop) for piece in pieces] == [
        (round(4.7 * SAMPLE_RATE), round(7.3 * SAMPLE_RATE)),
        (round(8.9 * SAMPLE_RATE), round(10.3 * SAMPLE_RATE)),
    ]


def test_speech_without_a_pause_is_divided_where_it_is_least_likely() -> None:
    sound = talking(60, (2, 50))
    sound.speech[2500:2503] = 0.6
    pieces = pieces_of(sound.speech)
    assert [piece.spoken[0] // 160 for piece in pieces] == [200, 2500]


runs = st.lists(st.tuples(st.integers(1, 6000), st.integers(1, 400)), min_size=0, max_size=12)


@given(runs)
def test_all_speech_is_in_some_piece(lengths: list[tuple[int, int]]) -> None:
    probability = np.concatenate(
        [np.concatenate([np.full(pause, 0.1), np.full(run, 0.9)]) for run, pause in lengths]
        or [np.zeros(0)]
    )
    pieces = pieces_of(probability)
    at = 0
    covered = np.zeros(len(probability), bool)
    for piece in pieces:
        assert at <= piece.start <= piece.spoken[0] < piece.spoken[1] <= piece.stop
        assert piece.spoken[1] - piece.spoken[0] <= LONGEST * SAMPLE_RATE
        assert piece.stop <= len(probability) * 160
        at = piece.stop
        covered[piece.spoken[0] // 160 : piece.spoken[1] // 160] = True
    for start in np.flatnonzero((probability > 0.5) & ~covered):
        near = probability[max(0, start - 10) : start + 10] > 0.5
        assert near.sum() < 10  # nothing of a tenth of a second is left out


# What is given to the package ---------------------------------------------------------------------


def test_what_is_given_fits_the_real_package(
    tmp_path: Path, stand_in: StandIn, model: Path
) -> None:
    media = click_track(tmp_path / "a.mov")
    scribe = Transcriber(str(model), language="zh")
    scribe.transcript(media, talking(20, (4, 6)), Cache(None))
    ((place, how),) = stand_in.opened
    (heard,) = stand_in.heard
    audio = heard.pop("audio")
    assert place == str(model)
    assert how["local_files_only"] is True
    assert how["device"] == "cpu"
    assert audio.dtype == np.float32
    assert audio.shape == (round(2.6 * SAMPLE_RATE),)
    assert heard["word_timestamps"] is True
    assert heard["language"] == "zh"
    assert heard["temperature"] == 0  # sampling would answer otherwise every time
    if not INSTALLED:
        pytest.skip("what was given was not held against faster-whisper: it is not installed")
    sys.modules.pop("faster_whisper")
    import faster_whisper

    inspect.signature(faster_whisper.WhisperModel.__init__).bind(None, place, **how)
    inspect.signature(faster_whisper.WhisperModel.transcribe).bind(None, audio, **heard)
    inspect.signature(faster_whisper.download_model).bind("tiny", local_files_only=True)
    assert "tiny" in faster_whisper.available_models()


def test_a_language_that_is_sure_counts_for_the_rest(
    tmp_path: Path, stand_in: StandIn, model: Path
) -> None:
    media, sound = click_track(tmp_path / "a.mov"), talking(20, (0.5, 2.5), (6.5, 8.5), (12, 14))
    Transcriber(str(model)).transcript(media, sound, Cache(None))
    assert [each["language"] for each in stand_in.heard] == [None, "en", "en"]
    stand_in.heard.clear()
    stand_in.language = ("cs", 0.3)
    Transcriber(str(model)).transcript(media, sound, Cache(None))
    assert [each["language"] for each in stand_in.heard] == [None, None, None]


def test_a_graphics_card_that_does_not_work_is_done_without(
    tmp_path: Path, stand_in: StandIn, model: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("otio_mapedit.transcribe.chosen_providers", lambda: tuple(wanted))
    media, sound = click_track(tmp_path / "a.mov"), talking(20, (4.5, 6.5))
    stand_in.broken_on = "cuda"
    transcript = Transcriber(str(model)).transcript(media, sound, Cache(None))
    assert seconds_of(transcript) == [5, 6]
    assert [how["device"] for _, how in stand_in.opened] == ["cuda", "cpu"]
    assert "libcublas" in caplog.text
    stand_in.broken_on = "cpu"
    del wanted[0]
    with pytest.raises(ModelError, match="libcublas"):
        Transcriber(str(model)).transcript(media, sound, Cache(None))


# What is remembered -------------------------------------------------------------------------------


def many_pieces() -> SoundFeatures:
    """23 short passages: three parts of the cache."""
    return talking(120, *((2 + 5 * n, 3 + 5 * n) for n in range(23)))


def test_what_was_transcribed_is_remembered(tmp_path: Path, stand_in: StandIn, model: Path) -> None:
    media, cache = click_track(tmp_path / "a.mov"), Cache(tmp_path / "cache")
    told: list[tuple[float, float]] = []

    def progress(task: str, done: float, total: float) -> None:
        assert task == "Transcribing a.mov"
        told.append((done, total))

    first = Transcriber(str(model)).transcript(media, many_pieces(), cache, progress)
    assert len(stand_in.heard) == 23
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    again = Transcriber(str(model)).transcript(media, many_pieces(), cache)
    assert again == first
    assert len(stand_in.heard) == 23
    assert len(stand_in.opened) == 1  # the model was not even loaded
    Transcriber(str(model), language="zh").transcript(media, many_pieces(), cache)
    assert len(stand_in.heard) == 46
    (model / "model.bin").write_text("another")
    Transcriber(str(model)).transcript(media, many_pieces(), cache)
    assert len(stand_in.heard) == 69


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, stand_in: StandIn, model: Path) -> None:
    media, cache = click_track(tmp_path / "a.mov"), Cache(tmp_path / "cache")

    def stopped(samples: np.ndarray[Any, Any]) -> Said:
        if len(stand_in.heard) == 15:
            raise KeyboardInterrupt
        return clicks_in(samples)

    stand_in.hear = stopped
    with pytest.raises(KeyboardInterrupt):
        Transcriber(str(model)).transcript(media, many_pieces(), cache)
    stand_in.hear, stand_in.heard = clicks_in, []
    resumed = Transcriber(str(model)).transcript(media, many_pieces(), cache)
    assert len(stand_in.heard) == 13
    assert stand_in.heard[0]["language"] == "en"  # as the first part had it
    assert resumed == Transcriber(str(model)).transcript(media, many_pieces(), Cache(None))


# The command line ---------------------------------------------------------------------------------


def test_without_the_package_one_line_says_what_to_install(
    here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    line = one_line(cli("roughcut", TALK, "--transcribe", "small"), 2)
    assert "pip install 'otio-mapedit[speech]'" in line
    assert not list(here.iterdir())


def test_nothing_is_fetched_unasked(here: Path, cli: Cli, stand_in: StandIn, model: Path) -> None:
    line = one_line(cli("highlights", TALK, "--transcribe", "small"), 5)
    assert "--download-model" in line
    assert "--transcribe FOLDER" in line
    assert stand_in.asked == [("small", True)]
    line = one_line(cli("roughcut", TALK, "--transcribe", "small", "--download-model"), 5)
    assert "could not be fetched" in line
    assert stand_in.asked[1:] == [("small", False)]
    assert "Choose one of: tiny, small" in one_line(
        cli("roughcut", TALK, "--transcribe", "smal"), 2
    )
    assert "not a folder" in one_line(cli("roughcut", TALK, "--transcribe", "./none"), 2)
    # Without it, faster-whisper would fetch a tokenizer.
    (model / "tokenizer.json").unlink()
    line = one_line(cli("roughcut", TALK, "--transcribe", model), 5)
    assert "lacks tokenizer.json" in line
    assert not stand_in.opened


def test_a_rough_cut_by_what_it_hears(here: Path, cli: Cli, stand_in: StandIn, model: Path) -> None:
    stand_in.here["small"] = model
    stand_in.hear = lambda samples: [
        segment((" We", 0.5, 0.8), (" um", 0.8, 1.2), (" begin.", 1.2, 1.6))
    ]
    outcome = cli("roughcut", TALK, "--transcribe", "small", "--language", "en", "-o", "a.mapedit")
    assert outcome.code == 0, outcome.err
    edit = json.loads(Path("a.mapedit").read_text("utf-8"))
    assert any(op["reason"].startswith('filler "um"') for op in edit["operations"])
    assert "faster-whisper 1.2.1 small" in edit["generator"]
    assert {each["language"] for each in stand_in.heard} == {"en"}
    # A transcript that is given counts.
    heard = len(stand_in.heard)
    Path("talk.srt").write_text("1\n00:00:03,000 --> 00:00:05,000\nSomething else.\n")
    words = ("--transcribe", "small", "--no-cache", "--force")
    outcome = cli("roughcut", TALK, "--transcript", "talk.srt", *words, "-o", "a.mapedit")
    assert outcome.code == 0, outcome.err
    assert len(stand_in.heard) == heard
    # Of a folder without one for this file, the file is heard.
    Path("talk.srt").rename("other.srt")
    outcome = cli("roughcut", TALK, "--transcript", here, *words, "-o", "a.mapedit")
    assert outcome.code == 0, outcome.err
    assert len(stand_in.heard) == 2 * heard


def test_highlights_take_it_too(here: Path, cli: Cli, stand_in: StandIn, model: Path) -> None:
    stand_in.hear = lambda samples: [segment((" All", 0.2, 0.5), (" of", 0.5, 0.8), (" it.", 1, 2))]
    outcome = cli("highlights", TALK, "-d", "8s", "--transcribe", model, "-o", "a.mapedit")
    assert outcome.code == 0, outcome.err
    assert "little" in json.loads(Path("a.mapedit").read_text("utf-8"))["generator"]
    assert stand_in.heard


def test_a_timeline_that_uses_a_part_is_cut_by_what_is_said_there(here: Path, cli: Cli) -> None:
    """A transcript once counted for nothing with --only-used."""
    words = [
        {"word": text, "start": 4 + number / 2, "end": 4.5 + number / 2}
        for number, text in enumerate(["we", "um", "go", "on"])
    ]
    segment = {"start": 4, "end": 6, "text": "we um go on", "words": words}
    Path("talk.json").write_text(json.dumps({"segments": [segment]}))
    assert cli("roughcut", TALK, "-o", "cut.otio").code == 0
    given_words = ("--transcript", "talk.json", "-o", "-.mapedit")
    outcome = cli("roughcut", "cut.otio", "--only-used", *given_words)
    assert outcome.code == 0, outcome.err
    assert 'filler \\"um\\"' in outcome.out


def test_seconds_stay_exact(tmp_path: Path, stand_in: StandIn, model: Path) -> None:
    stand_in.hear = lambda samples: [segment((" a", 0.301, 0.402), (" b.", 0.402, 0.5))]
    media = click_track(tmp_path / "a.mov")
    (said,) = Transcriber(str(model)).transcript(media, talking(20, (5, 7)), Cache(None)).sentences
    assert said.words[0].start == Fraction(5001, 1000)


def test_the_real_package_hears_what_is_said(tmp_path: Path, shared: Path) -> None:
    """With a model in the folder MAPEDIT_WHISPER: ten counted numbers, each where it is said."""
    folder = os.environ.get("MAPEDIT_WHISPER")
    if not INSTALLED or not folder:
        pytest.skip("faster-whisper is not installed, or MAPEDIT_WHISPER names no model for it")
    samples, rate = voice(shared / "data" / "speech" / "count.wav")

    def later(seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.interp(seconds - 5, np.arange(len(samples)) / rate, samples, 0, 0)

    sound = Sound(duration=10, start=2.5, channels=(later,))
    media = probe(movie(tmp_path / "a.mov", Picture(frames=300, timecode="01:00:00:00"), [sound]))
    cache = Cache(tmp_path / "cache")
    scribe = Transcriber(folder, language="en")
    transcript = scribe.transcript(media, sound_features(media, cache), cache)
    words = [word for sentence in transcript.sentences for word in sentence.words]
    assert "".join(tokens(" ".join(word.text for word in words))) == "12345678910"
    # Said 0.6 s apart, the first of them 5 s into the file.
    for number, word in enumerate(words):
        assert abs(float(word.start) - (5.0 + 0.6 * number)) < 0.5


def voice(path: Path) -> tuple[np.ndarray[Any, Any], int]:
    """Samples of a recording of 16 bits, full scale 1, and its rate."""
    with wave.open(str(path)) as file:
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, "<i2") / 32768, file.getframerate()
