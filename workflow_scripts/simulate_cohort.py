"""simulate_cohort: settings → raw recordings of simulated participants, planted truth."""

from pathlib import Path

from lifelog.logs import job_log
from lifelog.settings.windows import Simulation
from lifelog.windows.simulated import simulate_cohort

with job_log(snakemake):
    folders = {Path(folder).name: folder for folder in snakemake.output.folders}
    simulate_cohort(Simulation.from_params(snakemake.params.simulation), folders, snakemake.output.truth)
