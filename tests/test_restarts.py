"""Lines that broke off and were begun again at once, in sound made of syllables."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from otio_mapedit.config import make_options
from otio_mapedit.features import HOP, SoundFeatures
from otio_mapedit.inference import Predictions
from otio_mapedit.media import AudioStream, MediaInfo
from otio_mapedit.operations import Kind, partition_faults
from otio_mapedit.recipes import roughcut
from otio_mapedit.recipes.hearing import hear
from otio_mapedit.recipes.restarts import restarts
from otio_mapedit.recipes.takes import Takes
from otio_mapedit.sources import source_of
from otio_mapedit.speech import SAMPLE_RATE
from otio_mapedit.step_sound import StepListener
from otio_mapedit.transcript import Sentence, Transcript, Word

Line = list[int]  # syllables by number
#: Seconds of a syllable.
SYLLABLE = 0.16


def syllable(number: int, pitch: float, seconds: float) -> NDArray[np.float32]:
    """A voiced sound with three resonances that move, as those of a vowel between consonants."""
    draw = np.random.default_rng(number)
    low, high = np.array([300, 900, 2200]), np.array([800, 2000, 3300])
    begins, ends = draw.uniform(low, high), draw.uniform(low, high)
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    share = at / seconds
    made = np.zeros(len(at))
    for harmonic in range(1, int(7000 / pitch)):
        heard = harmonic * pitch
        middle = begins + (ends - begins) * share[:, None]
        strength = (1 / (1 + np.square((heard - middle) / 120))).sum(axis=1) / np.sqrt(harmonic)
        made += strength * np.sin(2 * np.pi * heard * at)
    return (made * np.sin(np.pi * share) ** 0.3).astype(np.float32)


def heard(*said: tuple[Line, float, float], tempo: float = 1.0) -> SoundFeatures:
    """What is known of lines that are said one after the other: syllables, pitch in Hz, and the
    seconds of the pause behind them. Every second line is said ``tempo`` times as fast."""
    sound = [np.zeros(SAMPLE_RATE, np.float32)]
    speech = [np.zeros(100, np.float32)]
    for number, (line, pitch, pause) in enumerate(said):
        seconds = SYLLABLE / (tempo if number % 2 else 1)
        spoken = np.concatenate([syllable(each, pitch, seconds) for each in line])
        length = -(-len(spoken) // 160)
        sound += [spoken, np.zeros(length * 160 - len(spoken), np.float32)]
        sound.append(np.zeros(round(pause * 100) * 160, np.float32))
        speech += [np.full(length, 0.97, np.float32), np.full(round(pause * 100), 0.02, np.float32)]
    samples, probability = np.concatenate(sound), np.concatenate(speech)
    samples = samples / np.abs(samples).max() * 0.3
    samples += np.random.default_rng(0).normal(0, 0.001, len(samples)).astype(np.float32)
    rest = -len(samples) % (SAMPLE_RATE // 4)
    samples = np.pad(samples, (0, rest))
    probability = np.pad(probability, (0, rest // 160))
    listener = StepListener()
    listener.feed(samples.astype(np.float32))
    steps = listener.finish()
    power = np.square(samples.reshape(-1, 160)).mean(axis=1)
    level = 10 * np.log10(np.maximum(power, 1e-12)).astype(np.float32)
    return SoundFeatures(HOP, level, probability, steps.steps, steps.cepstra)


def film(sound: SoundFeatures) -> MediaInfo:
    frames = len(sound.level) // 4
    length = Fraction(frames, 25)
    audio = AudioStream(0, "pcm_s16le", 1, "mono", 48000, Fraction(0), length, "", "")
    return MediaInfo(
        Path("/footage/talk.wav"), "wav", 1, Fraction(25), frames, Fraction(0), length,
        90_000, False, "", False, "", (), (audio,), "print", (),
    )  # fmt: skip


def found(sound: SoundFeatures) -> Takes:
    return restarts(sound, hear(sound), source_of(film(sound), "talk"))


#: What else is said, so that there is something to compare with.
OTHERS = [(list(range(100 + 20 * n, 112 + 20 * n)), 118.0 + n, 0.9) for n in range(6)]
LINE = list(range(1, 13))


@pytest.mark.parametrize(("pitch", "tempo"), [(120, 1.0), (110, 1.12), (132, 0.9)])
def test_a_line_that_is_begun_again_at_once_goes(pitch: float, tempo: float) -> None:
    sound = heard(*OTHERS[:4], (LINE[:4], 120, 0.3), (LINE, pitch, 0.8), *OTHERS[4:], tempo=tempo)
    takes = found(sound)
    (fault,) = takes.faults
    assert not takes.doubts
    bursts = np.flatnonzero(np.diff((sound.speech > 0.5).astype(int)))
    start, stop, again = bursts[8] + 1, bursts[9] + 1, bursts[10] + 1
    assert bursts[7] + 1 < fault.range.start * 4 <= start
    assert stop <= fault.range.end * 4 < again
    assert fault.reason.startswith("false start of 01:00:")


def test_what_is_heard_long_before_it_stays() -> None:
    """The cut once lay behind the last word, however long ago that was said."""
    sound = heard(*OTHERS[:3], (OTHERS[3][0], 121, 20), (LINE[:4], 120, 0.3), (LINE, 118, 0.8),
                  *OTHERS[4:])  # fmt: skip
    (fault,) = found(sound).faults
    assert fault.range.duration < 2 * 25


def test_all_beginnings_go_but_the_last() -> None:
    begun = [(LINE[:4], 121.0, 0.3), (LINE[:4], 119.0, 0.3), (LINE, 120.0, 0.8)]
    takes = found(heard(*OTHERS[:3], *begun, *OTHERS[3:]))
    assert len(takes.faults) == 2
    assert takes.faults[0].range.end <= takes.faults[1].range.start


@pytest.mark.parametrize(
    "said",
    [
        [(LINE[:4], 120.0, 0.3), (list(range(50, 62)), 120.0, 0.8)],  # another line follows
        [(LINE[:4], 120.0, 0.3), (LINE[:4], 120.0, 0.8)],  # "no way, no way": nothing goes on
        [(LINE[:2], 120.0, 0.3), (LINE, 120.0, 0.8)],  # a syllable or two may be meant
        [(LINE[:4], 120.0, 1.4), (LINE, 120.0, 0.8)],  # not at once: see takes
    ],
)
def test_what_is_no_false_start_stays(said: list[tuple[Line, float, float]]) -> None:
    assert found(heard(*OTHERS[:3], *said, *OTHERS[3:])) == Takes()


def test_alone_nothing_can_be_told() -> None:
    assert found(heard((LINE[:4], 120, 0.3), (LINE, 120, 0.8))) == Takes()
    sound = heard(*OTHERS)
    assert found(replace(sound, cepstra=sound.cepstra[:0])) == Takes()


def test_what_a_transcript_speaks_against_too_goes_as_one() -> None:
    sound = heard(*OTHERS[:4], (LINE[:4], 120, 0.3), (LINE, 116, 0.8), *OTHERS[4:])
    (fault,) = found(sound).faults
    start, end = fault.range.start + 5, fault.range.end - 5
    words = [("today", start, start + 5), ("we", start + 5, end), ("today", end + 8, end + 12)]
    words += [("we", end + 12, end + 14), ("go.", end + 14, end + 40)]
    said = tuple(Word(text, Fraction(a, 25), Fraction(b, 25)) for text, a, b in words)
    sentence = Sentence("today we today we go.", said[0].start, said[-1].end, said)
    known = Predictions(film(sound), sound, transcript=Transcript((sentence,)))
    decisions = roughcut.decide([known], make_options(roughcut.Options, {}))
    assert partition_faults(decisions) == []
    (gone,) = [op for op in decisions.operations if "false start" in op.reason
               and op.kind is Kind.DROP]  # fmt: skip
    assert "said again" in gone.reason
    assert gone.range.start <= fault.range.start
    assert gone.range.end >= fault.range.end


def test_the_rough_cut_leaves_it_out() -> None:
    sound = heard(*OTHERS[:4], (LINE[:4], 120, 0.3), (LINE, 116, 0.8), *OTHERS[4:])

    def reasons(takes: str) -> list[str]:
        options = make_options(roughcut.Options, {"takes": takes})
        decisions = roughcut.decide([Predictions(film(sound), sound)], options)
        assert partition_faults(decisions) == []
        return [
            op.reason
            for op in decisions.operations
            if op.kind is Kind.DROP and "false start" in op.reason
        ]

    assert len(reasons("last")) == 1
    assert reasons("first") == reasons("last")
    assert reasons("all") == []
