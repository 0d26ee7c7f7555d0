"""train_mil: windows or features and split of a user → a checkpoint per seed, importance, deletion curves."""

from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.importance.networks import extract_importance
from lifelog.mil.train import train_mil
from lifelog.settings.mil import Mil
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality

with job_log(snakemake.log[0], snakemake.input):
    use_threads(snakemake.threads)
    train_mil(
        snakemake.input.data,
        snakemake.input.splits,
        [Modality.from_params(entry) for entry in snakemake.params.modalities],
        Target.from_params(snakemake.params.target),
        snakemake.params.standardise,
        Mil.from_params(snakemake.params.mil),
        list(snakemake.output.checkpoints),
    )
    extract_importance(
        snakemake.input.data,
        snakemake.input.splits,
        list(snakemake.output.checkpoints),
        snakemake.output.importance,
        snakemake.output.deletion,
    )
