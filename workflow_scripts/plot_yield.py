"""plot_yield: quality of all users → the data yield as a heatmap."""

from lifelog.logs import job_log
from lifelog.report.figures import plot_yield
from lifelog.report.tables import yield_shares
from lifelog.windows.quality import read_quality

with job_log(snakemake.log[0]):
    quality = read_quality(list(snakemake.input.quality))
    plot_yield(yield_shares(quality, snakemake.params.modalities, snakemake.params.users), snakemake.output.figure)
