"""New users of a finished run: their group, and that the run stays unchanged."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from lifelog.groups.read import described_groups, read_groups
from tests.workflow import Workflow


def test_the_target_places_a_new_user_and_leaves_the_run_unchanged(workflow: Workflow) -> None:
    """A new user with the recordings of a member is placed in the group of that member."""
    shutil.copytree(workflow.folder / "resources/simulated/103", workflow.folder / "joining/201")
    before = workflow.outputs()
    call = ["new_users", "--config", "results=new", "cohort={layout: etri, root: joining}"]
    workflow(*call, "new_users={run: results}")
    placed = json.loads((workflow.folder / "new/tension/blocked/new_users/201.json").read_text())
    groups = described_groups(read_groups(workflow.folder / "results/tension/blocked/groups/importance.csv"))
    groups = groups.set_index("user").group
    assert placed["group"] == groups["103"] and placed["sentence"].startswith(f"User 201 belongs to {groups['103']}")
    predicted = pd.read_parquet(workflow.folder / "new/tension/blocked/new_users/201.parquet")
    assert set(predicted.scheme) == {"importance", "global", "personal"}
    assert set(predicted.predictor) == {"lda", "boosting", "lifelognet"}
    # The personal model equals that of the run, since the recordings are the same.
    own = pd.read_parquet(workflow.folder / "results/tension/blocked/predictions/lda/personal.parquet")
    personal = predicted[(predicted.predictor == "lda") & (predicted.scheme == "personal")]
    np.testing.assert_array_equal(
        personal.sort_values("start").raw_low.to_numpy(), own.raw_low[own.user == "103"].to_numpy()
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
