"""compare_published: importance, groups and scores of a run → the same beside the figures printed in the study."""

from pathlib import Path

from lifelog.files import write_json
from lifelog.groups.read import described_groups, read_groups, read_scores
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.published import PRINTED_SCORES, compare_published
from lifelog.tables import read_notes

with job_log(snakemake):
    paths = {Path(path).stem: path for path in snakemake.input.importance}
    user = PRINTED_SCORES["user"]
    compared = compare_published(
        read_importance(paths.values()),
        described_groups(read_groups(snakemake.input.groups)),
        read_scores(snakemake.input.scores),
        read_notes(paths[user])["test_counts"] if user in paths else {},
    )
    write_json(compared, snakemake.output.published)
