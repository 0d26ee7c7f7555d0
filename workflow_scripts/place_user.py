"""place_user: importance and features of a new user, and a finished run → group of the user, predictions."""

from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.new_users import RunFiles, UserFiles, write_placement
from lifelog.settings.groups import Clustering
from lifelog.settings.predict import predictor_from_params

with job_log(snakemake.log[0], snakemake.input):
    use_threads(snakemake.threads)
    inputs, params = snakemake.input, snakemake.params
    write_placement(
        snakemake.wildcards.user,
        UserFiles(inputs.windows, inputs.features, inputs.splits, inputs.importance),
        RunFiles(inputs.run_groups, inputs.run_importance, inputs.run_splits, inputs.run_features, inputs.run_windows),
        Clustering.from_params(params.groups),
        params.standardise,
        [predictor_from_params(entry) for entry in params.predictors],
        snakemake.output.placement,
        snakemake.output.predictions,
    )
