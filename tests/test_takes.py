"""Takes that are said again: what the edit network proposes and the sound bears out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from otio_mapedit.config import make_options
from otio_mapedit.edit_inference import EditPredictions, EditStream, run_edit
from otio_mapedit.edit_spec import EDIT_OUTPUTS, FEATURES, EditSpec
from otio_mapedit.features import HOP, SILENCE, SoundFeatures
from otio_mapedit.inference import Predictions
from otio_mapedit.media import AudioStream, MediaInfo, VideoStream
from otio_mapedit.operations import DecisionList, Kind, partition_faults
from otio_mapedit.programme import programme
from otio_mapedit.recipes import Need, roughcut

SECONDS = 24
SPEC = EditSpec()


def film() -> MediaInfo:
    frames = SECONDS * 25
    audio = AudioStream(
        0, "pcm_s16le", 1, "mono", 48000, Fraction(0), Fraction(SECONDS), "", ""
    )  # fmt: skip
    return MediaInfo(
        Path("/footage/talk.wav"), "wav", 1, Fraction(25), frames, Fraction(0), Fraction(SECONDS),
        90_000, False, "", False, "", (), (audio,), "print", (),
    )  # fmt: skip


def sound(*spoken: tuple[float, float]) -> SoundFeatures:
    steps = round(SECONDS / HOP)
    level = np.full(steps, -60, np.float32)
    speech = np.full(steps, 0.01, np.float32)
    for start, end in spoken:
        level[round(start * 100) : round(end * 100)] = -20
        speech[round(start * 100) : round(end * 100)] = 0.97
    return SoundFeatures(HOP, np.maximum(level, SILENCE), speech)


def edit(
    spoken: SoundFeatures, again: tuple[float, float] | None, lag: float, **changes: Any
) -> EditPredictions:
    """A network that is sure of one passage, which is heard again after ``lag`` seconds."""
    count = SECONDS * 4
    steps = np.zeros((count, len(FEATURES)), np.float32)
    steps[:, FEATURES.index("speech")] = spoken.speech.reshape(count, -1).mean(axis=1)
    operation = np.zeros((count, len(SPEC.operations)), np.float32)
    operation[:, 0] = 1
    if again is not None:
        part = slice(round(again[0] * 4), round(again[1] * 4))
        operation[part] = 0
        operation[part, SPEC.operations.index(changes.get("what", "retake"))] = changes.get(
            "sure", 0.9
        )
        for name, value in (("score", 4.0), ("lag", lag), ("steady", 1.0)):
            steps[part, FEATURES.index(f"again {name}")] = value * changes.get("heard", 1.0)
    zero: dict[str, NDArray[Any]] = {
        "splice": np.zeros(count), "speed": np.zeros((count, 3)), "grade": np.zeros(count),
        "importance": np.zeros(count), "reconstruction": np.zeros((count, len(FEATURES))),
        "quality": np.zeros((count, 4)), "attention": np.zeros((count, SPEC.reach)),
    }  # fmt: skip
    return EditPredictions(steps, operation, **zero, spec=SPEC, network="edit test")


def cut(heard: SoundFeatures, said: EditPredictions, **options: str) -> DecisionList:
    decisions = roughcut.decide(
        [Predictions(film(), heard, edit=said)], make_options(roughcut.Options, options)
    )
    assert partition_faults(decisions) == []
    return decisions


def spans(decisions: DecisionList, kind: Kind) -> list[tuple[int, int]]:
    return [(op.range.start, op.range.end) for op in decisions.operations if op.kind is kind]


TWICE = ((1, 4), (5, 8), (9, 12))


def test_an_earlier_take_goes_and_says_what_it_is_a_take_of() -> None:
    heard = sound(*TWICE)
    without, decisions = cut(heard, edit(heard, None, 0)), cut(heard, edit(heard, (1, 4), 4))
    assert spans(without, Kind.KEEP) != spans(decisions, Kind.KEEP)
    (first, *_) = spans(decisions, Kind.KEEP)
    assert 4 * 25 < first[0] <= 5 * 25, "the second take stays, with room before its first word"
    drop = next(op for op in decisions.operations if op.kind is Kind.DROP)
    assert drop.reason.startswith("retake of 01:00:05:00, ")
    assert drop.confidence > 0.8
    assert "edit test" in decisions.generator


def test_a_false_start_is_called_that() -> None:
    heard = sound((1, 2.5), (3, 8))
    decisions = cut(heard, edit(heard, (1, 2.5), 2, what="false start"))
    drop = next(op for op in decisions.operations if op.kind is Kind.DROP)
    assert drop.reason.startswith("false start of 01:00:03:00, ")


def both(
    one: EditPredictions, two: EditPredictions, second: tuple[float, float]
) -> EditPredictions:
    """One answer with another's for the seconds ``second``."""
    part = slice(round(second[0] * 4), round(second[1] * 4))
    steps, operation = one.steps.copy(), one.operation.copy()
    steps[part], operation[part] = two.steps[part], two.operation[part]
    return replace(one, steps=steps, operation=operation)


def test_the_first_take_may_stay() -> None:
    """Of three takes the network names the first two; the third is only known as their repeat."""
    heard = sound(*TWICE, (13, 16))
    said = both(edit(heard, (1, 4), 4), edit(heard, (5, 8), 4), (5, 8))
    last, first = cut(heard, said), cut(heard, said, takes="first")
    (kept, *_), (stays, *rest) = spans(last, Kind.KEEP), spans(first, Kind.KEEP)
    assert 8 * 25 < kept[0] <= 9 * 25
    assert stays[0] <= 25 and 4 * 25 <= stays[1] < 5 * 25  # noqa: PT018
    assert all(start > 12 * 25 for start, _ in rest), "the later takes go, the next line stays"
    reasons = [op.reason for op in first.operations if op.kind is Kind.DROP]
    assert sum("later take of 01:00:01:00" in reason for reason in reasons) == 2
    whole = cut(heard, edit(heard, None, 0))
    assert spans(cut(heard, said, takes="all"), Kind.KEEP) == spans(whole, Kind.KEEP)


def test_a_false_start_goes_for_the_first_take_too() -> None:
    heard = sound((1, 2.5), (3, 8))
    said = edit(heard, (1, 2.5), 2, what="false start")
    assert spans(cut(heard, said, takes="first"), Kind.KEEP) == spans(cut(heard, said), Kind.KEEP)


def test_a_later_take_without_a_pause_stays_and_is_marked() -> None:
    heard = sound((1, 4), (5, 12))
    decisions = cut(heard, edit(heard, (1, 4), 4), takes="first")
    assert spans(decisions, Kind.KEEP) == spans(cut(heard, edit(heard, None, 0)), Kind.KEEP)
    (mark,) = (op for op in decisions.operations if op.kind is Kind.MARK)
    assert mark.parameters["note"] == "may be a later take of 01:00:01:00"


@pytest.mark.parametrize(
    ("lag", "changes"),
    [
        pytest.param(4, {"sure": 0.45}, id="the network is not sure"),
        pytest.param(4, {"heard": 0.3}, id="nothing like it is heard again"),
        pytest.param(14, {}, id="nobody speaks where it should be said again"),
    ],
)
def test_what_is_not_borne_out_stays_and_is_marked(lag: float, changes: dict[str, Any]) -> None:
    heard = sound(*TWICE)
    said = edit(heard, (1, 4), lag, **changes)
    decisions = cut(heard, said)
    assert spans(decisions, Kind.KEEP) == spans(cut(heard, edit(heard, None, 0)), Kind.KEEP)
    marks = [op for op in decisions.operations if op.kind is Kind.MARK]
    assert any(str(op.parameters["note"]).startswith("may be a retake") for op in marks)


def test_no_word_is_cut_into() -> None:
    """The network's edge lies in the middle of unbroken speech."""
    heard = sound((1, 12))
    decisions = cut(heard, edit(heard, (3, 6), 4))
    assert spans(decisions, Kind.KEEP) == spans(cut(heard, edit(heard, None, 0)), Kind.KEEP)


def test_what_is_no_part_of_the_programme_is_asked_about() -> None:
    heard = sound((1, 4), (5, 8))
    decisions = cut(heard, edit(heard, (1, 4), 0, what="slate"))
    (mark,) = (op for op in decisions.operations if op.kind is Kind.MARK)
    assert mark.parameters["note"] == "may be a slate"


def test_a_rough_cut_asks_for_the_network() -> None:
    media = film()
    assert Need.EDIT in roughcut.needs(media, make_options(roughcut.Options, {}))
    assert Need.EDIT not in roughcut.needs(
        replace(media, audio=()), make_options(roughcut.Options, {})
    )


class Counting:
    """A network that answers with what it sees at each step, and where it sees it."""

    spec = EditSpec(stride=8, run_up=4, slot=2, past=3, future=5)
    label = "counting"

    def run(self, steps: NDArray[Any]) -> dict[str, NDArray[Any]]:
        first, spec = self.spec.before, self.spec
        seen = steps[:, first : first + spec.stride, :1]
        sizes = {"operation": 10, "speed": 3, "quality": 4, "attention": 9}
        sizes["reconstruction"] = len(FEATURES)
        total = np.cumsum(steps[:, :, :1], axis=1)[:, first : first + spec.stride]
        return {
            name: np.repeat(seen + total, sizes[name], 2) if name in sizes else seen[..., 0]
            for name in EDIT_OUTPUTS
        }


@pytest.mark.parametrize("size", [1, 3, 8, 50])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 41])
def test_steps_may_arrive_in_pieces_of_any_size(size: int, count: int) -> None:
    network: Any = Counting()
    steps = np.random.default_rng(count).normal(0, 1, (count, len(FEATURES))).astype(np.float32)
    whole = run_edit(network, [steps])
    pieces = run_edit(network, [steps[at : at + size] for at in range(0, count, size)])
    assert len(whole) == len(pieces) == count
    assert np.array_equal(whole.splice, steps[:, 0])
    for name in EDIT_OUTPUTS:
        assert np.array_equal(getattr(whole, name), getattr(pieces, name))


def test_a_stream_forgets_what_no_window_sees_any_more() -> None:
    network: Any = Counting()
    stream = EditStream(network)
    for _ in range(100):
        list(stream.feed(np.zeros((5, len(FEATURES)), np.float32)))
    assert len(stream._held) <= network.spec.window + 5


def remarked(**told: Any) -> list[tuple[int, int, str]]:
    """The marks of a talk of which the network says ``name=(first step, last step, column)``."""
    heard = sound((1, 20))
    said = edit(heard, None, 0)
    said.steps[:, FEATURES.index("has sound")] = said.steps[:, FEATURES.index("has picture")] = 1
    for name, (first, stop, column) in told.items():
        values = getattr(said, name)
        (values if column is None else values[:, column])[first:stop] = 0.95
    return [
        (op.range.start, op.range.end, str(op.parameters["note"]))
        for op in cut(heard, said).operations
        if op.kind is Kind.MARK
    ]


def test_splices_speed_and_colours_are_marked_and_nothing_goes() -> None:
    assert remarked() == []
    ((start, end, note),) = remarked(splice=(40, 41, None))
    assert (start, note) == (250, "another recording may begin here")
    assert end - start <= 7
    slow, fast = SPEC.speeds.index("slower"), SPEC.speeds.index("faster")
    assert remarked(speed=(20, 40, slow)) == [(125, 250, "may be in slow motion, by its voice")]
    assert remarked(speed=(20, 40, fast)) == [(125, 250, "may be in fast motion, by its voice")]
    assert remarked(speed=(20, 23, fast)) == [], "too short to tell"
    colours = "colours may want matching to those around"
    assert remarked(grade=(20, 60, None)) == [(125, 375, colours)]


def test_cuts_of_what_is_edited_already_are_no_news() -> None:
    heard = sound((1, 20))
    said = edit(heard, None, 0)
    said.splice[5::8] = 0.9
    assert spans(cut(heard, said), Kind.MARK) == []


def test_other_colours_get_a_grade_that_matches_them() -> None:
    """A passage has half the contrast of its place and is darker and bluer: its clip is graded."""
    heard = sound((1, 8), (11, 20))
    said = edit(heard, None, 0)
    said.steps[:, FEATURES.index("has picture")] = 1
    said.grade[43:84] = 0.95
    told = {"brightness": (0.3, -0.1), "contrast": (0.1, -0.1), "red": (0.0, 0.0)}
    for name, (value, more) in (told | {"blue": (0.1, 0.1)}).items():
        said.steps[:, FEATURES.index(name)] = value
        said.steps[43:84, FEATURES.index(f"{name} against alike")] = more
    frames = SECONDS * 25
    video = VideoStream(
        1, "h264", 1920, 1080, Fraction(1), 0, 8, "yuv420p", Fraction(25), frames, frames, False,
        Fraction(0), False,
    )  # fmt: skip
    media = replace(film(), video=(video,))
    decisions = roughcut.decide(
        [Predictions(media, heard, edit=said)], make_options(roughcut.Options, {})
    )
    assert len(spans(decisions, Kind.KEEP)) == 2
    programme(decisions)
    (grade,) = (op for op in decisions.operations if op.kind is Kind.GRADE)
    assert (grade.range.start, grade.range.end) == spans(decisions, Kind.KEEP)[1]
    slope, offset = grade.parameters["slope"], grade.parameters["offset"]
    green = 0.3 - 0.0722 * 0.1  # of the passage; blue is a tenth more, and was not around it
    usual = [0.4, 0.4, 0.4]
    assert slope == [2, 2, 2]
    graded = [2 * now + add for now, add in zip([green, green, green + 0.1], offset, strict=True)]
    assert graded == pytest.approx(usual, abs=1e-3)
    assert "colours may want matching to those around" in str(decisions)
