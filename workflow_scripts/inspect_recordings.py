"""inspect_recordings: windows and quality of all users, and their values if given → a page about the recordings."""

from pathlib import Path

from lifelog.config import Config
from lifelog.files import read_json, write_text
from lifelog.logs import job_log
from lifelog.report.figures.cohort import plot_coverage
from lifelog.report.style import data_uri
from lifelog.report.views.inspection import inspect_recordings
from lifelog.tables import read_csv, read_tables
from lifelog.windows.read import read_labels

with job_log(snakemake):
    truth = read_json(snakemake.input.truth[0])["users"] if snakemake.input.truth else {}
    config, quality = Config.from_params(snakemake.params.config), read_tables(snakemake.input.quality)
    users = [Path(path).stem for path in snakemake.input.windows]
    page = inspect_recordings(
        config,
        {Path(path).stem: read_labels(path) for path in snakemake.input.windows},
        quality,
        snakemake.params.problems,
        read_csv(snakemake.input.values[0]) if snakemake.input.values else None,
        {user: planted["modalities"] for user, planted in truth.items()},
        data_uri(plot_coverage(quality, users, [modality.name for modality in config.modalities])),
    )
    write_text(page, snakemake.output.page)
