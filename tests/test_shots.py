"""Curves become shots, shots become an edit that plays like the file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otio_mapedit.assemble import assemble
from otio_mapedit.config import make_options
from otio_mapedit.errors import OptionError
from otio_mapedit.inference import Predictions, ShotPredictions
from otio_mapedit.media import AudioStream, MediaInfo, VideoStream
from otio_mapedit.operations import DecisionList, Kind, partition_faults
from otio_mapedit.recipes import Need, recipe, shots
from otio_mapedit.shot_boundaries import find_shots
from otio_mapedit.shot_curves import mixed_runs, shifted
from otio_mapedit.spec import KINDS, QUALITIES
from otio_mapedit.timing import NTSC_24, NTSC_60, Length


class Curves:
    """Predictions of ``count`` pictures of one shot, to be written on."""

    def __init__(self, count: int, step: int = 1) -> None:
        self.frames = np.arange(count) * step
        self.cut = np.full(count, 0.01, np.float32)
        self.transition = np.full(count, 0.01, np.float32)
        self.kind = np.zeros((count, len(KINDS)), np.float32)
        self.quality = np.zeros((count, len(QUALITIES)), np.float32)
        self.luma = np.full(count, 0.4, np.float32)
        self.peak = np.full(count, 0.9, np.float32)
        self.change = np.full(count, 0.02, np.float32)
        self.returned = np.ones(count, np.float32)

    def cuts(self, *at: int, p: float = 0.95) -> Curves:
        self.cut[list(at)] = p
        return self

    def mixes(self, first: int, stop: int, kind: str, p: float = 0.9) -> Curves:
        self.transition[first:stop] = p
        self.kind[first:stop, KINDS.index(kind)] = p
        return self

    def black(self, first: int, stop: int) -> Curves:
        self.luma[first:stop] = self.peak[first:stop] = 0.001
        self.quality[first:stop, QUALITIES.index("black")] = 0.99
        return self

    def flash(self, first: int, stop: int) -> Curves:
        self.luma[first:stop] = 0.9
        self.quality[first:stop, QUALITIES.index("flash")] = 0.8
        self.returned[first] = 0.1
        return self

    def done(self) -> ShotPredictions:
        return ShotPredictions(
            **vars(self),
            kinds=KINDS,
            quality_names=QUALITIES,
            cut_threshold=0.5,
            transition_threshold=0.5,
            network="shots 1 (test)",
        )


def bounds(curves: Curves, **options: Any) -> list[tuple[str, int, int]]:
    found = find_shots(curves.done(), **options)
    return [(each.kind, each.first, each.stop) for each in found.boundaries]


def about(curves: Curves, **options: Any) -> list[tuple[str, int, int]]:
    return [
        (each.about, each.first, each.stop) for each in find_shots(curves.done(), **options).doubts
    ]


def test_one_take_is_one_shot() -> None:
    (shot,) = find_shots(Curves(50).done()).shots
    assert (shot.first, shot.stop, shot.black) == (0, 50, False)


def test_cuts_are_local_maxima() -> None:
    curves = Curves(60).cuts(20)
    curves.cut[19] = curves.cut[21] = 0.7
    curves.cut[40:42] = 0.8
    curves.cut[0] = 0.99
    assert bounds(curves) == [("cut", 20, 20), ("cut", 40, 40)]


def test_sensitivity_moves_the_threshold() -> None:
    curves = Curves(60).cuts(20, p=0.35).cuts(40, p=0.93)
    assert bounds(curves) == [("cut", 40, 40)]
    assert bounds(curves, sensitivity=0.7) == [("cut", 20, 20), ("cut", 40, 40)]
    assert bounds(curves, sensitivity=0.0) == []
    assert shifted(0.3, 0.5) == 0.3
    assert shifted(0.5, 0.25) == pytest.approx(1 - shifted(0.5, 0.75))


def test_what_almost_counted_is_a_doubt() -> None:
    curves = Curves(90).cuts(20, p=0.4).mixes(50, 60, "dissolve", p=0.45)
    assert bounds(curves) == []
    assert about(curves) == [("cut", 20, 21), ("transition", 50, 60)]
    assert about(curves, almost=0.46) == []


@pytest.mark.parametrize("kind", ["dissolve", "wipe"])
def test_transitions_have_their_length_and_absorb_cuts(kind: str) -> None:
    curves = Curves(80).mixes(30, 42, kind).cuts(36, 43)
    curves.transition[34:36] = 0.1
    assert bounds(curves) == [(kind, 30, 42)]
    first, second = find_shots(curves.done()).shots
    assert (first.stop, second.first) == (36, 36)


def test_a_mixed_picture_or_two_is_a_cut() -> None:
    assert bounds(Curves(60).mixes(30, 31, "dissolve").cuts(31)) == [("cut", 31, 31)]
    assert bounds(Curves(60).mixes(30, 32, "dissolve")) == [("cut", 31, 31)]


def test_fades_lead_to_black_and_out_of_it() -> None:
    curves = Curves(100).mixes(30, 42, "fade_out").black(42, 50).mixes(50, 58, "fade_in")
    curves.cuts(42, 50)
    assert bounds(curves) == [("fade_out", 30, 42), ("fade_in", 50, 58)]
    one, gap, two = find_shots(curves.done()).shots
    assert [(each.first, each.stop, each.black) for each in (one, gap, two)] == [
        (0, 42, False),
        (42, 50, True),
        (50, 100, False),
    ]


def test_one_run_over_black_is_two_fades() -> None:
    curves = Curves(100).mixes(30, 58, "fade_out").black(42, 50)
    assert bounds(curves) == [("fade_out", 30, 42), ("fade_in", 50, 58)]


def test_a_shot_of_nothing_but_fades() -> None:
    curves = Curves(100).black(0, 10).mixes(9, 91, "dissolve").black(90, 100)
    curves.luma[10:90] = 0.4 - abs(np.arange(80) - 30) / 200
    assert bounds(curves) == [("fade_in", 10, 40), ("fade_out", 41, 90)]
    assert [shot.black for shot in find_shots(curves.done()).shots] == [True, False, True]


def test_touching_black_is_a_dissolve_through_it() -> None:
    curves = Curves(100).mixes(30, 42, "fade_out").black(42, 44).mixes(43, 55, "fade_in")
    assert bounds(curves) == [("dissolve", 30, 55)]
    assert find_shots(curves.done()).boundaries[0].plain


def test_cuts_to_black_are_cuts() -> None:
    curves = Curves(60).black(20, 30).cuts(20, 30)
    assert bounds(curves) == [("cut", 20, 20), ("cut", 30, 30)]
    assert [shot.black for shot in find_shots(curves.done()).shots] == [False, True, False]


def test_a_dark_shot_is_not_black() -> None:
    curves = Curves(60).black(20, 30).cuts(20, 30)
    curves.luma[20:30] = 0.05
    curves.peak[20:30] = 0.09
    assert len(bounds(curves)) == 2
    assert find_shots(curves.done()).shots[1].black
    curves.quality[:] = 0
    assert not find_shots(curves.done()).shots[1].black
    curves.luma[20:30] = 0
    assert find_shots(curves.done()).shots[1].black


def test_black_that_nothing_leads_to_stays_in_its_shot() -> None:
    curves = Curves(60).black(20, 30).cuts(30)
    assert bounds(curves) == [("cut", 30, 30)]
    assert not any(shot.black for shot in find_shots(curves.done()).shots)
    assert about(curves) == [("black", 20, 30)]
    marks = [op for op in edit((film(60), curves)).operations if op.kind is Kind.MARK]
    assert [mark.parameters["name"] for mark in marks] == ["black? 10"]


def test_fades_at_the_ends_of_the_file() -> None:
    curves = Curves(60).mixes(0, 8, "fade_in").mixes(50, 60, "fade_out")
    assert bounds(curves) == [("fade_in", 0, 8), ("fade_out", 50, 60)]
    assert len(find_shots(curves.done()).shots) == 1


def test_a_flash_is_not_a_cut() -> None:
    curves = Curves(60).cuts(20, 23).flash(20, 23)
    assert bounds(curves) == []
    assert about(curves) == [("flash", 20, 23)]


def test_a_cutaway_is_not_a_flash() -> None:
    curves = Curves(60).cuts(20, 26).flash(20, 26)
    curves.quality[:] = 0
    curves.luma[20:26] = 0.7  # bright, but not of one colour
    assert bounds(curves, min_frames=4) == [("cut", 20, 20), ("cut", 26, 26)]


def test_a_few_plain_pictures_between_two_shots_are_a_dip() -> None:
    curves = Curves(60).cuts(20).mixes(26, 30, "dissolve")
    assert len(bounds(curves)) == 2
    curves.luma[20:26] = 0.85
    assert bounds(curves) == [("dissolve", 20, 30)]
    assert find_shots(curves.done()).boundaries[0].plain
    long = Curves(60).cuts(20, 40)
    long.luma[20:40] = 0.85
    assert len(bounds(long)) == 2


def test_short_shots_join_their_neighbour() -> None:
    curves = Curves(60).cuts(20).cuts(24, p=0.8)
    assert bounds(curves, min_frames=5) == [("cut", 20, 20)]
    assert about(curves, min_frames=5) == [("short shot", 20, 24)]
    curves.returned[20] = 0.1
    assert bounds(curves, min_frames=5) == []


def test_the_ends_of_a_file_count_as_boundaries() -> None:
    curves = Curves(60).cuts(3, 57)
    assert len(bounds(curves, min_frames=3)) == 2
    assert bounds(curves, min_frames=4) == []
    assert about(curves, min_frames=4) == [("short shot", 3, 4), ("short shot", 57, 58)]
    assert bounds(Curves(60).mixes(1, 20, "dissolve").mixes(40, 59, "wipe")) == []
    assert bounds(Curves(60).mixes(1, 20, "fade_in")) == [("fade_in", 0, 20)]


def test_lengths_count_grid_frames() -> None:
    curves = Curves(60, step=2).cuts(20).cuts(24, p=0.8)
    assert len(bounds(curves, min_frames=8)) == 2
    assert len(bounds(curves, min_frames=9)) == 1


def film(
    count: int,
    rate: Fraction = Fraction(25),
    grid: int | None = None,
    sound: Fraction | None = None,
    name: str = "film.mov",
) -> MediaInfo:
    """A file of ``count`` pictures on ``grid`` frames, with ``sound`` seconds of sound."""
    grid = grid or count
    video = VideoStream(
        0, "h264", 64, 36, Fraction(1), 0, 8, "yuv420p", rate, grid, count, grid != count,
        Fraction(0), False,
    )  # fmt: skip
    audio = ()
    if sound is not None:
        audio = (AudioStream(1, "aac", 2, "stereo", 48000, Fraction(0), sound, "", ""),)
    frames = max(grid, round((sound or 0) * rate))
    return MediaInfo(
        Path("/footage") / name, "mov", 1, rate, frames, Fraction(0), frames / rate, 90000, True,
        "tmcd track", False, "A001", (video,), audio, "print", (),
    )  # fmt: skip


def edit(*footage: tuple[MediaInfo, Curves], **options: Any) -> DecisionList:
    known = [Predictions(media, shots=curves.done()) for media, curves in footage]
    return shots.decide(known, make_options(shots.Options, options))


def told(decisions: DecisionList) -> list[tuple[str, int, int]]:
    return [(op.kind.value, op.range.start, op.range.duration) for op in decisions.operations]


def test_an_edited_file() -> None:
    curves = Curves(200).cuts(50).mixes(90, 102, "dissolve").mixes(150, 161, "wipe")
    decisions = edit((film(200), curves))
    assert told(decisions) == [
        ("keep", 0, 50),
        ("cut", 50, 0),
        ("keep", 50, 46),
        ("dissolve", 90, 12),
        ("keep", 96, 59),
        ("wipe", 150, 11),
        ("keep", 155, 45),
    ]
    shots_named = [op.reason for op in decisions.operations if op.kind is Kind.KEEP]
    assert shots_named == ["shot 1", "shot 2", "shot 3", "shot 4"]
    dissolve = decisions.operations[3]
    assert dissolve.parameters == {"in_offset": 6, "out_offset": 6, "audio": False}
    assert dissolve.reason == "dissolve, 12 frames"
    assert dissolve.confidence == pytest.approx(0.9)
    assert (decisions.rate, decisions.start_frame) == (25, 90000)
    assert decisions.generator.endswith("shots 1 (test)")
    assert decisions.options["min_shot"] == "4f"
    assert len({op.id for op in decisions.operations}) == len(decisions.operations)
    check(decisions)


def check(decisions: DecisionList) -> None:
    """An edit of whole files: it partitions them, assembles, and lasts as long as they do."""
    assert partition_faults(decisions) == []
    timeline = assemble(decisions)
    whole = sum(source.frame_count for source in decisions.sources)
    assert timeline.duration().value == whole


def test_fades_around_black() -> None:
    curves = Curves(100).mixes(30, 42, "fade_out").black(42, 50).mixes(50, 58, "fade_in")
    silent = edit((film(100), curves))
    assert told(silent) == [
        ("keep", 0, 42),
        ("fade_out", 30, 12),
        ("drop", 42, 8),
        ("fade_in", 50, 8),
        ("keep", 50, 50),
    ]
    drop = silent.operations[2]
    assert (drop.parameters["mode"], drop.reason) == ("lift", "black between two shots, 8 frames")
    check(silent)
    with_sound = edit((film(100, sound=Fraction(4)), curves))
    assert told(with_sound) == [
        ("keep", 0, 42),
        ("dissolve", 30, 12),
        ("keep", 42, 8),
        ("dissolve", 50, 8),
        ("keep", 50, 50),
    ]
    check(with_sound)
    assert told(edit((film(100, sound=Fraction(4)), curves), black="lift")) == told(silent)
    assert told(edit((film(100), curves), transitions="cut")) == [
        ("keep", 0, 42),
        ("drop", 42, 8),
        ("keep", 50, 50),
    ]


def test_fades_at_the_ends_and_sound_behind_the_picture() -> None:
    curves = Curves(100).mixes(0, 8, "fade_in").mixes(90, 100, "fade_out")
    decisions = edit((film(100, sound=Fraction(5)), curves))
    assert told(decisions) == [
        ("fade_in", 0, 8),
        ("keep", 0, 100),
        ("fade_out", 90, 10),
        ("cut", 100, 0),
        ("keep", 100, 25),
    ]
    check(decisions)
    plain = edit((film(100, sound=Fraction(5)), Curves(100).cuts(40)))
    assert told(plain)[-1] == ("keep", 40, 85)
    check(plain)


def test_a_black_file_is_kept() -> None:
    decisions = edit((film(40), Curves(40).black(0, 40)))
    assert told(decisions) == [("keep", 0, 40)]


def test_doubts_are_marked() -> None:
    curves = Curves(100).cuts(30, p=0.55).cuts(60, p=0.4)
    curves.cuts(80).flash(80, 82)
    marks = [op for op in edit((film(100), curves)).operations if op.kind is Kind.MARK]
    assert [(mark.range.start, mark.parameters["name"]) for mark in marks] == [
        (30, "check this cut: 0.55"),
        (60, "a cut here? 0.40"),
        (80, "flash?"),
    ]
    assert [mark.parameters["colour"] for mark in marks] == ["ORANGE", "CYAN", "YELLOW"]
    quiet = edit((film(100), curves), review="0")
    assert not [op for op in quiet.operations if op.kind is Kind.MARK]


def test_variable_rate_counts_grid_frames() -> None:
    curves = Curves(100).cuts(50).mixes(70, 80, "dissolve")
    curves.frames[50:] += 7
    decisions = edit((film(100, grid=110), curves))
    assert told(decisions) == [
        ("keep", 0, 57),
        ("cut", 57, 0),
        ("keep", 57, 25),
        ("dissolve", 77, 10),
        ("keep", 82, 28),
    ]
    check(decisions)


def test_several_files_follow_each_other() -> None:
    one, two = film(100, NTSC_24, name="a.mov"), film(100, NTSC_60, name="b.mov")
    curves = Curves(100).mixes(40, 51, "dissolve")
    decisions = edit((one, curves), (two, curves))
    assert decisions.rate == NTSC_24
    assert decisions.start_frame == 24 * 3600
    assert decisions.operations[3].reason == "next file"
    assert (decisions.operations[3].kind, decisions.operations[3].source) == (Kind.CUT, "b")
    assert partition_faults(decisions) == []
    assemble(decisions)


def test_a_file_with_only_sound_is_one_clip() -> None:
    media = replace(film(100, sound=Fraction(4)), video=())
    options = shots.Options()
    assert shots.needs(media, options) == frozenset()
    decisions = shots.decide([Predictions(media)], options)
    assert [op.kind for op in decisions.operations] == [Kind.KEEP, Kind.MARK]
    check(decisions)


def test_options() -> None:
    assert recipe("shots").NAME == "shots"
    assert shots.needs(film(10), shots.Options()) == {Need.SHOTS}
    options = make_options(shots.Options, {"min-shot": "0.5s", "sensitivity": "0.7"})
    assert options.min_shot == Length(Fraction(1, 2))
    with pytest.raises(OptionError, match="sensitivity"):
        make_options(shots.Options, {"sensitivity": "2"})
    with pytest.raises(OptionError, match="transitions"):
        make_options(shots.Options, {"transitions": "dissolve"})


@st.composite
def any_curves(draw: st.DrawFn) -> Curves:
    """Curves that no network would draw."""
    count = draw(st.integers(1, 80))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    curves = Curves(count, draw(st.integers(1, 3)))
    sharp = draw(st.sampled_from([1, 3, 8]))
    curves.cut = random.random(count) ** sharp
    curves.transition = np.repeat(random.random(count), sharp)[:count]
    curves.kind = random.random((count, len(KINDS)))
    curves.quality = random.random((count, len(QUALITIES)))
    curves.returned = random.random(count)
    curves.luma = np.where(random.random(count) < 0.5, 0.001, random.random(count))
    curves.peak = np.repeat(np.where(random.random(count) < 0.3, 0.05, 0.8), sharp)[:count]
    return curves


@settings(max_examples=200)
@given(
    curves=any_curves(),
    tail=st.integers(0, 30),
    sound=st.booleans(),
    black=st.sampled_from(["auto", "lift", "keep"]),
    transitions=st.sampled_from(["keep", "cut"]),
    min_shot=st.integers(0, 12),
    sensitivity=st.floats(0, 1),
)
def test_whatever_the_network_says_the_edit_holds(
    curves: Curves, tail: int, sound: bool, black: str, transitions: str, min_shot: int,
    sensitivity: float,
) -> None:  # fmt: skip
    grid = int(curves.frames[-1]) + 1
    length = Fraction(grid + tail, 25) if sound else None
    media = film(len(curves.frames), grid=grid, sound=length)
    decisions = edit(
        (media, curves), black=black, transitions=transitions, min_shot=f"{min_shot}f",
        sensitivity=sensitivity,
    )  # fmt: skip
    check(decisions)
    kept = [op for op in decisions.operations if op.kind in (Kind.KEEP, Kind.DROP)]
    assert [op.range.start for op in kept] == sorted(op.range.start for op in kept)
    assert all(0 <= op.confidence <= 1 for op in decisions.operations)
    again = edit(
        (media, curves), black=black, transitions=transitions, min_shot=f"{min_shot}f",
        sensitivity=sensitivity,
    )  # fmt: skip
    assert again == decisions


@pytest.mark.parametrize("gap", [1, 3, 4])
def test_only_short_interruptions_of_a_transition_are_bridged(gap: int) -> None:
    """The network may not call the darkest pictures of a fade mixed, nor one shown twice: what is
    bridged does not count for the average."""
    curve = np.array([0, *[0.95] * 12, *[0.1] * gap, *[0.95] * 4, 0], np.float32)
    runs = mixed_runs(curve, 0.9)
    assert runs == ([(1, 17 + gap)] if gap <= 3 else [(1, 13), (13 + gap, 17 + gap)])
