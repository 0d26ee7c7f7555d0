"""extract_features: windows of a user → summary statistics and 5-second maxima."""

from lifelog.logs import job_log
from lifelog.windows.features import extract_features
from lifelog.windows.read import iter_windows, read_labels, write_features
from lifelog.windows.schema import read_modalities

with job_log(snakemake):
    path = snakemake.input.windows
    modalities, rows = read_modalities(path), read_labels(path)
    features = extract_features(iter_windows(path, modalities), rows, modalities, snakemake.params.seconds)
    write_features(features, snakemake.output.features)
