"""extract_importance: windows or features, split and checkpoints of a user → importance, deletion curves."""

from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.mil.importance import extract_importance

with job_log(snakemake.log[0], snakemake.input):
    use_threads(snakemake.threads)
    extract_importance(
        snakemake.input.data,
        snakemake.input.splits,
        list(snakemake.input.checkpoints),
        snakemake.output.importance,
        snakemake.output.deletion,
    )
