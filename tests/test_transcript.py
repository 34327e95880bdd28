"""Transcripts in every form, and what may not be taken for one."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.errors import FormatError, MapeditError
from otio_mapedit.transcript import Sentence, find_transcript, read_transcript, tokens


def read(tmp_path: Path, text: str | bytes, name: str = "t.srt") -> list[Sentence]:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_transcript(path).sentences)


def test_subrip(tmp_path: Path) -> None:
    text = (
        "\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i>\r\n{\\an8}there.\r\n\r\n"
        "2\r\n00:01:00,040 --> 01:00:00,000\r\nLast one\r\n"
    )
    first, last = read(tmp_path, text)
    assert first == Sentence("Hello there.", Fraction(1), Fraction(5, 2))
    assert (last.start, last.end) == (Fraction(6004, 100), 3600)


def test_webvtt_with_notes_styles_and_timed_words(tmp_path: Path) -> None:
    text = """WEBVTT - a title

STYLE
::cue { color: red }

NOTE 00:00:09.000 --> 00:00:10.000 is not a cue

intro
00:01.000 --> 00:03.000 align:start
<v Ann>so <00:01.500><c>today</c> <00:02.000><c>we &amp; you</c>
"""
    (sentence,) = read(tmp_path, text, "t.vtt")
    assert sentence.text == "so today we & you"
    assert [(word.text, float(word.start)) for word in sentence.words][:3] == [
        ("so", 1.0), ("today", 1.5), ("we", 2.0),
    ]  # fmt: skip
    assert sentence.words[-1].end == 3


def test_a_caption_of_several_sentences_is_divided(tmp_path: Path) -> None:
    text = "1\n00:00:00,000 --> 00:00:10,000\nOne two. Three four? 五六七。八九。 It is 3.5 m.\n"
    found = read(tmp_path, text)
    wanted = ["One two.", "Three four?", "五六七。", "八九。", "It is 3.5 m."]
    assert [each.text for each in found] == wanted
    assert found[0].start == 0
    assert found[-1].end == 10
    assert all(one.end == two.start for one, two in pairwise(found))
    assert not any(each.exact for each in found)


def whisper_words(*words: tuple[str, float, float]) -> list[dict[str, object]]:
    return [{"word": word, "start": start, "end": end} for word, start, end in words]


def test_whisper_words_become_sentences_whatever_the_segments(tmp_path: Path) -> None:
    segments = [
        {"start": 0, "end": 2, "text": " Hi there. And", "tokens": [1, 2],
         "words": whisper_words((" Hi", 0, 0.4), (" there.", 0.4, 1), (" And", 1.5, 2))},
        {"start": 2, "end": 3, "text": " so on.", "words": [{"word": " so on."}]},
    ]  # fmt: skip
    found = read(tmp_path, json.dumps({"text": "…", "segments": segments}), "t.json")
    assert [each.text for each in found] == ["Hi there.", "And", "so on."]
    assert len(found[0].words) == 2


def test_whisper_cpp_counts_milliseconds(tmp_path: Path) -> None:
    row = {
        "offsets": {"from": 500, "to": 1500},
        "text": " 大家好",
        "tokens": [{"text": "[_BEG_]", "offsets": {"from": 0, "to": 0}}],
    }
    (sentence,) = read(tmp_path, json.dumps({"transcription": [row]}), "t.json")
    assert (sentence.text, sentence.start, sentence.end) == (
        "大家好",
        Fraction(1, 2),
        Fraction(3, 2),
    )
    assert not sentence.words


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is not SubRip"),
        ("just some words", "is not SubRip"),
        ("1\n00:00:0x,000 --> 00:00:02,500\nHi\n", "line of times"),
        ("1\n00:00:03,000 --> 00:00:02,500\nHi\n", "ends before it begins"),
        ("1\n99999999:00:03,000 --> 99999999:00:04,500\nHi\n", "not a time in a file"),
        ("{", "JSON is broken"),
        ('{"a": 1}', "no segments"),
        ('{"segments": [3]}', "no object"),
        ('{"segments": [{"start": "a", "end": 2}]}', "not a time in seconds"),
        ('{"segments": [{"start": NaN, "end": 2}]}', "not a time in seconds"),
        ('{"segments": [{"start": 3, "end": 2}]}', "ends before it begins"),
        ("[" * 100_000, "JSON is broken"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_what_is_no_transcript_is_one_clear_line(
    tmp_path: Path, content: str | bytes, what: str
) -> None:
    with pytest.raises(FormatError, match=what) as caught:
        read(tmp_path, content)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)


@given(st.text(max_size=200) | st.sampled_from(["WEBVTT\n\n", "1\n"]).flatmap(
    lambda head: st.text("0123456789:,.-> \na<", max_size=80).map(lambda rest: head + rest)
))  # fmt: skip
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.srt"
    path.write_text(text, "utf-8", "surrogatepass")
    try:
        sentences = list(read_transcript(path).sentences)
    except MapeditError:
        return
    assert sentences == sorted(sentences, key=lambda each: (each.start, each.end))
    assert all(each.text.isprintable() for each in sentences)


def test_words_as_they_are_compared() -> None:
    assert tokens("Well-known: it’s “Fine”.") == ["well", "known", "it's", "fine"]
    assert tokens("我们ok吗？") == ["我", "们", "ok", "吗"]


def test_a_transcript_is_found_by_name(tmp_path: Path) -> None:
    for name in ("b.srt", "a.en.vtt", "a.srt", "a.txt", "ab.srt"):
        (tmp_path / name).write_text("x")
    assert find_transcript(tmp_path, Path("/f/a.mov"), alone=True) == tmp_path / "a.srt"
    assert find_transcript(tmp_path, Path("/f/c.mov"), alone=True) is None
    assert find_transcript(tmp_path / "b.srt", Path("/f/a.mov"), alone=True) == tmp_path / "b.srt"
    assert find_transcript(tmp_path / "b.srt", Path("/f/a.mov"), alone=False) is None
    with pytest.raises(FormatError, match="does not exist"):
        find_transcript(tmp_path / "nothing", Path("/f/a.mov"), alone=True)
