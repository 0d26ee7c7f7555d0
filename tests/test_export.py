"""The exported tables of a whole run, and load_run."""

from pathlib import Path

import pandas as pd
import pytest

from lifelog import load_run
from lifelog.export import data_dictionary
from tests.workflow import Workflow


def test_exported_tables_hold_the_whole_run(workflow: Workflow) -> None:
    workflow("export")
    results = workflow.folder / "results"
    run = load_run(results)
    dictionary = pd.read_csv(results / "export/dictionary.csv")
    pd.testing.assert_frame_equal(dictionary, data_dictionary(), check_dtype=False)
    for name in dictionary.table.unique():
        table = pd.read_parquet(results / f"export/{name}.parquet")
        pd.testing.assert_frame_equal(table, getattr(run, name))
        assert list(table) == list(dictionary.column[dictionary.table == name])
    assert dictionary.description.notna().all()
    predictions = run.predictions
    keys = ["target", "split", "predictor", "scheme", "grouping", "user", "start"]
    by_window = predictions.groupby(keys, observed=True)
    assert (by_window.truth.sum() == 1).all() and by_window.probability.sum().round(6).eq(1).all()
    stored = pd.read_parquet(results / "tension/blocked/predictions/lda/global.parquet")
    own = predictions[(predictions.predictor == "lda") & (predictions.scheme == "global")]
    own = own[(own.split == "blocked") & (own["class"] == "low")]
    assert own.probability.tolist() == stored.p_low.tolist() and set(own.user) == set(stored.user)
    assert set(run.importance.measure) == {"shapley", "attention", "ablation"}
    assert {"importance", "raw"} <= set(run.groups.scheme)
    assert run.verdicts["tension", "blocked"]["headline"]


def test_models_of_an_earlier_configuration_are_not_exported(workflow: Workflow) -> None:
    folder = workflow.folder / "results/tension/blocked/predictions"
    (folder / "removed").mkdir()
    (folder / "removed/global.parquet").write_bytes((folder / "lda/global.parquet").read_bytes())
    assert "removed" not in set(load_run(workflow.folder / "results").predictions.predictor)


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no finished run"):
        load_run(tmp_path)
