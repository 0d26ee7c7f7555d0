"""score_recovery: importance, groups and planted truth → how much of the truth is recovered."""

from lifelog.files import read_json, write_json
from lifelog.groups.read import described_groups, read_groups
from lifelog.groups.recovery import score_recovery
from lifelog.importance.table import read_importance
from lifelog.logs import job_log

with job_log(snakemake):
    recovery = score_recovery(
        read_importance(snakemake.input.importance),
        described_groups(read_groups(snakemake.input.groups)),
        read_json(snakemake.input.truth),
    )
    write_json(recovery, snakemake.output.recovery)
