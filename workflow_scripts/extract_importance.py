"""extract_importance: a user's windows, split and checkpoints → attention and ablation importance of every window."""

import torch

from lifelog.logs import job_log
from lifelog.mil.importance import extract_importance

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    extract_importance(
        snakemake.input.windows,
        snakemake.input.splits,
        list(snakemake.input.checkpoints),
        snakemake.output.importance,
    )
