"""The networks: whether they are whole, and how they run.

A network is one ONNX file (:mod:`otio_mapedit.network_files`). Its hash stands beside it and is
checked before a byte of it reaches onnxruntime; what it reads and says stands in its own metadata
(see :mod:`otio_mapedit.spec`).

``MAPEDIT_PROVIDERS``
    onnxruntime providers in order of preference, such as ``cuda,cpu``; default ``cpu``
``MAPEDIT_THREADS``
    threads that a network may use; default: as many as there are processors, but one for the shot
    network, which runs beside the decoder and several times at once
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .edit_spec import EDIT_INPUT, EDIT_OUTPUTS, EditSpec, Steps
from .errors import ModelError, OptionError
from .network_files import REINSTALL, installed, networks_folder, recorded_hash, recorded_hashes
from .spec import INPUT, LICENCE_KEY, OUTPUTS, PROVENANCE_KEY, SPEC_KEY, Frames, ShotSpec

logger = logging.getLogger(__name__)

NETWORKS: tuple[str, ...] = ("shots", "edit")
"""The networks that this version runs, by the name of their file."""

Answers = dict[str, NDArray[np.float32]]

_CPU = "CPUExecutionProvider"
_SUFFIX = "ExecutionProvider"


@dataclass(frozen=True)
class NetworkFile:
    """A verified network file, loaded."""

    name: str
    path: Path
    sha256: str
    licence: str
    provenance: str  # JSON record of how it was trained; empty where the file has none
    providers: tuple[str, ...]  # what onnxruntime really uses, best first
    session: Any  # onnxruntime.InferenceSession

    @property
    def key(self) -> str:
        """For caches: changes whenever the answer may change."""
        return f"{self.name}/{self.sha256}/{','.join(self.providers)}"

    def answer(self, name: str, given: NDArray[Any], outputs: tuple[str, ...]) -> Answers:
        """What the file says to one input, by output name.

        Raises ModelError when onnxruntime cannot run the network here.
        """
        try:
            answers = self.session.run(list(outputs), {name: given})
        except Exception as fault:  # onnxruntime's errors have no public root below Exception
            raise ModelError(
                f"onnxruntime could not run {self.path.name} on {self.providers[0]}: {fault}",
                "Run it on the processor: MAPEDIT_PROVIDERS=cpu",
            ) from fault
        return dict(zip(outputs, answers, strict=True))

    def labelled(self, version: str) -> str:
        """For people and decision lists: name, version and the head of the hash."""
        return f"{self.name} {version} ({self.sha256[:12]})"


@dataclass(frozen=True)
class Network(NetworkFile):
    """The shot network, ready to run."""

    spec: ShotSpec

    @property
    def label(self) -> str:
        """See :meth:`NetworkFile.labelled`."""
        return self.labelled(self.spec.version)

    def run(self, frames: Frames) -> Answers:
        """The answer for windows ``frames`` (uint8 ``[B, T, height, width, 3]``), by output name.

        Raises ModelError when onnxruntime cannot run the network here.
        """
        return self.answer(INPUT, frames, OUTPUTS)


@dataclass(frozen=True)
class EditNetwork(NetworkFile):
    """The edit network, ready to run."""

    spec: EditSpec

    @property
    def label(self) -> str:
        """See :meth:`NetworkFile.labelled`."""
        return self.labelled(self.spec.version)

    def run(self, steps: Steps) -> Answers:
        """The answer for windows ``steps`` (float32 ``[B, window, features]``), by output name.

        Raises ModelError when onnxruntime cannot run the network here.
        """
        return self.answer(EDIT_INPUT, steps, EDIT_OUTPUTS)


@dataclass(frozen=True)
class NetworkReport:
    """What `mapedit doctor` says about one network file. ``fault`` is empty when it is usable."""

    name: str
    path: Path
    sha256: str = ""
    version: str = ""
    licence: str = ""
    providers: tuple[str, ...] = ()
    fault: str = ""


def open_network(name: str = "shots", threads: int | None = None) -> Network:
    """The shot network, verified; opened once per process, file and settings.

    ``threads`` may run it where ``MAPEDIT_THREADS`` says nothing; default: all processors.

    Raises:
        ModelError: missing, altered, without a spec, or made for another version.
        OptionError: ``MAPEDIT_PROVIDERS`` or ``MAPEDIT_THREADS`` is not usable.
    """
    path, changed = installed(name)
    return _open(path, changed, chosen_providers(), chosen_threads(threads))


def open_shots_on_processor() -> Network:
    """The shot network as the edit network was taught to understand it: on the processor, on one
    thread, whatever the environment says.

    Raises ModelError: see :func:`open_network`.
    """
    path, changed = installed("shots")
    return _open(path, changed, (_CPU,), 1)


def open_edit_network() -> EditNetwork:
    """The edit network, verified. It always runs on the processor, on one thread: it is small, and
    the same steps get the same answer everywhere.

    Raises:
        ModelError, OptionError: see :func:`open_network`.
    """
    path, changed = installed("edit")
    return _open_edit(path, changed)


def open_network_file(path: Path, sha256: str | None = None) -> Network:
    """A network from any file, such as one just exported; ``sha256`` is checked where given.

    Raises:
        ModelError, OptionError: see :func:`open_network`.
    """
    return _load(path, sha256, chosen_providers(), chosen_threads())


def open_edit_network_file(path: Path, sha256: str | None = None) -> EditNetwork:
    """An edit network from any file, such as one just exported; ``sha256`` is checked where given.

    Raises:
        ModelError, OptionError: see :func:`open_network`.
    """
    return _load_edit(path, sha256)


def describe() -> tuple[NetworkReport, ...]:
    """The state of every network that this version runs; faults are reported, not raised."""
    return tuple(_report(name) for name in NETWORKS)


def chosen_threads(otherwise: int | None = None) -> int:
    """``MAPEDIT_THREADS``, else ``otherwise``, else the number of processors.

    Raises OptionError when it is not a whole number from 1 up.
    """
    text = os.environ.get("MAPEDIT_THREADS", "").strip()
    if not text:
        return otherwise or os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise OptionError(f"MAPEDIT_THREADS: {text!r} is not a number of threads", "Write 2.")
    return int(text)


def chosen_providers() -> tuple[str, ...]:
    """onnxruntime providers to use, best first; the processor always comes last.

    Raises OptionError when ``MAPEDIT_PROVIDERS`` names one that is not available here.
    """
    asked = [part.strip() for part in os.environ.get("MAPEDIT_PROVIDERS", "").split(",")]
    names = [name for name in asked if name]
    if not names:
        return (_CPU,)
    known = {_short(name): name for name in _onnxruntime().get_available_providers()}
    chosen = []
    for name in names:
        if _short(name) not in known:
            raise OptionError(
                f"MAPEDIT_PROVIDERS: onnxruntime has no {name!r} here",
                "Choose from: " + ", ".join(known) + ".",
            )
        chosen.append(known[_short(name)])
    return tuple(dict.fromkeys([*chosen, _CPU]))


@functools.lru_cache(maxsize=4)
def _open(path: Path, changed: int, providers: tuple[str, ...], threads: int) -> Network:
    """``changed`` only makes an exchanged file a different one."""
    return _load(path, recorded_hash(path), providers, threads)


@functools.lru_cache(maxsize=4)
def _open_edit(path: Path, changed: int) -> EditNetwork:
    """``changed`` only makes an exchanged file a different one."""
    network = _load_edit(path, recorded_hash(path))
    shots, taught = recorded_hashes(path.parent).get("shots.onnx"), _taught_with(network)
    if taught not in ("", shots):
        logger.warning(
            "%s learned what pictures look like from another shots.onnx than the one beside it; "
            "teach it again: mapedit model train --config onnx/edit.toml",
            path.name,
        )
    return network


def _taught_with(network: EditNetwork) -> str:
    """The hash of the shot network whose word an edit network learned to read; empty where its
    record does not say."""
    try:
        sources = json.loads(network.provenance)["sources"]
        return next((one["sha256"] for one in sources if one["file"] == "shots.onnx"), "")
    except (ValueError, KeyError, TypeError):
        return ""


def _load(path: Path, expected: str | None, providers: tuple[str, ...], threads: int) -> Network:
    file, text = _verified(path, expected, providers, threads)
    _check_ports(file, "a shot network", INPUT, OUTPUTS)
    return Network(**vars(file), spec=ShotSpec.from_json(text))


def _load_edit(path: Path, expected: str | None) -> EditNetwork:
    file, text = _verified(path, expected, (_CPU,), 1)
    _check_ports(file, "an edit network", EDIT_INPUT, EDIT_OUTPUTS)
    return EditNetwork(**vars(file), spec=EditSpec.from_json(text))


def _verified(
    path: Path, expected: str | None, providers: tuple[str, ...], threads: int
) -> tuple[NetworkFile, str]:
    """A file whose hash is right, loaded, and the JSON of its spec."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise ModelError(f"The network {path} cannot be read", REINSTALL) from fault
    found = hashlib.sha256(content).hexdigest()
    if expected not in (None, found):
        raise ModelError(f"{path} has been altered: its hash is not the recorded one", REINSTALL)
    session = _session(path, content, providers, threads)
    metadata = session.get_modelmeta().custom_metadata_map
    if SPEC_KEY not in metadata:
        raise ModelError(f"{path} does not say what it reads: no {SPEC_KEY} inside", REINSTALL)
    used = tuple(session.get_providers())
    if used[0] != providers[0]:
        logger.warning("onnxruntime cannot use %s here and takes %s", providers[0], used[0])
    file = NetworkFile(
        name=path.stem,
        path=path,
        sha256=found,
        licence=metadata.get(LICENCE_KEY, ""),
        provenance=metadata.get(PROVENANCE_KEY, ""),
        providers=used,
        session=session,
    )
    return file, metadata[SPEC_KEY]


def _session(path: Path, content: bytes, providers: tuple[str, ...], threads: int) -> Any:
    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Idle threads would otherwise spin on the processors that the decoder needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(content, options, providers=list(providers))
    except Exception as fault:  # onnxruntime's errors have no public root below Exception
        raise ModelError(f"onnxruntime cannot load {path}: {fault}", REINSTALL) from fault


def _check_ports(file: NetworkFile, kind: str, given: str, said: tuple[str, ...]) -> None:
    inputs = [port.name for port in file.session.get_inputs()]
    outputs = {port.name for port in file.session.get_outputs()}
    if inputs != [given] or not outputs.issuperset(said):
        raise ModelError(f"{file.path} is not {kind}: it reads {', '.join(inputs)}", REINSTALL)


def _report(name: str) -> NetworkReport:
    path = Path(f"{name}.onnx")
    try:
        path = networks_folder() / path
        network = open_edit_network() if name == "edit" else open_network(name)
    except (ModelError, OptionError) as fault:
        return NetworkReport(name, path, fault=str(fault))
    return NetworkReport(
        name, path, network.sha256, network.spec.version, network.licence, network.providers
    )


@functools.cache
def _onnxruntime() -> Any:
    """onnxruntime, told to keep quiet: the GPU build speaks of CUDA on machines without any."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    return onnxruntime


def _short(provider: str) -> str:
    """``CUDAExecutionProvider`` and ``cuda`` are the same."""
    return provider.removesuffix(_SUFFIX).lower()
