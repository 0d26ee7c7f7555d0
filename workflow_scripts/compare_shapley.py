"""compare_shapley: values of all users → intervals, shrunken values, and whether users differ."""

from lifelog.importance.vectors import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Scoring
from lifelog.settings.importance import Shapley
from lifelog.tables import write_csv
from lifelog.importance.compare import compare_shapley

with job_log(snakemake.log[0], snakemake.input):
    compared = compare_shapley(
        read_importance(snakemake.input.value),
        Value.from_params(snakemake.params.value),
        Scoring.from_params(snakemake.params.groups),
    )
    write_csv(compared.values, snakemake.output.values)
    write_csv(compared.heterogeneity, snakemake.output.heterogeneity)
