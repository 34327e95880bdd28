"""Transcripts made here: what is said in a file, word by word, by faster-whisper.

Only what the voice detector takes for speech is transcribed, in pieces of at most half a minute
that begin and end in pauses: the window of Whisper's network, in which its times are best. All
tracks are mixed. Sound comes from :mod:`.audio`, so that times count from the file's frame 0 as in
every other transcript, wherever its sound starts and whatever its timecode says.

Nothing is fetched from anywhere unless that was asked for. What was transcribed is cached in parts,
so that a run that was stopped goes on where it was.

Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision" (Whisper);
https://github.com/SYSTRAN/faster-whisper.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import speech
from .cache import Arrays, Cache
from .errors import ModelError, OptionError, UsageError
from .features import SoundFeatures
from .media import MediaInfo
from .media_probe import fingerprint
from .progress import Progress, silent
from .transcribe_pieces import Piece, pieces_of, with_sound
from .transcript import Transcript, of_segments
from .weights import chosen_providers, chosen_threads

logger = logging.getLogger(__name__)

#: Seconds that the first and last word may reach beyond what the detector takes for speech.
_BEYOND = 0.1
#: Pieces that are cached together: about four minutes.
_PART = 10
#: How sure the network must be of a language to take it for the rest of the file.
_SURE = 0.5
#: Changing how transcripts are made changes this, so that old cache entries are not used.
_VERSION = "1"

#: What a folder must hold. Without the tokenizer, faster-whisper would fetch one.
FILES = ("model.bin", "config.json", "tokenizer.json")
_NAME_ON_HUB = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


class Transcriber:
    """A model of faster-whisper. It is looked for at once and loaded when it is needed."""

    def __init__(self, model: str, language: str = "", download: bool = False) -> None:
        """``model`` is a name that faster-whisper knows, such as ``small``, or a folder;
        ``language`` such as ``en``, found out if empty; ``download``: fetch what is not here.

        Raises:
            UsageError: the package is not installed. OptionError: there is no such model.
            ModelError: the model is not on this computer, or not whole.
        """
        self._package = _faster_whisper()
        self._folder = _folder_of(model, download, self._package)
        self._language = language.strip().casefold()
        self._device = "cuda" if "CUDAExecutionProvider" in chosen_providers() else "cpu"
        self._model: Any = None
        mark = fingerprint(self._folder / "model.bin")[:16]
        self.label = f"faster-whisper {self._package.__version__} {Path(model).name} {mark}"

    def transcript(
        self,
        media: MediaInfo,
        sound: SoundFeatures,
        cache: Cache,
        progress: Progress = silent,
    ) -> Transcript:
        """What is said in a file of whose sound ``sound`` is known.

        Raises:
            MediaError: the file cannot be read any more. OptionError: the model does not know the
            language. ModelError: it cannot be used.
        """
        pieces = pieces_of(sound.speech)
        planned = [pieces[at : at + _PART] for at in range(0, len(pieces), _PART)]
        entries = [
            f"{_VERSION}/{self.label}/{self._language}/{speech.version()}/"
            f"{part[0].start}-{part[-1].stop}"
            for part in planned
        ]
        known = [_remembered(cache.get(media.fingerprint, "transcript", each)) for each in entries]
        missing = [part for part, old in zip(planned, known, strict=True) if old is None]
        told = _Told(f"Transcribing {media.name}", progress, planned, missing)
        heard = with_sound(media, [piece for part in missing for piece in part])
        language, rows = self._language, list[dict[str, Any]]()
        for part, entry, old in zip(planned, entries, known, strict=True):
            if old is None:
                old = self._part(heard, len(part), language, told)
                cache.put(media.fingerprint, "transcript", entry, _to_remember(old))
            language = language or old["language"]
            rows += old["segments"]
        told.finish()
        return of_segments(rows, self.label)

    def _part(
        self, heard: Iterator[Piece], count: int, language: str, told: _Told
    ) -> dict[str, Any]:
        """The language of the next ``count`` pieces, as far as it is known, and their segments."""
        rows: list[dict[str, Any]] = []
        for _ in range(count):
            piece = next(heard)
            segments, info = self._said(piece, language)
            rows += _rows(segments, piece)
            if segments and info.language_probability >= _SURE:
                language = language or info.language
            told.done(piece)
        return {"language": language, "segments": rows}

    def _said(self, piece: Piece, language: str) -> tuple[list[Any], Any]:
        """What the network makes of a piece, on the graphics card if it works there."""
        while True:
            try:
                # At temperature 0 alone the answer is the same every time. What was said before is
                # no hint: of a line that is said again the network would leave out one.
                segments, info = self._opened().transcribe(
                    piece.samples,
                    language=language or None,
                    temperature=0.0,
                    condition_on_previous_text=False,
                    word_timestamps=True,
                    vad_filter=False,
                )
                return list(segments), info
            except (RuntimeError, ValueError, OSError) as error:
                if self._device == "cpu":
                    raise ModelError(
                        f"faster-whisper cannot use {self._folder}: {error}",
                        "Name another model, or fetch it again.",
                    ) from error
                logger.warning("transcribing on the processor: %s", error)
                self._device, self._model = "cpu", None

    def _opened(self) -> Any:
        if self._model is None:
            self._model = self._package.WhisperModel(
                str(self._folder),
                device=self._device,
                compute_type="int8" if self._device == "cpu" else "auto",
                cpu_threads=chosen_threads(),
                local_files_only=True,
            )
            languages = self._model.supported_languages
            if self._language and self._language not in languages:
                raise OptionError(
                    f"language: {self._folder.name} does not know {self._language!r}",
                    "Choose one of: " + ", ".join(languages) + ".",
                )
        return self._model


class _Told:
    """What is told about the work on a file, in seconds of sound to transcribe."""

    def __init__(
        self,
        task: str,
        progress: Progress,
        planned: Sequence[Sequence[Piece]],
        missing: Sequence[Sequence[Piece]],
    ) -> None:
        self._task, self._progress = task, progress
        self._total = max(_seconds(planned), 0.001)
        self._at = self._total - _seconds(missing)
        if missing:
            progress(task, min(self._at, 0.999 * self._total), self._total)

    def done(self, piece: Piece) -> None:
        """A piece is done."""
        self._at += _seconds([[piece]])
        self._progress(self._task, min(self._at, 0.999 * self._total), self._total)

    def finish(self) -> None:
        """All of it is."""
        self._progress(self._task, self._total, self._total)


def _seconds(parts: Iterable[Iterable[Piece]]) -> float:
    return sum(piece.stop - piece.start for part in parts for piece in part) / speech.SAMPLE_RATE


# What was said -----------------------------------------------------------------------------------


def _rows(segments: Sequence[Any], piece: Piece) -> Iterator[dict[str, Any]]:
    """Segments as Whisper's JSON has them, on the file's clock and where there is speech: the
    network begins its first word with the piece, and hears silence behind a short one."""
    offset, stop = (at / speech.SAMPLE_RATE for at in (piece.start, piece.stop))
    first, last = (at / speech.SAMPLE_RATE for at in piece.spoken)
    low, high = max(offset, first - _BEYOND), min(stop, last + _BEYOND)

    def timed(thing: Any) -> dict[str, float]:
        start = min(max(offset + float(thing.start), low), high)
        end = min(max(offset + float(thing.end), start), high)
        return {"start": round(start, 3), "end": round(end, 3)}

    for segment in segments:
        words = [{**timed(word), "word": word.word} for word in segment.words or ()]
        yield {**timed(segment), "text": segment.text, "words": words}


def _to_remember(part: dict[str, Any]) -> Arrays:
    """A part as numbers, which is all that the cache holds."""
    text = json.dumps(part, ensure_ascii=False)
    return {"json": np.frombuffer(text.encode(), np.uint8)}


def _remembered(stored: Arrays | None) -> dict[str, Any] | None:
    """A part from the cache; None if it is not there or not as it should be."""
    if stored is None or "json" not in stored:
        return None
    try:
        part = json.loads(stored["json"].tobytes())
    except ValueError:
        return None
    whole = isinstance(part, dict) and {"language", "segments"} <= part.keys()
    return part if whole else None


# The package and its models ----------------------------------------------------------------------


def _faster_whisper() -> Any:
    """The package.

    Raises:
        UsageError: it is not installed, or cannot be loaded.
    """
    try:
        import faster_whisper
    except (ImportError, OSError) as error:  # OSError: a library that it needs is not there
        missing = isinstance(error, ModuleNotFoundError)
        raise UsageError(
            "transcribing needs faster-whisper" + ("" if missing else f", which fails: {error}"),
            "Type: pip install 'otio-mapedit[speech]', then: "
            "pip install --no-deps faster-whisper. Or give a transcript with --transcript.",
        ) from error
    return faster_whisper


def _folder_of(model: str, download: bool, package: Any) -> Path:
    """The folder of a model.

    Raises:
        OptionError: it is neither a folder nor a name. ModelError: it is not here, or not whole.
    """
    place = Path(model).expanduser()
    if not place.is_dir():
        if not _NAME_ON_HUB.fullmatch(model) or place.exists():
            raise OptionError(
                f"transcribe: {model} is not a folder", f"Name one with {_listed(FILES)}."
            )
        place = Path(_fetched(model, download, package))
    lacking = [name for name in FILES if not (place / name).is_file()]
    if not any(place.glob("vocabulary.*")):
        lacking.append("vocabulary.json")
    if lacking:
        raise ModelError(
            f"{place} is no whole model of faster-whisper, it lacks {_listed(lacking)}",
            "Copy the whole folder, or fetch a model by name with --download-model.",
        )
    return place


def _fetched(model: str, download: bool, package: Any) -> str:
    """Where faster-whisper keeps a model that it knows by name, fetched before if that is wanted.

    Raises:
        OptionError: it does not know the name. ModelError: the model is not on this computer.
    """
    if "/" not in model and model not in package.available_models():
        names = ", ".join(package.available_models())
        raise OptionError(
            f"transcribe: there is no model {model!r}", f"Choose one of: {names}; or a folder."
        )
    try:
        return str(package.download_model(model, local_files_only=not download))
    except Exception as error:  # whatever the network and its libraries come up with
        if download:
            raise ModelError(
                f"the model {model} could not be fetched: {error}",
                "Try again, or copy its folder from elsewhere and name that.",
            ) from error
        raise ModelError(
            f"the model {model} is not on this computer",
            "Fetch it once with --download-model, or copy its folder from elsewhere and name that: "
            "--transcribe FOLDER.",
        ) from error


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
