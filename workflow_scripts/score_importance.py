"""score_importance: importance and deletion curves of all users → how far each user's importance may be believed."""

from lifelog.config import Groups
from lifelog.groups.faithfulness import score_importance
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.tables import read_tables, write_csv

with job_log(snakemake.log[0], snakemake.input):
    scores = score_importance(
        read_importance(snakemake.input.importance),
        read_tables(snakemake.input.deletion),
        Groups(**snakemake.params.groups),
    )
    write_csv(scores, snakemake.output.scores)
