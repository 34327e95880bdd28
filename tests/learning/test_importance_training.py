"""A scorer of importance is learned where the features tell it, and only there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

pytest.importorskip("torch")

from otio_mapedit.errors import FormatError, ModelError, OptionError
from otio_mapedit.learning.importance_data import RatedVideo, Split, read_rated
from otio_mapedit.training.export import stored
from otio_mapedit.training.importance import (
    ImportanceConfig,
    check,
    held_out_scores,
    random_splits,
    read,
    train_importance,
    write,
)
from tests.cli_support import Cli

EVERY = 15


def write_rated(path: Path, videos: int = 10, shuffled: bool = False, key: str = "gtscore") -> Path:
    """Videos of which the sixth feature is the importance, on another scale and with noise;
    ``shuffled`` moves the features to other moments."""
    draw = np.random.default_rng(5)
    with h5py.File(path, "w") as file:
        for number in range(1, videos + 1):
            group, count = file.create_group(f"video_{number}"), 50 + 2 * number
            frames = EVERY * count
            # Runs of four sampled frames matter alike, as a moment does.
            matters = np.repeat(draw.random(count // 4 + 1), 4)[:count]
            features = draw.normal(size=(count, 12))
            features[:, 5] = 40 * matters + draw.normal(size=count) + 300
            ratings = matters + 0.1 * draw.normal(size=(4, count))
            edges = np.append(np.arange(0, frames, 4 * EVERY), frames)
            chosen = np.repeat(ratings > np.quantile(ratings, 0.85), EVERY, axis=1)
            group["features"] = features[draw.permutation(count)] if shuffled else features
            group[key] = ratings.mean(axis=0)
            group["n_frames"], group["picks"] = frames, np.arange(0, frames, EVERY)
            group["change_points"] = np.stack([edges[:-1], edges[1:] - 1], axis=1)
            group["user_summary"] = chosen.astype(np.float32)
            group["user_scores"] = ratings.astype(np.float32)
    return path


def trained(cli: Cli, data: Path, *options: object) -> dict[str, Any]:
    outcome = cli("model", "train", "--data", data, "--json", "--quiet", *options)
    assert outcome.code == 0, outcome.err
    answer: dict[str, Any] = json.loads(outcome.out)
    return answer


def test_what_the_features_tell_is_learned(tmp_path: Path, cli: Cli) -> None:
    answer = trained(cli, write_rated(tmp_path / "a.h5"), "-o", tmp_path / "mine.json")
    mean = answer["mean"]
    assert set(mean) == {"scores", "people", "position", "random"}
    assert mean["scores"]["spearman_mean"] > 0.85
    for baseline in ("position", "random"):
        assert mean["scores"]["kendall"] > mean[baseline]["kendall"] + 0.5
        assert mean["scores"]["f_score"] > mean[baseline]["f_score"] + 0.25
    assert len(answer["splits"]) == 5


def test_features_of_other_moments_teach_nothing(tmp_path: Path, cli: Cli) -> None:
    data = write_rated(tmp_path / "a.h5", shuffled=True)
    mean = trained(cli, data, "-o", tmp_path / "mine.json")["mean"]
    for baseline in ("position", "random"):
        assert mean["scores"]["kendall"] < mean[baseline]["kendall"] + 0.15
    assert abs(mean["scores"]["spearman_mean"]) < 0.2


def test_published_splits_are_followed_and_the_files_fit_together(tmp_path: Path, cli: Cli) -> None:
    data, splits = write_rated(tmp_path / "a.h5"), tmp_path / "splits.json"
    names = [f"video_{number}" for number in range(1, 11)]
    published = [{"train_keys": names[:8], "test_keys": names[8:]}]
    splits.write_text(json.dumps(published))
    scores, checkpoint = tmp_path / "mine.json", tmp_path / "mine.pt"
    answer = trained(cli, data, "--splits", splits, "-o", checkpoint)
    assert (answer["scores"], answer["checkpoint"]) == (str(scores), str(checkpoint))
    found = json.loads(scores.read_text())
    assert list(found) == names[8:]
    judged = cli(
        "model", "evaluate-importance", data, "--splits", splits, "--scores", scores, "--json"
    )
    assert judged.code == 0, judged.err
    for what, row in json.loads(judged.out).items():
        assert row == pytest.approx(answer["mean"][what], abs=1e-3), what
    # Scores of what was learned from would flatter: there are none.
    whole = cli("model", "evaluate-importance", data, "--scores", scores)
    assert (whole.code, "video_1 needs" in whole.err) == (4, True)
    # The checkpoint holds what gave the scores.
    (scorer,) = read(checkpoint)
    video = read_rated(data)[-1]
    assert video.features is not None
    assert scorer.score(video.features) == pytest.approx(found["video_10"], abs=1e-5)


def test_a_table_for_each_split_and_their_mean(tmp_path: Path, cli: Cli) -> None:
    outcome = cli(
        "model", "train", "--data", write_rated(tmp_path / "a.h5", 6), "-o", tmp_path / "m.json"
    )
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("the scores given") == 6
    assert "split 5, 1 test videos" in outcome.out
    assert "mean of 5 splits" in outcome.out


def test_the_same_seed_gives_the_same_scorer(tmp_path: Path) -> None:
    videos = read_rated(write_rated(tmp_path / "a.h5", 5))
    splits = random_splits([video.name for video in videos])[:1]

    import torch

    def scores(seed: int) -> list[float]:
        torch.rand(1)  # whatever else draws from torch's random numbers changes nothing
        made = train_importance(videos, splits, ImportanceConfig(seed=seed, epochs=3))
        (name,) = splits[0].test
        return [float(value) for value in held_out_scores(videos, made)[0][name]]

    assert scores(1) == scores(1) != scores(2)


def test_random_splits_test_every_video_once() -> None:
    names = [f"video_{number}" for number in range(12)]
    splits = random_splits(names, seed=3)
    assert len(splits) == 5
    assert sorted(name for split in splits for name in split.test) == sorted(names)
    assert all(set(split.train) == set(names) - set(split.test) for split in splits)
    assert splits == random_splits(names, seed=3) != random_splits(names, seed=4)


def test_what_stops_the_training_is_not_tested_on(tmp_path: Path) -> None:
    videos = read_rated(write_rated(tmp_path / "a.h5", 5))
    splits = random_splits([video.name for video in videos])
    for one in train_importance(videos, splits, ImportanceConfig(epochs=1)):
        assert one.stopped_by
        assert set(one.stopped_by) < set(one.split.train)


def test_the_choice_of_people_serves_where_there_is_no_score(tmp_path: Path) -> None:
    of_score = read_rated(write_rated(tmp_path / "a.h5", 2))
    of_choice = read_rated(write_rated(tmp_path / "b.h5", 2, key="gtsummary"))
    for one, other in zip(of_score, of_choice, strict=True):
        assert one.importance is not None
        assert other.importance is not None
        assert (one.importance == other.importance).all()


def put(key: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    def damage(group: Any) -> None:
        value = change(group[key][()])
        del group[key]
        group[key] = value

    return damage


def without(key: str) -> Callable[[Any], None]:
    def damage(group: Any) -> None:
        del group[key]

    return damage


def first_nan(values: Any) -> Any:
    values = values.astype(np.float32)
    values.flat[0] = np.nan
    return values


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without("features"), "video_2 has no features"),
        (without("gtscore"), "video_2 has no gtscore"),
        (without("user_summary"), "video_2 has no user_summary"),
        (without("change_points"), "video_2 has no change_points"),
        (put("features", first_nan), "video_2 has features that are no numbers"),
        (put("gtscore", first_nan), "video_2 has gtscore that are no numbers"),
        (put("user_scores", first_nan), "video_2 has user_scores that are no numbers"),
        (put("features", lambda values: values[:-1]), "video_2 has 53 features for 54"),
        (put("features", lambda values: values[:, :3]), "the features of video_2 have the shape"),
        (put("features", lambda values: values[:, 0]), "the features of video_2 have the shape"),
        (put("gtscore", lambda values: values[:-1]), "video_2 has a gtscore of 53 for 54"),
        (put("picks", lambda values: values[::-1]), "video_2 has picks that do not rise"),
        (put("picks", lambda values: values + 10**6), "video_2 has picks that do not rise"),
        (put("n_frames", lambda value: value + 1), "video_2 has 811 frames and summaries of 810"),
        (put("change_points", lambda values: values + 10**6), "no change points inside"),
        (put("features", lambda values: "text"), "a.h5 is no data of rated videos"),
    ],
)
def test_a_hostile_file_is_one_clear_line(
    tmp_path: Path, cli: Cli, damage: Callable[[Any], None], words: str
) -> None:
    data = write_rated(tmp_path / "a.h5", 3)
    with h5py.File(data, "r+") as file:
        damage(file["video_2"])
    outcome = cli("model", "train", "--data", data, "-o", tmp_path / "m.json")
    assert outcome.code == 4
    assert outcome.err.count("\n") == 1
    assert words in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5"]


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x89HDF\r\n\x1a\n" + bytes(99)])
def test_what_is_no_h5_is_one_clear_line(tmp_path: Path, cli: Cli, content: bytes | None) -> None:
    data = tmp_path / "a.h5"
    if content is not None:
        data.write_bytes(content)
    outcome = cli("model", "train", "--data", data, "-o", tmp_path / "m.json")
    assert outcome.code == 4
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--data", "a.h5", "--config", "onnx/edit.toml"],
        ["--splits", "splits.json"],
        ["-o", "mine.json"],
        ["--seed", "1"],
        ["--force"],
    ],
)
def test_wrong_use_is_one_clear_line(cli: Cli, options: list[str]) -> None:
    outcome = cli("model", "train", *options)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "--data" in outcome.err


def test_nothing_is_written_over(tmp_path: Path, cli: Cli) -> None:
    data = write_rated(tmp_path / "a.h5", 3)
    (tmp_path / "m.pt").write_text("mine")
    refused = cli("model", "train", "--data", data, "-o", tmp_path / "m.json")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    splits = tmp_path / "splits.json"
    splits.write_text("[]")
    refused = cli(
        "model", "train", "--data", data, "--splits", splits, "-o", splits, "--force"
    )  # fmt: skip
    assert (refused.code, "is what is read" in refused.err) == (2, True)


@pytest.mark.parametrize("library", ["torch", "h5py"])
def test_a_missing_library_is_one_clear_line(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    data = write_rated(tmp_path / "a.h5", 3)
    monkeypatch.delitem(sys.modules, "otio_mapedit.training.importance")
    monkeypatch.setitem(sys.modules, library, None)
    outcome = cli("model", "train", "--data", data, "-o", tmp_path / "m.json")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert f"needs {library}, which is not installed" in outcome.err


def rated(tmp_path: Path) -> list[RatedVideo]:
    return read_rated(write_rated(tmp_path / "a.h5", 3))


def test_splits_that_cannot_be_learned_from_are_refused(tmp_path: Path) -> None:
    videos = rated(tmp_path)
    with pytest.raises(OptionError, match="split 1 tests on video_2, which it learns from"):
        check(tmp_path, videos, [Split(("video_1", "video_2"), ("video_2",))])
    with pytest.raises(OptionError, match="has 1 videos to learn from"):
        check(tmp_path, videos, [Split(("video_1", "video_1"), ("video_2",))])
    with pytest.raises(OptionError, match="0 to test on"):
        check(tmp_path, videos, [Split(("video_1", "video_2"), ())])
    with pytest.raises(FormatError, match="names video_9"):
        check_names(tmp_path, videos)


def check_names(tmp_path: Path, videos: list[RatedVideo]) -> None:
    from otio_mapedit.learning.importance_data import read_splits

    path = tmp_path / "splits.json"
    path.write_text(json.dumps([{"train_keys": ["video_9"], "test_keys": ["video_1"]}]))
    read_splits(path, [video.name for video in videos])


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    for content in (b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="no checkpoint of scorers"):
            read(path)
        with pytest.raises(ModelError, match="is no checkpoint"):
            stored(path)
    videos = rated(tmp_path)
    splits = [Split(("video_1", "video_2"), ("video_3",))]
    config = ImportanceConfig(epochs=1)
    write(path, train_importance(videos, splits, config), config)
    assert len(read(path)) == 1
    with pytest.raises(ModelError, match="which have no ONNX form"):
        stored(path)
