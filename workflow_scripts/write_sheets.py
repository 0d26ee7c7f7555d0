"""write_sheets: all tables and figures of the primary chapter → a page per participant to hand out."""

from pathlib import Path

from lifelog.config import Config
from lifelog.files import write_text
from lifelog.logs import job_log
from lifelog.report.chapter import read_chapter, read_run
from lifelog.report.sheet import write_sheet

with job_log(snakemake):
    params, folder = snakemake.params, Path(snakemake.output.sheets)
    config, results = Config.from_params(params.config), folder.parent
    run = read_run(results, config, params.users)
    chapter = read_chapter(results, config, params.chapter, params.users)
    for user in params.users:
        write_text(write_sheet(config, run, chapter, user), folder / f"{user}.html")
