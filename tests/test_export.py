"""The exported tables of a whole run, and load_run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from lifelog import load_run
from lifelog.export import data_dictionary
from lifelog.export.wide import spss_names
from tests.workflow import ROOT, Workflow


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


def test_tables_for_other_programs(workflow: Workflow) -> None:
    """SPSS files equal the CSV files, and hold the values of the run."""
    workflow("export")
    folder = workflow.folder / "results/export"
    described = pd.read_csv(folder / "labels.csv")
    for name in ("participants", "windows"):
        table = pd.read_csv(folder / f"{name}.csv", dtype={"user": str})
        spss, about = pyreadstat.read_sav(folder / f"{name}.sav")
        own = described[described.table == name]
        assert list(own.column) == list(table) and list(own.description) == about.column_labels
        assert spss.shape == table.shape and spss.user.tolist() == table.user.tolist()
        numbers = table.select_dtypes("number").columns
        places = [list(table).index(column) for column in numbers]
        assert np.allclose(spss.iloc[:, places].astype(float), table[numbers], equal_nan=True)
    people = pd.read_csv(folder / "participants.csv", dtype={"user": str})
    values = pd.read_csv(workflow.folder / "results/tension/blocked/shapley.csv", dtype={"user": str})
    own = people[people.split == "blocked"].set_index("user")
    for row in values.itertuples():
        assert own.loc[row.user, f"{row.modality}_shapley"] == pytest.approx(row.shapley, nan_ok=True)
    windows = pd.read_csv(folder / "windows.csv")
    assert not windows.duplicated(["target", "split", "user", "start"]).any()
    scores = pd.read_csv(workflow.folder / "results/tension/blocked/scores.csv", dtype={"user": str})
    blocked = windows[windows.split == "blocked"].astype({"user": str})
    model = blocked[["predictor", "scheme"]].iloc[0]
    scores = scores[(scores[["predictor", "scheme"]] == model).all(axis=1)].set_index("user")
    accuracy = (blocked.truth == blocked.predicted).groupby(blocked.user).mean()
    assert np.allclose(accuracy[scores.index], scores.accuracy)


PROGRAMS = {"r": "Rscript", "python": sys.executable}


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_examples_of_the_documents_give_the_same(workflow: Workflow, language: str, tmp_path: Path) -> None:
    if shutil.which(PROGRAMS[language]) is None:
        pytest.skip(f"{PROGRAMS[language]} is not installed")
    workflow("export")
    document = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    [example] = re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)
    (script := tmp_path / "example").write_text(example)
    run = subprocess.run([PROGRAMS[language], script], cwd=workflow.folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    people = pd.read_csv(workflow.folder / "results/export/participants.csv").query("split == 'blocked'")
    for group, mean in people.groupby("group").e4Eda_shapley.mean().items():
        [found] = re.findall(rf"{group}\s+(-?[\d.]+(?:e-?\d+)?)", run.stdout)
        assert float(found) == pytest.approx(mean, abs=1e-5)
    windows = pd.read_csv(workflow.folder / "results/export/windows.csv").query("split == 'blocked'")
    right = (windows.truth == windows.predicted).groupby(windows.user).mean()
    values = people.set_index("user").e4Eda_shapley
    assert float(run.stdout.split()[-1]) == pytest.approx(values.corr(right, method="spearman"), abs=1e-5)


def test_names_of_spss_variables() -> None:
    assert spss_names(["a-b", "A_b", "1x", "ö"]) == ["a_b", "A_b_2", "v1x", "v"]
    long = spss_names(["x" * 100, "x" * 100])
    assert len(set(long)) == 2 and max(map(len, long)) <= 64


def test_models_of_an_earlier_configuration_are_not_exported(workflow: Workflow) -> None:
    folder = workflow.folder / "results/tension/blocked/predictions"
    (folder / "removed").mkdir()
    (folder / "removed/global.parquet").write_bytes((folder / "lda/global.parquet").read_bytes())
    assert "removed" not in set(load_run(workflow.folder / "results").predictions.predictor)


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no finished run"):
        load_run(tmp_path)
