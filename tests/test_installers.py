"""Plugins on made-up computers of every platform: installed, looked at, brought up to date,
removed."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import lupa.luajit21 as luajit
import pytest

from otio_mapedit.errors import OutputError, UsageError
from otio_mapedit.installers import blender, resolve
from otio_mapedit.installers.copies import Done, Standing, install, status, uninstall
from otio_mapedit.installers.machine import Machine
from otio_mapedit.installers.table import PLUGINS, installer
from otio_mapedit.jobs import login
from otio_mapedit.jobs.folder import LOCK, Lock, open_folder
from tests.cli_support import Cli, one_line

PLATFORMS = ("linux", "darwin", "win32")
USERS = ("me", "Ægir Öström", "编辑 一号", 'o\'brien & "co" $HOME %PATH%')


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder in which ``opt`` may not be written, also where root runs the tests: they become
    somebody else meanwhile, because a test that is skipped proves nothing."""
    place = Path(tempfile.mkdtemp(prefix="mapedit-read-only-"))
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    (place / "opt").mkdir()
    (place / "opt").chmod(0o555)
    try:
        if root:
            place.chmod(0o755)
            os.seteuid(65534)
        yield place
    finally:
        if root:
            os.seteuid(0)
        (place / "opt").chmod(0o755)
        shutil.rmtree(place)


def machine(tmp_path: Path, platform: str, user: str = "me") -> Machine:
    """A computer below ``tmp_path``."""
    homes = {"linux": "home", "darwin": "Users", "win32": "Users"}
    home = tmp_path / homes[platform] / user
    home.mkdir(parents=True)
    environment = {}
    if platform == "win32":
        environment = {
            "APPDATA": str(home / "AppData" / "Roaming"),
            "LOCALAPPDATA": str(home / "AppData" / "Local"),
            "PROGRAMDATA": str(tmp_path / "ProgramData"),
        }
    return Machine(platform, home, environment, tmp_path, short=lambda path: "C:/Users/JRGEN~1/j")


def standings(done: Done) -> set[Standing]:
    return {each.standing for each in done.outcomes}


def stamped(path: Path, environment: dict[str, str] | None = None) -> str:
    """The folder of jobs that an installed script uses."""
    lua = luajit.LuaRuntime(encoding="utf-8")
    lua.globals().os.getenv = (environment or {}).get
    text = path.read_text("utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("local JOBS = ")]
    return str(lua.execute(f"{line}\nreturn JOBS"))


# Resolve -------------------------------------------------------------------------------------

FOLDERS = {
    ("linux", False): "home/{user}/.local/share/DaVinciResolve/Fusion/Scripts/Utility",
    ("linux", True): "opt/resolve/Fusion/Scripts/Utility",
    ("darwin", False): "Users/{user}/Library/Application Support/Blackmagic Design/"
    "DaVinci Resolve/Fusion/Scripts/Utility",
    ("darwin", True): "Library/Application Support/Blackmagic Design/DaVinci Resolve/"
    "Fusion/Scripts/Utility",
    ("win32", False): "Users/{user}/AppData/Roaming/Blackmagic Design/DaVinci Resolve/"
    "Support/Fusion/Scripts/Utility",
    ("win32", True): "ProgramData/Blackmagic Design/DaVinci Resolve/Fusion/Scripts/Utility",
}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(("platform", "all_users"), FOLDERS)
def test_install_status_uninstall(
    tmp_path: Path, platform: str, all_users: bool, user: str
) -> None:
    here = machine(tmp_path, platform, user)
    plan = resolve.plan(here, all_users)
    folder = tmp_path / FOLDERS[platform, all_users].format(user=user)
    assert {copy.path for copy in plan.copies} == {
        folder / f"{title}.lua" for title in resolve.SCRIPTS
    }
    assert standings(status(plan)) == {Standing.MISSING}
    assert standings(install(plan)) == {Standing.WRITTEN}
    assert standings(status(plan)) == {Standing.CURRENT}
    assert standings(install(plan)) == {Standing.CURRENT}
    assert not any(copy.path.is_symlink() for copy in plan.copies)
    assert standings(uninstall(plan)) == {Standing.REMOVED}
    assert not list(folder.iterdir())
    assert uninstall(plan).outcomes == []


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_folder_of_jobs_is_stamped_in(tmp_path: Path, platform: str, user: str) -> None:
    here = machine(tmp_path, platform, user)
    plan = resolve.plan(here)
    install(plan)
    for copy in plan.copies:
        found = stamped(copy.path)
        if platform == "win32" and not user.isascii():
            assert found == "C:/Users/JRGEN~1/j"
        else:
            assert found == str(here.jobs)
        assert "@" not in found


@pytest.mark.parametrize("platform", PLATFORMS)
def test_for_everyone_each_finds_their_own_folder(tmp_path: Path, platform: str) -> None:
    here = machine(tmp_path, platform)
    plan = resolve.plan(here, all_users=True)
    install(plan)
    environment = {"HOME": str(here.home), "LOCALAPPDATA": "C:\\Users\\me\\AppData\\Local"}
    wanted = str(here.jobs)
    if platform == "win32":
        wanted = "C:/Users/me/AppData/Local/otio-mapedit/jobs"
    assert stamped(plan.copies[0].path, environment) == wanted
    assert stamped(plan.copies[0].path, {**environment, "MAPEDIT_JOBS": "/else"}) == "/else"


def test_windows_without_short_names_says_what_to_do(tmp_path: Path) -> None:
    here = replace(machine(tmp_path, "win32", "Ægir"), short=str)
    with pytest.raises(UsageError, match="Set MAPEDIT_JOBS to a folder with a plain name"):
        resolve.plan(here)
    plain = replace(here, environment={**here.environment, "MAPEDIT_JOBS": "D:\\jobs"})
    install(resolve.plan(plain))
    assert stamped(resolve.plan(plain).copies[0].path) == "D:/jobs"


def test_app_store_builds_get_copies_that_use_the_movies_folder(tmp_path: Path) -> None:
    here = machine(tmp_path, "darwin")
    home = here.home / "Library" / "Containers" / "com.blackmagic-design.DaVinciResolveLite"
    home.mkdir(parents=True)
    plan = resolve.plan(here)
    inside = [copy for copy in plan.copies if copy.path.is_relative_to(home)]
    assert len(inside) == len(resolve.SCRIPTS) == len(plan.copies) / 2
    install(plan)
    assert stamped(inside[0].path) == str(here.home / "Movies" / "MapEdit Jobs")


def test_other_installations_of_resolve_on_linux(tmp_path: Path) -> None:
    (tmp_path / "home" / "resolve").mkdir(parents=True)
    plan = resolve.plan(machine(tmp_path, "linux"), all_users=True)
    assert plan.copies[0].path.is_relative_to(tmp_path / "home" / "resolve")


def test_older_copies_are_replaced_and_removed(tmp_path: Path) -> None:
    here = machine(tmp_path, "linux")
    plan = resolve.plan(here)
    install(plan)
    folder = plan.copies[0].path.parent
    plan.copies[0].path.write_text("-- MapEdit of long ago", encoding="utf-8")
    (folder / "MapEdit Auto Cut.lua").write_text("-- MapEdit Auto Cut", encoding="utf-8")
    (folder.parent / "Edit").mkdir()
    (folder.parent / "Edit" / "Renamed.lua").write_text("-- MapEdit moved", encoding="utf-8")
    (folder / "Mine.lua").write_text("print('mine')", encoding="utf-8")
    plan = resolve.plan(here)
    assert standings(status(plan)) == {Standing.CURRENT, Standing.OUTDATED}
    done = install(plan)
    assert standings(done) == {Standing.CURRENT, Standing.WRITTEN, Standing.REMOVED}
    assert {path.name for path in folder.iterdir()} == {
        *(f"{title}.lua" for title in resolve.SCRIPTS), "Mine.lua"
    }  # fmt: skip
    assert not list((folder.parent / "Edit").iterdir())
    assert standings(status(resolve.plan(here))) == {Standing.CURRENT}


@pytest.mark.skipif(os.name == "nt", reason="links as POSIX has them")
def test_a_link_is_replaced_and_what_it_means_is_left_alone(tmp_path: Path) -> None:
    plan = resolve.plan(machine(tmp_path, "linux"))
    mine = tmp_path / "mine.lua"
    mine.write_text("mine", encoding="utf-8")
    plan.copies[0].path.parent.mkdir(parents=True)
    plan.copies[0].path.symlink_to(mine)
    assert Standing.OUTDATED in standings(status(plan))
    install(plan)
    assert mine.read_text("utf-8") == "mine"
    assert not plan.copies[0].path.is_symlink()


def test_what_cannot_be_written_is_said_and_the_rest_done(tmp_path: Path) -> None:
    """A file where a folder should be stands for every folder that cannot be written."""
    here = machine(tmp_path, "darwin")
    container = here.home / "Library" / "Containers" / "com.blackmagic-design.DaVinciResolveLite"
    (container / "Data").mkdir(parents=True)
    (container / "Data" / "Library").write_text("", encoding="utf-8")
    done = install(resolve.plan(here))
    assert not done.whole
    assert standings(done) == {Standing.WRITTEN, Standing.FAILED}
    assert all(each.why for each in done.outcomes if each.standing is Standing.FAILED)


@pytest.mark.skipif(os.name == "nt", reason="modes as POSIX has them")
def test_a_read_only_folder_is_said(read_only: Path) -> None:
    here = Machine("linux", read_only, {}, read_only)
    done = install(resolve.plan(here, all_users=True))
    assert standings(done) == {Standing.FAILED}
    assert "no permission" in done.outcomes[0].why
    assert list((read_only / "opt").iterdir()) == []


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    plan = resolve.plan(machine(tmp_path, "linux"), all_users=True)
    (tmp_path / "opt").write_text("not a folder", encoding="utf-8")
    done = install(plan)
    assert standings(done) == {Standing.FAILED}
    assert done.outcomes[0].why
    assert "Traceback" not in done.outcomes[0].why


def test_a_refused_write_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the tests run as root."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    plan = resolve.plan(machine(tmp_path, "linux"))
    install(plan)
    monkeypatch.setattr("otio_mapedit.installers.copies.tempfile.mkstemp", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    plan.copies[0].path.write_text("-- MapEdit old", encoding="utf-8")
    assert standings(install(plan)) == {Standing.CURRENT, Standing.FAILED}
    assert standings(uninstall(plan)) == {Standing.FAILED}


def test_the_command(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine(tmp_path, "linux")
    monkeypatch.setattr("otio_mapedit.installers.machine.this_machine", lambda: here)
    assert cli("plugin", "status", "resolve").code == 3
    done = cli("plugin", "install", "resolve", "--json")
    assert done.code == 0
    assert {each["standing"] for each in done.json["files"]} == {"written"}
    told = cli("plugin", "status", "resolve")
    assert told.code == 0
    assert "mapedit watch --install" in told.out
    lock = Lock(open_folder(here.jobs))
    assert cli("plugin", "status", "resolve", "--json").json["watched"]
    lock.release()
    assert (here.jobs / LOCK).exists()
    assert cli("plugin", "uninstall", "resolve").code == 0
    assert "there is no plugin" in one_line(cli("plugin", "install", "avid"), 2)
    blocked = here.home / ".local" / "share" / "DaVinciResolve"
    for path in sorted(blocked.rglob("*"), reverse=True):
        path.rmdir()
    blocked.rmdir()
    blocked.write_text("", encoding="utf-8")
    failed = cli("plugin", "install", "resolve")
    assert failed.code == 2
    assert "4 of 4 files could not be changed" in failed.err


# The others ----------------------------------------------------------------------------------


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_panel_and_the_add_on_on_every_platform(
    tmp_path: Path, platform: str, user: str
) -> None:
    here = machine(tmp_path, platform, user)
    for version in ("3.6", "4.2"):
        (blender._folder(here) / version).mkdir(parents=True)
    (blender._folder(here) / "cache").mkdir()
    plans = {name: installer(name).plan(here) for name in ("premiere", "blender")}
    assert len(plans["blender"].copies) == 2
    for plan in plans.values():
        assert standings(install(plan)) == {Standing.WRITTEN}
        assert standings(install(plan)) == {Standing.CURRENT}
        plan.copies[0].path.write_bytes(b"of long ago")
        assert Standing.OUTDATED in standings(status(plan))
        assert Standing.WRITTEN in standings(install(plan))
        assert all(copy.path.is_relative_to(tmp_path) for copy in plan.copies)
        assert standings(uninstall(plan)) == {Standing.REMOVED}
        assert plan.notes


def test_what_an_installer_cannot_do_is_said(tmp_path: Path) -> None:
    here = machine(tmp_path, "linux")
    with pytest.raises(UsageError, match="Start Blender once"):
        installer("blender").plan(here)
    with pytest.raises(UsageError, match="Leave --all-users out"):
        installer("blender").plan(here, all_users=True)
    with pytest.raises(UsageError, match="Did you mean premiere"):
        installer("premier")


@pytest.mark.parametrize("all_users", [False, True])
def test_quick_actions_of_one_and_of_all(tmp_path: Path, all_users: bool) -> None:
    here = machine(tmp_path, "darwin")
    plan = installer("finalcut").plan(here, all_users)
    below = (tmp_path if all_users else here.home) / "Library"
    assert all(copy.path.is_relative_to(below) for copy in plan.copies)
    assert standings(install(plan)) == {Standing.WRITTEN}
    assert standings(uninstall(plan)) == {Standing.REMOVED}


def test_every_plugin_can_be_found() -> None:
    for name in PLUGINS:
        assert name == installer(name).NAME
        assert installer(name).SUMMARY


# At login ------------------------------------------------------------------------------------


class Programs:
    """systemctl, launchctl and schtasks, which only remember what they were asked."""

    def __init__(self, code: int | None = 0) -> None:
        self.code, self.asked = code, list[list[str]]()

    def __call__(self, words: Sequence[str]) -> tuple[int | None, str]:
        self.asked.append(list(words))
        return self.code, "" if self.code == 0 else "no bus here"


WORDS = ["/opt/py thon/python", "-P", "-m", "otio_mapedit", "watch", "--jobs", '/home/Æ "%$\\j']


@pytest.mark.parametrize("platform", PLATFORMS)
def test_starting_at_login(tmp_path: Path, platform: str) -> None:
    programs = Programs()
    done = login.install(WORDS, platform, tmp_path, programs)
    assert done.running
    assert done.path.is_relative_to(tmp_path)
    assert {words[0] for words in programs.asked} == {
        {"linux": "systemctl", "darwin": "launchctl", "win32": "schtasks"}[platform]
    }
    gone = login.uninstall(platform, tmp_path, programs)
    assert gone is not None
    assert not done.path.exists()
    assert login.uninstall(platform, tmp_path, programs) is None


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("code", [1, None])
def test_where_it_cannot_be_started_now_it_says_so(
    tmp_path: Path, platform: str, code: int | None
) -> None:
    done = login.install(WORDS, platform, tmp_path, Programs(code))
    assert not done.running
    assert done.said == "no bus here"
    assert done.path.exists()
    if platform == "linux":  # as `systemctl --user enable` would have done
        assert (done.path.parent / "default.target.wants" / done.path.name).resolve() == done.path
        login.uninstall(platform, tmp_path, Programs())
        assert not os.path.lexists(done.path.parent / "default.target.wants" / done.path.name)


def test_what_is_started_is_what_was_asked_for(tmp_path: Path) -> None:
    agent = login.install(WORDS, "darwin", tmp_path, Programs()).path
    with agent.open("rb") as file:
        assert plistlib.load(file)["ProgramArguments"] == WORDS
    task = login.install(WORDS, "win32", tmp_path, Programs()).path
    tree = ElementTree.fromstring(task.read_bytes().decode("utf-16"))
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert tree.findtext(f".//{space}Command") == WORDS[0]
    assert tree.findtext(f".//{space}Arguments") == subprocess.list2cmdline(WORDS[1:])
    unit = login.install(WORDS, "linux", tmp_path, Programs()).path.read_text("utf-8")
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    words = line.removeprefix("ExecStart=")[1:-1].split('" "')
    undone = [
        word.replace("%%", "%").replace("$$", "$").replace('\\"', '"').replace("\\\\", "\\")
        for word in words
    ]
    assert undone == WORDS


@pytest.mark.skipif(sys.platform != "linux", reason="systemd-analyze is of Linux")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    import shutil

    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    words = [sys.executable, *WORDS[1:]]
    unit = login.install(words, "linux", tmp_path, Programs()).path
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)], capture_output=True, text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert unit.name not in done.stderr, done.stderr


def test_the_command_that_is_started_at_login() -> None:
    words = login.watch_command(Path("/jobs"), [Path("/media")])
    assert words[0] == sys.executable or PurePosixPath(words[0]).name == "pythonw.exe"
    assert words[1:] == ["-P", "-m", "otio_mapedit", "watch", "--quiet", "--jobs", "/jobs",
                         "--root", "/media"]  # fmt: skip


def test_watch_install_and_uninstall(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Programs(1)
    monkeypatch.setattr(login, "install", lambda w, p, h: real_install(w, p, tmp_path, programs))
    monkeypatch.setattr(login, "uninstall", lambda p, h: real_uninstall(p, tmp_path, programs))
    jobs = tmp_path / "jobs"
    done = cli("watch", "--install", "--jobs", jobs, "--json")
    assert done.json["installed"] is True
    assert jobs.is_dir()
    assert "removed" in cli("watch", "--uninstall").out
    assert "not installed" in cli("watch", "--uninstall").out
    assert json.dumps(programs.asked)


real_install, real_uninstall = login.install, login.uninstall


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="Start it by hand"):
        login.install(WORDS, "linux", tmp_path, Programs())
