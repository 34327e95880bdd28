"""What users install: the wheel carries everything and works in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from otio_mapedit import __version__

REPOSITORY = Path(__file__).resolve().parents[1]
NOT_SOURCE = (".git", ".venv", "build", "dist", "demo", "tests", "*.egg-info", "__pycache__")


def test_versions_agree() -> None:
    described = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert described["project"]["version"] == __version__
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {__version__}" in changelog


def test_constraints_are_exact_and_name_no_place() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(line.count("==") == 1 and "://" not in line and "+" not in line for line in pins)


def test_the_networks_folder_is_no_python_package() -> None:
    """A folder ``onnx`` with an ``__init__.py`` would shadow the library of that name."""
    assert not (REPOSITORY / "onnx" / "__init__.py").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the source tree stays as it is."""
    place = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        REPOSITORY, place / "source", ignore=shutil.ignore_patterns(*NOT_SOURCE, ".*cache*")
    )
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place)]
    done = subprocess.run(
        [*words, str(place / "source")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = place.glob("*.whl")
    return found


def test_the_wheel_carries_everything(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        "otio_mapedit/py.typed",
        "otio_mapedit/plugin_manifest.json",
        "otio_mapedit/decision_list.schema.json",
        "otio_mapedit/_networks/shots.onnx",
        "otio_mapedit/_networks/SHA256SUMS",
        "otio_mapedit/_networks/MODEL_CARD.md",
        "otio_mapedit/_plugins/README.md",
        f"otio_mapedit-{__version__}.dist-info/licenses/LICENSE",
    }
    assert wanted <= names, wanted - names
    plugins = {
        f"otio_mapedit/_plugins/{path.relative_to(REPOSITORY / 'plugins').as_posix()}"
        for path in (REPOSITORY / "plugins").rglob("*")
        if path.is_file() and not {"__pycache__", "node_modules"} & set(path.parts)
    }
    plugins = {name for name in plugins if not Path(name).name.startswith(".")}
    assert plugins <= names, plugins - names
    assert not any("node_modules" in name or name.endswith(".pyc") for name in names)
    modules = {
        f"otio_mapedit/{path.relative_to(REPOSITORY / 'otio_mapedit').as_posix()}"
        for path in (REPOSITORY / "otio_mapedit").rglob("*.py")
    }
    assert modules <= names, modules - names
    outside = {name for name in names if not name.startswith("otio_mapedit")}
    assert not outside


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an environment with nothing but the wheel and its dependencies.

    The dependencies are this environment's, minus any otio-mapedit in it, so that nothing has to
    be fetched.
    """
    place = tmp_path_factory.mktemp("installed")
    venv.create(place / "env", with_pip=False)
    scripts = place / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    (site,) = (place / "env").rglob("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    here = Path(sysconfig.get_path("purelib"))
    for entry in here.iterdir():
        if "otio_mapedit" not in entry.name and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)
    for name, module, function in (
        ("mapedit", "otio_mapedit.__main__", "main"),
        ("otioconvert", "opentimelineio.console.otioconvert", "main"),
        ("otiopluginfo", "opentimelineio.console.otiopluginfo", "main"),
    ):
        code = f"#!{python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        (scripts / name).write_text(code, encoding="utf-8")
        (scripts / name).chmod(0o755)
    return scripts


def call(scripts: Path, folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment, away from the repository."""
    program, *rest = (str(word) for word in words)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    return subprocess.run(
        [str(scripts / program), *rest], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="links and scripts are made the POSIX way")
def test_the_wheel_works_on_its_own(installed: Path, tmp_path: Path) -> None:
    talk = REPOSITORY / "samples" / "talk.mp4"
    told = call(installed, tmp_path, "mapedit", "doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "_networks" in told.stdout
    assert str(REPOSITORY) not in told.stdout

    done = call(installed, tmp_path, "otioconvert", "-i", talk, "-o", "cut.otio")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cut.otio").stat().st_size > 1000

    known = call(installed, tmp_path, "otiopluginfo", "mapedit")
    assert "mapedit" in known.stdout

    shots = call(installed, tmp_path, "mapedit", "shots", REPOSITORY / "samples" / "edited.mp4")
    assert shots.returncode == 0, shots.stderr
    assert "9 shots" in shots.stdout


def test_every_package_is_listed() -> None:
    """The list in pyproject.toml is written by hand: two of its packages are other folders."""
    described = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(described["tool"]["setuptools"]["packages"])
    found = {
        ".".join(init.parent.relative_to(REPOSITORY).parts)
        for init in (REPOSITORY / "otio_mapedit").rglob("__init__.py")
    }
    assert listed - {"otio_mapedit._networks", "otio_mapedit._plugins"} == found
