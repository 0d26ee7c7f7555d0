"""render_report: all tables and figures of a run → one HTML page, the answers, the model card, the literature."""

from pathlib import Path

from lifelog.config import Config
from lifelog.files import write_text
from lifelog.logs import job_log
from lifelog.report.chapter import read_chapter, read_run
from lifelog.report.render import render_report

with job_log(snakemake):
    params, results = snakemake.params, Path(snakemake.output.page).parent
    config = Config.from_params(params.config)
    chapters = [read_chapter(results, config, chapter, params.users) for chapter in params.chapters]
    report = render_report(config, read_run(results, config, params.users), chapters)
    write_text(report.page, snakemake.output.page)
    write_text(report.answers, snakemake.output.answers)
    write_text(report.card, snakemake.output.card)
    write_text(report.bibliography, snakemake.output.bibliography)
