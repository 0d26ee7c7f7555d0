"""inspect_recordings: windows and quality of all users, and their values if given → a page about the recordings."""

from pathlib import Path

from lifelog.config import Config
from lifelog.files import read_json
from lifelog.logs import job_log
from lifelog.report.inspection import inspect_recordings
from lifelog.tables import read_csv, read_tables
from lifelog.windows.read import read_labels

with job_log(snakemake):
    values = read_csv(snakemake.input.values[0]) if snakemake.input.values else None
    truth = read_json(snakemake.input.truth[0])["users"] if snakemake.input.truth else {}
    inspect_recordings(
        Config.from_params(snakemake.params.config),
        {Path(path).stem: read_labels(path) for path in snakemake.input.windows},
        read_tables(snakemake.input.quality),
        snakemake.params.problems,
        snakemake.output.page,
        values,
        {user: planted["modalities"] for user, planted in truth.items()},
    )
