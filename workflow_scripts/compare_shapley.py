"""compare_shapley: Shapley values of all users → intervals, shrunken values, and whether users differ."""

from lifelog.importance.compare import compare_shapley
from lifelog.importance.table import read_importance, read_tests
from lifelog.logs import job_log
from lifelog.settings.groups import Scoring
from lifelog.settings.importance import Shapley
from lifelog.tables import write_csv

with job_log(snakemake):
    compared = compare_shapley(
        read_importance(snakemake.input.shapley),
        Shapley.from_params(snakemake.params.shapley),
        Scoring.from_params(snakemake.params.groups),
        read_tests(snakemake.input.shapley),
    )
    write_csv(compared.values, snakemake.output.values)
    write_csv(compared.heterogeneity, snakemake.output.heterogeneity)
