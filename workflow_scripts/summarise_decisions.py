"""summarise_decisions: results of all lines → table as CSV and Markdown."""

from pathlib import Path

from lifelog.files import read_json, write_text
from lifelog.logs import job_log
from lifelog.tables import write_csv
from lifelog.validation.decisions import summarise_decisions

with job_log(snakemake):
    table = summarise_decisions({Path(path).stem: read_json(path) for path in snakemake.input.results})
    write_csv(table, snakemake.output.table)
    write_text(table.to_markdown(index=False, floatfmt=".2f") + "\n", snakemake.output.text)
