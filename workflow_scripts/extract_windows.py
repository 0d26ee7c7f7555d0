"""extract_windows: a user's raw recordings → windows and quality."""

from lifelog.config import Cohort, Modality, Windows
from lifelog.logs import job_log
from lifelog.windows.extract import extract_windows

with job_log(snakemake.log[0], snakemake.input):
    extract_windows(
        snakemake.wildcards.user,
        snakemake.params.folder,
        Cohort(**snakemake.params.cohort),
        Windows(**snakemake.params.windows),
        [Modality(**entry) for entry in snakemake.params.modalities],
        snakemake.output.windows,
        snakemake.output.quality,
        snakemake.threads,
    )
