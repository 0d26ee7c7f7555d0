"""validate_strategies: whether the right strategy is recommended on a simulated cohort, and gains are true."""

from functools import partial
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.compare import compare_predictors, score_users, split_groupings
from lifelog.evaluate.decision import decide
from lifelog.evaluate.verdict import leak_check, verdict
from lifelog.groups.assignment import SchemeInputs, group_users
from lifelog.groups.read import described_groups
from lifelog.importance.estimate import estimate_shapley
from lifelog.predict.predictors.lda import Lda
from lifelog.predict.samples import Person, make_samples
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import COMBINED
from lifelog.settings.splits import BlockedSplit
from lifelog.splits.assign import assign_splits
from lifelog.validation.cohorts import SECONDS, simulated
from lifelog.validation.importance import TARGET
from lifelog.validation.scenarios import RIGHT_STRATEGIES
from lifelog.windows.features import extract_features

SCHEMES = ("global", "importance", "personal", "pooled", "blend", "random")


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
        For JSON: recommended (a scheme or None), right (whether that is a right one), outcome and headline of the
        importance groups, difference (importance minus global) and the detectable one, scores by scheme and their
        shares of resamples near the best one, number of groups.
    """
    scenario, right = RIGHT_STRATEGIES[kind]
    split = BlockedSplit(name="blocked", seed=split_seed)
    people, tables = [], []
    for who in simulated(scenario, seed):
        folds = assign_splits(who.labels, TARGET, split, SECONDS)
        people.append(Person(extract_features([who.sensors], who.labels, who.modalities, SECONDS), folds))
        tables.append(estimate_shapley(people[-1].features, folds, config.shapley).table)
    importance = pd.concat(tables, ignore_index=True)
    formed = group_users("importance", importance, config.groups)
    models = []
    for scheme in SCHEMES:
        table = "global" if scheme in COMBINED else scheme
        inputs = SchemeInputs(groups=formed)
        groups = formed if scheme == "importance" else group_users(table, importance, config.groups, inputs)
        models.append(Model(Lda(), scheme, groups))
    trained = train_predictors(models, partial(make_samples, people))
    scored = score_users(split_groupings({("lda", x.model.scheme): x.table for x in trained}))
    comparison = compare_predictors(scored, config.compare, "lda")
    leak = leak_check(scored.users, "lda", config.compare)
    decision = decide(scored.users, config.compare, "lda", leak=leak)
    concluded = verdict(scored.users, comparison, config.compare, ["train", "validation"], primary="lda", leak=leak)
    (finding,) = concluded["findings"]
    return {
        "recommended": decision["recommended"],
        "right": decision["recommended"] in right,
        "outcome": finding["outcome"],
        "headline": concluded["headline"],
        "difference": finding["difference"],
        "detectable": finding["detectable"],
        "scores": {row["scheme"]: row["score"] for row in decision["strategies"]["lda"]},
        "near": {row["scheme"]: row["p_near"] for row in decision["strategies"]["lda"]},
        "groups": int(described_groups(formed).group.nunique()),
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
        wrong (with another one), undecided (with none), gains (in which importance groups are claimed to help), mean
        difference (importance minus global), mean detectable difference, and mean score of every scheme. Of those with
        a second split: splits, and same (with the same recommendation and outcome as under the first split).
    """
    rows = []
    for name, result in results.items():
        kind, seed, split = name.rsplit("-", 2)
        undecided = not result["right"] and result["recommended"] is None
        about = {"kind": kind, "split": split, "cohorts": 1, "right": result["right"], "undecided": undecided}
        about |= {"wrong": not result["right"] and not undecided, "gains": result["outcome"].startswith("gain")}
        about |= {key: result[key] for key in ("difference", "detectable")} | result["scores"]
        rows.append(about | {"seed": seed, "conclusion": (result["recommended"], result["outcome"])})
    table = pd.DataFrame(rows)
    first = table[table.split == table.split.iloc[0]]
    first = first.drop(columns=["split", "seed", "conclusion"]).groupby("kind", sort=False)
    counts = ["cohorts", "right", "wrong", "undecided", "gains"]
    summary = pd.concat([first[counts].sum().astype(int), first.mean().drop(columns=counts)], axis=1)
    by_cohort = table.groupby(["kind", "seed"]).conclusion.agg(["size", "nunique"])
    pairs = by_cohort[by_cohort["size"] == 2]
    same = (pairs["nunique"] == 1).groupby("kind").agg(["size", "sum"]).astype(int)
    for name, column in (("splits", "size"), ("same", "sum")):
        summary[name] = same[column].reindex(summary.index, fill_value=0)
    return summary.reset_index()
