"""train_predictors: groups, features (or windows) and splits of all users → predictions of test windows by model."""

from pathlib import Path

from lifelog.groups.assignment import group_users, included_users, read_groups
from lifelog.logs import job_log
from lifelog.predict.samples import SamplesReader
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import COMBINED, predictor_from_params

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    grouped = {Path(path).stem: read_groups(path, fold=None) for path in inputs.groups}
    included = included_users(inputs.splits)
    models = []
    for (predictor, scheme), path in zip(params.models, snakemake.output.predictions, strict=True):
        settings = predictor_from_params(params.predictors[predictor])
        groups = grouped.get(scheme)
        if groups is None:
            groups = group_users("global" if scheme in COMBINED else scheme, included)
        models.append(Model(settings, scheme, groups, path))
    if any(model.settings.needs_torch for model in models):
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    files = inputs.features, inputs.splits, list(models[0].groups.user.unique()), params.standardise
    stored = dict(windows=inputs.windows, folder=Path(snakemake.output.predictions[0]).parent)
    train_predictors(models, SamplesReader(*files, **stored).fold)
