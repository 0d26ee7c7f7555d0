"""estimate_value: features and split of a user → value of every modality in every training and validation window."""

from lifelog.logs import job_log
from lifelog.settings.value import Value
from lifelog.value.estimate import estimate_value

with job_log(snakemake.log[0], snakemake.input):
    estimate_value(
        snakemake.input.features,
        snakemake.input.splits,
        Value.from_params(snakemake.params.value),
        snakemake.output.value,
    )
