"""plot_dag: rule graph of this run, from Snakemake → figure."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lifelog.logs import job_log
from lifelog.report.figures.dag import plot_dag, read_rulegraph
from lifelog.report.style import save

with job_log(snakemake), tempfile.NamedTemporaryFile("w", suffix=".json") as config:
    snakefile = str(Path(snakemake.scriptdir).parent / "Snakefile")
    json.dump(snakemake.params.config, config)
    config.flush()
    command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--nolock", "--cores", "1"]
    command += ["--configfile", config.name, "--rulegraph", "dot", "--", snakemake.params.target]
    graph = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    save(plot_dag(read_rulegraph(graph)), snakemake.output.figure)
