"""plot_users: splits, importance, features, training histories and quality → two figures per user."""

from pathlib import Path

from lifelog.logs import job_log
from lifelog.report.figures.days import days_table, plot_days
from lifelog.report.figures.users import plot_user, user_table
from lifelog.report.tables import training_histories
from lifelog.splits.assign import DESCRIBED, read_folds
from lifelog.tables import read_csv, read_notes, read_tables

with job_log(snakemake):
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    histories = training_histories(list(inputs.descriptions))
    for i, user in enumerate(params.users):
        notes, folds = read_notes(inputs.splits[i]), read_folds(inputs.splits[i])
        classes, rating = notes["classes"], notes["rating"]
        measured = read_tables([inputs.value[i], inputs.importance[i]])
        described = measured[measured.fold == DESCRIBED]
        history, signals = histories[histories.user == user], read_tables([inputs.quality[i]])
        own = user_table(folds, classes, history, described, params.subsets, signals, rating)
        plot_user(user, own, classes, Path(outputs.users, f"{user}.svg"))
        directions = read_csv(inputs.directions[i])
        days = days_table(folds[DESCRIBED], inputs.features[i], directions, params.zones[user], rating)
        plot_days(user, days, classes, Path(outputs.days, f"{user}.svg"))
