"""Files come into place whole or not at all, whatever goes wrong."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from otio_mapedit import files
from otio_mapedit.errors import OutputError, OutputExistsError
from otio_mapedit.files import ensure_writable, replacing, write_text

OLD = "the old edit"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "cut.otio"
    path.write_text(OLD)
    return path


def untouched(path: Path) -> bool:
    """The old file as it was and nothing beside it."""
    return path.read_text() == OLD and list(path.parent.iterdir()) == [path]


def test_new_file(tmp_path: Path) -> None:
    path = tmp_path / "cut ü 日.otio"
    write_text(path, "zwei\nZeilen ü\n")
    assert path.read_bytes() == "zwei\nZeilen ü\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_temporary_file_keeps_the_suffix_and_the_folder(tmp_path: Path) -> None:
    with replacing(tmp_path / "cut.fcpxml") as temporary:
        assert temporary.suffix == ".fcpxml"
        assert temporary.parent == tmp_path
        temporary.write_text("x")


def test_replaced_only_with_force(old: Path) -> None:
    with pytest.raises(OutputExistsError, match="--force"):
        write_text(old, "new")
    assert untouched(old)
    write_text(old, "new", force=True)
    assert old.read_text() == "new"


@pytest.mark.parametrize(
    "fault", [RuntimeError("check failed"), KeyboardInterrupt(), SystemExit(1), MemoryError()]
)
@pytest.mark.parametrize("force", [True, False])
def test_failure_leaves_everything_as_it_was(
    tmp_path: Path, fault: BaseException, force: bool
) -> None:
    path = tmp_path / "cut.otio"
    if force:
        path.write_text(OLD)

    def work() -> None:
        with replacing(path, force) as temporary:
            temporary.write_text("half of the new e")
            raise fault

    with pytest.raises(type(fault)):
        work()
    assert untouched(path) if force else not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "cannot write"),
    ],
)
def test_what_the_system_says_is_told(
    old: Path, number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OutputError, match=words):
        write_text(old, "new", force=True)
    assert untouched(old)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(old: Path) -> None:
    def work() -> None:
        with replacing(old, force=True) as temporary, Path("/dev/full").open("w") as full:
            temporary.write_text("new")
            full.write("x" * 100_000)

    with pytest.raises(OutputError, match="the disk is full"):
        work()
    assert untouched(old)


def test_really_full_disk(tmp_path: Path) -> None:
    """On a file size limit, which is how a quota or a full disk is met in the middle of a write."""
    script = (
        "import resource, signal, sys; from pathlib import Path;"
        "from otio_mapedit.files import write_text; from otio_mapedit.errors import OutputError;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));\n"
        "try: write_text(Path(sys.argv[1]), 'x' * 100000, force=True)\n"
        "except OutputError as error: print(error)"
    )
    path = tmp_path / "cut.otio"
    path.write_text(OLD)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert "cannot write" in done.stdout
    assert untouched(path)


def test_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"

    def work() -> None:
        with replacing(path) as temporary:
            temporary.write_text("new")
            path.write_text(OLD)

    with pytest.raises(OutputExistsError):
        work()
    assert untouched(path)


def test_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(files.os, "link", refuse)
    path = tmp_path / "cut.otio"
    write_text(path, OLD)
    assert untouched(path)


# Places that cannot be written to


def refused(path: Path, words: str, force: bool = True) -> None:
    for attempt in (lambda: ensure_writable(path, force), lambda: write_text(path, "x", force)):
        with pytest.raises(OutputError, match=words) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    refused(tmp_path / "missing" / "cut.otio", "folder does not exist")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file" / "cut.otio", "folder does not exist")


def test_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")
    refused(tmp_path, "is a folder", force=False)


def test_name_that_is_too_long(tmp_path: Path) -> None:
    refused(tmp_path / ("x" * 300 + ".otio"), "too long")


def test_longest_name_and_many_bytes_a_letter(tmp_path: Path) -> None:
    path = tmp_path / ("日" * 80 + ".otio")
    write_text(path, OLD)
    assert untouched(path)


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(pipe, "not a regular file")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    refused(Path("/dev/null"), "not a regular file")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_is_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    refused(folder / "cut.otio", "no permission")


def test_folder_that_may_not_be_written(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    refused(old, "no permission")
    assert untouched(old)


# Links


def test_link_survives_and_its_target_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "real.otio"
    target.parent.mkdir()
    target.write_text(OLD)
    link = tmp_path / "cut.otio"
    link.symlink_to(target)
    with pytest.raises(OutputExistsError):
        write_text(link, "new")
    write_text(link, "new", force=True)
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_dangling_link(tmp_path: Path) -> None:
    link = tmp_path / "cut.otio"
    link.symlink_to(tmp_path / "new.otio")
    with pytest.raises(OutputExistsError):
        write_text(link, "new")
    write_text(link, "new", force=True)
    assert (tmp_path / "new.otio").read_text() == "new"
    link.unlink()
    link.symlink_to(tmp_path / "missing" / "new.otio")
    refused(link, "folder does not exist")


def test_loop_of_links(tmp_path: Path) -> None:
    one, two = tmp_path / "one.otio", tmp_path / "two.otio"
    one.symlink_to(two)
    two.symlink_to(one)
    refused(one, "loop of links")
    refused(one, "loop of links", force=False)
    refused(one / "cut.otio", "loop of links")


def test_link_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "cut.otio").symlink_to(tmp_path / "folder")
    refused(tmp_path / "cut.otio", "is a folder")


# Permissions and text


def test_permissions(old: Path) -> None:
    old.chmod(0o640)
    write_text(old, "new", force=True)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        write_text(old.with_name("new.otio"), "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(old.with_name("new.otio").stat().st_mode) == 0o640


def test_name_that_is_no_text(old: Path) -> None:
    name = os.fsdecode(b"clip-\xff.mov")
    with pytest.raises(OutputError, match="not text"):
        write_text(old, f"media: {name}", force=True)
    assert untouched(old)
