"""score: scored windows of all users → a summary, and a figure over days."""

import pandas as pd

from lifelog.files import read_json
from lifelog.logs import job_log
from lifelog.report.figures.score import plot_scored, scored_days
from lifelog.report.style import save
from lifelog.tables import read_notes, read_tables, write_csv

with job_log(snakemake) as log:
    inputs, zones = snakemake.input, snakemake.params.zones
    tables = dict(zip(zones, (read_tables([path]) for path in inputs.scored), strict=True))
    about, last = [read_json(path) for path in inputs.about], read_notes(inputs.scored[0])["classes"][-1]
    for row in about:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in row["reasons"].items())
        doubts = "; ".join(row.pop("doubts"))
        row |= {f"{name}_windows": count for name, count in row.pop("classes").items()}
        row |= {"reasons": reasons, "doubts": doubts}
    write_csv(pd.DataFrame(about), snakemake.output.summary)
    save(plot_scored(scored_days(tables, zones, last), last), snakemake.output.days)
