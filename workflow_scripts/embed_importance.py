"""embed_importance: importance and features of all users → t-SNE of windows in both spaces."""

from lifelog.groups.tsne import SCHEMA, embed_importance
from lifelog.importance.vectors import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Tsne
from lifelog.tables import write_table

with job_log(snakemake.log[0], snakemake.input):
    points = embed_importance(
        read_importance(snakemake.input.importance),
        list(snakemake.input.features),
        snakemake.params.subsets,
        Embedding.from_params(snakemake.params.embedding),
    )
    write_table(points, snakemake.output.embedding, SCHEMA)
