"""plot_people: splits, importance and training histories → a figure a person."""

import pyarrow.parquet as pq

from lifelog.logs import job_log
from lifelog.report.people import person_tables, plot_person
from lifelog.report.tables import training_histories
from lifelog.tables import read_notes

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    histories = training_histories(list(inputs.descriptions))
    rows = zip(params.users, inputs.splits, inputs.importance, snakemake.output.figures, strict=True)
    for user, split, importance, figure in rows:
        classes = read_notes(split)["classes"]
        tables = pq.read_table(split).to_pandas(), pq.read_table(importance).to_pandas()
        own = person_tables(tables[0], classes, histories[histories.user == user], tables[1], params.parts)
        plot_person(user, own, classes, figure)
