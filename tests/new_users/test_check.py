"""Whether users can be placed in a run, before any job."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.new_users.check import check_run, required_settings
from lifelog.windows.layout import BadInput


def required(config: Config) -> dict[str, object]:
    """The settings that new users must share with a run."""
    shared = config.shapley, config.mil, config.windows.standardise, config.modalities, config.target("tension")
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
    formed = config.groups.model_dump() | {"shapley": config.shapley.model_dump(), "split": split}
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
    with pytest.raises(BadInput, match=r"groups\.importance was 'attention' in that run and is 'shapley' here"):
        check_run(run, users, "tension", "blocked", required(Config()))
    with pytest.raises(BadInput, match=r"split\.folds was 5 in that run and is 4 here"):
        check_run(run, users, "tension", "blocked", required(config) | {"split": split | {"folds": 4}})
    with pytest.raises(BadInput, match=r"mil\.epochs was 3 in that run and is 4 here"):
        check_run(run, users, "tension", "blocked", required(of(epochs=4)))
