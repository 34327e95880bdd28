"""The command line: help, wrong use, settings, exit codes, one-line errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otio_mapedit import __version__
from otio_mapedit.cli import app, edit
from otio_mapedit.cli.app import VERBS
from otio_mapedit.network_files import networks_folder
from otio_mapedit.operations import DecisionList, Kind, Operation
from otio_mapedit.timing import FrameRange
from tests.cli_support import EDITED, TALK, Cli, one_line

HEAVY = {"numpy", "av", "onnxruntime", "opentimelineio", "rich", "torch"}


# Help ----------------------------------------------------------------------------------------


def test_help_names_every_verb(cli: Cli) -> None:
    for words in ([], ["--help"], ["-h"]):
        shown = cli(*words)
        assert shown.code == 0
        assert all(f"  {verb} " in shown.out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(cli: Cli, verb: str) -> None:
    shown = cli(verb, "--help")
    assert shown.code == 0
    assert f"Usage: mapedit {verb}" in shown.out
    assert max(len(line) for line in shown.out.splitlines()) <= 80


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from otio_mapedit.cli.app import run; run(['--help']);"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"mapedit {__version__}\n"


# Wrong use -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["prob"], "Did you mean 'probe'?"),
        (["roughcut"], "missing argument 'FILE'"),
        (["roughcut", "--paec", "2", TALK], "--pace"),
        (["shots", TALK, "--min-shot", "soon"], "Write seconds (0.25s)"),
        (["shots", TALK, "--transitions", "melt"], "keep, cut"),
        (["shots", TALK, "--for", "resolv"], "Did you mean resolve?"),
        (["shots", TALK, "-o", "cut.xyz"], ".otio, .otioz or .mapedit"),
        (["shots", TALK, "-o", "cut"], ".otio, .otioz or .mapedit"),
        (["shots", TALK, "-o", "cut.mapedit", "--for", "resolve"], "Leave --for out"),
        (["shots", TALK, "-o", "-.otioz"], "Name a file instead"),
        (["shots", TALK, "-o", "-", "--json"], "Name a file with -o"),
        (["roughcut", TALK, "--transcribe", "-o", "cut.otio"], "leave --transcribe out"),
        (["roughcut", "--min-shot", "--force", TALK], "--min-shot says nothing"),
    ],
)
def test_wrong_use_gets_one_line(cli: Cli, here: Path, words: list[str], hint: str) -> None:
    assert hint in one_line(cli(*words), 2)
    assert not list(here.iterdir())


def test_wrong_use_is_json_too(cli: Cli) -> None:
    failed = cli("probe", "--jsno", "--json", TALK)
    assert failed.json["error"]["exit_code"] == 2
    one_line(failed, 2)


# Settings ------------------------------------------------------------------------------------


def test_flags_win_over_environment_over_settings(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def minimum(*words: str) -> str:
        given = cli("roughcut", TALK, "--force", "--json", *words).json
        return str(given["options"]["min_shot"])

    (here / "mapedit.toml").write_text('[roughcut]\nmin_shot = "41f"\n')
    assert minimum() == "41f"
    monkeypatch.setenv("MAPEDIT_ROUGHCUT_MIN_SHOT", "42f")
    assert minimum() == "42f"
    assert minimum("--min-shot", "43f") == "43f"


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ('[roughcut]\nmin_shoot = "1s"\n', 2, "min_shot"),
        ("[roughcut\n", 4, "mapedit.toml"),
        ('[output]\nfro = "resolve"\n', 2, "for"),
    ],
)
def test_settings_are_checked(cli: Cli, here: Path, text: str, code: int, hint: str) -> None:
    (here / "mapedit.toml").write_text(text)
    assert hint in one_line(cli("roughcut", TALK, "-o", "cut.otio"), code)


# Reviews, surprises --------------------------------------------------------------------------


def test_strict_asks_for_a_look(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = edit.decide_footage

    def marked(*given: Any) -> DecisionList:
        from dataclasses import replace

        found = decided(*given)
        first = found.operations[0]
        mark = Operation(
            Kind.MARK, first.source, FrameRange(first.range.start, 1), "look",
            parameters={"name": "look", "note": "", "colour": "ORANGE"},
        )  # fmt: skip
        return replace(found, operations=(*found.operations, mark))

    monkeypatch.setattr(edit, "decide_footage", marked)
    assert "1 to review" in cli("roughcut", TALK, "-o", "a.otio").out
    assert cli("roughcut", TALK, "-o", "b.otio").code == 0
    assert cli("roughcut", TALK, "-o", "c.otio", "--strict").code == 3


def test_the_unexpected_is_one_line_unless_debugging(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(edit, "probe", broken)
    monkeypatch.delenv("MAPEDIT_DEBUG", raising=False)
    assert "MAPEDIT_DEBUG=1" in one_line(cli("roughcut", TALK, "-o", "-"), 1)
    monkeypatch.setenv("MAPEDIT_DEBUG", "1")
    assert "Traceback" in cli("roughcut", TALK, "-o", "-").err


def test_a_missing_network_is_exit_code_5(
    cli: Cli,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    installed = networks_folder()
    monkeypatch.setenv("MAPEDIT_NETWORKS", str(here))
    assert "shots.onnx" in one_line(cli("shots", EDITED, "-o", "cut.otio", "--no-cache"), 5)
    assert "shots.onnx" in one_line(cli("roughcut", TALK, "-o", "cut.otio", "--no-cache"), 5)
    assert cli("doctor").code == 5
    half = tmp_path_factory.mktemp("networks")
    for name in ("shots.onnx", "SHA256SUMS"):
        shutil.copy(installed / name, half)
    monkeypatch.setenv("MAPEDIT_NETWORKS", str(half))
    assert "edit.onnx" in one_line(cli("roughcut", TALK, "-o", "cut.otio", "--no-cache"), 5)
    assert cli("doctor").code == 5
    assert not list(here.iterdir())


def test_doctor_is_content_with_this_installation(cli: Cli) -> None:
    told = cli("doctor", "--json")
    states = {fact["subject"]: fact["state"] for fact in told.json["facts"]}
    assert states["network shots"] == "ok", told.out
    assert states["OTIO plugin"] == "ok"
    assert told.code == 0


def test_training_without_torch_says_what_to_install(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("otio_mapedit.training.")]:
        monkeypatch.delitem(sys.modules, name)
    failed = cli("model", "train", "--config", "none.toml")
    assert "pip install 'otio-mapedit[train]'" in one_line(failed, 2)


def test_the_program_ends_with_the_exit_code() -> None:
    words = [sys.executable, "-m", "otio_mapedit", "probe", "nowhere.mov"]
    assert subprocess.run(words, capture_output=True).returncode == 4
    assert app.run(["probe", str(TALK)]) == 0


def test_small_matrices_leave_the_processors_to_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of numpy's own took a fifth of the processors' time and gave none of it back."""
    from otio_mapedit.__main__ import main

    monkeypatch.setattr("otio_mapedit.cli.app.run", lambda: os.environ["OPENBLAS_NUM_THREADS"])
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == "3", "what the person at the desk has set stands"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == "1"
