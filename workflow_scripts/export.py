"""export: a finished run → predictions, importance and groups as one table each, and a data dictionary."""

from lifelog.export import DICTIONARY, write_export
from lifelog.logs import job_log

with job_log(snakemake.log[0], snakemake.input):
    paths = {name: snakemake.output[name] for name in DICTIONARY}
    write_export(snakemake.params.chapters, paths, snakemake.output.dictionary)
