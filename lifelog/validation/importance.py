"""validate_importance: whether importance and groups are right on a simulated cohort, by every measure."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import adjusted_rand_score

from lifelog.config import Config
from lifelog.groups.clustering import best_k, cluster
from lifelog.groups.vectors import profiles, read_importance, user_vectors
from lifelog.settings.splits import BlockedSplit, Target
from lifelog.splits.assign import assign_splits
from lifelog.validation.cohorts import MODALITIES, SECONDS, SESSION_WINDOWS, TEST, Scenario, Simulated, participants
from lifelog.value.compare import compare_values
from lifelog.value.estimate import estimate_value
from lifelog.windows.features import extract_features
from lifelog.windows.schema import windows_schema

TARGET = Target(name="label", column="label", bins={"low": [0], "middle": [1], "high": [2]})
# Blocks of minutes, since sessions of ten windows are few.
SPLIT = BlockedSplit(name="blocked", folds=1, test=TEST, min_sessions=1000, block_minutes=5)
ROTATED = BlockedSplit(name="rotated", min_sessions=1000, block_minutes=5)  # networks explain the windows of all folds
FIRST = 1_600_000_000


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
        Settings of values, networks and groups.

    Returns
    -------
    dict
        For JSON, by measure (`shrunken`: values drawn towards similar users): `on_top`, the share of planted modalities
        among as many most important ones; `rand`, the adjusted Rand index of the groups; `groups`, their number. And
        `false_claims`, the share of intervals of modalities without effect that are above 0, `found`, that of planted
        modalities, and `heterogeneous`, whether participants differ.
    """
    cohort = participants(scenario, seed)
    with tempfile.TemporaryDirectory() as folder:
        paths = [_measure(who, Path(folder), networks, config) for who in cohort]
        importance = read_importance([path for own in paths for path in own])
    names = [modality.name for modality in MODALITIES]
    planted = {who.name: set(who.planted) for who in cohort}
    kinds = {who.name: who.kind for who in cohort if who.kind >= 0}
    compared = compare_values(importance, config.value, config.groups)
    tables = {
        "shrunken": compared.values.pivot(index="user", columns="modality", values="shrunken")[names],
        **{m: user_vectors(importance, m, ["train", "validation"]) for m in sorted(set(importance.measure))},
    }
    result: dict[str, Any] = {}
    for measure, table in tables.items():
        hits = [len(planted[str(user)] & set(row.nlargest(2).index)) / 2 for user, row in table.iterrows()]
        result[measure] = {"on_top": float(np.mean(hits))}
        if measure != "shrunken":
            groups = config.groups.model_copy(update={"importance": measure})
            found = profiles(importance, groups)
            k = best_k(found, groups)
            labels = cluster(
                found.users.to_numpy(), groups.algorithm, [k], groups.seed, errors=found.errors.to_numpy()
            )[k]
            known = [i for i, user in enumerate(found.users.index) if user in kinds]
            truth = [kinds[found.users.index[i]] for i in known]
            result[measure] |= {"rand": float(adjusted_rand_score(truth, labels[known])), "groups": k}
    values = compared.values
    effective = np.array([scenario.effect > 0 and row.modality in planted[row.user] for row in values.itertuples()])
    above = (values.low > 0).to_numpy()
    result["false_claims"] = float(above[~effective].mean())
    result["found"] = float(above[effective].mean()) if effective.any() else None
    result["heterogeneous"] = bool((compared.heterogeneity.p_holm < 0.05).any())
    return result


def _measure(who: Simulated, folder: Path, networks: bool, config: Config) -> list[Path]:
    """Write windows and importance of a participant, and return the files of importance."""
    name = who.name
    windows, splits, features, value, importance = (folder / f"{name}.{kind}" for kind in ("w", "s", "f", "v", "i"))
    write_windows(who, windows)
    assign_splits(windows, TARGET, SPLIT, splits, SECONDS)
    extract_features(windows, SECONDS, features)
    estimate_value(features, splits, config.value, value)
    if not networks:
        return [value]
    from lifelog.mil.importance import extract_importance
    from lifelog.mil.train import train_mil

    checkpoints = [str(folder / f"{name}-{seed}.safetensors") for seed in config.mil.seeds]
    data = features if config.mil.encoder == "features" else windows
    assign_splits(windows, TARGET, ROTATED, splits, SECONDS)
    train_mil(data, splits, MODALITIES, TARGET, "user", config.mil, checkpoints)
    extract_importance(data, splits, checkpoints, importance, folder / f"{name}.d")
    return [value, importance]


def write_windows(who: Simulated, path: Path) -> None:
    """Write the windows of a participant as the extraction does: a session per day, a minute per window."""
    count = len(who.classes)
    place = np.arange(count) % SESSION_WINDOWS
    keys = {
        "user": [who.name] * count,
        "session": [str(session) for session in who.sessions],
        "start": FIRST + 86400 * who.sessions.astype(int) + SECONDS * place,
        "label_rows": [{"label": [f"labels.csv:{i + 2}"]} for i in range(count)],
        "label": [str(label) for label in who.classes],
    }
    schema = windows_schema(["label"], MODALITIES)
    columns = [pa.array(values, type=schema.field(name).type) for name, values in keys.items()]
    for modality in MODALITIES:
        values = who.values[modality.name]
        missing = pa.array(np.isnan(values[:, 0, 0]))
        flat = pa.array(np.nan_to_num(values).ravel())
        columns.append(pa.FixedSizeListArray.from_arrays(flat, type=schema.field(modality.name).type, mask=missing))
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)


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
            about | {"measure": measure} | result[measure] | (claims if measure == "value" else {})
            for measure in ("value", "shrunken", "attention", "ablation")
            if measure in result
        ]
    table = pd.DataFrame(rows)
    table["one_group"] = (table.groups == 1).where(table.groups.notna())
    keys = ["scenario", "windows", "effect", "measure"]
    numbers = [name for name in table if name not in (*keys, "seed")]
    return table.astype(dict.fromkeys(numbers, float)).groupby(keys, sort=False)[numbers].mean().reset_index()
