"""New users of a finished run: their group, its stability, and that the run stays unchanged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.groups.assignment import read_groups
from lifelog.new_users import check_run, place_user, required_settings
from lifelog.settings.groups import Groups
from lifelog.windows.layout import BadInput
from tests.workflow import Workflow

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
    return pd.DataFrame(rows, columns=["user", "start", "subset", "block", "seed", "measure", "modality", "value"])


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
    new.loc[new.seed == 1, "value"] = new[new.seed == 1].modality.map({"a": 20.0, "b": 10.0, "c": 0.0})
    placed = place_user(new, run, groups, Groups(importance="ablation"))
    assert placed.group == "group 1" and placed.stability == pytest.approx(0.75, abs=0.1) and placed.outlier is None


def test_one_group_has_no_silhouette(run: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table, groups = run
    placed = place_user(importance("new", [0.1, 0.8, 0.1]), table, groups.assign(group="group 1"), ATTENTION)
    assert placed.silhouette is None and placed.stability == 1 and len(placed.members) == 4


def required(config: Config) -> dict[str, object]:
    """The settings that new users must share with a run."""
    shared = config.value, config.mil, config.windows.standardise, config.modalities, config.target("tension")
    return required_settings(*shared, config.groups, config.split("blocked"))


def of(importance: str = "attention", **mil: object) -> Config:
    """The configuration of groups by a measure of the networks."""
    return Config.model_validate({"mil": mil, "groups": {"importance": importance}})


def test_a_run_with_other_settings_is_rejected_before_any_job(tmp_path: Path) -> None:
    config, run, users = of(epochs=3), tmp_path / "run", ["201"]
    with pytest.raises(BadInput, match="there is no folder"):
        check_run(run, users, "tension", "blocked", required(config))
    write_json(required(config), run / "tension/blocked/mil/101/seed-0.json")
    with pytest.raises(BadInput, match="no groups of tension/blocked, only of nothing"):
        check_run(run, users, "tension", "blocked", required(config))
    split = config.split("blocked").model_dump(exclude={"seed"})
    formed = config.groups.model_dump() | {"value": config.value.model_dump(), "split": split}
    write_json(formed, run / "tension/blocked/groups/importance.json")
    write_json({}, run / "tension/blocked/splits/101.parquet")  # only its name is used
    check_run(run, users, "tension", "blocked", required(config))
    with pytest.raises(BadInput, match="no groups of tension/random, only of tension/blocked"):
        check_run(run, users, "tension", "random", required(config))
    with pytest.raises(BadInput, match="101 are in the run"):
        check_run(run, ["101", *users], "tension", "blocked", required(config))
    check_run(run, users, "tension", "blocked", required(of(epochs=3, device="cpu")))
    with pytest.raises(BadInput, match=r"groups\.importance was 'attention' in that run and is 'ablation' here"):
        check_run(run, users, "tension", "blocked", required(of("ablation", epochs=3)))
    with pytest.raises(BadInput, match=r"groups\.importance was 'attention' in that run and is 'value' here"):
        check_run(run, users, "tension", "blocked", required(Config()))
    with pytest.raises(BadInput, match=r"split\.folds was 5 in that run and is 4 here"):
        check_run(run, users, "tension", "blocked", required(config) | {"split": split | {"folds": 4}})
    with pytest.raises(BadInput, match=r"mil\.epochs was 3 in that run and is 4 here"):
        check_run(run, users, "tension", "blocked", required(of(epochs=4)))


def test_the_target_places_a_new_user_and_leaves_the_run_unchanged(workflow: Workflow) -> None:
    """A new user with the recordings of a member is placed in the group of that member."""
    shutil.copytree(workflow.folder / "resources/simulated/103", workflow.folder / "joining/201")
    before = workflow.outputs()
    call = ["new_users", "--config", "results=new", "cohort={layout: etri, root: joining}"]
    workflow(*call, "new_users={run: results}")
    placed = json.loads((workflow.folder / "new/tension/blocked/new_users/201.json").read_text())
    groups = read_groups(workflow.folder / "results/tension/blocked/groups/importance.csv").set_index("user").group
    assert placed["group"] == groups["103"] and placed["sentence"].startswith(f"User 201 belongs to {groups['103']}")
    predicted = pd.read_parquet(workflow.folder / "new/tension/blocked/new_users/201.parquet")
    assert set(predicted.scheme) == {"importance", "global", "personal"}
    assert set(predicted.predictor) == {"lda", "boosting", "lifelognet"}
    # The personal model equals that of the run, since the recordings are the same.
    own = pd.read_parquet(workflow.folder / "results/tension/blocked/predictions/lda/personal.parquet")
    personal = predicted[(predicted.predictor == "lda") & (predicted.scheme == "personal")]
    np.testing.assert_array_equal(
        personal.sort_values("start").p_low.to_numpy(), own.p_low[own.user == "103"].to_numpy()
    )
    assert workflow.outputs() == before and "Nothing to be done" in workflow("--dry-run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["results=new"], "new_users.run: set it to the results folder of a finished run"),
        (["results=new", "new_users={run: nowhere}"], "new_users.run: there is no folder 'nowhere'"),
        (["results=new", "new_users={run: results}"], "cohort.users: 101, 102, 103, 104 are in the run 'results'"),
        (["new_users={run: results}"], "new_users.run: 'results' is this run itself"),
    ],
)
def test_an_invalid_run_stops_with_the_cause(workflow: Workflow, change: list[str], message: str) -> None:
    assert message in workflow("new_users", "--dry-run", "--config", *change, ok=False)
