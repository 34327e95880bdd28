"""Searching sizes and loss weights of the edit network with Optuna."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch

from . import rush_store
from .edit_score import scored
from .edit_train import EditState, EditTrainConfig
from .edit_windows import draw
from .side_by_side import answers

#: How often a run is looked at, to give it up early.
_LOOKS = 4


def tune(
    config: EditTrainConfig,
    trials: int,
    steps: tuple[int, int],
    journal: Path,
    progress: Callable[[int, int], None],
    noted: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Try settings until there are ``trials`` of them; the mean validation F1 is what counts.

    ``journal`` keeps what was tried, and is gone on with. The configuration's ``workers`` trials go
    beside each other; with one of them, a study can be done again and comes out the same. ``noted``
    is given the study now and then, and at its end.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    config.material()  # made before several processes ask for it
    sizes = config.rushes, config.validation, config.batch, *steps
    name = " ".join(map(str, (rush_store.set_key(config.rush_set), *sizes)))
    begun = len(_ended(_study(journal, name, config.seed)))
    # Each with a sampler of another seed: trials beside each other would else try the same.
    jobs = [
        (config, steps, journal, name, 1000 * config.seed + number)
        for number in range(begun, trials)
    ]
    for done, _ in enumerate(answers(_tried, jobs, config.workers)):
        noted(_told(_study(journal, name, config.seed), steps))
        progress(begun + done + 1, trials)
    return _told(_study(journal, name, config.seed), steps)


def _study(journal: Path, name: str, seed: int) -> optuna.Study:
    """The study of that name in a journal, which is begun where it is not there."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    return optuna.create_study(
        storage=optuna.storages.JournalStorage(backend),
        study_name=name,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
        load_if_exists=True,
    )


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that were not broken off."""
    ended = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    return study.get_trials(deepcopy=False, states=ended)


def _tried(job: tuple[EditTrainConfig, tuple[int, int], Path, str, int]) -> None:
    """One more trial."""
    config, steps, journal, name, seed = job
    rushes, held = config.material()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(config.threads)

    def objective(trial: optuna.Trial) -> float:
        chosen = suggested(config, trial, steps)
        torch.manual_seed(config.seed)
        state = EditState(chosen, rushes)
        whole, value = sum(steps), 0.0
        while state.step < whole:
            rng = np.random.default_rng([config.seed, state.step])
            state.learn(draw(rng, rushes, chosen.network.spec, chosen.batch))
            decoding = state.step - steps[0]
            if decoding > 0 and decoding % max(1, steps[1] // _LOOKS) == 0:
                value = scored(state.average.module, held).mean
                trial.report(value, state.step)
                if trial.should_prune():
                    raise optuna.TrialPruned
        return value

    _study(journal, name, seed).optimize(objective, n_trials=1)


def _told(study: optuna.Study, steps: tuple[int, int]) -> dict[str, Any]:
    done = [one for one in _ended(study) if one.state == optuna.trial.TrialState.COMPLETE]
    return {
        "best": study.best_params if done else {},
        "value": study.best_value if done else None,
        "steps": list(steps),
        "trials": [
            {
                "number": one.number,
                "state": one.state.name.lower(),
                "value": one.value,
                "parameters": one.params,
            }
            for one in _ended(study)
        ],
    }


def suggested(
    config: EditTrainConfig, trial: optuna.Trial, steps: tuple[int, int]
) -> EditTrainConfig:
    """The configuration of a trial, which begins from nothing."""
    network = replace(
        config.network,
        width=trial.suggest_categorical("width", [32, 48, 64]),
        encoded=trial.suggest_categorical("encoded", [48, 64, 96]),
        memory=trial.suggest_categorical("memory", [32, 48, 64]),
        attended=trial.suggest_categorical("attended", [8, 16, 32]),
        state=trial.suggest_categorical("state", [48, 64, 96]),
    )
    return replace(
        config.from_nothing,
        network=network,
        rate=trial.suggest_float("rate", 1e-3, 6e-3, log=True),
        w_recon=trial.suggest_float("w_recon", 0.01, 0.5, log=True),
        w_attend=trial.suggest_float("w_attend", 0.02, 0.5, log=True),
        w_reg=trial.suggest_float("w_reg", 1e-7, 1e-4, log=True),
        taught=trial.suggest_float("taught", 0.3, 1.0),
        warm_steps=steps[0],
        steps=steps[1],
        out=config.out.with_name("never-written"),
    )


def as_text(study: dict[str, Any]) -> str:
    """The study as JSON."""
    return json.dumps(study, indent=1) + "\n"
