"""plot_users: splits, importance and training histories → one figure per user."""

import pyarrow.parquet as pq

from lifelog.logs import job_log
from lifelog.report.figures.users import plot_user, user_table
from lifelog.report.tables import training_histories
from lifelog.tables import read_notes, read_tables

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    histories = training_histories(list(inputs.descriptions))
    rows = zip(params.users, inputs.splits, inputs.value, inputs.importance, snakemake.output.figures, strict=True)
    for user, split, value, importance, figure in rows:
        classes = read_notes(split)["classes"]
        tables = pq.read_table(split).to_pandas(), read_tables([value, importance])
        own = user_table(tables[0], classes, histories[histories.user == user], tables[1], params.subsets)
        plot_user(user, own, classes, figure)
