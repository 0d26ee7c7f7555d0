"""group_users: importance of all users, and other inputs of the scheme → user → group."""

from lifelog.files import write_json
from lifelog.groups.assignment import SchemeInputs, group_users
from lifelog.groups.read import read_groups, read_scores
from lifelog.groups.unseen import group_unseen
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Groups, Scoring
from lifelog.settings.importance import Shapley
from lifelog.splits.folds import read_folds
from lifelog.tables import write_csv
from lifelog.windows.read import read_features

with job_log(snakemake):
    inputs, params, scheme = snakemake.input, snakemake.params, snakemake.wildcards.scheme
    settings = (Groups if scheme == "random" else Scoring).from_params(params.groups)
    others = SchemeInputs(
        scores=read_scores(inputs.scores) if inputs.scores else None,
        groups=read_groups(inputs.groups) if inputs.groups else None,
        features=[read_features(path) for path in inputs.features],
        folds=[read_folds(path) for path in inputs.splits],
    )
    importance = read_importance(inputs.importance)
    if params.split["method"] == "participants" and scheme == "importance":
        shrinkage = Shapley.from_params(params.shapley).shrinkage
        groups = group_unseen(importance, settings, others.features, others.folds, shrinkage)
    else:
        groups = group_users(scheme, importance, settings, others)
    write_csv(groups, snakemake.output.groups)
    formed = {key: dict(params[key]) for key in ("shapley", "split")}
    write_json(dict(params.groups) | formed, snakemake.output.settings)
