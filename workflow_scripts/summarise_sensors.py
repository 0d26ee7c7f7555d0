"""summarise_sensors: results of all lines → table as CSV and Markdown."""

from pathlib import Path

from lifelog.files import read_json, write_text
from lifelog.logs import job_log
from lifelog.tables import write_csv
from lifelog.validation.scenarios import SENSOR_LINES
from lifelog.validation.sensors import summarise_sensors

with job_log(snakemake):
    results = {Path(path).stem: read_json(path) for path in snakemake.input.results}
    table = summarise_sensors(results, {line: planted for line, (_, planted) in SENSOR_LINES.items()})
    write_csv(table, snakemake.output.table)
    write_text(table.to_markdown(index=False, floatfmt=".3f"), snakemake.output.text)
