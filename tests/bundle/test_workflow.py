"""Bundles and scored recordings by the rules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from lifelog.bundle.files import load_bundle
from lifelog.config import Config
from lifelog.windows.read import read_features
from tests.workflow import Workflow

CARD = "results/tension/blocked/bundles/lda/global/card.md"


@pytest.fixture(scope="module")
def bundle(workflow: Workflow) -> Path:
    """A bundle of the run, copied away from it, and the recordings of one of its participants without labels."""
    workflow(CARD)
    shutil.copytree((workflow.folder / CARD).parent, workflow.folder / "given")
    shutil.copytree(workflow.folder / "resources/simulated/103", workflow.folder / "scored-raw/103")
    for path in (workflow.folder / "scored-raw").rglob("*_label.csv"):
        path.unlink()
    shutil.copytree(workflow.folder / "scored-raw/103", workflow.folder / "strangers/201")
    return workflow.folder / "given"


def call(*more: str) -> list[str]:
    cohort = "cohort={layout: etri, root: scored-raw, labels: []}"
    return ["--config", "results=scored", cohort, "score={bundle: given, participants: same}", *more]


def test_recordings_without_labels_are_scored(workflow: Workflow, bundle: Path) -> None:
    before = workflow.outputs()
    workflow("score", *call())
    folder = workflow.folder / "scored/score"
    table = pd.read_parquet(folder / "103.parquet")
    assert table.truth.isna().all() and (folder / "days.svg").exists()
    summary = pd.read_csv(folder / "summary.csv")
    assert summary.model.tolist() == ["of the participant"] and summary.windows.tolist() == [len(table)]
    # The same models on the same windows, in a notebook.
    features = read_features(folder / "features/103.parquet", maxima=True)
    found = load_bundle(bundle).predict(features, "103").set_index("start")
    predicted = table[table.p_low.notna()].set_index("start")
    pd.testing.assert_frame_equal(found[["p_low", "raw_high"]], predicted.loc[found.index, ["p_low", "raw_high"]])
    assert workflow.outputs() == before and "Nothing to be done" in workflow("score", "--dry-run", *call())


def test_labelled_recordings_are_compared_with_models_trained_there(workflow: Workflow, bundle: Path) -> None:
    output = workflow("transfer", "--dry-run", "--config", "results=other", "simulation={seed: 7}",
                      "cohort={root: resources/other}", "score={bundle: given}")  # fmt: skip
    assert "score_user" in output and "train_fast" in output and "transfer" in output
    assert "train_mil" not in output  # no networks, no importance


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["windows={seconds: 30}"], "windows: they are those of the bundle"),
        (["score={bundle: ''}"], "cohort.labels: there are none, and models need labels"),
        (["score={bundle: nowhere}"], "nowhere: there is no such folder"),
        (
            ["cohort={layout: etri, root: strangers}"],
            "score.participants: the bundle has no models of 201; it has those of",
        ),
        (["score={bundle: given, participant: same}"], "score.participant"),
        (["score=given"], "score: "),
    ],
)
def test_an_unusable_bundle_or_configuration_stops_before_any_job(
    workflow: Workflow, bundle: Path, more: list[str], message: str
) -> None:
    output = workflow("score", "--dry-run", *call(*more), ok=False)
    assert message in output and "Traceback" not in output


def test_scoring_without_a_bundle_is_explained(workflow: Workflow) -> None:
    assert "score.bundle: set it to the folder of a bundle" in workflow("score", "--dry-run", ok=False)


def test_a_changed_bundle_is_refused(workflow: Workflow, bundle: Path) -> None:
    workflow("score", *call())
    content = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(content))
    assert "bundle.json changed since the bundle was written" in workflow("score", "--dry-run", *call(), ok=False)


def test_what_is_not_recommended_is_bundled_by_its_name_only(workflow: Workflow) -> None:
    path = workflow.folder / "results/tension/random/verdict.json"
    assert json.loads(path.read_text())["decision"]["recommended"] is None
    output = workflow("results/tension/random/bundle/card.md", ok=False)
    assert "nothing is recommended" in output and "bundles/PREDICTOR/SCHEME/card.md" in output
    (workflow.folder / "results/logs/tension/random/bundle_recommended.log").unlink()  # other tests share the folder


def test_another_cost_of_a_sensor_reruns_only_the_choice_of_sensors(workflow: Workflow) -> None:
    target = "results/tension/blocked/sensors/summary.json"
    before = workflow.rules(target)
    entries = [modality.model_dump(exclude_defaults=True) for modality in Config().modalities]
    entries[0]["cost"] = 3.0
    assert workflow.rules(target, "--config", f"modalities={json.dumps(entries)}") == before == {"fewest_sensors": 1}
