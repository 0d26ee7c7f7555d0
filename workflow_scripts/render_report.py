"""render_report: all tables and figures of a run → one HTML page."""

from pathlib import Path

from lifelog.config import Config
from lifelog.logs import job_log
from lifelog.report.chapter import read_chapter, run_figures
from lifelog.report.render import render_report
from lifelog.report.tables import cohort_yield, problem_counts
from lifelog.tables import read_tables
from lifelog.windows.read import read_labels

with job_log(snakemake):
    config = Config.from_params(snakemake.params.config)
    quality = read_tables(snakemake.input.quality)
    starts = {Path(path).stem: read_labels(path).start for path in snakemake.input.windows}
    results = Path(snakemake.output.page).parent
    render_report(
        config,
        cohort_yield(quality, starts, config.cohort.zone, config.windows.seconds),
        problem_counts(quality),
        run_figures(results / "figures", config),
        [read_chapter(results / chapter, config, list(starts)) for chapter in snakemake.params.chapters],
        snakemake.output.page,
        snakemake.output.card,
    )
