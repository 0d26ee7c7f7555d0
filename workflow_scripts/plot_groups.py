"""plot_groups: importance, groups, cluster scores and embedding → three figures."""

import pyarrow.parquet as pq

from lifelog.config import Groups
from lifelog.groups.assignment import read_groups
from lifelog.groups.clustering import read_scores
from lifelog.groups.vectors import grouping_vectors, read_importance
from lifelog.logs import job_log
from lifelog.report.figures import plot_cluster_scores, plot_embedding, plot_group_importance

with job_log(snakemake.log[0], snakemake.input):
    settings = Groups(**snakemake.params.groups)
    groups = read_groups(snakemake.input.groups)
    importance = read_importance(snakemake.input.importance)
    vectors = grouping_vectors(importance, settings).groupby("user").mean()
    plot_group_importance(vectors, groups, f"{settings.importance} (share)", snakemake.output.group_importance)
    plot_cluster_scores(read_scores(snakemake.input.scores), snakemake.output.cluster_scores)
    plot_embedding(pq.read_table(snakemake.input.embedding).to_pandas(), groups, snakemake.output.embedding)
