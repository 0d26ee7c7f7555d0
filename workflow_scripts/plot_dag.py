"""plot_dag: asks Snakemake for the graph of the rules of this run, and draws it."""

import json
import subprocess
import sys
import tempfile

from lifelog.logs import job_log
from lifelog.report.dag import read_rulegraph
from lifelog.report.figures import plot_dag

with job_log(snakemake.log[0], snakemake.input), tempfile.NamedTemporaryFile("w", suffix=".json") as config:
    json.dump(snakemake.params.config, config)
    config.flush()
    command = [sys.executable, "-m", "snakemake", "--snakefile", snakemake.params.snakefile, "--nolock", "--cores", "1"]
    command += ["--configfile", config.name, "--rulegraph", "dot", "--", snakemake.params.target]
    graph = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    plot_dag(read_rulegraph(graph), snakemake.output.figure)
