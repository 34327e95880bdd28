"""The rough cut: what is decided from known sound and pictures, and on real speech."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from otio_mapedit.config import make_options
from otio_mapedit.errors import OptionError
from otio_mapedit.features import HOP, SILENCE, PictureSamples, SoundFeatures
from otio_mapedit.inference import Predictions
from otio_mapedit.media import AudioStream, MediaInfo, VideoStream
from otio_mapedit.operations import DecisionList, Kind, Operation, partition_faults
from otio_mapedit.programme import programme
from otio_mapedit.recipes import Need, recipe, roughcut
from otio_mapedit.timing import NTSC_24, NTSC_30, FrameRange, rescale_floor

SPEECH, NOISE = -20.0, -60.0


def film(
    seconds: float = 20,
    rate: Fraction = Fraction(25),
    name: str = "talk.mov",
    sound: bool = True,
    picture: bool = True,
) -> MediaInfo:
    frames = round(seconds * rate)
    video = VideoStream(
        0, "h264", 1920, 1080, Fraction(1), 0, 8, "yuv420p", rate, frames, frames, False,
        Fraction(0), False,
    )  # fmt: skip
    audio = AudioStream(1, "pcm_s16le", 2, "stereo", 48000, Fraction(0), frames / rate, "", "")
    return MediaInfo(
        Path("/footage") / name, "mov", 1, rate, frames, Fraction(0), frames / rate, 0, False, "",
        False, "", (video,) if picture else (), (audio,) if sound else (), f"print of {name}", (),
    )  # fmt: skip


class Sound:
    """Room tone with things in it, in seconds."""

    def __init__(self, seconds: float = 20, level: float = NOISE) -> None:
        steps = round(seconds / HOP)
        self.level = np.full(steps, level, np.float32)
        self.speech = np.full(steps, 0.01, np.float32)

    def says(self, start: float, end: float, probability: float = 0.97) -> Sound:
        self.speech[self.steps(start, end)] = probability
        return self.plays(start, end, SPEECH)

    def plays(self, start: float, end: float, level: float) -> Sound:
        self.level[self.steps(start, end)] = level
        return self

    def steps(self, start: float, end: float) -> slice:
        return slice(round(start / HOP), round(end / HOP))

    def done(self) -> SoundFeatures:
        return SoundFeatures(HOP, self.level, self.speech)


def pictures(seconds: float = 20, rate: Fraction = Fraction(25), **spans: Any) -> PictureSamples:
    """A picture every second, and every picture at the edges of ``black=(start, end)`` and the
    like (in frames)."""
    frames = set(range(0, round(seconds * rate), max(1, round(rate))))
    for start, end in spans.values():
        frames |= set(range(max(0, start - 30), end + 30)) & set(range(round(seconds * rate)))
    at = np.array(sorted(frames), np.int64)
    measures = {"brightness": 0.4, "contrast": 0.2, "detail": 0.03, "edge": 0.5, "change": 0.2}
    faulty = {
        "black": {"brightness": 0.01, "contrast": 0.005, "detail": 0.001, "edge": 0.01},
        "covered": {"brightness": 0.15, "contrast": 0.02, "detail": 0.002, "edge": 0.02},
        "frozen": {"change": 0.0},
    }
    arrays: dict[str, NDArray[Any]] = {
        key: np.full(len(at), value, np.float32) for key, value in measures.items()
    }
    for name, (start, end) in spans.items():
        for key, value in faulty[name].items():
            arrays[key][(at >= start) & (at < end)] = value
    return PictureSamples(at, **arrays)


def cut(*known: Predictions, **options: Any) -> DecisionList:
    decisions = roughcut.decide(list(known), make_options(roughcut.Options, options))
    assert partition_faults(decisions) == []
    programme(decisions)
    return decisions


def of_kind(decisions: DecisionList, *kinds: Kind) -> list[Operation]:
    return [op for op in decisions.operations if op.kind in kinds]


def spans(decisions: DecisionList, kind: Kind = Kind.KEEP) -> list[tuple[int, int]]:
    return [(op.range.start, op.range.end) for op in of_kind(decisions, kind)]


def talk() -> Predictions:
    """Speech at 2-6 and 12-16 seconds of 20."""
    return Predictions(film(), Sound().says(2, 6).says(12, 16).done(), pictures())


def test_dead_air_goes_and_speech_stays_with_its_margins() -> None:
    decisions = cut(talk())
    assert spans(decisions) == [(44, 159), (294, 409)]
    assert spans(decisions, Kind.DROP) == [(0, 44), (159, 294), (409, 500)]
    (join,) = of_kind(decisions, Kind.CUT)
    assert join.range == FrameRange(294, 0)
    keep, drop = of_kind(decisions, Kind.KEEP)[0], of_kind(decisions, Kind.DROP)[1]
    assert keep.reason == "speech, margins 0.2s and 0.3s"
    assert drop.reason == "no speech, 40 dB below speech, 5.4 s"
    assert keep.confidence > 0.9
    assert drop.confidence > 0.9
    assert not of_kind(decisions, Kind.MARK)


@pytest.mark.parametrize("pace", roughcut.PACES)
def test_pace_sets_the_margins(pace: str) -> None:
    (first, end), *_ = spans(cut(talk(), pace=pace))
    before, after, _ = roughcut.PACES[pace]
    # Levels are averaged over 0.1 s and cuts lie on frames, both on the side of keeping more.
    assert 0 <= (2 - before.seconds) - Fraction(first, 25) <= Fraction(1, 20) + Fraction(1, 25)
    assert 0 <= Fraction(end, 25) - (6 + after.seconds) <= Fraction(1, 20) + Fraction(1, 25)


def test_paces_keep_less_the_tighter_they_are() -> None:
    sound = Sound().says(2, 4).says(4.4, 6).says(7, 9).says(11.2, 14).done()
    kept = [
        sum(end - start for start, end in spans(cut(Predictions(film(), sound), pace=pace)))
        for pace in ("relaxed", "natural", "tight", "jump")
    ]
    assert kept == sorted(kept, reverse=True)
    assert len(set(kept)) == 4


def test_margins_override_the_pace() -> None:
    decisions = cut(talk(), pace="jump", margin_before="25f", margin_after="1s")
    assert spans(decisions)[0] == (24, 177)
    assert decisions.options["margin_before"] == "25f"
    assert "min_pause" not in decisions.options


def test_a_short_pause_stays() -> None:
    sound = Sound().says(2, 6).says(6.8, 9).done()
    assert len(spans(cut(Predictions(film(), sound)))) == 1
    assert len(spans(cut(Predictions(film(), sound), pace="jump"))) == 2


def test_laughter_stays_and_a_door_does_not() -> None:
    sound = Sound().says(2, 6).plays(10, 12.5, SPEECH - 2).plays(16, 16.2, SPEECH).done()
    decisions = cut(Predictions(film(), sound))
    assert len(spans(decisions)) == 2
    laughter = of_kind(decisions, Kind.KEEP)[1]
    assert laughter.range.start <= 250
    assert laughter.range.end >= 312
    assert laughter.reason == "no speech, but sound as loud as speech"


def test_an_uncertain_decision_is_marked_for_review() -> None:
    sound = Sound().says(2, 6).says(12, 13, probability=0.52).done()
    decisions = cut(Predictions(film(), sound))
    (mark,) = of_kind(decisions, Kind.MARK)
    assert mark.parameters["colour"] == "ORANGE"
    assert mark.parameters["name"] == "Review: kept"
    assert FrameRange(300, 25).start in range(mark.range.start, mark.range.end)


@pytest.mark.parametrize(("keep_markers", "mode"), [("disabled", "disable"), ("markers", "mark")])
def test_dropped_parts_may_stay(keep_markers: str, mode: str) -> None:
    decisions = cut(talk(), keep_markers=keep_markers, dissolve="12f")
    assert {op.parameters.get("mode") for op in of_kind(decisions, Kind.DROP)} == {mode}
    assert programme(decisions).duration == 500
    assert not of_kind(decisions, Kind.DISSOLVE), "something lies between the clips"


def test_joins_are_dissolves_where_the_media_has_handles() -> None:
    decisions = cut(talk(), dissolve="12f")
    (join,) = of_kind(decisions, Kind.DISSOLVE)
    assert (join.parameters["in_offset"], join.parameters["out_offset"]) == (6, 6)
    assert join.range == FrameRange.between(153, 165)
    assert "audio" not in join.parameters, "sound crossfades too"


def test_a_cut_says_why_it_is_no_dissolve() -> None:
    speaks_to_the_end = Predictions(film(), Sound().says(2, 20).done(), pictures())
    second = replace(talk(), media=film(name="talk2.mov"))
    (join,) = of_kind(cut(speaks_to_the_end, second, dissolve="12f"), Kind.CUT)[:1]
    assert join.reason == "next file; no dissolve: the media ends too soon after the outgoing clip"
    (join,) = of_kind(cut(talk(), dissolve="10s"), Kind.CUT)
    assert "too short" in join.reason


def test_black_is_cut_to_the_frame_even_under_speech() -> None:
    known = Predictions(film(), Sound().says(2, 16).done(), pictures(black=(103, 151)))
    decisions = cut(known)
    assert spans(decisions) == [(44, 103), (151, 409)]
    drop = of_kind(decisions, Kind.DROP)[1]
    assert drop.reason == "black, with speech under it, 1.9 s"
    assert drop.confidence < roughcut.REVIEW
    assert of_kind(decisions, Kind.MARK)[0].range == drop.range


def test_a_covered_lens_and_dead_air_are_told_apart() -> None:
    known = Predictions(film(), Sound().says(2, 6).done(), pictures(covered=(300, 450)))
    drops = {op.range.start: op.reason for op in of_kind(cut(known), Kind.DROP)}
    assert drops[300] == "lens covered, 6.0 s"
    assert drops[159].startswith("no speech")


def test_black_throughout_is_cut_by_its_sound() -> None:
    known = replace(talk(), samples=pictures(black=(0, 500)))
    decisions = cut(known)
    assert spans(decisions) == spans(cut(talk()))
    assert "black throughout" in decisions.operations[1].reason


def test_without_sound_the_picture_decides() -> None:
    known = Predictions(film(sound=False), None, pictures(black=(200, 250), frozen=(350, 450)))
    decisions = cut(known)
    # What stands still is known from the second picture on.
    assert spans(decisions) == [(0, 200), (250, 350), (450, 500)]
    assert {op.reason for op in of_kind(decisions, Kind.DROP)} == {
        "black, 2.0 s",
        "frozen picture, 4.0 s",
    }


def test_mute_sound_has_no_say() -> None:
    mute = Sound(level=SILENCE).plays(3, 3.1, -20).done()
    decisions = cut(Predictions(film(), mute, pictures(black=(200, 250))))
    assert spans(decisions) == [(0, 200), (250, 500)]
    assert "nothing to hear" in decisions.operations[0].reason


def test_a_beep_in_silence_does_not_cut_the_picture() -> None:
    beeps = Sound(level=-65)
    for second in range(20):
        beeps.plays(second, second + 0.04, -20)
    decisions = cut(Predictions(film(), beeps.done(), pictures()))
    assert spans(decisions) == [(0, 500)]
    assert decisions.operations[0].reason.endswith("(nothing in its sound to cut by)")


def test_a_still_picture_throughout_is_meant() -> None:
    known = Predictions(film(sound=False), None, pictures(frozen=(0, 500)))
    assert spans(cut(known)) == [(0, 500)]


def test_ambience_without_speech_is_kept_whole() -> None:
    rng = np.random.default_rng(0)
    sound = Sound(level=-35)
    sound.level += rng.normal(0, 4, len(sound.level)).astype(np.float32)
    decisions = cut(Predictions(film(), sound.done(), pictures()))
    assert spans(decisions) == [(0, 500)]
    assert decisions.operations[0].reason == "no speech in this file and no clear dead air"


def test_true_silence_goes_from_ambience() -> None:
    sound = Sound(level=-35).plays(8, 14, -90).done()
    decisions = cut(Predictions(film(), sound, pictures()))
    assert len(spans(decisions)) == 2
    (drop,) = of_kind(decisions, Kind.DROP)
    assert drop.reason.startswith("silence")
    assert 190 <= drop.range.start <= 210
    assert 340 <= drop.range.end <= 350


def test_if_nothing_is_usable_everything_stays_disabled() -> None:
    known = Predictions(film(), Sound(level=SILENCE).done(), pictures(black=(0, 500)))
    decisions = cut(known)
    assert [op.parameters["mode"] for op in of_kind(decisions, Kind.DROP)] == ["disable"]
    assert decisions.metadata["nothing_usable"] is True
    assert len(of_kind(decisions, Kind.MARK)) == 1
    assert programme(decisions).duration == 500
    # One of several files may go for good.
    both = cut(known, replace(talk(), media=film(name="b.mov")))
    assert spans(both) == spans(cut(talk()))


def test_sound_alone_and_silence_alone() -> None:
    known = Predictions(film(picture=False), Sound().says(2, 6).done(), None)
    assert len(spans(cut(known))) == 1
    silent = Predictions(film(picture=False), Sound(level=SILENCE).done(), None)
    assert spans(cut(silent)) == []
    assert cut(silent).metadata["nothing_usable"] is True


def test_the_sequence_says_where_its_rate_comes_from() -> None:
    first = Predictions(film(picture=False, rate=Fraction(30), name="a.wav"), Sound().done())
    second = replace(talk(), media=film(name="b.mov"))
    decisions = cut(first, second)
    assert decisions.rate == 25
    assert decisions.metadata["sequence_rate"] == "25, the rate of b.mov"
    assert decisions.start_frame == 90000
    assert cut(first, second, rate="24").metadata["sequence_rate"] == "24, as asked for"


def test_start_timecode() -> None:
    assert cut(talk(), start_timecode="10:00:00:00").start_frame == 900_000
    drop = Predictions(replace(film(rate=NTSC_30), drop_frame=True), Sound().says(2, 5).done())
    assert (cut(drop).start_frame, cut(drop).drop_frame) == (107_892, True)
    with pytest.raises(OptionError, match="timecode"):
        cut(talk(), start_timecode="soon")


def test_ids_say_what_was_decided_on_which_content() -> None:
    once, again = cut(talk()), cut(talk())
    moved = cut(replace(talk(), media=replace(film(), path=Path("/elsewhere/renamed.mov"))))
    ids = [op.id for op in once.operations]
    assert ids == [op.id for op in again.operations] == [op.id for op in moved.operations]
    twice = cut(talk(), talk())
    assert len({op.id for op in twice.operations}) == len(twice.operations)


def test_needs_never_every_picture() -> None:
    options = roughcut.Options()
    assert recipe("roughcut").needs(film(), options) == {Need.SOUND, Need.SAMPLES, Need.EDIT}
    assert roughcut.needs(film(sound=False), options) == {Need.SAMPLES, Need.EDIT}
    assert roughcut.needs(film(picture=False), options) == {Need.SOUND, Need.EDIT}


RATES = st.sampled_from([NTSC_24, Fraction(24), Fraction(25), NTSC_30, Fraction(50), Fraction(10)])


@settings(max_examples=60, deadline=None)
@given(RATES, RATES, st.integers(0, 1000), st.sampled_from(list(roughcut.PACES)))
def test_any_rates_any_sound(source: Fraction, sequence: Fraction, seed: int, pace: str) -> None:
    rng = np.random.default_rng(seed)
    sound = Sound(8, level=float(rng.uniform(-90, -30)))
    for start in np.cumsum(rng.uniform(0.3, 2.5, 4)):
        sound.says(float(start), float(start + rng.uniform(0.03, 0.8)))
    sound.level += rng.normal(0, 5, len(sound.level)).astype(np.float32)
    seconds = float(rng.uniform(0.1, 8))
    known = Predictions(film(seconds, source), sound.done(), pictures(seconds, source))
    other = Predictions(film(seconds, sequence, "other.mov"), sound.done())
    rate = f"{sequence.numerator}/{sequence.denominator}"
    decisions = cut(known, other, known, pace=pace, rate=rate, dissolve="8f", min_shot="0.3s")
    for keep in of_kind(decisions, Kind.KEEP):
        own = decisions.source(keep.source).rate
        assert rescale_floor(keep.range.duration, own, decisions.rate) >= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 20), st.integers(0, 20))
def test_wider_margins_never_keep_less(seed: int, before: int, wider: int) -> None:
    rng = np.random.default_rng(seed)
    sound = Sound(12)
    for start in np.cumsum(rng.uniform(0.3, 2.5, 4)):
        sound.says(float(start), float(start + rng.uniform(0.03, 0.8)))
    sound.level += rng.normal(0, 8, len(sound.level)).astype(np.float32)
    known = Predictions(film(12), sound.done())
    kept = [
        {n for start, end in spans(cut(known, margin_before=f"{b}f")) for n in range(start, end)}
        for b in (before, before + wider)
    ]
    assert kept[0] <= kept[1]
