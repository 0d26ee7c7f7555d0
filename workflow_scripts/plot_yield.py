"""plot_yield: quality of all users → heatmap of the data yield."""

from lifelog.logs import job_log
from lifelog.report.figures.cohort import plot_yield
from lifelog.report.tables import yield_shares
from lifelog.tables import read_tables

with job_log(snakemake):
    quality = read_tables(snakemake.input.quality)
    plot_yield(yield_shares(quality, snakemake.params.modalities, snakemake.params.users), snakemake.output.figure)
