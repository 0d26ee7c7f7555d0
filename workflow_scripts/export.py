"""export: a finished run → predictions, importance and groups as one table each, a table per participant
and per window for SPSS and R, and a data dictionary."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from lifelog.export import READERS, data_dictionary, export_pieces, export_schema
from lifelog.export.wide import WIDE, joined, write_wide
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
    labels = []
    for name, read in WIDE.items():
        wide = joined(read(chapter, snakemake.params.decide) for chapter in chapters)
        write_wide(wide, snakemake.output[f"{name}_csv"], snakemake.output[f"{name}_sav"])
        texts = list(wide.labels.items())
        labels.append(pd.DataFrame(texts, columns=["column", "description"]).assign(table=name))
    write_csv(pd.concat(labels)[["table", "column", "description"]], snakemake.output.labels)
    write_csv(data_dictionary(), snakemake.output.dictionary)
