"""validate_strategies: whether the right strategy is recommended on a simulated cohort, and gains are true."""

from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.groups.assignment import group_users
from lifelog.groups.unseen import group_unseen
from lifelog.importance.estimate import estimate_shapley
from lifelog.predict.samples import Person
from lifelog.settings.predict import Scheme
from lifelog.settings.splits import BlockedSplit, ParticipantsSplit
from lifelog.splits.assign import assign_splits
from lifelog.splits.subsets import unseen_folds
from lifelog.validation.cohorts import SECONDS, simulated
from lifelog.validation.conclude import train_and_conclude
from lifelog.validation.importance import TARGET
from lifelog.validation.scenarios import RIGHT_FOR_NEW, RIGHT_STRATEGIES
from lifelog.windows.features import extract_features

NEW_SCHEMES: tuple[Scheme, ...] = ("global", "importance", "random")  # of participants who are tested as a whole


def validate_strategies(kind: str, seed: int, config: Config, split_seed: int = 32) -> dict[str, Any]:
    """Run the stages from windows to decision on a simulated cohort, with the predictor lda.

    Parameters
    ----------
    kind : str
        A kind of cohort of `RIGHT_STRATEGIES`.
    seed : int
        Seed of the cohort.
    config : Config
        Settings of values, groups and comparison.
    split_seed : int, default 32
        Seed of the split.

    Returns
    -------
    dict
        For JSON: the conclusions of `train_and_conclude` and right (whether the recommended scheme is a right one); and
        `new`, the same for participants who are tested as a whole, by one model or that of the group which fits their
        unlabelled windows.
    """
    scenario, right = RIGHT_STRATEGIES[kind]
    split = BlockedSplit(name="blocked", seed=split_seed)
    people, unseen, tables, cohort = [], [], [], simulated(scenario, seed)
    whole = ParticipantsSplit(name="new", seed=split_seed)
    tested_in = unseen_folds([who.name for who in cohort], whole)
    for who in cohort:
        folds = assign_splits(who.labels, TARGET, split, SECONDS)
        features = extract_features([who.sensors], who.labels, who.modalities, SECONDS)
        people.append(Person(features, folds))
        new = assign_splits(who.labels, TARGET, whole, SECONDS, unseen=tested_in[who.name])
        unseen.append(Person(features, new))
        tables.append(estimate_shapley(features, folds, config.shapley).table)
    importance = pd.concat(tables, ignore_index=True)
    formed = group_users("importance", importance, config.groups)
    known, _ = train_and_conclude(people, formed, config)
    of_others = [person.features for person in unseen], [person.folds for person in unseen]
    placed = group_unseen(importance, config.groups, *of_others, config.shapley.shrinkage)
    new_people, _ = train_and_conclude(unseen, placed, config, NEW_SCHEMES)
    return {
        **known,
        "right": known["recommended"] in right,
        "new": new_people | {"right": new_people["recommended"] in RIGHT_FOR_NEW[kind]},
    }


def summarise_strategies(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of `validate_strategies`.

    Parameters
    ----------
    results : dict of str to dict
        By `{kind}-{seed of the cohort}-{seed of the split}`.

    Returns
    -------
    pandas.DataFrame
        One row per kind of cohort; of those with the first split: cohorts, right (cohorts with a right recommendation),
        wrong (with another one), undecided (with none), gains (in which importance groups are claimed to help),
        new_right and new_gains (right recommendations and claimed gains for new participants), mean
        difference (importance minus global), mean detectable difference, and mean score of every scheme. Of those with
        a second split: splits, and same (with the same recommendation and outcome as under the first split).
    """
    rows = []
    for name, result in results.items():
        kind, seed, split = name.rsplit("-", 2)
        undecided = not result["right"] and result["recommended"] is None
        about = {"kind": kind, "split": split, "cohorts": 1, "right": result["right"], "undecided": undecided}
        about |= {"wrong": not result["right"] and not undecided, "gains": result["outcome"].startswith("gain")}
        new = result["new"]
        about |= {"new_right": new["right"], "new_gains": new["outcome"].startswith("gain")}
        about |= {key: result[key] for key in ("difference", "detectable")} | result["scores"]
        rows.append(about | {"seed": seed, "conclusion": (result["recommended"], result["outcome"])})
    table = pd.DataFrame(rows)
    first = table[table.split == table.split.iloc[0]]
    first = first.drop(columns=["split", "seed", "conclusion"]).groupby("kind", sort=False)
    counts = ["cohorts", "right", "wrong", "undecided", "gains", "new_right", "new_gains"]
    summary = pd.concat([first[counts].sum().astype(int), first.mean().drop(columns=counts)], axis=1)
    by_cohort = table.groupby(["kind", "seed"]).conclusion.agg(["size", "nunique"])
    pairs = by_cohort[by_cohort["size"] == 2]
    same = (pairs["nunique"] == 1).groupby("kind").agg(["size", "sum"]).astype(int)
    for name, column in (("splits", "size"), ("same", "sum")):
        summary[name] = same[column].reindex(summary.index, fill_value=0)
    return summary.reset_index()
