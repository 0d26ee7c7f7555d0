"""The SLURM profile on a real SLURM installation (`make test-slurm`). Job states are read from SLURM, not Snakemake."""

from __future__ import annotations

import datetime
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, obstacle, run, wait_for
from tests.workflow import SMALL, Workflow

pytestmark = pytest.mark.slurm
PROFILE = (
    *("--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"),
    *("--latency-wait", "10"),
)
# torch cannot use the GPU of the test node: the networks are trained on the CPU of the node that holds the GPU.
GPU = ("--set-resources", "train_mil:gpu=1")
LOW_MEMORY = "train_mil:mem_mb=attempt * 350"  # too little for the first attempt to import torch


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = obstacle()
    if reason:
        pytest.skip(reason)
    cluster = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    cluster.start()
    yield cluster
    cluster.stop()


@dataclass(frozen=True)
class Finished:
    """A workflow after three calls, the cancelled job, the number of jobs of two calls, and the third one's output."""

    workflow: Workflow
    cancelled: str
    jobs: int
    third_output: str


@pytest.fixture(scope="module")
def finished(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Call the workflow three times: a job of the first call is cancelled, the second finishes, the third is idle."""
    workflow = Workflow(tmp_path_factory.mktemp("workflow"), SMALL)
    first = workflow.start(*PROFILE, *GPU, LOW_MEMORY, "--retries", "0")
    wait_for(lambda: cluster.running("rule_train_mil"), "a training job", 180)
    cancelled = cluster.running("rule_train_mil")[0]
    run("scancel", cancelled)
    output, _ = first.communicate()
    assert first.returncode != 0, output[-6000:]
    workflow(*PROFILE, *GPU, LOW_MEMORY)
    jobs = len(cluster.jobs())
    return Finished(workflow, cancelled, jobs, workflow(*PROFILE, *GPU, LOW_MEMORY))


def to_seconds(time: str) -> float:
    """Convert an ISO time to unix seconds."""
    return datetime.datetime.fromisoformat(time).timestamp()


def test_cancelled_job_is_repeated_by_the_next_call(cluster: Cluster, finished: Finished) -> None:
    assert [job["JobId"] for job in cluster.jobs() if job["JobState"] == "CANCELLED"] == [finished.cancelled]
    assert (finished.workflow.folder / "results/report.html").exists()


def test_gpu_jobs_never_overlap(cluster: Cluster, finished: Finished) -> None:
    jobs = [job for job in cluster.jobs() if "gpu" in job.get("TresPerJob", "")]
    assert {job["Partition"] for job in jobs} == {"gpu"} and {job["NodeList"] for job in jobs} == {"g1"}
    assert sum(job["JobState"] == "COMPLETED" for job in jobs) == 3  # one per user
    times = sorted((to_seconds(job["StartTime"]), to_seconds(job["EndTime"])) for job in jobs)
    assert all(end <= start for (_, end), (start, _) in pairwise(times))
    assert {job["Partition"] for job in cluster.jobs() if "TresPerJob" not in job} == {"cpu"}


def test_job_that_exceeds_its_memory_is_repeated_with_more(cluster: Cluster, finished: Finished) -> None:
    by_memory: dict[str, list[str]] = {}
    for job in cluster.jobs():
        if "train_mil" in job["Comment"] and job["JobId"] != finished.cancelled:
            by_memory.setdefault(job["MinMemoryNode"], []).append(job["JobState"])
    assert len(by_memory) >= 2, by_memory
    assert set(by_memory["350M"]) <= {"FAILED", "OUT_OF_MEMORY"}
    assert sum(states.count("COMPLETED") for states in by_memory.values()) == 3


def test_first_steps_and_report_are_one_job_each(cluster: Cluster, finished: Finished) -> None:
    comments = [job["Comment"] for job in cluster.jobs()]
    assert len([comment for comment in comments if "rule_users" in comment]) == 1
    assert len([comment for comment in comments if "report" in comment]) == 1


def test_results_are_identical_to_those_of_a_local_run(finished: Finished, tmp_path: Path) -> None:
    local = Workflow(tmp_path, SMALL)
    local()
    assert finished.workflow.outputs() == local.outputs()


def test_call_with_nothing_to_do_submits_no_job(cluster: Cluster, finished: Finished) -> None:
    assert "Nothing to be done" in finished.third_output
    assert len(cluster.jobs()) == finished.jobs


def test_print_job_statistics(cluster: Cluster, finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    """Print waiting times, durations and states of the jobs; nothing is checked."""
    jobs = cluster.jobs()
    waiting = [to_seconds(job["StartTime"]) - to_seconds(job["SubmitTime"]) for job in jobs]
    running = [to_seconds(job["EndTime"]) - to_seconds(job["StartTime"]) for job in jobs]
    first, last = min(to_seconds(job["SubmitTime"]) for job in jobs), max(to_seconds(job["EndTime"]) for job in jobs)
    with capsys.disabled():
        print(
            f"\n{len(jobs)} SLURM jobs in {last - first:.0f} s; waiting time {sum(waiting) / len(jobs):.1f} s (mean), "
            f"{max(waiting):.0f} s (maximum); duration {sum(running) / len(jobs):.1f} s (mean); "
            f"{dict(Counter(job['JobState'] for job in jobs))}"
        )
    shutil.rmtree(finished.workflow.folder, ignore_errors=True)
