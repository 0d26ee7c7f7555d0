"""The workflow as a module of another workflow."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from tests.workflow import SMALL, Workflow

OUTER = """
import yaml

module lifelog:
    snakefile: "{snakefile}"
    config: yaml.safe_load(open("lifelog.yaml"))

use rule * from lifelog as lifelog_*

rule count:
    default_target: True
    input: "results/tension/blocked/importance/101.parquet"
    output: "count.txt"
    shell: "ls {{input}} | wc -l > {{output}}"
"""


def test_another_workflow_runs_this_one_as_a_module(tmp_path: Path) -> None:
    inner, outer = Workflow(tmp_path / "inner"), tmp_path / "outer"
    outer.mkdir()
    (outer / "Snakefile").write_text(OUTER.format(snakefile=inner.folder / "Snakefile"))
    (outer / "lifelog.yaml").write_text(SMALL)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "count", "results/figures/dag.svg"]
    done = subprocess.run(command, cwd=outer, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "lifelog_train_mil" in done.stderr
    assert int((outer / "count.txt").read_text()) == 1
    assert "train_mil" in set(pd.read_csv(outer / "results/figures/dag.csv").rule)
    assert not (inner.folder / "results").exists()
