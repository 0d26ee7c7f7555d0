"""plot_importance: importance and deletion curves of all users → figures of the importance page."""

from lifelog.files import read_json
from lifelog.importance.table import read_importance
from lifelog.importance.vectors import describing
from lifelog.logs import job_log
from lifelog.report.figures.importance import FIGURES, ImportanceTables
from lifelog.report.style import draw
from lifelog.tables import read_csv, read_tables

with job_log(snakemake):
    truth = read_json(snakemake.input.truth[0])["users"] if snakemake.input.truth else {}
    tables = ImportanceTables(
        describing(read_importance(snakemake.input.importance)),
        read_csv(snakemake.input.values),
        read_tables(snakemake.input.deletion),
        planted={user: planted["modalities"] for user, planted in truth.items()},
    )
    draw(FIGURES, tables, snakemake.output.figures)
