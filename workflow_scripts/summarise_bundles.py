"""summarise_bundles: results of all lines → table as CSV and Markdown."""

from pathlib import Path

from lifelog.files import read_json, write_text
from lifelog.logs import job_log
from lifelog.tables import write_csv
from lifelog.validation.bundles import summarise_bundles

with job_log(snakemake):
    table = summarise_bundles({Path(path).stem: read_json(path) for path in snakemake.input.results})
    write_csv(table, snakemake.output.table)
    write_text(table.to_markdown(index=False, floatfmt=".3f"), snakemake.output.text)
