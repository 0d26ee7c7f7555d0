"""train_mil: a user's windows and split → a checkpoint with its description for every seed."""

from lifelog.config import Mil, Modality, Target
from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.mil.train import train_mil

with job_log(snakemake.log[0], snakemake.input):
    use_threads(snakemake.threads)
    train_mil(
        snakemake.input.windows,
        snakemake.input.splits,
        [Modality(**entry) for entry in snakemake.params.modalities],
        Target(**snakemake.params.target),
        snakemake.params.standardise,
        Mil(**snakemake.params.mil),
        list(snakemake.output.checkpoints),
    )
