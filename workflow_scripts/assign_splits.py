"""assign_splits: windows and quality of a user → subset of each window in every fold."""

from lifelog.logs import job_log
from lifelog.settings.splits import Target, split_from_params
from lifelog.splits.assign import assign_splits
from lifelog.splits.folds import write_folds
from lifelog.tables import read_tables
from lifelog.windows.read import read_labels

with job_log(snakemake):
    folds = assign_splits(
        read_labels(snakemake.input.windows),
        Target.from_params(snakemake.params.target),
        split_from_params(snakemake.params.split),
        snakemake.params.seconds,
        read_tables([snakemake.input.quality]),
        snakemake.params.unseen,
    )
    write_folds(folds, snakemake.output.splits)
