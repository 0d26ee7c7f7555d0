"""group_users: importance of all users, and what the scheme needs besides → the scheme's table user → group."""

from lifelog.config import Groups
from lifelog.groups.assignment import group_users, read_groups
from lifelog.groups.clustering import read_scores
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.tables import write_csv, write_json

with job_log(snakemake.log[0], snakemake.input):
    given = snakemake.input
    groups = group_users(
        snakemake.wildcards.scheme,
        read_importance(given.importance),
        Groups(**snakemake.params.groups),
        scores=read_scores(given.scores) if given.scores else None,
        groups=read_groups(given.groups) if given.groups else None,
        features=list(given.features),
    )
    write_csv(groups, snakemake.output.groups)
    write_json(dict(snakemake.params.groups), snakemake.output.settings)
