"""score_recovery: importance, groups and planted truth → how much of the truth is recovered."""

from lifelog.groups.assignment import read_groups
from lifelog.groups.recovery import score_recovery
from lifelog.importance.vectors import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Vectors
from lifelog.tables import read_json, write_json

with job_log(snakemake.log[0], snakemake.input):
    recovery = score_recovery(
        read_importance(snakemake.input.importance),
        read_groups(snakemake.input.groups),
        read_json(snakemake.input.truth),
        Vectors.from_params(snakemake.params.vectors),
    )
    write_json(recovery, snakemake.output.recovery)
