"""train_predictor: groups of a scheme, features (or windows) and splits of all users → predictions of test windows."""

from functools import partial
from pathlib import Path

from lifelog.groups.assignment import read_groups
from lifelog.logs import job_log
from lifelog.predict.samples import read_samples
from lifelog.predict.train import train_predictor
from lifelog.settings.predict import predictor_from_params

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    settings = predictor_from_params(params.predictor)
    if settings.needs_torch:
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    groups = read_groups(inputs.groups, fold=None)
    files = inputs.features, inputs.splits, list(groups.user.unique()), params.standardise
    stored = dict(windows=inputs.windows, folder=Path(snakemake.output.predictions).parent)
    read_fold = partial(read_samples, *files, **stored)
    train_predictor(snakemake.wildcards.scheme, groups, read_fold, settings, snakemake.output.predictions)
