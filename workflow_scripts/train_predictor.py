"""train_predictor: groups of a scheme, features (or windows) and splits of all users → predictions of test windows."""

from pathlib import Path

from lifelog.groups.assignment import read_groups
from lifelog.logs import job_log
from lifelog.predict.samples import read_samples
from lifelog.predict.train import train_predictor
from lifelog.settings.predict import predictor_from_params
from lifelog.settings.splits import UsersSplit

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    settings = predictor_from_params(params.predictor)
    if settings.needs_torch:
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    groups = read_groups(inputs.groups)
    folder = Path(snakemake.output.predictions).parent
    users = list(groups.user)
    samples = read_samples(inputs.features, inputs.splits, users, params.standardise, inputs.windows, folder)
    split = UsersSplit.from_params(params.split) if params.split else None
    train_predictor(groups, samples, settings, snakemake.output.predictions, split)
