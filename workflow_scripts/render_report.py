"""render_report: all tables and figures of a run → one page."""

from pathlib import Path

from lifelog.config import Config
from lifelog.logs import job_log
from lifelog.report.render import cohort_figures, read_chapter, render_report
from lifelog.report.tables import cohort_yield, fault_counts
from lifelog.tables import read_tables
from lifelog.windows.read import read_labels

with job_log(snakemake.log[0], snakemake.input):
    config = Config(**snakemake.params.config)
    quality = read_tables(snakemake.input.quality)
    starts = {Path(path).stem: read_labels(path).start for path in snakemake.input.windows}
    folders = [Path(path).parent for path in snakemake.input.comparisons]
    render_report(
        config,
        cohort_yield(quality, starts, config.cohort.timezone),
        fault_counts(quality),
        cohort_figures(Path(snakemake.input.cohort_figures[0]).parent),
        [read_chapter(folder, config, list(starts)) for folder in folders],
        snakemake.output.page,
    )
