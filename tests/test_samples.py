"""The samples and what the product makes of them: what `make demo` and the README show."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from otio_mapedit import mapedit_file
from otio_mapedit.cli.app import run
from otio_mapedit.media import probe
from otio_mapedit.operations import DecisionList, Kind, partition_faults
from otio_mapedit.timing import timecode

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = REPOSITORY / "samples"
TRUTH: dict[str, Any] = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DecisionList]:
    """The decision lists of both samples."""
    folder = tmp_path_factory.mktemp("edits")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAPEDIT_CACHE", str(folder / "cache"))
        for verb, name in (("roughcut", "talk"), ("shots", "edited")):
            out = folder / f"{name}.mapedit"
            assert run([verb, str(SAMPLES / f"{name}.mp4"), "-o", str(out), "-q"]) == 0
            found[name] = mapedit_file.read(out)
    return found


@pytest.mark.parametrize("name", ["talk.mp4", "edited.mp4"])
def test_samples_are_what_they_say(name: str) -> None:
    info, truth = probe(SAMPLES / name), TRUTH[name]
    assert str(info.rate) == truth["rate"]
    assert timecode(info.start_frame, info.rate, info.drop_frame) == truth["start_timecode"]
    assert info.picture is not None
    assert info.picture.frame_count == truth["frame_count"]
    assert info.path.stat().st_size < 1_500_000


def test_no_word_is_clipped_and_no_pause_kept(edits: dict[str, DecisionList]) -> None:
    talk = edits["talk"]
    assert not partition_faults(talk)
    kept = {
        frame
        for op in talk.operations
        if op.kind is Kind.KEEP
        for frame in range(op.range.start, op.range.end)
    }
    for passage in TRUTH["talk.mp4"]["passages"]:
        frames = set(range(passage["first"], passage["first"] + passage["frames"]))
        if passage["kind"] == "say":
            assert frames <= kept, passage["text"]
        elif passage["kind"] == "black":
            assert not frames & kept
        elif passage["kind"] in ("pause", "covered"):
            margins = frames & kept
            assert len(margins) <= 16, passage  # 0.2 s before speech and 0.3 s after it
    joined = [
        passage
        for before, passage, after in _threes(TRUTH["talk.mp4"]["passages"])
        if passage["kind"] == "breath" and before["kind"] == after["kind"] == "say"
    ]
    for breath in joined:
        assert breath["first"] in kept, "a natural pause was cut"


def test_every_join_is_found_where_it_is(edits: dict[str, DecisionList]) -> None:
    """Cuts to the frame; dissolves and fades within three frames at either end."""
    joins = [op for op in edits["edited"].operations if op.kind in (Kind.CUT, Kind.DISSOLVE)]
    cuts = [op.range.start for op in joins if op.kind is Kind.CUT]
    assert cuts == [join["frame"] for join in TRUTH["edited.mp4"]["joins"] if join["kind"] == "cut"]
    mixed = [(op.range.start, op.range.end) for op in joins if op.kind is Kind.DISSOLVE]
    wanted = []
    for join in TRUTH["edited.mp4"]["joins"]:
        if join["kind"] == "dissolve":
            wanted.append((join["first"], join["end"]))
        if join["kind"] == "fade":
            wanted += [(join["first"], join["frame"]), (join["frame"], join["end"])]
    assert len(mixed) == len(wanted)
    for (first, end), (true_first, true_end) in zip(mixed, wanted, strict=True):
        assert abs(first - true_first) <= 3
        assert abs(end - true_end) <= 3


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_what_really_comes_out(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").symlink_to(SAMPLES)
    (tmp_path / "demo").mkdir()
    for verb, name in (("roughcut", "talk"), ("shots", "edited")):
        words = [verb, f"samples/{name}.mp4", "-o", f"demo/{name}.otio"]
        capsys.readouterr()
        assert run(words) == 0
        assert f"$ mapedit {' '.join(words)}\n{capsys.readouterr().out}" in text
    assert run(["probe", "samples/edited.mp4"]) == 0
    assert f"$ mapedit probe samples/edited.mp4\n{capsys.readouterr().out}" in text


def _threes(items: list[Any]) -> list[tuple[Any, Any, Any]]:
    return list(zip(items, items[1:], items[2:], strict=False))


def test_passages_follow_each_other() -> None:
    passages = TRUTH["talk.mp4"]["passages"]
    for before, after in itertools.pairwise(passages):
        assert before["first"] + before["frames"] == after["first"]
