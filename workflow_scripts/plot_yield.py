"""plot_yield: quality of all users → heatmap of the data yield."""

from lifelog.logs import job_log
from lifelog.report.figures.cohort import plot_yield
from lifelog.report.style import save
from lifelog.report.tables import yield_shares
from lifelog.tables import read_tables

with job_log(snakemake):
    quality = read_tables(snakemake.input.quality)
    shares = yield_shares(quality, snakemake.params.modalities, snakemake.params.users)
    save(plot_yield(shares), snakemake.output.figure)
