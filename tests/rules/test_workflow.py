"""The real DAG on a tiny cohort, in a copy of the workflow: targets, reruns, refusals, and outputs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from lifelog.groups.read import read_groups
from tests.workflow import ROOT, SMALL, Workflow


def test_the_chain_of_one_user(tmp_path: Path) -> None:
    jobs = Workflow(tmp_path).rules("results/tension/blocked/mil/102/seed-0.safetensors")
    assert jobs == {
        "simulate_cohort": 1,
        "extract_windows": 1,
        "extract_features": 1,
        "assign_splits": 1,
        "train_mil": 1,
    }


def test_a_second_call_does_nothing(workflow: Workflow) -> None:
    assert "Nothing to be done" in workflow("--dry-run")


# By change: the first rule that is rerun, and rules that are not.
CHANGES = {
    "predictors=[{name: lda, schemes: [global, importance]}]": ("compare_predictors", {"train_predictors"}),
    "groups={k: 2}": ("score_groups", {"train_mil", "extract_windows"}),
    "compare={margin: 0.05}": ("compare_predictors", {"train_predictors", "train_fast", "group_users"}),
    "report={title: other}": ("render_report", {"compare_predictors", "plot_importance"}),
    "mil={epochs: 3}": ("train_mil", {"extract_windows", "assign_splits", "extract_features"}),
    "windows={coverage: 0.9}": ("extract_windows", {"simulate_cohort"}),
    "windows={standardise: none}": ("train_mil", {"extract_windows", "extract_features", "assign_splits"}),
    "cohort={timezone: UTC}": ("render_report", {"extract_windows", "plot_importance"}),
    "tsne={perplexity: 5}": ("embed_importance", {"score_groups", "group_users", "train_fast_groups"}),
}


@pytest.fixture(scope="module")
def reruns(workflow: Workflow) -> dict[str, dict[str, int]]:
    """The jobs of a dry run after each change; two dry runs at a time."""
    with ThreadPoolExecutor(2) as pool:
        jobs = pool.map(lambda change: workflow.rules("--config", change), CHANGES)
        return dict(zip(CHANGES, jobs, strict=True))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_config_reruns_the_dependent_rules(reruns: dict[str, dict[str, int]], change: str) -> None:
    first, untouched = CHANGES[change]
    # The figure of the rules depends on the whole configuration.
    jobs = set(reruns[change]) - {"all", "plot_dag"}
    assert first in jobs and "render_report" in jobs
    assert not jobs & untouched


def test_other_groups_rerun_no_other_scheme(reruns: dict[str, dict[str, int]]) -> None:
    """Five schemes depend on the number of groups; lda has all of them, boosting and lifelognet one."""
    jobs = reruns["groups={k: 2}"]
    assert jobs["group_users"] == 5 and jobs["train_fast_groups"] == 1 and jobs["train_predictors"] == 2
    assert "train_fast" not in jobs
    assert "embed_importance" not in jobs


def test_more_random_groupings_rerun_no_other_grouping(workflow: Workflow) -> None:
    jobs = workflow.rules("--config", "groups={random: 5}")
    assert jobs["group_users"] == 1 and jobs["train_fast_groups"] == 1
    assert not {"score_groups", "train_mil", "train_fast", "train_predictors"} & set(jobs)


def test_a_split_without_importance_has_no_networks_and_no_groups(workflow: Workflow) -> None:
    jobs = workflow.rules("results/positive/random/predictions/lda/global.parquet")
    assert jobs["train_fast"] == 1
    assert not {"train_mil", "estimate_shapley", "group_users"} & set(jobs)
    output = workflow("--dry-run", "results/tension/random/groups/importance.csv", ok=False)
    assert "random has `importance: false`" in output
    folder = workflow.folder / "results/tension"
    assert {path.name for path in (folder / "random").iterdir()} >= {"predictions", "comparison.csv", "verdict.json"}
    assert not (folder / "random/mil").exists()
    # Under the blocked split every window is tested, under the random one a fifth.
    tables = [pd.read_parquet(folder / s / "predictions/lda/global.parquet") for s in ("blocked", "random")]
    assert len(tables[0]) > 3 * len(tables[1])


def test_the_preview_shows_importance_without_any_network(workflow: Workflow) -> None:
    assert set(workflow.rules("preview")) == {"preview_importance", "preview"}  # all else is there already
    workflow("preview")
    page = (workflow.folder / "results/preview.html").read_text()
    row = re.search(r"<tr><td>101</td>(<td class=\"n\">.*?)</tr>", page)
    values = pd.read_csv(workflow.folder / "results/tension/blocked/shapley.csv", dtype={"user": str})
    own = values[values.user == "101"]
    assert row and row[1].count("<td class") == len(own) and row[1].count("*") == (own.low > 0).sum()
    assert "<td>e4Eda, e4Temp</td>" in row[1]


def test_another_seed_trains_only_that_seed(workflow: Workflow) -> None:
    assert workflow.rules("--config", "mil={seeds: [0, 1]}")["train_mil"] == 4


def test_every_label_is_a_window_or_has_a_reason(workflow: Workflow) -> None:
    raw, results = workflow.folder / "resources/simulated", workflow.folder / "results"
    for folder in raw.iterdir():
        labelled = sum(len(pd.read_csv(path)) for path in folder.glob("*/*_label.csv"))
        quality = pd.read_parquet(results / "quality" / f"{folder.name}.parquet")
        windows = pd.read_parquet(results / "windows" / f"{folder.name}.parquet", columns=["start"])
        assert labelled == len(windows) + (quality.kind == "label").sum()


def test_figures_are_files_and_every_job_has_log_and_benchmark(workflow: Workflow) -> None:
    results = workflow.folder / "results"
    figures = list(results.glob("tension/*/figures/**/*.svg")) + list(results.glob("figures/*.svg"))
    # Figures: three of the cohort, fourteen of the blocked split, two of each user, and six of the random split.
    assert len(figures) == 3 + 14 + 2 * 4 + 6 and all("<svg" in path.read_text() for path in figures)
    assert all(len(pd.read_csv(path.with_suffix(".csv"))) for path in figures)
    logs = {p.relative_to(results / "logs").with_suffix("") for p in (results / "logs").rglob("*.log")}
    times = {p.relative_to(results / "benchmarks").with_suffix("") for p in (results / "benchmarks").rglob("*.tsv")}
    assert logs == times and len(logs) > 40
    assert not list(results.rglob("*.part")) and not list(results.rglob("*.pkl"))


def test_the_report_and_the_graph_of_snakemake(workflow: Workflow) -> None:
    workflow("--report", "own.html")
    assert "Importance" in (workflow.folder / "own.html").read_text()
    assert "train_mil" in workflow("--rulegraph", "dot")


def test_the_groups_of_the_cluster_profile_are_valid(workflow: Workflow) -> None:
    """A rule between two others of a group must be in it; Snakemake checks that without a cluster too."""
    output = workflow("--dry-run", "--forceall", "--workflow-profile", "profiles/slurm")
    assert "render_report" in output


def test_two_results_folders_side_by_side(workflow: Workflow) -> None:
    path = "windows/101.parquet"
    workflow(f"second/{path}", "--config", "results=second")
    second = workflow.folder / "second"
    assert (second / "logs/extract_windows/101.log").stat().st_size
    assert (second / path).read_bytes() == (workflow.folder / "results" / path).read_bytes()
    assert {entry.name for entry in second.iterdir()} == {"windows", "quality", "logs", "benchmarks", "provenance"}


@pytest.mark.skipif(sys.platform != "linux", reason="scripts are forked on Linux only")
def test_scripts_are_forked_from_one_process(workflow: Workflow, tmp_path: Path) -> None:
    """Which Python processes are started: none per script."""
    started = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nwith open({str(started)!r}, 'a') as file:\n    print(*sys.orig_argv, file=file)\n"
    )
    targets = [f"forked/quality/{user}.parquet" for user in ("101", "102")]
    workflow(*targets, "--config", "results=forked", python_path=tmp_path)
    lines = started.read_text()
    assert lines.count("lifelog.forkserver") == 1 and "/scripts/" not in lines, lines


def test_a_job_runs_under_the_debugger(workflow: Workflow) -> None:
    """The command of CONTRIBUTING.md, with another target."""
    (command,) = re.findall(r"^LIFELOG_DEBUG=1 snakemake (.*)$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    arguments = [arg if "/" not in arg else "debugged/quality/101.parquet" for arg in command.split()]
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--configfile", "tiny.yaml", "--config", "results=debugged"],
        cwd=workflow.folder,
        env=os.environ | {"LIFELOG_DEBUG": "1"},
        input="p snakemake.wildcards.user\ncontinue\n",
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "-> extract_windows(" in run.stdout and "(Pdb) '101'" in run.stdout
    assert (workflow.folder / "debugged/quality/101.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "mli={}"], "mli: unknown key; did you mean 'mil'?"),
        (["--config", "mil={batch_size: 1}"], "mil.batch_size: got '1'; input should be greater than or equal to 2"),
        (["--config", "cohort={layout: etri, root: nowhere}"], "there is no folder 'nowhere'"),
        (["--config", "cohort={users: [199]}"], "no user '199'"),
        (["--config", "groups={algorithm: ward}"], "allowed: 'mixture', 'kmeans' or 'agglomerative'"),
    ],
)
def test_a_wrong_config_stops_before_any_job(workflow: Workflow, arguments: list[str], message: str) -> None:
    output = workflow("--dry-run", *arguments, ok=False)
    assert message in output
    assert "Traceback" not in output


def test_unusable_users_are_excluded_with_their_reason(workflow: Workflow) -> None:
    """One has one class, one has no data; the run includes all others, and the report names both."""
    made = Workflow(workflow.folder.parent / "one-class", SMALL)
    shutil.copytree(workflow.folder / "resources/simulated", made.folder / "raw")
    for path in (made.folder / "raw/103").glob("*/*_label.csv"):
        frame = pd.read_csv(path)
        frame.assign(emotionTension=1).to_csv(path, index=False)
    (made.folder / "raw/105").mkdir()
    made("--config", "cohort={layout: etri, root: raw}")
    text = re.sub(r'<a class="term"[^>]*>(.*?)</a>', r"\1", (made.folder / "results/report.html").read_text())
    assert re.search(
        r"Excluded:</strong>\s*participant 103 \(one class only: all \d+ windows are &#39;low&#39;\)", text
    )
    assert "participant 105 (too few windows: 0 with a label in a bin" in text
    groups = pd.read_csv(made.folder / "results/tension/blocked/groups/importance.csv")
    assert set(groups.user) == {101, 102, 104}


PUBLISHED = """
cohort: {layout: simulated, root: resources/simulated}
simulation: {users: 6, groups: 2, sessions: 3, minutes: 5, missing: 0}
mil: {epochs: 2}
schemes: [global, importance]
predictors: [{name: lifelognet, epochs: 2, batch_size: 4096}, {name: majority, schemes: [global]}]
"""


def test_the_study_as_published_on_a_small_cohort(tmp_path: Path) -> None:
    made = Workflow(tmp_path)
    (made.folder / "tiny.yaml").write_text(PUBLISHED)
    made("--configfile", "presets/published.yaml", "tiny.yaml")
    results = made.folder / "results-published/tension/random"
    about = json.loads((results / "mil/101/seed-0.json").read_text())
    assert about["mil"]["attention"] == "published" and about["standardise"] == "none"
    assert set(about["classes"]) <= set("1234567")  # the user's own levels
    windows = pd.read_parquet(made.folder / "results-published/windows/101.parquet")
    # Latitude, longitude and accuracy, of which the MIL network sees the mean, and LifeLogNet the first two.
    assert windows.mGps.map(len).eq(3).all() and windows.e4Hr.map(len).eq(1).all()
    scores = pd.read_csv(results / "groups/scores.csv")
    assert scores[scores.chosen][["algorithm", "k"]].to_numpy().tolist() == [["agglomerative", 5]]
    assert "published_f1" in pd.read_csv(results / "comparison.csv").metric.to_list()
    page = (made.folder / "results-published/report.html").read_text()
    assert "Comparison with the figures printed in the study" in page and "printed 0.8515" in page
    assert "These recordings are simulated" in page


def test_new_participants_are_tested_by_models_of_others_and_of_their_group(workflow: Workflow) -> None:
    """The importance of the first split forms the groups; a tested participant is in no training."""
    splits = "splits=[{name: blocked, method: blocked}, {name: new, method: participants, folds: 2}]"
    folder = workflow.folder / "results/tension/new"
    seen = "results/tension/new/predictions/windownet/global.parquet"
    workflow(seen, "results/tension/new/verdict.json", "--config", splits)
    assert not (folder / "mil").exists() and not (folder / "shapley").exists()
    groups = read_groups(folder / "groups/importance.csv")
    assert groups.groupby("fold").user.nunique().to_dict() == {1: 4, 2: 4}
    for path in sorted((folder / "predictions").glob("*/*.parquet")):
        table = pd.read_parquet(path)
        assert table.user.nunique() == 4 and table.groupby("user").fold.nunique().eq(1).all(), path
        assert path.stem in ("global", "importance", "random")
    output = workflow("--dry-run", "results/tension/new/groups/raw.csv", "--config", splits, ok=False)
    assert "new has `importance: false`" in output
    shutil.rmtree(folder)  # other tests compare the results of the run with its configuration


def test_new_participants_alone_are_reported_without_importance_and_a_later_change_of_the_plan_is_named(
    workflow: Workflow,
) -> None:
    people = "splits=[{name: people, method: participants, folds: 2, fast: true}]"
    workflow("--config", "results=alone", people)
    page = (workflow.folder / "alone/report.html").read_text()
    assert "have not changed since the first verdict" in page
    verdict = json.loads((workflow.folder / "alone/tension/people/verdict.json").read_text())
    assert verdict["headline"].startswith("One model of all participants (lda): AUROC") and not verdict["findings"]
    assert workflow.rules("--config", "results=alone", people) == {}
    workflow("--config", "results=alone", people, "compare={margin: 0.05}")
    assert "changed after the first verdict" in (workflow.folder / "alone/report.html").read_text()
    shutil.rmtree(workflow.folder / "alone")
