"""Corpus, training, export: the whole way on a few frames and a handful of parameters."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest

from otio_mapedit.cli import model
from otio_mapedit.errors import FormatError, MediaError, ModelError, OptionError
from otio_mapedit.spec import PROVENANCE_KEY, SPEC_KEY, ShotSpec
from otio_mapedit.training import corpus as corpora

FRAMES = 24


def write_film(path: Path) -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (72, 128, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, index, 1), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_picture(path: Path, channels: int) -> None:
    form = "rgba" if channels == 4 else "rgb24"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, form
        pixels = np.full((64, 64, channels), 99, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, form)))
        container.mux(stream.encode())


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder = tmp_path / "material"
    folder.mkdir()
    write_film(folder / "film.mp4")
    write_picture(folder / "still.png", 3)
    write_picture(folder / "drawing.png", 4)
    (folder / "broken.mp4").write_bytes(b"not a film")
    common = {"licence": "CC0-1.0", "origin": "made by the test", "use": "train"}
    entries = [
        {"file": "film.mp4", "video": "mpeg4", **common},
        {"file": "still.png", **common},
        {"file": "drawing.png", **common},
        {"file": "broken.mp4", "video": "h264", **common},
        {"file": "film.mp4", "video": "mpeg4", **common, "use": "test only"},
    ]
    path = folder / "MANIFEST.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_the_corpus_is_what_the_manifest_allows(manifest: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "corpus.npz"
    built = corpora.build(manifest, cache)
    assert [shot.shape for shot in built.shots] == [(FRAMES, *corpora.SHOT_SIZE, 3)]
    assert built.stills.shape == (1, *corpora.STILL_SIZE, 3)
    assert built.sprites.shape == (1, *corpora.SPRITE_SIZE, 4)
    assert [source.file for source in built.sources] == ["film.mp4", "still.png", "drawing.png"]
    stamp = cache.stat().st_mtime_ns
    again = corpora.build(manifest, cache)
    assert cache.stat().st_mtime_ns == stamp
    assert again.sources == built.sources
    assert (again.shots[0] == built.shots[0]).all()


def test_a_changed_manifest_is_read_anew(manifest: Path, tmp_path: Path) -> None:
    cache = tmp_path / "corpus.npz"
    corpora.build(manifest, cache)
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(entries[:1]), encoding="utf-8")
    assert len(corpora.build(manifest, cache).sources) == 1


def test_unusable_manifests(tmp_path: Path) -> None:
    path = tmp_path / "MANIFEST.json"
    with pytest.raises(FormatError):
        corpora.build(path, tmp_path / "cache.npz")
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(MediaError):
        corpora.build(path, tmp_path / "cache.npz")


def _tiny(manifest: Path, folder: Path, steps: int = 2):  # type: ignore[no-untyped-def]
    pytest.importorskip("torch")
    from otio_mapedit.training.network import NetworkConfig
    from otio_mapedit.training.train import TrainConfig

    spec = ShotSpec(window=40, context=8, embedding=4)
    network = NetworkConfig(widths=(4, 4, 8, 8), fused=8, lags=3, state=4, spec=spec)
    return TrainConfig(
        manifest,
        folder / "corpus.npz",
        folder / "shots.pt",
        steps=steps,
        batch=2,
        length=32,
        validate_every=1,
        validation_edits=1,
        workers=0,
        network=network,
    )


def test_a_processor_learns_in_single_precision(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    from otio_mapedit.training.network import ShotNetwork
    from otio_mapedit.training.train import train

    if torch.cuda.is_available():
        pytest.skip("training takes the graphics card that is here")
    asked = ShotNetwork.forward
    halved: list[bool] = []

    def forward(self: ShotNetwork, frames: object) -> object:
        halved.append(torch.is_autocast_enabled("cpu"))
        return asked(self, frames)

    monkeypatch.setattr(ShotNetwork, "forward", forward)
    config = _tiny(manifest, tmp_path, steps=1)
    assert config.mixed
    train(config)
    assert not any(halved), "bfloat16 takes a processor several times as long"


def test_train_resume_export(manifest: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    onnx = pytest.importorskip("onnx")
    from otio_mapedit.training.export import WORST_DIFFERENCE, export
    from otio_mapedit.training.train import train

    seen: list[int] = []
    checkpoint = train(_tiny(manifest, tmp_path), lambda now: seen.append(now.step))
    assert seen == [1, 2]
    train(_tiny(manifest, tmp_path, steps=3), lambda now: seen.append(now.step))
    assert seen == [1, 2, 3]
    curves = (tmp_path / "shots.csv").read_text(encoding="utf-8").splitlines()
    assert curves[0].startswith("step,rate,loss")
    assert [int(row.split(",")[0]) for row in curves[1:]] == [1, 2, 3]
    report = export(checkpoint, tmp_path / "tiny.onnx", cut_threshold=0.4, teacher_share=0.3)
    assert report.parity < WORST_DIFFERENCE
    assert report.size == os.path.getsize(report.path)  # noqa: PTH202
    assert f"{report.sha256}  tiny.onnx" in (tmp_path / "SHA256SUMS").read_text(encoding="utf-8")
    properties = {entry.key: entry.value for entry in onnx.load(report.path).metadata_props}
    spec = ShotSpec.from_json(properties[SPEC_KEY])
    assert (spec.window, spec.cut_threshold) == (40, 0.4)
    provenance = json.loads(properties[PROVENANCE_KEY])
    assert provenance["steps"] == 3
    assert {source["file"] for source in provenance["sources"]} >= {"film.mp4", "drawing.png"}
    assert str(tmp_path) not in properties[PROVENANCE_KEY]


def test_the_same_seed_teaches_the_same(manifest: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from otio_mapedit.training.train import train

    runs: list[list[float]] = []
    for name in ("one", "two"):
        losses: list[float] = []
        train(_tiny(manifest, tmp_path / name), lambda now, to=losses: to.append(now.losses.total))
        runs.append(losses)
    assert runs[0] == runs[1]


def test_configuration_from_toml(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from otio_mapedit.training.train import TrainConfig

    path = tmp_path / "train.toml"
    text = 'manifest = "m.json"\ncache = "c.npz"\nout = "o.pt"\nw_recon = 0.5\n'
    path.write_text(text + "[network]\nwidths = [4, 8]\n", encoding="utf-8")
    config = TrainConfig.from_toml(path)
    assert config.manifest == tmp_path / "m.json"
    assert (config.w_recon, config.network.widths) == (0.5, (4, 8))
    path.write_text(text + "no_such_key = 1\n", encoding="utf-8")
    with pytest.raises(OptionError, match="no_such_key"):
        TrainConfig.from_toml(path)


def test_export_refuses_what_is_no_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from otio_mapedit.training.export import export

    path = tmp_path / "shots.pt"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError):
        export(path, tmp_path / "shots.onnx")
    assert not (tmp_path / "shots.onnx").exists()


def test_training_begins_from_an_exported_network(manifest: Path, tmp_path: Path) -> None:
    """A larger network that begins from a file answers as the file does."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from otio_mapedit.training import unedit, warm
    from otio_mapedit.training.export import export
    from otio_mapedit.training.network import NetworkConfig, ShotNetwork
    from otio_mapedit.training.train import train

    small = _tiny(manifest, tmp_path)
    small = dataclasses.replace(
        small, network=dataclasses.replace(small.network, patches=(), reaches=(1, 2))
    )
    train(small)
    export(small.out, tmp_path / "small.onnx")
    large: NetworkConfig = dataclasses.replace(small.network, patches=(1, 4), reaches=(1, 2, 4))
    network = ShotNetwork(large)
    edits = [unedit.example(corpora.empty(), 1, at, 40).frames for at in range(2)]
    frames = torch.from_numpy(np.stack(edits))
    warm.begin(network, tmp_path / "small.onnx", frames)
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"]
    )
    theirs = session.run(["cut"], {"frames": frames.numpy()})[0]
    with torch.no_grad():
        ours = network.eval()(frames).cut.sigmoid().numpy()
    assert np.abs(ours - theirs).max() < 1e-3
    begun = dataclasses.replace(
        small, out=tmp_path / "begun.pt", start=tmp_path / "small.onnx", network=large
    )
    assert train(begun).exists()
    with pytest.raises(ModelError, match="cannot be trained on"):
        warm.begin(ShotNetwork(NetworkConfig()), tmp_path / "small.onnx", frames)


def test_ablation_trains_every_variant_and_keeps_what_is_done(
    manifest: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from otio_mapedit.training.ablate import VARIANTS, ablate, variant

    config, folder = _tiny(manifest, tmp_path), tmp_path / "ablation"
    for name in VARIANTS:
        variant(config, name, folder, 3)
    seen: list[str] = []
    names = ["whole", "no-gru", "one-scale", "no-band", "no-patches"]
    rows = ablate(config, folder, 2, names, lambda name, at: seen.append(name))
    assert [row.name for row in rows] == names
    assert len(seen) == 2 * len(names)
    assert rows[1].parameters < rows[0].parameters
    text = (folder / "ablation.md").read_text(encoding="utf-8")
    assert text.startswith("Variants after 2 steps")
    assert json.loads((folder / "ablation.json").read_text(encoding="utf-8"))["steps"] == 2
    ablate(config, folder, 2, names, lambda name, at: seen.append(name))
    assert len(seen) == 2 * len(names)
    with pytest.raises(OptionError, match="whole"):
        ablate(config, folder, 2, ["no-such"])


def test_a_sheet_leaves_nothing_else_behind(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The media kept ready stood in the folder where the command was typed."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MAPEDIT_CACHE", str(tmp_path / "cache"))
    model.preview_corpus(Path("sheet.png"), manifest, rows=1)
    assert [path.name for path in folder.iterdir()] == ["sheet.png"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["corpus.npz"]
