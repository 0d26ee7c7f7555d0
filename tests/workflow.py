"""The workflow in a folder of its own, as a user has it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ["Snakefile", "config.yaml", "rules", "workflow_scripts", "lifelog", "envs", "profiles", "presets"]
TINY = """
simulation: {users: 4, groups: 2, sessions: 3, minutes: 4, effect: 2.0}
splits: [{name: blocked, method: blocked}, {name: users, method: users, within: blocked}]
mil: {epochs: 2, seeds: [0]}
predictors:
  - {name: boosting, max_iter: 5}
  - {name: lifelognet, epochs: 2, schemes: [global, importance]}
  - {name: windownet, epochs: 1, schemes: [global]}
  - {name: majority, schemes: [global]}
  - {name: nearest_minute, schemes: [global]}
  - {name: clock, schemes: [global]}
compare: {bootstrap: 100}
report: {title: "<script>alert(1)</script> & co"}
"""


SMALL = """
simulation: {users: 3, groups: 2, sessions: 3, minutes: 7, effect: 2.0}
splits: [{name: blocked, method: blocked}]
mil: {epochs: 2, seeds: [0]}
predictors: [{name: boosting, max_iter: 5, schemes: [global, importance]}, {name: majority, schemes: [global]}]
compare: {bootstrap: 100}
"""


class Workflow:
    """A checkout of its own, with snakemake to call in it."""

    def __init__(self, folder: Path, config: str = TINY) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, folder / part)
        (folder / "tiny.yaml").write_text(config)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A call that goes on by itself, in a process group of its own."""
        configfile = () if "--configfile" in arguments else ("--configfile", "tiny.yaml")
        cores = () if "--workflow-profile" in arguments else ("--cores", "2")
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *configfile, *cores, *arguments],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments: str, ok: bool = True) -> str:
        run = self.start(*arguments)
        said, _ = run.communicate()
        assert (run.returncode == 0) == ok, said[-6000:]
        return said

    def rules(self, *arguments: str) -> dict[str, int]:
        """Jobs a rule that a dry run would start."""
        said = self("--dry-run", *arguments)
        table = said.partition("Job stats:")[2].partition("total")[0]
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}

    def outputs(self) -> dict[str, str]:
        """Digest of every file that a run made, but for logs and times."""
        root = self.folder / "results"
        files = (path for path in sorted(root.rglob("*")) if path.is_file())
        named = {str(path.relative_to(root)): path for path in files}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in named.items()
            if not name.startswith(("logs/", "benchmarks/"))
        }
