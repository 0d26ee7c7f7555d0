"""group_users: importance of all users, and other inputs of the scheme → user → group."""

from lifelog.groups.assignment import SchemeInputs, group_users, read_groups
from lifelog.groups.clustering import read_scores
from lifelog.importance.vectors import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Groups, Scoring
from lifelog.tables import write_csv, write_json

with job_log(snakemake.log[0], snakemake.input):
    inputs, params, scheme = snakemake.input, snakemake.params.groups, snakemake.wildcards.scheme
    settings = (Groups if scheme == "random" else Scoring).from_params(params)
    others = SchemeInputs(
        scores=read_scores(inputs.scores) if inputs.scores else None,
        groups=read_groups(inputs.groups, fold=None) if inputs.groups else None,
        features=list(inputs.features),
        splits=list(inputs.splits),
    )
    groups = group_users(scheme, read_importance(inputs.importance, fold=None), settings, others)
    write_csv(groups, snakemake.output.groups)
    write_json(
        dict(params) | {key: dict(snakemake.params[key]) for key in ("value", "split")}, snakemake.output.settings
    )
