"""train_predictors: groups, features (or windows) and splits of all users → predictions of test windows by model."""

from functools import partial
from pathlib import Path

from lifelog.groups.read import included_users, read_groups, ungrouped
from lifelog.logs import job_log
from lifelog.predict.samples import make_samples, read_people
from lifelog.predict.train import Model, train_predictors
from lifelog.settings.predict import predictor_from_params
from lifelog.tables import write_table

with job_log(snakemake):
    inputs, params = snakemake.input, snakemake.params
    people = read_people(inputs.features, inputs.splits, inputs.windows)
    grouped = {Path(path).stem: read_groups(path) for path in inputs.groups}
    included = included_users([person.folds for person in people])
    models, paths = [], {}
    for (predictor, scheme), path in zip(params.models, snakemake.output.predictions, strict=True):
        settings = predictor_from_params(params.predictors[predictor])
        groups = grouped[scheme] if scheme in grouped else ungrouped(included, scheme)
        models.append(Model(settings, scheme, groups))
        paths[predictor, scheme] = path
    if any(model.settings.needs_torch for model in models):
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    users = set(models[0].groups.user)
    people = [person for person in people if person.folds.user in users]
    folder = Path(snakemake.output.predictions[0]).parent
    read_fold = partial(make_samples, people, standardise=params.standardise, folder=folder)
    for model, table, schema, classes in train_predictors(models, read_fold):
        write_table(table, paths[model.settings.name, model.scheme], schema, {"classes": classes})
