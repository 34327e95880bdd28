"""``mapedit model evaluate`` on videos whose cuts are known, and on a peer's answers."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from otio_mapedit.cli.measuring import kinds_between, pure_shots
from otio_mapedit.shot_list import Boundary, Shot, ShotList
from tests.cli_support import Cli
from tests.test_shots_media import Film, take, write


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    made = Film(take(1, 60))
    made.cut(take(2, 55))
    made.dissolve(take(3, 75), 14)
    write(folder / "a.mp4", made.pictures, Fraction(25))
    label = {"shots": [[0, 59], [60, 100], [115, 175]], "kinds": ["cut", "dissolve"]}
    (folder / "labels.json").write_text(json.dumps({"a": label}))
    (folder / "peer.json").write_text(json.dumps({"a": [[0, 39], [40, 175]]}))
    return folder


def test_ours_beside_a_peer(cli: Cli, videos: Path, tmp_path: Path) -> None:
    labels, peer = str(videos / "labels.json"), str(videos / "peer.json")
    done = cli(
        "model", "evaluate", "--data", str(videos), "--labels", labels, "--predictions", peer,
        "--strips", str(tmp_path / "faults"), "--json", "--no-cache",
    )  # fmt: skip
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert answer["total"]["2"]["f1"] == 1
    assert answer["kinds"]["dissolve"]["extent_error"] <= 2
    assert answer["kinds"]["cut"]["named"] == 1
    assert answer["predictions"]["a"]["shots"][0] == [0, 59]
    assert answer["seconds"]["a"] > 0
    other = answer["others"]["peer"]["total"]["2"]
    assert (other["found"], other["missed"], other["false"]) == (0, 2, 1)
    again = tmp_path / "ours.json"
    again.write_text(json.dumps(answer["predictions"]))
    done = cli("model", "evaluate", "--labels", labels, "--predictions", str(again))
    assert done.code == 0, done.err
    assert "1.000" in done.out


def test_strips_show_what_is_wrong(cli: Cli, videos: Path, tmp_path: Path) -> None:
    labels = tmp_path / "wrong.json"
    labels.write_text(json.dumps({"a": {"shots": [[0, 29], [30, 175]]}}))
    done = cli(
        "model", "evaluate", "--data", str(videos), "--labels", str(labels),
        "--strips", str(tmp_path / "faults"), "--no-cache",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (tmp_path / "faults" / "a.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_measure(cli: Cli, videos: Path) -> None:
    done = cli("model", "evaluate", "--labels", str(videos / "labels.json"))
    assert done.code == 2
    assert "--data" in done.err


def test_a_peer_needs_videos(cli: Cli, videos: Path) -> None:
    labels, peer = str(videos / "labels.json"), str(videos / "peer.json")
    done = cli("model", "evaluate", "--labels", labels, "--predictions", peer, "--peer")
    assert done.code == 2
    assert "Give --data" in done.err


def test_black_between_two_shots_is_one_boundary() -> None:
    out, back = Boundary(90, 100, "fade_out", 0.9), Boundary(110, 120, "fade_in", 0.9)
    cut = Boundary(40, 40, "cut", 0.9)
    shots = ShotList(
        (
            Shot(0, 40, closing=cut),
            Shot(40, 100, opening=cut, closing=out),
            Shot(100, 110, True, out, back),
            Shot(110, 150, opening=back),
        )
    )
    assert pure_shots(shots) == [(0, 39), (40, 89), (120, 149)]
    assert kinds_between(shots) == ["cut", "fade"]
