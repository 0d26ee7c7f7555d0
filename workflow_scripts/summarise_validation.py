"""summarise_validation: verdicts and recovery of all simulated cohorts → table as CSV and Markdown."""

from pathlib import Path

from lifelog.logs import job_log
from lifelog.tables import read_json, write_csv, write_text
from lifelog.validation.verdicts import markdown, summarise_validation

with job_log(snakemake.log[0], snakemake.input):
    table = summarise_validation({Path(path).stem: read_json(path) for path in snakemake.input.cohorts})
    write_csv(table, snakemake.output.table)
    write_text(markdown(table), snakemake.output.text)
