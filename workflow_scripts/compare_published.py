"""compare_published: importance, groups and scores of a run → the same beside the figures printed in the study."""

from pathlib import Path

from lifelog.groups.assignment import read_groups
from lifelog.groups.clustering import read_scores
from lifelog.logs import job_log
from lifelog.published import PRINTED_SCORES, compare_published
from lifelog.tables import read_notes, read_tables, write_json

with job_log(snakemake.log[0], snakemake.input):
    paths = {Path(path).stem: path for path in snakemake.input.importance}
    user = PRINTED_SCORES["user"]
    compared = compare_published(
        read_tables(paths.values()),
        read_groups(snakemake.input.groups),
        read_scores(snakemake.input.scores),
        read_notes(paths[user])["test_scores"] if user in paths else {},
    )
    write_json(compared, snakemake.output.published)
