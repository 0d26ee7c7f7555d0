"""score_recovery: importance, groups and the planted truth → how much of it was found."""

from lifelog.config import Groups
from lifelog.groups.assignment import read_groups
from lifelog.groups.recovery import score_recovery
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.tables import read_json, write_json

with job_log(snakemake.log[0], snakemake.input):
    found = score_recovery(
        read_importance(snakemake.input.importance),
        read_groups(snakemake.input.groups),
        read_json(snakemake.input.truth),
        Groups(**snakemake.params.groups),
    )
    write_json(found, snakemake.output.recovery)
