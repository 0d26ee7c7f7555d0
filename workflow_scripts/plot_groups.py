"""plot_groups: importance, groups, cluster scores and t-SNE → figures of the groups page."""

from lifelog.groups.read import described_groups, read_groups, read_scores
from lifelog.importance.measures import MEASURES
from lifelog.importance.table import read_importance
from lifelog.importance.vectors import describing, grouping_vectors
from lifelog.logs import job_log
from lifelog.report.figures.groups import FIGURES, GroupTables
from lifelog.report.style import draw
from lifelog.settings.importance import Vectors
from lifelog.tables import read_tables

with job_log(snakemake):
    settings = Vectors.from_params(snakemake.params.vectors)
    importance = describing(read_importance(snakemake.input.importance))
    tables = GroupTables(
        grouping_vectors(importance, settings).groupby("user").mean(),
        MEASURES[settings.importance].label,
        described_groups(read_groups(snakemake.input.groups)),
        read_scores(snakemake.input.scores),
        read_tables([snakemake.input.tsne]),
    )
    draw(FIGURES, tables, snakemake.output.figures)
