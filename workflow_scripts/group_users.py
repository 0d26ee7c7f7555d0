"""group_users: importance of all users, and other inputs of the scheme → user → group."""

from lifelog.groups.assignment import group_users, read_groups
from lifelog.groups.clustering import read_scores
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Scoring
from lifelog.tables import write_csv, write_json

with job_log(snakemake.log[0], snakemake.input):
    inputs, settings = snakemake.input, snakemake.params.groups
    groups = group_users(
        snakemake.wildcards.scheme,
        read_importance(inputs.importance),
        Scoring.from_params(settings) if settings else None,
        scores=read_scores(inputs.scores) if inputs.scores else None,
        groups=read_groups(inputs.groups) if inputs.groups else None,
        features=list(inputs.features),
    )
    write_csv(groups, snakemake.output.groups)
    write_json(dict(settings) | {"value": dict(snakemake.params.value)}, snakemake.output.settings)
