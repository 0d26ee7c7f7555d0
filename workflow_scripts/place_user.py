"""place_user: tables of a finished run and of a new user → group of the user, predictions."""

from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.new_users import write_placement
from lifelog.settings.groups import Clustering
from lifelog.settings.predict import predictor_from_params

with job_log(snakemake.log[0], snakemake.input):
    use_threads(snakemake.threads)
    inputs, params = snakemake.input, snakemake.params
    write_placement(
        snakemake.wildcards.user,
        inputs.groups,
        {kind: list(inputs[kind]) for kind in ("importance", "splits", "features", "windows")},
        Clustering.from_params(params.groups),
        params.standardise,
        [predictor_from_params(entry) for entry in params.predictors],
        snakemake.output.placement,
        snakemake.output.predictions,
    )
