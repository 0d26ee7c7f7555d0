"""The group of a new user, and its stability."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifelog.new_users.place import place_user
from lifelog.settings.groups import Groups

MODALITIES = ("a", "b", "c")
ATTENTION = Groups(importance="attention")


def importance(user: str, mean: list[float], windows: int = 30, std: float = 0.03, seed: int = 0) -> pd.DataFrame:
    """Attention of a user's windows under two training seeds."""
    rng = np.random.default_rng(seed)
    rows = []
    for training in (0, 1):
        values = np.clip(rng.normal(mean, std, (windows, len(MODALITIES))), 0, None)
        for start, row in enumerate(values / values.sum(axis=1, keepdims=True)):
            rows += [
                (user, start, "train", start // 3, training, "attention", m, v)
                for m, v in zip(MODALITIES, row, strict=True)
            ]
    columns = ["user", "start", "subset", "block", "seed", "measure", "modality", "importance"]
    return pd.DataFrame(rows, columns=columns).assign(fold=np.nan)


@pytest.fixture(scope="module")
def run() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four users in two groups: attention is on a in the first group, and on b in the second."""
    means = {"u1": [0.8, 0.1, 0.1], "u2": [0.75, 0.1, 0.15], "u3": [0.1, 0.8, 0.1], "u4": [0.15, 0.75, 0.1]}
    tables = [importance(user, mean, seed=i) for i, (user, mean) in enumerate(means.items())]
    groups = pd.DataFrame(
        {"user": list(means), "group": ["group 1", "group 1", "group 2", "group 2"], "certainty": 1.0}
    )
    return pd.concat(tables), groups


@pytest.mark.parametrize("unit", ["users", "windows"])
def test_a_new_user_is_placed_in_the_nearest_group(run: tuple[pd.DataFrame, pd.DataFrame], unit: str) -> None:
    placed = place_user(importance("new", [0.12, 0.78, 0.1], seed=9), *run, Groups(importance="attention", unit=unit))
    assert placed.group == "group 2" and placed.members == ["u3", "u4"] and not placed.outlier
    assert placed.stability == 1 and placed.silhouette > 0.8
    assert placed.distances["group 2"] < placed.distances["group 1"]


def test_the_group_of_a_user_between_two_groups_is_unstable(run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    placed = place_user(importance("new", [0.45, 0.45, 0.1], std=0.2, seed=5), *run, ATTENTION)
    assert 0.3 < placed.stability < 1 and abs(placed.silhouette) < 0.2 and placed.outlier


def test_a_user_unlike_all_members_is_an_outlier(run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    assert place_user(importance("new", [0.2, 0.1, 0.7]), *run, ATTENTION).outlier


def test_a_modality_that_a_new_user_lacks_has_no_importance(run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = importance("new", [0.9, 0.1, 0.0])
    assert place_user(table[table.modality != "c"], *run, ATTENTION).group == "group 1"


def test_stability_uses_the_measure_of_the_placement() -> None:
    """Ablation is in nats: a seed with larger values has more weight, in the resampling as in the placement."""
    run = pd.concat([importance("u1", [0.9, 0.1, 0.0]), importance("u2", [0.1, 0.9, 0.0])]).assign(measure="ablation")
    groups = pd.DataFrame({"user": ["u1", "u2"], "group": ["group 1", "group 2"]})
    new = importance("new", [0.1, 0.9, 0.0], std=0.0).assign(measure="ablation")
    new.loc[new.seed == 1, "importance"] = new[new.seed == 1].modality.map({"a": 20.0, "b": 10.0, "c": 0.0})
    placed = place_user(new, run, groups, Groups(importance="ablation"))
    assert placed.group == "group 1" and placed.stability == pytest.approx(0.75, abs=0.1) and placed.outlier is None


def test_one_group_has_no_silhouette(run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table, groups = run
    placed = place_user(importance("new", [0.1, 0.8, 0.1]), table, groups.assign(group="group 1"), ATTENTION)
    assert placed.silhouette is None and placed.stability == 1 and len(placed.members) == 4
