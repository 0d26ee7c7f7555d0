"""The profile for SLURM, on a real SLURM: `make test-slurm`. What happened is asked of SLURM, not of Snakemake."""

from __future__ import annotations

import datetime
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, missing, run, wait_for
from tests.workflow import SMALL, Workflow

pytestmark = pytest.mark.slurm
PROFILE = (
    *("--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"),
    *("--latency-wait", "10"),
)
# No torch here sees a GPU: the networks are trained on the CPU of the node whose GPU they hold.
GPU = ("--set-resources", "train_mil:gpu=1")
HUNGRY = "extract_importance:mem_mb=attempt * 350"  # the first attempt cannot even load torch


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    made = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def workflow(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The workflow after three calls: one that loses a job, one that ends the work, one with nothing left to do."""
    made = Workflow(tmp_path_factory.mktemp("workflow"), SMALL)
    calls = [made.start(*PROFILE, *GPU, HUNGRY, "--retries", "0")]
    wait_for(lambda: cluster.running("rule_train_mil"), "a network is trained", 180)
    run("scancel", cluster.running("rule_train_mil")[0])
    made.first = calls[0].communicate()[0]
    assert calls[0].returncode != 0
    made.second = made(*PROFILE, *GPU, HUNGRY)
    made.jobs = len(cluster.jobs())
    made.third = made(*PROFILE, *GPU, HUNGRY)
    return made


def seconds(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def test_a_cancelled_job_is_made_up_for_by_the_next_call(cluster: Cluster, workflow: Workflow) -> None:
    assert [job["JobState"] for job in cluster.jobs()].count("CANCELLED") == 1
    assert (workflow.folder / "results/report.html").exists()


def test_jobs_on_one_gpu_never_overlap(cluster: Cluster, workflow: Workflow) -> None:
    jobs = [job for job in cluster.jobs() if "gpu" in job.get("TresPerJob", "")]
    assert {job["Partition"] for job in jobs} == {"gpu"} and {job["NodeList"] for job in jobs} == {"g1"}
    assert sum(job["JobState"] == "COMPLETED" for job in jobs) == 3  # one a person
    times = sorted((seconds(job["StartTime"]), seconds(job["EndTime"])) for job in jobs)
    assert all(end <= start for (_, end), (start, _) in pairwise(times))
    assert {job["Partition"] for job in cluster.jobs() if "TresPerJob" not in job} == {"cpu"}


def test_a_job_above_its_memory_is_tried_again_with_more(cluster: Cluster, workflow: Workflow) -> None:
    by_memory = {}
    for job in cluster.jobs():
        if "extract_importance" in job["Comment"]:
            by_memory.setdefault(job["MinMemoryNode"], []).append(job["JobState"])
    assert len(by_memory) >= 2, by_memory
    assert set(by_memory["350M"]) <= {"FAILED", "OUT_OF_MEMORY"}
    assert sum(states.count("COMPLETED") for states in by_memory.values()) == 3


def test_people_go_together_and_the_report_is_one_job(cluster: Cluster, workflow: Workflow) -> None:
    comments = [job["Comment"] for job in cluster.jobs()]
    assert len([text for text in comments if "rule_people" in text]) == 1
    assert len([text for text in comments if "report" in text]) == 1


def test_results_are_those_of_a_local_run_to_the_byte(workflow: Workflow, tmp_path: Path) -> None:
    local = Workflow(tmp_path, SMALL)
    local()
    assert workflow.outputs() == local.outputs()


def test_a_call_with_nothing_to_do_submits_nothing(cluster: Cluster, workflow: Workflow) -> None:
    assert "Nothing to be done" in workflow.third
    assert len(cluster.jobs()) == workflow.jobs


def test_figures_of_this_run(cluster: Cluster, workflow: Workflow, capsys: pytest.CaptureFixture[str]) -> None:
    """Not a check: what it took, for those who look (`make test-slurm` shows it)."""
    jobs = cluster.jobs()
    waits = [seconds(job["StartTime"]) - seconds(job["SubmitTime"]) for job in jobs]
    taken = [seconds(job["EndTime"]) - seconds(job["StartTime"]) for job in jobs]
    first, last = min(seconds(job["SubmitTime"]) for job in jobs), max(seconds(job["EndTime"]) for job in jobs)
    with capsys.disabled():
        print(
            f"\n{len(jobs)} SLURM jobs in {last - first:.0f} s; waiting {sum(waits) / len(jobs):.1f} s in mean, "
            f"{max(waits):.0f} at most; running {sum(taken) / len(jobs):.1f} s in mean; "
            f"{dict(Counter(job['JobState'] for job in jobs))}"
        )
    shutil.rmtree(workflow.folder, ignore_errors=True)
