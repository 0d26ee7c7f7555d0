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
        notes = read_notes(split)
        measured = read_tables([value, importance])
        described = measured[measured.fold == DESCRIBED]
        history = histories[histories.user == user]
        folds, signals = read_folds(split), read_tables([quality])
        own = user_table(folds, notes["classes"], history, described, params.subsets, signals, notes["rating"])
        plot_user(user, own, notes["classes"], figure)
