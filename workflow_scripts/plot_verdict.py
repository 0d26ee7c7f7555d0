"""plot_verdict: comparisons of all targets and splits → one figure."""

import pandas as pd

from lifelog.logs import job_log
from lifelog.report.figures.comparison import plot_verdict
from lifelog.report.style import save
from lifelog.settings.compare import Compare

with job_log(snakemake):
    frames = [pd.read_csv(path) for path in snakemake.input.comparisons]
    titles = [chapter.replace("/", ", ") for chapter in snakemake.params.chapters]
    comparisons = dict(zip(titles, frames, strict=True))
    save(plot_verdict(comparisons, Compare.from_params(snakemake.params.compare)), snakemake.output.figure)
