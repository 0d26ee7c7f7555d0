"""A copy of the workflow in its own folder, as a user has it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ["Snakefile", "config.yaml", "rules", "workflow_scripts", "lifelog", "envs", "profiles", "presets"]
TINY = """
simulation: {users: 4, groups: 2, sessions: 3, minutes: 4, effect: 2.0}
splits: [{name: blocked, method: blocked}, {name: random, method: random, importance: false}]
groups: {random: 3}
mil: {epochs: 2, seeds: [0]}
predictors:
  - {name: lda}
  - {name: boosting, max_iter: 5, schemes: [global, importance]}
  - {name: lifelognet, epochs: 2, schemes: [global, importance]}
  - {name: windownet, epochs: 1, schemes: [global]}
  - {name: majority, schemes: [global]}
  - {name: nearest_minute, schemes: [global]}
  - {name: clock, schemes: [global]}
report: {title: "<script>alert(1)</script> & co"}
"""


SMALL = """
simulation: {users: 3, groups: 2, sessions: 3, minutes: 7, effect: 2.0}
splits: [{name: blocked, method: blocked}]
mil: {epochs: 2, seeds: [0]}
predictors: [{name: boosting, max_iter: 5, schemes: [global, importance]}, {name: majority, schemes: [global]}]
"""


class Workflow:
    """A copy of the workflow, and calls of snakemake in it."""

    def __init__(self, folder: Path, config: str = TINY) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for part in FILES:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, folder / part)
        (folder / "tiny.yaml").write_text(config)

    def start(self, *arguments: str, python_path: Path | None = None) -> subprocess.Popen[str]:
        """Start a call in the background, in its own process group."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        configfile = () if "--configfile" in arguments else ("--configfile", "tiny.yaml")
        cores = () if "--workflow-profile" in arguments else ("--cores", "2")
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *configfile, *cores, *arguments],
            cwd=self.folder,
            env=environment | ({"PYTHONPATH": str(python_path)} if python_path else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments: str, ok: bool = True, python_path: Path | None = None) -> str:
        run = self.start(*arguments, python_path=python_path)
        output, _ = run.communicate()
        assert (run.returncode == 0) == ok, output[-6000:]
        return output

    def rules(self, *arguments: str) -> dict[str, int]:
        """Return the number of jobs per rule that a dry run lists."""
        output = self("--dry-run", *arguments)
        table = output.partition("Job stats:")[2].partition("total")[0]
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}

    def outputs(self) -> dict[str, str]:
        """Return the digest of every output of a run, except those that hold times: logs, benchmarks, records, plan."""
        root = self.folder / "results"
        files = (path for path in sorted(root.rglob("*")) if path.is_file())
        named = {str(path.relative_to(root)): path for path in files}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in named.items()
            if not name.startswith(("logs/", "benchmarks/", "provenance/", "plan.json"))
        }
