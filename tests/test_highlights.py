"""Highlights: never longer than asked for, nothing lost, cut where it does not hurt."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otio_mapedit.assemble import assemble
from otio_mapedit.config import make_options
from otio_mapedit.disassemble import disassemble
from otio_mapedit.edit_inference import EditPredictions
from otio_mapedit.edit_spec import OPERATIONS, SOUND_FEATURES, EditSpec
from otio_mapedit.features import HOP, SMALL, PictureSamples, SoundFeatures
from otio_mapedit.inference import Predictions, ShotPredictions
from otio_mapedit.media import AudioStream, MediaInfo, VideoStream
from otio_mapedit.operations import DecisionList, Kind, Operation, partition_faults
from otio_mapedit.placements import streams
from otio_mapedit.programme import programme
from otio_mapedit.recipes import Need, highlights
from otio_mapedit.recipes.choosing import choose
from otio_mapedit.recipes.highlights import THEMES
from otio_mapedit.recipes.segments import best_divisions
from otio_mapedit.spec import KINDS, QUALITIES
from otio_mapedit.step_sound import CEPSTRA, COLUMNS, PER_STEP
from otio_mapedit.timing import NTSC_30, FrameRange, rescale_floor
from otio_mapedit.transcript import Sentence, Transcript
from tests.cli_support import EDITED, TALK, Cli


class Footage:
    """A file to be written on: scenes of a colour each, speech, applause, movement."""

    def __init__(
        self,
        seconds: float = 60,
        rate: Fraction = Fraction(25),
        name: str = "a.mov",
        sound: bool = True,
        picture: bool = True,
    ) -> None:
        self.rate, self.name, self.sound, self.picture = rate, name, sound, picture
        self.frames = round(seconds * rate)
        self.seconds = seconds
        hops, steps = round(seconds / HOP), -(-round(seconds / HOP) // 25)
        self.level = np.full(hops, -62, np.float32)
        self.speech = np.full(hops, 0.01, np.float32)
        self.steps = np.zeros((steps, COLUMNS), np.float32)
        self.steps[:, SOUND_FEATURES.index("flatness")] = -2
        self.steps[:, SOUND_FEATURES.index("voicing")] = 0.9
        self.cut = np.full(self.frames, 0.01, np.float32)
        self.transition = np.full(self.frames, 0.01, np.float32)
        self.kind = np.zeros((self.frames, len(KINDS)), np.float32)
        self.luma = np.full(self.frames, 0.4, np.float32)
        self.peak = np.full(self.frames, 0.9, np.float32)
        self.quality = np.zeros((self.frames, len(QUALITIES)), np.float32)
        self.change = np.full(self.frames, 0.01, np.float32)
        self.colour = np.full((int(seconds) + 1, 3), 90, np.uint8)
        self.black: tuple[int, int] = (0, 0)
        self.transcript: Transcript | None = None

    def says(self, start: float, end: float) -> Footage:
        part = slice(round(start / HOP), round(end / HOP))
        self.speech[part], self.level[part] = 0.97, -20
        return self

    def applauds(self, start: float, end: float) -> Footage:
        self.level[round(start / HOP) : round(end / HOP)] = -14
        part = slice(round(start * 4), round(end * 4))
        self.steps[part, SOUND_FEATURES.index("flatness")] = -0.4
        self.steps[part, SOUND_FEATURES.index("voicing")] = 0.3
        return self

    def scene(self, start: int, end: int, red: int, green: int, blue: int) -> Footage:
        self.colour[start:end] = (red, green, blue)
        if start:
            self.cut[round(start * self.rate)] = 0.95
        return self

    def moves(self, start: float, end: float) -> Footage:
        self.change[round(start * self.rate) : round(end * self.rate)] = 0.2
        return self

    def dissolves(self, first: int, stop: int) -> Footage:
        self.transition[first:stop] = 0.9
        self.kind[first:stop, KINDS.index("dissolve")] = 0.9
        return self

    def darkens(self, first: int, stop: int) -> Footage:
        self.luma[first:stop] = self.peak[first:stop] = 0.001
        self.quality[first:stop, QUALITIES.index("black")] = 0.99
        return self

    def blacks(self, start: int, end: int) -> Footage:
        self.black = (start, end)
        return self

    def done(self) -> Predictions:
        rate, frames = self.rate, self.frames
        video = VideoStream(
            0, "h264", 1920, 1080, Fraction(1), 0, 8, "yuv420p", rate, frames, frames, False,
            Fraction(0), False,
        )  # fmt: skip
        audio = AudioStream(1, "pcm_s16le", 2, "stereo", 48000, Fraction(0), frames / rate, "", "")
        media = MediaInfo(
            Path("/footage") / self.name, "mov", 1, rate, frames, Fraction(0), frames / rate, 0,
            False, "", False, "", (video,) if self.picture else (),
            (audio,) if self.sound else (), f"print of {self.name}", (),
        )  # fmt: skip
        cepstra = np.zeros((len(self.steps) * PER_STEP, CEPSTRA), np.float32)
        return Predictions(
            media,
            SoundFeatures(HOP, self.level, self.speech, self.steps, cepstra)
            if self.sound
            else None,
            self.samples() if self.picture else None,
            self.shots() if self.picture else None,
            transcript=self.transcript,
        )

    def samples(self) -> PictureSamples:
        at = np.array([round(second * self.rate) for second in range(int(self.seconds))], np.int64)
        whole = np.full(len(at), 1, np.float32)
        black = (at >= self.black[0] * self.rate) & (at < self.black[1] * self.rate)
        small = np.broadcast_to(
            self.colour[: len(at), None, None], (len(at), *SMALL, 3)
        ).astype(np.uint8)  # fmt: skip
        return PictureSamples(
            at,
            np.where(black, 0.01, 0.4).astype(np.float32),
            np.where(black, 0.005, 0.2).astype(np.float32),
            np.where(black, 0.001, 0.03).astype(np.float32),
            np.where(black, 0.01, 0.5).astype(np.float32),
            whole * 0.2,
            small,
        )

    def shots(self) -> ShotPredictions:
        count = self.frames
        return ShotPredictions(
            np.arange(count), self.cut, self.transition, self.kind,
            self.quality, self.luma, self.peak, self.change, np.ones(count, np.float32),
            KINDS, QUALITIES, 0.5, 0.5, "shots 1 (test)",
        )  # fmt: skip


def cut(*footage: Footage, **options: Any) -> DecisionList:
    chosen = make_options(highlights.Options, options)
    return highlights.decide([each.done() for each in footage], chosen)


def kept(decisions: DecisionList) -> list[Operation]:
    return [op for op in decisions.operations if op.kind is Kind.KEEP]


def lasts(decisions: DecisionList) -> int:
    return programme(decisions).duration


def valid(decisions: DecisionList) -> None:
    assert partition_faults(decisions) == []
    assert all(op.reason for op in decisions.operations)
    assert disassemble(assemble(decisions)) == decisions


def test_applause_is_found_with_what_it_answers() -> None:
    footage = Footage(60).says(5, 50).applauds(30, 33)
    footage.speech[3000:3300] = 0.01
    decisions = cut(footage, duration="8s", themes="talk")
    valid(decisions)
    applauded = [op for op in kept(decisions) if "applause" in op.reason]
    assert any(op.range.intersection(FrameRange(25 * 25, 200)).duration > 100 for op in applauded)
    # Silence is not worth a place, though there would be room for it.
    assert all(op.range.start >= 3 * 25 for op in kept(decisions))


def test_every_scene_is_shown_and_none_twice() -> None:
    footage = Footage(80).scene(20, 40, 250, 0, 0).scene(40, 60, 0, 250, 0).scene(60, 80, 0, 0, 250)
    decisions = cut(footage, duration="14s", themes="travel", crossfade="0")
    valid(decisions)
    scenes = {op.range.start // 500 for op in kept(decisions)}
    assert scenes == {0, 1, 2, 3}
    assert any("stands for 25 % of the footage" in op.reason for op in kept(decisions))


def test_movement_and_crowd_win_in_sports() -> None:
    footage = Footage(60).moves(20, 24).moves(48, 52).applauds(52, 54)
    decisions = cut(footage, duration="10s", themes="sports")
    valid(decisions)
    best = FrameRange.between(48 * 25, 54 * 25)
    assert sum(op.range.intersection(best).duration for op in kept(decisions)) >= 3 * 25


def test_short_footage_is_kept_whole_and_says_so() -> None:
    decisions = cut(Footage(10), Footage(12, name="b.mov"), duration="22s")
    valid(decisions)
    assert [op.range.duration for op in kept(decisions)] == [250, 300]
    assert "all of it is kept" in kept(decisions)[0].reason
    assert "all of it is kept" in str(decisions.metadata["note"])


def test_no_clip_begins_or_ends_in_a_dissolve_or_shows_black() -> None:
    footage = Footage(60).dissolves(500, 520).blacks(30, 34).says(1, 50)
    decisions = cut(footage, duration="20s")
    valid(decisions)
    for op in kept(decisions):
        assert not 500 < op.range.start < 520
        assert not 500 < op.range.end < 520
        assert not op.range.intersection(FrameRange.between(760, 840)).duration
    assert any(op.reason.startswith("black") for op in decisions.operations)


def test_a_dissolve_may_reach_into_black() -> None:
    footage = Footage(60).scene(29, 60, 90, 9, 9).dissolves(730, 790).blacks(30, 34)
    decisions = cut(footage, duration="20s")
    valid(decisions)
    assert all(op.range.end <= 730 or op.range.start >= 790 for op in kept(decisions))


def test_cuts_lie_in_pauses() -> None:
    footage = Footage(60)
    for start in range(0, 60, 5):
        footage.says(start + 0.4, start + 4.6)
    decisions = cut(footage, duration="20s", themes="talk")
    valid(decisions)
    for op in kept(decisions):
        for edge in (op.range.start, op.range.end):
            assert (edge / 25) % 5 <= 0.41 or (edge / 25) % 5 >= 4.59, op


def test_sound_that_goes_on_is_crossfaded_with_a_straight_picture() -> None:
    footage = Footage(60).moves(5, 8).moves(30, 33).moves(50, 53)
    footage.level[:] = -20
    decisions = cut(footage, duration="12s", dissolve="0")
    valid(decisions)
    joins = [op for op in decisions.operations if op.kind is Kind.DISSOLVE]
    assert len(joins) == len(kept(decisions)) - 1 > 0
    assert all(op.parameters["picture"] is False for op in joins)
    quiet = cut(Footage(60).moves(5, 8).moves(40, 43), duration="8s", dissolve="0")
    assert not [op for op in quiet.operations if op.kind is Kind.DISSOLVE]


def test_the_best_can_come_first() -> None:
    footage = Footage(60).moves(10, 12).moves(50, 54).applauds(52, 55)
    decisions = cut(footage, duration="12s", order="score", themes="sports")
    valid(decisions)
    scores = [op.parameters["score"] for op in kept(decisions)]
    assert scores == sorted(scores, reverse=True)
    assert kept(decisions)[0].range.start > 40 * 25


def test_a_transcript_names_clips_and_keeps_sentences_whole() -> None:
    footage = Footage(40)
    footage.level[:] = -20
    sentences = [
        Sentence(f"Sentence number {n}.", Fraction(n * 5), Fraction(n * 5 + 4)) for n in range(8)
    ]
    footage.transcript = Transcript(tuple(sentences))
    decisions = cut(footage, duration="12s", crossfade="0", dissolve="0")
    valid(decisions)
    names = [str(op.parameters.get("name", "")) for op in kept(decisions)]
    assert any(name.startswith("Sentence number") for name in names)
    for op in kept(decisions):
        assert all(edge % 125 == 0 or edge % 125 >= 100 for edge in (op.range.start, op.range.end))


def test_footage_of_nothing_is_placed_disabled() -> None:
    decisions = cut(Footage(60).blacks(0, 59), duration="10s", watch="samples")
    valid(decisions)


@pytest.mark.parametrize("theme", THEMES)
def test_picture_alone_sound_alone_and_both_together(theme: str) -> None:
    both = Footage(30).says(3, 9).applauds(20, 23).scene(15, 30, 200, 10, 10)
    silent = Footage(30, name="b.mov", sound=False, rate=NTSC_30).moves(5, 9)
    heard = Footage(30, name="c.wav", picture=False, rate=Fraction(30)).says(2, 20)
    for footage in ([silent], [heard], [both, silent, heard]):
        decisions = cut(*footage, duration="9s", themes=theme)
        valid(decisions)
        assert 0 < lasts(decisions) <= 9 * decisions.rate


spans = st.lists(st.tuples(st.integers(0, 38), st.integers(1, 9)), max_size=4)


@settings(max_examples=30)
@given(
    spans, spans, spans, spans, st.sampled_from([Fraction(25), NTSC_30, Fraction(60)]),
    st.sampled_from(["1s", "3s", "7.3s", "19s", "100f"]), st.sampled_from(["0.5s", "2s", "4s"]),
    st.sampled_from(sorted(THEMES)), st.sampled_from(["time", "score"]),
)  # fmt: skip
def test_whatever_the_footage(
    voices: Any, applause: Any, cuts: Any, mixed: Any, rate: Fraction, duration: str, least: str,
    theme: str, order: str,
) -> None:  # fmt: skip
    footage = Footage(40, rate)
    for start, length in voices:
        footage.says(start, start + length)
    for start, length in applause:
        footage.applauds(start, start + length)
    for start, length in cuts:
        footage.scene(start, start + length, 25 * length, 6 * start, 80)
    for start, length in mixed:
        footage.dissolves(25 * start, 25 * start + 9 * length)
        footage.darkens(25 * start + 8 * length, 25 * start + 12 * length)
    options = {"duration": duration, "min_shot": least, "themes": theme, "order": order}
    other = Footage(15, Fraction(25), "b.mov")
    decisions = cut(footage, other, **options)
    valid(decisions)
    chosen = make_options(highlights.Options, options)
    budget = highlights.frames_in(chosen.duration, rate)
    assert 0 < lasts(decisions) <= budget
    for op in kept(decisions):
        own = decisions.source(op.source).rate
        limit = rescale_floor(budget, rate, own)
        assert op.range.duration >= min(chosen.min_shot.at(own), limit // 2)
    assert cut(footage, other, **options) == decisions
    assert all(extent for source in decisions.sources for extent in streams(source))


def test_the_choice_is_the_best_of_all_where_all_can_be_tried() -> None:
    draw = np.random.default_rng(4)
    worse = []
    for _ in range(20):
        importance, lengths = draw.random(9), draw.integers(20, 60, 9)
        looks = draw.normal(size=(9, 3))
        found = choose(importance, lengths, looks, 130, 1.0)
        assert lengths[found.chosen].sum() <= 130

        apart = np.square(looks[:, None] - looks[None]).sum(axis=2)
        alike = np.exp(-apart / (np.median(apart[np.triu_indices(9, 1)]) / 2))
        worth, weights = importance * lengths / 130, lengths / lengths.sum()
        values = {}
        every = [set_ for size in range(1, 7) for set_ in combinations(range(9), size)]
        for taken in map(list, every):
            if lengths[taken].sum() <= 130:
                values[tuple(taken)] = worth[taken].sum() + alike[taken].max(axis=0) @ weights
        worse.append(values[tuple(np.flatnonzero(found.chosen))] / max(values.values()))
    assert min(worse) > 0.85
    assert np.mean(worse) > 0.97


def test_divisions_are_cheap_and_of_the_right_size() -> None:
    costs = np.ones(60)
    costs[[11, 24, 39, 50]] = 0
    assert best_divisions(costs, 8, 12, 24) == [11, 24, 39, 50]
    assert best_divisions(np.zeros(60), 8, 12, 24) == [12, 24, 36, 48]
    assert best_divisions(np.ones(5), 8, 12, 24) == []


def test_a_take_that_is_said_again_is_not_a_highlight() -> None:
    footage = Footage(40).says(1, 39).moves(10, 14).moves(30, 34)
    known = footage.done()
    operation = np.zeros((160, len(OPERATIONS)), np.float32)
    operation[:, OPERATIONS.index("keep")] = 1
    operation[36:64] = 0
    operation[36:64, OPERATIONS.index("retake")] = 1
    nothing = np.zeros((160, 1), np.float32)
    edit = EditPredictions(
        nothing, operation, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
        EditSpec(), "edit 1 (test)",
    )  # fmt: skip
    options = make_options(highlights.Options, {"duration": "6s"})
    decisions = highlights.decide([replace(known, edit=edit)], options)
    valid(decisions)
    assert all(not 9 * 25 < op.range.start < 16 * 25 for op in kept(decisions))
    assert "edit 1 (test)" in decisions.generator


def test_what_is_needed() -> None:
    media = Footage().done().media
    needs = highlights.needs(media, make_options(highlights.Options, {}))
    assert needs == {Need.SOUND, Need.SAMPLES, Need.SHOTS, Need.EDIT}
    quick = make_options(highlights.Options, {"watch": "samples"})
    assert Need.SHOTS not in highlights.needs(media, quick)


def test_the_verb(here: Path, cli: Cli) -> None:
    outcome = cli("highlights", EDITED, "-d", "10s", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["kept_seconds"] <= 10
    assert cli("check", "edited-highlights.otio").code == 0
    outcome = cli("highlights", TALK, "-d", "5min", "-o", "whole.otio")
    assert outcome.code == 0, outcome.err
    assert "not longer than 300s: all of it is kept" in outcome.out


def test_the_adapter(here: Path) -> None:
    import opentimelineio as otio

    timeline = otio.adapters.read_from_file(
        str(EDITED), "mapedit", recipe="highlights", duration="60s", watch="samples"
    )
    assert timeline.duration().to_seconds() <= 60
