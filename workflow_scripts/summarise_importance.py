"""summarise_importance: results of all scenarios → table as CSV and Markdown, and curves."""

from pathlib import Path

from lifelog.files import read_json, write_text
from lifelog.logs import job_log
from lifelog.report.style import save
from lifelog.tables import write_csv
from lifelog.validation.curves import plot_validation
from lifelog.validation.importance import summarise_importance

with job_log(snakemake):
    table = summarise_importance({Path(path).stem: read_json(path) for path in snakemake.input.results})
    write_csv(table, snakemake.output.table)
    write_text(table.to_markdown(index=False, floatfmt=".2f") + "\n", snakemake.output.text)
    save(plot_validation(table), snakemake.output.curves)
