"""validate_probabilities: probabilities and sets of classes on simulated cohorts with many class shares."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.calibration import CONSTANT, compare_calibration
from lifelog.evaluate.compare import split_groupings
from lifelog.evaluate.use import judge_use
from lifelog.groups.read import included_users, ungrouped
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import Scheme, predictor_settings
from lifelog.validation.groups import Kinds, designs
from lifelog.validation.people import simulate_person

PREDICTORS = ("lda", "boosting", CONSTANT)
SCHEMES: tuple[Scheme, ...] = ("global", "personal")


def validate_probabilities(kinds: Kinds, seeds: range, config: Config) -> list[dict[str, Any]]:
    """Train lda and boosting on simulated cohorts, and judge their probabilities.

    Parameters
    ----------
    kinds : Kinds
        The cohort.
    seeds : range
        Seeds of the cohorts.
    config : Config
        Settings of the comparison.

    Returns
    -------
    list of dict
        For JSON, one per cohort, predictor and scheme: log_loss and class_error (calibration error of the worst class)
        after calibration, raw_log_loss and raw_class_error before it; constant (log-loss of constant class shares); and
        the mean coverage and single (share of windows with one class) of the sets of participants.
    """
    return [row for seed in seeds for row in _cohort(kinds, seed, config)]


def _cohort(kinds: Kinds, seed: int, config: Config) -> list[dict[str, Any]]:
    simulated = [simulate_person(design, seed, number) for number, design in enumerate(designs(kinds, seed))]
    people = [Person(features, folds) for features, folds in simulated if folds.excluded is None]
    included = included_users([person.folds for person in people])
    models = [Model(predictor_settings(name), s, ungrouped(included, s)) for name in PREDICTORS for s in SCHEMES]
    trained = train_predictors(models, partial(make_samples, people))
    tables = split_groupings({(found.model.settings.name, found.model.scheme): found.table for found in trained})
    calibration = compare_calibration(tables, config.compare.confidence).set_index(["predictor", "scheme"])
    use, rows = judge_use(tables, config.compare).groupby(["predictor", "scheme"]).mean(numeric_only=True), []
    for model in tables:
        scores = calibration.loc[[model]].set_index(["measure", "calibrated"])
        row: dict[str, Any] = dict(zip(("predictor", "scheme"), model, strict=True))
        for measure in ("log_loss", "class_error"):
            row |= {f"raw_{measure}": float(scores.value[measure, False]), measure: float(scores.value[measure, True])}
        row["constant"] = float(scores.constant["log_loss", True])
        rows.append(row | {name: float(use.loc[model, name]) for name in ("coverage", "single")})
    return [row for row in rows if row["predictor"] != CONSTANT]


def summarise_probabilities(results: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """Tabulate the results of `validate_probabilities`, one row per line, predictor and scheme.

    Parameters
    ----------
    results : dict of str to list
        By line.

    Returns
    -------
    pandas.DataFrame
        cohorts; the means of raw_log_loss, log_loss, constant, raw_class_error, class_error, coverage and single; and
        better, the cohorts whose log-loss is below that of constant class shares.
    """
    table = pd.concat([pd.DataFrame(rows).assign(line=line) for line, rows in results.items()], ignore_index=True)
    groups = table.assign(better=table.log_loss < table.constant).groupby(["line", "predictor", "scheme"], sort=False)
    means = groups[[name for name in table if table[name].dtype == np.float64]].mean()
    return means.assign(cohorts=groups.size(), better=groups.better.sum()).reset_index()
