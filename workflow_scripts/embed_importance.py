"""embed_importance: importance and features of all users → both spaces in two dimensions."""

from lifelog.config import Groups
from lifelog.groups.embedding import SCHEMA, embed_importance
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.tables import write_table

with job_log(snakemake.log[0], snakemake.input):
    points = embed_importance(
        read_importance(snakemake.input.importance),
        list(snakemake.input.features),
        Groups(**snakemake.params.groups),
    )
    write_table(points, snakemake.output.embedding, SCHEMA)
