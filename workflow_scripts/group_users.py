"""group_users: importance of all users and the chosen number of groups → the scheme's table user → group."""

from lifelog.config import Groups
from lifelog.groups.assignment import group_users
from lifelog.groups.clustering import read_scores
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.tables import write_csv

with job_log(snakemake.log[0]):
    groups = group_users(
        snakemake.wildcards.scheme,
        read_importance(list(snakemake.input.importance)),
        read_scores(snakemake.input.scores) if snakemake.input.scores else None,
        Groups(**snakemake.params.groups),
    )
    write_csv(groups, snakemake.output.groups)
