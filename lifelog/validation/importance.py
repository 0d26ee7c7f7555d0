"""validate_importance: whether importance and groups are right on a simulated cohort, by every measure."""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.importance.compare import compare_shapley
from lifelog.importance.estimate import estimate_shapley
from lifelog.importance.vectors import describing, profiles, user_vectors
from lifelog.settings.splits import BlockedSplit, Target
from lifelog.splits.assign import assign_splits
from lifelog.validation.cohorts import MODALITIES, SECONDS, TEST, Simulated, simulated
from lifelog.validation.groups import recovered
from lifelog.validation.scenarios import Scenario
from lifelog.windows.features import extract_features

TARGET = Target(name="label", column="label", bins={"low": [0], "middle": [1], "high": [2]})
# Blocks of minutes, since sessions of ten windows are few.
# No embargo of a block, so that cohorts have the stated number of windows.
BLOCKS: dict[str, Any] = dict(min_sessions=1000, block_minutes=5, embargo_minutes=1)
SPLIT = BlockedSplit(name="blocked", folds=1, test=TEST, **BLOCKS)
ROTATED = BlockedSplit(name="rotated", **BLOCKS)  # networks explain the windows of all folds


def validate_importance(scenario: Scenario, seed: int, networks: bool, config: Config) -> dict[str, Any]:
    """Run the stages from windows to groups on a simulated cohort.

    Parameters
    ----------
    scenario : Scenario
        The kind of cohort.
    seed : int
        Seed of the cohort.
    networks : bool
        Whether personal networks are trained too.
    config : Config
        Settings of Shapley values, networks and groups.

    Returns
    -------
    dict
        For JSON, by measure (`shrunken`: Shapley values shrunk towards similar users): `on_top`, the share of planted
        modalities among as many most important ones; `rand`, the adjusted Rand index of the groups; `groups`, their
        number. And `false_claims`, the share of intervals of modalities without effect that are above 0, `found`, that
        of planted modalities, and `heterogeneous`, whether participants differ.
    """
    cohort = simulated(scenario, seed)
    importance = pd.concat([_measure(who, networks, config) for who in cohort], ignore_index=True)
    described = describing(importance)
    names = [modality.name for modality in MODALITIES]
    planted = {who.name: set(who.planted) for who in cohort}
    kinds = {who.name: who.kind for who in cohort if who.kind >= 0}
    compared = compare_shapley(importance, config.shapley, config.groups)
    tables = {
        "shrunken": compared.values.pivot(index="user", columns="modality", values="shrunken")[names],
        **{m: user_vectors(described, m, []) for m in sorted(set(described.measure))},
    }
    result: dict[str, Any] = {}
    for measure, table in tables.items():
        hits = [len(planted[str(user)] & set(row.nlargest(2).index)) / 2 for user, row in table.iterrows()]
        result[measure] = {"on_top": float(np.mean(hits))}
        if measure != "shrunken":
            groups = config.groups.model_copy(update={"importance": measure})
            result[measure] |= recovered(profiles(described, groups), groups, kinds)
    values = compared.values
    effective = np.array([scenario.effect > 0 and row.modality in planted[row.user] for row in values.itertuples()])
    above = (values.low > 0).to_numpy()
    result["false_claims"] = float(above[~effective].mean())
    result["found"] = float(above[effective].mean()) if effective.any() else None
    result["heterogeneous"] = bool((compared.heterogeneity.p_holm < 0.05).any())
    return result


def _measure(who: Simulated, networks: bool, config: Config) -> pd.DataFrame:
    """Return the importance of a participant."""
    features = extract_features([who.sensors], who.labels, who.modalities, SECONDS)
    folds = assign_splits(who.labels, TARGET, SPLIT, SECONDS)
    table = estimate_shapley(features, folds, config.shapley).table
    tables = [table[table.fold == 1].assign(fold=np.nan)]  # of as many windows as the scenario states
    if networks:
        from lifelog.importance.networks import explain_networks
        from lifelog.mil.bags import feature_instances, make_bags
        from lifelog.mil.train import train_mil

        rotated = assign_splits(who.labels, TARGET, ROTATED, SECONDS)
        by_features = config.mil.encoder == "features"
        bags = make_bags(feature_instances(features) if by_features else who.sensors, rotated)
        checkpoints = train_mil(bags, rotated, who.modalities, TARGET, config.mil)
        tables.append(explain_networks(bags, rotated, checkpoints).importance)
    return pd.concat(tables)


def summarise_importance(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results of `validate_importance`.

    Parameters
    ----------
    results : dict of str to dict
        By `{scenario}-{seed}`.

    Returns
    -------
    pandas.DataFrame
        One row per scenario and measure: means over seeds.
    """
    rows = []
    for name, result in results.items():
        scenario, _, seed = name.rpartition("-")
        difficulty, windows, effect = scenario.rsplit("-", 2)
        about = {"scenario": difficulty, "windows": int(windows), "effect": float(effect), "seed": int(seed)}
        claims = {key: result[key] for key in ("false_claims", "found", "heterogeneous")}
        rows += [
            about | {"measure": measure} | result[measure] | (claims if measure == "shapley" else {})
            for measure in ("shapley", "shrunken", "attention", "ablation")
            if measure in result
        ]
    table = pd.DataFrame(rows)
    table["one_group"] = (table.groups == 1).where(table.groups.notna())
    keys = ["scenario", "windows", "effect", "measure"]
    numbers = [name for name in table if name not in (*keys, "seed")]
    return table.astype(dict.fromkeys(numbers, float)).groupby(keys, sort=False)[numbers].mean().reset_index()
