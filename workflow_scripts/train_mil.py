"""train_mil: windows or features and splits of a user → a checkpoint per seed, importance, deletion curves."""

from lifelog.importance.networks import DELETION, explain_networks
from lifelog.importance.table import IMPORTANCE
from lifelog.logs import job_log
from lifelog.mil.bags import feature_instances, make_bags
from lifelog.mil.checkpoint import write_checkpoint
from lifelog.mil.device import use_threads
from lifelog.mil.train import train_mil
from lifelog.settings.mil import Mil
from lifelog.settings.splits import Target
from lifelog.settings.windows import Modality
from lifelog.splits.folds import read_folds
from lifelog.tables import write_table
from lifelog.windows.read import read_features, read_windows

with job_log(snakemake):
    use_threads(snakemake.threads)
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    modalities, settings = [Modality.from_params(entry) for entry in params.modalities], Mil.from_params(params.mil)
    folds = read_folds(inputs.splits)
    by_features = settings.encoder == "features"
    values = feature_instances(read_features(inputs.data)) if by_features else read_windows(inputs.data, modalities)
    bags = make_bags(values, folds, settings.labels)
    target = Target.from_params(params.target)
    checkpoints = train_mil(bags, folds, modalities, target, settings, params.standardise)
    for checkpoint, path in zip(checkpoints, outputs.checkpoints, strict=True):
        write_checkpoint(checkpoint, path)
    explained = explain_networks(bags, folds, checkpoints)
    write_table(explained.importance, outputs.importance, IMPORTANCE, explained.notes)
    write_table(explained.deletion, outputs.deletion, DELETION, explained.notes)
