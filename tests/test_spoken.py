"""What a transcript takes out of a rough cut, and that it takes nothing else."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.config import make_options
from otio_mapedit.features import HOP, SoundFeatures
from otio_mapedit.inference import Predictions
from otio_mapedit.media import AudioStream, MediaInfo, VideoStream
from otio_mapedit.operations import DecisionList, Kind, Operation, partition_faults
from otio_mapedit.programme import programme
from otio_mapedit.recipes import roughcut
from otio_mapedit.recipes.spoken import FILLERS, parse_fillers, unwanted
from otio_mapedit.transcript import Sentence, Transcript, Word
from tests.cli_support import TALK, Cli, one_line

RATE = Fraction(25)
DEFAULT = parse_fillers(FILLERS)


def said(*sentences: str, each: float = 0.4, pause: float = 0.6, words: bool = True) -> Transcript:
    """Sentences one after the other, every word ``each`` seconds long."""
    at, made = Fraction(1), []
    for sentence in sentences:
        spoken = []
        for text in sentence.split():
            spoken.append(Word(text, at, at + Fraction(str(each))))
            at += Fraction(str(each))
        start, end = spoken[0].start, spoken[-1].end
        made.append(Sentence(sentence, start, end, tuple(spoken) if words else ()))
        at += Fraction(str(pause))
    return Transcript(tuple(made))


def known(transcript: Transcript | None, seconds: float) -> Predictions:
    """A file in which somebody speaks exactly where ``transcript`` says so."""
    frames, steps = round(seconds * RATE), round(seconds / HOP)
    level, speech = np.full(steps, -60, np.float32), np.full(steps, 0.01, np.float32)
    for sentence in transcript.sentences if transcript else ():
        part = slice(round(sentence.start / HOP), round(sentence.end / HOP))
        level[part], speech[part] = -20, 0.97
    video = VideoStream(
        0, "h264", 1920, 1080, Fraction(1), 0, 8, "yuv420p", RATE, frames, frames, False,
        Fraction(0), False,
    )  # fmt: skip
    audio = AudioStream(1, "pcm_s16le", 2, "stereo", 48000, Fraction(0), frames / RATE, "", "")
    media = MediaInfo(
        Path("/footage/talk.mov"), "mov", 1, RATE, frames, Fraction(0), frames / RATE, 90000, True,
        "tmcd track", False, "", (video,), (audio,), "print", (),
    )  # fmt: skip
    sound = SoundFeatures(HOP, level, speech)
    return Predictions(media, sound, transcript=transcript)


def cut(transcript: Transcript, **options: Any) -> DecisionList:
    end = float(max(sentence.end for sentence in transcript.sentences)) + 2
    return roughcut.decide([known(transcript, end)], make_options(roughcut.Options, options))


def dropped(decisions: DecisionList) -> list[Operation]:
    return [op for op in decisions.operations if op.kind is Kind.DROP]


def reasons(transcript: Transcript) -> list[str]:
    return [each.reason for each in unwanted(transcript, DEFAULT)]


def test_a_filler_goes_to_the_frame() -> None:
    transcript = said("we start here um and go on talking")
    decisions = cut(transcript)
    (filler,) = [op for op in dropped(decisions) if "filler" in op.reason]
    word = transcript.sentences[0].words[3]
    assert filler.reason.startswith('filler "um", 0.4 s')
    assert abs(filler.range.start - word.start * RATE) <= 1
    assert abs(filler.range.end - word.end * RATE) <= 1


def test_of_two_takes_the_last_stays() -> None:
    decisions = cut(
        said("today we talk about editing.", "today we talk about editing.", "Bye now.")
    )
    (repeat,) = [op for op in dropped(decisions) if "repeated" in op.reason]
    assert "repeated sentence, said again at 01:00:03:" in repeat.reason
    assert repeat.range.start <= 27
    assert 72 <= repeat.range.end <= 92


@pytest.mark.parametrize(
    ("sentences", "wanted"),
    [
        (("today we will", "today we will talk about cuts."), ["false start, said in full"]),
        (
            ("today we talk about editing.", "sorry, again.", "today we talk about editing."),
            ["repeated sentence, said again", "before it is said again"],
        ),
        (("so we so we go on from here.",), ['false start, "so we" said again']),
        (("我 们 今 天 我 们 今 天 讲 剪 辑 。",), ['false start, "我 们 今 天" said again']),
        (("呃 我 们 开 始 。",), ['filler "呃"']),
        (("今天我们讲剪辑。", "今天我们讲剪辑。"), ["repeated sentence, said again"]),
        (("um.", "We go."), ['filler "um."']),
        (("no, no, no.", "no, no, no."), []),
        (("very very good and very well.",), []),
        (("研 究 研 究 再 说 吧 。",), []),
        (("umbrellas are useful here.",), []),
        (("today we talk about editing.", "now something else entirely."), []),
    ],
)
def test_what_is_unwanted(sentences: tuple[str, ...], wanted: list[str]) -> None:
    assert reasons(said(*sentences)) == wanted


def test_of_three_takes_the_first_may_stay() -> None:
    line = "today we talk about editing."
    transcript = said("today we talk", line, "sorry, again.", line, line, "Bye now.")
    first = unwanted(transcript, DEFAULT, "first")
    starts = [sentence.start for sentence in transcript.sentences]
    assert [(each.start, each.reason) for each in first] == [
        (starts[0], "false start, said in full"),
        (starts[2], "before it is said again"),
        (starts[3], "repeated sentence, said before"),
        (starts[4], "repeated sentence, said before"),
    ]
    assert {each.again for each in first[2:]} == {starts[1]}
    kept_all = unwanted(transcript, DEFAULT, "all")
    assert [each.start for each in kept_all] == [starts[0]]
    (repeat,) = [op for op in dropped(cut(said(line, line, "Bye now."), takes="first"))
                 if "repeated" in op.reason]  # fmt: skip
    assert repeat.reason.startswith("repeated sentence, said before at 01:00:01:00")


def test_a_sentence_said_again_much_later_is_meant() -> None:
    assert (
        reasons(said("today we talk about editing.", "today we talk about editing.", pause=30))
        == []
    )


def test_fillers_can_be_chosen() -> None:
    transcript = said("well you know we um start here")
    found = unwanted(transcript, parse_fillers("you know, 那个"))
    assert [each.reason for each in found] == ['filler "you know"']
    assert unwanted(transcript, parse_fillers("none")) == []


def test_captions_are_cut_in_the_pauses() -> None:
    transcript = said("today we talk about editing.", "today we talk about editing.", words=False)
    (repeat,) = [op for op in dropped(cut(transcript)) if "repeated" in op.reason]
    first, second = transcript.sentences
    assert repeat.range.start <= first.start * RATE
    assert first.end * RATE <= repeat.range.end <= second.start * RATE


def test_clips_are_named_by_what_is_said() -> None:
    decisions = cut(
        said("um today we talk about cuts.", "And this is long " + "word " * 20, pause=3)
    )
    names = [op.parameters.get("name") for op in decisions.operations if op.kind is Kind.KEEP]
    assert names[0] == "today we talk about cuts."
    assert str(names[1]).startswith("And this is long")
    assert len(str(names[1])) <= 41


def test_without_a_transcript_nothing_changes() -> None:
    transcript = said("we start um here.", "Then we go on.")
    with_sound = known(transcript, 12)
    plain = Predictions(with_sound.media, with_sound.sound)
    options = make_options(roughcut.Options, {})
    one = roughcut.decide([plain], options)
    other = roughcut.decide([plain], make_options(roughcut.Options, {"fillers": "we, start"}))
    assert one.operations == other.operations
    assert not any("name" in op.parameters for op in one.operations if op.kind is Kind.KEEP)


vocabulary = st.lists(
    st.sampled_from(["um", "we", "go", "on", "today", "呃", "and", "talk."]),
    min_size=1,
    max_size=12,
)


@given(
    st.lists(vocabulary, min_size=1, max_size=6), st.booleans(), st.sampled_from([0.1, 0.3, 0.9])
)
def test_no_word_is_lost_but_the_unwanted(
    sentences: list[list[str]], words: bool, pause: float
) -> None:
    transcript = said(*map(" ".join, sentences), pause=pause, words=words)
    decisions = cut(transcript)
    assert partition_faults(decisions) == []
    programme(decisions)
    found = unwanted(transcript, DEFAULT)
    for sentence in transcript.sentences:
        for word in sentence.words:
            middle = (word.start + word.end) / 2
            wanted = not any(each.start <= middle < each.end for each in found)
            kept = any(
                op.kind is Kind.KEEP and op.range.start <= middle * RATE < op.range.end
                for op in decisions.operations
            )
            assert kept or not wanted, word


def test_the_verb_takes_a_transcript(here: Path, cli: Cli) -> None:
    word = [{"word": text, "start": 3 + at, "end": 3.5 + at} for at, text in enumerate("abcd")]
    segment = {"start": 3, "end": 7, "text": "a b c d", "words": word}
    Path("talk.json").write_text(json.dumps({"segments": [segment]}))
    outcome = cli(
        "roughcut", TALK, "--transcript", "talk.json", "--fillers", "b", "-o", "-.mapedit"
    )
    assert outcome.code == 0, outcome.err
    assert 'filler \\"b\\"' in outcome.out
    Path("broken.srt").write_text("nothing")
    line = one_line(cli("roughcut", TALK, "--transcript", "broken.srt", "-o", "x.otio"), 4)
    assert "is not SubRip" in line
    assert not Path("x.otio").exists()
    Path("folder").mkdir()
    one_line(cli("roughcut", TALK, "--transcript", "folder"), 2)


def test_a_folder_without_the_right_name_is_refused(here: Path, cli: Cli) -> None:
    Path("other.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhi\n")
    assert "Call it talk" in one_line(cli("roughcut", TALK, "--transcript", "."), 2)
