"""validate_decisions: what is concluded about simulated cohorts that look like recordings, under several splits."""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.groups.assignment import group_users
from lifelog.importance.estimate import estimate_shapley
from lifelog.predict.samples import Person
from lifelog.settings.splits import AnySplit
from lifelog.validation.conclude import train_and_conclude
from lifelog.validation.groups import FEWEST_DRAWS, Kinds, designs
from lifelog.validation.people import simulate_person

TIMED = ("nearest_minute", "last_label", "clock")  # predictors without sensors, for the leak check
CONCLUSIONS = ("outcome", "recommended", "leak", "groups", "tested", "p", "p_random")


def validate_decisions(kinds: Kinds, split: AnySplit, seeds: range, config: Config) -> dict[str, list[Any]]:
    """Run the stages from features to decision on simulated cohorts, with lda and the models of time stamps.

    Parameters
    ----------
    kinds : Kinds
        The cohort.
    split : BlockedSplit, SessionsSplit or RandomSplit
        How windows are assigned.
    seeds : range
        Seeds of the cohorts.
    config : Config
        Settings of Shapley values, groups and comparison.

    Returns
    -------
    dict
        For JSON, by cohort: outcome of the importance groups, recommended strategy, outcome of the leak check, groups
        (their number), tested (participants), p of the primary test, p_random of the permutation test, and AUROC of the
        schemes `global` and `personal`.
    """
    cohorts = [_cohort(kinds, split, seed, config) for seed in seeds]
    return {key: [cohort[key] for cohort in cohorts] for key in cohorts[0]}


def _cohort(kinds: Kinds, split: AnySplit, seed: int, config: Config) -> dict[str, Any]:
    shapley = config.shapley.model_copy(update={"draws": FEWEST_DRAWS})
    simulated = [simulate_person(design, seed, number, split) for number, design in enumerate(designs(kinds, seed))]
    importance = pd.concat([estimate_shapley(*person, shapley).table for person in simulated])
    people = [Person(features, folds) for features, folds in simulated if folds.excluded is None]
    formed = group_users("importance", importance, config.groups)
    people = [person for person in people if person.folds.user in set(formed.user)]
    concluded, comparison = train_and_conclude(people, formed, config, others=TIMED)
    auroc = comparison[comparison.metric == "auroc"].set_index(["predictor", "scheme"])["mean"]
    found = {key: concluded[key] for key in CONCLUSIONS}
    return found | {scheme: float(auroc["lda", scheme]) for scheme in ("global", "personal")}


def summarise_decisions(results: dict[str, dict[str, list[Any]]]) -> pd.DataFrame:
    """Tabulate the results of `validate_decisions`, one row per line.

    Parameters
    ----------
    results : dict of str to dict
        By line.

    Returns
    -------
    pandas.DataFrame
        cohorts; groups and tested (means); gain, not_shown (groups help, and importance is not shown to be the reason),
        recommended and leak (shares of cohorts); p_05, p_25, p_50 and random_05, random_25, random_50 (shares of
        p-values up to .05, .25 and .5 in the primary and in the permutation test); AUROC of one and of personal models.
    """
    rows = []
    for name, result in results.items():
        outcome = np.array(result["outcome"])
        row = {"line": name, "cohorts": len(outcome), "groups": np.mean(result["groups"])}
        row |= {"tested": np.mean(result["tested"]), "gain": (outcome == "gain").mean()}
        row |= {"not_shown": (outcome == "gain_not_shown").mean()}
        row |= {"recommended": np.mean([scheme is not None for scheme in result["recommended"]])}
        row |= {"leak": np.mean([leak == "leak" for leak in result["leak"]])}
        for key, short in (("p", "p"), ("p_random", "random")):
            known = np.array([p for p in result[key] if p is not None])
            row |= {f"{short}_{q:02.0f}": (known <= q / 100).mean() if len(known) else None for q in (5, 25, 50)}
        rows.append(row | {key: np.mean(result[key]) for key in ("global", "personal")})
    return pd.DataFrame(rows)
