"""estimate_shapley: features and splits of a user → Shapley values by window, and directions of features."""

from lifelog.importance.direction import estimate_directions
from lifelog.importance.estimate import estimate_shapley
from lifelog.importance.table import IMPORTANCE
from lifelog.logs import job_log
from lifelog.settings.importance import Shapley
from lifelog.splits.folds import read_folds
from lifelog.tables import write_csv, write_table
from lifelog.windows.read import read_features

with job_log(snakemake):
    settings = Shapley.from_params(snakemake.params.shapley)
    features, folds = read_features(snakemake.input.features), read_folds(snakemake.input.splits)
    estimated = estimate_shapley(features, folds, settings)
    write_table(estimated.table, snakemake.output.shapley, IMPORTANCE, estimated.notes)
    write_csv(estimate_directions(features, folds, settings.level), snakemake.output.directions)
