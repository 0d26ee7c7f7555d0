"""Planning of the workflow: a dry run, and a call that has nothing to do."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from benchmarks.timing import seconds

ROOT = Path(__file__).parents[1]
SNAKEMAKE = (sys.executable, "-m", "snakemake")
# As many jobs and files per participant as the default run has, with nothing else.
EMPTY = """
USERS = [str(user) for user in range({users})]


rule all:
    input: expand("r5-{{user}}.a", user=USERS), expand("r5-{{user}}.b", user=USERS)


rule r0:
    output: "r0-{{user}}.a", "r0-{{user}}.b"
    shell: "touch {{output}}"
"""
STEP = """

rule r{n}:
    input: "r{before}-{{user}}.a", "r{before}-{{user}}.b"
    output: "r{n}-{{user}}.a", "r{n}-{{user}}.b"
    shell: "touch {{output}}"
"""

# The workflow, with records of all jobs as if they had run.
RECORDED = """
include: "{snakefile}"


onstart:
    from lifelog.records import write_record

    for job in workflow.dag.jobs:
        if job.output:
            made = dict(job.params.items()), job.input, job.output
            write_record(CONFIG.results, job.rule.name, job.wildcards_dict, *made)
"""


def plan(workflow: Literal["lifelog", "empty"], users: int, finished: bool = False) -> dict[str, float]:
    """Dry-run the default workflow, or an empty one with six jobs per participant; `finished`: with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        if workflow == "lifelog":
            snakefile = ROOT / "Snakefile"
            if finished:
                snakefile = Path(folder, "Snakefile")
                snakefile.write_text(RECORDED.format(snakefile=ROOT / "Snakefile"))
            call = ["--snakefile", str(snakefile), "--configfile", str(ROOT / "config.yaml")]
            call += ["--config", f"simulation={{users: {users}}}", "--", "all"]
        else:
            steps = (STEP.format(n=n, before=n - 1) for n in range(1, 6))
            Path(folder, "Snakefile").write_text(EMPTY.format(users=users) + "".join(steps))
            call = []
        if finished:
            _touch(Path(folder), call)
        return {"s": seconds(lambda: _snakemake(folder, "--dry-run", "--quiet=all", *call))}


def _touch(folder: Path, call: list[str]) -> None:
    """Create every output of a workflow as an empty file, and record it as made by the present rules."""
    table = _snakemake(folder, "--summary", *call)
    for line in table.splitlines()[1:]:
        path = folder / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix or path.parent.name in ("logs", "benchmarks"):
            path.touch()
        else:
            path.mkdir(exist_ok=True)
    # Its last step, a summary of the verdict, fails, since that file is empty; by then, all outputs are recorded.
    subprocess.run([*SNAKEMAKE, "--cores", "1", "--touch", *call], cwd=folder, capture_output=True)
    if "Nothing to be done" not in _snakemake(folder, "--dry-run", *call):
        sys.exit("the outputs were not recorded")


def _snakemake(folder: str | Path, *arguments: str) -> str:
    done = subprocess.run([*SNAKEMAKE, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout
