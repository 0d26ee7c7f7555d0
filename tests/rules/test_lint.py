"""Linting of the workflow: its own check of names, and Snakemake's where only Snakemake is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.rules.lint import lint
from tests.workflow import ROOT

# `snakemake --lint` with what Snakemake itself installs, and numpy, as the workflow catalog calls it.
PLAIN = """
import sys
from snakemake.cli import main
sys.modules |= dict.fromkeys(("fastavro", "pandas", "pyarrow", "safetensors", "scipy", "sklearn", "torch"))
sys.argv[1:] = ["--lint"]
main()
"""


def test_unused_and_undefined_and_twice_assigned_names_are_found(tmp_path: Path) -> None:
    first, second = tmp_path / "first.smk", tmp_path / "second.smk"
    first.write_text("import os\nimport re\nimport sys\n\nUSED = sys.path\nTWICE = 1\n")
    second.write_text("TWICE = 2\n\nrule a:\n    input:\n        os.path.join(USED, expand('x')),\n        missing,\n")
    found = [line.removeprefix(f"{tmp_path}/") for line in lint([first, second])]
    assert found[0] == f"second.smk: TWICE is also assigned in {first}"
    assert [re.sub(r" \(.*", "", line) for line in found[1:]] == [
        "first.smk:2: F401 `re` imported but unused",
        "second.smk:6: F821 Undefined name `missing`",
    ]


def test_snakemake_lints_the_workflow_without_the_other_packages() -> None:
    run = subprocess.run([sys.executable, "-c", PLAIN], cwd=ROOT, capture_output=True, text=True)
    assert "in a good condition" in run.stderr, run.stderr
