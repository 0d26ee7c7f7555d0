"""plot_verdict: the comparisons of all targets and splits → one picture."""

import pandas as pd

from lifelog.config import Compare
from lifelog.logs import job_log
from lifelog.report.figures import plot_verdict

with job_log(snakemake.log[0], snakemake.input):
    settings = Compare(**snakemake.params.compare)
    frames = [pd.read_csv(path) for path in snakemake.input.comparisons]
    comparisons = dict(zip(snakemake.params.chapters, frames, strict=True))
    plot_verdict(comparisons, settings, snakemake.output.figure)
