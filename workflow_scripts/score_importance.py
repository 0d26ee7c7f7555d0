"""score_importance: importance and deletion curves of all users → stability and faithfulness of importance per user."""

from lifelog.importance.reliability import score_importance
from lifelog.importance.table import read_importance, read_tests
from lifelog.logs import job_log
from lifelog.settings.importance import Vectors
from lifelog.tables import read_tables, write_csv

with job_log(snakemake):
    scores = score_importance(
        read_importance(snakemake.input.importance),
        read_tables(snakemake.input.deletion),
        Vectors.from_params(snakemake.params.vectors),
        read_tests(snakemake.input.importance),
    )
    write_csv(scores, snakemake.output.scores)
