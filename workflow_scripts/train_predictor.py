"""train_predictor: a grouping scheme, features (or windows) and splits of all users → predictions of test windows."""

from pathlib import Path

from pydantic import TypeAdapter

from lifelog.config import Predictor, UsersSplit
from lifelog.groups.assignment import read_groups
from lifelog.logs import job_log
from lifelog.predict.samples import read_samples
from lifelog.predict.train import train_predictor

with job_log(snakemake.log[0], snakemake.input):
    settings = TypeAdapter(Predictor).validate_python(snakemake.params.predictor)
    if settings.name in ("lifelognet", "windownet"):
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    groups = read_groups(snakemake.input.groups)
    samples = read_samples(
        list(snakemake.input.features),
        list(snakemake.input.splits),
        list(groups.user),
        snakemake.params.standardise,
        list(snakemake.input.windows) or None,
        Path(snakemake.output.predictions).parent,
    )
    unseen = UsersSplit(**snakemake.params.unseen) if snakemake.params.unseen else None
    train_predictor(groups, samples, settings, snakemake.output.predictions, unseen)
