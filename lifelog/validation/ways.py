"""validate_ways: whether the right way of modelling is recommended on a simulated cohort, and gains are true."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lifelog.config import Config
from lifelog.evaluate.compare import compare_predictors, read_predictions, score_users
from lifelog.evaluate.decision import decide
from lifelog.evaluate.verdict import verdict
from lifelog.groups.assignment import SchemeInputs, group_users
from lifelog.groups.vectors import read_importance
from lifelog.predict.samples import read_samples
from lifelog.predict.train import train_predictor
from lifelog.settings.predict import COMBINED, Lda
from lifelog.settings.splits import BlockedSplit
from lifelog.splits.assign import assign_splits
from lifelog.validation.cohorts import SECONDS, Simulated, participants
from lifelog.validation.importance import TARGET, write_windows
from lifelog.validation.scenarios import RIGHT_WAYS
from lifelog.value.estimate import estimate_value
from lifelog.windows.features import extract_features

SCHEMES = ("global", "importance", "personal", "pooled", "blend", "random")


def validate_ways(kind: str, seed: int, config: Config, split_seed: int = 32) -> dict[str, Any]:
    """Run the stages from windows to decision on a simulated cohort, with the predictor lda.

    Parameters
    ----------
    kind : str
        A kind of cohort of `RIGHT_WAYS`.
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
    scenario, right = RIGHT_WAYS[kind]
    split = BlockedSplit(name="blocked", seed=split_seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        users = [_measure(who, folder, split, config) for who in participants(scenario, seed)]
        files = {kind: [str(folder / f"{user}.{kind}") for user in users] for kind in "fsv"}
        importance = read_importance(files["v"], fold=None)
        read_fold = partial(read_samples, files["f"], files["s"], users, "user")
        formed = group_users("importance", importance, config.groups)
        paths: dict[tuple[str, str], str | Path] = {}
        for scheme in SCHEMES:
            table = "global" if scheme in COMBINED else scheme
            inputs = SchemeInputs(groups=formed)
            groups = formed if scheme == "importance" else group_users(table, importance, config.groups, inputs)
            paths["lda", scheme] = folder / scheme
            train_predictor(scheme, groups, read_fold, Lda(), paths["lda", scheme])
        by_user = score_users(read_predictions(paths))
    comparison = compare_predictors(by_user, config.compare, "lda")
    decision = decide(by_user, config.compare, "lda")
    concluded = verdict(by_user, comparison, config.compare, ["train", "validation"], primary="lda")
    (finding,) = concluded["findings"]
    return {
        "recommended": decision["recommended"],
        "right": decision["recommended"] in right,
        "outcome": finding["outcome"],
        "headline": concluded["headline"],
        "difference": finding["difference"],
        "detectable": finding["detectable"],
        "scores": {row["scheme"]: row["score"] for row in decision["ways"]["lda"]},
        "near": {row["scheme"]: row["p_near"] for row in decision["ways"]["lda"]},
        "groups": int(formed[formed.fold == 0].group.nunique()),
    }


def _measure(who: Simulated, folder: Path, split: BlockedSplit, config: Config) -> str:
    """Write features, splits and values of a participant, and return the name."""
    windows, features, splits, value = (folder / f"{who.name}.{kind}" for kind in "wfsv")
    write_windows(who, windows)
    extract_features(windows, SECONDS, features)
    assign_splits(windows, TARGET, split, splits, SECONDS)
    estimate_value(features, splits, config.value, value)
    windows.unlink()
    return who.name


def summarise_ways(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of `validate_ways`.

    Parameters
    ----------
    results : dict of str to dict
        By `{kind}-{seed}`.

    Returns
    -------
    pandas.DataFrame
        One row per kind: cohorts, right (cohorts with a right recommendation), wrong (with another one), undecided,
        gains (cohorts in which importance groups are claimed to help), and the mean score of every scheme.
    """
    rows = []
    for name, result in results.items():
        about = {"kind": name.rpartition("-")[0], "cohorts": 1, "right": result["right"]}
        about |= {"undecided": result["recommended"] is None, "gains": result["outcome"].startswith("gain")}
        rows.append(about | {"wrong": not about["right"] and not about["undecided"]} | result["scores"])
    table = pd.DataFrame(rows).groupby("kind", sort=False)
    counts = table[["cohorts", "right", "wrong", "undecided", "gains"]].sum().astype(int)
    return counts.join(
        table[[*dict.fromkeys(name for r in results.values() for name in r["scores"])]].mean()
    ).reset_index()
