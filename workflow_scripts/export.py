"""export: a finished run → predictions, importance and groups as one table each, and a data dictionary."""

from pathlib import Path

import pyarrow.parquet as pq

from lifelog.export import READERS, data_dictionary, export_pieces, export_schema
from lifelog.files import write_atomically
from lifelog.logs import job_log
from lifelog.tables import write_csv

with job_log(snakemake):
    chapters = [Path(chapter) for chapter in snakemake.params.chapters]
    for name in READERS:
        schema = export_schema(name)
        with (
            write_atomically(snakemake.output[name]) as part,
            pq.ParquetWriter(part, schema, compression="zstd") as writer,
        ):
            for piece in export_pieces(chapters, name):
                writer.write_table(piece)
    write_csv(data_dictionary(), snakemake.output.dictionary)
