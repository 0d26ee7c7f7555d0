"""train_predictor: a grouping scheme, features and splits of all users → predictions of every test window."""

from pydantic import TypeAdapter

from lifelog.config import Predictor
from lifelog.groups.assignment import read_groups
from lifelog.logs import job_log
from lifelog.predict.train import train_predictor

with job_log(snakemake.log[0]):
    settings = TypeAdapter(Predictor).validate_python(snakemake.params.predictor)
    if settings.name == "lifelognet":
        import torch

        torch.set_num_threads(snakemake.threads)
    train_predictor(
        read_groups(snakemake.input.groups),
        list(snakemake.input.features),
        list(snakemake.input.splits),
        snakemake.params.standardise,
        settings,
        snakemake.output.predictions,
    )
