"""plot_users: splits, importance, training histories and quality → one figure per user."""

from lifelog.logs import job_log
from lifelog.report.figures.users import plot_user, user_table
from lifelog.report.tables import training_histories
from lifelog.splits.assign import DESCRIBED, read_folds
from lifelog.tables import read_notes, read_tables

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    histories = training_histories(list(inputs.descriptions))
    files = inputs.splits, inputs.value, inputs.importance, inputs.quality
    rows = zip(params.users, *files, snakemake.output.figures, strict=True)
    for user, split, value, importance, quality, figure in rows:
        classes = read_notes(split)["classes"]
        measured = read_tables([value, importance])
        described = measured[measured.fold == DESCRIBED]
        history = histories[histories.user == user]
        own = user_table(read_folds(split), classes, history, described, params.subsets, read_tables([quality]))
        plot_user(user, own, classes, figure)
