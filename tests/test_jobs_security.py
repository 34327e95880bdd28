"""Jobs from someone who means harm, and from far too many who do not."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lupa.luajit21 as luajit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otio_mapedit.errors import FormatError, UsageError
from otio_mapedit.jobs import folder as folders
from otio_mapedit.jobs import windows
from otio_mapedit.jobs.answer import Answer
from otio_mapedit.jobs.folder import open_folder
from otio_mapedit.jobs.lua_text import chunk
from otio_mapedit.jobs.request import roots, usual_roots
from otio_mapedit.jobs.watch import MOST_WAITING
from otio_mapedit.jobs.work import carry_out
from tests.cli_support import EDITED, SAMPLES
from tests.job_support import Desk, timeline_text

POSIX = pytest.mark.skipif(os.name == "nt", reason="owners and links as POSIX has them")
ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "jobs", [SAMPLES, tmp_path / "media"])
    (tmp_path / "media").mkdir()
    made.open()
    yield made
    made.close()


# Paths ---------------------------------------------------------------------------------------


def carried_out(desk: Desk, job: str) -> Answer:
    """A job done in this process, as its worker does it."""
    allowed = roots([SAMPLES, desk.folder.path.parent / "media"], desk.folder.path)
    return carry_out(desk.folder, job, allowed, lambda decisions: ([], {}))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "file:///etc%2Fpasswd",
        f"{SAMPLES}/../../../../../../etc/passwd",
        f"file://{SAMPLES}/%2e%2e/%2e%2e/pyproject.toml",
        "/proc/self/mem",
        "/dev/zero",
        "C:\\Windows\\win.ini",
        "\\\\server\\share\\clip.mov",
    ],
)
def test_a_path_outside_the_allowed_folders_is_refused(desk: Desk, path: str) -> None:
    desk.ask("named", verb="roughcut", media=[path])
    text = timeline_text(EDITED).replace(str(EDITED), path.replace("\\", "\\\\"))
    desk.write("roughcut-1-1.request.otio", text)
    for job in ("named", "roughcut-1-1"):
        answer = carried_out(desk, job)
        assert answer.state == "refused", answer
        assert "outside the folders" in answer.message or "of another system" in answer.message
        assert not answer.result


def test_a_job_that_names_the_passwords_ends_at_the_watcher(desk: Desk) -> None:
    desk.ask("passwd", verb="roughcut", media=["/etc/passwd"])
    desk.settle()
    answer = desk.answer("passwd")
    assert answer["state"] == "refused"
    assert "root:" not in json.dumps(answer)


@POSIX
def test_a_link_that_leads_outside_is_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "media" / "clip.mov").symlink_to("/etc/passwd")
    (tmp_path / "media" / "folder").symlink_to("/etc")
    for number, name in enumerate(("clip.mov", "folder/passwd")):
        desk.ask(f"link{number}", verb="shots", media=[str(tmp_path / "media" / name)])
        assert "outside the folders" in carried_out(desk, f"link{number}").message


def test_an_option_cannot_lead_outside_either(desk: Desk) -> None:
    for number, value in enumerate(("/etc/passwd", "../../x", "~/.ssh/id", "file:///etc/passwd")):
        desk.ask(f"o{number}", verb="shots", media=[str(EDITED)], options={"black": value})
        answer = carried_out(desk, f"o{number}")
        assert answer.state == "refused"
        assert "is not known" not in answer.message


def test_the_system_is_not_among_the_usual_folders() -> None:
    for platform in ("linux", "darwin"):
        allowed = usual_roots(platform, Path("/home/me"))
        assert Path("/home/me") in allowed
        assert not any(Path("/etc/passwd").is_relative_to(folder) for folder in allowed)
        assert not any(Path("/home/somebody-else/x").is_relative_to(folder) for folder in allowed)


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "..", ".", "", "a" * 65, "ü", "a b", "a.b", "a\n"]
)
def test_an_id_is_never_a_path(desk: Desk, name: str) -> None:
    with pytest.raises(UsageError):
        desk.folder.file(name, "answer.json")
    if name and "/" not in name and name not in (".", ".."):
        desk.write(f"{name}.request.json", "{}")
        desk.settle()
        assert not [path for path in desk.folder.path.iterdir() if ".answer." in path.name]


# Links, devices and other people's files in the folder ---------------------------------------


@POSIX
@pytest.mark.parametrize("what", ["request.json", "request.otio"])
def test_a_request_that_is_a_link_is_not_read(desk: Desk, tmp_path: Path, what: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOP SECRET", encoding="utf-8")
    desk.folder.file("shots-1", what).symlink_to(secret)
    desk.settle()
    answer = desk.folder.file("shots-1", "answer.json").read_text("utf-8")
    assert "is a link" in answer
    assert "SECRET" not in answer


@POSIX
def test_a_pipe_does_not_stop_the_watcher(desk: Desk) -> None:
    os.mkfifo(desk.folder.file("shots-1", "request.json"))
    os.mkfifo(desk.folder.file("shots-2", "request.otio"))
    desk.settle()
    for job in ("shots-1", "shots-2"):
        assert "not a regular file" in desk.answer(job)["message"]


@POSIX
def test_an_answer_replaces_a_link_and_does_not_follow_it(desk: Desk, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    for what in ("answer.lua", "result.otio", "progress.json"):
        desk.folder.file("shots-1", what).symlink_to(victim)
    desk.write("shots-1.request.otio", timeline_text(EDITED))
    desk.settle()
    assert victim.read_text("utf-8") == "mine"
    assert not desk.folder.file("shots-1", "answer.lua").is_symlink()
    assert not desk.folder.file("shots-1", "result.otio").is_symlink()


def test_no_module_is_loaded_from_the_folder(desk: Desk) -> None:
    for name in ("opentimelineio", "numpy", "otio_mapedit", "json", "sitecustomize"):
        desk.write(f"{name}.py", "raise SystemExit('from the folder')")
    desk.ask("x", verb="shots", media=[str(EDITED)])
    desk.settle()
    assert desk.answer("x")["state"] == "done"


# Too much ------------------------------------------------------------------------------------


def test_two_gigabytes_are_refused_unread(desk: Desk) -> None:
    for name in ("shots-1.request.otio", "big.request.json"):
        with desk.folder.path.joinpath(name).open("wb") as file:
            file.truncate(2 << 30)
    desk.settle()
    for job in ("shots-1", "big"):
        answer = desk.answer(job)
        assert answer["state"] == "refused"
        assert "too large (2048 MB)" in answer["message"]


def test_ten_thousand_requests_are_answered(desk: Desk) -> None:
    for number in range(10_000):
        (desk.folder.path / f"j{number:05d}.request.json").write_bytes(b'{"verb": "none"}')
    desk.settle()
    answers = [entry.id for entry in desk.folder.entries() if entry.what == "answer.json"]
    assert len(answers) == len(set(answers)) == 10_000
    states = {desk.answer(job)["state"] for job in answers[:: len(answers) // 50]}
    assert states == {"refused"}


def test_only_so_many_may_wait(tmp_path: Path) -> None:
    stuck = [sys.executable, "-c", "import time; time.sleep(99)"]
    desk = Desk(tmp_path / "jobs", [], stuck)
    for number in range(MOST_WAITING + 20):
        desk.clock.pass_by(1)
        desk.ask(f"j{number:03d}", verb="shots", media=["/x"])
    desk.open()
    refused = [entry.id for entry in desk.folder.entries() if entry.what == "answer.json"]
    assert sorted(refused) == [f"j{MOST_WAITING + number:03d}" for number in range(20)]
    assert "Wait" in desk.answer(refused[0])["remedy"]
    desk.close()


def test_nesting_without_end_is_refused(desk: Desk) -> None:
    desk.write("deep.request.json", "[" * 100_000)
    desk.write("shots-1.request.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": ' + "[" * 100_000)
    desk.until(lambda: desk.answered("deep") and desk.answered("shots-1"))
    assert {desk.answer(job)["state"] for job in ("deep", "shots-1")} == {"refused"}


# Two users on one machine --------------------------------------------------------------------


@POSIX
def test_the_folder_is_closed_to_others(tmp_path: Path) -> None:
    made = open_folder(tmp_path / "a" / "jobs")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
    made.path.chmod(0o777)
    open_folder(made.path)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
    made.write("x", "y")
    assert stat.S_IMODE((made.path / "x").stat().st_mode) == 0o600


@POSIX
def test_a_folder_that_others_may_exchange_is_refused(tmp_path: Path) -> None:
    above = tmp_path / "all"
    above.mkdir()
    above.chmod(0o777)
    with pytest.raises(UsageError, match="other users may replace it"):
        open_folder(above / "jobs")
    above.chmod(0o1777)  # as /tmp: only the owner may replace what is in it
    open_folder(above / "jobs")


@POSIX
def test_a_folder_that_is_a_link_or_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name, says in (("link", "is a link"), ("dangling", "is a link"), ("file", "not a folder")):
        with pytest.raises(UsageError, match=says):
            open_folder(tmp_path / name)


@POSIX
@ROOT
def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir(mode=0o700)
    os.chown(tmp_path / "jobs", 4711, 4711)
    with pytest.raises(UsageError, match="belongs to another user"):
        open_folder(tmp_path / "jobs")
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 4711, 4711)
    with pytest.raises(UsageError, match="other users may replace it"):
        open_folder(tmp_path / "theirs" / "jobs")


@POSIX
@ROOT
def test_another_users_request_is_not_read(desk: Desk) -> None:
    """It could only have come in while the folder was open."""
    path = desk.write("theirs.request.json", json.dumps({"MAPEDIT_JOB": "Request.1"}))
    os.chown(path, 4711, 4711)
    desk.settle()
    assert "belongs to another user" in desk.answer("theirs")["message"]


@POSIX
def test_another_user_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as above where the tests do not run as root."""
    made = open_folder(tmp_path / "jobs")
    made.write("x.request.json", "{}")
    monkeypatch.setattr("otio_mapedit.jobs.folder.os.getuid", lambda: 4711)
    with pytest.raises(UsageError, match="belongs to another user"):
        open_folder(made.path)
    with pytest.raises(FormatError, match="belongs to another user"):
        made.read("x", "request.json", 100)


ME, YOU = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"


@pytest.mark.parametrize(
    ("owner", "says"),
    [
        (ME, ""),
        ("S-1-5-32-544", ""),
        (YOU, f"belongs to another user ({YOU})"),
        ("S-1-1-0", "belongs to another user"),
        (OSError(50, "not supported"), "cannot be told"),
    ],
)
def test_on_windows_the_owner_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, says: str
) -> None:
    closed: list[Path] = []

    def owner_of(path: Path) -> str:
        if isinstance(owner, OSError):
            raise owner
        return str(owner)

    monkeypatch.setattr(folders, "_WINDOWS", True)
    monkeypatch.setattr(windows, "owner_of", owner_of)
    monkeypatch.setattr(windows, "this_user", lambda: ME)
    monkeypatch.setattr(folders, "_close_to_others", closed.append)
    (tmp_path / "jobs").mkdir()  # somebody may have made it before us
    if says:
        with pytest.raises(UsageError) as refused:
            open_folder(tmp_path / "jobs")
        assert says in refused.value.message
        assert "--jobs" in refused.value.remedy
        assert not closed
    else:
        open_folder(tmp_path / "jobs")
        assert closed == [tmp_path / "jobs"], "one that was there is closed to others too"


class Libraries:
    """advapi32 and kernel32 that answer as Microsoft documents them, in real memory."""

    def __init__(self, owner: str, user: str, failed: int = 0) -> None:
        self.names = {0x1000: owner, 0x2000: user}
        self.failed, self.freed = failed, list[int]()
        self.texts: list[Any] = []
        self.advapi32 = self.kernel32 = self

    def GetNamedSecurityInfoW(self, path: Any, *given: Any) -> int:
        assert (path.value.endswith("jobs"), given[:2]) == (True, (1, 1))
        given[2]._obj.value, given[6]._obj.value = 0x1000, 0x9000
        return self.failed

    def GetCurrentProcess(self) -> int:
        return 2**64 - 1  # what the documents call a pseudo handle, -1

    def OpenProcessToken(self, process: Any, access: int, token: Any) -> int:
        assert (process.value, access) == (2**64 - 1, 8)
        token._obj.value = 0x7000
        return 1

    def GetTokenInformation(self, token: Any, kind: int, held: Any, size: int, needed: Any) -> int:
        assert (token.value, kind) == (0x7000, 1)
        needed._obj.value = 44
        if held is None:
            return 0
        assert size >= 44
        held[0] = 0x2000
        return 1

    def ConvertSidToStringSidW(self, identifier: Any, text: Any) -> int:
        text._obj.value = self.names[identifier.value]
        return 1

    def LocalFree(self, memory: Any) -> None:
        self.freed.append(getattr(memory, "value", 0))

    def CloseHandle(self, handle: Any) -> None:
        self.freed.append(handle.value)


def test_owners_are_read_as_microsoft_documents_it(tmp_path: Path) -> None:
    system = Libraries(YOU, ME)
    assert windows.owner_of(tmp_path / "jobs", system) == YOU
    assert 0x9000 in system.freed
    assert windows.this_user(system) == ME
    assert 0x7000 in system.freed
    with pytest.raises(OSError, match="cannot be read"):
        windows.owner_of(tmp_path / "jobs", Libraries(YOU, ME, failed=5))


def test_a_lock_that_cannot_be_taken_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(errno.EWOULDBLOCK, "locked")

    monkeypatch.setattr(folders, "_lock", refuse)
    with pytest.raises(UsageError, match="watched already"):
        folders.Lock(open_folder(tmp_path / "jobs"))


def test_allowed_folders_are_followed(tmp_path: Path) -> None:
    allowed = roots([tmp_path], tmp_path / "jobs")
    assert allowed.checked(str(tmp_path / "clip.mov")) == tmp_path / "clip.mov"
    with pytest.raises(UsageError, match="outside"):
        allowed.checked(str(tmp_path.parent / f"{tmp_path.name}-other" / "clip.mov"))


# Lua text ------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


def plain(value: object) -> object:
    """A Lua value as Python's; an empty table is both an empty list and an empty dict."""
    if luajit.lua_type(value) != "table":
        return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value
    found = {plain(key): plain(item) for key, item in value.items()}  # type: ignore[attr-defined]
    numbered = list(range(1, len(found) + 1))
    return (
        [found[key] for key in numbered]
        if sorted(map(str, found)) == sorted(map(str, numbered))
        and all(isinstance(key, int) for key in found)
        else found
    )


@settings(max_examples=60)
@given(VALUES)
def test_lua_reads_back_what_was_written_and_can_run_nothing(value: object) -> None:
    lua = luajit.LuaRuntime(encoding=None)
    load = lua.eval(
        b"function(text) local f = assert(loadstring(text)); setfenv(f, {}); return f() end"
    )
    read = plain(load(chunk(value).encode("ascii")))
    if value == {}:
        value = []
    assert read == _emptied(value)


def _emptied(value: object) -> object:
    if isinstance(value, dict):
        return {key: _emptied(item) for key, item in value.items()} or []
    return [_emptied(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "text", ['"..os.exit().."', "]]os.exit()--", "\\", '\\"', "\n", "\0", "\u2028", "-- [[", "é1"]
)
def test_no_text_leaves_its_quotes(text: str) -> None:
    lua = luajit.LuaRuntime(encoding="utf-8")
    assert lua.execute(chunk({"x": text, text: 1})).x == text
