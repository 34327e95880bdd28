"""Scores of moments from somebody else: read by file, on the clock of steps, and what they do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from otio_mapedit.errors import FormatError, UsageError
from otio_mapedit.media import MediaInfo, probe
from otio_mapedit.scores import read_scores
from tests.cli_support import TALK, Cli, one_line
from tests.mediamaker import Picture, movie


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> list[MediaInfo]:
    """Two files of 4 s each."""
    folder = tmp_path_factory.mktemp("footage")
    return [probe(movie(folder / name, Picture(frames=100))) for name in ("a.mov", "b.mov")]


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_scores_are_spread_over_each_file(tmp_path: Path, footage: list[MediaInfo]) -> None:
    path = written(tmp_path / "s.json", {"a": [1, 5], "b.mov": [3] * 100, "other": [9, -9]})
    first, second = read_scores(path, footage)
    assert first is not None
    assert second is not None
    assert first.tolist() == [0.0] * 8 + [1.0] * 8  # of these files the lowest and the highest
    assert second.tolist() == [0.5] * 16
    alone = read_scores(written(tmp_path / "s.json", {"video_1": [2, 2, 2]}), footage[:1])
    assert np.array_equal(alone[0], np.zeros(16))
    assert read_scores(written(tmp_path / "s.json", {"b": [1]}), footage)[0] is None


@pytest.mark.parametrize(
    "content",
    [[1, 2], {"a": []}, {"a": "high"}, {"a": [[1]]}, {"a": [1, None]}, {"a": [1e999]}, {"a": 3}],
)
def test_what_is_no_list_of_scores_is_one_clear_line(
    tmp_path: Path, footage: list[MediaInfo], content: object
) -> None:
    with pytest.raises(FormatError, match="cannot read scores from"):
        read_scores(written(tmp_path / "s.json", content), footage)


def test_scores_of_other_files_are_refused(tmp_path: Path, footage: list[MediaInfo]) -> None:
    with pytest.raises(UsageError, match=r"no scores of a\.mov"):
        read_scores(written(tmp_path / "s.json", {"c": [1], "d": [1]}), footage)
    with pytest.raises(FormatError):
        read_scores(tmp_path / "none.json", footage)


def kept_within(path: Path, first: float, last: float) -> float:
    """The share of what is kept that lies between two seconds of its file."""
    edit = json.loads(path.read_text("utf-8"))
    rate = float(edit["sources"][0]["rate"])
    inside = whole = 0.0
    for op in edit["operations"]:
        if op["kind"] == "keep":
            start, length = (op["range"][key] / rate for key in ("start", "duration"))
            whole += length
            inside += max(0.0, min(start + length, last) - max(start, first))
    return inside / whole


def test_highlights_follow_them(here: Path, cli: Cli) -> None:
    seconds = 40
    for name, first in (("early", 4), ("late", 24)):
        scores = [float(first <= at < first + 12) for at in range(seconds)]
        written(Path("s.json"), {"talk": scores})
        words = ("highlights", TALK, "-d", "10s", "--watch", "samples", "--scores", "s.json")
        outcome = cli(*words, "-o", f"{name}.mapedit")
        assert outcome.code == 0, outcome.err
        assert "high in the scores given" in Path(f"{name}.mapedit").read_text("utf-8")
    early, late = Path("early.mapedit"), Path("late.mapedit")
    assert kept_within(early, 4, 16) > kept_within(late, 4, 16) + 0.3
    assert kept_within(late, 24, 36) > kept_within(early, 24, 36) + 0.3
    Path("s.json").write_text("{")
    line = one_line(cli(*words, "-o", "x.mapedit"), 4)
    assert "cannot read scores" in line
