"""plot_importance: importance of all users and deletion curves → three figures."""

from lifelog.groups.vectors import read_importance, user_vectors
from lifelog.logs import job_log
from lifelog.report.figures import plot_deletion, plot_importance
from lifelog.tables import read_json, read_tables

LABELS = {"attention": "attention (share)", "ablation": "fall of log-likelihood (nats)"}

with job_log(snakemake.log[0], snakemake.input):
    importance = read_importance(snakemake.input.importance)
    truth = read_json(snakemake.input.truth[0])["users"] if snakemake.input.truth else {}
    planted = {user: about["modalities"] for user, about in truth.items()}
    deletion = read_tables(snakemake.input.deletion)
    plot_deletion(deletion[deletion.part == "test"], snakemake.output.deletion)
    for method, path in (("attention", snakemake.output.importance), ("ablation", snakemake.output.ablation)):
        vectors = user_vectors(importance, method, snakemake.params.parts)
        plot_importance(vectors, planted, LABELS[method], path)
