"""extract_features: windows of a user → summary statistics and 5-second maxima."""

from lifelog.logs import job_log
from lifelog.windows.features import extract_features

with job_log(snakemake.log[0], snakemake.input):
    extract_features(snakemake.input.windows, snakemake.params.seconds, snakemake.output.features)
