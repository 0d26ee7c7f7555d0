"""assign_splits: windows of a user → subset of each window."""

from lifelog.logs import job_log
from lifelog.settings.splits import Target, split_from_params
from lifelog.splits.assign import assign_splits

with job_log(snakemake.log[0], snakemake.input):
    assign_splits(
        snakemake.input.windows,
        Target.from_params(snakemake.params.target),
        split_from_params(snakemake.params.split),
        snakemake.output.splits,
        snakemake.params.seconds,
        snakemake.input.quality,
    )
