"""The scorer, on cases small enough to count by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.errors import FormatError
from otio_mapedit.shot_list import Boundary
from otio_mapedit.spec import KINDS
from otio_mapedit.training import unedit
from otio_mapedit.training.corpus import empty
from otio_mapedit.training.evaluate import (
    Answer,
    Score,
    answer_of,
    boundaries,
    evaluate_labels,
    load_labels,
    match,
    score,
    score_kinds,
    shots_from_probabilities,
)
from otio_mapedit.training.generated import TEST_SEED, UNCUT_SEED, measure
from otio_mapedit.training.sheets import FALSE, MISSED, fault_strips

lengths = st.lists(st.integers(1, 30), min_size=1, max_size=12)


def shots_of(sizes: list[int]) -> list[tuple[int, int]]:
    ends = np.cumsum(sizes)
    return [(int(end - size), int(end - 1)) for size, end in zip(sizes, ends, strict=True)]


def test_a_cut_is_a_point_and_a_dissolve_a_stretch() -> None:
    assert boundaries([(0, 9), (10, 19), (25, 40)]) == [(9.5, 9.5), (19.5, 24.5)]


@pytest.mark.parametrize(("off", "tolerance", "hit"), [(0, 0, 1), (1, 0, 0), (1, 1, 1), (3, 2, 0)])
def test_tolerance_is_in_frames(off: int, tolerance: int, hit: int) -> None:
    found = [(0, 9 + off), (10 + off, 50)]
    assert score([(0, 9), (10, 50)], found, tolerance) == Score(hit, 1 - hit, 1 - hit)


def test_a_boundary_is_hit_once() -> None:
    truth = [(0, 9), (10, 40)]
    assert score(truth, [(0, 8), (9, 10), (11, 40)]) == Score(1, 0, 1)


def test_a_cut_inside_a_true_dissolve_is_a_hit() -> None:
    assert score([(0, 9), (21, 40)], [(0, 14), (15, 40)], 0) == Score(1, 0, 0)


def test_one_wide_answer_hits_one_of_two_true_cuts() -> None:
    truth = [(0, 9), (10, 14), (15, 40)]
    assert score(truth, [(0, 8), (17, 40)], 0) == Score(1, 1, 0)


@given(lengths, st.integers(0, 3))
def test_the_truth_scores_full_marks(sizes: list[int], tolerance: int) -> None:
    shots = shots_of(sizes)
    result = score(shots, shots, tolerance)
    assert result == Score(len(sizes) - 1, 0, 0)
    assert result.f1 == result.precision == result.recall == 1


@given(lengths, lengths)
def test_matching_is_one_to_one_and_symmetric(one: list[int], other: list[int]) -> None:
    there, back = score(shots_of(one), shots_of(other)), score(shots_of(other), shots_of(one))
    assert there.hit + there.missed == len(one) - 1
    assert there.hit + there.false == len(other) - 1
    assert (there.hit, there.missed, there.false) == (back.hit, back.false, back.missed)


@given(lengths, lengths)
def test_precision_and_recall_swap_with_the_roles(one: list[int], other: list[int]) -> None:
    there, back = score(shots_of(one), shots_of(other)), score(shots_of(other), shots_of(one))
    assert there.precision == back.recall
    assert there.recall == back.precision
    assert there.f1 == back.f1


@given(lengths, lengths)
def test_more_tolerance_never_costs_a_hit(one: list[int], other: list[int]) -> None:
    hits = [score(shots_of(one), shots_of(other), width).hit for width in range(6)]
    assert hits == sorted(hits)


def test_kinds_and_the_ends_of_transitions() -> None:
    label = Answer([(0, 9), (10, 29), (40, 59), (70, 99)], ["cut", "dissolve", "wipe"])
    answer = Answer([(0, 9), (10, 28), (41, 59), (60, 99)], ["cut", "wipe", "cut"])
    kinds = score_kinds(label, answer)
    assert (kinds["cut"].hit, kinds["cut"].named, kinds["cut"].extent_error) == (1, 1, None)
    dissolve = kinds["dissolve"]
    assert (dissolve.hit, dissolve.missed, dissolve.named) == (1, 0, 0)
    assert dissolve.extent_error == 1
    assert kinds["wipe"].offsets == (0, 10)
    assert evaluate_labels(
        {"a": {"shots": label.shots, "kinds": label.kinds}}, {"a": answer}
    ).kinds == dict(sorted(kinds.items()))
    assert score_kinds(Answer(label.shots), answer) == {}


def test_a_missed_kind_counts() -> None:
    label = Answer([(0, 9), (10, 29)], ["cut"])
    assert score_kinds(label, Answer([(0, 29)], []))["cut"].recall == 0


def test_a_list_of_shots_may_stand_for_a_video(tmp_path: Path) -> None:
    path = tmp_path / "peer.json"
    path.write_text('{"a": [[0, 9], [10, 19]], "b": {"shots": [[0, 5]], "kinds": []}}')
    given = {name: answer_of(record) for name, record in load_labels(path).items()}
    assert given["a"] == Answer([(0, 9), (10, 19)])
    path.write_text('{"b": {"shots": [[0, 5]], "kinds": ["cut"]}}')
    with pytest.raises(FormatError, match="one kind"):
        load_labels(path)


def test_sums_not_means() -> None:
    labels = {"a": {"shots": [[0, 9], [10, 19]]}, "b": {"shots": [[0, 4], [5, 9], [10, 19]]}}
    found = {"a": [(0, 9), (10, 19)], "b": [(0, 19)]}
    result = evaluate_labels(labels, found)
    assert result.total[2] == Score(1, 2, 0)
    assert result.total[2].f1 == pytest.approx(0.5)
    assert result.worst(1) == ["b"]


def test_an_unanswered_video_is_an_error() -> None:
    with pytest.raises(FormatError, match="no-such"):
        evaluate_labels({"no-such": {"shots": [[0, 1]]}}, {})


@pytest.mark.parametrize("text", ["", "[1]", '{"a": {}}', '{"a": {"shots": [[4]]}}'])
def test_broken_labels_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError):
        load_labels(path)


def test_labels_are_read(tmp_path: Path) -> None:
    labels = {"a": {"shots": [[0, 9], [10, 19]], "fps": 25}}
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(labels), encoding="utf-8")
    assert load_labels(path) == labels


def test_slips_of_the_labeller_do_no_harm() -> None:
    slipped = [(0, 9), (10, 39), (40, 19), (20, 39), (40, 60)]
    assert boundaries(slipped) == [(9.5, 9.5), (19.5, 19.5), (39.5, 39.5)]


def test_shots_from_probabilities() -> None:
    cut, transition = np.zeros(100), np.zeros(100)
    cut[[20, 21]] = 0.6, 0.9
    transition[50:60] = 0.8
    cut[60] = 0.7
    assert shots_from_probabilities(cut, transition) == [(0, 20), (21, 49), (60, 99)]


def test_a_transition_at_either_end_bounds_the_shots() -> None:
    transition = np.zeros(50)
    transition[:5] = transition[45:] = 1
    assert shots_from_probabilities(np.zeros(50), transition) == [(5, 44)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.data())
def test_shots_are_in_order_and_inside(cut: list[float], data: st.DataObject) -> None:
    count = len(cut)
    transition = data.draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    shots = shots_from_probabilities(np.array(cut), np.array(transition))
    flat = [frame for shot in shots for frame in shot]
    assert all(0 <= first <= last < count for first, last in shots)
    assert flat == sorted(flat)


def test_faults_are_named_and_drawn() -> None:
    matched = match([(0, 9), (10, 19), (20, 40)], [(0, 9), (10, 30), (31, 40)])
    assert (matched.missed, matched.false) == ([(19.5, 19.5)], [(30.5, 30.5)])
    strips = fault_strips(np.zeros((41, 27, 48, 3), np.uint8), matched)
    assert [tuple(strips[row, 0]) for row in (0, 29)] == [MISSED, FALSE]
    nothing = fault_strips(np.zeros((9, 27, 48, 3), np.uint8), match([(0, 8)], [(0, 8)]))
    assert len(nothing) == 1


def test_generated_edits_are_counted_by_kind() -> None:
    """A finder that knows the truth gets full marks, one that sees a cut everywhere does not."""

    def knowing(frames: np.ndarray) -> tuple[list[tuple[int, int]], list[Boundary]]:
        edit = known[frames.tobytes()]
        shots = shots_from_probabilities(edit.cut.astype(float), edit.transition.astype(float))
        boundaries = []
        for low, high in match(shots, shots).true:
            first, stop = int(low + 0.5), int(high + 0.5)
            kind = (
                KINDS[int(np.bincount(edit.kind[first:stop]).argmax())] if first < stop else "cut"
            )
            boundaries.append(Boundary(first, stop, kind, 1.0))
        return shots, boundaries

    series = {TEST_SEED: (3, False), UNCUT_SEED: (2, True)}
    made = [
        unedit.example(empty(), seed, index, 100, uncut)
        for seed, (count, uncut) in series.items()
        for index in range(count)
    ]
    known = {edit.frames.tobytes(): edit for edit in made}
    perfect = measure(empty(), knowing, edits=3, uncut_frames=200, length=100)
    assert perfect.total[0].f1 == 1
    assert perfect.false_per_hour == 0
    assert sum(kind.there for kind in perfect.kinds.values()) == perfect.total[0].hit
    assert all(kind.named == kind.found == kind.there for kind in perfect.kinds.values())
    assert {kind.end_error for kind in perfect.kinds.values()} <= {0.0, None}
    jumpy = measure(
        empty(), lambda frames: ([(0, 49), (50, 99)], []), edits=1, uncut_frames=200, length=100
    )
    assert jumpy.false_per_hour == pytest.approx(3600 * 25 / 100)
