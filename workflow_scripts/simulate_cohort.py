"""simulate_cohort: settings → raw recordings of every person, and the truth beside them."""

from pathlib import Path

from lifelog.config import Simulation
from lifelog.logs import job_log
from lifelog.windows.simulated import simulate_cohort

with job_log(snakemake.log[0], snakemake.input):
    folders = {Path(folder).name: folder for folder in snakemake.output.folders}
    simulate_cohort(Simulation(**snakemake.params.simulation), folders, snakemake.output.truth)
