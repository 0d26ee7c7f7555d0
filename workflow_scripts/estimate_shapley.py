"""estimate_shapley: features and split of a user → value of every modality by window, and directions of features."""

from lifelog.logs import job_log
from lifelog.settings.importance import Shapley
from lifelog.tables import write_csv
from lifelog.importance.direction import estimate_directions
from lifelog.importance.estimate import estimate_shapley

with job_log(snakemake.log[0], snakemake.input):
    inputs, settings = snakemake.input, Value.from_params(snakemake.params.value)
    estimate_shapley(inputs.features, inputs.splits, settings, snakemake.output.value)
    write_csv(estimate_directions(inputs.features, inputs.splits, settings.level), snakemake.output.directions)
