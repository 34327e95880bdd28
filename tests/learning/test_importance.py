"""Agreement with people who rated videos: counted by hand, and as published."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.errors import FormatError
from otio_mapedit.learning.agreement import (
    Agreement,
    f_scores,
    kendall_matrix,
    mean_of,
    spearman_matrix,
    summary,
    uniform_segments,
)
from otio_mapedit.learning.importance_data import (
    Split,
    read_rated,
    read_scores,
    read_splits,
    with_ratings,
)
from otio_mapedit.learning.importance_evaluation import by_position, evaluate, people, position
from tests.cli_support import Cli

rows = st.integers(2, 30).flatmap(
    lambda count: st.lists(
        st.lists(st.integers(0, 4), min_size=count, max_size=count), min_size=2, max_size=4
    )
)


def write_h5(path: Path, videos: int = 3, scores: bool = True) -> Path:
    """A small file in the usual form: people agree that the middle third matters."""
    draw = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        for number in range(1, videos + 1):
            group, frames = file.create_group(f"video_{number}"), 300 + 30 * number
            picks = np.arange(0, frames, 15)
            edges = np.arange(0, frames, 30)
            middle = (picks > frames / 3) & (picks < frames / 2)
            ratings = 1 + 3 * middle + draw.integers(0, 2, (4, len(picks)))
            chosen = np.zeros((4, frames), bool)
            chosen[:, frames // 3 : frames // 3 + 45] = True
            group["features"] = draw.normal(size=(len(picks), 8)).astype(np.float32)
            group["n_frames"], group["picks"] = frames, picks
            group["change_points"] = np.stack([edges, np.append(edges[1:], frames) - 1], axis=1)
            group["user_summary"] = chosen.astype(np.float32)
            if scores:
                group["user_scores"] = ratings.astype(np.float32)
    return path


#: What a small file may claim to hold, for each of its videos, and what is said of it.
ENORMOUS = [
    ({"features": (10**9, 1024)}, "video_1/features claims 1000000000 x 1024 values"),
    ({"user_summary": (2 * 10**6, 10**6)}, "video_1/user_summary claims 2000000 x 1000000 values"),
    ({"gtscore": (2**40,)}, "video_1/gtscore claims"),
    ({"user_summary": (100, 10**6), "features": (10**5, 1024)}, "its arrays claim"),
    ({"user_scores": (10**7, 1)}, "claims 10000000 users of 330 frames"),
]


@pytest.mark.parametrize(("claimed", "what"), ENORMOUS)
def test_arrays_that_no_data_set_has_are_refused_unread(
    tmp_path: Path, claimed: dict[str, tuple[int, ...]], what: str
) -> None:
    path = write_h5(tmp_path / "a.h5", scores=False)
    with h5py.File(path, "a") as file:
        for video in file.values():
            if "user_scores" in claimed:
                del video["picks"], video["features"]
                video["picks"] = [0]
            for key, shape in claimed.items():
                if key in video:
                    del video[key]
                video.create_dataset(key, shape, "f4", chunks=tuple(min(n, 64) for n in shape))
    assert path.stat().st_size < 10**6
    with pytest.raises(FormatError, match=what):
        read_rated(path)


def test_ratings_that_no_data_set_has_are_refused_unread(tmp_path: Path) -> None:
    path = write_tvsum(tmp_path / "a.mat")
    with h5py.File(path, "a") as file:
        enormous = file["#refs#"].create_dataset("e", (10**7, 10**6), "f8", chunks=(64, 64))
        file["tvsum50"]["user_anno"][1, 0] = enormous.ref
    with pytest.raises(FormatError, match="user_anno 2 claims 10000000 x 1000000 values"):
        read_rated(path)


def write_tvsum(path: Path, lengths: tuple[int, ...] = (330, 360, 390)) -> Path:
    """Ratings in the form of TVSum's own file."""
    with h5py.File(path, "w") as file:
        group, held = file.create_group("tvsum50"), file.create_group("#refs#")
        for field in ("user_anno", "length"):
            group.create_dataset(field, (len(lengths), 1), h5py.ref_dtype)
        for number, frames in enumerate(lengths):
            stored = {
                "user_anno": 1.0 + np.arange(frames) // 60 % 5 + np.zeros((3, 1)),
                "length": np.array([[frames / 30]]),
            }
            for field, value in stored.items():
                held[f"{field}{number}"] = value
                group[field][number, 0] = held[f"{field}{number}"].ref
    return path


@given(rows)
def test_correlations_are_those_of_scipy(values: list[list[int]]) -> None:
    table = np.array(values)
    kendall, spearman = kendall_matrix(table), spearman_matrix(table)
    for one in range(len(table)):
        for two in range(len(table)):
            if len(set(values[one])) > 1 and len(set(values[two])) > 1:
                expected = scipy.stats.kendalltau(table[one], table[two]).statistic
                assert kendall[one, two] == pytest.approx(expected, abs=1e-5)
                expected = scipy.stats.spearmanr(table[one], table[two]).statistic
                assert spearman[one, two] == pytest.approx(expected, abs=1e-9)
            else:
                assert np.isnan(kendall[one, two])
                assert np.isnan(spearman[one, two])


def test_a_summary_is_the_best_segments_that_fit() -> None:
    scores = np.repeat([0.1, 0.9, 0.2, 0.8], 10)
    made = summary(scores, uniform_segments(40, 10), share=0.5)
    assert made.tolist() == np.repeat([False, True, False, True], 10).tolist()
    people = np.stack([made, ~made, np.arange(40) < 20])
    assert f_scores(made, people).tolist() == [1.0, 0.0, 0.5]


def test_means_leave_out_what_cannot_be_told() -> None:
    unknown = float("nan")
    found = mean_of([Agreement(0.2, unknown, 0, 0, 1), Agreement(0.4, unknown, 1, 0, 0)])
    assert (found.kendall, found.kendall_mean, found.f_score) == pytest.approx((0.3, 0.5, 0.5))
    assert np.isnan(found.spearman)


def test_the_usual_form_is_read(tmp_path: Path) -> None:
    first, *_, last = read_rated(write_h5(tmp_path / "a.h5", videos=11))
    assert (first.name, last.name) == ("video_1", "video_11")
    assert first.frames == 330
    assert first.segments[0].tolist() == [0, 30]
    assert first.segments[-1].tolist() == [300, 330]
    assert first.features is not None
    assert first.features.shape == (22, 8)
    assert first.scores.shape == (4, 330)
    assert (first.scores[:, 15:30] == first.scores[:, 15:16]).all()


def test_ratings_of_people_are_taken_from_the_original(tmp_path: Path) -> None:
    plain = read_rated(write_h5(tmp_path / "a.h5", scores=False))
    assert set(np.unique(plain[0].scores)) == {0, 1}
    ratings = write_tvsum(tmp_path / "t.mat")
    joined = with_ratings(plain, ratings)
    assert [video.scores.max() for video in joined] == [5, 5, 5]
    with pytest.raises(FormatError, match="no ratings of video_3"):
        with_ratings(plain, write_tvsum(tmp_path / "u.mat", (330, 360, 395)))


def test_summe_is_read(tmp_path: Path) -> None:
    chosen = np.zeros((300, 3), np.uint8)
    chosen[100:140] = [4, 0, 9]
    scipy.io.savemat(tmp_path / "Jumps.mat", {"user_score": chosen, "FPS": 25})
    (tmp_path / "SumMe_data.mat").write_bytes(b"not looked at")
    (video,) = read_rated(tmp_path)
    assert video.name == "Jumps"
    assert video.summaries.sum(axis=1).tolist() == [40, 0, 40]
    assert video.segments[0].tolist() == [0, 50]


@pytest.mark.parametrize(
    "content", [b"", b"MATLAB 5.0 MAT-file, rubbish" + bytes(200), b"\x89HDF\r\n\x1a\n" + bytes(99)]
)
def test_what_is_no_data_is_one_clear_line(tmp_path: Path, cli: Cli, content: bytes) -> None:
    path = tmp_path / "broken.mat"
    path.write_bytes(content)
    outcome = cli("model", "evaluate-importance", path)
    assert outcome.code == 4
    assert outcome.err.count("\n") == 1


def test_splits_are_read_in_both_forms(tmp_path: Path) -> None:
    known = ["video_1", "video_2", "video_3"]
    path = tmp_path / "splits.json"
    path.write_text(json.dumps([{"train_keys": known[:2], "test_keys": known[2:]}]))
    wanted = [Split(("video_1", "video_2"), ("video_3",))]
    assert read_splits(path, known) == wanted
    path.write_text("SumMe/split0/video_1,video_2/video_3\n")
    assert read_splits(path, known) == wanted
    with pytest.raises(FormatError, match="video_3, which the data lacks"):
        read_splits(path, known[:2])
    path.write_text("[3]")
    with pytest.raises(FormatError, match="holds no splits"):
        read_splits(path, known)


def test_the_truth_beats_every_baseline(tmp_path: Path) -> None:
    videos = read_rated(write_h5(tmp_path / "a.h5", videos=4))
    truth = {video.name: video.scores.mean(axis=0) for video in videos}
    found = evaluate(videos, "mean", truth)
    assert found["scores"].spearman_mean == pytest.approx(1)
    assert found["scores"].kendall > found["position"].kendall > abs(found["random"].kendall)
    split = [Split(("video_1", "video_2"), ("video_3", "video_4"))]
    part = evaluate(videos, "mean", truth, split)
    assert part["people"] == mean_of([people(video, "mean") for video in videos[2:]])


def test_the_verb_judges_scores(tmp_path: Path, cli: Cli) -> None:
    data = write_h5(tmp_path / "a.h5")
    videos = read_rated(data)
    given_scores = {video.name: video.scores[0, video.picks].tolist() for video in videos}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(given_scores))
    outcome = cli("model", "evaluate-importance", data, "--scores", path, "--json")
    assert outcome.code == 0, outcome.err
    answer = json.loads(outcome.out)
    assert set(answer) == {"scores", "people", "position", "random"}
    assert answer["scores"]["kendall"] > answer["people"]["kendall"]
    assert "people, each against the others" in cli("model", "evaluate-importance", data).out
    path.write_text(json.dumps(given_scores | {"video_2": [1, 2]}))
    with pytest.raises(FormatError, match="video_2 needs"):
        read_scores(path, videos)


@pytest.fixture(scope="module")
def tvsum(shared: Path) -> Path:
    return shared / "data/annotations/tvsum/ydata-tvsum50.mat"


def test_published_figures_of_tvsum_are_found_again(tvsum: Path) -> None:
    """Human tau .177 and rho .204 (Otani et al. 2019, table 1); one person against the mean of the
    others .396; position learned from the other videos about .20."""
    videos = read_rated(tvsum)
    found = mean_of([people(video, "mean") for video in videos])
    assert found.kendall == pytest.approx(0.177, abs=0.001)
    assert found.spearman == pytest.approx(0.204, abs=0.001)
    assert found.spearman_mean == pytest.approx(0.396, abs=0.001)
    rho = []
    for video in videos:
        prior = position([other for other in videos if other is not video])
        guess = by_position(video, prior)[video.picks]
        mean = video.scores[:, video.picks].mean(axis=0)
        rho.append(spearman_matrix(np.stack([guess, mean]))[0, 1])
    assert np.mean(rho) == pytest.approx(0.2, abs=0.01)


def test_published_splits_and_summe_are_read(shared: Path) -> None:
    folder = shared / "data/annotations"
    assert len(read_rated(folder / "summe")) == 25
    names = [f"video_{number}" for number in range(1, 51)]
    for path in sorted((folder / "splits").iterdir()):
        splits = read_splits(path, names)
        assert len(splits) == 5
        assert all(not set(split.train) & set(split.test) for split in splits)
