"""validate_cohort: settings of a simulated cohort → verdict and recovery of a run of the whole workflow on it."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lifelog.logs import job_log
from lifelog.tables import read_json, write_json

with job_log(snakemake.log[0], snakemake.input) as log, tempfile.NamedTemporaryFile("w", suffix=".json") as config:
    folder = str(Path(snakemake.output.cohort).with_suffix(""))
    cohort = {"layout": "simulated", "root": f"{folder}/raw"}
    json.dump({"results": folder, "cohort": cohort, "simulation": snakemake.params.simulation}, config)
    config.flush()
    targets = [f"{folder}/tension/blocked/{name}.json" for name in ("verdict", "recovery")]
    command = [sys.executable, "-m", "snakemake", "--snakefile", snakemake.params.snakefile, "--nolock"]
    command += ["--cores", str(snakemake.threads), "--configfile", snakemake.input.preset, config.name, "--", *targets]
    run = subprocess.run(command, capture_output=True, text=True)
    log.info("%s", run.stderr)
    run.check_returncode()
    write_json(dict(zip(("verdict", "recovery"), map(read_json, targets), strict=True)), snakemake.output.cohort)
