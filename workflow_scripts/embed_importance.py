"""embed_importance: importance and features of all users → t-SNE of windows in both spaces."""

from lifelog.groups.tsne import SCHEMA, embed_importance
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Tsne
from lifelog.tables import write_table
from lifelog.windows.read import read_features

with job_log(snakemake):
    points = embed_importance(
        read_importance(snakemake.input.importance),
        [read_features(path) for path in snakemake.input.features],
        Tsne.from_params(snakemake.params.tsne),
    )
    write_table(points, snakemake.output.tsne, SCHEMA)
