"""Does it learn? Scripted editors cut the same rushes; a style learns from their timelines.

    python benchmarks/personas.py SPEECH_FOLDER --splits 3

The editors and their rushes, made from the sound files of SPEECH_FOLDER, are those of
``editors.py``. After 1, 3, 5 and 10 timelines the style cuts four rushes that it has not seen:
agreement (F1 of kept time) and the mean distance of the editor's cuts to the nearest, beside the
general rough cut and the best fixed setting of its options. That is chosen with the answer in
sight: of the paces and of some hundred combinations of margins, pauses and sounds (``SETTINGS``)
the one that comes nearest to the editor on the unseen rushes themselves, which nobody could know
beforehand. Which rushes teach and which are unseen is drawn anew for every split. At the end: how
much of the general rough cut's disagreement (1 - F1) is gone, and how often what was learned is
worse than the general rough cut or than the best setting.

Films and what is known of them are made anew every time unless ``--work FOLDER`` keeps them.
``--editor`` takes only editors whose name holds this text; ``--first-split 20`` draws as the 20th
split and those after it would: what was tried on the first ones is judged on others.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editors import EDITORS, Editor, heard, made_rushes, make_takes, taught

from otio_mapedit.cache import Cache
from otio_mapedit.config import make_options
from otio_mapedit.inference import Predictions
from otio_mapedit.learning.learn import learn
from otio_mapedit.learning.tuning import Fit, Taught, fit_with
from otio_mapedit.pipeline import Tools
from otio_mapedit.recipes import roughcut
from otio_mapedit.solve import union
from otio_mapedit.style import Style

AFTER = (1, 3, 5, 10)
VERBOSE = False
SETTINGS: tuple[dict[str, str], ...] = (
    *({"pace": pace} for pace in roughcut.PACES),
    *(
        {"margin_before": before, "margin_after": after, "min_pause": pause, **more}
        for before in ("0.04s", "0.15s", "0.3s", "0.5s")
        for after in ("0.08s", "0.2s", "0.45s", "0.8s", "1.4s")
        for pause in ("0.15s", "0.4s", "0.8s", "1.5s")
        for more in (
            {},
            *({"sounds": "all", "min_sound": least} for least in ("0.2s", "0.6s", "1.5s")),
        )
    ),
)
"""Fixed settings of the rough cut's options that are tried."""
SAME = 1e-6
"""Disagreements that differ by less are the same."""


@dataclass(frozen=True)
class Row:
    """Disagreement with an editor on unseen rushes, 1 - F1 summed over them: of the general rough
    cut, of the best setting, and of what was learned from each number of timelines."""

    general: float
    best: float
    learned: tuple[float, ...]


def off(fits: Sequence[Fit]) -> float:
    return sum(1 - fit.f1 for fit in fits)


def mean(fits: Sequence[Fit]) -> str:
    return (
        f"{sum(f.f1 for f in fits) / len(fits):.3f} {sum(f.error for f in fits) / len(fits):5.1f}f"
    )


def main() -> None:
    global VERBOSE, AFTER
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--first-split", type=int, default=1)
    parser.add_argument("--after", type=int, nargs="+", default=list(AFTER))
    parser.add_argument("--editor", default="")
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    VERBOSE, AFTER = options.verbose, tuple(options.after)
    editors = [editor for editor in EDITORS if options.editor in editor.name]
    with tempfile.TemporaryDirectory() as name:
        folder = options.work or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        tools = Tools(Cache(folder / "cache"))
        known = heard(made_rushes(options.folder, folder), tools)
        with_takes = heard(make_takes(folder, len(known)), tools)
        totals: dict[str, list[Row]] = {editor.name: [] for editor in editors}
        for split in range(options.first_split, options.first_split + options.splits):
            print(f"split {split}: ", end="")
            drawn = []
            for rushes in (known, with_takes):
                order = random.Random(split + 4).sample(rushes, len(rushes))
                drawn.append((order[: max(AFTER)], order[10:]))
            print(f"{len(known)} rushes, {len(drawn[0][1])} of them unseen: "
                  + ", ".join(each.media.name for each in drawn[0][1]))  # fmt: skip
            head = f"{'editor':30} {'general':>13} {'best setting':>13}"
            print(head + "".join(f" {f'after {n}':>13}" for n in AFTER), flush=True)
            for editor in editors:
                teaching, unseen = drawn[editor.takes]
                totals[editor.name].append(show(editor, teaching, unseen, folder, tools))
        summed(totals)


def summed(totals: Mapping[str, Sequence[Row]]) -> None:
    """How much of the disagreement is gone, all splits together and in the worst of them; then in
    how many cases what was learned is worse than the general rough cut or than the best setting."""
    print(f"\ngone, all splits together (worst split)\n{'editor':30}"
          + "".join(f" {f'after {n}':>13}" for n in AFTER))  # fmt: skip
    for name, rows in totals.items():
        off = sum(row.general for row in rows)
        cells = []
        for number in range(len(AFTER)):
            together = 1 - sum(row.learned[number] for row in rows) / off if off else 0.0
            parts = [1 - row.learned[number] / row.general for row in rows if row.general]
            cells.append(f"{together:.0%} ({min(parts, default=0.0):.0%})")
        print(f"{name:30}" + "".join(f" {cell:>13}" for cell in cells))
    rows = [row for each in totals.values() for row in each]
    for name, other in (("general", "general"), ("the best setting", "best")):
        worse = [
            sum(row.learned[number] > getattr(row, other) + SAME for row in rows)
            for number in range(len(AFTER))
        ]
        print(
            f"{f'worse than {name}':30}" + "".join(f" {f'{n} of {len(rows)}':>13}" for n in worse)
        )


def show(
    editor: Editor,
    teaching: list[Predictions],
    unseen: list[Predictions],
    folder: Path,
    tools: Tools,
) -> Row:
    """A line of the table."""
    lessons = [
        taught(editor, each, n, folder, tools) for n, each in enumerate(teaching[: max(AFTER)])
    ]
    tests = [
        Taught(lessons[0].lesson, (each,), (tuple(union(editor.cut(each))),)) for each in unseen
    ]
    general = [fit_with(each, roughcut.Options()) for each in tests]
    setting, best = best_setting(tests)
    if VERBOSE:
        print("  best setting", setting)
    cells, learned, dissolves = [mean(general), mean(best)], [], ""
    for count in AFTER:
        style = learn(Style(editor.name), lessons[:count]).style
        chosen = make_options(roughcut.Options, dict(style.options))
        fits = [fit_with(each, chosen, style.leaning) for each in tests]
        cells.append(mean(fits))
        learned.append(off(fits))
        if VERBOSE:
            trust = style.leaning.trust if style.leaning else 0
            print(" ", count, dict(style.options), trust, dict(style.validation))
        dissolves = style.options.get("dissolve", "")
    learned_join = f"  dissolve {dissolves}" if editor.dissolve else ""
    line = " ".join(f"{cell:>13}" for cell in cells)
    print(f"{editor.name:30} {line}{learned_join}", flush=True)
    return Row(off(general), off(best), tuple(learned))


def best_setting(tests: Sequence[Taught]) -> tuple[Mapping[str, str], list[Fit]]:
    """Of :data:`SETTINGS` the one that comes nearest to the tests themselves, and how near."""
    judged: dict[int, dict[Any, Any]] = {}
    best: tuple[Mapping[str, str], list[Fit]] | None = None
    for setting in SETTINGS:
        options = make_options(roughcut.Options, setting)
        fits = [fit_with(each, options, None, judged) for each in tests]
        if best is None or off(fits) < off(best[1]):
            best = setting, fits
    assert best is not None
    return best


if __name__ == "__main__":
    main()
