"""Searching sizes and loss weights of the edit network with Optuna."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import torch

from . import rush_store
from .edit_score import scored
from .edit_train import EditState, EditTrainConfig
from .edit_windows import draw

#: How often a run is looked at, to give it up early.
_LOOKS = 4


def tune(
    config: EditTrainConfig,
    trials: int,
    steps: tuple[int, int],
    progress: Callable[[int, int], None],
    noted: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Try settings; the mean validation F1 is what counts. Seeded, so it can be done again.

    ``noted`` is given the study after every trial, so that one that is stopped was not in vain.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known, first = config.rush_set, rush_store.VALIDATION_FROM
    rushes = rush_store.make(known, range(config.rushes))
    held = rush_store.make(known, range(first, first + config.validation))
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

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=config.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )

    def after(study: optuna.Study, one: optuna.trial.FrozenTrial) -> None:
        noted(_told(study, steps))
        progress(one.number + 1, trials)

    study.optimize(objective, n_trials=trials, callbacks=[after])
    return _told(study, steps)


def _told(study: optuna.Study, steps: tuple[int, int]) -> dict[str, Any]:
    done = [one for one in study.trials if one.state == optuna.trial.TrialState.COMPLETE]
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
            for one in study.trials
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
        config,
        network=network,
        rate=trial.suggest_float("rate", 1e-3, 6e-3, log=True),
        w_recon=trial.suggest_float("w_recon", 0.01, 0.5, log=True),
        w_attend=trial.suggest_float("w_attend", 0.02, 0.5, log=True),
        w_reg=trial.suggest_float("w_reg", 1e-7, 1e-4, log=True),
        taught=trial.suggest_float("taught", 0.3, 1.0),
        warm_steps=steps[0],
        steps=steps[1],
        start=None,
        out=config.out.with_name("never-written"),
    )


def as_text(study: dict[str, Any]) -> str:
    """The study as JSON."""
    return json.dumps(study, indent=1) + "\n"
