"""group_users: importance of all users, and other inputs of the scheme → user → group."""

from lifelog.files import write_json
from lifelog.groups.assignment import SchemeInputs, group_users
from lifelog.groups.read import read_groups, read_scores
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Groups, Scoring
from lifelog.splits.folds import read_folds
from lifelog.tables import write_csv
from lifelog.windows.read import read_features

with job_log(snakemake):
    inputs, params, scheme = snakemake.input, snakemake.params.groups, snakemake.wildcards.scheme
    settings = (Groups if scheme == "random" else Scoring).from_params(params)
    others = SchemeInputs(
        scores=read_scores(inputs.scores) if inputs.scores else None,
        groups=read_groups(inputs.groups) if inputs.groups else None,
        features=[read_features(path) for path in inputs.features],
        folds=[read_folds(path) for path in inputs.splits],
    )
    groups = group_users(scheme, read_importance(inputs.importance), settings, others)
    write_csv(groups, snakemake.output.groups)
    formed = {key: dict(snakemake.params[key]) for key in ("shapley", "split")}
    write_json(dict(params) | formed, snakemake.output.settings)
