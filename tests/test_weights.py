"""Networks are verified before they run, and refused in plain words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from otio_mapedit import network_files, weights
from otio_mapedit.errors import ModelError, OptionError
from otio_mapedit.spec import INPUT, LICENCE_KEY, OUTPUTS, SPEC_KEY, ShotSpec

SPEC = {SPEC_KEY: ShotSpec(version="7").to_json(), LICENCE_KEY: "Apache-2.0"}


def field(number: int, value: bytes | str | int) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    if value < 128:
        return bytes([value])
    return bytes([value & 127 | 128]) + varint(value >> 7)


def tensor(name: str, kind: int) -> bytes:
    shape = b"".join(field(1, field(2, f"{name}{axis}")) for axis in range(5))
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def onnx_file(
    metadata: Mapping[str, str], reads: str = INPUT, says: tuple[str, ...] = OUTPUTS
) -> bytes:
    """An ONNX model, written by hand, whose every output is its input as float32."""
    to_float = field(1, "to") + field(3, 1) + field(20, 2)
    nodes = [
        field(1, reads) + field(2, name) + field(4, "Cast") + field(5, to_float) for name in says
    ]
    graph = b"".join(field(1, node) for node in nodes) + field(2, "test")
    graph += field(11, tensor(reads, 2)) + b"".join(field(12, tensor(name, 1)) for name in says)
    properties = b"".join(
        field(14, field(1, key) + field(2, value)) for key, value in metadata.items()
    )
    return field(1, 8) + field(8, field(1, "") + field(2, 17)) + field(7, graph) + properties


def install(folder: Path, content: bytes, digest: str = "") -> Path:
    """Put a network with its hash into ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / "shots.onnx").write_bytes(content)
    digest = digest or hashlib.sha256(content).hexdigest()
    (folder / network_files.SUMS).write_text(f"{digest}  shots.onnx\n", encoding="ascii")
    return folder


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good network, chosen by MAPEDIT_NETWORKS."""
    folder = install(tmp_path / "networks", onnx_file(SPEC))
    monkeypatch.setenv("MAPEDIT_NETWORKS", str(folder))
    monkeypatch.delenv("MAPEDIT_PROVIDERS", raising=False)
    monkeypatch.delenv("MAPEDIT_THREADS", raising=False)
    return folder


def test_a_whole_network_opens_and_runs(networks: Path) -> None:
    network = weights.open_network()
    assert network.spec == ShotSpec(version="7")
    assert network.licence == "Apache-2.0"
    assert network.label == f"shots 7 ({network.sha256[:12]})"
    frames = np.full((1, 4, 27, 48, 3), 9, np.uint8)
    answer = network.run(frames)
    assert set(answer) == set(OUTPUTS)
    assert np.array_equal(answer["cut"], frames.astype(np.float32))
    assert weights.open_network() is network


def test_an_exchanged_network_is_noticed(networks: Path) -> None:
    first = weights.open_network()
    install(networks, onnx_file(SPEC | {SPEC_KEY: ShotSpec(version="8").to_json()}))
    second = weights.open_network()
    assert (first.spec.version, second.spec.version) == ("7", "8")
    assert first.key != second.key


def test_one_altered_byte_is_refused(networks: Path) -> None:
    path = networks / "shots.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"has been altered.*mapedit doctor") as caught:
        weights.open_network()
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (onnx_file({}), "does not say what it reads"),
        (onnx_file({SPEC_KEY: "{"}), "spec"),
        (onnx_file({SPEC_KEY: SPEC[SPEC_KEY].replace('"width"', '"breadth"')}), "fields"),
        (onnx_file({SPEC_KEY: '{"tempo": 3, ' + SPEC[SPEC_KEY][1:]}), "fields"),
        (onnx_file(SPEC, reads="sound"), "not a shot network"),
        (onnx_file(SPEC, says=OUTPUTS[:3]), "not a shot network"),
        (b"not a network at all", "cannot load"),
        (b"", "cannot load"),
    ],
)
def test_unsuitable_networks_are_refused(
    networks: Path, capfd: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    install(networks, content)
    with pytest.raises(ModelError, match=message) as caught:
        weights.open_network()
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_files_are_named(networks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (networks / "shots.onnx").unlink()
    with pytest.raises(ModelError, match=r"shots\.onnx is not there"):
        weights.open_network()
    monkeypatch.setenv("MAPEDIT_NETWORKS", str(networks / "nowhere"))
    with pytest.raises(ModelError, match="not a folder"):
        weights.open_network()


def test_a_network_without_a_recorded_hash_is_refused(networks: Path) -> None:
    (networks / network_files.SUMS).write_text(f"{'0' * 64}  other.onnx\n", encoding="ascii")
    with pytest.raises(ModelError, match="is not listed"):
        weights.open_network()
    (networks / network_files.SUMS).write_text("nonsense\n", encoding="ascii")
    with pytest.raises(ModelError, match="not a list of hashes"):
        weights.open_network()
    (networks / network_files.SUMS).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        weights.open_network()


def test_settings_are_checked(networks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPEDIT_THREADS", "none")
    with pytest.raises(OptionError, match="MAPEDIT_THREADS"):
        weights.open_network()
    monkeypatch.setenv("MAPEDIT_THREADS", "1")
    monkeypatch.setenv("MAPEDIT_PROVIDERS", "abacus")
    with pytest.raises(OptionError, match=r"abacus.*cpu"):
        weights.open_network()
    monkeypatch.setenv("MAPEDIT_PROVIDERS", "CPUExecutionProvider, cpu")
    assert weights.open_network().providers == ("CPUExecutionProvider",)


def test_doctor_reports_instead_of_raising(networks: Path) -> None:
    good, absent = weights.describe()
    assert "edit.onnx is not there" in absent.fault
    assert (good.fault, good.version, good.licence) == ("", "7", "Apache-2.0")
    install(networks, onnx_file(SPEC), "0" * 64)
    bad, _ = weights.describe()
    assert "altered" in bad.fault
    assert bad.path == networks / "shots.onnx"


def test_the_shipped_network_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAPEDIT_NETWORKS", raising=False)
    network = weights.open_network()
    spec = network.spec
    answer = network.run(np.zeros((1, 8, spec.height, spec.width, 3), np.uint8))
    assert answer["cut"].shape == answer["transition"].shape == (1, 8)
    assert answer["kind"].shape == (1, 8, len(spec.kinds))
    assert answer["quality"].shape == (1, 8, len(spec.quality))
    assert network.licence


def test_what_the_edit_network_reads_does_not_depend_on_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MAPEDIT_NETWORKS", raising=False)
    monkeypatch.setenv("MAPEDIT_PROVIDERS", "nothing-of-the-kind")
    monkeypatch.setenv("MAPEDIT_THREADS", "many")
    network = weights.open_shots_on_processor()
    assert network.providers == ("CPUExecutionProvider",)
    with pytest.raises(OptionError):
        weights.open_network()


def test_the_shipped_edit_network_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAPEDIT_NETWORKS", raising=False)
    network = weights.open_edit_network()
    spec = network.spec
    said = network.run(np.zeros((2, spec.window, len(spec.features)), np.float32))
    assert said["operation"].shape == (2, spec.stride, len(spec.operations))
    assert said["attention"].shape == (2, spec.stride, spec.reach)
    assert np.allclose(said["operation"].sum(axis=2), 1, atol=1e-4)
    assert np.allclose(said["attention"].sum(axis=2), 1, atol=1e-4)
    assert network.licence
    assert network.providers == ("CPUExecutionProvider",)
    assert network.path.stat().st_size < 4_000_000
