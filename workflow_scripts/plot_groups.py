"""plot_groups: importance, groups, cluster scores and embedding → figures of the groups page."""

import pyarrow.parquet as pq

from lifelog.groups.assignment import read_groups
from lifelog.groups.clustering import read_scores
from lifelog.importance.vectors import grouping_vectors, read_importance
from lifelog.logs import job_log
from lifelog.importance.measures import MEASURES
from lifelog.report.figures.groups import FIGURES, GroupTables
from lifelog.report.style import draw
from lifelog.settings.groups import Vectors

with job_log(snakemake):
    settings = Vectors.from_params(snakemake.params.vectors)
    importance = read_importance(snakemake.input.importance)
    tables = GroupTables(
        grouping_vectors(importance, settings).groupby("user").mean(),
        MEASURES[settings.importance].label,
        read_groups(snakemake.input.groups),
        read_scores(snakemake.input.scores),
        pq.read_table(snakemake.input.embedding).to_pandas(),
    )
    draw(FIGURES, tables, snakemake.output.figures)
