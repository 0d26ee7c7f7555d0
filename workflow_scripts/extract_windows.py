"""extract_windows: raw recordings of a user → windows, quality."""

from lifelog.logs import job_log
from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.extract import extract_windows

with job_log(snakemake):
    extract_windows(
        snakemake.wildcards.user,
        snakemake.params.folder,
        Recordings.from_params(snakemake.params.layout),
        Extraction.from_params(snakemake.params.extraction),
        [Modality.from_params(entry) for entry in snakemake.params.modalities],
        snakemake.output.windows,
        snakemake.output.quality,
        snakemake.threads,
    )
