"""plot_users: splits, importance, features, training histories and quality → two figures per user."""

from pathlib import Path

from lifelog.importance.vectors import describing
from lifelog.logs import job_log
from lifelog.report.figures.users import days_table, plot_days, plot_user, user_table
from lifelog.report.style import save
from lifelog.report.tables import training_histories
from lifelog.splits.folds import read_folds
from lifelog.tables import read_csv, read_tables
from lifelog.windows.read import read_features

with job_log(snakemake):
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    histories = training_histories(list(inputs.descriptions))
    for i, user in enumerate(params.users):
        folds, features = read_folds(inputs.splits[i]), read_features(inputs.features[i])
        described = describing(read_tables([inputs.shapley[i], inputs.importance[i]]))
        history, quality = histories[histories.user == user], read_tables([inputs.quality[i]])
        table = user_table(folds, history, described, quality)
        save(plot_user(user, table, folds.classes), Path(outputs.users, f"{user}.svg"))
        days = days_table(folds, features, read_csv(inputs.directions[i]), params.zones[user])
        save(plot_days(user, days, folds.classes), Path(outputs.days, f"{user}.svg"))
