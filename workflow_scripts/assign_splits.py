"""assign_splits: a user's windows → which of them train, validate and test."""

from pydantic import TypeAdapter

from lifelog.config import Split, Target
from lifelog.logs import job_log
from lifelog.splits import assign_splits

with job_log(snakemake.log[0], snakemake.input):
    assign_splits(
        snakemake.input.windows,
        Target(**snakemake.params.target),
        TypeAdapter(Split).validate_python(snakemake.params.split),
        snakemake.output.splits,
        snakemake.params.seconds,
    )
