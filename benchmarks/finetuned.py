"""Does training the whole edit network for one editor gain anything, and what does it forget?

    python benchmarks/finetuned.py SPEECH_FOLDER [--config onnx/edit.toml]

One of the scripted editors of ``personas.py`` cuts rushes; a style learns from their timelines,
then the edit network is trained further on the same ones, as ``mapedit model finetune`` does, mixed
with un-edited rushes that the configuration says how to make (they are made where they are not
there yet, which takes long). Printed are the agreement (F1 of kept time, and the mean distance of
the editor's cuts to the nearest) with rushes that taught nothing, in general, as learned, and as
learned with the network of its own; then the mean F1 on the general validation rushes, before and
after. Which rushes teach is drawn anew for every split. Needs torch.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from editors import EDITORS, Editor, heard, made_rushes, taught
from personas import mean

from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.edit_inference import run_edit
from otio_mapedit.errors import ModelError
from otio_mapedit.inference import Predictions
from otio_mapedit.learning.learn import learn
from otio_mapedit.learning.own_network import examples_of, told_by_leaning, with_network
from otio_mapedit.learning.tuning import Fit, Taught, fit_with
from otio_mapedit.network_files import networks_folder
from otio_mapedit.pipeline import Tools
from otio_mapedit.recipes import roughcut
from otio_mapedit.solve import union
from otio_mapedit.style import Style
from otio_mapedit.training import finetune, rush_store
from otio_mapedit.training.edit_train import EditTrainConfig
from otio_mapedit.weights import open_edit_network, open_edit_network_file


def fits(
    editor: Editor, teaching: Taught, rushes: Sequence[Predictions], style: Style
) -> list[Fit]:
    """How near a style comes to the editor on each of some rushes."""
    chosen = make_options(roughcut.Options, dict(style.options))
    found = []
    for known in rushes:
        wanted = Taught(teaching.lesson, (known,), (tuple(union(editor.cut(known))),))
        found.append(fit_with(wanted, chosen, style.leaning))
    return found


def answered(known: Predictions, network: Path) -> Predictions:
    """The same rush with what another network says of it."""
    assert known.edit is not None
    said = run_edit(open_edit_network_file(network), [known.edit.steps])
    return replace(known, edit=said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", type=Path, default=Path("onnx/edit.toml"))
    parser.add_argument("--editor", default="drops what does not move")
    parser.add_argument("--timelines", type=int, default=6)
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rushes", type=int, default=24)
    given = parser.parse_args()
    editor = next(each for each in EDITORS if each.name == given.editor)
    settings = EditTrainConfig.from_toml(given.config)
    first = rush_store.VALIDATION_FROM
    general = rush_store.make(settings.rush_set, range(given.rushes))
    held = rush_store.make(settings.rush_set, range(first, first + settings.validation))
    print(f"{open_edit_network().label}; {editor.name}; {given.timelines} timelines, {given.steps} "
          f"steps, {len(general)} general rushes and {len(held)} to validate")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = Tools(Cache(folder / "cache"))
        rushes = heard(made_rushes(given.folder, folder), tools)
        for split in range(given.splits):
            drawn = random.Random(split + 5).sample(rushes, len(rushes))
            teaching, unseen = drawn[: given.timelines], drawn[given.timelines :]
            lessons = [taught(editor, each, n, folder, tools) for n, each in enumerate(teaching)]
            style = learn(Style(editor.name), lessons).style
            print(f"split {split + 1}: {len(unseen)} unseen rushes", flush=True)
            print(f"  general   {mean(fits(editor, lessons[0], unseen, Style('general')))}")
            print(f"  learned   {mean(fits(editor, lessons[0], unseen, style))}", flush=True)
            network = finetune.beginning(networks_folder() / "edit.onnx", None)
            config = finetune.FinetuneConfig(steps=given.steps)
            try:
                found = finetune.finetune(network, examples_of(style), general, held, config)
            except ModelError as error:
                print(f"  {error}")
                continue
            own = folder / f"own{split}.edit.onnx"
            finetune.write(network, own, open_edit_network().licence, {"style": style.name})
            using = (None, open_edit_network_file(own))
            before, after = (told_by_leaning(style, network) for network in using)
            if before is not None and after is not None:
                taken = "taken" if after > before else "not taken by model finetune"
                print(f"  the leaning tells the held-out timeline at {before:.3f}, on the answers "
                      f"of the own network at {after:.3f}: {taken}")  # fmt: skip
            gained = found.editor_after - found.editor_before
            style = with_network(style, own, {}, gained)
            seen = [answered(known, own) for known in unseen]
            print(f"  own net   {mean(fits(editor, lessons[0], seen, style))}")
            print(f"  moments of the timeline that was held out told right: "
                  f"{found.editor_before:.3f}, then {found.editor_after:.3f}")  # fmt: skip
            print(f"  general validation rushes, mean F1: {found.general_before:.3f}, then "
                  f"{found.general_after:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
