"""The edit network trained further for one editor, and how it travels with their style."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("onnx", reason="training needs onnx")

from otio_mapedit.edit_spec import FEATURES, OPERATIONS, EditSpec  # noqa: E402
from otio_mapedit.errors import ModelError, UsageError  # noqa: E402
from otio_mapedit.learning import own_network  # noqa: E402
from otio_mapedit.learning.learn import lessons_of  # noqa: E402
from otio_mapedit.learning.lessons import _packed  # noqa: E402
from otio_mapedit.learning.own_network import examples_of, told_by_leaning  # noqa: E402
from otio_mapedit.spec import SPEC_KEY  # noqa: E402
from otio_mapedit.style import load, network_path, path_for  # noqa: E402
from otio_mapedit.training import finetune as module  # noqa: E402
from otio_mapedit.training import rush_store  # noqa: E402
from otio_mapedit.training.edit_encoder import EditNetworkConfig  # noqa: E402
from otio_mapedit.training.edit_export import edit_parity, write_edit_onnx  # noqa: E402
from otio_mapedit.training.edit_network import EditNetwork  # noqa: E402
from otio_mapedit.training.edit_score import Count, EditScores  # noqa: E402
from otio_mapedit.training.finetune import FinetuneConfig, finetune, told_right  # noqa: E402
from otio_mapedit.training.from_onnx import network_from  # noqa: E402
from otio_mapedit.training.rushes import Rush  # noqa: E402
from tests.cli_support import TALK, Cli, one_line  # noqa: E402

SPEC = EditSpec(stride=32, run_up=8, slot=4, past=4, future=8)
SMALL = EditNetworkConfig(width=8, encoded=12, memory=10, attended=4, state=6, spec=SPEC)
LEVEL = FEATURES.index("level")


def steps_of(seed: int, count: int = 60) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, 1, (count, len(FEATURES))).astype(np.float32)
    steps[:, FEATURES.index("inside")] = 1
    return steps


def example(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An editor who keeps what is loud."""
    steps = steps_of(seed)
    return steps, (steps[:, LEVEL] > 0).astype(float)


def film(seed: int) -> Rush:
    steps = steps_of(seed)
    nothing = np.zeros(len(steps), np.float32)
    return Rush(
        steps, np.zeros(len(steps), np.int64), nothing, np.zeros(len(steps), np.int64), nothing,
        nothing, np.zeros((len(steps), 4), np.float32), nothing, "clean",
    )  # fmt: skip


def network(seed: int = 0) -> EditNetwork:
    """Weights by chance, also in the normalisations."""
    torch.manual_seed(seed)
    made = EditNetwork(SMALL)
    for name, value in made.state_dict().items():
        if "running_var" in name or name.endswith("spread"):
            value.uniform_(0.5, 2)
        elif "running_mean" in name or name.endswith("mean") or ".norm." in name:
            value.copy_(torch.rand_like(value.float()))
    return made.eval()


def test_a_network_comes_back_out_of_its_file(tmp_path: Path) -> None:
    made, path = network(), tmp_path / "edit.onnx"
    write_edit_onnx(made, path, {SPEC_KEY: SPEC.to_json()})
    back = network_from(path)
    assert back.config == SMALL
    assert edit_parity(back, path) < 1e-5
    assert any(parameter.requires_grad for parameter in back.parameters())


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blind.onnx"
    made = EditNetwork(replace(SMALL, attention=False)).eval()
    write_edit_onnx(made, path, {SPEC_KEY: SPEC.to_json()})
    with pytest.raises(ModelError, match="cannot be trained further") as refused:
        network_from(path)
    assert "--checkpoint" in refused.value.remedy


def test_an_editor_is_learned_and_nothing_is_forgotten() -> None:
    made = network()
    lessons = [[example(n), example(n + 10)] for n in range(3)]
    rushes = [film(n + 50) for n in range(2)]
    config = FinetuneConfig(steps=30, batch=3, rate=1e-2, measure_every=10)
    found = finetune(made, lessons, rushes, rushes, config)
    assert found.held_out
    assert found.editor_after > found.editor_before
    assert found.general_after >= found.general_before - module.MOST_LOST
    assert told_right(made, lessons[-1]) == pytest.approx(found.editor_after)


def test_what_forgets_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    hits = iter([90, *[80] * 9])

    def falling(_network: object, _rushes: object) -> EditScores:
        hit = next(hits)
        names = ("keep", "drop", "retake", "splice", "speed")
        return EditScores({name: Count(hit, 100 - hit, 100 - hit) for name in names})

    monkeypatch.setattr(module, "scored", falling)
    config = FinetuneConfig(steps=10, batch=2, rate=1e-2, measure_every=5)
    with pytest.raises(ModelError, match=r"loses 10\.0 points in general, more than 1"):
        finetune(made, [[example(0)]], [film(9)], [film(9)], config)
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(UsageError, match="no examples"):
        finetune(network(), [], [film(1)], [film(1)], FinetuneConfig())


@pytest.fixture
def anna(cli: Cli, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A style that was learned from two timelines of the sample."""
    monkeypatch.setenv("MAPEDIT_STYLES", str(tmp_path / "styles"))
    for name, pace in (("one.otio", "relaxed"), ("two.otio", "tight")):
        assert cli("roughcut", TALK, "-o", name, "-q", "--pace", pace).code == 0
    assert cli("learn", "--style", "anna", "one.otio", "two.otio", "-q").code == 0
    return "anna"


def test_a_style_takes_its_network_along(
    cli: Cli, here: Path, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = examples_of(load(anna))
    assert [len(lesson) for lesson in lessons] == [1, 1]
    assert lessons[0][0][0].shape == (159, len(FEATURES))
    monkeypatch.setattr(
        rush_store, "make", lambda _set, numbers, _=None: [film(numbers.start % 97)]
    )
    monkeypatch.setattr(module, "scored", lambda *_: EditScores({
        name: Count(90, 10, 10) for name in ("keep", "drop", "retake", "splice", "speed")
    }))  # fmt: skip
    rights = iter([0.8, 0.9, 0.9])
    monkeypatch.setattr(module, "told_right", lambda *_: next(rights))
    told_by = iter([-0.4, -0.3])
    monkeypatch.setattr(own_network, "told_by_leaning", lambda *_: next(told_by))
    config = here / "edit.toml"
    config.write_text('manifest = "m"\ncache = "c"\nfolder = "f"\nout = "o"\n')
    made = cli("model", "finetune", "--style", anna, "--config", config, "--steps", "1",
               "--json", "-q")  # fmt: skip
    assert made.code == 0, made
    assert made.json["editor_after"] == 0.9
    path = network_path(anna)
    assert Path(made.json["network"]) == path
    assert "an edit network of its own" in cli("style", "show", anna).out

    assert cli("roughcut", TALK, "--style", anna, "-o", "cut.mapedit", "-q").code == 0
    generator = json.loads(Path("cut.mapedit").read_text())["generator"]
    assert load(anna).network["sha256"][:12] in generator, "the personal network was asked"

    assert cli("style", "export", anna, "b.style.json").code == 0
    assert Path("b.edit.onnx").read_bytes() == path.read_bytes()
    assert cli("style", "import", "b.style.json", "--as", "bob").code == 0
    assert network_path("bob").is_file()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    told = one_line(cli("roughcut", TALK, "--style", anna, "-o", "x.otio", "-q"), 5)
    assert "the network of the style anna cannot be used" in told
    assert "mapedit model finetune" in told
    assert cli("style", "export", anna, "c.style.json").code == 5
    assert not Path("c.style.json").exists()
    assert cli("style", "forget", "bob").code == 0
    assert not network_path("bob").exists()
    assert not path_for("bob").exists()

    assert cli("roughcut", TALK, "-o", "three.otio", "-q", "--pace", "jump").code == 0
    told = cli("learn", "--style", anna, "three.otio").err
    assert "its own network was trained on less" in told
    assert not load(anna).network
    assert not path.exists()


def test_a_network_that_tells_less_than_what_was_learned_is_not_taken(
    cli: Cli, here: Path, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rush_store, "make", lambda *_: [film(3)])
    monkeypatch.setattr(module, "scored", lambda *_: EditScores({
        name: Count(90, 10, 10) for name in ("keep", "drop", "retake", "splice", "speed")
    }))  # fmt: skip
    rights = iter([0.8, 0.9, 0.9])
    monkeypatch.setattr(module, "told_right", lambda *_: next(rights))
    monkeypatch.setattr(own_network, "told_by_leaning", lambda *_: -0.3)
    path, style = network_path(anna), path_for(anna).read_bytes()
    path.write_bytes(b"the one before")
    config = here / "edit.toml"
    config.write_text('manifest = "m"\ncache = "c"\nfolder = "f"\nout = "o"\n')
    told = one_line(cli("model", "finetune", "--style", anna, "--config", config, "--steps", "1",
                        "-q"), 5)  # fmt: skip
    assert "nothing was written" in told
    assert path.read_bytes() == b"the one before"
    assert path_for(anna).read_bytes() == style


def test_a_leaning_is_asked_about_the_timeline_that_did_not_teach_it(anna: str) -> None:
    style = load(anna)
    first = lessons_of(style)[0]
    alike = replace(style, lessons=(first.to_json(), first.to_json()))
    _, kept = first.table()
    opposite = replace(first, kept=_packed(1 - kept)).to_json()
    against = replace(style, lessons=(first.to_json(), opposite))
    same, other = told_by_leaning(alike), told_by_leaning(against)
    assert same is not None
    assert other is not None
    assert other < np.log(0.5) < same < 0
    assert told_by_leaning(replace(style, lessons=(first.to_json(),))) is None


def test_a_style_without_examples_says_so(cli: Cli, here: Path, anna: str) -> None:
    path = path_for(anna)
    content = json.loads(path.read_text())
    for lesson in content["lessons"]:
        lesson["reads"] = "of an older network"
    path.write_text(json.dumps(content))
    told = one_line(cli("model", "finetune", "--style", anna), 2)
    assert "holds no examples that this version's network can read" in told
    assert "mapedit learn" in told
    assert "there is no style" in one_line(cli("model", "finetune", "--style", "bob"), 2)


def test_the_operation_that_keeps_is_the_first() -> None:
    assert OPERATIONS[module.KEEP] == "keep"
