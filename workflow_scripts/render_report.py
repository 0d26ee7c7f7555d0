"""render_report: all tables and figures of a run → one page."""

from pathlib import Path

import pyarrow.parquet as pq

from lifelog.config import Config
from lifelog.logs import job_log
from lifelog.report.page import cohort_figures, read_chapter, render_report
from lifelog.report.tables import cohort_yield, fault_counts
from lifelog.windows.quality import read_quality

with job_log(snakemake.log[0]):
    config = Config(**snakemake.params.config)
    quality = read_quality(list(snakemake.input.quality))
    windows = {Path(path).stem: pq.read_metadata(path).num_rows for path in snakemake.input.windows}
    folders = [Path(path).parent for path in snakemake.input.comparisons]
    render_report(
        config,
        cohort_yield(quality, windows),
        fault_counts(quality),
        cohort_figures(Path(snakemake.input.cohort_figures[0]).parent),
        [read_chapter(folder, config, list(windows)) for folder in folders],
        snakemake.output.page,
    )
