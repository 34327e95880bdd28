"""The command line and files: bad footage, outputs, nothing partial on disk."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from otio_mapedit import files, mapedit_file
from otio_mapedit.cli import edit
from tests.cli_support import EDITED, TALK, Cli, one_line

# Bad footage ---------------------------------------------------------------------------------


def _bad_files(folder: Path) -> dict[str, Path]:
    """Inputs that no verb can use, by what is wrong with them."""
    content = TALK.read_bytes()
    made = {
        "zero": b"",
        "head": content[:3000],
        "tail": content[len(content) // 2 :],
        "text": b"this is not a film\n" * 500,
        "noise": os.urandom(20_000),
    }
    found = {name: folder / f"{name}.mp4" for name in (*made, "missing", "folder", "loop")}
    for name, data in made.items():
        found[name].write_bytes(data)
    found["folder"].mkdir()
    found["loop"].symlink_to(found["loop"].name)
    if os.geteuid() != 0:
        found["secret"] = folder / "secret.mp4"
        found["secret"].write_bytes(content)
        found["secret"].chmod(0)
    return found


@pytest.mark.parametrize("verb", ["probe", "shots", "roughcut"])
def test_bad_footage_is_one_line_and_exit_code_4(cli: Cli, here: Path, verb: str) -> None:
    for name, path in _bad_files(here).items():
        before = sorted(here.iterdir())
        words = [verb, path] if verb == "probe" else [verb, path, "-o", here / "cut.otio"]
        assert str(path) in one_line(cli(*words), 4), name
        assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("seed", range(3))
def test_damaged_footage_is_used_or_refused(cli: Cli, here: Path, seed: int) -> None:
    content = bytearray(TALK.read_bytes())
    for place in range(seed * 977, len(content), 20_011):
        content[place] ^= 1 << (place % 8)
    damaged = here / "damaged.mp4"
    damaged.write_bytes(content)
    outcome = cli("roughcut", damaged, "-o", "cut.otio", "--no-cache")
    assert outcome.code in (0, 4)
    assert "Traceback" not in outcome.err
    assert (here / "cut.otio").exists() == (outcome.code == 0)


def test_any_name_will_do(cli: Cli, here: Path) -> None:
    odd = here / "中文 100% #1 'q'.mp4"
    odd.write_bytes(TALK.read_bytes())
    assert cli("roughcut", odd).code == 0
    assert cli("check", f"{odd.stem}-roughcut.otio").out.endswith("no faults\n")
    odd.rename(os.fsdecode(os.fsencode(here) + b"/\xff.mp4"))
    assert "Rename it" in one_line(cli("roughcut", *here.glob("*.mp4"), "-o", "a.otio"), 4)
    assert cli("probe", *here.glob("*.mp4")).code == 0


def test_one_bad_file_does_not_hide_the_others(cli: Cli, here: Path) -> None:
    shown = cli("probe", TALK, here / "missing.mov", EDITED)
    assert shown.code == 4
    assert "talk.mp4" in shown.out
    assert "edited.mp4" in shown.out
    assert shown.err.count("\n") == 1
    listed = cli("probe", "--json", TALK, here / "missing.mov").json
    assert [info["start_timecode"] for info in listed["files"]] == ["01:00:00:00"]
    assert listed["failed"][0]["error"]["exit_code"] == 4


def test_probe_tells_what_is_in_a_file(cli: Cli) -> None:
    shown = cli("probe", EDITED).out
    for part in ("909 frames", "29.97 fps (30000/1001)", "01:00:00;00", "drop-frame", "640 × 360"):
        assert part in shown
    facts = cli("probe", "--json", EDITED).json["files"][0]
    assert facts["rate"] == "30000/1001"
    assert facts["drop_frame"] is True
    assert facts["audio"][0]["channels"] == 2


# Outputs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["otio", "otioz", "mapedit"])
def test_writes_what_the_ending_says(cli: Cli, here: Path, kind: str) -> None:
    outcome = cli("roughcut", TALK, "-o", f"cut.{kind}", "--json")
    assert outcome.code == 0, outcome.err
    done = outcome.json
    assert done["output"] == f"cut.{kind}"
    assert done["clips"] > 1
    assert done["kept_seconds"] + done["dropped_seconds"] == pytest.approx(done["source_seconds"])
    if kind == "mapedit":
        assert mapedit_file.read(here / "cut.mapedit").recipe == "roughcut"
    else:
        timeline = otio.adapters.read_from_file(str(here / f"cut.{kind}"))
        assert len(timeline.find_clips()) > done["clips"]  # picture and sound


def test_without_o_the_name_says_what_it_is(cli: Cli, here: Path) -> None:
    outcome = cli("roughcut", TALK)
    assert outcome.code == 0, outcome.err
    assert [path.name for path in here.iterdir()] == ["talk-roughcut.otio"]
    assert "wrote talk-roughcut.otio" in outcome.out


def test_standard_output_carries_only_the_result(cli: Cli, here: Path) -> None:
    plain = cli("roughcut", TALK, "-o", "-")
    assert otio.adapters.read_from_string(plain.out, "otio_json").name == "talk"
    assert "kept" in plain.err
    assert mapedit_file.loads(cli("roughcut", TALK, "-o", "-.mapedit", "-q").out).name == "talk"
    assert not list(here.iterdir())


def test_nothing_is_overwritten_without_force(cli: Cli, here: Path) -> None:
    old = here / "cut.otio"
    old.write_text("mine")
    assert "--force" in one_line(cli("roughcut", TALK, "-o", old), 2)
    assert old.read_text() == "mine"
    assert cli("roughcut", TALK, "-o", old, "--force").code == 0
    assert old.read_text() != "mine"


def test_output_is_refused_before_any_work(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("worked before the output was checked")

    monkeypatch.setattr(edit, "probe", never)
    footage = here / "talk.otio"  # a source with a name that could be written
    footage.write_bytes(TALK.read_bytes())
    (here / "folder.otio").mkdir()
    assert "no/cut.otio" in one_line(cli("roughcut", TALK, "-o", "no/cut.otio"), 2)
    assert "is a folder" in one_line(cli("roughcut", TALK, "-o", "folder.otio"), 2)
    assert "inputs" in one_line(cli("roughcut", footage, "-o", footage, "--force"), 2)
    if os.geteuid() != 0:
        here.chmod(0o555)
        assert "permission" in one_line(cli("roughcut", TALK, "-o", "cut.otio"), 2)
        here.chmod(0o755)


@pytest.mark.parametrize("kind", ["otio", "otioz", "mapedit"])
def test_a_full_disk_leaves_the_old_file(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    old = here / f"cut.{kind}"
    old.write_text("mine")
    monkeypatch.setattr(files, "_flush", full)
    assert "the disk is full" in one_line(cli("roughcut", TALK, "-o", old, "--force"), 2)
    assert old.read_text() == "mine"
    assert list(here.iterdir()) == [old]


@pytest.mark.parametrize(("module", "name"), [(edit, "decide_footage"), (files, "_flush")])
def test_ctrl_c_writes_nothing(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(module, name, interrupted)
    # A job in the background of a script starts with Ctrl-C ignored; this test is about Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert "Nothing was written" in one_line(cli("roughcut", TALK, "-o", "cut.otio"), 130)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not list(here.iterdir())


@pytest.mark.parametrize("program", ["plain", "resolve", "premiere"])
def test_each_program_gets_its_dialect(cli: Cli, here: Path, program: str) -> None:
    done = cli("roughcut", TALK, "-o", "cut.otio", "--for", program)
    assert done.code == 0, done.err
    assert cli("check", "cut.otio").code == 0
    timeline = otio.adapters.read_from_file("cut.otio")
    assert isinstance(timeline, otio.schema.Timeline)
    first = timeline.find_clips()[0]
    url, start = first.media_reference.target_url, first.source_range.start_time.value
    assert url == (str(TALK) if program == "resolve" else TALK.as_uri())
    assert (start < 90_000) == (program == "premiere")


def test_the_program_can_be_set_once(cli: Cli, here: Path) -> None:
    (here / "mapedit.toml").write_text('[output]\nfor = "resolve"\n')
    assert cli("roughcut", TALK, "-o", "cut.otio", "--json").json["for"] == "resolve"
    assert cli("roughcut", TALK, "-o", "cut.mapedit").code == 0


def test_convert_there_and_back(cli: Cli, here: Path) -> None:
    assert cli("roughcut", TALK, "-o", "a.mapedit").code == 0
    for source, target, *rest in (
        ("a.mapedit", "b.otio", "--for", "premiere"),
        ("b.otio", "c.otioz"),
        ("b.otio", "d.mapedit"),
    ):
        done = cli("convert", source, target, *rest)
        assert (done.code, done.out) == (0, f"wrote {target}\n"), done.err
    first, last = (mapedit_file.read(here / name) for name in ("a.mapedit", "d.mapedit"))
    assert first.operations == last.operations
    assert "--force" in one_line(cli("convert", "a.mapedit", "b.otio"), 2)
    assert mapedit_file.loads(cli("convert", "b.otio", "--", "-.mapedit").out).rate == first.rate
    assert "cannot write" in one_line(cli("convert", "a.mapedit", "b.mov"), 2)
    assert one_line(cli("convert", "missing.otio", "e.otio"), 4)
    assert one_line(cli("convert", TALK, "e.otio"), 2)


def test_check_finds_faults(cli: Cli, here: Path) -> None:
    assert cli("roughcut", TALK, "-o", "good.mapedit").code == 0
    text = (here / "good.mapedit").read_text().replace("talk.mp4", "gone.mp4")
    (here / "bad.mapedit").write_text(text)
    (here / "broken.mapedit").write_text(text.replace('"operations"', '"operation"'))
    faulty = cli("check", "good.mapedit", "bad.mapedit")
    assert faulty.code == 3
    assert "good.mapedit: no faults" in faulty.out
    assert "offline" in faulty.out
    broken = cli("check", "--json", "broken.mapedit", "bad.mapedit")
    assert broken.code == 4
    assert broken.json["files"][0]["faults"]
    assert "operation" in broken.json["failed"][0]["error"]["message"]
