"""What every test module shares."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.cli_support import Cli, Outcome

REPOSITORY = Path(__file__).resolve().parents[1]

# Where tests run side by side, each of them has one core.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test measures time, and the same change gets the same answer from CI every time; at the desk
# each run looks elsewhere.
settings.register_profile(
    "mapedit",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("mapedit")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real media and exports; skips, saying so, where it is absent."""
    folder = Path(os.environ.get("MAPEDIT_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"real media not found at {folder}: set MAPEDIT_SHARED")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache, or finds their styles."""
    monkeypatch.setenv("MAPEDIT_CACHE", str(tmp_path_factory.getbasetemp() / "mapedit-cache"))
    monkeypatch.setenv("MAPEDIT_STYLES", str(tmp_path_factory.mktemp("styles")))


@pytest.fixture(autouse=True)
def _own_log() -> None:
    """Every test begins with a log that nothing was said to: a command line that ran before it, in
    a fixture of its module too, has decided what is shown."""
    logger = logging.getLogger("otio_mapedit")
    logger.handlers, logger.propagate, logger.disabled = [], True, False
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command line in this process."""
    from otio_mapedit.cli.app import run

    def call(*words: str | Path) -> Outcome:
        capsys.readouterr()
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return call


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
