"""plot_users: splits, importance and training histories → one figure per user."""

from lifelog.logs import job_log
from lifelog.report.figures.users import plot_user, user_table
from lifelog.report.tables import training_histories
from lifelog.splits.assign import DESCRIBED, read_folds
from lifelog.tables import read_notes, read_tables

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    histories = training_histories(list(inputs.descriptions))
    rows = zip(params.users, inputs.splits, inputs.value, inputs.importance, snakemake.output.figures, strict=True)
    for user, split, value, importance, figure in rows:
        classes = read_notes(split)["classes"]
        measured = read_tables([value, importance])
        described = measured[measured.fold == DESCRIBED]
        own = user_table(read_folds(split), classes, histories[histories.user == user], described, params.subsets)
        plot_user(user, own, classes, figure)
